//! Whether one model answers: told by the rests and meters there are, by recent traffic, or by one tiny request.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;

use crate::answer::{Answer, Body};
use crate::chat::event::Finish;
use crate::chat::{Breakage, ChatRequest, Chunk, Fault, Period, Usage};
use crate::clock::{earlier, later, until};
use crate::dialect::sse;
use crate::quota::Kind;
use crate::routing::{Need, Rejection};
use crate::store::PROBE_PREFIX;
use crate::style::StyleMode;

use super::{Options, Relay, request_id};

/// An answer this young says as much as a probe would.
const YOUNG: Duration = Duration::from_mins(2);

/// A limit of so many a second is kept with this much to spare: the provider's clock is not this one.
const SLACK: f64 = 1.1;

/// How a model stands, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    Pass,
    /// Healthy, and its quota is used up.
    Limit,
    /// Its key was rejected.
    Auth,
    /// It is not offered any more.
    Gone,
    /// It does not answer.
    Down,
    /// It answers without a word.
    Empty,
    /// It was not asked.
    Skip,
}

impl Condition {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Limit => "limit",
            Self::Auth => "auth",
            Self::Gone => "gone",
            Self::Down => "down",
            Self::Empty => "empty",
            Self::Skip => "skip",
        }
    }
}

/// What was found out about a model.
#[derive(Debug, Clone)]
pub struct Checked {
    pub condition: Condition,
    /// For programs; `None` for a plain pass.
    pub reason: Option<String>,
    /// For people, without anything a provider said.
    pub detail: Option<String>,
    pub http_status: Option<u16>,
    pub first_event: Option<Duration>,
    pub total: Option<Duration>,
    /// From when on it can be used, where that is known.
    pub retry_at: Option<Timestamp>,
    pub usage: Option<Usage>,
    /// Whether a request went to the provider for it.
    pub sent: bool,
}

/// What a probe may take.
#[derive(Debug, Clone, Copy)]
pub struct Probe {
    pub max_tokens: u64,
    /// From the first event to the end; the time to the first event is a setting.
    pub timeout: Duration,
}

impl Checked {
    pub fn new(condition: Condition, reason: &str, detail: String) -> Self {
        Self {
            condition,
            reason: Some(reason.to_owned()),
            detail: Some(detail),
            http_status: None,
            first_event: None,
            total: None,
            retry_at: None,
            usage: None,
            sent: false,
        }
    }

    fn passed() -> Self {
        Self { reason: None, detail: None, ..Self::new(Condition::Pass, "", String::new()) }
    }

    fn of_rejection(rejection: &Rejection) -> Self {
        let checked = match rejection {
            Rejection::Resting { cause, .. } => Self::of_fault(cause, None),
            Rejection::OutOfQuota { limit, .. } => {
                let period = limit.rsplit('/').next().unwrap_or_default();
                Self::new(Condition::Limit, &format!("quota_{period}"), rejection.text())
            }
            Rejection::KeyRejected => Self::of_fault(&Fault::Denied, None),
            other => Self::new(Condition::Skip, other.code(), other.text()),
        };
        Self { retry_at: rejection.until(), ..checked }
    }

    fn of_fault(fault: &Fault, status: Option<u16>) -> Self {
        let told = |text: &str| status.map_or_else(|| text.to_owned(), |status| format!("{status}, {text}"));
        let down = |reason: &str, text: String| Self::new(Condition::Down, reason, text);
        let checked = match fault {
            Fault::Busy { period, .. } | Fault::Spent { period, .. } => limited(*period),
            Fault::Full { .. } => limited(None),
            Fault::Denied => Self::new(Condition::Auth, "key_rejected", told("key rejected")),
            Fault::Gone => Self::new(Condition::Gone, "model_gone", told("not offered any more")),
            Fault::Broken(Breakage::Empty) => Self::new(Condition::Empty, "no_answer", told("answered without a word")),
            Fault::Broken(breakage) => down(&breakage_code(*breakage), breakage_text(*breakage)),
            Fault::Cut => down("cut", "the answer broke off".to_owned()),
            other => down(&other.word(), told("refused this request")),
        };
        Self { http_status: status, retry_at: fault.until(), ..checked }
    }
}

fn limited(period: Option<Period>) -> Checked {
    match period.map(Period::word) {
        Some(period) => Checked::new(Condition::Limit, &format!("quota_{period}"), quota_text(period)),
        None => Checked::new(Condition::Limit, "busy", "busy, or its quota used up".to_owned()),
    }
}

