//! A reply in flight, whole or as a stream, with the attempts that led to it.

mod held;
mod polish;
mod stitch;
mod stream;
mod transcript;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use memchr::memmem::Finder;

use crate::chat::fields::{Rewrite, locate, quoted_parts};
use crate::chat::{Fault, RawObject};
use crate::clock::millis;
use crate::dialect::Whole;
use crate::routing::{Route, RouteId};

pub use held::Held;
pub use stream::AnswerStream;

/// An answer, from the moment its first event is there.
#[derive(Debug)]
pub struct Answer {
    pub route: RouteId,
    /// Every attempt of this request in its order, the answering one last.
    pub attempts: Vec<Attempt>,
    /// From the last attempt's start to its first event.
    pub first_event: Duration,
    pub body: Body,
}

/// One attempt as it is told to the caller: nothing a provider said, no key, no URL.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// `provider/model`.
    pub route: Arc<str>,
    /// Whether it was made; one that was not says why the request went elsewhere from the start.
    pub sent: bool,
    pub http_status: Option<u16>,
    /// `None` for the one that answered.
    pub fault: Option<Fault>,
    /// From sending to the first event, or to the failure.
    pub elapsed: Duration,
    /// Where the conversation was cut for this route: by which mode, and to what.
    pub cut: Option<Arc<str>>,
}

#[derive(Debug)]
pub enum Body {
    Whole(Whole),
    Stream(Box<AnswerStream>),
}

/// What relay adds to a whole answer.
#[derive(Debug)]
pub struct Meta<'a> {
    pub provider: &'a str,
    pub model: &'a str,
    pub latency_ms: u64,
    pub attempt: usize,
}

impl Answer {
    /// The failed attempts before this answer, as `route=word, …`.
    pub fn trail(&self) -> String {
        trail(&self.attempts)
    }

    /// How the conversation was cut for the route that answered, where it was.
    pub fn cut(&self) -> Option<&str> {
        self.attempts.last()?.cut.as_deref()
    }

    /// Attempts that were made.
    pub fn tries(&self) -> usize {
        count(&self.attempts)
    }

    /// `route` is the one that answered.
    pub fn meta<'r>(&self, route: &'r Route) -> Meta<'r> {
        let latency_ms = millis(self.first_event);
        Meta { provider: &route.provider.id, model: &route.model.id, latency_ms, attempt: self.tries() }
    }
}

impl Meta<'_> {
    /// It as JSON between other bytes, in exactly the room it takes.
    fn between(&self, [first, second]: [&[u8]; 2], last: &[u8]) -> Vec<u8> {
        let (provider, model) = (quoted_parts(self.provider), quoted_parts(self.model));
        let (mut latency, mut attempt) = (itoa::Buffer::new(), itoa::Buffer::new());
        let [[p1, p2, p3], [m1, m2, m3]] =
            [&provider, &model].map(|parts| parts.each_ref().map(|part| part.as_bytes()));
        [
            first,
            second,
            br#"{"provider":"#,
            p1,
            p2,
            p3,
            br#","model":"#,
            m1,
            m2,
            m3,
            br#","latency_ms":"#,
            latency.format(self.latency_ms).as_bytes(),
            br#","attempt":"#,
            attempt.format(self.attempt).as_bytes(),
            b"}",
            last,
        ]
        .concat()
    }
}

/// How many of these attempts were made.
pub fn count(attempts: &[Attempt]) -> usize {
    attempts.iter().filter(|attempt| attempt.sent).count()
}

/// The failed ones of these attempts, as `route=word, …`.
pub fn trail(attempts: &[Attempt]) -> String {
    let failed =
        attempts.iter().filter_map(|attempt| Some(format!("{}={}", attempt.route, attempt.fault.as_ref()?.word())));
    failed.collect::<Vec<_>>().join(", ")
}

/// The provider's own JSON with `meta` added at its end; everything else byte for byte.
pub fn with_meta(body: &Bytes, meta: &Meta<'_>) -> Bytes {
    static NAME: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"meta\""));
    let has_meta = NAME.find(body).is_some() && RawObject::parse(body).is_ok_and(|object| object.get("meta").is_some());
    if has_meta && let Some(fields) = locate(body) {
        let mut rewrite = Rewrite::new(body, &fields);
        rewrite.set("meta", Bytes::from(meta.between([b"", b""], b"")));
        return rewrite.finish().concat().into();
    }
    meta.between([&body[..body.trim_ascii_end().len().saturating_sub(1)], b",\"meta\":"], b"}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_joins_the_providers_own_bytes() {
        let meta = Meta { provider: "p", model: "m", latency_ms: 7, attempt: 2 };
        let added = r#""meta":{"provider":"p","model":"m","latency_ms":7,"attempt":2}"#;
        let joined = |json: &'static str| {
            String::from_utf8(with_meta(&Bytes::from_static(json.as_bytes()), &meta).to_vec()).expect("UTF-8")
        };
        assert_eq!(
            joined("{\"id\":1e400, \"x\":{\"meta\":0} }\n"),
            format!("{{\"id\":1e400, \"x\":{{\"meta\":0}} ,{added}}}")
        );
        assert_eq!(joined("{\"meta\":0,\"id\":1}"), format!("{{{added},\"id\":1}}"));
        assert_eq!(joined("{\"meta\":0,\"id\":1,\"meta\":2}"), format!("{{{added},\"id\":1}}"));
    }
}
