//! Providers whose bytes are no good HTTP, or good HTTP of a strange kind: the caller sees an answer, and nothing runs over into the next.

use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use serde_json::json;

use super::harness::{Gateway, Reply, Then, Upstream, eventually, gateway, provider, says};

const WHOLE: &str = "{\"id\":\"x\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\
    \"message\":{\"role\":\"assistant\",\"content\":\"strange\"},\"finish_reason\":\"stop\"}]}";

/// Gateways at a time: those of silent providers wait.
const AT_A_TIME: usize = 8;

/// An event with this text, and the end if there is none.
fn event(text: &str) -> String {
    let finish = if text.is_empty() { "\"stop\"" } else { "null" };
    format!(
        "data: {{\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\"choices\":[{{\"index\":0,\
         \"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":{finish}}}]}}\n\n"
    )
}

fn events() -> String {
    [&event("strange"), &event(""), "data: [DONE]\n\n"].concat()
}

/// A response with these header lines.
fn response(headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\n{headers}\r\n{body}").into_bytes()
}

fn sized(headers: &str, body: &str) -> Vec<u8> {
    response(&format!("{headers}content-length: {}\r\n", body.len()), body)
}

fn chunked(body: &str) -> Vec<u8> {
    response("transfer-encoding: chunked\r\n", &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()))
}

/// A gateway whose first provider answers so, and whose second says `hi`.
async fn before(answer: Vec<u8>, then: Then) -> (Gateway, Upstream) {
    let upstream = Upstream::start(answer, then).await;
    let fakes = [provider("sim-a"), provider("sim-b").spec(|spec| spec.opening([says("hi"), says("hi"), says("hi")]))];
    let config = "[timeouts]\nfirst_event = \"1s\"\nidle = \"1s\"\n[style]\nmode = \"off\"\n";
    (gateway().over(fakes).config(config).elsewhere("sim-a", upstream.address).start().await, upstream)
}

