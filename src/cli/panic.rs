//! A panic, wherever it happens, becomes one message and an exit code of its own.

use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::exit::{Exit, Trouble};

/// The first panic of this process: what it said, and where.
static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// Keeps what a panic says for the end. In a thread beside the main one it is logged at once: a server lives on.
pub fn keep() {
    panic::set_hook(Box::new(|info| {
        let text = described(info);
        if thread::current().name() != Some("main") {
            tracing::error!(panic = %text, "a task panicked");
        }
        FIRST.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(text);
    }));
}

/// Runs the program; a panic in it, or in a task of it, is what it then ends with.
pub fn guard(run: impl FnOnce() -> Result<(), Trouble>) -> Result<(), Trouble> {
    let ended = panic::catch_unwind(AssertUnwindSafe(run));
    let first = FIRST.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (ended, first) {
        (Ok(ended), None) => ended,
        (_, text) => Err(bug(&text.unwrap_or_else(|| "a panic without a word".to_owned()))),
    }
}

fn bug(text: &str) -> Trouble {
    let trouble = Trouble::new(Exit::Internal, format!("relay has a bug: {text}"));
    trouble.hint("please report it, with the command that led here and the output of `relay --version`")
}

fn described(info: &PanicHookInfo<'_>) -> String {
    let said = info.payload_as_str().unwrap_or("a panic without a text");
    match info.location() {
        Some(place) => format!("{said} ({}:{})", place.file(), place.line()),
        None => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_trouble_with_its_words() {
        let trouble = guard(|| panic!("the sky fell")).expect_err("a panic is no success");
        assert_eq!(trouble.exit, Exit::Internal);
        assert!(trouble.message.contains("relay has a bug"), "{}", trouble.message);
    }

    #[test]
    fn what_does_not_panic_ends_as_it_ends() {
        assert!(guard(|| Ok(())).is_ok());
        let usual = guard(|| Err(Trouble::new(Exit::Usage, "no".to_owned()))).expect_err("passed on");
        assert_eq!(usual.exit, Exit::Usage);
    }
}
