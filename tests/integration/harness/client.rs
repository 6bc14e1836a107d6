//! A client of the gateway: a request in one sentence, one connection each.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::reply::Reply;
use super::socket::Socket;

/// Nothing a test waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request to be sent; awaiting it sends it.
#[must_use]
pub struct Asking {
    address: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    fields: Map<String, Value>,
    body: Option<Vec<u8>>,
}

impl Asking {
    pub fn to(address: SocketAddr, method: &str, path: &str) -> Self {
        Self {
            address,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            fields: Map::new(),
            body: None,
        }
    }

    pub fn chat(address: SocketAddr, prompt: &str) -> Self {
        let asking = Self::to(address, "POST", "/v1/chat/completions").model("meta-model");
        asking.with("messages", json!([{ "role": "user", "content": prompt }]))
    }

    pub fn model(self, model: &str) -> Self {
        self.with("model", json!(model))
    }

    pub fn streamed(self) -> Self {
        self.with("stream", json!(true))
    }

    pub fn streamed_if(self, streamed: bool) -> Self {
        if streamed { self.streamed() } else { self }
    }

    /// A field of the chat's body.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.fields.insert(field.to_owned(), value);
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// These bytes in the place of a body of fields.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    fn bytes(&self) -> Vec<u8> {
        match &self.body {
            Some(body) => body.clone(),
            None if self.fields.is_empty() => Vec::new(),
            None => Value::from(self.fields.clone()).to_string().into_bytes(),
        }
    }

    /// Sends the request and leaves the answer in the socket. Dropping the socket is leaving.
    pub async fn begin(self) -> Socket {
        let body = self.bytes();
        let mut socket = self.begin_with_length(body.len()).await;
        socket.write(&body).await;
        socket
    }

    /// Sends the head of a request with so many bytes to come.
    pub async fn begin_with_length(self, length: usize) -> Socket {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {}\r\n", self.method, self.path, self.address);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {length}\r\n\r\n"));
        let mut socket = Socket::connect(self.address).await;
        socket.write(head.as_bytes()).await;
        socket
    }

    async fn send(self) -> Reply {
        let socket = TcpStream::connect(self.address).await.expect("the gateway listens");
        let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.expect("a connection");
        let connection = tokio::spawn(connection);
        let body = Full::new(Bytes::from(self.bytes()));
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
        request = request.header("host", self.address.to_string()).header("content-type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(body).expect("a good request");
        let response = timeout(PATIENCE, sender.send_request(request)).await.expect("an answer in time");
        let (head, mut body) = response.expect("an answer").into_parts();
        let (mut bytes, mut complete) = (Vec::new(), true);
        while let Some(frame) = timeout(PATIENCE, body.frame()).await.expect("the next piece in time") {
            match frame {
                Ok(frame) => bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
                Err(_) => complete = false,
            }
        }
        drop(sender);
        drop(connection.await);
        Reply { status: head.status.as_u16(), headers: head.headers, body: bytes, complete }
    }
}

impl IntoFuture for Asking {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
