//! Every way an attempt can fail, told apart by what to do next. One table, the whole failure policy.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whom a limit or a refusal counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One model of one account.
    Model,
    /// All models of one key's account.
    Key,
    /// This machine's address, whatever the key.
    Ip,
    /// The provider as a whole.
    Everyone,
}

impl Scope {
    pub const ALL: [Self; 4] = [Self::Model, Self::Key, Self::Ip, Self::Everyone];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Key => "key",
            Self::Ip => "ip",
            Self::Everyone => "everyone",
        }
    }
}

/// The length of a limit's window, as providers name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    Second,
    Minute,
    Hour,
    Day,
    Month,
}

impl Period {
    pub const ALL: [Self; 5] = [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Month];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

/// A failure of one attempt, or of a whole request when nothing is left to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Refused for a short while: a 429 of a second or minute window, or overload.
    Busy { until: Option<Timestamp>, scope: Option<Scope>, period: Option<Period> },
    /// A long window's quota is gone: day, month or credit.
    Spent { until: Option<Timestamp>, scope: Option<Scope>, period: Option<Period> },
    /// The key was rejected.
    Denied,
    /// The model is not offered (any more).
    Gone,
    /// This route cannot serve this request; another may.
    Unfit(Unfit),
    /// The provider or the way to it is broken.
    Broken(Breakage),
    /// The stream died after the first event had been passed on.
    Cut,
    /// The caller's request is wrong, in the provider's words.
    Invalid { status: u16, message: String, param: Option<String>, code: Option<String> },
    /// Every route waits for quota; `until` is the first moment one is free.
    Full { until: Option<Timestamp> },
    /// The asked-for model or provider is not known, or not set up; `message` says which.
    Unknown { message: String, close: Vec<String> },
    /// No provider is set up at all.
    NothingSetUp,
    /// The state store cannot be used.
    StoreLost,
}

/// Why a route cannot serve a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// Prompt and answer need `needed` tokens; the largest context is `context`.
    ContextTooLong { needed: u64, context: u64 },
    /// The same, and what cannot be cut is most of it: the tool calls of the message at `place`.
    CannotBeCut { needed: u64, context: u64, place: usize, tokens: u64 },
    /// The provider found the request too large; the numbers are not known.
    TooLarge,
    /// The model, or its dialect, lacks what the request uses: a word without spaces, such as `tools` or `image-urls`.
    Lacks(&'static str),
    /// No route passes the request's filters; the text names them and what exists.
    Filtered(String),
}

impl Unfit {
    /// What a caller has to know to send another request.
    pub fn text(&self) -> String {
        match self {
            Self::ContextTooLong { needed, context } => {
                format!("the request needs {needed} tokens with its answer; the most any route takes is {context}")
            }
            Self::CannotBeCut { needed, context, place, tokens } => format!(
                "cut as short as it can be, the request needs {needed} tokens with its answer; the most any route takes is \
                 {context}. The tool calls of `messages[{place}]` alone take {tokens}: half of their arguments would be no valid JSON"
            ),
            Self::TooLarge => "the request is too large for every route that could answer it".to_owned(),
            Self::Lacks(feature) => format!("no model that may answer this has `{feature}`"),
            Self::Filtered(message) => message.clone(),
        }
    }
}

/// What broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breakage {
    /// An HTTP status that says the provider failed.
    Status(u16),
    /// Nothing came within the time allowed for this stage.
    Timeout(Stage),
    /// No connection: refused, unresolved, or TLS failed.
    Unreachable,
    /// No connection, for nobody who is trusted vouches for the other end.
    Untrusted,
    /// No connection, for the proxy on the way gave none.
    Proxy,
    /// The connection ended before an answer.
    Reset,
    /// The same of a kept one, so soon that its end may have crossed the request on its way.
    Crossed,
    /// A success that is not the JSON or event stream it should be.
    NotJson,
    /// A success without an answer in it.
    Empty,
    /// An error object inside a success that names no known cause.
    InBand,
}

/// The stages of an attempt that have a time-out of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Connect,
    FirstEvent,
    Idle,
    Deadline,
}

/// Failures by what a caller can do about them; the least is the most retryable and wins where causes mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    OutOfQuota,
    Timeout,
    Unavailable,
    Keys,
    /// Another request is needed, not another time.
    Request,
    /// The local installation has to be mended.
    Setup,
}

/// Fields of a request that refusals name where they have no place for it.
const FIELDS: [&str; 14] = [
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_new_tokens",
    "temperature",
    "top_p",
    "messages",
    "tool_choice",
    "tools",
    "response_format",
    "reasoning_effort",
    "frequency_penalty",
    "presence_penalty",
    "logprobs",
];

