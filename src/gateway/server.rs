//! Accepts connections and serves them, and at the end lets the open ones finish.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryFutureExt as _;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::socket::Socket;

use super::guard::Guarded;
use super::patience::Patient;
use super::routes::Gateway;

/// A client gets this long to send a request's head.
const HEADER_TIME: Duration = Duration::from_secs(15);

/// Bytes a request's head may have.
const MOST_HEAD: usize = 32 * 1024;

/// Bytes of an answer that wait for a client to read on; the rest stays with its provider.
const MOST_BUFFERED: usize = 64 * 1024;

/// A client that reads nothing for this long, while there is something to be read, is left.
const READING_TIME: Duration = Duration::from_mins(1);

/// At the end of the grace, open requests have this long to hear of it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// After a failed accept (out of file descriptors, say) a moment's rest keeps the loop from spinning.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Every open request was answered.
    Drained,
    /// The grace was over, or somebody asked again.
    Cut,
}

/// A listening socket and the gateway behind it.
pub struct Server {
    pub listener: TcpListener,
    pub gateway: Arc<Gateway>,
}

impl Server {
    /// Serves until `stop` is done, then waits for open requests until `cut` is.
    pub async fn run(self, stop: impl Future<Output = ()>, cut: impl Future<Output = ()>) -> Stopped {
        let service = Guarded { gateway: Arc::clone(&self.gateway), router: self.gateway.router() };
        let graceful = GracefulShutdown::new();
        let connections = TaskTracker::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = &mut stop => break,
            };
            match accepted {
                Ok((socket, _)) => serve(socket, service.clone(), &graceful, &connections),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_REST).await;
                }
            }
        }
        self.gateway.start_draining();
        connections.close();
        let drained = async {
            graceful.shutdown().await;
            connections.wait().await;
        };
        let mut drained = std::pin::pin!(drained);
        tokio::select! {
            biased;
            () = &mut drained => return Stopped::Drained,
            () = cut => {}
            () = turn_away(&self.listener, &service) => {}
        }
        self.gateway.cut.cancel();
        // Who does not read it in time, never will.
        _ = tokio::time::timeout(LAST_WORDS, drained).await;
        Stopped::Cut
    }
}

/// Goes on answering while open requests end: whoever asks whether this server is ready, or sends it work, hears that it is not.
async fn turn_away(listener: &TcpListener, service: &Guarded) {
    let (graceful, connections) = (GracefulShutdown::new(), TaskTracker::new());
    loop {
        match listener.accept().await {
            Ok((socket, _)) => serve(socket, service.clone(), &graceful, &connections),
            Err(_) => tokio::time::sleep(ACCEPT_REST).await,
        }
    }
}

fn serve(socket: TcpStream, service: Guarded, graceful: &GracefulShutdown, connections: &TaskTracker) {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "a connection without TCP_NODELAY");
    }
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(service.gateway.relay.alarms.clone())
        .header_read_timeout(HEADER_TIME)
        .max_header_size(MOST_HEAD)
        .max_buf_size(MOST_BUFFERED)
        .serve_connection(TokioIo::new(Patient::new(Socket(socket), READING_TIME)), service);
    // Not in an async block, which would have room for it twice: a connection lasts as long as the stream it carries.
    connections
        .spawn(graceful.watch(connection).inspect_err(|error| tracing::debug!(%error, "a connection ended early")));
}
