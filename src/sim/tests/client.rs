//! A client that sees what is on the wire: one connection per request, and bodies as far as they came.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::sim::{ModelSpec, ProviderSpec, Scenario, SimProvider, Simulator};

/// A response, and whether its body came to its proper end.
#[derive(Debug)]
pub(super) struct Got {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
    pub complete: bool,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The JSON of each event, without `[DONE]`.
    pub(super) fn events(&self) -> Vec<Value> {
        let data =
            self.body.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
        data.map(|data| serde_json::from_str(data).expect("an event is JSON")).collect()
    }

    pub(super) fn streamed_text(&self) -> String {
        self.events().iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect()
    }
}

pub(super) fn spec() -> ProviderSpec {
    ProviderSpec::new("sim-alpha").model(ModelSpec::new("sim-m"))
}

pub(super) async fn simulator(spec: ProviderSpec) -> Simulator {
    Simulator::start(Scenario::Custom(vec![spec]), 1, Clock::system()).await.expect("loopback can be bound")
}

pub(super) fn body(text: &str, stream: bool) -> Value {
    json!({"model": "sim-m", "stream": stream, "messages": [{"role": "user", "content": text}]})
}

/// A chat call to the first provider.
pub(super) async fn chat(simulator: &Simulator, body: &Value) -> hyper::Result<Got> {
    let provider = &simulator.providers()[0];
    send(provider, "POST", "/chat/completions", &provider.key, body.to_string()).await
}

/// A request of any kind; an error when no head came.
#[expect(clippy::disallowed_methods, reason = "the connection ends with its test")]
pub(super) async fn send(
    provider: &SimProvider,
    method: &str,
    path: &str,
    key: &str,
    body: String,
) -> hyper::Result<Got> {
    let url = format!("{}{path}", provider.base_url);
    let rest = url.strip_prefix("http://").expect("the base URL is http");
    let (address, _) = rest.split_once('/').expect("the URL has a path");
    let socket = TcpStream::connect(address).await.expect("the simulator listens");
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    let request = Request::builder().method(method).uri(url.as_str()).header("authorization", format!("Bearer {key}"));
    // Where Gemini looks for it; the others do not.
    let request = request.header("x-goog-api-key", key);
    let request = request.header("host", address).body(Full::new(Bytes::from(body))).expect("a good request");
    let response = timeout(Duration::from_secs(5), sender.send_request(request)).await.expect("an answer in time")?;
    let (parts, mut incoming) = response.into_parts();
    let (mut bytes, mut complete) = (Vec::new(), true);
    while let Some(frame) = timeout(Duration::from_secs(5), incoming.frame()).await.expect("the next frame in time") {
        match frame {
            Ok(frame) => bytes.extend_from_slice(frame.data_ref().expect("data")),
            Err(_) => complete = false,
        }
    }
    let body = String::from_utf8(bytes).expect("UTF-8");
    Ok(Got { status: parts.status.as_u16(), headers: parts.headers, body, complete })
}

/// A request whose answer is never read; dropping the socket is leaving.
pub(super) async fn begin(simulator: &Simulator, body: &Value) -> TcpStream {
    use tokio::io::AsyncWriteExt as _;
    let provider = &simulator.providers()[0];
    let rest = provider.base_url.strip_prefix("http://").expect("the base URL is http");
    let (address, path) = rest.split_once('/').expect("the URL has a path");
    let mut socket = TcpStream::connect(address).await.expect("the simulator listens");
    let body = body.to_string();
    let head = format!(
        "POST /{path}/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        provider.key,
        body.len()
    );
    socket.write_all(head.as_bytes()).await.expect("the request is taken");
    socket
}

/// Waits up to a second for `reached`.
pub(super) async fn eventually(what: &str, reached: impl Fn() -> bool) {
    for _ in 0..200 {
        if reached() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not within a second: {what}");
}
