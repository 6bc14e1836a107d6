//! A connection against an other end that answers, breaks off or hangs up as told, and against hyper's client.

use http_body::Frame;
use http_body_util::BodyExt as _;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;
use crate::chat::Slices;

fn request(body: &'static [u8]) -> Box<Request<Pieces>> {
    let pieces = Pieces::new(Slices::from_iter([Bytes::from_static(body)]));
    Box::new(Request::post("/v1/chat").header("host", "a.example").body(pieces).expect("a request"))
}

/// Reads a request's head, and answers it with these pieces.
async fn answer(mut socket: DuplexStream, pieces: Vec<Vec<u8>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.expect("the request has a head"));
    }
    for piece in pieces {
        // Whoever does not want more has closed it.
        if socket.write_all(&piece).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

const SHORT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

/// What is left of a response's body.
async fn read(single: &mut Single) -> Result<Vec<u8>, Broken> {
    let mut body = Vec::new();
    while let Some(piece) = poll_fn(|context| single.poll_piece(context)).await {
        body.extend_from_slice(&piece?);
    }
    Ok(body)
}

#[tokio::test]
async fn a_connection_takes_another_request_once_all_of_a_response_is_read() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n";
    let table = [
        (SHORT.to_owned(), 2, true),
        // Nobody asked for its end, but it is there.
        (SHORT.to_owned(), 1, true),
        (format!("{chunked}0\r\n\r\n"), 1, true),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), 0, true),
        (SHORT.to_owned(), 0, false),
        (chunked.to_owned(), 1, false),
        (format!("{chunked}2\r\nho\r\n0\r\n\r\n"), 1, false),
        (format!("{SHORT}HTTP/1.1 200 OK\r\n"), 2, false),
        (SHORT.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"), 2, false),
    ];
    for (response, asked, takes_another) in table {
        let (ours, mut theirs) = duplex(1024);
        let mut single = Single::on(Box::new(ours));
        theirs.write_all(response.as_bytes()).await.expect("there is room");
        single.send(request(b"{}")).await.expect("a head");
        for _ in 0..asked {
            let piece = poll_fn(|context| single.poll_piece(context)).await;
            assert!(piece.is_none_or(|piece| piece.is_ok()), "{response}");
        }
        assert_eq!(single.rest(), takes_another, "{response}");
        if takes_another {
            assert!(single.is_kept());
            theirs.write_all(SHORT.as_bytes()).await.expect("there is room");
            assert!(!single.is_kept(), "nobody asked for this");
        }
    }
}

#[tokio::test]
async fn however_many_connections_were_closed_each_is_seen_to_be() {
    let singles = (0..300).map(|_| {
        let (ours, theirs) = duplex(1024);
        let mut single = Single::on(Box::new(ours));
        single.is_new = false;
        drop(theirs);
        single
    });
    let mut singles: Vec<Single> = singles.collect();
    assert_eq!(singles.iter_mut().filter_map(|single| single.is_kept().then_some(())).count(), 0);
}

#[tokio::test]
async fn a_request_comes_back_from_a_connection_that_was_closed_before_it() {
    let (ours, theirs) = duplex(1024);
    let mut single = Single::on(Box::new(ours));
    drop(theirs);
    let unanswered = single.send(request(b"{}")).await.expect_err("nobody is there");
    let Unanswered::Unsent(request) = unanswered else { panic!("{unanswered:?}") };
    assert_eq!(request.body().left(), [Bytes::from_static(b"{}")]);
    assert_eq!(request.headers()["host"], "a.example");
}

#[tokio::test]
async fn a_silent_end_of_a_kept_connection_may_have_crossed_the_request() {
    let early = "HTTP/1.1 103 Early Hints\r\n\r\n";
    for (is_kept, response, told) in
        [(true, "", "Crossed"), (false, "", "Lost"), (true, "H", "Lost"), (true, early, "Lost")]
    {
        let (ours, theirs) = duplex(1024);
        let mut single = Single::on(Box::new(ours));
        single.is_new = !is_kept;
        let (unanswered, ()) = tokio::join!(single.send(request(b"{}")), answer(theirs, vec![response.into()]));
        let unanswered = unanswered.expect_err("it was closed");
        assert!(format!("{unanswered:?}").starts_with(told), "{is_kept}, {response:?}: {unanswered:?}");
    }
}

