//! Chooses what of a conversation goes along when it does not fit: by mode, whole units, instructions and the last turn always.

use std::borrow::Cow;
use std::ops::Range;

use crate::chat::Message;
use crate::chat::fields::quoted;
use crate::chat::system::{self, Place};

use super::cut;
use super::digest::{Digest, Facts, Role};
use super::dynamic::{Dynamic, share};
use super::summary::summary;

/// What is done about conversations that do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// The last messages stay.
    Static,
    /// As much stays as the session's usual size suggests.
    Dynamic,
    /// The last messages stay, and a summary of what was before them.
    #[default]
    Reservoir,
    /// `Reservoir` for talk about code, `Static` for any other.
    Adaptive,
    /// Nothing: the request is refused.
    Off,
}

impl Mode {
    pub const NAMES: [(&'static str, Self); 5] = [
        ("static", Self::Static),
        ("dynamic", Self::Dynamic),
        ("reservoir", Self::Reservoir),
        ("adaptive", Self::Adaptive),
        ("off", Self::Off),
    ];

    pub fn word(self) -> &'static str {
        Self::NAMES.iter().find(|(_, mode)| *mode == self).map_or("", |(word, _)| word)
    }

    /// The mode that acts for this conversation.
    #[must_use]
    pub fn for_conversation(self, digest: &Digest) -> Self {
        match self {
            Self::Adaptive if digest.lines.are_code_heavy() => Self::Reservoir,
            Self::Adaptive => Self::Static,
            mode => mode,
        }
    }
}

/// The settings of all modes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub mode: Mode,
    /// Messages that stay.
    pub static_recent_keep: usize,
    pub dynamic: Dynamic,
    pub reservoir_recent_keep: usize,
    /// Tokens of the summary, at most.
    pub reservoir_summary_budget: u64,
}

/// A conversation cut to size.
#[derive(Debug, PartialEq, Eq)]
pub struct Fitted {
    /// The messages as JSON.
    pub messages: String,
    pub tokens: u64,
    /// Of the messages that came, how many stayed.
    pub kept: usize,
    /// The mode that chose.
    pub mode: Mode,
}

/// Not even what must stay fits, cut as short as makes sense.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLong {
    pub needed: u64,
}

/// Messages of one turn, at most.
const LONGEST_TURN: usize = 16;
/// A text is not cut shorter than this.
const SHORTEST_CUT: u64 = 64;
/// Tokens of the mark where a middle was cut out, and of what closes and opens code around it.
const CUT_MARK: u64 = 24;

/// What is to be fitted into what.
#[derive(Debug, Clone, Copy)]
pub struct Room<'a> {
    /// Tokens the messages may take.
    pub budget: u64,
    pub limits: &'a Limits,
    /// What the session's last turns took.
    pub history: &'a [u64],
    /// The target takes no conversation that begins with the model's words.
    pub begins_with_user: bool,
}

/// The tokens of what must stay, uncut and cut as short as makes sense.
pub fn least(digest: &Digest) -> (u64, u64) {
    let must = must(digest, &units(digest));
    let of = |count: &dyn Fn(usize) -> u64| (0..must.len()).filter(|index| must[*index]).map(count).sum();
    let uncut = of(&|index| digest.facts[index].tokens());
    let cut = of(&|index| digest.facts[index].uncut() + digest.facts[index].text_tokens.min(SHORTEST_CUT + CUT_MARK));
    (uncut, cut)
}

/// Of what must stay, the message whose calls alone are most of it however short the rest is cut, and their tokens.
pub fn uncuttable(digest: &Digest) -> Option<(usize, u64)> {
    let must = must(digest, &units(digest));
    let largest =
        (0..must.len()).filter(|index| must[*index]).max_by_key(|index| digest.facts[*index].beside_tokens)?;
    let tokens = digest.facts[largest].beside_tokens;
    (tokens * 2 > least(digest).1).then_some((largest, tokens))
}

/// The tokens that a mode would send at most, were there room for them.
pub fn wanted(digest: &Digest, limits: &Limits) -> u64 {
    let keep = match limits.mode.for_conversation(digest) {
        Mode::Static => limits.static_recent_keep,
        Mode::Reservoir => limits.reservoir_recent_keep,
        _ => return digest.tokens(),
    };
    let kept = recent(digest, &units(digest), keep, u64::MAX);
    tokens(digest, &kept) + limits.reservoir_summary_budget
}

/// Chooses, cuts and sums up until the messages fit.
pub fn fit(digest: &Digest, messages: &[&str], room: Room<'_>) -> Result<Fitted, TooLong> {
    let units = units(digest);
    let must = must(digest, &units);
    let mode = room.limits.mode.for_conversation(digest);
    if tokens(digest, &must) > room.budget {
        return cut_down(digest, messages, &must, room.budget, mode);
    }
    let limits = room.limits;
    let (keep, allowed) = match mode {
        Mode::Dynamic => (usize::MAX, share(room.budget, room.history, limits.dynamic)),
        Mode::Reservoir => {
            let free = room.budget - tokens(digest, &must);
            (limits.reservoir_recent_keep, room.budget - limits.reservoir_summary_budget.min(free / 2))
        }
        _ => (limits.static_recent_keep, room.budget),
    };
    let mut kept = recent(digest, &units, keep, allowed);
    if room.begins_with_user {
        drop_leading_answers(digest, &units, &must, &mut kept);
    }
    let taken = tokens(digest, &kept);
    let summed_up = (mode == Mode::Reservoir && kept.contains(&false))
        .then(|| {
            let budget = limits.reservoir_summary_budget.min(room.budget.saturating_sub(taken));
            summary(digest, messages, &kept, &question(digest, messages), budget)
        })
        .flatten();
    let chosen = messages.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(message, _)| *message);
    let chosen = format!("[{}]", chosen.collect::<Vec<_>>().join(","));
    let (messages, tokens) = match summed_up {
        Some((text, tokens)) => (system::join(&chosen, &quoted(&text), Place::After).applied(&chosen), taken + tokens),
        None => (chosen, taken),
    };
    Ok(Fitted { messages, tokens, kept: kept.iter().filter(|kept| **kept).count(), mode })
}

