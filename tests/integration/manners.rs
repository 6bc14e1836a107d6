//! The gateway's manners: how many it answers at a time, whom it lets in, and clients that do not read.

use std::time::{Duration, Instant};

use relay::sim::Act;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::harness::{Gateway, Socket, eventually, gateway, provider, says};

#[tokio::test]
async fn past_its_number_requests_wait_in_line_and_past_the_line_they_are_sent_away() {
    let acts = [Act::Hang, says("second")];
    let config = "[server]\nmax_requests = 1\nmax_waiting = 1\n";
    let gateway = gateway().over([provider("sim-a").answers(acts)]).config(config).start().await;
    let first = gateway.ask("first").begin().await;
    eventually("the first is asked for", || gateway.providers.chats("sim-a").len() == 1).await;
    let second = gateway.ask("second").begin().await;
    // The line's length shows only in what happens to the next.
    let refused = loop {
        let third = tokio::time::timeout(Duration::from_millis(300), async { gateway.ask("third").await }).await;
        if let Ok(third) = third {
            break third;
        }
    };
    refused.refused(503, "overloaded");
    assert!(refused.retry_after() > 0);
    assert_eq!(gateway.providers.chats("sim-a").len(), 1, "nobody else is asked for");
    drop(first);
    let mut second = second;
    second.read_until("second").await;
    assert_eq!(gateway.get("/readyz").await.status, 200, "the gate is for chats alone");
}

/// The first line of the answer to a request with these header lines.
async fn status_of(gateway: &Gateway, method: &str, headers: &str) -> (u16, String) {
    let mut socket = Socket::connect(gateway.address).await;
    let body = r#"{"messages":[{"role":"user","content":"hello"}]}"#;
    let head = format!("{method} /v1/chat/completions HTTP/1.1\r\n{headers}content-length: {}\r\n\r\n", body.len());
    socket.write(format!("{head}{body}").as_bytes()).await;
    let answer = socket.read_until("\r\n\r\n").await;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, answer)
}

#[tokio::test]
async fn web_pages_and_strange_hosts_are_kept_out_of_a_gateway_without_a_key() {
    let open = gateway().over([provider("sim-a")]).start().await;
    let table = [
        ("host: localhost:1\r\n", 200),
        ("host: 127.0.0.1\r\n", 200),
        ("host: [::1]:8000\r\n", 200),
        ("host: evil.example\r\n", 403),
        ("host: 127.0.0.1.evil.example:80\r\n", 403),
        ("host: localhost\r\norigin: https://evil.example\r\n", 403),
        ("host: localhost\r\norigin: null\r\n", 403),
        ("host: localhost\r\norigin: http://localhost:3000\r\n", 403),
    ];
    for (headers, status) in table {
        let (got, answer) = status_of(&open, "POST", headers).await;
        assert_eq!(got, status, "{headers}");
        assert!(!answer.contains("access-control-allow-origin"), "CORS is off: {answer}");
    }
    assert_eq!(open.providers.chats("sim-a").len(), 3);
    let keyed = gateway().over([provider("sim-a")]).key("s3cret").start().await;
    let headers = "host: relay.example\r\norigin: https://app.example\r\nauthorization: Bearer s3cret\r\n";
    assert_eq!(status_of(&keyed, "POST", headers).await.0, 200, "a key tells friend from page");
}

#[tokio::test]
async fn pages_of_an_allowed_origin_may_ask() {
    let config = "[server]\ncors = [\"https://app.example\"]\n";
    let gateway = gateway().over([provider("sim-a")]).config(config).start().await;
    let (status, answer) = status_of(&gateway, "POST", "host: localhost\r\norigin: https://app.example\r\n").await;
    assert!(status == 200 && answer.contains("access-control-allow-origin: https://app.example"), "{answer}");
    let preflight = "host: localhost\r\norigin: https://app.example\r\naccess-control-request-method: POST\r\n\
                     access-control-request-headers: authorization,content-type\r\n";
    let (status, answer) = status_of(&gateway, "OPTIONS", preflight).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("access-control-allow-headers: authorization,content-type"), "{answer}");
    assert_eq!(status_of(&gateway, "POST", "host: localhost\r\norigin: https://evil.example\r\n").await.0, 403);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let gateway = gateway().over([provider("sim-a")]).start().await;
    let headers = format!("host: localhost\r\nx-long: {}\r\n", "x".repeat(40_000));
    assert_eq!(status_of(&gateway, "POST", &headers).await.0, 431);
}

#[tokio::test]
async fn a_client_that_never_reads_holds_little_and_slows_nobody() {
    // More than the sockets' own buffers take, on both sides of the gateway.
    let event = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", "word".repeat(4_000));
    let long = Act::raw_stream(event.repeat(2_500), 65_536);
    let gateway = gateway().over([provider("sim-a").answers([long]), provider("sim-b")]).start().await;
    let usual = first_chunks(&gateway).await;
    let mut deaf = gateway.ask("a long answer").streamed().begin().await;
    deaf.read_until("word").await;
    let beside = first_chunks(&gateway).await;
    assert!(beside < usual * 3 + Duration::from_millis(20), "{usual:?} before, {beside:?} beside it");
    assert_eq!(gateway.relay.in_flight(), 1, "what is not read is not fetched: it stays with its provider");
    drop(deaf);
    eventually("its call is cancelled", || gateway.is_idle()).await;
}

/// How long a first chunk of `sim-b` takes, in the middle of many.
async fn first_chunks(gateway: &Gateway) -> Duration {
    let mut times = Vec::new();
    for _ in 0..50 {
        let started = Instant::now();
        let mut socket = gateway.ask("hello").model("sim-b").streamed().begin().await;
        socket.read_until("chat.completion.chunk").await;
        times.push(started.elapsed());
        socket.read_until("[DONE]").await;
    }
    times.sort_unstable();
    times[times.len() / 2]
}

/// Time is the runtime's own here, and passes when nobody has anything to do.
#[tokio::test(start_paused = true)]
async fn a_client_that_sends_its_head_a_line_at_a_time_is_left() {
    let gateway = gateway().over([provider("sim-a")]).start().await;
    let mut socket = tokio::net::TcpStream::connect(gateway.address).await.expect("it listens");
    socket.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n").await.expect("it reads");
    let started = tokio::time::Instant::now();
    while tokio::time::timeout(Duration::from_secs(1), socket.read_u8()).await.is_err() {
        // It may have left since.
        drop(socket.write_all(b"x-more: 1\r\n").await);
        assert!(started.elapsed() < Duration::from_mins(1), "a line each second keeps a connection for ever");
    }
    assert!(started.elapsed() > Duration::from_secs(10), "{:?}", started.elapsed());
}
