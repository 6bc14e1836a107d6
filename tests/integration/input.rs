//! Bad input and wrong places: the right status, a clear message in OpenAI's shape, and a gateway that keeps serving.

use super::harness::{Gateway, gateway, provider};

async fn started() -> Gateway {
    gateway().over([provider("sim-a")]).start().await
}

/// The gateway still answers, and nothing reached a provider meanwhile.
async fn keeps_serving(gateway: &Gateway) {
    assert_eq!(gateway.providers.simulator.total_calls(), 0);
    assert_eq!(gateway.ask("still there?").await.by("sim-a/sim-m").status, 200);
    assert!(gateway.is_idle());
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_a_400_that_names_the_place() {
    let chat = |rest: &str| format!(r#"{{"messages":[{{"role":"user","content":"x"}}]{rest}}}"#);
    let table = [
        (String::new(), "empty"),
        ("  \n".to_owned(), "empty"),
        ("hello".to_owned(), "line 1 column 1"),
        (r#"{"messages":[{"role":"user","conte"#.to_owned(), "line 1 column 34"),
        ("{\"model\":\"auto\",\n \"messages\": [}".to_owned(), "line 2 column 15"),
        ("[]".to_owned(), "object"),
        ("null".to_owned(), "object"),
        ("7".to_owned(), "object"),
        ("\u{FEFF}{}".to_owned(), "line 1"),
        (format!("{} trailing", chat("")), "trailing"),
        ("{}".to_owned(), "`messages` is missing"),
        (r#"{"messages":[]}"#.to_owned(), "`messages` is empty"),
        (r#"{"messages":null}"#.to_owned(), "`messages`"),
        (r#"{"messages":"hi"}"#.to_owned(), "`messages`"),
        (r#"{"messages":[7]}"#.to_owned(), "`messages[0]`"),
        (r#"{"messages":[{"role":"user","content":7}]}"#.to_owned(), "`messages[0].content`"),
        (r#"{"messages":[{"content":"x"}]}"#.to_owned(), "`messages[0].role` is missing"),
        (r#"{"messages":[{"role":"user","content":[{"text":"x"}]}]}"#.to_owned(), "content part"),
        (chat(r#","model":5"#), "`model` must be a string"),
        (chat(r#","stream":"yes""#), "`stream` must be true or false"),
        (chat(r#","stream":1"#), "`stream` must be true or false"),
        (chat(r#","stream_options":"x""#), "`stream_options` must be an object"),
        (chat(r#","max_tokens":-1"#), "`max_tokens` must be a whole number"),
        (chat(r#","max_tokens":1.5"#), "`max_tokens` must be a whole number"),
        (chat(r#","max_tokens":5.5"#), "`max_tokens` must be a whole number"),
        (chat(r#","max_tokens":-5.0"#), "`max_tokens` must be a whole number"),
        (chat(r#","max_completion_tokens":"9""#), "`max_completion_tokens` must be a whole number"),
        (chat(r#","tools":{}"#), "`tools` must be a list"),
        (chat(r#","response_format":"json""#), "`response_format` must be an object"),
        (chat(r#","model_type":7"#), "`model_type` must be a string"),
        (chat(r#","model":"auto","model":"relay""#), "`model` stands twice"),
        (chat(r#","seed":1,"\u0073eed":2"#), "`seed` stands twice"),
        ("{\"messages\":[{\"role\":\"user\",\"content\":\"\u{7}\"}]}".to_owned(), "control character"),
        (format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000)), "object"),
    ];
    let gateway = started().await;
    for (body, saying) in table {
        let reply = gateway.post(body.clone()).await;
        let shown: String = body.chars().take(100).collect();
        assert_eq!(reply.status, 400, "{shown}: {}", reply.text());
        reply.refused(400, "invalid_request").saying(saying);
        assert_eq!(reply.json()["error"]["type"], "invalid_request_error");
        assert!(reply.header("x-request-id").is_some());
    }
    for bytes in [&b"{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}"[..], b"\xff\xfe", b"\0"] {
        gateway.post(bytes).await.refused(400, "invalid_request");
    }
    keeps_serving(&gateway).await;
}

#[tokio::test]
async fn a_field_nested_a_hundred_thousand_deep_overflows_nothing() {
    let gateway = started().await;
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    let deep = format!(r#"{{"messages":[{{"role":"user","content":"x"}}],"x":{open}1{close}}}"#);
    gateway.post(deep).await.by("sim-a/sim-m");
    let parts = format!(r#"{{"messages":[{{"role":"user","content":{open}1{close}}}]}}"#);
    gateway.post(parts).await.refused(400, "invalid_request");
}

#[tokio::test]
async fn a_wrong_field_is_named_in_param() {
    let gateway = started().await;
    for (body, param) in [
        (r#"{"model":"auto"}"#, "messages"),
        (r#"{"messages":[]}"#, "messages"),
        (r#"{"stream":1,"messages":[{"role":"user","content":"x"}]}"#, "stream"),
        (r#"{"seed":1,"seed":2,"messages":[{"role":"user","content":"x"}]}"#, "seed"),
    ] {
        assert_eq!(gateway.post(body).await.json()["error"]["param"], param, "{body}");
    }
}

#[tokio::test]
async fn a_mistake_of_megabytes_is_told_in_few_words_and_soon() {
    let gateway = started().await;
    let long = "m".repeat(4_000_000);
    let fields = |more: String| format!(r#"{{"messages":[{{"role":"user","content":"x"}}],{more}}}"#);
    for (body, status, saying) in [
        (fields(format!(r#""model":"{long}""#)), 404, "mm…mm"),
        (fields(format!(r#""model_type":"{long}""#)), 400, "must be one of: text"),
        (fields(format!(r#""model_scale":"{long}""#)), 400, "must be one of: large"),
        (fields(format!(r#""model_name":"{long}""#)), 400, "there is: sim-m"),
        (fields(format!(r#""stream":"{long}""#)), 400, "`stream` must be true or false"),
        (fields(format!(r#""{long}":1,"{long}":2"#)), 400, "mm…mm"),
        (format!("\"{long}\""), 400, "invalid type: string"),
    ] {
        let started = std::time::Instant::now();
        let reply = gateway.post(body).await;
        let took = started.elapsed();
        assert_eq!(reply.status, status, "{saying}");
        assert!(reply.text().len() < 5_000, "{saying}: {}", reply.text().len());
        assert!(took < std::time::Duration::from_secs(3), "{saying}: {took:?}");
        assert!(reply.text().contains(saying), "{saying}: {}", reply.text());
    }
    keeps_serving(&gateway).await;
}

#[tokio::test]
async fn a_header_with_a_bad_value_is_refused_by_its_name() {
    let gateway = started().await;
    for (name, value, saying) in [
        ("x-relay-wait", "soon", "30s"),
        ("x-relay-wait", "-1s", "30s"),
        ("x-relay-wait", "", "30s"),
        ("x-relay-wait", "99999999999999999999h", "30s"),
        ("x-relay-strategy", "cheapest", "round-robin"),
    ] {
        gateway.ask("hello").header(name, value).await.refused(400, "invalid_header").saying(name).saying(saying);
    }
    keeps_serving(&gateway).await;
}

#[tokio::test]
async fn a_hundred_megabytes_are_refused_and_the_gateway_keeps_serving() {
    const MEGABYTE: usize = 1 << 20;
    let gateway = started().await;
    let mut socket = gateway.request("POST", "/v1/chat/completions").begin_with_length(100 * MEGABYTE).await;
    let piece = vec![b' '; MEGABYTE];
    for _ in 0..100 {
        // The gateway may close early, once it has said why.
        if socket.try_write(&piece).await.is_err() {
            break;
        }
    }
    let refusal = socket.read_until("request_too_large").await;
    assert!(refusal.starts_with("HTTP/1.1 413 ") && refusal.contains("application/json"), "{refusal}");
    keeps_serving(&gateway).await;
}

#[tokio::test]
async fn a_client_that_asks_whether_to_send_far_too_much_is_told_no() {
    let gateway = started().await;
    let asking = gateway.request("POST", "/v1/chat/completions").header("expect", "100-continue");
    let mut socket = asking.begin_with_length(99_999_999_999).await;
    let refusal = socket.read_until("request_too_large").await;
    assert!(refusal.starts_with("HTTP/1.1 413 "), "{refusal}");
    keeps_serving(&gateway).await;
}

#[tokio::test]
async fn the_largest_body_is_a_setting_and_exact() {
    let gateway = gateway().over([provider("sim-a")]).config("[server]\nmax_body = \"1KiB\"\n").start().await;
    let head = r#"{"messages":[{"role":"user","content":""#;
    let tail = r#""}],"max_tokens":5}"#;
    let of_length = |length: usize| format!("{head}{}{tail}", "x".repeat(length - head.len() - tail.len()));
    assert_eq!(gateway.post(of_length(1024)).await.status, 200);
    gateway.post(of_length(1025)).await.refused(413, "request_too_large").saying("1024");
    gateway.post(of_length(20_000)).await.refused(413, "request_too_large");
    gateway.post(of_length(1024)).await.by("sim-a/sim-m");
}

#[tokio::test]
async fn wrong_methods_and_places_are_told_as_errors_too() {
    let gateway = started().await;
    for (method, path) in [
        ("GET", "/v1/chat/completions"),
        ("PUT", "/v1/chat/completions"),
        ("DELETE", "/v1/chat/completions"),
        ("POST", "/v1/models"),
        ("DELETE", "/v1/models/sim-a/sim-m"),
        ("POST", "/health"),
    ] {
        gateway.request(method, path).await.refused(405, "method_not_allowed").saying(method).saying(path);
    }
    let has = "relay has `/v1/chat/completions`";
    let chats = "`/v1/chat/completions` is meant: the base URL";
    for (method, path, saying) in [
        ("GET", "/", has),
        ("GET", "/v1", has),
        ("POST", "/v1/completions", "`/v1/models`: send the prompt as a message"),
        ("POST", "/v1/responses", "set_default_openai_api(\"chat_completions\")"),
        ("GET", "/responses/resp_1", "have the client use chat completions"),
        ("POST", "/v1/messages", "Anthropic's API"),
        ("POST", "/v1/embeddings", "elsewhere"),
        ("POST", "/v1/audio/speech", has),
        ("GET", "/v1/modelsx", has),
        ("POST", "/chat/completions", chats),
        ("POST", "/v1/v1/chat/completions", chats),
        ("POST", "/v1/chat/completions/", chats),
        ("GET", "//v1/models", "`/v1/models` is meant"),
    ] {
        gateway.request(method, path).await.refused(404, "not_found").saying(path).saying(saying);
    }
    keeps_serving(&gateway).await;
}

#[tokio::test]
async fn every_answer_has_a_name_of_its_own() {
    let gateway = gateway().over([provider("sim-a")]).key("s3cret").start().await;
    let mut names = std::collections::HashSet::new();
    for (method, path) in [
        ("GET", "/v1/models"),
        ("GET", "/v1/models/nobody"),
        ("POST", "/v1/route"),
        ("GET", "/v1/usage"),
        ("DELETE", "/v1/models"),
        ("GET", "/v1/chat/completions"),
        ("POST", "/v1/chat/completions"),
        ("HEAD", "/livez"),
        ("GET", "/nothing"),
    ] {
        for asking in [gateway.request(method, path), gateway.request(method, path).key("s3cret")] {
            let reply = asking.header("x-request-id", "the-clients-own").await;
            let name = reply.header("x-request-id").unwrap_or_else(|| panic!("{method} {path}: no name"));
            assert_eq!(name.len(), 32, "{method} {path}");
            assert!(names.insert(name.to_owned()), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_known_place_tells_which_methods_it_takes() {
    let gateway = started().await;
    for (path, allowed) in [
        ("/v1/chat/completions", "POST"),
        ("/v1/route", "POST"),
        ("/v1/models", "GET,HEAD"),
        ("/v1/models/sim-a/sim-m", "GET,HEAD"),
        ("/v1/usage", "GET,HEAD"),
        ("/health", "GET,HEAD"),
        ("/livez", "GET,HEAD"),
        ("/readyz", "GET,HEAD"),
        ("/metrics", "GET,HEAD"),
    ] {
        for method in ["OPTIONS", "PATCH"] {
            let reply = gateway.request(method, path).await;
            assert_eq!((reply.status, reply.header("allow")), (405, Some(allowed)), "{method} {path}");
        }
        let head = gateway.request("HEAD", path).await;
        let status = if allowed == "POST" { 405 } else { 200 };
        assert_eq!((head.status, head.text().as_str()), (status, ""), "HEAD {path}");
        assert!(status == 200 || head.header("allow") == Some(allowed), "HEAD {path}");
    }
    gateway.request("OPTIONS", "/nothing").await.refused(404, "not_found");
}

#[tokio::test]
async fn a_compressed_body_is_refused_as_that() {
    let gateway = started().await;
    for encoding in ["gzip", "br, identity"] {
        let reply = gateway.post("\x1f\x08").header("content-encoding", encoding).await;
        reply.refused(415, "unsupported_encoding").saying(encoding);
    }
    gateway.ask("hello").header("content-encoding", "Identity").await.by("sim-a/sim-m");
}

#[tokio::test]
async fn a_body_that_breaks_off_harms_nobody() {
    let gateway = started().await;
    let mut socket = gateway.request("POST", "/v1/chat/completions").begin_with_length(1000).await;
    socket.write(b"{\"messages\":").await;
    drop(socket);
    let mut socket = gateway.request("POST", "/v1/chat/completions").begin_with_length(0).await;
    socket.read_until("invalid_request").await;
    keeps_serving(&gateway).await;
}

#[tokio::test]
async fn the_state_of_the_gateway_is_told() {
    let gateway = started().await;
    for path in ["/livez", "/readyz"] {
        assert_eq!((gateway.get(path).await.status, gateway.get(path).await.text().as_str()), (200, "ok\n"), "{path}");
    }
    let health = gateway.get("/health").await.json();
    let told = ["status", "version"].map(|name| health[name].as_str().unwrap_or_default().to_owned());
    assert_eq!(told, ["ok", env!("CARGO_PKG_VERSION")]);
    let counts = ["providers", "routes", "available", "in_flight"].map(|name| health[name].as_u64());
    assert_eq!(counts, [Some(1), Some(1), Some(1), Some(0)]);
    gateway.served.start_draining();
    assert_eq!(gateway.get("/readyz").await.status, 503);
    assert_eq!(gateway.get("/livez").await.status, 200);
    assert_eq!(gateway.get("/health").await.json()["status"], "draining");
}