/// Good answers, if strange: as a whole and as a stream.
fn tolerable() -> Vec<(&'static str, [Vec<u8>; 2])> {
    let both = |make: &dyn Fn(&str) -> Vec<u8>| [make(WHOLE), make(&events())];
    let after = |head: &str, body: &str| [head.as_bytes(), &sized("", body)].concat();
    vec![
        ("says gzip and is none", both(&|body| sized("content-encoding: gzip\r\n", body))),
        ("says it is a web page", both(&|body| sized("content-type: text/html\r\n", body))),
        ("has no length", both(&|body| response("connection: close\r\n", body))),
        ("in chunks", both(&chunked)),
        (
            "in chunks with extensions and trailers",
            both(&|body| {
                let size = body.len();
                response("transfer-encoding: chunked\r\n", &format!("{size:x};a=b\r\n{body}\r\n0\r\nx-late: 1\r\n\r\n"))
            }),
        ),
        ("after early hints", both(&|body| after("HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", body))),
        ("after `100 Continue`, twice", both(&|body| after(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(2), body))),
        ("with a header of 50 KB", both(&|body| sized(&format!("x-long: {}\r\n", "x".repeat(50_000)), body))),
        ("with more headers than one counts", both(&|body| sized(&"set-cookie: a=b\r\n".repeat(90), body))),
        (
            "with a status line without words",
            both(&|body| format!("HTTP/1.1 200\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()),
        ),
        ("as HTTP/1.0", both(&|body| format!("HTTP/1.0 200 OK\r\n\r\n{body}").into_bytes())),
        ("with a byte order mark", [sized("", WHOLE), sized("", &format!("\u{feff}{}", events()))]),
        ("as a whole, whatever was asked for", both(&|_| sized("content-type: application/json\r\n", WHOLE))),
        ("as a whole on several lines", both(&|_| chunked(&format!("\n\n{}\n\n", WHOLE.replace(',', ",\r\n "))))),
        (
            "under the other's name",
            [WHOLE.replace("message", "delta"), events().replace("delta", "message")].map(|it| sized("", &it)),
        ),
        ("with more behind its end", [sized("", &format!("{WHOLE}\n\n")), sized("", &events().repeat(2))]),
    ]
}

#[tokio::test]
async fn strange_but_good_answers_are_taken() {
    for (what, answers) in tolerable() {
        for (answer, streamed) in answers.into_iter().zip([false, true]) {
            let (gateway, upstream) = before(answer, Then::Close).await;
            for _ in 0..2 {
                let reply = gateway.ask("hello").streamed_if(streamed).await;
                let what = format!("{what}, streamed: {streamed}: {}", reply.text());
                assert_eq!((reply.status, reply.header("x-relay-route")), (200, Some("sim-a/sim-m")), "{what}");
                assert_eq!((reply.complete, reply.answer().as_str()), (true, "strange"), "{what}");
                assert!(!streamed || reply.text().matches("[DONE]").count() == 1, "{what}");
            }
            assert_eq!(upstream.connections(), 2);
            eventually("all is settled", || gateway.is_idle()).await;
        }
    }
}

/// No answers, or answers that break off before a word of theirs has gone on.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let head = |lines: &str| response(lines, "");
    let gzip =
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 10\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
    let garbled =
        [&head("content-length: 60\r\n")[..], b"{\"choices\":[{\"message\":{\"content\":\"", &[0xff; 20], b"\"}}]}xx"]
            .concat();
    let status = |line: &str| format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n").into_bytes();
    vec![
        ("nothing", Vec::new()),
        ("half a status line", b"HTTP/1.1 20".to_vec()),
        ("half a head", b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        ("a head and no body", head("content-length: 100\r\n")),
        ("a head and no chunk", head("transfer-encoding: chunked\r\n")),
        ("another protocol", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        ("another HTTP", b"HTTP/2.0 200 OK\r\n\r\n".to_vec()),
        (
            "a protocol nobody asked for",
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_vec(),
        ),
        ("a header that is none", head("x bad\u{0}: 1\r\n")),
        ("more headers than anybody reads", sized(&"x: y\r\n".repeat(2_000), WHOLE)),
        ("a head that does not end", format!("HTTP/1.1 200 OK\r\nx-long: {}", "x".repeat(2_000_000)).into_bytes()),
        ("a header of 200 KB", sized(&format!("x-long: {}\r\n", "x".repeat(200_000)), WHOLE)),
        ("two lengths", sized("content-length: 5\r\n", WHOLE)),
        ("a negative length", response("content-length: -5\r\n", WHOLE)),
        ("a length beyond counting", response("content-length: 99999999999999999999999\r\n", WHOLE)),
        ("a length too short", response(&format!("content-length: {}\r\n", WHOLE.len() - 9), WHOLE)),
        ("a length too long", response(&format!("content-length: {}\r\n", WHOLE.len() + 9), &WHOLE[..90])),
        ("a chunk of no size", response("transfer-encoding: chunked\r\n", &format!("zz\r\n{WHOLE}\r\n0\r\n\r\n"))),
        (
            "a chunk beyond counting",
            response("transfer-encoding: chunked\r\n", &format!("{}\r\n{WHOLE}", "f".repeat(20))),
        ),
        (
            "a chunk longer than it says",
            response("transfer-encoding: chunked\r\n", &format!("5\r\n{WHOLE}\r\n0\r\n\r\n")),
        ),
        ("an encoding nobody asked for", gzip),
        ("no UTF-8", garbled),
        ("a web page", sized("content-type: application/json\r\n", "<html><body>Sign in</body></html>")),
        ("no content", status("204 No Content")),
        ("a page that has not changed", status("304 Not Modified")),
        ("a choice of places", status("300 Multiple Choices")),
        ("a status that does not exist", status("999 What")),
        ("an event of 17 MB without an end", sized("", &format!("data: {}", "x".repeat(17_000_000)))),
    ]
}

/// The answer of the second provider, and none of the first in it.
fn is_made_up_for(reply: &Reply) -> Result<(), String> {
    let trail = reply.header("x-relay-trail").unwrap_or_default();
    let is_answer =
        reply.status == 200 && reply.complete && reply.answer() == "hi" && trail.starts_with("sim-a/sim-m=");
    let is_one = !reply.is_stream() || reply.text().matches("[DONE]").count() == 1;
    if is_answer && is_one { Ok(()) } else { Err(format!("{} after `{trail}`: {}", reply.status, reply.text())) }
}

async fn trial(what: &str, answer: Vec<u8>, streamed: bool, then: Then) -> Result<(), String> {
    let what = format!("{what}, streamed: {streamed}, {then:?}");
    let (gateway, _upstream) = before(answer, then).await;
    let reply = gateway.ask("hello").streamed_if(streamed).await;
    eventually("all is settled", || gateway.is_idle()).await;
    is_made_up_for(&reply).map_err(|why| format!("{what}: {why}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_answer_are_made_up_for() {
    let mut trials = Vec::new();
    for (what, answer) in broken() {
        for streamed in [false, true] {
            trials.extend([Then::Close, Then::Stay].map(|then| trial(what, answer.clone(), streamed, then)));
        }
    }
    let results: Vec<Result<(), String>> = stream::iter(trials).buffer_unordered(AT_A_TIME).collect().await;
    let wrong: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{}: {wrong:#?}", wrong.len());
}

#[tokio::test]
async fn what_follows_an_answer_is_nobodys_answer() {
    let smuggled = sized("", &WHOLE.replace("strange", "smuggled"));
    let short = [&sized("", WHOLE)[..], &smuggled].concat();
    let in_chunks = [&chunked(WHOLE)[..], &smuggled].concat();
    for answer in [short, in_chunks] {
        let (gateway, upstream) = before(answer, Then::Stay).await;
        for number in 1..=3 {
            gateway.ask("hello").await.is("strange").by("sim-a/sim-m");
            assert_eq!(upstream.connections(), number, "a connection on which too much came is not used again");
        }
    }
}

#[tokio::test]
async fn a_connection_that_its_provider_has_closed_is_not_used_again() {
    let (gateway, upstream) = before(sized("", WHOLE), Then::Close).await;
    for number in 1..=5 {
        gateway.ask("hello").await.is("strange").by("sim-a/sim-m").after("");
        assert_eq!(upstream.connections(), number);
        // Its end arrives before the next request is made.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_request_that_a_kept_connections_end_crossed_goes_out_once_more() {
    let upstream = Upstream::start(sized("", WHOLE), Then::Leave(0)).await;
    let gateway = gateway().over([provider("sim-a")]).elsewhere("sim-a", upstream.address).start().await;
    for (number, trail) in [(1, ""), (2, "sim-a/sim-m=reset"), (3, "sim-a/sim-m=reset")] {
        gateway.ask("hello").await.is("strange").after(trail);
        assert_eq!(upstream.connections(), number);
    }
    eventually("all is settled", || gateway.is_idle()).await;
    let totals = gateway.get("/v1/usage").await.json()["totals"].clone();
    assert_eq!((&totals["ok"], &totals["errors"]), (&json!(3), &json!(2)), "what may have been looked at is counted");
}

#[tokio::test]
async fn of_several_kept_connections_that_have_ended_a_request_meets_one() {
    let upstream = Upstream::start(sized("", WHOLE), Then::Leave(0)).await;
    let gateway = gateway().over([provider("sim-a")]).elsewhere("sim-a", upstream.address).start().await;
    let ask = async || gateway.ask("hello").await;
    tokio::join!(ask(), ask(), ask(), ask());
    assert_eq!(upstream.connections(), 4);
    ask().await.is("strange").after("sim-a/sim-m=reset");
    assert_eq!(upstream.connections(), 5);
}

#[tokio::test]
async fn a_request_that_was_thought_about_goes_out_no_second_time() {
    let (gateway, upstream) = before(sized("", WHOLE), Then::Leave(1_100)).await;
    gateway.ask("hello").await.is("strange").by("sim-a/sim-m");
    assert_eq!(is_made_up_for(&gateway.ask("hello").await), Ok(()));
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn whoever_only_says_that_it_still_works_is_late_like_one_that_says_nothing() {
    let head = |lines: &str| format!("HTTP/1.1 200 OK\r\n{lines}connection: close\r\n\r\n");
    let table = [
        (String::new(), "HTTP/1.1 100 Continue\r\n\r\n", false),
        ("HTTP/1.1 200 OK\r\n".to_owned(), "x-more: 1\r\n", false),
        (head(""), " ", false),
        (head("content-type: text/event-stream\r\n"), ": still here\n\n", true),
        (head("content-type: text/event-stream\r\n"), "data: {\"choices\":[{\"delta\":{\"content\":\"\"}}]}\n\n", true),
    ];
    for (answer, drip, streamed) in table {
        let (gateway, _upstream) = before(answer.into_bytes(), Then::Drip(drip)).await;
        let started = Instant::now();
        let reply = gateway.ask("hello").streamed_if(streamed).await;
        assert_eq!(is_made_up_for(&reply), Ok(()), "{drip}");
        assert!(started.elapsed() < Duration::from_secs(3), "{drip}: {:?}", started.elapsed());
        eventually("its call is cancelled", || gateway.is_idle()).await;
    }
}

#[tokio::test]
async fn an_event_of_five_megabytes_goes_on_whole() {
    let long = "word ".repeat(1_000_000);
    let answer = [&event(&long), &event(""), "data: [DONE]\n\n"].concat();
    let (gateway, _upstream) = before(sized("", &answer), Then::Close).await;
    let reply = gateway.ask("hello").streamed().await;
    assert!(reply.answer() == long && reply.header("x-relay-route") == Some("sim-a/sim-m"));
}

/// Python's own client of OpenAI hangs up at the marker.
#[tokio::test]
async fn an_answer_is_over_at_its_marker_whenever_its_response_ends() {
    let events = events();
    let open = response("transfer-encoding: chunked\r\n", &format!("{:x}\r\n{events}\r\n", events.len()));
    let (gateway, upstream) = before(open, Then::Late("0\r\n\r\n", 500)).await;
    for hangs_up in [true, true, false] {
        let started = Instant::now();
        let mut socket = gateway.ask("hello").streamed().begin().await;
        socket.read_until("[DONE]").await;
        if !hangs_up {
            socket.read_until("0\r\n\r\n").await;
            assert!(started.elapsed() < Duration::from_millis(400), "{:?}", started.elapsed());
        }
        drop(socket);
        eventually("it is settled", || gateway.is_idle()).await;
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    assert_eq!(gateway.get("/v1/usage").await.json()["totals"]["ok"], 3);
    assert_eq!(upstream.connections(), 1, "it is used again");
}

#[tokio::test]
async fn a_marker_before_any_word_is_no_answer_whenever_its_response_ends() {
    let done = "data: [DONE]\n\n";
    let open = response("transfer-encoding: chunked\r\n", &format!("{:x}\r\n{done}\r\n", done.len()));
    let (gateway, _upstream) = before(open, Then::Stay).await;
    let started = Instant::now();
    assert_eq!(is_made_up_for(&gateway.ask("hello").streamed().await), Ok(()));
    assert!(started.elapsed() < Duration::from_millis(500), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_stream_that_breaks_in_any_of_these_ways_is_gone_on_with() {
    let begun = event("One two");
    let in_chunk = format!("{:x}\r\n{begun}\r\n", begun.len());
    let table = [
        ("a length too long", response("content-length: 9999\r\n", &begun), Then::Close),
        ("no end", response("connection: close\r\n", &begun), Then::Close),
        ("a chunk of no size", response("transfer-encoding: chunked\r\n", &in_chunk), Then::Drip("zz\r\n")),
        ("no last chunk", response("transfer-encoding: chunked\r\n", &in_chunk), Then::Close),
        ("half an event", response("connection: close\r\n", &format!("{begun}data: {{\"choi")), Then::Close),
        ("nothing but comments", response("connection: close\r\n", &begun), Then::Drip(": still here\n\n")),
        ("nothing but blank lines", response("connection: close\r\n", &begun), Then::Drip("\n\n")),
        (
            "nothing but pings",
            response("connection: close\r\n", &begun),
            Then::Drip("event: ping\ndata: {\"type\":\"ping\"}\n\n"),
        ),
        ("an event that is none", response("connection: close\r\n", &begun), Then::Drip("data: <html>\n\n")),
        ("a web page", response("connection: close\r\n", &begun), Then::Drip("data: {\"choi\n\n<html>\n\n")),
    ];
    for (what, answer, then) in table {
        let upstream = Upstream::start(answer, then).await;
        let fakes = [provider("sim-a"), provider("sim-b").answers([says(" three.")])];
        let silence = "[timeouts]\nidle = \"1s\"\n";
        let gateway = gateway().over(fakes).config(silence).elsewhere("sim-a", upstream.address).start().await;
        let reply = gateway.ask("count").streamed().await;
        assert_eq!(reply.answer(), "One two three.", "{what}: {}", reply.text());
        assert!(reply.text().matches("[DONE]").count() == 1 && !reply.text().contains("\"error\""), "{what}");
        eventually("all is settled", || gateway.is_idle()).await;
    }
}
