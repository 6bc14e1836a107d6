//! Which session a request belongs to: what names it, hashed. A session stays with its route, whose provider may have it cached.

use http::{HeaderMap, HeaderName};

use crate::chat::ChatRequest;
use crate::chat::session::SessionKey;

use super::Relay;

/// Headers by which agents name their session, besides the one that is configured.
const HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-claude-code-session-id"), HeaderName::from_static("session_id")];

/// Fields of the body that name a session, or at least whose it is.
const FIELDS: [&str; 3] = ["session_id", "prompt_cache_key", "user"];

impl Relay {
    /// The session of a request, by the first name it has.
    pub fn session(&self, headers: &HeaderMap, request: &ChatRequest) -> Option<SessionKey> {
        let configured = std::iter::once(headers.get(&self.sessions.header));
        let mut values = configured.chain(HEADERS.into_iter().map(|name| headers.get(name)));
        let by_header = values.find_map(|value| {
            let value = value?.to_str().ok()?.trim();
            (!value.is_empty()).then(|| self.session_named(value)).flatten()
        });
        by_header.or_else(|| {
            FIELDS.iter().find_map(|field| {
                let name: String = serde_json::from_str(request.raw(field)?).ok()?;
                (self.sessions.enabled && !name.is_empty()).then(|| SessionKey::of(field, &name))
            })
        })
    }

    /// A session by the name its caller gave it.
    pub fn session_named(&self, name: &str) -> Option<SessionKey> {
        self.sessions.enabled.then(|| SessionKey::of("session", name))
    }
}
