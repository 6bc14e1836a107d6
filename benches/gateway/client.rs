//! A client of as little work as possible: one keep-alive connection, ready-made requests, answers read no closer than needed.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A request as bytes to be sent.
#[derive(Clone)]
pub struct Prepared {
    pub bytes: Vec<u8>,
    pub streamed: bool,
}

/// One connection.
pub struct Connection {
    socket: TcpStream,
    buffer: Vec<u8>,
}

/// The moments of one answer.
pub struct Answered {
    /// When the first bytes of the body were there.
    pub first: Instant,
    pub end: Instant,
}

impl Prepared {
    /// A chat whose body has about `size` bytes: turns of English prose of a few hundred bytes each.
    pub fn chat(model: &str, size: usize, streamed: bool) -> Self {
        const PROSE: &str = "The harbour was quiet when they arrived, and nobody asked why the two boats had come back early. \
                             It took an hour to carry everything up the hill; by then the rain (3 mm, said the radio) was over. ";
        let head = format!(r#"{{"model":"{model}","temperature":0.7,"stream":{streamed},"messages":["#);
        let mut body = head + r#"{"role":"system","content":"You are a helpful assistant."}"#;
        while body.len() < size {
            let role = if body.len().is_multiple_of(2) { "user" } else { "assistant" };
            let text = PROSE.repeat(3);
            let most = size.saturating_sub(body.len() + 40).clamp(1, text.len());
            write!(body, r#",{{"role":"{role}","content":"{}"}}"#, &text[..most]).expect("a String takes all text");
        }
        body += "]}";
        let accept = if streamed { "text/event-stream" } else { "application/json" };
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: bench\r\nauthorization: Bearer relay\r\n\
             content-type: application/json\r\naccept: {accept}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self { bytes: (head + &body).into_bytes(), streamed }
    }
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).await.expect("the server accepts connections");
        socket.set_nodelay(true).expect("TCP has TCP_NODELAY");
        Self { socket, buffer: Vec::with_capacity(64 * 1024) }
    }

    /// Sends a request and reads its answer to the end. Any answer but a whole good one ends the bench.
    pub async fn ask(&mut self, request: &Prepared) -> Answered {
        self.socket.write_all(&request.bytes).await.expect("the server reads the request");
        self.buffer.clear();
        let mut first = None;
        let mut body = None;
        loop {
            let read = self.socket.read_buf(&mut self.buffer).await.expect("the server answers");
            assert!(read > 0, "the server hung up after `{}`", String::from_utf8_lossy(&self.buffer));
            if body.is_none() {
                body = Body::find(&self.buffer);
            }
            let Some(body) = &body else { continue };
            if self.buffer.len() > body.start {
                first.get_or_insert_with(Instant::now);
            }
            if body.is_whole(&self.buffer) {
                let end = Instant::now();
                self.check(request);
                return Answered { first: first.unwrap_or(end), end };
            }
        }
    }

    fn check(&self, request: &Prepared) {
        let good = self.buffer.starts_with(b"HTTP/1.1 200 ");
        let last: &[u8] = if request.streamed { b"data: [DONE]\n\n\r\n0\r\n\r\n" } else { b"}" };
        assert!(good && self.buffer.ends_with(last), "not the answer: {}", String::from_utf8_lossy(&self.buffer));
    }
}

/// Where a body starts and how its end is known.
struct Body {
    start: usize,
    /// `None` for a chunked one.
    length: Option<usize>,
}

impl Body {
    fn find(received: &[u8]) -> Option<Self> {
        let start = memchr::memmem::find(received, b"\r\n\r\n")? + 4;
        let head = String::from_utf8_lossy(&received[..start]);
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        Some(Self { start, length })
    }

    fn is_whole(&self, received: &[u8]) -> bool {
        match self.length {
            Some(length) => received.len() >= self.start + length,
            None => received.ends_with(b"\r\n0\r\n\r\n"),
        }
    }
}
