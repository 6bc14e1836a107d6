//! A provider that answers whatever it is asked with the same bytes, good HTTP or not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// What follows the bytes.
#[derive(Debug, Clone)]
pub enum Then {
    Close,
    /// The next request gets the same.
    Stay,
    /// The next request gets nothing, after so many milliseconds.
    Leave(u64),
    /// These bytes after so many milliseconds, and the next request gets the same.
    Late(&'static str, u64),
    /// These bytes, every ten milliseconds, until the other side leaves.
    Drip(&'static str),
}

/// Gone when dropped.
pub struct Upstream {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
    listening: JoinHandle<()>,
}

impl Upstream {
    pub async fn start(answer: impl Into<Vec<u8>>, then: Then) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let connections = Arc::new(AtomicUsize::new(0));
        let (answer, count) = (Arc::new(answer.into()), Arc::clone(&connections));
        let listening = tokio::task::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                tokio::task::spawn(serve(socket, Arc::clone(&answer), then.clone()));
            }
        });
        Self { address, connections, listening }
    }

    /// So many connections were opened.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Until it has sent all, or the other side has left.
async fn serve(mut socket: TcpStream, answer: Arc<Vec<u8>>, then: Then) {
    while read_request(&mut socket).await.is_some() {
        if socket.write_all(&answer).await.is_err() {
            return;
        }
        match then {
            Then::Close => return,
            Then::Stay => {}
            Then::Leave(millis) => {
                read_request(&mut socket).await;
                sleep(Duration::from_millis(millis)).await;
                return;
            }
            Then::Late(bytes, millis) => {
                sleep(Duration::from_millis(millis)).await;
                if socket.write_all(bytes.as_bytes()).await.is_err() {
                    return;
                }
            }
            Then::Drip(bytes) => loop {
                sleep(Duration::from_millis(10)).await;
                if socket.write_all(bytes.as_bytes()).await.is_err() {
                    return;
                }
            },
        }
    }
}

/// Reads a request to its end; `None` where none comes any more.
async fn read_request(socket: &mut TcpStream) -> Option<()> {
    let mut read = Vec::new();
    loop {
        if socket.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some(());
        }
    }
}
