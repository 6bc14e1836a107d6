//! Strict fakes of the nine first providers take everything a client may send, and none of it is refused.

use relay::sim::{Act, Persona, ProviderSpec};
use serde_json::{Value, json};

use super::harness::{Gateway, Reply, gateway, provider, says};

/// A gateway over one persona, and what went wrong so far.
struct Trial {
    gateway: Gateway,
    id: String,
    models: Vec<String>,
    wrong: Vec<String>,
}

impl Trial {
    async fn of(persona: Persona) -> Self {
        let spec = ProviderSpec::impersonating(persona);
        let (id, models) = (spec.id.clone(), spec.models.iter().map(|model| model.id.clone()).collect());
        let gateway = gateway().over([provider(&id).spec(|_| spec)]).start().await;
        Self { gateway, id, models, wrong: Vec::new() }
    }

    /// Asks the model for these fields and wants a 200; `act` is what it does then.
    async fn ask(&mut self, what: &str, model: &str, act: Option<Act>, fields: &Value) -> Option<Reply> {
        let rejected = self.gateway.providers.simulator.rejections(&self.id).len();
        self.gateway.providers.simulator.script(&self.id, act);
        let mut asking = self.gateway.ask("hello").model(&format!("{}/{model}", self.id));
        for (name, value) in fields.as_object().expect("fields") {
            asking = asking.with(name, value.clone());
        }
        let reply = asking.await;
        // A refused request leaves its act to the next one.
        self.gateway.providers.simulator.unscript(&self.id);
        let rejections = self.gateway.providers.simulator.rejections(&self.id).split_off(rejected);
        if reply.status == 200 && rejections.is_empty() {
            return Some(reply);
        }
        self.wrong.push(format!(
            "{model}: {what}: {} {rejections:?} {}",
            reply.status,
            reply.text().chars().take(200).collect::<String>()
        ));
        None
    }

    fn check(&mut self, what: &str, model: &str, holds: bool, reply: &Reply) {
        if !holds {
            let text: String = reply.text().chars().take(400).collect();
            self.wrong.push(format!("{model}: {what}: {text}"));
        }
    }

    fn end(self) {
        let cut = self.gateway.providers.simulator.calls(&self.id).iter().filter(|call| call.notes.truncated).count();
        assert!(self.wrong.is_empty(), "{} of {}:\n{}", self.wrong.len(), self.id, self.wrong.join("\n"));
        assert_eq!(cut, 0, "prompts were cut in silence");
    }

    async fn says_words(&mut self, model: &str) {
        let long = "word ".repeat(400);
        for stream in [false, true] {
            for words in ["It scatters.", long.trim_end()] {
                let fields = json!({"stream": stream});
                let Some(reply) = self.ask("words", model, Some(says(words)), &fields).await else { continue };
                self.check("words", model, reply.answer() == words, &reply);
            }
        }
    }

    async fn thinks(&mut self, model: &str) {
        for stream in [false, true] {
            let act = Act::think("Blue, hm.", says("Rayleigh"));
            let Some(reply) = self.ask("thoughts", model, Some(act), &json!({"stream": stream})).await else {
                continue;
            };
            self.check("thoughts stay out of the answer", model, reply.answer() == "Rayleigh", &reply);
        }
    }

    /// A call or two, streamed or not, and the second turn with what the client got.
    async fn uses_tools(&mut self, model: &str) {
        for (stream, count) in [(false, 1), (true, 1), (false, 2), (true, 2)] {
            let calls = (0..count).map(|n| ("weather", json!({"city": format!("City {n}")})));
            let act = Act::think("They ask for weather.", Act::tools(calls));
            let what = format!("{count} calls, streamed: {stream}");
            let fields = json!({"stream": stream, "tools": tools()});
            let Some(reply) = self.ask(&what, model, Some(act), &fields).await else { continue };
            let assistant = if stream { assembled(&reply) } else { reply.json()["choices"][0]["message"].clone() };
            let arguments: Vec<&str> = calls_of(&assistant).map(|call| text(&call["function"]["arguments"])).collect();
            let arguments: Vec<Value> =
                arguments.iter().map(|text| serde_json::from_str(text).unwrap_or_default()).collect();
            let wanted: Vec<Value> = (0..count).map(|n| json!({"city": format!("City {n}")})).collect();
            self.check(&what, model, arguments == wanted && finish(&reply, stream) == "tool_calls", &reply);
            let ids: Vec<&str> = calls_of(&assistant).map(|call| text(&call["id"])).collect();
            self.check("ids differ", model, ids.len() < 2 || ids[0] != ids[1], &reply);
            let results = ids.iter().map(|id| json!({"role": "tool", "tool_call_id": id, "content": "light rain"}));
            let question = json!({"role": "user", "content": "Rain?"});
            let messages: Vec<Value> = [question, assistant.clone()].into_iter().chain(results).collect();
            let fields = json!({"messages": messages, "tools": tools(), "stream": stream});
            let what = format!("{what}, the result");
            let Some(reply) = self.ask(&what, model, None, &fields).await else { continue };
            self.check(&what, model, reply.answer().contains("light rain"), &reply);
        }
    }

