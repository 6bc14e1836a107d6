//! Heads, bodies and chunks, good and spoiled, however they are cut.

use super::super::connection::Pieces;
use super::*;
use crate::chat::Slices;

#[test]
fn a_requests_head_tells_its_path_its_headers_and_its_length() {
    let pieces = Slices::from_iter(["{\"a\":", "1}"].map(|piece| Bytes::from_static(piece.as_bytes())));
    let mut request = Request::post("https://a.example/v1/chat?x=1").body(Pieces::new(pieces)).expect("a request");
    let lines = [("host", "a.example"), ("authorization", "Bearer k")];
    let lines = lines.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    request.headers_mut().extend(lines);
    let head = "POST /v1/chat?x=1 HTTP/1.1\r\nhost: a.example\r\nauthorization: Bearer k\r\ncontent-length: 7\r\n\r\n";
    assert_eq!(String::from_utf8(head_of(&request)).expect("text"), head);
}

fn head(lines: &str) -> Result<Head, Malformed> {
    let mut came = BytesMut::from(format!("HTTP/1.{lines}\r\n\r\nbody").as_bytes());
    let head = Head::take(&mut came)?.expect("the head is whole");
    assert_eq!(came, "body");
    Ok(head)
}

#[test]
fn a_head_tells_where_its_body_ends_and_whether_another_may_follow() {
    let chunked = Framing::Chunked(Chunk::Size);
    let table = [
        ("1 200 OK\r\ncontent-length: 7", Framing::Sized(7), true),
        ("1 200 OK\r\ncontent-length: 7, 007", Framing::Sized(7), true),
        ("1 200 OK\r\nContent-Length: 7\r\ncontent-length: 7", Framing::Sized(7), true),
        ("1 200 OK\r\ncontent-length: 7\r\nconnection: Close", Framing::Sized(7), false),
        ("1 200 OK\r\ncontent-length: 7\r\nconnection: x, close", Framing::Sized(7), false),
        ("0 200 OK\r\ncontent-length: 7", Framing::Sized(7), false),
        ("0 200 OK\r\ncontent-length: 7\r\nconnection: Keep-Alive", Framing::Sized(7), true),
        ("1 200 OK\r\ntransfer-encoding: Chunked", chunked, true),
        ("1 200 OK\r\ntransfer-encoding: gzip, chunked", chunked, true),
        ("1 200 OK\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked", chunked, true),
        ("1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 7", chunked, false),
        ("1 200 OK\r\ntransfer-encoding: chunked, gzip", Framing::Open, false),
        ("1 200 OK", Framing::Open, false),
        ("1 204 No Content\r\ncontent-length: 7", Framing::Sized(0), true),
        ("1 304 Not Modified\r\ntransfer-encoding: chunked", Framing::Sized(0), true),
    ];
    for (lines, framing, keeps) in table {
        let head = head(lines).unwrap_or_else(|wrong| panic!("{lines}: {wrong}"));
        assert_eq!((head.framing, head.keeps), (framing, keeps), "{lines}");
    }
}

#[test]
fn what_is_no_head_is_told_apart() {
    let table = [
        ("1 200 OK\r\ncontent-length: 7, 8", Malformed::Length),
        ("1 200 OK\r\ncontent-length: 7\r\ncontent-length: 8", Malformed::Length),
        ("1 200 OK\r\ncontent-length: +7", Malformed::Length),
        ("1 200 OK\r\ncontent-length:", Malformed::Length),
        ("1 200 OK\r\ncontent-length: 18446744073709551616", Malformed::Length),
        ("0 200 OK\r\ntransfer-encoding: chunked", Malformed::Encoding),
        ("1 099 What", Malformed::Status),
        ("1 101 Switching Protocols\r\nupgrade: x", Malformed::Upgrade),
        ("1 200 OK\r\nx y: z", Malformed::Head(httparse::Error::HeaderName)),
        ("2 200 OK", Malformed::Head(httparse::Error::Version)),
    ];
    for (lines, wrong) in table {
        assert_eq!(head(lines).expect_err(lines), wrong, "{lines}");
    }
    let long = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(MOST_HEAD));
    assert_eq!(Head::take(&mut BytesMut::from(long.as_bytes())).expect_err("it has no end"), Malformed::Long);
}

