//! How conversations are kept, cut and spoken: `[context]`, `[style]` and `[session]`, as written and as they are used.

use std::time::Duration;

use http::HeaderName;

use crate::catalog::reader::Reader;
use crate::context::{Dynamic, Limits, Mode};
use crate::style::StyleMode;
use crate::style::directive::DIRECTIVE;

/// The three tables' words.
#[derive(Debug, Default)]
pub struct ConversationFile {
    mode: Option<Mode>,
    static_recent_keep: Option<u64>,
    dynamic_utilization_target: Option<f64>,
    dynamic_min_utilization: Option<f64>,
    dynamic_max_boost: Option<f64>,
    reservoir_recent_keep: Option<u64>,
    reservoir_summary_budget: Option<u64>,
    answer_reserve: Option<u64>,
    style: Option<StyleMode>,
    normalize: Option<bool>,
    directive: Option<String>,
    continue_cut_streams: Option<bool>,
    sessions: Option<bool>,
    header: Option<HeaderName>,
    ttl: Option<Duration>,
    max_sessions: Option<u64>,
}

/// What is done about a conversation's length.
#[derive(Debug, Clone)]
pub struct Context {
    pub limits: Limits,
    /// Tokens kept for the answer when a request does not say `max_tokens`.
    pub answer_reserve: u64,
}

/// How answers read.
#[derive(Debug, Clone)]
pub struct Voice {
    pub mode: StyleMode,
    /// Whether answers are cleaned.
    pub normalize: bool,
    pub directive: String,
    /// Whether a stream that breaks off is continued by another route.
    pub continue_cut_streams: bool,
}

/// How long a conversation stays with its route.
#[derive(Debug, Clone)]
pub struct Sessions {
    pub enabled: bool,
    /// The request header that names a session.
    pub header: HeaderName,
    pub ttl: Duration,
    pub max_sessions: usize,
}

impl Default for Context {
    fn default() -> Self {
        ConversationFile::default().context()
    }
}

impl Default for Voice {
    fn default() -> Self {
        ConversationFile::default().voice()
    }
}

impl Default for Sessions {
    fn default() -> Self {
        ConversationFile::default().sessions()
    }
}

impl ConversationFile {
    pub fn read(top: &mut Reader<'_>) -> Self {
        let mut file = Self::default();
        top.table("context", |context| {
            file.mode = context.choice("mode", &Mode::NAMES);
            file.static_recent_keep = context.count("static_recent_keep");
            file.dynamic_utilization_target = context.number("dynamic_utilization_target", 0.01, 1.0);
            file.dynamic_min_utilization = context.number("dynamic_min_utilization", 0.0, 1.0);
            file.dynamic_max_boost = context.number("dynamic_max_boost", 1.0, 100.0);
            file.reservoir_recent_keep = context.count("reservoir_recent_keep");
            file.reservoir_summary_budget = context.count("reservoir_summary_budget");
            file.answer_reserve = context.count("answer_reserve");
        });
        top.table("style", |style| {
            file.style = style.choice("mode", &StyleMode::NAMES);
            file.normalize = style.flag("normalize");
            file.directive = style.text("directive");
            file.continue_cut_streams = style.flag("continue_cut_streams");
        });
        top.table("session", |session| {
            file.sessions = session.flag("enabled");
            file.header = read_header(session);
            file.ttl = session.duration("ttl");
            file.max_sessions = session.count("max_sessions");
        });
        file
    }

    pub fn context(&self) -> Context {
        let limits = Limits {
            mode: self.mode.unwrap_or_default(),
            static_recent_keep: size(self.static_recent_keep, 10),
            dynamic: Dynamic {
                utilization_target: self.dynamic_utilization_target.unwrap_or(0.8),
                min_utilization: self.dynamic_min_utilization.unwrap_or(0.3),
                max_boost: self.dynamic_max_boost.unwrap_or(1.5),
            },
            reservoir_recent_keep: size(self.reservoir_recent_keep, 15),
            reservoir_summary_budget: self.reservoir_summary_budget.unwrap_or(400),
        };
        Context { limits, answer_reserve: self.answer_reserve.unwrap_or(1024) }
    }

