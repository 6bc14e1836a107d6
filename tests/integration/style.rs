//! One voice over the gateway: who is asked for it, what is cleaned, and what keeps its bytes.

use relay::sim::Act;
use serde_json::{Value, json};

use super::harness::{gateway, provider, says};

const TOOLS: &str = r#"[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]"#;

fn system(call: &relay::sim::Call) -> Option<String> {
    let body: Value = serde_json::from_slice(&call.body).expect("JSON");
    let first = &body["messages"][0];
    (first["role"] == "system").then(|| first["content"].as_str().expect("a text").to_owned())
}

#[tokio::test]
async fn the_directive_joins_chats_whose_model_relay_chooses() {
    let tools: Value = serde_json::from_str(TOOLS).expect("JSON");
    let schema = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}});
    let with_system = json!([{"role": "system", "content": "Rhyme."}, {"role": "user", "content": "hi"}]);
    let gateway = gateway()
        .over([provider("sim-a").answers(vec![says("ok"); 9])])
        .config("[style]\ndirective = \"Be plain.\"\n")
        .start()
        .await;
    let asked = [
        (gateway.ask("hi"), Some("Be plain.")),
        (gateway.ask("hi").with("messages", with_system), Some("Be plain.\n\nRhyme.")),
        (gateway.ask("hi").model("sim-a/sim-m"), None),
        (gateway.ask("hi").with("tools", tools.clone()), None),
        (gateway.ask("hi").with("response_format", schema), None),
        (gateway.ask("hi").header("x-use-serverside-system-prompt", "False"), None),
        (gateway.ask("hi").header("x-relay-style", "off"), None),
        (gateway.ask("hi").header("x-relay-style", "on").with("tools", tools), Some("Be plain.")),
        (gateway.ask("hi").header("x-relay-style", "on").model("sim-a/sim-m"), Some("Be plain.")),
    ];
    let mut expected = Vec::new();
    for (asking, system) in asked {
        assert_eq!(asking.await.status, 200);
        expected.push(system.map(str::to_owned));
    }
    assert_eq!(gateway.providers.chats("sim-a").iter().map(system).collect::<Vec<_>>(), expected);
    gateway.ask("hi").header("x-relay-style", "loud").await.refused(400, "invalid_header").saying("x-relay-style");
}

#[tokio::test]
async fn openers_thoughts_and_open_fences_are_cleaned_whole_and_streamed() {
    let text = "<think>Easy.</think>\n\nCertainly! Here's the code:\n\n```sh\nls\n\n\n\npwd";
    for streamed in [false, true] {
        let gateway = gateway().over([provider("sim-a").answers([says(text), says(text), says(text)])]).start().await;
        let reply = gateway.ask("hi").streamed_if(streamed).await;
        reply.is("```sh\nls\n\n\n\npwd\n```");
        assert!(
            reply.text().contains("\"reasoning_content\":\"Easy.\"")
                || streamed && reply.text().contains("reasoning_content"),
            "{}",
            reply.text()
        );
        gateway.ask("hi").streamed_if(streamed).header("x-relay-style", "off").await.is(text);
        let named = gateway.ask("hi").streamed_if(streamed).model("sim-a/sim-m").await;
        named.is("Certainly! Here's the code:\n\n```sh\nls\n\n\n\npwd");
    }
}

#[tokio::test]
async fn an_answer_that_ends_where_the_caller_said_is_not_gone_on_with_and_keeps_its_opener() {
    let answer = "Sure! Here is the code:\n\n\n```python\nx = 1\n";
    let gateway = gateway().over([provider("sim-a").answers([says(answer), says(answer)])]).start().await;
    gateway.ask("code").with("stop", json!(["```"])).await.is(answer);
    gateway.ask("code").streamed().with("stop", json!(["```"])).await.is(answer);
    assert!(gateway.providers.chats("sim-a").iter().all(|call| system(call).is_none()));
}

#[tokio::test]
async fn behind_the_opener_a_stream_is_the_providers_bytes() {
    let chunk =
        |text: &str| format!("data: {{\"id\":1e30,  \"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
    let rest = format!("{}{}", chunk(" is\\u0020 big. "), chunk("Very.\\n\\n"));
    let end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"x\":-0}\n\ndata: [DONE]\n\n";
    let stream = format!("{}{}{}{rest}{end}", chunk("Sure"), chunk(" thing!"), chunk(" Paris"));
    for piece in [1, 7, 64, 4096] {
        let gateway =
            gateway().over([provider("sim-a").answers([Act::raw_stream(stream.clone(), piece)])]).start().await;
        let got = gateway.ask("hi").streamed().await;
        got.is("Paris is  big. Very.\n\n");
        assert!(got.text().ends_with(&format!("{rest}{end}")), "{}", got.text());
    }
    let plain = format!("{}{}{rest}{end}", chunk("He"), chunk("re we are"));
    let gateway = gateway().over([provider("sim-a").answers([Act::raw_stream(plain.clone(), 5)])]).start().await;
    assert_eq!(gateway.ask("hi").streamed().await.text(), plain, "no opener: every byte");
}

#[tokio::test]
async fn json_mode_gives_json() {
    let broken = "Here is the JSON:\n```json\n{'name': 'Ada', \"age\": 36,}\n```\nAnything else?";
    for (streamed, model) in [(false, "meta-model"), (true, "meta-model"), (true, "sim-a/sim-m")] {
        let gateway = gateway().over([provider("sim-a").answers([says(broken)])]).start().await;
        let asking = gateway.ask("hi").model(model).streamed_if(streamed);
        let reply = asking.with("response_format", json!({"type": "json_object"})).await;
        reply.is("{\"name\": \"Ada\", \"age\": 36}");
    }
}

#[tokio::test]
async fn an_opener_whose_end_does_not_come_is_told_soon() {
    let gateway = gateway()
        .over([provider("sim-a").answers([Act::Stall { after: 2 }])])
        .config("[timeouts]\nidle = \"2s\"\n")
        .start()
        .await;
    let reply = gateway.ask("hi").streamed().await;
    assert!(!reply.answer().is_empty(), "{}", reply.text());
}

#[tokio::test]
async fn an_answer_that_breaks_off_shows_what_there_was_of_it() {
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"Certainly\"}}]}\n\n";
    let config = "[style]\ncontinue_cut_streams = false\n";
    let gateway =
        gateway().over([provider("sim-a").answers([Act::raw_stream(stream, 500)])]).config(config).start().await;
    let reply = gateway.ask("hi").streamed().await;
    assert!(reply.text().starts_with(stream) && reply.text().contains("upstream_cut"), "{}", reply.text());
}

#[tokio::test]
async fn nothing_is_cleaned_where_the_user_says_so() {
    let gateway = gateway()
        .over([provider("sim-a").answers([says("Certainly! Paris.")])])
        .config("[style]\nnormalize = false\n")
        .start()
        .await;
    gateway.ask("hi").await.is("Certainly! Paris.");
    assert!(system(&gateway.providers.only_chat("sim-a")).is_some());
}
