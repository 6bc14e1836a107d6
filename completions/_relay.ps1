
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'relay' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'relay'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'relay' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file [env: `RELAY_CONFIG`]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print results [default: a table on a terminal, else plain: tabs, no header]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR`]')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no config file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print results as JSON; the same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no spinner [env: `RELAY_NO_PROGRESS`]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Let nothing leave this machine: only local and simulated providers answer [env: `RELAY_OFFLINE`]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('ask', 'ask', [CompletionResultType]::ParameterValue, 'Send one prompt, print one answer')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve an OpenAI-compatible gateway')
            [CompletionResult]::new('check-models', 'check-models', [CompletionResultType]::ParameterValue, 'Check that models answer')
            [CompletionResult]::new('models', 'models', [CompletionResultType]::ParameterValue, 'List models: which can be used, and why the others cannot')
            [CompletionResult]::new('refresh-limits', 'refresh-limits', [CompletionResultType]::ParameterValue, 'Compare the catalogue''s limits with the providers'' documentation')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Show relay at work, offline, over simulated providers')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            break
        }
        'relay;ask' {
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Add a text file, `-` for stdin; may be given several times')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Add a text file, `-` for stdin; may be given several times')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Attach an image or sound: a file, a URL, or `-` for stdin; may be given several times')
            [CompletionResult]::new('--attach', '--attach', [CompletionResultType]::ParameterName, 'Attach an image or sound: a file, a URL, or `-` for stdin; may be given several times')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Set the system message, or read it from a file with @FILE')
            [CompletionResult]::new('--system', '--system', [CompletionResultType]::ParameterName, 'Set the system message, or read it from a file with @FILE')
            [CompletionResult]::new('--stdin-wait', '--stdin-wait', [CompletionResultType]::ParameterName, 'How long to wait for the first byte of stdin when there is a prompt; 0 waits without limit')
            [CompletionResult]::new('-m', '-m', [CompletionResultType]::ParameterName, 'The model: meta-model, PROVIDER/MODEL, PROVIDER or MODEL [env: `RELAY_MODEL`]')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'The model: meta-model, PROVIDER/MODEL, PROVIDER or MODEL [env: `RELAY_MODEL`]')
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Only models of this type: text, coding or vision')
            [CompletionResult]::new('--scale', '--scale', [CompletionResultType]::ParameterName, 'Only models of this scale: large, medium or small')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only models whose id contains this')
            [CompletionResult]::new('--max-attempts', '--max-attempts', [CompletionResultType]::ParameterName, 'Try at most this many routes')
            [CompletionResult]::new('--avoid', '--avoid', [CompletionResultType]::ParameterName, 'Leave out a provider, or one PROVIDER/MODEL; may be given several times')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for quota before giving up [default: 10s]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up after this long, all in all [default: 120s, and what --wait adds] [env: `RELAY_TIMEOUT`]')
            [CompletionResult]::new('--via', '--via', [CompletionResultType]::ParameterName, 'Ask a gateway that runs, at this URL; its key is in `RELAY_API_KEY` [env: `RELAY_URL`]')
            [CompletionResult]::new('--session', '--session', [CompletionResultType]::ParameterName, 'The conversation this belongs to: its messages stay with one provider while that lasts')
            [CompletionResult]::new('--max-tokens', '--max-tokens', [CompletionResultType]::ParameterName, 'The most tokens the answer may have')
            [CompletionResult]::new('--temperature', '--temperature', [CompletionResultType]::ParameterName, 'Sampling temperature')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Sampling seed')
            [CompletionResult]::new('--schema', '--schema', [CompletionResultType]::ParameterName, 'Answer with JSON that satisfies this JSON Schema: a file, or the schema itself')
            [CompletionResult]::new('--param', '--param', [CompletionResultType]::ParameterName, 'Any other field of the request, its value as JSON; may be given several times')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'Print a code block of the answer and nothing else: first, last, or lax for the whole answer where it has none')
            [CompletionResult]::new('--extract', '--extract', [CompletionResultType]::ParameterName, 'Print a code block of the answer and nothing else: first, last, or lax for the whole answer where it has none')
            [CompletionResult]::new('--reasoning', '--reasoning', [CompletionResultType]::ParameterName, 'What becomes of a model''s thoughts: shown on stderr, or not; auto shows them on a terminal')
            [CompletionResult]::new('--batch', '--batch', [CompletionResultType]::ParameterName, 'Answer a file of requests, one a line in OpenAI''s batch form, into the file of --output; run again, it goes on where it was')
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'How many requests of a batch are under way at one time')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'Write the answer to a file')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'Write the answer to a file')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file [env: `RELAY_CONFIG`]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print results [default: a table on a terminal, else plain: tabs, no header]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR`]')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]')
            [CompletionResult]::new('--no-stdin', '--no-stdin', [CompletionResultType]::ParameterName, 'Do not read stdin [env: `RELAY_NO_STDIN`]')
            [CompletionResult]::new('--stdin-first', '--stdin-first', [CompletionResultType]::ParameterName, 'Put stdin before the prompt')
            [CompletionResult]::new('--no-failover', '--no-failover', [CompletionResultType]::ParameterName, 'Try one route only')
            [CompletionResult]::new('--strict-free', '--strict-free', [CompletionResultType]::ParameterName, 'Use only routes that can never bill')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Show which routes could answer, in which order and why, and send nothing')
            [CompletionResult]::new('--stream', '--stream', [CompletionResultType]::ParameterName, 'Print the answer as it arrives, also into a pipe')
            [CompletionResult]::new('--no-stream', '--no-stream', [CompletionResultType]::ParameterName, 'Print the answer when it is whole, also on a terminal')
            [CompletionResult]::new('-u', '-u', [CompletionResultType]::ParameterName, 'Report who answered and the tokens used on stderr')
            [CompletionResult]::new('--usage', '--usage', [CompletionResultType]::ParameterName, 'Report who answered and the tokens used on stderr')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no config file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print results as JSON; the same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no spinner [env: `RELAY_NO_PROGRESS`]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Let nothing leave this machine: only local and simulated providers answer [env: `RELAY_OFFLINE`]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'relay;serve' {
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'The address to listen on [default: 127.0.0.1] [env: `RELAY_HOST`]')
            [CompletionResult]::new('--port', '--port', [CompletionResultType]::ParameterName, 'The port to listen on, 0 for any free one [default: 8000] [env: `RELAY_PORT`]')
            [CompletionResult]::new('--api-key-file', '--api-key-file', [CompletionResultType]::ParameterName, 'Read the gateway''s own key from a file [env: `RELAY_API_KEY` holds the key itself]')
            [CompletionResult]::new('--cors', '--cors', [CompletionResultType]::ParameterName, 'Let pages of this origin ask, `*` for all; may be given several times')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'How long open requests may take when the server stops [default: 10s]')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Log requests as text on stderr, or as NDJSON on stdout')
            [CompletionResult]::new('--ready-file', '--ready-file', [CompletionResultType]::ParameterName, 'Write the base URL to this file once the server is ready')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file [env: `RELAY_CONFIG`]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print results [default: a table on a terminal, else plain: tabs, no header]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR`]')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]')
            [CompletionResult]::new('--insecure-no-auth', '--insecure-no-auth', [CompletionResultType]::ParameterName, 'Listen beyond this machine without a key')
            [CompletionResult]::new('--no-verify', '--no-verify', [CompletionResultType]::ParameterName, 'Start without asking the providers anything')
            [CompletionResult]::new('--keyless', '--keyless', [CompletionResultType]::ParameterName, 'Also use services that take no key')
            [CompletionResult]::new('--strict-free', '--strict-free', [CompletionResultType]::ParameterName, 'Use only routes that can never bill')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no config file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print results as JSON; the same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no spinner [env: `RELAY_NO_PROGRESS`]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Let nothing leave this machine: only local and simulated providers answer [env: `RELAY_OFFLINE`]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'relay;check-models' {
            [CompletionResult]::new('--jobs', '--jobs', [CompletionResultType]::ParameterName, 'Requests at once to each provider; one where it counts requests by the second')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long a model may take to its first word, and from there to its last')
            [CompletionResult]::new('--max-tokens', '--max-tokens', [CompletionResultType]::ParameterName, 'The most tokens each answer may have')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'What counts as a failure for the exit code')
            [CompletionResult]::new('--repeat', '--repeat', [CompletionResultType]::ParameterName, 'Ask each model this many times')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file [env: `RELAY_CONFIG`]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print results [default: a table on a terminal, else plain: tabs, no header]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR`]')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]')
            [CompletionResult]::new('--list-only', '--list-only', [CompletionResultType]::ParameterName, 'Compare with the providers'' model lists and send no request')
            [CompletionResult]::new('--latency', '--latency', [CompletionResultType]::ParameterName, 'Measure: ask also where recent answers would do, and show p50 and p95 of the first word with --repeat')
            [CompletionResult]::new('--keyless', '--keyless', [CompletionResultType]::ParameterName, 'Also check services that take no key')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no config file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print results as JSON; the same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no spinner [env: `RELAY_NO_PROGRESS`]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Let nothing leave this machine: only local and simulated providers answer [env: `RELAY_OFFLINE`]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'relay;models' {
            [CompletionResult]::new('--type', '--type', [CompletionResultType]::ParameterName, 'Only models of this type')
            [CompletionResult]::new('--scale', '--scale', [CompletionResultType]::ParameterName, 'Only models of this scale: large, medium or small')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file [env: `RELAY_CONFIG`]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print results [default: a table on a terminal, else plain: tabs, no header]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR`]')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Also list what cannot be used now, model by model')
            [CompletionResult]::new('--keyless', '--keyless', [CompletionResultType]::ParameterName, 'Count services that take no key as usable')
            [CompletionResult]::new('--strict-free', '--strict-free', [CompletionResultType]::ParameterName, 'Use only routes that can never bill')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no config file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print results as JSON; the same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no spinner [env: `RELAY_NO_PROGRESS`]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Let nothing leave this machine: only local and simulated providers answer [env: `RELAY_OFFLINE`]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'relay;refresh-limits' {
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Read saved pages, DIR/PROVIDER.md or DIR/PROVIDER.html, and fetch nothing')
            [CompletionResult]::new('--dir', '--dir', [CompletionResultType]::ParameterName, 'Write to these catalogue files instead of your own')
            [CompletionResult]::new('--read', '--read', [CompletionResultType]::ParameterName, 'Print what one saved page says, and why the rest of it was refused')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file [env: `RELAY_CONFIG`]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print results [default: a table on a terminal, else plain: tabs, no header]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR`]')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Write nothing and ask nothing; exit 1 if anything differs that could be written')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Write what differs without asking')
            [CompletionResult]::new('--allow-large', '--allow-large', [CompletionResultType]::ParameterName, 'Also write what is held back: changes of more than 5x, many models gone, contradictions')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'Put back the files as they were before the last change')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no config file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print results as JSON; the same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no spinner [env: `RELAY_NO_PROGRESS`]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Let nothing leave this machine: only local and simulated providers answer [env: `RELAY_OFFLINE`]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'relay;demo' {
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'Makes the simulated providers behave the same each time')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file [env: `RELAY_CONFIG`]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print results [default: a table on a terminal, else plain: tabs, no header]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR`]')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]')
            [CompletionResult]::new('--fast', '--fast', [CompletionResultType]::ParameterName, 'Leave out the pauses that let a person follow')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no config file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print results as JSON; the same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no spinner [env: `RELAY_NO_PROGRESS`]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Let nothing leave this machine: only local and simulated providers answer [env: `RELAY_OFFLINE`]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'relay;completions' {
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'Read this config file [env: `RELAY_CONFIG`]')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to print results [default: a table on a terminal, else plain: tabs, no header]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR`]')
            [CompletionResult]::new('--simulate', '--simulate', [CompletionResultType]::ParameterName, 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]')
            [CompletionResult]::new('--no-config', '--no-config', [CompletionResultType]::ParameterName, 'Read no config file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print results as JSON; the same as --format json')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print less; twice for errors only')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]')
            [CompletionResult]::new('--no-progress', '--no-progress', [CompletionResultType]::ParameterName, 'Show no spinner [env: `RELAY_NO_PROGRESS`]')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Let nothing leave this machine: only local and simulated providers answer [env: `RELAY_OFFLINE`]')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
