//! Gets pages and model lists: seldom, small, and without following redirects.

use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};

/// What is larger than this is not read on.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A response that arrived.
#[derive(Debug, Clone)]
pub struct Fetched {
    pub status: u16,
    pub body: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("not reachable")]
    Unreachable,
    #[error("the answer is larger than {MOST_BYTES} bytes")]
    TooLarge,
    #[error("the connection broke")]
    Broken,
}

/// A client for small, seldom requests.
#[derive(Debug, Clone)]
pub struct Fetcher(reqwest::Client);

impl Fetcher {
    pub fn new() -> Self {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(super::tls::config())
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(super::client::AGENT)
            .build()
            .expect("the settings are constant and valid");
        Self(client)
    }

    /// Gets `url`, with the header that carries a key where there is one.
    pub async fn get(
        &self,
        url: &str,
        credential: Option<(HeaderName, HeaderValue)>,
        timeout: Duration,
    ) -> Result<Fetched, FetchError> {
        let mut request = self.0.get(url);
        if let Some((name, value)) = credential {
            request = request.header(name, value);
        }
        fetch(request, timeout).await
    }

    /// Posts JSON to `url`.
    pub async fn post_json(&self, url: &str, body: Vec<u8>, timeout: Duration) -> Result<Fetched, FetchError> {
        fetch(self.0.post(url).header(CONTENT_TYPE, "application/json").body(body), timeout).await
    }
}

async fn fetch(request: reqwest::RequestBuilder, timeout: Duration) -> Result<Fetched, FetchError> {
    let mut response = request.timeout(timeout).send().await.map_err(|error| reason(&error, timeout))?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| reason(&error, timeout))? {
        if body.len() + piece.len() > MOST_BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Fetched { status, body })
}

impl Default for Fetcher {
    fn default() -> Self {
        Self::new()
    }
}

fn reason(error: &reqwest::Error, timeout: Duration) -> FetchError {
    match () {
        () if error.is_timeout() => FetchError::TimedOut(timeout),
        () if error.is_connect() => FetchError::Unreachable,
        () => FetchError::Broken,
    }
}
