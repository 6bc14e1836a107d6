//! The name of a conversation, as a hash: enough to know it again, and nothing to know about it.

use std::fmt;

use ring::digest::{SHA256, digest};

/// 128 bits of the SHA-256 of whatever named the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey(pub u128);

impl SessionKey {
    /// `kind` keeps equal names apart that mean different things: a user is no session.
    pub fn of(kind: &str, name: &str) -> Self {
        let hash = digest(&SHA256, format!("relay\0{kind}\0{name}").as_bytes());
        let mut first = [0; 16];
        first.copy_from_slice(&hash.as_ref()[..16]);
        Self(u128::from_be_bytes(first))
    }

    /// Reads what `Display` writes.
    pub fn read(text: &str) -> Option<Self> {
        u128::from_str_radix(text, 16).ok().map(Self)
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_everywhere_and_tells_no_name() {
        let key = SessionKey::of("session", "alice@example.com");
        // The stored form must not change: other processes, and later versions, know sessions by it.
        assert_eq!(key.to_string(), "8132485e539a856f4c9dfbcd8e8c67a4");
        assert_eq!(SessionKey::read(&key.to_string()), Some(key));
        assert_ne!(SessionKey::of("user", "alice@example.com"), key);
    }
}
