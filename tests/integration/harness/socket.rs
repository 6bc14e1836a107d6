//! A connection to the gateway, read and written byte by byte.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// An open connection. Dropping it closes it.
pub struct Socket {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Socket {
    pub async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the gateway listens");
        Self { stream, read: Vec::new() }
    }

    pub async fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).await.expect("the gateway reads");
    }

    /// Fails where the other side has closed.
    pub async fn try_write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        timeout(PATIENCE, self.stream.write_all(bytes)).await.expect("the gateway reads in time")
    }

    /// Reads until `text` has come, and returns all that came so far.
    pub async fn read_until(&mut self, text: &str) -> String {
        loop {
            let so_far = String::from_utf8_lossy(&self.read).into_owned();
            if so_far.contains(text) {
                return so_far;
            }
            let more = timeout(PATIENCE, self.stream.read_buf(&mut self.read)).await.expect("more in time");
            assert_ne!(more.expect("the connection holds"), 0, "closed before `{text}`, after {so_far}");
        }
    }
}