/// Larger than what two sockets of the tests take.
static LARGE: [u8; 64 * 1024] = [b'x'; 64 * 1024];

#[tokio::test]
async fn a_response_may_come_before_its_request_has_left() {
    // One refuses, and reads no further; one answers while it reads.
    for closes in [true, false] {
        let (ours, mut theirs) = duplex(1024);
        let mut single = Single::on(Box::new(ours));
        let served = async move {
            theirs.read_exact(&mut [0; 10]).await.expect("a request begins");
            theirs.write_all(&SHORT.as_bytes()[..SHORT.len() - 1]).await.expect("there is room");
            if !closes {
                theirs.read_exact(&mut vec![0; LARGE.len()]).await.expect("the request goes on");
            }
            theirs.write_all(b"i").await.expect("there is room");
            theirs
        };
        let asked = async {
            single.send(request(&LARGE)).await.expect("a head");
            read(&mut single).await.expect("a body")
        };
        let (body, theirs) = tokio::join!(asked, served);
        assert_eq!(body, b"hi");
        drop(theirs);
        assert!(!single.rest(), "some of the request has not left");
    }
}

#[tokio::test]
async fn what_is_broken_off_is_told() {
    let table = [
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi", true),
        ("HTTP/1.1 200 OK\r\ncontent-le", false),
        ("", false),
    ];
    for (response, has_head) in table {
        let (ours, theirs) = duplex(1024);
        let mut single = Single::on(Box::new(ours));
        let asked = async {
            match single.send(request(b"{}")).await {
                Ok(_) => read(&mut single).await.expect_err("it is not whole").to_string(),
                Err(unanswered) => format!("{unanswered:?}"),
            }
        };
        let (told, ()) = tokio::join!(asked, answer(theirs, vec![response.into()]));
        assert_eq!(told, if has_head { "the connection was closed before the end" } else { "Lost" }, "{response:?}");
        assert!(!single.rest());
    }
}

#[tokio::test]
async fn a_large_body_is_read_in_large_pieces_and_leaves_no_room_behind() {
    for framing in ["content-length: 65536", "connection: close"] {
        let (ours, theirs) = duplex(1024 * 1024);
        let mut single = Single::on(Box::new(ours));
        let response = [format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n").as_bytes(), &LARGE].concat();
        let mut theirs = theirs;
        theirs.write_all(&response).await.expect("there is room");
        single.send(request(b"{}")).await.expect("a head");
        let (mut pieces, mut length) = (0, 0);
        while length < LARGE.len() {
            let piece = poll_fn(|context| single.poll_piece(context)).await.expect("a piece").expect("it is good");
            (pieces, length) = (pieces + 1, length + piece.len());
        }
        assert!(pieces <= 3, "{pieces}");
        assert_eq!(length, LARGE.len());
        assert!(at_once(|context| single.poll_read(context)).is_pending());
        assert_eq!(single.came.capacity(), 0);
    }
}

/// A response's status and headers, what came of its body, and whether it came to its end.
type Read = Option<(StatusCode, Vec<(String, Vec<u8>)>, Vec<u8>, bool)>;

fn lines(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect()
}

async fn by_relay(pieces: Vec<Vec<u8>>) -> Read {
    let (ours, theirs) = duplex(1024 * 1024);
    let mut single = Single::on(Box::new(ours));
    let read = async {
        let (status, headers) = single.send(request(b"")).await.ok()?;
        let mut body = Vec::new();
        while let Some(piece) = poll_fn(|context| single.poll_piece(context)).await {
            match piece {
                Ok(piece) => body.extend_from_slice(&piece),
                Err(_) => return Some((status, lines(&headers), body, false)),
            }
        }
        Some((status, lines(&headers), body, true))
    };
    tokio::join!(read, answer(theirs, pieces)).0
}

async fn by_hyper(pieces: Vec<Vec<u8>>) -> Read {
    let (ours, theirs) = duplex(1024 * 1024);
    let handshake = hyper::client::conn::http1::Builder::new().max_buf_size(MOST_HEAD).handshake(TokioIo::new(ours));
    let (mut sender, connection) = handshake.await.expect("nothing is said yet");
    let read = async {
        let (head, mut incoming) = sender.send_request(*request(b"")).await.ok()?.into_parts();
        let mut body = Vec::new();
        while let Some(frame) = incoming.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(piece)) => body.extend_from_slice(&piece),
                Ok(Err(_trailers)) => {}
                Err(_) => return Some((head.status, lines(&head.headers), body, false)),
            }
        }
        Some((head.status, lines(&head.headers), body, true))
    };
    tokio::join!(read, connection, answer(theirs, pieces)).0
}

