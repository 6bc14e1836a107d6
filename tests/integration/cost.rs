//! What a small request costs, by counts that no busy machine changes.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use bytes::Bytes;
use relay::chat::ChatRequest;
use relay::relay::Options;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

use super::harness::{Then, Upstream, beside, gateway, provider};

const ANSWER: &str = r#"{"id":"a","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Because of Rayleigh scattering."},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}}"#;

/// Allocations of a request and its answer, from one socket to the other: a proxy of hyper that does nothing makes eleven.
const MOST_ALLOCATIONS: u64 = 27;

/// Bytes of the future of a request in the core. Each request makes room for them, and moves them there.
const MOST_BYTES: usize = 3_456;

/// The head of the next answer, whose body is read too.
fn read(reader: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).expect("the gateway answers"), 0, "{head}");
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    reader.read_exact(&mut vec![0; length.expect("the answer tells its length")]).expect("all of it comes");
    head
}

/// Answers every chat, in a thread of its own, until the other end of what it returns is dropped.
fn upstream() -> (SocketAddr, oneshot::Sender<()>) {
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ANSWER}",
        ANSWER.len()
    );
    let (told, address) = std::sync::mpsc::channel();
    let (end, ended) = oneshot::channel();
    beside(move || {
        runtime().block_on(async {
            let upstream = Upstream::start(answer, Then::Stay).await;
            told.send(upstream.address).expect("the test waits");
            drop(ended.await);
        });
    });
    (address.recv().expect("it starts"), end)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Asks so many times, one after the other over one connection.
fn ask(socket: &TcpStream, times: usize) {
    let body = format!(
        r#"{{"model":"sim-a/sim-m","temperature":0.5,"messages":[{{"role":"user","content":"{}"}}]}}"#,
        "Why is the sky blue? ".repeat(40)
    );
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut reader = BufReader::new(socket.try_clone().expect("a second handle"));
    let mut writer = socket;
    for _ in 0..times {
        writer.write_all(request.as_bytes()).expect("the gateway reads");
        let head = read(&mut reader);
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    }
}

#[test]
fn a_small_request_allocates_little() {
    const TIMES: u32 = 200;
    let runtime = runtime();
    let (upstream, _end) = upstream();
    let gateway = runtime.block_on(gateway().over([provider("sim-a")]).elsewhere("sim-a", upstream).start());
    let socket = TcpStream::connect(gateway.address).expect("the gateway listens");
    // Only this thread is counted, and all of the gateway runs in it.
    let asked = |times: usize| {
        let (done, ended) = oneshot::channel();
        let socket = socket.try_clone().expect("a second handle");
        beside(move || {
            ask(&socket, times);
            done.send(()).expect("the test waits");
        });
        runtime.block_on(ended).expect("every request was answered");
    };
    asked(20);
    let counted = allocation_counter::measure(|| asked(TIMES as usize));
    let each = counted.count_total / u64::from(TIMES);
    assert!(each <= MOST_ALLOCATIONS, "{each} allocations for a request");
}

/// Whoever reads the store's view while it changes makes it copy every meter.
#[tokio::test]
async fn no_request_makes_the_store_copy_its_view() {
    let gateway = gateway().over([provider("sim-a"), provider("sim-b")]).start().await;
    let place = || Arc::as_ptr(&gateway.relay.store().view());
    let begun = place();
    for turn in 0..8 {
        assert_eq!(gateway.ask("Why is the sky blue?").await.status, 200);
        assert_eq!(place(), begun, "after request {turn}");
    }
}

#[tokio::test]
async fn a_request_keeps_little_while_it_waits() {
    let gateway = gateway().over([provider("sim-a")]).start().await;
    let body = r#"{"model":"meta-model","messages":[{"role":"user","content":"x"}]}"#;
    let request = ChatRequest::parse(Bytes::from_static(body.as_bytes())).expect("a good request");
    let options = Options::default();
    let bytes = size_of_val(&gateway.relay.send(&request, &options));
    assert!(bytes <= MOST_BYTES, "{bytes} bytes");
}

/// Reads a request off a kept connection and answers it.
fn answer(socket: &mut TcpStream) {
    read(&mut BufReader::new(socket.try_clone().expect("a second handle")));
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", ANSWER.len());
    socket.write_all((head + ANSWER).as_bytes()).expect("relay reads");
}

/// To read, plan and send each by itself would wake an upstream that sleeps for each.
#[tokio::test]
async fn what_is_ready_beside_a_request_comes_before_it_is_sent() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    let gateway = gateway().over([provider("sim-a")]).elsewhere("sim-a", address).start().await;
    let body = r#"{"model":"meta-model","messages":[{"role":"user","content":"x"}]}"#;
    let request = ChatRequest::parse(Bytes::from_static(body.as_bytes())).expect("a good request");
    let options = Options::default();
    let (opened, kept) = oneshot::channel();
    beside(move || {
        let (mut socket, _) = listener.accept().expect("relay connects");
        answer(&mut socket);
        opened.send(socket).expect("the test waits");
    });
    gateway.relay.send(&request, &options).await.expect("an answer");
    let mut socket = kept.await.expect("it was answered");
    socket.set_nonblocking(true).expect("a socket");

    let mut sending = pin!(gateway.relay.send(&request, &options));
    let mut poll = || sending.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
    assert!(poll() && gateway.relay.store().open_leases() == 1, "it is reserved");
    let read = socket.read(&mut [0; 1]).expect_err("nothing came yet");
    assert_eq!(read.kind(), ErrorKind::WouldBlock);
    assert!(poll(), "it waits for its answer");
    socket.set_nonblocking(false).expect("a socket");
    beside(move || answer(&mut socket));
    sending.await.expect("an answer");
}
