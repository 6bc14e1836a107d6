//! A provider's key, with where it came from, and the header that carries it.

use http::{HeaderName, HeaderValue};
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};

use crate::dialect::Dialect;

/// A key. Its secret part cannot be printed.
#[derive(Debug, Clone)]
pub struct Key {
    pub secret: SecretString,
    /// What it is called where it came from, such as the name of an environment variable.
    pub origin: String,
}

impl Key {
    /// What tells this key from the provider's other and later ones, and nothing about it.
    pub fn hash(&self) -> u64 {
        let hash = digest(&SHA256, format!("relay\0key\0{}", self.secret.expose_secret()).as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_ref()[..8]);
        u64::from_be_bytes(first)
    }

    /// The header by which providers of this dialect take the key, marked sensitive.
    ///
    /// A key that no header can hold is sent as a wrong one: its provider rejects it like any other.
    pub fn header(&self, dialect: Dialect) -> (HeaderName, HeaderValue) {
        let header = dialect.key_header();
        let value = HeaderValue::from_str(&format!("{}{}", header.prefix, self.secret.expose_secret()));
        let mut value = value.unwrap_or_else(|_| HeaderValue::from_static("unusable"));
        value.set_sensitive(true);
        (HeaderName::from_static(header.name), value)
    }
}
