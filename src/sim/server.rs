//! Accepts the simulator's connections and serves them until told to stop.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::exchange::{Abort, World, exchange};

/// Out of file descriptors and the like: the listener is fine, the moment is not.
const ACCEPT_AGAIN: Duration = Duration::from_millis(10);

/// Runs until `stop`; every connection is a task of `tasks` and ends with `stop` too.
pub(super) async fn accept(listener: TcpListener, world: Arc<World>, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, _)) => {
                let connected = Connected::count(&world);
                tasks.spawn(serve(socket, connected, stop.clone()));
            }
            Err(_) => tokio::time::sleep(ACCEPT_AGAIN).await,
        }
    }
}

/// A connection in the simulator's count.
struct Connected(Arc<World>);

impl Connected {
    fn count(world: &Arc<World>) -> Self {
        world.counters.connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(world))
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.counters.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn serve(socket: TcpStream, connected: Connected, stop: CancellationToken) {
    // Without it a small event would wait for the acknowledgement of the one before; a failure only costs time.
    let _ = socket.set_nodelay(true);
    let resetting = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request: Request<Incoming>| {
        let (world, resetting) = (Arc::clone(&connected.0), Arc::clone(&resetting));
        async move {
            let response = exchange(world, request).await;
            if response.as_ref().err() == Some(&Abort::Reset) {
                resetting.store(true, Ordering::Relaxed);
            }
            response
        }
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    {
        let mut running = pin!(&mut connection);
        tokio::select! {
            () = stop.cancelled() => return,
            // An error is an abort on purpose or a client that left, and both are on record.
            _ = running.as_mut() => {}
        }
    }
    if resetting.load(Ordering::Relaxed) {
        // With no time to linger, closing the socket sends RST instead of FIN.
        let _ = connection.into_parts().io.into_inner().set_zero_linger();
    }
}
