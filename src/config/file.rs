//! `config.toml` as it was written: every key optional.

use std::path::PathBuf;
use std::time::Duration;

use crate::catalog::reader::Reader;
use crate::routing::Strategy;
use crate::store::OnLoss;

use super::conversation::ConversationFile;

/// What `hedge` may be.
pub const HEDGE: [(&str, bool); 2] = [("off", false), ("on", true)];

/// The file's words.
#[derive(Debug, Default)]
pub struct ConfigFile {
    /// Where it is, as mistakes in it are told.
    pub place: String,
    /// All that stands in it.
    pub text: String,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub drain: Option<Duration>,
    pub max_body: Option<usize>,
    pub max_requests: Option<usize>,
    pub max_waiting: Option<usize>,
    pub cors: Option<Vec<String>>,
    pub strategy: Option<Strategy>,
    pub model_strategy: Option<Strategy>,
    pub max_wait: Option<Duration>,
    pub max_attempts: Option<u64>,
    pub strict_free: Option<bool>,
    pub keyless: Option<bool>,
    pub no_training: Option<bool>,
    pub hedge: Option<bool>,
    pub connect: Option<Duration>,
    pub first_event: Option<Duration>,
    pub idle: Option<Duration>,
    pub deadline: Option<Duration>,
    pub conversation: ConversationFile,
    pub state: Option<StateUrl>,
    pub on_loss: Option<OnLoss>,
    pub providers: Vec<(String, ProviderSettings)>,
}

/// Where `[state]` says that the state is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateUrl {
    /// The file relay chooses.
    Usual,
    File(PathBuf),
    /// Nowhere: it ends with the process.
    Memory,
}

/// One `[providers.<id>]`.
#[derive(Debug, Clone, Default)]
pub struct ProviderSettings {
    pub enabled: Option<bool>,
    pub base_url: Option<String>,
    pub priority: Option<i64>,
    /// Requests that it is asked at a time.
    pub max_concurrency: Option<usize>,
    /// A command whose first line of output is the key.
    pub key_cmd: Option<String>,
    /// The keys belong to different accounts.
    pub separate: bool,
}

impl ConfigFile {
    pub fn read(top: &mut Reader<'_>) -> Self {
        let mut config = Self::default();
        top.table("server", |server| {
            config.host = server.text("host");
            config.port = read_port(server);
            config.drain = server.duration("drain");
            config.max_body = read_size(server, "max_body");
            config.max_requests = read_least_one(server, "max_requests");
            config.max_waiting = server.count("max_waiting").map(|most| usize::try_from(most).unwrap_or(usize::MAX));
            config.cors = server.texts("cors");
        });
        top.table("routing", |routing| {
            config.strategy = routing.choice("strategy", &Strategy::NAMES);
            config.model_strategy = routing.choice("model_strategy", &Strategy::NAMES);
            config.max_wait = routing.duration("max_wait");
            config.max_attempts = routing.count("max_attempts");
            config.strict_free = routing.flag("strict_free");
            config.keyless = routing.flag("keyless");
            config.no_training = routing.flag("no_training");
            config.hedge = routing.choice("hedge", &HEDGE);
        });
        top.table("timeouts", |timeouts| {
            config.connect = timeouts.time_out("connect");
            config.first_event = timeouts.time_out("first_event");
            config.idle = timeouts.time_out("idle");
            config.deadline = timeouts.time_out("deadline");
        });
        config.conversation = ConversationFile::read(top);
        top.table("state", |state| {
            config.state = read_state_url(state);
            config.on_loss = state.choice("on_loss", &OnLoss::NAMES);
        });
        config.providers =
            top.provider_tables("providers", |id, provider| (id.to_owned(), ProviderSettings::read(provider)));
        config
    }
}

