//! What is known of a conversation's messages without their words: sizes, kinds, and where which terms stand. It grows by what is new.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher as _};
use std::ops::Range;

use crate::chat::fields::quoted;
use crate::chat::tokens::{IMAGE_TOKENS, MESSAGE_TOKENS, exact, upper_bound};
use crate::chat::{Message, Part, RawObject, ToolCall};

use super::code::Lines;
use super::sentence::sentences;
use super::words::terms;

/// Whose words a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Instructions: they always survive.
    System,
    User,
    Assistant,
    /// A tool's result: it stays or goes with its call.
    Tool,
}

/// One message, as far as choosing among messages needs it.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    pub role: Role,
    /// Of its text and calls, by the o200k vocabulary.
    pub exact_tokens: u64,
    /// Of its text, as many as have to be counted on where it has to fit.
    pub text_tokens: u64,
    /// The same of its calls and its reasoning: half of them is no valid JSON, so they cannot be cut.
    pub beside_tokens: u64,
    /// Of its frame and its images: these cannot be cut.
    pub fixed_tokens: u64,
    pub lines: Lines,
}

impl Facts {
    /// Of a raw message.
    pub fn of(raw: &str) -> Self {
        facts(Message::parse(raw).as_ref().ok(), raw)
    }

    /// Tokens to count on where it has to fit.
    pub const fn tokens(&self) -> u64 {
        self.text_tokens + self.uncut()
    }

    /// Those of them that cannot be cut.
    pub const fn uncut(&self) -> u64 {
        self.beside_tokens + self.fixed_tokens
    }
}

/// A sentence of some message, by its place in the message's text.
#[derive(Debug, Clone)]
pub struct Sentence {
    pub message: usize,
    pub place: Range<u32>,
    /// In `Digest::terms`.
    pub terms: Range<u32>,
    /// It opens its message.
    pub is_first: bool,
    /// It holds a number or a name.
    pub is_specific: bool,
}

/// Messages that were read, each once. Holds hashes and numbers alone.
#[derive(Debug, Clone, Default)]
pub struct Digest {
    /// By message: the hash of all messages up to it.
    pub chain: Vec<u64>,
    pub facts: Vec<Facts>,
    pub lines: Lines,
    pub sentences: Vec<Sentence>,
    pub terms: Vec<u32>,
    /// How often each term stands in the conversation.
    pub counts: HashMap<u32, u32>,
    /// The sentences that hold a term, while they are few enough to point at anything.
    pub places: HashMap<u32, Vec<u32>>,
    /// The sentences that say most of what the conversation is about.
    pub best: Vec<u32>,
}

/// A term in more sentences than this tells none of them apart.
pub const MOST_PLACES: usize = 256;

/// The hash of every prefix of these raw messages.
pub fn chain(messages: &[&str]) -> Vec<u64> {
    let mut before = 0;
    let link = |message: &&str| {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(before);
        hasher.write(message.as_bytes());
        before = hasher.finish();
        before
    };
    messages.iter().map(link).collect()
}