#[test]
fn a_head_behind_others_that_announce_it_is_the_response() {
    let hints = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    let mut came = BytesMut::from(hints.as_bytes());
    assert!(Head::take(&mut came).expect("they are good").is_none());
    came.extend_from_slice(b"HTTP/1.1 200 OK\r\nx-a: 1\r\nX-A: 2\r\n\r\n");
    let head = Head::take(&mut came).expect("it is good").expect("it is whole");
    assert_eq!(head.status, StatusCode::OK);
    assert_eq!(head.headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
}

/// What is read of a body that comes in pieces of so many bytes, and whether its end was among them.
fn read(body: &str, piece: usize) -> Result<(String, bool), Malformed> {
    let (mut framing, mut came, mut read) = (Framing::Chunked(Chunk::Size), BytesMut::new(), String::new());
    for piece in body.as_bytes().chunks(piece) {
        came.extend_from_slice(piece);
        while let Some(data) = framing.take(&mut came)? {
            read.push_str(std::str::from_utf8(&data).expect("ASCII"));
        }
    }
    Ok((read, framing.is_over() && came.is_empty()))
}

#[test]
fn chunks_are_read_however_they_are_cut() {
    let table = [
        ("0\r\n\r\n", "", true),
        ("5\r\nhello\r\n0\r\n\r\n", "hello", true),
        (
            "5\r\nhello\r\n00000000000000000006 ; a=\"b\"\r\n world\r\n0;x\r\nx-late: 1\r\ny: 2\r\n\r\n",
            "hello world",
            true,
        ),
        ("A \r\n0123456789\r\n", "0123456789", false),
        ("5\r\nhel", "hel", false),
        ("5\r\nhello\r\n0\r\n", "hello", false),
    ];
    for (body, expected, is_over) in table {
        for piece in [1, 2, 3, 7, body.len()] {
            assert_eq!(read(body, piece), Ok((expected.to_owned(), is_over)), "{body:?} in pieces of {piece}");
        }
    }
}

#[test]
fn what_is_no_chunk_is_told_before_its_line_ends() {
    let long = format!("0\r\n{}", "x: y\r\n".repeat(MOST_TRAILERS));
    let endless = format!("5;{}", "x".repeat(MOST_LINE));
    let table = [
        "x",
        "\r\n5",
        "5x",
        "5 x",
        "-5",
        "5\nhello",
        "5;\n",
        "5;a\rb",
        "5\r\nhello!",
        "5\r\nhello\n",
        "10000000000000000",
    ];
    for body in table.into_iter().chain([&*long, &*endless]) {
        for piece in [1, body.len()] {
            assert_eq!(
                read(body, piece),
                Err(Malformed::Chunk),
                "{} in pieces of {piece}",
                &body[..body.len().min(20)]
            );
        }
    }
}

#[test]
fn the_last_piece_is_known_where_its_end_came_with_it() {
    let mut framing = Framing::Chunked(Chunk::Size);
    let mut came = BytesMut::from("5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(framing.take(&mut came), Ok(Some(Bytes::from_static(b"hello"))));
    assert!(framing.is_over());
    // What is wrong behind a piece takes nothing from it.
    let mut framing = Framing::Chunked(Chunk::Size);
    let mut came = BytesMut::from("5\r\nhello\r\nworld");
    assert_eq!(framing.take(&mut came), Ok(Some(Bytes::from_static(b"hello"))));
    assert_eq!(framing.take(&mut came), Err(Malformed::Chunk));
}