    async fn takes_history(&mut self, model: &str) {
        for stream in [false, true] {
            let fields = json!({"messages": history(), "tools": tools(), "tool_choice": "none", "stream": stream});
            self.ask("a long history", model, Some(says("yes")), &fields).await;
        }
        for (what, messages) in odd_histories() {
            self.ask(what, model, Some(says("yes")), &json!({"messages": messages})).await;
        }
    }

    async fn takes_odd_parameters(&mut self, model: &str) {
        let odd = json!({
            "seed": 7, "logprobs": true, "top_logprobs": 2, "user": "ann", "store": false, "max_completion_tokens": 200,
            "frequency_penalty": 0.5, "temperature": 2, "stop": ["1", "2", "3", "4"], "reasoning_effort": "minimal",
            "messages": [
                {"role": "developer", "content": "Be brief.", "name": "boss"},
                {"role": "user", "content": [{"type": "text", "text": "hello"}], "name": "ann"},
            ],
        });
        let fields = odd.as_object().expect("fields");
        for (name, value) in fields {
            self.ask(name, model, Some(says("yes")), &json!({ name: value })).await;
        }
        for stream in [false, true] {
            let mut all = odd.clone();
            all["stream"] = stream.into();
            self.ask("all odd parameters", model, Some(says("yes")), &all).await;
        }
    }
}

fn tools() -> Value {
    let parameters = json!({
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false
    });
    json!([{"type": "function", "function": {"name": "weather", "description": "The weather now.", "parameters": parameters}}])
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn calls_of(message: &Value) -> impl Iterator<Item = &Value> {
    message["tool_calls"].as_array().into_iter().flatten()
}

fn finish(reply: &Reply, stream: bool) -> String {
    if !stream {
        return text(&reply.json()["choices"][0]["finish_reason"]).to_owned();
    }
    let events = reply.events();
    events.iter().filter_map(|event| event["choices"][0]["finish_reason"].as_str()).collect()
}

/// The message that a client puts together from the deltas, by their `index` as OpenAI's clients do.
fn assembled(reply: &Reply) -> Value {
    let mut calls: Vec<Value> = Vec::new();
    let (mut content, mut reasoning) = (String::new(), String::new());
    for event in reply.events() {
        let delta = &event["choices"][0]["delta"];
        content.push_str(text(&delta["content"]));
        reasoning.push_str(text(&delta["reasoning_content"]));
        for piece in calls_of(delta) {
            let place = piece["index"].as_u64().and_then(|place| usize::try_from(place).ok()).unwrap_or(usize::MAX);
            if place == calls.len() {
                let mut begun = piece.clone();
                begun.as_object_mut().expect("a call").remove("index");
                calls.push(begun);
            } else if let Some(call) = calls.get_mut(place) {
                let more = text(&call["function"]["arguments"]).to_owned() + text(&piece["function"]["arguments"]);
                call["function"]["arguments"] = more.into();
            }
        }
    }
    let mut message = json!({"role": "assistant", "content": content, "tool_calls": calls});
    if !reasoning.is_empty() {
        message["reasoning_content"] = reasoning.into();
    }
    message
}

/// What a client sends after switching between providers: thoughts in every form, foreign ids, nulls, and a user who goes on.
fn history() -> Value {
    let call = |id: &str| {
        json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": "{\"city\":\"Paris\"}"},
            "extra_content": {"google": {"thought_signature": "c2lnbmVkIGVsc2V3aGVyZQ=="}}})
    };
    let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "light rain", "name": "weather"});
    json!([
        {"role": "system", "content": [{"type": "text", "text": "You are kind."}, {"type": "text", "text": "And brief."}]},
        {"role": "user", "content": "Rain in Paris and Lyon?"},
        {"role": "assistant", "content": null, "refusal": null, "annotations": [], "reasoning_content": "Two cities.",
            "tool_calls": [call("call_01JABCDEFGHIJKLMNOPQRSTUVW"), call("toolu_01ABCDEFG")]},
        result("call_01JABCDEFGHIJKLMNOPQRSTUVW"), result("toolu_01ABCDEFG"),
        {"role": "assistant", "content": "Rain in both.", "reasoning": "Both wet.",
            "reasoning_details": [{"type": "reasoning.text", "text": "Both wet.", "format": "unknown", "index": 0}]},
        {"role": "user", "content": [{"type": "text", "text": "And in Nice?"}]},
        {"role": "assistant", "content": "", "thinking": "Nice too.", "reasoning": "", "tool_calls": [call("call_7")]},
        result("call_7"),
        {"role": "user", "content": "Never mind the tool: yes or no?"},
    ])
}