    pub fn voice(&self) -> Voice {
        Voice {
            mode: self.style.unwrap_or_default(),
            normalize: self.normalize.unwrap_or(true),
            directive: self.directive.clone().unwrap_or_else(|| DIRECTIVE.to_owned()),
            continue_cut_streams: self.continue_cut_streams.unwrap_or(true),
        }
    }

    pub fn sessions(&self) -> Sessions {
        Sessions {
            enabled: self.sessions.unwrap_or(true),
            header: self.header.clone().unwrap_or(HeaderName::from_static("x-session-id")),
            ttl: self.ttl.unwrap_or(Duration::from_hours(24)),
            max_sessions: size(self.max_sessions, 10_000),
        }
    }
}

fn size(written: Option<u64>, usual: usize) -> usize {
    written.map_or(usual, |written| usize::try_from(written).unwrap_or(usize::MAX))
}

fn read_header(session: &mut Reader<'_>) -> Option<HeaderName> {
    let name = session.text("header")?;
    let header = HeaderName::from_bytes(name.as_bytes()).ok();
    if header.is_none() {
        session.problem(
            "header",
            format_args!("is `{name}`; it must be a header's name such as \"X-Session-ID\""),
            None,
        );
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::reader::{File, Problems};

    fn read(text: &str) -> (ConversationFile, Vec<String>) {
        let problems = Problems::default();
        let file = File { name: "config.toml", text, provider: None, problems: &problems };
        let read = file.read(ConversationFile::read).unwrap_or_default();
        (read, problems.into_list().into_iter().map(|problem| problem.message).collect())
    }

    #[test]
    fn every_key_has_its_effect_and_its_default() {
        let (file, problems) = read(
            "[context]\nmode = \"adaptive\"\nstatic_recent_keep = 1\ndynamic_utilization_target = 0.5\ndynamic_min_utilization = 0\n\
             dynamic_max_boost = 2\nreservoir_recent_keep = 3\nreservoir_summary_budget = 4\nanswer_reserve = 5\n\
             [style]\nmode = \"off\"\nnormalize = false\ndirective = \"Hm.\"\ncontinue_cut_streams = false\n\
             [session]\nenabled = false\nheader = \"X-Talk\"\nttl = \"2h\"\nmax_sessions = 6\n",
        );
        assert!(problems.is_empty(), "{problems:?}");
        let (context, voice, sessions) = (file.context(), file.voice(), file.sessions());
        assert_eq!(
            format!("{context:?} {voice:?} {sessions:?}"),
            "Context { limits: Limits { mode: Adaptive, static_recent_keep: 1, dynamic: Dynamic { utilization_target: 0.5, \
             min_utilization: 0.0, max_boost: 2.0 }, reservoir_recent_keep: 3, reservoir_summary_budget: 4 }, answer_reserve: 5 } \
             Voice { mode: Off, normalize: false, directive: \"Hm.\", continue_cut_streams: false } \
             Sessions { enabled: false, header: \"x-talk\", ttl: 7200s, max_sessions: 6 }"
        );
        let usual = (Context::default(), Voice::default(), Sessions::default());
        assert_eq!(
            (usual.0.limits.mode, usual.0.answer_reserve, usual.1.mode),
            (Mode::Reservoir, 1024, StyleMode::Auto)
        );
        assert_eq!((usual.2.header.as_str(), usual.2.max_sessions), ("x-session-id", 10_000));
    }

    #[test]
    fn mistakes_are_named() {
        let (_, problems) = read(
            "[context]\nmode = \"clever\"\ndynamic_utilization_target = 1.5\ndynamic_max_boost = \"x\"\n[style]\nnormalise = true\n\
             [session]\nheader = \"a b\"\nttl = 5\n",
        );
        assert_eq!(problems.len(), 6, "{problems:?}");
        assert!(problems.iter().any(|problem| problem.contains("0.01 to 1")), "{problems:?}");
    }
}
