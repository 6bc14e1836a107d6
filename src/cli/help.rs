//! `relay help [TOPIC|COMMAND]`: what the flags' own help has no room for, and that help itself.

use clap::{CommandFactory as _, ValueEnum as _};

use crate::catalog::reader::close;

use super::args::{Args, Topic};
use super::exit::{Exit, Trouble};
use super::output::Output;

pub fn print(words: &[String], output: Output) -> Result<(), Trouble> {
    let topic = words.first().filter(|_| words.len() == 1).and_then(|word| Topic::from_str(word, true).ok());
    let text = match topic {
        None if words.is_empty() => {
            let mut text = Args::command().render_long_help().ansi().to_string();
            text.push_str("\nTopics: relay help environment, exit-codes, formats, models\n");
            text
        }
        None => of_command(words)?,
        Some(Topic::Environment) => ENVIRONMENT.to_owned(),
        Some(Topic::ExitCodes) => EXIT_CODES.to_owned(),
        Some(Topic::Formats) => FORMATS.to_owned(),
        Some(Topic::Models) => MODELS.to_owned(),
    };
    output.result(&text)
}

/// What `relay COMMAND --help` prints.
fn of_command(words: &[String]) -> Result<String, Trouble> {
    let mut command = Args::command();
    // Gives each command the names of those above it.
    command.build();
    let found = words.iter().try_fold(&mut command, |command, word| command.find_subcommand_mut(word));
    found.map(|command| command.render_long_help().ansi().to_string()).ok_or_else(|| {
        let name = words.join(" ");
        let trouble = Trouble::new(Exit::Usage, format!("there is no command and no topic `{name}`"));
        let close = close(&name, names().iter().map(String::as_str));
        trouble.hint(close.unwrap_or_else(|| "relay help lists the commands".to_owned()))
    })
}

/// Topics and commands.
pub fn names() -> Vec<String> {
    let topics =
        Topic::value_variants().iter().filter_map(|topic| Some(topic.to_possible_value()?.get_name().to_owned()));
    let command = Args::command();
    let commands = command.get_subcommands().filter(|command| !command.is_hide_set());
    let mut names: Vec<String> = topics.chain(commands.map(|command| command.get_name().to_owned())).collect();
    // One may be both.
    names.sort_unstable();
    names.dedup();
    names
}

pub const ENVIRONMENT: &str = "\
A flag wins over a variable, a variable over config.toml.

  RELAY_HOME           one folder for all of relay's files
  RELAY_CONFIG         the config file, like --config
  RELAY_MODEL          the model of relay ask, like --model
  RELAY_URL            the gateway that relay ask asks, like --via
  RELAY_TIMEOUT        how long relay ask may take, like --timeout
  RELAY_NO_STDIN       relay ask does not read stdin
  RELAY_HOST           where relay serve listens
  RELAY_PORT           and its port
  RELAY_API_KEY        the gateway's own key
  RELAY_SIMULATE       simulated providers: 1, or a scenario
  RELAY_OFFLINE        nothing may leave this machine
  RELAY_NO_INPUT       never ask anything; CI does the same
  RELAY_NO_PROGRESS    no spinner, no bars
  RELAY_NO_DOTENV      take no keys from a .env beside you
  RELAY_LOG            a filter for the log, such as relay=debug
  HTTPS_PROXY          the proxy to the providers, http:// or socks5://;
                       ALL_PROXY where it is not set
  NO_PROXY             hosts that are asked without it
  SSL_CERT_FILE        certificates to trust beside Mozilla's; SSL_CERT_DIR
                       names folders of them
  NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR
  COLUMNS              how wide tables may be where there is no terminal

Keys:  <PROVIDER>_API_KEY, and _2 to _9; relay keys urls names the providers.
Where: <PROVIDER>_BASE_URL replaces a provider's address.
Files: XDG_CONFIG_HOME, XDG_STATE_HOME; relay config path prints them.
";

pub const EXIT_CODES: &str = "\
The same for all commands; with --json, error.code says it in a word.

    0                    success; also when the reader of a pipe has gone
    1  negative, failed  a check found something; nothing else on this list
    2  usage             wrong arguments, nothing to ask, an unknown model
   65  bad_input         not UTF-8, too long for every model, rejected
       bad_output        the answer is not what --schema or --extract wants
   66  no_input          a file is missing, stdin stayed silent
   69  unavailable       every candidate failed, for other reasons than quota
   70  internal          a bug
   74  io                a local file cannot be read or written
   75  quota_exhausted   out of quota; retry_after_s says when to come back
   77  auth              every key that could be used was rejected
   78  config            no provider is set up, or the settings are wrong
  124  timeout           out of time
  130  interrupted       Ctrl-C; 143 for SIGTERM, or SIGHUP on Linux

Where causes mix, the one that is most worth a retry wins: 75, 124, 69, 77.
";

const FORMATS: &str = "\
Results go to stdout, everything else to stderr.

  table     for people; what a terminal gets without --format
  plain     tab-separated, no header, nothing cut, times in RFC 3339;
            what a pipe gets without --format
  csv       RFC 4180, with a header
  json      one document with a \"schema\"; the same as --json
  ndjson    one document a line; check-models prints each as it lands
  line      one line for a prompt or a status bar: relay usage --format line

  relay check-models --format plain | awk '$1 == \"PASS\" {print $2 \"/\" $3}'
  relay usage --json | jq '.models[] | select(.state != \"ready\") | .model'
";

const MODELS: &str = "\
What --model, RELAY_MODEL and a request's \"model\" may be:

  meta-model           any model; relay picks it (also auto, relay)
  PROVIDER/MODEL       this model and no other
  PROVIDER             any model of this provider
  MODEL                this model, whoever hosts it

--type text, coding or vision, --scale large, medium or small and --name PART
narrow the choice. relay models lists what there is, relay ask --explain shows
in which order it would be tried and why.
";
