//! Gets pages and model lists: seldom, small, and without following redirects.

use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, DATE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use http::{HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::catalog::Provider;
use crate::chat::Breakage;

use super::connect;
use super::key::Key;
use super::network::Network;

/// What is larger than this is not read on.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A response that arrived.
#[derive(Debug, Clone)]
pub struct Fetched {
    pub status: u16,
    pub body: Vec<u8>,
    /// What time it is for whoever answered.
    pub date: Option<Timestamp>,
}

/// What is known of a page from the last time: its site need not send it again.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

/// A page as its site sent it.
#[derive(Debug, Clone)]
pub struct PageAnswer {
    pub status: u16,
    pub content_type: Option<String>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub body: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("it leads to another host, or too far: {0}")]
    LeadsAway(String),
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("not reachable")]
    Unreachable,
    #[error("its certificate is not trusted; SSL_CERT_FILE names more authorities")]
    Untrusted,
    #[error("not reachable through the proxy {0}")]
    BehindProxy(String),
    #[error("the answer is larger than {MOST_BYTES} bytes")]
    TooLarge,
    #[error("the connection broke")]
    Broken,
}

/// A client for small, seldom requests.
#[derive(Debug, Clone)]
pub struct Fetcher {
    client: reqwest::Client,
    network: Network,
}

impl Fetcher {
    pub fn new(network: &Network) -> Self {
        let proxies = network.clone();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(network.tls())
            .proxy(reqwest::Proxy::custom(move |url| proxies.proxy_url_to(url.as_str()).map(str::to_owned)))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(super::client::AGENT)
            .build()
            .expect("the settings are constant and valid");
        Self { client, network: network.clone() }
    }

    /// Gets `url`, with the header that carries a key where there is one.
    pub async fn get(
        &self,
        url: &str,
        credential: Option<(HeaderName, HeaderValue)>,
        timeout: Duration,
    ) -> Result<Fetched, FetchError> {
        let mut request = self.client.get(url);
        if let Some((name, value)) = credential {
            request = request.header(name, value);
        }
        self.fetch(url, request, timeout).await
    }

    /// Gets a path below a provider's base URL, with a key where there is one: it goes to that host alone.
    pub async fn below(
        &self,
        provider: &Provider,
        path: &str,
        key: Option<&Key>,
        timeout: Duration,
    ) -> Result<Fetched, FetchError> {
        self.get(&format!("{}{path}", provider.base_url), key.map(|key| key.header(provider.dialect)), timeout).await
    }

    /// Gets a page. A redirect is followed within its host alone: what another host says is not what this one documents.
    pub async fn page(&self, url: &str, known: Known, timeout: Duration) -> Result<PageAnswer, FetchError> {
        const MOST_STEPS: usize = 4;
        let mut url = reqwest::Url::parse(url).map_err(|_| FetchError::Unreachable)?;
        for _ in 0..MOST_STEPS {
            let mut request =
                self.client.get(url.clone()).header(ACCEPT, "text/markdown, text/plain;q=0.9, text/html;q=0.8");
            for (name, value) in [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)] {
                if let Some(value) = value {
                    request = request.header(name, value);
                }
            }
            let response = self.send(url.as_str(), request, timeout).await?;
            let header = |name: HeaderName| {
                response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
            };
            let target = header(LOCATION).and_then(|target| url.join(&target).ok());
            match target {
                Some(target) if response.status().is_redirection() && response.status() != 304 => {
                    if target.origin() != url.origin() {
                        return Err(FetchError::LeadsAway(target.host_str().unwrap_or_default().to_owned()));
                    }
                    url = target;
                }
                _ => {
                    let (status, content_type) = (response.status().as_u16(), header(CONTENT_TYPE));
                    let (etag, last_modified) = (header(ETAG), header(LAST_MODIFIED));
                    let body = body(response, timeout).await?;
                    return Ok(PageAnswer { status, content_type, etag, last_modified, body });
                }
            }
        }
        Err(FetchError::LeadsAway(url.host_str().unwrap_or_default().to_owned()))
    }

    /// Posts JSON to `url`.
    pub async fn post_json(&self, url: &str, body: Vec<u8>, timeout: Duration) -> Result<Fetched, FetchError> {
        let request = self.client.post(url).header(CONTENT_TYPE, "application/json").body(body);
        self.fetch(url, request, timeout).await
    }

    async fn fetch(
        &self,
        url: &str,
        request: reqwest::RequestBuilder,
        timeout: Duration,
    ) -> Result<Fetched, FetchError> {
        let response = self.send(url, request, timeout).await?;
        let status = response.status().as_u16();
        let date = response.headers().get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| rfc2822::parse(date).ok()).map(|date| date.timestamp());
        Ok(Fetched { status, date, body: body(response, timeout).await? })
    }

    async fn send(
        &self,
        url: &str,
        request: reqwest::RequestBuilder,
        timeout: Duration,
    ) -> Result<reqwest::Response, FetchError> {
        request.timeout(timeout).send().await.map_err(|error| match reason(&error, timeout) {
            FetchError::Unreachable if self.network.proxy_url_to(url).is_some() => {
                FetchError::BehindProxy(self.network.proxy().unwrap_or_default().to_owned())
            }
            reason => reason,
        })
    }
}

async fn body(mut response: reqwest::Response, timeout: Duration) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| reason(&error, timeout))? {
        if body.len() + piece.len() > MOST_BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn reason(error: &reqwest::Error, timeout: Duration) -> FetchError {
    match () {
        () if error.is_timeout() => FetchError::TimedOut(timeout),
        () if error.is_connect() && connect::cause(error) == Breakage::Untrusted => FetchError::Untrusted,
        () if error.is_connect() => FetchError::Unreachable,
        () => FetchError::Broken,
    }
}