/// A body in chunks.
fn chunks(sizes: Vec<usize>, extension: &str, trailers: &str) -> String {
    let chunk = |size: usize| format!("{size:x}{extension}\r\n{}\r\n", "c".repeat(size));
    sizes.into_iter().map(chunk).chain([format!("0{extension}\r\n{trailers}\r\n")]).collect()
}

fn bodies() -> impl Strategy<Value = String> {
    let chunked = (vec(1_usize..300, 0..5), select(vec!["", ";a=b", " ", ";"]), select(vec!["", "x: y\r\n"]));
    let plain = (0_usize..20_000).prop_map(|length| "b".repeat(length));
    prop_oneof![plain, chunked.prop_map(|(sizes, extension, trailers)| chunks(sizes, extension, trailers))]
}

/// Responses, most of them good, in pieces, some bytes of which are others.
fn responses() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let first = select(vec!["HTTP/1.1 200 OK", "HTTP/1.0 200 OK", "HTTP/1.1 429", "HTTP/1.1 204 x", "HTTP/1.1 103 x"]);
    let header = select(vec![
        "content-length: {length}",
        "Content-Length: {length}, {length}",
        "content-length: 5",
        "content-length: x",
        "transfer-encoding: chunked",
        "Transfer-Encoding: gzip, Chunked",
        "transfer-encoding: gzip",
        "connection: close",
        "x-a:  b \t",
        "x-empty:",
        "set-cookie: a=b",
    ]);
    let whole = (first, vec(header, 0..5), bodies()).prop_map(|(first, headers, body)| {
        let head: Vec<&str> = iter::once(first).chain(headers).chain(["", ""]).collect();
        let head = head.join("\r\n").replace("{length}", &body.len().to_string());
        (head + &body).into_bytes()
    });
    let spoiled = vec((any::<Index>(), select(b"\r\n\0 :;,0a".to_vec()), 0_u8..3), 0..3);
    let cuts = vec(any::<Index>(), 0..6);
    (whole, spoiled, cuts).prop_map(|(mut bytes, spoiled, cuts)| {
        for (place, byte, how) in spoiled {
            let place = place.index(bytes.len().min(400));
            match how {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => drop(bytes.remove(place)),
            }
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).chain([0, bytes.len()]).collect();
        cuts.sort_unstable();
        cuts.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect()
    })
}

proptest! {
    /// hyper's client is the measure of what is a response.
    #[test]
    fn responses_are_read_as_hyper_reads_them(pieces in responses()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (ours, mut theirs) = runtime.block_on(async { (by_relay(pieces.clone()).await, by_hyper(pieces.clone()).await) });
        let wire = pieces.concat();
        // What stands behind the last chunk is of no use to anybody; hyper wants headers there.
        if let (Some((.., true)), Some((.., is_whole))) = (&ours, &mut theirs) {
            *is_whole |= memchr::memmem::find(&wire, b"\r\n0").is_some();
        }
        prop_assert_eq!(ours, theirs, "{:?}", String::from_utf8_lossy(&wire));
    }
}