/// What stays or goes together: a message, and with a call its results. Instructions are in none.
fn units(digest: &Digest) -> Vec<Range<usize>> {
    let mut units: Vec<Range<usize>> = Vec::new();
    for (index, facts) in digest.facts.iter().enumerate() {
        match (facts.role, units.last_mut()) {
            (Role::System, _) => {}
            (Role::Tool, Some(unit)) if unit.end == index => unit.end = index + 1,
            _ => units.push(index..index + 1),
        }
    }
    units
}

/// Whether each message must stay: instructions, the last turn of the user, and what came last of all.
fn must(digest: &Digest, units: &[Range<usize>]) -> Vec<bool> {
    let role = |unit: &Range<usize>| digest.facts[unit.start].role;
    let mut must: Vec<bool> = digest.facts.iter().map(|facts| facts.role == Role::System).collect();
    let last_turn = units.iter().rposition(|unit| role(unit) == Role::User);
    // Words sent in several messages in a row are one turn, up to a length: a room full of people is a conversation.
    let turn = last_turn.map(|last| {
        let first = units[..last].iter().rposition(|unit| role(unit) != Role::User).map_or(0, |before| before + 1);
        first.max((last + 1).saturating_sub(LONGEST_TURN))..last + 1
    });
    let last = units.len().saturating_sub(1)..units.len();
    for unit in units[turn.unwrap_or(0..0)].iter().chain(&units[last]) {
        must[unit.clone()].fill(true);
    }
    must
}

fn tokens(digest: &Digest, kept: &[bool]) -> u64 {
    digest.facts.iter().zip(kept).filter(|(_, kept)| **kept).map(|(facts, _)| facts.tokens()).sum()
}

/// What must stay, and before it the newest units, up to so many messages and tokens.
fn recent(digest: &Digest, units: &[Range<usize>], keep: usize, allowed: u64) -> Vec<bool> {
    let mut kept = must(digest, units);
    let mut used = tokens(digest, &kept);
    let mut count = units.iter().filter(|unit| kept[unit.start]).map(Range::len).sum::<usize>();
    for unit in units.iter().rev() {
        if kept[unit.start] {
            continue;
        }
        let more: u64 = digest.facts[unit.clone()].iter().map(Facts::tokens).sum();
        if count + unit.len() > keep || used + more > allowed {
            break;
        }
        count += unit.len();
        used += more;
        kept[unit.clone()].fill(true);
    }
    kept
}

fn drop_leading_answers(digest: &Digest, units: &[Range<usize>], must: &[bool], kept: &mut [bool]) {
    for unit in units.iter().filter(|unit| kept[unit.start]).cloned().collect::<Vec<_>>() {
        if digest.facts[unit.start].role == Role::User || must[unit.start] {
            return;
        }
        kept[unit].fill(false);
    }
}

/// The user's last words.
fn question(digest: &Digest, messages: &[&str]) -> String {
    let last = digest.facts.iter().rposition(|facts| facts.role == Role::User);
    last.and_then(|last| Message::parse(messages[last]).ok()).map(|message| message.text()).unwrap_or_default()
}

/// Cuts the longest of the messages that must stay, all to the same length, until they fit.
fn cut_down(digest: &Digest, messages: &[&str], must: &[bool], budget: u64, mode: Mode) -> Result<Fitted, TooLong> {
    let kept: Vec<usize> = (0..must.len()).filter(|index| must[*index]).collect();
    let fixed: u64 = kept.iter().map(|index| digest.facts[*index].uncut()).sum();
    let texts: Vec<u64> = kept.iter().map(|index| digest.facts[*index].text_tokens).collect();
    let needed = least(digest).1;
    let level = cut::level(&texts, budget.saturating_sub(fixed));
    if needed > budget || level < SHORTEST_CUT.min(texts.iter().copied().max().unwrap_or(0)) {
        return Err(TooLong { needed });
    }
    let (mut cut, mut tokens) = (Vec::with_capacity(kept.len()), fixed);
    for (index, text) in kept.iter().zip(&texts) {
        let raw = messages[*index];
        let shorter = (*text > level).then(|| cut::message(raw, level)).flatten();
        tokens += shorter.as_deref().map_or(*text, |shorter| Facts::of(shorter).text_tokens);
        cut.push(shorter.map_or(Cow::Borrowed(raw), Cow::Owned));
    }
    if tokens > budget {
        return Err(TooLong { needed: tokens });
    }
    Ok(Fitted { messages: format!("[{}]", cut.join(",")), tokens, kept: kept.len(), mode })
}
