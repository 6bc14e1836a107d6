//! bash asking relay what can be typed. It cuts words at `=` and `:`, which are put together again here, and has to be told of file names.

use std::ffi::OsString;
use std::io::{Result, Write};
use std::path::Path;

use clap::Command;
use clap_complete::env::{self, EnvCompleter};

/// The library's own adapter with another script.
pub struct Bash;

/// What `_CLAP_…` means is the library's: `write_complete` reads it.
const SCRIPT: &str = r#"
_clap_complete_relay() {
    local words=() index=0 behind="" i
    for i in "${!COMP_WORDS[@]}"; do
        if [[ $i -gt 1 && ( ${COMP_WORDS[i]} =~ ^[=:]+$ || ${COMP_WORDS[i-1]} =~ ^[=:]+$ ) ]]; then
            [[ $i -eq $COMP_CWORD ]] && behind=${words[${#words[@]}-1]}
            words[${#words[@]}-1]+=${COMP_WORDS[i]}
        else
            words+=("${COMP_WORDS[i]}")
        fi
        if [[ $i -eq $COMP_CWORD ]]; then
            [[ ${COMP_WORDS[i]} =~ ^[=:]+$ ]] && behind=${words[${#words[@]}-1]}
            index=$((${#words[@]} - 1))
            words[index]=$behind$2
        fi
    done
    local IFS=$'\013'
    COMPREPLY=( $( \
        _CLAP_IFS="$IFS" \
        _CLAP_COMPLETE_INDEX="$index" \
        _CLAP_COMPLETE_COMP_TYPE="$COMP_TYPE" \
        _CLAP_COMPLETE_SPACE=false \
        VARIABLE="bash" \
        COMPLETER -- "${words[@]}" \
    ) ) || COMPREPLY=()
    COMPREPLY=("${COMPREPLY[@]#"$behind"}")
    if [[ ! "${COMPREPLY-}" =~ [=/:]$ ]]; then
        compopt +o nospace 2> /dev/null
    fi
    for i in "${COMPREPLY[@]}"; do
        if [[ -e $i ]]; then
            compopt -o filenames 2> /dev/null
        fi
    done
}
if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -o nospace -o bashdefault -o nosort -F _clap_complete_relay PROGRAM
else
    complete -o nospace -o bashdefault -F _clap_complete_relay PROGRAM
fi
"#;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        env::Bash.name()
    }

    fn is(&self, name: &str) -> bool {
        env::Bash.is(name)
    }

    fn write_registration(
        &self,
        variable: &str,
        _name: &str,
        program: &str,
        completer: &str,
        script: &mut dyn Write,
    ) -> Result<()> {
        let quoted = format!("'{}'", completer.replace('\'', r"'\''"));
        let text = SCRIPT.replace("VARIABLE", variable).replace("PROGRAM", program).replace("COMPLETER", &quoted);
        script.write_all(text.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut Command,
        arguments: Vec<OsString>,
        folder: Option<&Path>,
        offered: &mut dyn Write,
    ) -> Result<()> {
        env::Bash.write_complete(command, arguments, folder, offered)
    }
}
