# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_relay_global_optspecs
    string join \n config= no-config format= json q/quiet v/verbose color= no-progress no-input offline simulate= h/help V/version
end

function __fish_relay_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_relay_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_relay_using_subcommand
    set -l cmd (__fish_relay_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c relay -n "__fish_relay_needs_command" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_needs_command" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_needs_command" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_needs_command" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_needs_command" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_needs_command" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_needs_command" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_needs_command" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_needs_command" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_needs_command" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_needs_command" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_needs_command" -s V -l version -d 'Print version'
complete -c relay -n "__fish_relay_needs_command" -f -a "ask" -d 'Send one prompt, print one answer'
complete -c relay -n "__fish_relay_needs_command" -f -a "serve" -d 'Serve an OpenAI-compatible gateway'
complete -c relay -n "__fish_relay_needs_command" -f -a "check-models" -d 'Check that models answer'
complete -c relay -n "__fish_relay_needs_command" -f -a "models" -d 'List models: which can be used, and why not the others'
complete -c relay -n "__fish_relay_needs_command" -f -a "refresh-limits" -d 'Compare the limits with the providers\' documentation'
complete -c relay -n "__fish_relay_needs_command" -f -a "usage" -d 'Show what was used and what is left'
complete -c relay -n "__fish_relay_needs_command" -f -a "init" -d 'Set relay up, step by step'
complete -c relay -n "__fish_relay_needs_command" -f -a "keys" -d 'Providers\' keys: where they are, whether they work'
complete -c relay -n "__fish_relay_needs_command" -f -a "demo" -d 'Show relay at work, offline, over simulated providers'
complete -c relay -n "__fish_relay_needs_command" -f -a "doctor" -d 'Check that everything relay needs is in order'
complete -c relay -n "__fish_relay_needs_command" -f -a "config" -d 'Where the configuration is, and what it comes to'
complete -c relay -n "__fish_relay_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c relay -n "__fish_relay_needs_command" -f -a "help" -d 'Explain a command or a topic'
complete -c relay -n "__fish_relay_using_subcommand ask" -s f -l file -d 'Add a text file, `-` for stdin; may be given several times' -r -F
complete -c relay -n "__fish_relay_using_subcommand ask" -s a -l attach -d 'Attach an image or sound: a file, a URL, or `-` for stdin; may be given several times' -r -F
complete -c relay -n "__fish_relay_using_subcommand ask" -s s -l system -d 'Set the system message, or read it from a file with @FILE' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l stdin-wait -d 'How long to wait for the first byte of stdin when there is a prompt; 0 waits without limit' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -s m -l model -d 'The model: meta-model, PROVIDER/MODEL, PROVIDER or MODEL [env: RELAY_MODEL]' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l type -d 'Only models of this type' -r -f -a "text\t''
coding\t''
vision\t''"
complete -c relay -n "__fish_relay_using_subcommand ask" -l scale -d 'Only models of this scale' -r -f -a "large\t''
medium\t''
small\t''"
complete -c relay -n "__fish_relay_using_subcommand ask" -l name -d 'Only models whose id contains this' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l max-attempts -d 'Try at most this many routes' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l avoid -d 'Leave out a provider, or one PROVIDER/MODEL; may be given several times' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l wait -d 'How long to wait for quota before giving up [default: 10s]' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l timeout -d 'Give up after this long, all in all [default: 120s, and what --wait adds] [env: RELAY_TIMEOUT]' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l via -d 'Ask a gateway that runs, at this URL; its key is in `RELAY_API_KEY` [env: RELAY_URL]' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l session -d 'The conversation this belongs to: its messages stay with one provider while that lasts' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l max-tokens -d 'The most tokens the answer may have' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l temperature -d 'Sampling temperature' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l seed -d 'Sampling seed' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l schema -d 'Answer with JSON that satisfies this JSON Schema: a file, or the schema itself' -r -F
complete -c relay -n "__fish_relay_using_subcommand ask" -l param -d 'Any other field of the request, its value as JSON; may be given several times' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -s x -l extract -d 'Print a code block of the answer and nothing else: first, last, or lax for the whole answer where it has none' -r -f -a "first\t''
last\t''
lax\t'The first one, whole or not; where there is none, the whole answer'"
complete -c relay -n "__fish_relay_using_subcommand ask" -l reasoning -d 'What becomes of a model\'s thoughts: shown on stderr, or not; auto shows them on a terminal' -r -f -a "auto\t''
show\t''
hide\t''"
complete -c relay -n "__fish_relay_using_subcommand ask" -l batch -d 'Answer a file of requests, one a line in OpenAI\'s batch form, into the file of --output; run again, it goes on where it was' -r -F
complete -c relay -n "__fish_relay_using_subcommand ask" -l jobs -d 'How many requests of a batch are under way at one time' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -s o -l output -d 'Write the answer to a file, `-` for stdout' -r -F
complete -c relay -n "__fish_relay_using_subcommand ask" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand ask" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand ask" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand ask" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand ask" -l no-stdin -d 'Do not read stdin [env: RELAY_NO_STDIN]'
complete -c relay -n "__fish_relay_using_subcommand ask" -l stdin-first -d 'Put stdin before the prompt'
complete -c relay -n "__fish_relay_using_subcommand ask" -l no-failover -d 'Try one route only'
complete -c relay -n "__fish_relay_using_subcommand ask" -l strict-free -d 'Use only routes that can never bill'
complete -c relay -n "__fish_relay_using_subcommand ask" -l explain -d 'Show which routes could answer, in which order and why, and send nothing'
complete -c relay -n "__fish_relay_using_subcommand ask" -l stream -d 'Print the answer as it arrives, also into a pipe'
complete -c relay -n "__fish_relay_using_subcommand ask" -l no-stream -d 'Print the answer when it is whole, also on a terminal'
complete -c relay -n "__fish_relay_using_subcommand ask" -s u -l usage -d 'Report who answered and the tokens used on stderr'
complete -c relay -n "__fish_relay_using_subcommand ask" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand ask" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand ask" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand ask" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand ask" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand ask" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand ask" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand ask" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand serve" -l host -d 'The address to listen on [default: 127.0.0.1] [env: RELAY_HOST]' -r
complete -c relay -n "__fish_relay_using_subcommand serve" -l port -d 'The port to listen on, 0 for any free one [default: 8000] [env: RELAY_PORT]' -r
complete -c relay -n "__fish_relay_using_subcommand serve" -l api-key-file -d 'Read the gateway\'s own key from a file [env: RELAY_API_KEY holds the key itself]' -r -F
complete -c relay -n "__fish_relay_using_subcommand serve" -l cors -d 'Let pages of this origin ask, `*` for all; may be given several times' -r
complete -c relay -n "__fish_relay_using_subcommand serve" -l drain -d 'How long open requests may take when the server stops [default: 10s]' -r
complete -c relay -n "__fish_relay_using_subcommand serve" -l log-format -d 'Log requests as text on stderr, or as NDJSON on stdout, as --json does' -r -f -a "text\t''
json\t''"
complete -c relay -n "__fish_relay_using_subcommand serve" -l ready-file -d 'Write the base URL to this file once the server is ready, and remove it at the end' -r -F
complete -c relay -n "__fish_relay_using_subcommand serve" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand serve" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand serve" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand serve" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand serve" -l insecure-no-auth -d 'Listen beyond this machine without a key'
complete -c relay -n "__fish_relay_using_subcommand serve" -l open -d 'Show in a browser what is served, once the server is ready'
complete -c relay -n "__fish_relay_using_subcommand serve" -l no-verify -d 'Start without asking the providers anything'
complete -c relay -n "__fish_relay_using_subcommand serve" -l keyless -d 'Also use services that take no key'
complete -c relay -n "__fish_relay_using_subcommand serve" -l strict-free -d 'Use only routes that can never bill'
complete -c relay -n "__fish_relay_using_subcommand serve" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand serve" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand serve" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand serve" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand serve" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand serve" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand serve" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand check-models" -l jobs -d 'Requests at once to each provider; one where it counts requests by the second' -r
complete -c relay -n "__fish_relay_using_subcommand check-models" -l timeout -d 'How long a model may take to its first word, and from there to its last' -r
complete -c relay -n "__fish_relay_using_subcommand check-models" -l max-tokens -d 'The most tokens each answer may have' -r
complete -c relay -n "__fish_relay_using_subcommand check-models" -l fail-on -d 'What counts as a failure for the exit code' -r -f -a "failed\t'A model that is not healthy'
limited\t'Also a healthy one whose quota is used up'
never\t'Nothing'"
complete -c relay -n "__fish_relay_using_subcommand check-models" -l repeat -d 'Ask each model this many times' -r
complete -c relay -n "__fish_relay_using_subcommand check-models" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand check-models" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand check-models" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand check-models" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand check-models" -l list-only -d 'Compare with the providers\' model lists and send no request'
complete -c relay -n "__fish_relay_using_subcommand check-models" -l latency -d 'Measure: ask also where recent answers would do, and show p50 and p95 of the first word with --repeat'
complete -c relay -n "__fish_relay_using_subcommand check-models" -l keyless -d 'Also check services that take no key'
complete -c relay -n "__fish_relay_using_subcommand check-models" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand check-models" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand check-models" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand check-models" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand check-models" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand check-models" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand check-models" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand check-models" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand models" -l type -d 'Only models of this type' -r -f -a "text\t''
coding\t''
vision\t''
embedding\t''
speech\t''
image\t''
ocr\t''
moderation\t''"
complete -c relay -n "__fish_relay_using_subcommand models" -l scale -d 'Only models of this scale' -r -f -a "large\t''
medium\t''
small\t''"
complete -c relay -n "__fish_relay_using_subcommand models" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand models" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand models" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand models" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand models" -l all -d 'Also list what cannot be used now, model by model'
complete -c relay -n "__fish_relay_using_subcommand models" -l keyless -d 'Count services that take no key as usable'
complete -c relay -n "__fish_relay_using_subcommand models" -l strict-free -d 'Use only routes that can never bill'
complete -c relay -n "__fish_relay_using_subcommand models" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand models" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand models" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand models" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand models" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand models" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand models" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand models" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l from -d 'Read saved pages, DIR/PROVIDER.md or DIR/PROVIDER.html, and fetch nothing' -r -f -a "(__fish_complete_directories)"
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l dir -d 'Write to these catalogue files instead of your own' -r -f -a "(__fish_complete_directories)"
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l read -d 'Print what one saved page says, and why the rest of it was refused' -r -F
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l check -d 'Write nothing and ask nothing; exit 1 if anything differs that could be written'
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l yes -d 'Write what differs and is not held back, without asking'
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l allow-large -d 'Also write what is held back: changes of more than 5x, many models gone, contradictions'
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l undo -d 'Put back the files as they were before the last change'
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand refresh-limits" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l since -d 'What was used in this time, day by day [default: since midnight]' -r
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l by -d 'Add up by provider, model or day' -r -f -a "provider\t''
model\t''
day\t''"
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l via -d 'Ask a running gateway instead of this machine\'s ledger' -r
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l all-windows -d 'Show every window of every model'
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l exhausted -d 'Only models that cannot be used now'
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l watch -d 'Show it anew every second, until Ctrl-C'
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand usage; and not __fish_seen_subcommand_from reset" -a "reset" -d 'Forget what was counted: quota, rests and the ledger; the old file is kept beside the new one'
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -l yes -d 'Do not ask'
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand usage; and __fish_seen_subcommand_from reset" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand init" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand init" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand init" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand init" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand init" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand init" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand init" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand init" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand init" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand init" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand init" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -f -a "list" -d 'List keys by name: source, last four characters, last use'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -f -a "set" -d 'Keep a key in keys.toml: typed unseen on a terminal, else one line from stdin'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -f -a "remove" -d 'Take a key out of keys.toml'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -f -a "test" -d 'Ask providers whether they take their keys: a model list and one tiny request each'
complete -c relay -n "__fish_relay_using_subcommand keys; and not __fish_seen_subcommand_from list set remove test urls" -f -a "urls" -d 'Where to get keys, whether a card is asked for, what is free'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from list" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from list" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from list" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from list" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from list" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from list" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from list" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from list" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -l no-test -d 'Keep it without asking the provider whether it takes it'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from remove" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from remove" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from remove" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from remove" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from remove" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from remove" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from remove" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from remove" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from remove" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from test" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from test" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from test" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from test" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from test" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from test" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from test" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from test" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from test" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from test" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from test" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from urls" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from urls" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from urls" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from urls" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from urls" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from urls" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from urls" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from urls" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from urls" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from urls" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from urls" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand keys; and __fish_seen_subcommand_from urls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand demo" -l seed -d 'Makes the simulated providers behave the same each time' -r
complete -c relay -n "__fish_relay_using_subcommand demo" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand demo" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand demo" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand demo" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand demo" -l fast -d 'Leave out the pauses that let a person follow'
complete -c relay -n "__fish_relay_using_subcommand demo" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand demo" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand demo" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand demo" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand demo" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand demo" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand demo" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand doctor" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand doctor" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand doctor" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand doctor" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand doctor" -l network -d 'Also ask every provider that is set up for its model list'
complete -c relay -n "__fish_relay_using_subcommand doctor" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand doctor" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand doctor" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand doctor" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand doctor" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand doctor" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand doctor" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -f -a "path" -d 'Print the paths of relay\'s files'
complete -c relay -n "__fish_relay_using_subcommand config; and not __fish_seen_subcommand_from path show" -f -a "show" -d 'Print every setting as it is in force'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from path" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from path" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from path" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from path" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from path" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from path" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from path" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from path" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from path" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from path" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from path" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from path" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -l origin -d 'Say where each value comes from'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand completions" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand completions" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand completions" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand completions" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand completions" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand completions" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand completions" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand completions" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand completions" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand completions" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand completions" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c relay -n "__fish_relay_using_subcommand help" -l config -d 'Read this config file [env: RELAY_CONFIG]' -r -F
complete -c relay -n "__fish_relay_using_subcommand help" -l format -d 'How to print results [default: a table on a terminal, else plain: tabs, no header]' -r -f -a "table\t''
plain\t''
json\t''
ndjson\t''
csv\t''
line\t'One line for a prompt or a status bar; for `relay usage`'"
complete -c relay -n "__fish_relay_using_subcommand help" -l color -d 'When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c relay -n "__fish_relay_using_subcommand help" -l simulate -d 'Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]' -r
complete -c relay -n "__fish_relay_using_subcommand help" -l no-config -d 'Read no config file'
complete -c relay -n "__fish_relay_using_subcommand help" -l json -d 'Print results as JSON; the same as --format json'
complete -c relay -n "__fish_relay_using_subcommand help" -s q -l quiet -d 'Print less; twice for errors only'
complete -c relay -n "__fish_relay_using_subcommand help" -s v -l verbose -d 'Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]'
complete -c relay -n "__fish_relay_using_subcommand help" -l no-progress -d 'Show no spinner [env: RELAY_NO_PROGRESS]'
complete -c relay -n "__fish_relay_using_subcommand help" -l no-input -d 'Never ask anything [env: RELAY_NO_INPUT]'
complete -c relay -n "__fish_relay_using_subcommand help" -l offline -d 'Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]'
complete -c relay -n "__fish_relay_using_subcommand help" -s h -l help -d 'Print help (see more with \'--help\')'
