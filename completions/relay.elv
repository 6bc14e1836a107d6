
use builtin;
use str;

set edit:completion:arg-completer[relay] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'relay'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'relay'= {
            cand --config 'Read this config file [env: `RELAY_CONFIG`]'
            cand --format 'How to print results [default: a table on a terminal, else plain: tabs, no header]'
            cand --color 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`]'
            cand --simulate 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]'
            cand --no-config 'Read no config file'
            cand --json 'Print results as JSON; the same as --format json'
            cand -q 'Print less; twice for errors only'
            cand --quiet 'Print less; twice for errors only'
            cand -v 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]'
            cand --verbose 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]'
            cand --no-progress 'Show no spinner [env: `RELAY_NO_PROGRESS`]'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand ask 'Send one prompt, print one answer'
            cand serve 'Serve an OpenAI-compatible gateway'
            cand models 'List models: which can be used, and why the others cannot'
            cand demo 'Show relay at work, offline, over simulated providers'
            cand completions 'Print the completion script of a shell'
        }
        &'relay;ask'= {
            cand -f 'Add a text file, `-` for stdin; may be given several times'
            cand --file 'Add a text file, `-` for stdin; may be given several times'
            cand -s 'Set the system message, or read it from a file with @FILE'
            cand --system 'Set the system message, or read it from a file with @FILE'
            cand --stdin-wait 'How long to wait for the first byte of stdin when there is a prompt; 0 waits without limit'
            cand -m 'The model: meta-model, PROVIDER/MODEL, PROVIDER or MODEL [env: `RELAY_MODEL`]'
            cand --model 'The model: meta-model, PROVIDER/MODEL, PROVIDER or MODEL [env: `RELAY_MODEL`]'
            cand --type 'Only models of this type: text, coding or vision'
            cand --scale 'Only models of this scale: large, medium or small'
            cand --name 'Only models whose id contains this'
            cand --max-attempts 'Try at most this many routes'
            cand --avoid 'Leave out a provider, or one PROVIDER/MODEL; may be given several times'
            cand --wait 'How long to wait for quota before giving up [default: 10s]'
            cand --timeout 'Give up after this long, all in all [env: `RELAY_TIMEOUT`]'
            cand --max-tokens 'The most tokens the answer may have'
            cand --temperature 'Sampling temperature'
            cand --seed 'Sampling seed'
            cand --param 'Any other field of the request, its value as JSON; may be given several times'
            cand -o 'Write the answer to a file'
            cand --output 'Write the answer to a file'
            cand --config 'Read this config file [env: `RELAY_CONFIG`]'
            cand --format 'How to print results [default: a table on a terminal, else plain: tabs, no header]'
            cand --color 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`]'
            cand --simulate 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]'
            cand --no-stdin 'Do not read stdin [env: `RELAY_NO_STDIN`]'
            cand --stdin-first 'Put stdin before the prompt'
            cand --no-failover 'Try one route only'
            cand --strict-free 'Use only routes that can never bill'
            cand --stream 'Print the answer as it arrives, also into a pipe'
            cand --no-stream 'Print the answer when it is whole, also on a terminal'
            cand -u 'Report the tokens used on stderr'
            cand --usage 'Report the tokens used on stderr'
            cand --no-config 'Read no config file'
            cand --json 'Print results as JSON; the same as --format json'
            cand -q 'Print less; twice for errors only'
            cand --quiet 'Print less; twice for errors only'
            cand -v 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]'
            cand --verbose 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]'
            cand --no-progress 'Show no spinner [env: `RELAY_NO_PROGRESS`]'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'relay;serve'= {
            cand --host 'The address to listen on [default: 127.0.0.1] [env: `RELAY_HOST`]'
            cand --port 'The port to listen on, 0 for any free one [default: 8000] [env: `RELAY_PORT`]'
            cand --api-key-file 'Read the gateway''s own key from a file [env: `RELAY_API_KEY` holds the key itself]'
            cand --drain 'How long open requests may take when the server stops [default: 10s]'
            cand --log-format 'Log requests as text on stderr, or as NDJSON on stdout'
            cand --ready-file 'Write the base URL to this file once the server is ready'
            cand --config 'Read this config file [env: `RELAY_CONFIG`]'
            cand --format 'How to print results [default: a table on a terminal, else plain: tabs, no header]'
            cand --color 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`]'
            cand --simulate 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]'
            cand --insecure-no-auth 'Listen beyond this machine without a key'
            cand --no-verify 'Start without asking the providers anything'
            cand --keyless 'Also use services that take no key'
            cand --strict-free 'Use only routes that can never bill'
            cand --no-config 'Read no config file'
            cand --json 'Print results as JSON; the same as --format json'
            cand -q 'Print less; twice for errors only'
            cand --quiet 'Print less; twice for errors only'
            cand -v 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]'
            cand --verbose 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]'
            cand --no-progress 'Show no spinner [env: `RELAY_NO_PROGRESS`]'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'relay;models'= {
            cand --type 'Only models of this type'
            cand --scale 'Only models of this scale: large, medium or small'
            cand --config 'Read this config file [env: `RELAY_CONFIG`]'
            cand --format 'How to print results [default: a table on a terminal, else plain: tabs, no header]'
            cand --color 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`]'
            cand --simulate 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]'
            cand --all 'Also list what cannot be used now, model by model'
            cand --keyless 'Count services that take no key as usable'
            cand --strict-free 'Use only routes that can never bill'
            cand --no-config 'Read no config file'
            cand --json 'Print results as JSON; the same as --format json'
            cand -q 'Print less; twice for errors only'
            cand --quiet 'Print less; twice for errors only'
            cand -v 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]'
            cand --verbose 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]'
            cand --no-progress 'Show no spinner [env: `RELAY_NO_PROGRESS`]'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'relay;demo'= {
            cand --seed 'Makes the simulated providers behave the same each time'
            cand --config 'Read this config file [env: `RELAY_CONFIG`]'
            cand --format 'How to print results [default: a table on a terminal, else plain: tabs, no header]'
            cand --color 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`]'
            cand --simulate 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]'
            cand --fast 'Leave out the pauses that let a person follow'
            cand --no-config 'Read no config file'
            cand --json 'Print results as JSON; the same as --format json'
            cand -q 'Print less; twice for errors only'
            cand --quiet 'Print less; twice for errors only'
            cand -v 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]'
            cand --verbose 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]'
            cand --no-progress 'Show no spinner [env: `RELAY_NO_PROGRESS`]'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'relay;completions'= {
            cand --config 'Read this config file [env: `RELAY_CONFIG`]'
            cand --format 'How to print results [default: a table on a terminal, else plain: tabs, no header]'
            cand --color 'When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`]'
            cand --simulate 'Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]'
            cand --no-config 'Read no config file'
            cand --json 'Print results as JSON; the same as --format json'
            cand -q 'Print less; twice for errors only'
            cand --quiet 'Print less; twice for errors only'
            cand -v 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]'
            cand --verbose 'Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]'
            cand --no-progress 'Show no spinner [env: `RELAY_NO_PROGRESS`]'
            cand -h 'Print help'
            cand --help 'Print help'
        }
    ]
    $completions[$command]
}
