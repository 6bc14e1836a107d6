//! A summary made of a conversation's own sentences: what it speaks of most, and what the question now asks about.

use std::collections::HashMap;

use crate::chat::Message;
use crate::chat::tokens::MESSAGE_TOKENS;

use super::digest::{Digest, MOST_PLACES, Role, Sentence, size};
use super::words::terms;

/// Sentences that are looked at for what the conversation is about: the best of them, kept from turn to turn.
const POOL: usize = 256;
/// Sentences that answer to the question are looked at up to this many.
const MOST_MATCHES: usize = 128;
/// What a sentence that shares all terms with the question counts more than one that shares none.
const QUESTION_WEIGHT: f64 = 3.0;
/// Two sentences that share this part of their terms say the same.
const ALIKE: f64 = 0.6;

const HEAD: &str = "Earlier in this conversation (excerpts, oldest first):\n";

/// A summary of the messages that are not `kept`, in at most `budget` tokens, with the tokens it has; `None` where nothing fits.
pub fn summary(
    digest: &Digest,
    messages: &[&str],
    kept: &[bool],
    question: &str,
    budget: u64,
) -> Option<(String, u64)> {
    let mut ranked = ranked(digest, kept, question);
    ranked.sort_by(|(a, x), (b, y)| b.total_cmp(a).then(x.cmp(y)));
    let mut texts: HashMap<usize, String> = HashMap::new();
    let mut taken: Vec<u32> = Vec::new();
    let mut lines: Vec<(u32, String)> = Vec::new();
    // A system message of its own, or a blank line behind one.
    let mut used = size(HEAD) + MESSAGE_TOKENS;
    for (_, id) in ranked {
        if budget.saturating_sub(used) < 8 {
            break;
        }
        let sentence = &digest.sentences[id as usize];
        if taken.iter().any(|other| are_alike(digest, sentence, &digest.sentences[*other as usize])) {
            continue;
        }
        let text = texts.entry(sentence.message).or_insert_with(|| text_of(messages[sentence.message]));
        let Some(words) = text.get(sentence.place.start as usize..sentence.place.end as usize) else { continue };
        let speaker = if digest.facts[sentence.message].role == Role::User { "User" } else { "Assistant" };
        let line = format!("{speaker}: {words}\n");
        let tokens = size(&line);
        if used + tokens <= budget {
            used += tokens;
            taken.push(id);
            lines.push((id, line));
        }
    }
    lines.sort_by_key(|(id, _)| *id);
    let text: String = lines.iter().map(|(_, line)| line.as_str()).collect();
    (!text.is_empty()).then(|| (format!("{HEAD}{}", text.trim_end()), used))
}

fn text_of(raw: &str) -> String {
    Message::parse(raw).map(|message| message.text()).unwrap_or_default()
}

/// The sentences worth a look, with what they are worth.
fn ranked(digest: &Digest, kept: &[bool], question: &str) -> Vec<(f64, u32)> {
    let mut worth: HashMap<u32, f64> = HashMap::new();
    for id in digest.pool(kept) {
        worth.insert(id, general(digest, &digest.sentences[id as usize]));
    }
    for (matched, id) in matches(digest, kept, question) {
        let sentence = &digest.sentences[id as usize];
        let general = worth.entry(id).or_insert_with(|| general(digest, sentence));
        // Who was told something asks for it later: the user's own words answer the user's question.
        let speaker = if digest.facts[sentence.message].role == Role::User { 1.0 } else { 0.8 };
        *general += QUESTION_WEIGHT * matched * speaker;
        // What is said of a thing goes on in the next sentence.
        let next = digest.sentences.get(id as usize + 1).filter(|next| next.message == sentence.message);
        if let Some(next) = next.filter(|_| matched > 0.5) {
            let general = worth.entry(id + 1).or_insert_with(|| self::general(digest, next));
            *general += 0.4 * QUESTION_WEIGHT * matched * speaker;
        }
    }
    worth.into_iter().map(|(id, worth)| (worth, id)).collect()
}

/// Sentences that share terms with the question, with the part of its weight they share. Rare terms weigh more.
fn matches(digest: &Digest, kept: &[bool], question: &str) -> Vec<(f64, u32)> {
    let mut asked: Vec<u32> = Vec::new();
    terms(question, |term| asked.push(term));
    asked.sort_unstable();
    asked.dedup();
    let mut shared: HashMap<u32, f64> = HashMap::new();
    let mut all = 0.0;
    for term in asked {
        let Some(places) = digest.places.get(&term) else { continue };
        if places.len() >= MOST_PLACES {
            continue;
        }
        let older = places.iter().filter(|id| !kept[digest.sentences[**id as usize].message]);
        let weight = (1.0 + ratio(digest.sentences.len(), places.len())).ln();
        let mut is_found = false;
        for id in older {
            is_found = true;
            *shared.entry(*id).or_default() += weight;
        }
        if is_found {
            all += weight;
        }
    }
    let mut matches: Vec<(f64, u32)> = shared.into_iter().map(|(id, weight)| (weight / all, id)).collect();
    matches.sort_by(|(a, x), (b, y)| b.total_cmp(a).then(x.cmp(y)));
    matches.truncate(MOST_MATCHES);
    matches
}

/// What a sentence is worth by itself, about 0 to 1.5: how common its terms are in the conversation, its length and place.
pub fn general(digest: &Digest, sentence: &Sentence) -> f64 {
    let terms = &digest.terms[sentence.terms.start as usize..sentence.terms.end as usize];
    if terms.is_empty() {
        return 0.0;
    }
    let weights = terms.iter().map(|term| f64::from(*digest.counts.get(term).unwrap_or(&0)).ln_1p());
    let frequency = weights.sum::<f64>() / ratio(terms.len(), 1) / ratio(digest.terms.len() + 1, 1).ln_1p();
    let length = match terms.len() {
        0..=2 => 0.5,
        3..=4 => 0.8,
        5..=30 => 1.0,
        many => 30.0 / ratio(many, 1),
    };
    let place = if sentence.is_first { 1.25 } else { 1.0 };
    let speaker = if digest.facts[sentence.message].role == Role::User { 1.1 } else { 1.0 };
    frequency * length * place * speaker + if sentence.is_specific { 0.15 * length } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts of one conversation")]
fn ratio(a: usize, b: usize) -> f64 {
    a as f64 / b.max(1) as f64
}

fn are_alike(digest: &Digest, a: &Sentence, b: &Sentence) -> bool {
    let of = |sentence: &Sentence| &digest.terms[sentence.terms.start as usize..sentence.terms.end as usize];
    let (a, b) = (of(a), of(b));
    let shared = a.iter().filter(|term| b.contains(term)).count();
    shared > 0 && ratio(shared, a.len().max(b.len())) >= ALIKE
}

impl Digest {
    /// Of the sentences that do not go along, those that were worth most when they came.
    fn pool(&self, kept: &[bool]) -> impl Iterator<Item = u32> {
        self.best.iter().copied().filter(move |id| !kept[self.sentences[*id as usize].message])
    }

    /// Takes a new sentence into the pool; from time to time, the least worthy half goes.
    pub(super) fn pool_in(&mut self, id: u32) {
        self.best.push(id);
        if self.best.len() >= 2 * POOL {
            let mut valued: Vec<(f64, u32)> =
                self.best.iter().map(|id| (general(self, &self.sentences[*id as usize]), *id)).collect();
            valued.sort_by(|(a, x), (b, y)| b.total_cmp(a).then(x.cmp(y)));
            self.best = valued.into_iter().take(POOL).map(|(_, id)| id).collect();
        }
    }
}
