//! NVIDIA NIM: a closed schema per model with three shapes of refusal, RFC 7807-like errors, a bare 429, thoughts as `reasoning_content`.

use serde_json::{Value, json};

use super::rules::{messages, role, stranger};
use crate::sim::hash::hash;
use crate::sim::refusal::{Reason, Refusal};

/// What all of its models take (PROVIDERS.md 1.3: the rest is "per model").
const FIELDS: [&str; 14] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "n",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "chat_template_kwargs",
];

pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    let model = body["model"].as_str().unwrap_or_default();
    if let Some(name) = stranger(body, &FIELDS) {
        return Err(extra(model, name));
    }
    if body["parallel_tool_calls"] == true {
        let message = "This model only supports single tool-calls at once!".to_owned();
        let body = json!({"error": {"message": message, "type": "Bad Request", "code": 400}});
        return Err(Refusal::own(400, message, body));
    }
    messages(body).try_for_each(|(place, message)| {
        // Whether a message's `name` is taken nobody has measured (1.3, "?"): the strict reading.
        let known: &[&str] = match role(message) {
            "system" | "user" => &["role", "content"],
            "assistant" => &["role", "content", "tool_calls", "reasoning_content"],
            "tool" => &["role", "content", "tool_call_id"],
            _ => return Err(extra(model, &format!("messages.{place}.role"))),
        };
        stranger(message, known).map_or(Ok(()), |name| Err(extra(model, &format!("messages.{place}.{name}"))))
    })
}

/// The refusal of a field in the shape of this model's server; all three were seen.
fn extra(model: &str, name: &str) -> Refusal {
    let (status, body) = match shape(model) {
        0 => (
            400,
            json!({"error": format!("[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra inputs are not permitted'}}]")}),
        ),
        1 => {
            (422, json!({"error": format!("body -> {name}\n  Extra inputs are not permitted (type=extra_forbidden)")}))
        }
        _ => (
            400,
            json!({"error": {"message": format!("Validation: Unsupported parameter(s): `{name}`"), "type": "Bad Request", "code": 400}}),
        ),
    };
    Refusal::own(status, format!("{name} is not permitted"), body)
}

/// One of three, by the model.
fn shape(model: &str) -> u64 {
    hash(0, &[model]) % 3
}

pub(super) fn tell(refusal: Refusal) -> Refusal {
    let model = refusal.why.model.clone();
    let problem =
        |status: u16, title: &str, detail: &str| (status, json!({"status": status, "title": title, "detail": detail}));
    let (status, body) = match &refusal.why.reason {
        // Not even a day's end is told.
        Reason::Busy { .. } | Reason::UsedUp { .. } => (429, json!({"status": 429, "title": "Too Many Requests"})),
        Reason::Denied => problem(401, "Unauthorized", "Authentication failed"),
        Reason::PaymentRequired => problem(402, "Payment Required", "Cloud credits expired"),
        Reason::Unknown => {
            let detail = format!(
                "Function '{:08x}-0000-4000-8000-000000000000': Not found for account 'sim'",
                hash(0, &[&model]) >> 32
            );
            problem(404, "Not Found", &detail)
        }
        Reason::Gone => {
            problem(410, "Gone", &format!("The model '{model}' has reached its end of life on 2026-08-26T00:00:00Z"))
        }
        Reason::TooLong { context, tokens } => (400, too_long(*context, *tokens)),
        Reason::TooLarge { limit, tokens } => (400, too_long(limit.amount, *tokens)),
        Reason::BadRequest | Reason::Lacks(_) | Reason::WrongMethod | Reason::NoSuchPlace => {
            problem(refusal.status, "Bad Request", &refusal.message)
        }
        Reason::Own => return refusal,
    };
    refusal.without("retry-after").said(status, body)
}

fn too_long(most: u64, tokens: u64) -> Value {
    let message = format!(
        "This model's maximum context length is {most} tokens. However, you requested {tokens} tokens in the messages."
    );
    json!({"error": {"message": message, "type": "BadRequestError", "param": null, "code": 400}})
}