impl ProviderSettings {
    fn read(provider: &mut Reader<'_>) -> Self {
        Self {
            enabled: provider.flag("enabled"),
            base_url: provider.text("base_url"),
            priority: provider.integer("priority"),
            max_concurrency: read_least_one(provider, "max_concurrency"),
            key_cmd: provider.text("key_cmd"),
            separate: provider.choice("accounts", &[("shared", false), ("separate", true)]).unwrap_or(false),
        }
    }
}

fn read_state_url(state: &mut Reader<'_>) -> Option<StateUrl> {
    let url = state.text("url")?;
    let path = url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    match (url.as_str(), path) {
        ("sqlite", _) => Some(StateUrl::Usual),
        ("memory", _) => Some(StateUrl::Memory),
        (_, Some(path)) if !path.is_empty() => Some(StateUrl::File(PathBuf::from(path))),
        _ => {
            let what = if url.starts_with("redis") { "is not supported yet" } else { "is no place for the state" };
            let choices = "it must be \"sqlite\", \"sqlite:PATH\" or \"memory\"";
            state.problem("url", format_args!("is `{url}`, which {what}; {choices}"), None);
            None
        }
    }
}

fn read_port(server: &mut Reader<'_>) -> Option<u16> {
    let port = u16::try_from(server.count("port")?);
    if port.is_err() {
        server.problem("port", "must be a number from 0 to 65535", None);
    }
    port.ok()
}

fn read_least_one(reader: &mut Reader<'_>, key: &'static str) -> Option<usize> {
    let count = reader.count(key)?;
    if count == 0 {
        reader.problem(key, "is 0; it must be at least 1", None);
    }
    usize::try_from(count).ok()
}

/// A size such as `"32MiB"`.
fn read_size(reader: &mut Reader<'_>, key: &'static str) -> Option<usize> {
    let text = reader.text(key)?;
    let size = parse_size(&text);
    if size.is_none() {
        reader.problem(key, format_args!("is `{text}`; it must be a size such as \"32MiB\" or \"512KiB\""), None);
    }
    size
}

fn parse_size(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = match text[digits..].trim() {
        "B" | "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    text[..digits].parse::<usize>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::reader::{File, Problems};

    #[test]
    fn a_port_past_the_last_one_is_a_mistake_of_its_line() {
        let problems = Problems::default();
        let text = "[server]\nport = 70000\n";
        let file = File { name: "config.toml", text, provider: None, problems: &problems };
        assert_eq!(file.read(ConfigFile::read).and_then(|config| config.port), None);
        let told: Vec<String> = problems.into_list().iter().map(ToString::to_string).collect();
        assert_eq!(told, ["config.toml:2: `server.port` must be a number from 0 to 65535"]);
    }

    #[test]
    fn time_outs_of_zero_are_mistakes_of_their_lines() {
        let problems = Problems::default();
        let text = "[timeouts]\nconnect = \"0s\"\nfirst_event = \"0\"\nidle = \"0ms\"\ndeadline = \"0m\"\n";
        let file = File { name: "config.toml", text, provider: None, problems: &problems };
        file.read(ConfigFile::read).expect("it is TOML");
        let told: Vec<String> = problems.into_list().iter().map(ToString::to_string).collect();
        let lines =
            ["2: `timeouts.connect`", "3: `timeouts.first_event`", "4: `timeouts.idle`", "5: `timeouts.deadline`"];
        assert_eq!(told.len(), lines.len(), "{told:?}");
        for (told, line) in told.iter().zip(lines) {
            let expected = format!("config.toml:{line} must be a duration longer than zero");
            assert!(told.starts_with(&expected), "{told}");
        }
    }

    #[test]
    fn sizes_have_units_of_two_to_the_ten() {
        let cases = [
            ("32MiB", Some(32 << 20)),
            ("512 KiB", Some(512 << 10)),
            ("7", Some(7)),
            ("1GB", None),
            ("", None),
            ("99999999999999GiB", None),
        ];
        for (text, size) in cases {
            assert_eq!(parse_size(text), size, "{text}");
        }
    }
}