/// Histories that clients do send, and that some providers refuse.
fn odd_histories() -> [(&'static str, Value); 4] {
    let user = json!({"role": "user", "content": "Yes or no?"});
    let said = |content: Value| json!([user, {"role": "assistant", "content": content}, user]);
    let called = json!({"role": "assistant", "content": null, "function_call": {"name": "weather", "arguments": "{}"}});
    let result = json!({"role": "function", "name": "weather", "content": "light rain"});
    [
        ("an answer without a word", said(Value::Null)),
        ("a refusal", said(json!([{"type": "refusal", "refusal": "No."}]))),
        ("thoughts alone", said(json!([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}]))),
        ("a call of a function", json!([user, called, result])),
    ]
}

/// An answer as Mistral's reasoning models write it, given back to whoever answers next.
fn chunked_history() -> Value {
    let thoughts = json!({"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]});
    json!([
        {"role": "user", "content": "Yes or no?"},
        {"role": "assistant", "content": [thoughts, {"type": "text", "text": "No."}]},
        {"role": "user", "content": "Sure?"},
    ])
}

async fn takes_everything(persona: Persona) {
    let mut trial = Trial::of(persona).await;
    for model in trial.models.clone() {
        trial.says_words(&model).await;
        trial.thinks(&model).await;
        trial.uses_tools(&model).await;
        trial.takes_history(&model).await;
        trial.takes_odd_parameters(&model).await;
    }
    trial.end();
}

#[tokio::test]
async fn groq_takes_everything() {
    takes_everything(Persona::Groq).await;
}

#[tokio::test]
async fn mistral_takes_everything() {
    takes_everything(Persona::Mistral).await;
}

#[tokio::test]
async fn cerebras_takes_everything() {
    takes_everything(Persona::Cerebras).await;
}

#[tokio::test]
async fn cerebras_does_not_set_most_of_a_minute_aside_for_one_short_answer() {
    let mut trial = Trial::of(Persona::Cerebras).await;
    let model = trial.models[0].clone();
    for (fields, expected) in
        [(json!({}), 8192), (json!({"max_tokens": 90}), 90), (json!({"max_completion_tokens": 7}), 7)]
    {
        trial.ask("a bound", &model, Some(says("yes")), &fields).await;
        let calls = trial.gateway.providers.simulator.calls(&trial.id);
        let body: Value = serde_json::from_slice(&calls.last().expect("a call").body).expect("JSON");
        assert_eq!((&body["max_completion_tokens"], body.get("max_tokens")), (&json!(expected), None));
    }
    trial.end();
}

#[tokio::test]
async fn gemini_takes_everything() {
    takes_everything(Persona::Gemini).await;
}

#[tokio::test]
async fn nvidia_takes_everything() {
    takes_everything(Persona::Nvidia).await;
}

#[tokio::test]
async fn openrouter_takes_everything() {
    takes_everything(Persona::OpenRouter).await;
}

#[tokio::test]
async fn cloudflare_takes_everything() {
    takes_everything(Persona::Cloudflare).await;
}

#[tokio::test]
async fn deepseek_takes_everything() {
    takes_everything(Persona::DeepSeek).await;
}

#[tokio::test]
async fn ollama_takes_everything_and_cuts_no_prompt() {
    let mut trial = Trial::of(Persona::Ollama).await;
    let model = trial.models[0].clone();
    let long = json!({"messages": [{"role": "user", "content": "word ".repeat(20_000)}]});
    trial.ask("a long prompt", &model, Some(says("yes")), &long).await;
    trial.end();
    takes_everything(Persona::Ollama).await;
}

#[tokio::test]
async fn thoughts_in_chunks_of_content_are_taken_from_history() {
    let mut wrong = Vec::new();
    for persona in Persona::ALL.into_iter().filter(|persona| persona.dialect() == "openai") {
        let mut trial = Trial::of(persona).await;
        let model = trial.models[0].clone();
        let fields = json!({"messages": chunked_history()});
        trial.ask("thoughts in chunks", &model, Some(says("yes")), &fields).await;
        wrong.append(&mut trial.wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