fn quota_text(period: &str) -> String {
    if period == "day" { "today's quota used up".to_owned() } else { format!("this {period}'s quota used up") }
}

fn breakage_code(breakage: Breakage) -> String {
    match breakage {
        Breakage::Status(status) => format!("http_{status}"),
        other => other.word().replace('-', "_"),
    }
}

fn breakage_text(breakage: Breakage) -> String {
    match breakage {
        Breakage::Status(status) => format!("{status}, the provider failed"),
        Breakage::Timeout(_) => "timed out".to_owned(),
        Breakage::Unreachable => "not reachable".to_owned(),
        Breakage::Untrusted => "its certificate is not trusted; SSL_CERT_FILE names more authorities".to_owned(),
        Breakage::Proxy => "the proxy gives no connection".to_owned(),
        Breakage::Reset | Breakage::Crossed => "the connection closed before an answer".to_owned(),
        Breakage::NotJson => "answered something else than JSON".to_owned(),
        Breakage::InBand => "answered 200 with an error inside".to_owned(),
        Breakage::Empty => "answered without a word".to_owned(),
    }
}

impl Relay {
    /// Models that answered a moment ago, by `provider/model`: whoever asks them again learns nothing new.
    pub fn answered_lately(&self) -> Result<Vec<(Arc<str>, Checked)>, String> {
        let now = self.clock.now();
        let last = self.store.last_attempts(earlier(now, YOUNG), false)?;
        let young = self.fleet.routes.iter().zip(last).filter_map(|(route, last)| {
            let last = last.filter(|last| last.answered)?;
            let ago = until(last.at, now).as_secs();
            let checked = Checked {
                reason: Some("recent_traffic".to_owned()),
                detail: Some(format!("answered a request {ago}s ago")),
                first_event: last.first_event_ms.map(Duration::from_millis),
                total: Some(Duration::from_millis(last.total_ms)),
                ..Checked::passed()
            };
            Some((Arc::clone(&route.name), checked))
        });
        Ok(young.collect())
    }

    /// What is known of a model without asking it; `None` where only asking tells, and where what is known is a guess.
    pub fn known_condition(&self, name: &str) -> Option<Checked> {
        self.rejection(name).as_ref().map(Checked::of_rejection)
    }

    /// Why none of the model's routes can be used now; the one that can soonest speaks for it.
    fn rejection(&self, name: &str) -> Option<Rejection> {
        let need = Need { despite_guesses: true, ..Need::smallest() };
        let own = self.standing_for(&need).into_iter().filter(|(route, _)| *self.fleet.route(*route).name == *name);
        own.map(|(_, rejection)| rejection).min_by_key(|rejection| Rejection::order(rejection.as_ref()))?
    }

    /// How long to wait after one probe of this model before the next one of its provider.
    pub fn probe_gap(&self, name: &str) -> Duration {
        let routes = self.fleet.routes.iter().filter(|route| *route.name == *name);
        let limits = routes.flat_map(|route| &route.meters).map(|meter| &self.fleet.meter_spec(*meter).limit);
        let by_second = limits.filter(|limit| limit.kind == Kind::Requests && limit.period == Period::Second);
        let gaps = by_second.filter(|limit| limit.amount > 0).map(|limit| {
            let each =
                Duration::from_secs(1).as_secs_f64() / f64::from(u32::try_from(limit.amount).unwrap_or(u32::MAX));
            Duration::from_secs_f64(each * SLACK)
        });
        gaps.max().unwrap_or_default()
    }

    /// Asks one model something tiny. It goes the way of every request, through the ledger, and to no other route.
    pub async fn probe(self: &Arc<Self>, name: &str, probe: Probe) -> Checked {
        let options = Options {
            request_id: format!("{PROBE_PREFIX}{}", request_id(self.clock.now())).into(),
            max_wait: Some(Duration::ZERO),
            max_attempts: Some(1),
            // What is measured is the model, in the fewest tokens: no directive, no cleaning.
            style: Some(StyleMode::Off),
            despite_guesses: true,
            ..Options::default()
        };
        let start = self.clock.now();
        let checked = match self.send(&question(name, probe.max_tokens), &options).await {
            Ok(answer) => {
                let route = self.fleet.route(answer.route);
                let checked = self.read(answer, probe).await;
                if checked.condition == Condition::Pass {
                    self.lift_guesses(route);
                }
                checked
            }
            Err(failure) => {
                let attempt = failure.attempts.last();
                let fault = attempt.and_then(|attempt| attempt.fault.as_ref()).unwrap_or(&failure.fault);
                let checked = Checked::of_fault(fault, attempt.and_then(|attempt| attempt.http_status));
                let known = || self.known_condition(name).and_then(|known| known.retry_at);
                let retry_at = checked.retry_at.or_else(|| (checked.condition == Condition::Limit).then(known)?);
                Checked { retry_at, sent: attempt.is_some_and(|attempt| attempt.sent), ..checked }
            }
        };
        Checked { total: checked.sent.then(|| until(start, self.clock.now())), ..checked }
    }