impl Fault {
    /// The moment from which trying again can help, where it is known.
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Busy { until, .. } | Self::Spent { until, .. } | Self::Full { until } => *until,
            _ => None,
        }
    }

    /// The period whose quota it says is used up.
    pub const fn period(&self) -> Option<Period> {
        match self {
            Self::Busy { period, .. } | Self::Spent { period, .. } => *period,
            _ => None,
        }
    }

    /// The request is wrong by itself, and not beyond what this one provider knows of.
    pub fn is_mistake(&self) -> bool {
        const OWN_LIMITS: [&str; 6] =
            ["unsupported", "not support", "not permitted", "unrecognized", "unknown", "unexpected"];
        let Self::Invalid { message, .. } = self else { return false };
        let message = message.to_lowercase();
        !OWN_LIMITS.iter().any(|words| message.contains(words))
    }

    /// Two refusals are about one thing where both name the same field, or none. How long an answer may be is each model's own matter.
    pub fn is_about_the_same_as(&self, other: &Self) -> bool {
        let (own, other) = (self.field(), other.field());
        own == other && !own.is_some_and(|field| field.starts_with("max"))
    }

    /// The field of the request that a refusal names.
    fn field(&self) -> Option<String> {
        let Self::Invalid { param, message, .. } = self else { return None };
        if let Some(param) = param {
            let end = param.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(param.len());
            return Some(param[..end].to_owned());
        }
        // As it is, in camel case, or with blanks between its words.
        let lower = message.to_lowercase().replace('_', "");
        let words: Vec<&str> =
            lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let is_named = |place: usize, field: &str| {
            let field = field.replace('_', "");
            (1..=3).any(|count| words.get(place..place + count).is_some_and(|words| words.concat() == field))
        };
        let first = (0..words.len()).find_map(|place| FIELDS.iter().find(|field| is_named(place, field)));
        first.map(|field| (*field).to_owned())
    }

    /// One word for trails, ledgers and logs. Never holds anything a provider said.
    pub fn word(&self) -> String {
        let period = |prefix: &str, period: Option<Period>| {
            period.map_or_else(|| prefix.to_owned(), |period| format!("429-{}", period.word()))
        };
        match self {
            Self::Busy { period: window, .. } => period("busy", *window),
            Self::Spent { period: window, .. } => period("spent", *window),
            Self::Denied => "denied".to_owned(),
            Self::Gone => "gone".to_owned(),
            Self::Unfit(Unfit::Lacks(feature)) => format!("no-{feature}"),
            Self::Unfit(_) => "too-large".to_owned(),
            Self::Broken(breakage) => breakage.word(),
            Self::Cut => "cut".to_owned(),
            Self::Invalid { status, .. } => status.to_string(),
            Self::Full { .. } => "full".to_owned(),
            Self::Unknown { .. } => "unknown".to_owned(),
            Self::NothingSetUp => "not-set-up".to_owned(),
            Self::StoreLost => "store-lost".to_owned(),
        }
    }
}

impl Breakage {
    /// What such a word stands for, as far as it tells.
    pub fn of_word(word: &str) -> Option<Self> {
        const NAMED: [Breakage; 8] = [
            Breakage::Timeout(Stage::FirstEvent),
            Breakage::Unreachable,
            Breakage::Untrusted,
            Breakage::Proxy,
            Breakage::Reset,
            Breakage::NotJson,
            Breakage::Empty,
            Breakage::InBand,
        ];
        word.parse().map(Self::Status).ok().or_else(|| NAMED.into_iter().find(|named| named.word() == word))
    }

    pub fn word(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Timeout(_) => "timeout".to_owned(),
            Self::Unreachable => "unreachable".to_owned(),
            Self::Untrusted => "untrusted-certificate".to_owned(),
            Self::Proxy => "proxy-failed".to_owned(),
            Self::Reset | Self::Crossed => "reset".to_owned(),
            Self::NotJson => "not-json".to_owned(),
            Self::Empty => "empty".to_owned(),
            Self::InBand => "error-in-200".to_owned(),
        }
    }
}

/// A local endpoint never rests longer: it is restarted within seconds, and nobody else uses it.
const LOCAL_MOST: Duration = Duration::from_secs(5);

/// The longest rest for a cause that nobody named, and for a window of a minute or less whatever is said of it.
const SHORT_MOST: Duration = Duration::from_mins(10);

/// How long a route rests after `fault` when the provider named no moment. `repeats` counts the rests before this one.
/// The durations are the failure policy of ARCHITECTURE.md.
pub fn rest(fault: &Fault, repeats: u32, local: bool) -> Option<Duration> {
    let rest = match fault {
        // Another request has to end, or a second to pass.
        Fault::Busy { period: Some(Period::Second), .. } => {
            Duration::from_secs(2).saturating_mul(1 << repeats.min(5)).min(Duration::from_mins(1))
        }
        // A minute's window is whole again within the minute; the second time in a row it gets half a minute more.
        Fault::Busy { period: Some(Period::Minute), .. } if repeats == 0 => Duration::from_mins(1),
        Fault::Busy { period: Some(Period::Minute), .. } => Duration::from_secs(90),
        Fault::Busy { .. } => Duration::from_mins(1).saturating_mul(1 << repeats.min(4)).min(SHORT_MOST),
        Fault::Spent { .. } => Duration::from_hours(24),
        Fault::Gone => Duration::from_hours(1),
        _ => return None,
    };
    Some(if local { rest.min(LOCAL_MOST) } else { rest })
}

/// The longest a route may rest for `fault`, whatever a provider says: a window of a minute never benches a day.
pub const fn longest_rest(fault: &Fault, local: bool) -> Option<Duration> {
    match fault {
        _ if local => Some(LOCAL_MOST),
        Fault::Busy { period: Some(Period::Second | Period::Minute), .. }
        | Fault::Spent { period: Some(Period::Second | Period::Minute), .. } => Some(SHORT_MOST),
        _ => None,
    }
}

/// A model that was gone twice, at least an hour apart, is retired: it is asked for again only this much later.
pub const RETIRED: Duration = Duration::from_hours(30 * 24);

/// A rejected key is good again when another takes its place, or a probe finds it good; of itself in ten years.
pub const REJECTED: Duration = Duration::from_hours(10 * 365 * 24);

/// Two sightings further apart than this are two stories.
pub const SAME_STORY: Duration = Duration::from_hours(7 * 24);

#[cfg(test)]
mod tests;
