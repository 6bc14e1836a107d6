//! What a small request costs, by counts that no busy machine changes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::harness::{beside, gateway, provider};

const ANSWER: &str = r#"{"id":"a","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Because of Rayleigh scattering."},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14}}"#;

/// Allocations of a request and its answer, from one socket to the other: eleven of them are those of a proxy of hyper that does nothing.
const MOST_ALLOCATIONS: u64 = 34;

/// The head and the body of what comes next, of a message that tells its length.
fn read(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.expect("the message tells its length")];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// Answers every chat on every connection, in threads of its own.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback can be bound");
    let address = listener.local_addr().expect("a bound socket has an address");
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{ANSWER}",
        ANSWER.len()
    );
    beside(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let answer = answer.clone();
            beside(move || {
                let mut reader = BufReader::new(socket.try_clone().expect("a second handle"));
                while read(&mut reader).is_some() && socket.write_all(answer.as_bytes()).is_ok() {}
            });
        }
    });
    address
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
        let (head, _) = read(&mut reader).expect("an answer");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    }
}

#[test]
fn a_small_request_allocates_little() {
    const TIMES: u32 = 200;
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let upstream = upstream();
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
