//! A meter as text to be kept, and back.

use jiff::Timestamp;
use serde::Deserialize;

use crate::quota::limit::{Limit, Source};
use crate::quota::rolling::{Rolling, Saved as SavedRolling, put};
use crate::quota::window::Window;

use super::{Count, Learned, Meter};

impl Meter {
    /// Everything but the documented limit, as text to be kept.
    pub fn save(&self) -> String {
        let mut text = String::new();
        self.save_to(&mut text);
        text
    }

    /// The same at the end of a text, number by number: of hundreds of meters thousands of states are kept each second, and a serializer
    /// took a third of the writer's instructions.
    pub fn save_to(&self, text: &mut String) {
        put(text, r#"{"documented":"#, self.limit.amount);
        match &self.count {
            Count::Rolling(rolling) => {
                text.push_str(r#","rolling":"#);
                rolling.save_to(text);
            }
            Count::Calendar { turns_at, used, added_at } => {
                put(text, r#","calendar":["#, turns_at.as_microsecond());
                put(text, ",", *used);
                put(text, r#"],"added_at":"#, added_at.as_microsecond());
            }
        }
        if let Some(Learned { amount, source, guessed, at }) = self.learned {
            put(text, r#","learned":{"amount":"#, amount);
            text.push_str(if source == Source::Header { r#","from_header":true"# } else { r#","from_header":false"# });
            text.push_str(if guessed { r#","guessed":true"# } else { r#","guessed":false"# });
            put(text, r#","at":"#, at.as_microsecond());
            text.push('}');
        }
        if let Some(at) = self.told_at {
            put(text, r#","told_at":"#, at.as_microsecond());
        }
        if let Some((limit, at)) = self.named {
            put(text, r#","named":["#, limit);
            put(text, ",", at.as_microsecond());
            text.push(']');
        }
        text.push('}');
    }

    /// The meter of `limit` with what was saved. Use counted under another window, and what was learned while the documents said
    /// something else, is forgotten. `None` when the text is no saved meter.
    pub fn restore(limit: Limit, saved: &str) -> Option<Self> {
        let saved: Saved = serde_json::from_str(saved).ok()?;
        let mut meter = Self::new(limit);
        match (&mut meter.count, &meter.limit.window, &saved.rolling, saved.calendar) {
            (Count::Rolling(rolling), Window::Rolling { length }, Some(kept), _) => {
                *rolling = Rolling::restore(*length, kept).unwrap_or_else(|| Rolling::new(*length));
            }
            (Count::Calendar { turns_at, used, added_at }, _, _, Some((turn, kept))) => {
                (*turns_at, *used) = (Timestamp::from_microsecond(turn).ok()?, kept);
                *added_at = saved.added_at.and_then(|at| Timestamp::from_microsecond(at).ok()).unwrap_or(*added_at);
            }
            _ => {}
        }
        if saved.documented == meter.limit.amount {
            meter.learned = saved.learned.and_then(SavedLimit::restore);
        }
        let named = |(limit, at)| Some((limit, Timestamp::from_microsecond(at).ok()?));
        meter.named = saved.named.and_then(named);
        meter.told_at = saved.told_at.and_then(|at| Timestamp::from_microsecond(at).ok());
        Some(meter)
    }
}

#[derive(Debug, Deserialize)]
struct Saved {
    documented: u64,
    rolling: Option<SavedRolling>,
    /// When it turns, in microseconds, and what is used.
    calendar: Option<(i64, u64)>,
    /// When it was last added to.
    added_at: Option<i64>,
    learned: Option<SavedLimit>,
    told_at: Option<i64>,
    named: Option<(u64, i64)>,
}

#[derive(Debug, Deserialize)]
struct SavedLimit {
    amount: u64,
    from_header: bool,
    guessed: bool,
    at: i64,
}

impl SavedLimit {
    fn restore(self) -> Option<Learned> {
        let source = if self.from_header { Source::Header } else { Source::Error };
        let at = Timestamp::from_microsecond(self.at).ok()?;
        Some(Learned { amount: self.amount, source, guessed: self.guessed, at })
    }
}
