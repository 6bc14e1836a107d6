//! A meter as text to be kept, and back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::quota::limit::{Limit, Source};
use crate::quota::rolling::{Rolling, Saved as SavedRolling};
use crate::quota::window::Window;

use super::{Count, Learned, Meter};

impl Meter {
    /// Everything but the documented limit, as text to be kept.
    pub fn save(&self) -> String {
        let (rolling, calendar, added_at) = match &self.count {
            Count::Rolling(rolling) => (Some(rolling.save()), None, None),
            Count::Calendar { turns_at, used, added_at } => {
                (None, Some((turns_at.as_microsecond(), *used)), Some(added_at.as_microsecond()))
            }
        };
        let learned = self.learned.map(|learned| SavedLimit {
            amount: learned.amount,
            from_header: learned.source == Source::Header,
            guessed: learned.guessed,
            at: learned.at.as_microsecond(),
        });
        let told_at = self.told_at.map(Timestamp::as_microsecond);
        let named = self.named.map(|(limit, at)| (limit, at.as_microsecond()));
        let saved = Saved { documented: self.limit.amount, rolling, calendar, added_at, learned, told_at, named };
        serde_json::to_string(&saved).expect("numbers serialize")
    }

    /// The meter of `limit` with what was saved. Use counted under another window, and what was learned while the documents said
    /// something else, is forgotten. `None` when the text is no saved meter.
    pub fn restore(limit: Limit, saved: &str) -> Option<Self> {
        let saved: Saved = serde_json::from_str(saved).ok()?;
        let mut meter = Self::new(limit);
        match (&mut meter.count, &meter.limit.window, &saved.rolling, saved.calendar) {
            (Count::Rolling(rolling), Window::Rolling { length }, Some(kept), _) => {
                **rolling = Rolling::restore(*length, kept).unwrap_or_else(|| Rolling::new(*length));
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

#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    documented: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rolling: Option<SavedRolling>,
    /// When it turns, in microseconds, and what is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calendar: Option<(i64, u64)>,
    /// When it was last added to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    added_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    learned: Option<SavedLimit>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    named: Option<(u64, i64)>,
}

#[derive(Debug, Serialize, Deserialize)]
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
