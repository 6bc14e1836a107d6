//! A small HTTP site with pages of the test's own, which keeps the requests it got.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a path answers.
#[must_use]
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

/// A page of this content type.
pub fn page(content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    Answer { body: body.into(), ..status(200).header("content-type", content_type) }
}

pub fn markdown(body: &str) -> Answer {
    page("text/markdown; charset=utf-8", body)
}

pub fn json(body: &str) -> Answer {
    page("application/json", body)
}

pub fn status(status: u16) -> Answer {
    Answer { status, headers: Vec::new(), body: Vec::new() }
}

impl Answer {
    /// An `etag` or a `last-modified` makes later requests conditional, and their answer a 304.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn of(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str())
    }

    /// Whether the request names what it has, and it is this.
    fn is_known(&self, request: &str) -> bool {
        let names = |header: &str, own: Option<&str>| {
            own.is_some_and(|own| request.lines().any(|line| line.eq_ignore_ascii_case(&format!("{header}: {own}"))))
        };
        names("if-none-match", self.of("etag")) || names("if-modified-since", self.of("last-modified"))
    }

    async fn send(&self, socket: &mut TcpStream, request: &str) -> std::io::Result<()> {
        let (status, body) = if self.is_known(request) { (304, &[][..]) } else { (self.status, &self.body[..]) };
        let mut head = format!("HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        self.headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
        socket.write_all(format!("{head}\r\n").as_bytes()).await?;
        socket.write_all(body).await
    }
}

pub struct Site {
    pub address: SocketAddr,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    /// With these paths; any other is a 404.
    pub async fn start<const N: usize>(answers: [(&str, Answer); N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let answers = Arc::new(Mutex::new(answers.map(|(path, answer)| (path.to_owned(), answer)).into()));
        let site = Self { address, answers, asked: Arc::default() };
        let (answers, asked) = (Arc::clone(&site.answers), Arc::clone(&site.asked));
        tokio::task::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::task::spawn(serve(socket, Arc::clone(&answers), Arc::clone(&asked)));
            }
        });
        site
    }

    /// From now on the path answers this.
    pub fn set(&self, path: &str, answer: Answer) {
        self.answers.lock().expect("nobody panics").insert(path.to_owned(), answer);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests for a path so far, head and all.
    pub fn asked(&self, path: &str) -> Vec<String> {
        let asked = self.asked.lock().expect("nobody panics");
        asked.iter().filter(|request| request.split(' ').nth(1) == Some(path)).cloned().collect()
    }
}

async fn serve(mut socket: TcpStream, answers: Arc<Mutex<HashMap<String, Answer>>>, asked: Arc<Mutex<Vec<String>>>) {
    let mut request = vec![0; 8192];
    let length = socket.read(&mut request).await.unwrap_or_default();
    let request = String::from_utf8_lossy(&request[..length]).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default();
    let answer = answers.lock().expect("nobody panics").get(path).cloned().unwrap_or_else(|| status(404));
    asked.lock().expect("nobody panics").push(request.clone());
    // Who asked may leave before the answer.
    drop(answer.send(&mut socket, &request).await);
}
