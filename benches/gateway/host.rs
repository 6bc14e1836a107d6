//! Runs one server of the bench in a thread of its own, so that it uses one core at most and its CPU time can be told apart.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;
use std::thread;

use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// A runtime of one thread; its blocking pool's threads have the same `name`.
pub fn runtime(name: &str) -> Runtime {
    Builder::new_current_thread().thread_name(name).enable_all().build().expect("a runtime can be built")
}

/// The core of the server under test, the bare proxy's and relay's alike; all else has the other.
pub const SERVER_CORE: usize = 0;
pub const OTHER_CORE: usize = 1;

/// Keeps this thread, and those it starts, on one core.
#[cfg(target_os = "linux")]
pub fn stay_on(core: usize) {
    let mut cores = rustix::thread::CpuSet::new();
    cores.set(core);
    // With one core there is nothing to choose.
    _ = rustix::thread::sched_setaffinity(None, &cores);
}

#[cfg(not(target_os = "linux"))]
pub fn stay_on(_: usize) {}

/// Starts a thread called `name` on `core`, runs `set_up` there and keeps its runtime going for the life of the process.
pub fn in_own_thread<F, T>(name: &'static str, core: usize, set_up: impl FnOnce() -> F + Send + 'static) -> T
where
    F: Future<Output = T>,
    T: Send + 'static,
{
    let (sender, receiver) = mpsc::channel();
    let run = move || {
        stay_on(core);
        runtime(name).block_on(async {
            sender.send(set_up().await).expect("the bench waits for its servers");
            std::future::pending::<()>().await;
        });
    };
    thread::Builder::new().name(name.to_owned()).spawn(run).expect("a thread can be started");
    receiver.recv().expect("the server starts")
}

pub async fn listen() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("loopback has a free port")
}

pub fn address_of(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("a bound socket has an address")
}

/// Answers every connection with `answer` over a bare hyper server.
pub async fn serve<F, B>(listener: TcpListener, answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static)
where
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    loop {
        let (socket, _) = listener.accept().await.expect("loopback connections can be accepted");
        socket.set_nodelay(true).expect("TCP has TCP_NODELAY");
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let answer = answer(request);
            async { Ok::<_, Infallible>(answer.await) }
        });
        let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        // The load generator closes its connections between two runs: an end, not an error worth a word.
        tokio::spawn(async move { drop(connection.await) });
    }
}