    /// Waits for room in short windows, as long as `patience` allows; else says why the model cannot be asked.
    pub async fn room_for(&self, name: &str, patience: Duration) -> Option<Checked> {
        let end = later(self.clock.now(), patience);
        loop {
            let rejection = self.rejection(name)?;
            let waits = matches!(
                rejection,
                Rejection::OutOfQuota { .. } | Rejection::Resting { cause: Fault::Busy { .. }, .. }
            );
            match rejection.until() {
                Some(moment) if waits && moment <= end => self.clock.sleep_until(moment).await,
                _ => return Some(Checked::of_rejection(&rejection)),
            }
        }
    }

    async fn read(&self, answer: Answer, probe: Probe) -> Checked {
        let (first_event, status) = (answer.first_event, answer.attempts.last().and_then(|last| last.http_status));
        let mut heard = Heard::default();
        let end = later(self.clock.now(), probe.timeout);
        let read = tokio::select! {
            read = heard.all(answer.body) => read,
            () = self.clock.sleep_until(end) => { heard.is_late = true; Ok(()) }
        };
        let checked = match read {
            Ok(()) => heard.judge(probe.max_tokens),
            Err(fault) => Checked::of_fault(&fault, None),
        };
        Checked { http_status: status, first_event: Some(first_event), usage: heard.usage, sent: true, ..checked }
    }
}

/// The smallest question there is. It streams, for the time to the first word.
fn question(name: &str, max_tokens: u64) -> ChatRequest {
    let body = json!({
        "model": name,
        "messages": [{ "role": "user", "content": "Say OK." }],
        "max_tokens": max_tokens,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    ChatRequest::parse(Bytes::from(body.to_string())).expect("a constant shape")
}

/// What came of an answer.
#[derive(Debug, Default)]
struct Heard {
    has_text: bool,
    has_reasoning: bool,
    finish: Option<Finish>,
    usage: Option<Usage>,
    /// It had not ended when the time was up.
    is_late: bool,
}

impl Heard {
    async fn all(&mut self, body: Body) -> Result<(), Fault> {
        let mut stream = match body {
            Body::Stream(stream) => stream,
            Body::Whole(whole) => {
                self.usage = whole.usage;
                self.take(Chunk::parse_whole(&whole.body).ok());
                return Ok(());
            }
        };
        while let Some(event) = stream.next().await {
            let event = event?;
            self.usage = event.signs.usage.or(self.usage);
            self.finish = event.signs.finish.or(self.finish);
            if let Some(data) = sse::data(&event.bytes) {
                self.take(Chunk::parse(&data).ok());
            }
        }
        Ok(())
    }

    fn take(&mut self, chunk: Option<Chunk<'_>>) {
        let Some(chunk) = chunk else { return };
        self.has_text |= chunk.text().is_some_and(|text| !text.trim().is_empty());
        self.has_reasoning |= chunk.reasoning().is_some_and(|text| !text.is_empty());
        self.finish = chunk.signs().finish.or(self.finish);
    }

    fn judge(&self, max_tokens: u64) -> Checked {
        let remark = |reason: &str, detail: String| Checked::new(Condition::Pass, reason, detail);
        match () {
            () if self.has_text && self.is_late => remark("slow", "still answering when the time was up".to_owned()),
            () if self.has_text => Checked::passed(),
            () if self.has_reasoning => remark("reasoning_only", format!("reasoning only in {max_tokens} tokens")),
            // A model that thinks out of sight has nothing to show at the cap.
            () if self.finish == Some(Finish::Length) => {
                remark("cut_at_cap", format!("cut off at {max_tokens} tokens"))
            }
            () if self.is_late => Checked::new(Condition::Down, "timeout", "timed out".to_owned()),
            () => Checked::of_fault(&Fault::Broken(Breakage::Empty), None),
        }
    }
}
