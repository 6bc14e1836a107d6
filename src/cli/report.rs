//! Prints trouble: one message, its causes below, and what to do next; or the same as JSON.

use serde_json::{Value, json};

use crate::answer::Attempt;
use crate::chat::Fault;

use super::exit::Trouble;
use super::output::{Output, dim, red};
use super::table;
use crate::clock::millis;

/// `json` is the command whose schema the document has.
pub fn print(trouble: &Trouble, json: Option<&str>, output: Output) {
    if let Some(command) = json {
        let document = json!({
            "schema": format!("relay.{command}/1"),
            "ok": false,
            "error": error(trouble),
            "attempts": trouble.attempts.iter().map(attempt).collect::<Vec<_>>(),
        });
        // A reader that has gone cannot be told, a full disk can.
        match output.result(&format!("{document}\n")) {
            Err(unwritten) if !unwritten.silent => print(&unwritten, None, output),
            _ => {}
        }
        return;
    }
    let mut text = table::complaint(&format!("{} {}", red("Error:"), trouble.message), 2);
    text.extend(trouble.lines.iter().map(|line| format!("\n{line}")));
    if let Some(hint) = &trouble.hint {
        text.push_str("\n\n");
        text.push_str(&dim("hint:"));
        text.push(' ');
        text.push_str(&table::complaint(hint, "hint: ".len()));
    }
    output.error(&text);
}

/// Tells of trouble that keeps the command from nothing: there is only less to show.
pub fn remark(trouble: &Trouble, output: Output) {
    let lines = trouble.lines.iter().map(|line| format!("\n{line}"));
    let hint = trouble.hint.iter().map(|hint| format!("\nhint: {hint}"));
    output.notice(&(trouble.message.clone() + &lines.chain(hint).collect::<String>()));
}

/// What went wrong as JSON tells it: all that is printed of it otherwise.
pub fn error(trouble: &Trouble) -> Value {
    // Lines are set in for people.
    let details = trouble.lines.iter().flat_map(|line| line.lines()).map(str::trim);
    json!({
        "code": trouble.exit.word(),
        "message": trouble.message,
        "details": details.collect::<Vec<_>>(),
        "retry_after_s": trouble.retry_after_s,
        "hint": trouble.hint,
    })
}

/// One attempt as JSON tells it.
pub fn attempt(attempt: &Attempt) -> Value {
    let (provider, model) = attempt.route.split_once('/').unwrap_or((&attempt.route, ""));
    let window = match &attempt.fault {
        Some(Fault::Busy { period, .. } | Fault::Spent { period, .. }) => period.map(crate::chat::Period::word),
        _ => None,
    };
    let outcome = attempt.fault.as_ref().map_or("ok", outcome_word);
    json!({
        "provider": provider,
        "model": model,
        "outcome": outcome,
        "http_status": attempt.http_status,
        "window": window,
        "ms": millis(attempt.elapsed),
    })
}

/// A failed attempt in a line of its own.
pub fn attempt_line(attempt: &Attempt) -> Option<String> {
    Some(format!("  {}  {}", attempt.route, attempt.fault.as_ref()?.word()))
}

fn outcome_word(fault: &Fault) -> &'static str {
    match fault {
        Fault::Busy { .. } | Fault::Full { .. } => "rate_limited",
        Fault::Spent { .. } => "quota_exhausted",
        Fault::Denied => "auth",
        Fault::Gone => "gone",
        Fault::Unfit(_) => "unfit",
        Fault::Broken(crate::chat::Breakage::Timeout(_)) => "timeout",
        Fault::Broken(_) => "unavailable",
        Fault::Cut => "cut",
        Fault::Invalid { .. } | Fault::Unknown { .. } => "rejected",
        Fault::NothingSetUp | Fault::StoreLost => "internal",
    }
}