impl Digest {
    /// How many messages this digest and a conversation have in common from the start.
    pub fn common(&self, chain: &[u64]) -> usize {
        // A prefix's hash stands for the whole prefix: equal at a place, equal before it.
        let (mut low, mut high) = (0, self.chain.len().min(chain.len()));
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.chain[middle] == chain[middle] {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The exact tokens of all messages together.
    pub fn exact_tokens(&self) -> u64 {
        self.facts.iter().map(|facts| facts.exact_tokens + facts.fixed_tokens).sum()
    }

    /// Tokens to count on where all messages together have to fit.
    pub fn tokens(&self) -> u64 {
        self.facts.iter().map(Facts::tokens).sum()
    }

    /// About how many bytes it takes.
    pub fn weight(&self) -> usize {
        self.facts.len() * 64 + self.sentences.len() * 48 + self.terms.len() * 12 + self.counts.len() * 80
    }

    /// Reads the next message.
    pub fn read(&mut self, raw: &str, hash: u64) {
        let message = Message::parse(raw);
        let facts = facts(message.as_ref().ok(), raw);
        self.lines.add(facts.lines);
        self.facts.push(facts);
        self.chain.push(hash);
        if let Ok(message) = message
            && matches!(facts.role, Role::User | Role::Assistant)
        {
            self.index(&message.text());
        }
    }

    fn index(&mut self, text: &str) {
        let message = self.facts.len() - 1;
        for (number, place) in sentences(text).into_iter().enumerate() {
            let from = narrow(self.terms.len());
            terms(&text[place.clone()], |term| self.terms.push(term));
            let range = from..narrow(self.terms.len());
            let id = narrow(self.sentences.len());
            for term in &self.terms[range.start as usize..] {
                *self.counts.entry(*term).or_default() += 1;
                let places = self.places.entry(*term).or_default();
                if places.last() != Some(&id) && places.len() < MOST_PLACES {
                    places.push(id);
                }
            }
            self.sentences.push(Sentence {
                message,
                is_specific: is_specific(&text[place.clone()]),
                place: narrow(place.start)..narrow(place.end),
                terms: range,
                is_first: number == 0,
            });
            self.pool_in(id);
        }
    }

    /// Forgets all but the first `count` messages.
    pub fn truncate(&mut self, count: usize) {
        for facts in self.facts.drain(count..) {
            self.lines.remove(facts.lines);
        }
        self.chain.truncate(count);
        let kept = self.sentences.partition_point(|sentence| sentence.message < count);
        let terms = self.sentences.get(kept).map_or(self.terms.len(), |sentence| sentence.terms.start as usize);
        for term in self.terms.drain(terms..) {
            if let Some(count) = self.counts.get_mut(&term) {
                *count -= 1;
            }
            if let Some(places) = self.places.get_mut(&term) {
                places.truncate(places.partition_point(|id| (*id as usize) < kept));
            }
        }
        self.counts.retain(|_, count| *count > 0);
        self.places.retain(|_, places| !places.is_empty());
        self.sentences.truncate(kept);
        self.best.retain(|id| (*id as usize) < kept);
    }
}

/// A place in a conversation: bodies are far smaller than 4 GiB.
fn narrow(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn role(word: &str) -> Role {
    match word {
        "system" | "developer" => Role::System,
        "assistant" => Role::Assistant,
        "tool" | "function" => Role::Tool,
        _ => Role::User,
    }
}

/// The role of a message of which nothing else can be read.
fn role_of(raw: &str) -> String {
    RawObject::parse(raw.as_bytes()).ok().and_then(|message| message.read("role")).unwrap_or_default()
}

fn facts(message: Option<&Message<'_>>, raw: &str) -> Facts {
    let Some(message) = message else {
        // What cannot be read is counted as it stands; a dialect that reads it says what is wrong with it.
        let tokens = upper_bound(raw);
        return Facts {
            role: role(&role_of(raw)),
            exact_tokens: tokens,
            text_tokens: tokens,
            beside_tokens: 0,
            fixed_tokens: MESSAGE_TOKENS,
            lines: Lines::default(),
        };
    };
    let role = role(&message.role);
    let text = message.text();
    let images = message.parts.iter().filter(|part| !matches!(part, Part::Text(_))).count() as u64;
    let calls: u64 = message.tool_calls.iter().map(|call| exact(&call.name) + exact(&call.arguments)).sum();
    let in_text = exact(&text);
    Facts {
        role,
        exact_tokens: in_text + calls,
        text_tokens: size_of(in_text, &text),
        beside_tokens: fitting(calls, bytes_beside(message)),
        fixed_tokens: MESSAGE_TOKENS + images * IMAGE_TOKENS,
        lines: if matches!(role, Role::User | Role::Assistant) { Lines::of(&text) } else { Lines::default() },
    }
}

/// The bytes of a message's calls, as they are written in it, and of whatever else stands beside its text.
fn bytes_beside(message: &Message<'_>) -> usize {
    let call = |call: &ToolCall<'_>| CALL_BYTES + call.id.len() + call.name.len() + quoted(&call.arguments).len();
    let names = [&message.reasoning, &message.tool_call_id, &message.name];
    message.tool_calls.iter().map(call).sum::<usize>()
        + names.into_iter().flatten().map(|text| text.len()).sum::<usize>()
}

/// The bytes of `{"id":"","type":"function","function":{"name":"","arguments":}},`.
const CALL_BYTES: usize = 64;

/// Tokens to count on for a text that is written as a JSON string, in its own characters: a client that writes them as `\u` and four
/// digits says no more than one that does not.
pub fn size(text: &str) -> u64 {
    size_of(exact(text), text)
}

fn size_of(exact: u64, text: &str) -> u64 {
    fitting(exact, quoted(text).len())
}

/// Tokens to count on for a text that has to fit: the exact count, and never less than a token for four bytes. Other
/// vocabularies than o200k make a tenth more tokens of English.
pub fn fitting(exact: u64, bytes: usize) -> u64 {
    exact.max(bytes.div_ceil(4) as u64)
}

/// A number, or a capital within the sentence: what is said of things in particular.
fn is_specific(sentence: &str) -> bool {
    let has_name = sentence.split_whitespace().skip(1).any(|word| {
        word.chars().next().is_some_and(char::is_uppercase) && word.chars().nth(1).is_some_and(char::is_lowercase)
    });
    has_name || sentence.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: [&str; 4] = [
        r#"{"role":"system","content":"Be brief."}"#,
        r#"{"role":"user","content":"My dog is called Bruno. He is four."}"#,
        r#"{"role":"assistant","content":"A fine name.\n```rs\nlet dog = 1;\n```"}"#,
        r#"{"role":"user","content":[{"type":"text","text":"Who is this dog?"},{"type":"image_url","image_url":{"url":"data:,"}}]}"#,
    ];

    fn read(messages: &[&str]) -> Digest {
        let mut digest = Digest::default();
        for (message, hash) in messages.iter().zip(chain(messages)) {
            digest.read(message, hash);
        }
        digest
    }

    #[test]
    fn messages_are_counted_and_indexed_without_a_word_kept() {
        let digest = read(&MESSAGES);
        assert_eq!(
            digest.facts.iter().map(|facts| facts.role).collect::<Vec<_>>(),
            [Role::System, Role::User, Role::Assistant, Role::User]
        );
        assert_eq!(digest.facts[3].fixed_tokens, IMAGE_TOKENS + MESSAGE_TOKENS);
        assert_eq!(digest.facts[0].text_tokens, 3);
        assert_eq!(digest.sentences.len(), 4);
        assert_eq!(digest.lines, Lines { all: 6, code: 3 });
        assert!(!format!("{digest:?}").contains("Bruno"));
    }

    #[test]
    fn what_cannot_be_read_keeps_its_role() {
        let roles = |messages: &[&str]| read(messages).facts.iter().map(|facts| facts.role).collect::<Vec<_>>();
        let unreadable = [
            r#"{"role":"system","content":1}"#,
            r#"{"role":"assistant","tool_calls":[{"id":"a"}]}"#,
            r#"{"role":"tool","content":{}}"#,
        ];
        assert_eq!(roles(&unreadable), [Role::System, Role::Assistant, Role::Tool]);
    }

    #[test]
    fn a_truncated_digest_is_one_that_never_read_on() {
        let mut digest = read(&MESSAGES);
        digest.truncate(2);
        let short = read(&MESSAGES[..2]);
        assert_eq!(
            (digest.lines, digest.terms.clone(), digest.counts.clone()),
            (short.lines, short.terms, short.counts)
        );
        assert_eq!((digest.places.clone(), digest.chain.clone()), (short.places, short.chain));
    }

    #[test]
    fn a_common_beginning_is_found() {
        let digest = read(&MESSAGES);
        for count in 0..=4 {
            let mut other = MESSAGES[..count].to_vec();
            other.extend(["{}", "[]"]);
            assert_eq!(digest.common(&chain(&other)), count);
        }
    }
}
