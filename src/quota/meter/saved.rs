//! A meter as text to be kept, and back.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::quota::limit::{Limit, Source};
use crate::quota::rolling::{Rolling, Saved as SavedRolling, put};

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
        text.push('{');
        self.count.save_to(text);
        put(text, r#","documented":"#, self.limit.amount);
        if let Some(Learned { amount, source, guessed, at }) = self.learned {
            put(text, r#","learned":{"amount":"#, amount);
            text.push_str(if source == Source::Header { r#","from_header":true"# } else { r#","from_header":false"# });
            text.push_str(if guessed { r#","guessed":true"# } else { r#","guessed":false"# });
            put(text, r#","at":"#, at.as_microsecond());
            text.push('}');
        }
        self.save_telling(text);
        self.save_naming(text);
        text.push('}');
    }

    /// The same where `before` is kept: what changed since, which of a window of sixty stretches is a small part.
    pub fn save_since(&self, before: Option<&Self>, text: &mut String) {
        match before.filter(|before| self.adds_to(before)) {
            Some(before) => self.save_changes(before, text),
            None => self.save_to(text),
        }
    }

    /// Whether nothing that was known before is gone, and the window, the documents and what was learned against them are the same.
    fn adds_to(&self, before: &Self) -> bool {
        let is_no_less = self.told_at >= before.told_at && self.named.is_some() >= before.named.is_some();
        is_no_less
            && self.count.is_alike(&before.count)
            && self.limit.amount == before.limit.amount
            && self.learned == before.learned
    }

    fn save_changes(&self, before: &Self, text: &mut String) {
        text.push('{');
        match (&self.count, &before.count) {
            (Count::Rolling(now), Count::Rolling(before)) => {
                text.push_str(r#""rolling":"#);
                now.save_since(before, text);
            }
            (now, _) => now.save_to(text),
        }
        if self.told_at != before.told_at {
            self.save_telling(text);
        }
        if self.named != before.named {
            self.save_naming(text);
        }
        text.push('}');
    }

    fn save_telling(&self, text: &mut String) {
        if let Some(at) = self.told_at {
            put(text, r#","told_at":"#, at.as_microsecond());
        }
    }

    fn save_naming(&self, text: &mut String) {
        if let Some((limit, at)) = self.named {
            put(text, r#","named":["#, limit);
            put(text, ",", at.as_microsecond());
            text.push(']');
        }
    }

    /// The same under another limit. Use counted under another window, and what was learned while the documents said something else, is
    /// forgotten.
    #[must_use]
    pub fn under(&self, limit: Limit) -> Self {
        let meter = Self::new(limit);
        meter.updated(&self.save()).unwrap_or(meter)
    }

    /// The meter with what was saved: all of one, whatever this one says, or what changed of it. `None` when the text is no saved meter.
    pub fn updated(&self, saved: &str) -> Option<Self> {
        let saved: Saved = serde_json::from_str(saved).ok()?;
        let mut meter = if saved.documented.is_some() { Self::new(self.limit.clone()) } else { self.clone() };
        match (&mut meter.count, &saved.rolling, saved.calendar) {
            (Count::Rolling(rolling), Some(kept), _) => rolling.update(kept),
            (Count::Calendar { turns_at, used, added_at }, _, Some((turn, kept))) => {
                (*turns_at, *used) = (Timestamp::from_microsecond(turn).ok()?, kept);
                *added_at = saved.added_at.and_then(|at| Timestamp::from_microsecond(at).ok()).unwrap_or(*added_at);
            }
            _ => {}
        }
        if saved.documented == Some(meter.limit.amount) {
            meter.learned = saved.learned.and_then(SavedLimit::restore);
        }
        let named = |(limit, at)| Some((limit, Timestamp::from_microsecond(at).ok()?));
        meter.named = saved.named.and_then(named).or(meter.named);
        meter.told_at = saved.told_at.and_then(|at| Timestamp::from_microsecond(at).ok()).or(meter.told_at);
        Some(meter)
    }
}

impl Count {
    fn is_alike(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rolling(one), Self::Rolling(other)) => one.is_as_long_as(other),
            (Self::Calendar { .. }, Self::Calendar { .. }) => true,
            _ => false,
        }
    }

    fn save_to(&self, text: &mut String) {
        match self {
            Self::Rolling(rolling) => {
                text.push_str(r#""rolling":"#);
                rolling.save_to(text);
            }
            Self::Calendar { turns_at, used, added_at } => {
                put(text, r#""calendar":["#, turns_at.as_microsecond());
                put(text, ",", *used);
                put(text, r#"],"added_at":"#, added_at.as_microsecond());
            }
        }
    }
}

/// A saved meter with what changed of it since, where nobody here knows its limit. `None` when these are no saved meters.
pub fn merged(kept: Option<&str>, changes: &str) -> Option<String> {
    let changes: Map<String, Value> = serde_json::from_str(changes).ok()?;
    if changes.contains_key("documented") {
        return serde_json::to_string(&changes).ok();
    }
    let mut kept: Map<String, Value> = kept.map_or(Some(Map::new()), |kept| serde_json::from_str(kept).ok())?;
    for (name, change) in changes {
        let change = if name == "rolling" { merged_rolling(kept.get(&name), &change)? } else { change };
        kept.insert(name, change);
    }
    serde_json::to_string(&kept).ok()
}

fn merged_rolling(kept: Option<&Value>, change: &Value) -> Option<Value> {
    let kept = kept.and_then(|kept| SavedRolling::deserialize(kept).ok());
    let merged = Rolling::merged(kept.as_ref(), &SavedRolling::deserialize(change).ok()?);
    serde_json::from_str(&merged).ok()
}

#[derive(Debug, Deserialize)]
struct Saved {
    /// Of a whole meter. Where it is not told, what is told is what changed.
    documented: Option<u64>,
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
