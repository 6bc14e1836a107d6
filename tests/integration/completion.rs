//! Completion as one types: a real bash asks the program, and gets what the command line takes at that place.

#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use super::harness::relay;

/// What bash would offer for each of these lines, asked in one shell.
fn offered(lines: &[&str]) -> Vec<Vec<String>> {
    let home = relay([]);
    let script = "
        source <(COMPLETE=bash relay)
        function=$(complete -p relay | sed 's/.*-F \\([^ ]*\\).*/\\1/')
        while IFS= read -r line; do
            read -ra COMP_WORDS <<< \"$line\"
            case $line in *' ') COMP_WORDS+=('') ;; esac
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$line COMP_POINT=${#line} COMP_TYPE=9 COMPREPLY=()
            $function relay \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"
            echo \"${COMPREPLY[*]}\"
        done";
    let folder = Path::new(env!("CARGO_BIN_EXE_relay")).parent().expect("in a folder").display().to_string();
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-c", script]).env_clear().current_dir(home.path("."));
    bash.env("PATH", format!("{folder}:/usr/bin:/bin")).env("RELAY_HOME", home.path(""));
    let typed = home.file("typed", lines.join("\n") + "\n");
    bash.stdin(std::fs::File::open(typed.path("typed")).expect("written just now"));
    let ended = bash.output().expect("there is a bash");
    assert!(ended.status.success() && ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
    let text = String::from_utf8(ended.stdout).expect("UTF-8");
    text.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn a_shell_is_offered_providers_models_topics_and_scenarios() {
    let expected: [(&str, &[&str], &[&str]); 13] = [
        ("relay ask --model groq/openai/gpt-oss-1", &["groq/openai/gpt-oss-120b"], &["groq"]),
        ("relay ask -m meta", &["meta-model"], &["mistral"]),
        ("relay ask --avoid mist", &["mistral"], &["groq"]),
        ("relay check-models gem", &["gemini"], &["groq", "ollama"]),
        ("relay usage cere", &["cerebras"], &["groq"]),
        ("relay keys set gr", &["groq"], &["ollama"]),
        ("relay keys set oll", &["ollama-cloud"], &["ollama"]),
        ("relay help e", &["environment", "exit-codes"], &["formats"]),
        ("relay help ch", &["check-models"], &["generate"]),
        ("relay ask --type ", &["text", "coding", "vision"], &["embedding"]),
        ("relay ask --scale ", &["large", "medium", "small"], &[]),
        ("relay gen", &[], &["generate"]),
        ("relay demo --simulate=", &["--simulate=storm", "--simulate=cut"], &["--simulate"]),
    ];
    let lines: Vec<&str> = expected.iter().map(|(line, ..)| *line).collect();
    let all = offered(&lines);
    assert_eq!(all.len(), lines.len(), "{all:?}");
    for ((line, wanted, unwanted), offered) in expected.iter().zip(all) {
        let has = |name: &&&str| offered.iter().any(|one| one == **name);
        assert!(wanted.iter().all(|name| has(&name)), "{line}: {offered:?}");
        assert!(!unwanted.iter().any(|name| has(&name)), "{line}: {offered:?}");
    }
}

#[test]
fn words_that_bash_cuts_are_completed_from_the_cut_on() {
    let home = relay([]).file("in the way.txt", "");
    let script = "
        source <(COMPLETE=bash relay); compopt() { [[ $2 == filenames ]] && printf 'quoted '; true; }
        ask() { local last=${!#}; [[ $last =~ ^[=:]+$ ]] && last=
                COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1)) COMP_TYPE=9; _clap_complete_relay relay \"$last\"
                printf '[%s]' \"${COMPREPLY[@]}\"; echo; }
        ask relay ask --model = ollama-cl; ask relay ask --simulate = st; ask relay usage --format =
        ask relay ask -m openrouter/google/gemma-4-31b-it : ; ask relay ask -f in; ask relay ask --file = in";
    let folder = Path::new(env!("CARGO_BIN_EXE_relay")).parent().expect("in a folder").display().to_string();
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-c", script]).env_clear().current_dir(home.path("."));
    bash.env("PATH", format!("{folder}:/usr/bin:/bin")).env("RELAY_HOME", home.path(""));
    let ended = bash.output().expect("there is a bash");
    let told = String::from_utf8(ended.stdout).expect("UTF-8");
    assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].starts_with("[ollama-cloud]"), "{told}");
    assert_eq!(lines[1], "[storm]");
    assert!(lines[2].contains("[json]"), "{told}");
    assert_eq!(lines[3..], ["[free]", "quoted [in the way.txt]", "quoted [in the way.txt]"]);
}

#[test]
fn the_script_for_bash_completes_files_with_blanks_and_values_behind_a_sign() {
    let home = relay([]).file("in the way.txt", "").file("in here.txt", "");
    let script = "
        source <(relay completions bash); compopt() { echo \"options $*\"; }
        ask() { COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1)); _relay relay \"${!#}\" \"${COMP_WORDS[COMP_CWORD-1]}\"
                printf '[%s]' \"${COMPREPLY[@]}\"; echo; }
        ask relay ask -f in; ask relay usage --format = js; ask relay --color = a";
    let folder = Path::new(env!("CARGO_BIN_EXE_relay")).parent().expect("in a folder").display().to_string();
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-c", script]).env_clear().current_dir(home.path("."));
    let ended = bash.env("PATH", format!("{folder}:/usr/bin:/bin")).output().expect("there is a bash");
    let told = String::from_utf8(ended.stdout).expect("UTF-8");
    assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
    let lines: Vec<&str> = told.lines().collect();
    assert!(lines[0].contains("filenames"), "bash quotes the blanks of names: {told}");
    assert!(lines[1].contains("[in the way.txt]") && lines[1].contains("[in here.txt]"), "{told}");
    assert_eq!(lines[2..], ["[json]", "[auto][always]"]);
}

#[test]
fn no_key_is_looked_for_while_somebody_types() {
    let home = relay([]).config("[providers.groq]\nkey_cmd = \"touch asked; echo a-key\"\n");
    let completing = ["--", "relay", "keys", "set", "gr"];
    let ended = home.beside(completing).variable("COMPLETE", "bash").variable("_CLAP_COMPLETE_INDEX", "3").run();
    assert!(ended.exits(0).stdout.contains("groq"), "{}", ended.stdout);
    assert!(!home.path("asked").exists(), "a `key_cmd` may ask for a password");
}

#[test]
fn every_shell_gets_a_script_that_asks_relay() {
    for (shell, sign) in [
        ("bash", "complete -o"),
        ("zsh", "#compdef relay"),
        ("fish", "complete --keep-order"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let ended = relay([]).variable("COMPLETE", shell).run();
        assert!(ended.exits(0).stdout.contains(sign), "{shell}: {}", ended.stdout);
    }
}
