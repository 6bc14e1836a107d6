//! Remembers conversations from turn to turn, by the hash of their messages, so that a turn costs what is new in it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::digest::Digest;
use super::dynamic::TURNS;

/// Bytes that all digests together may take. The one in use is kept whatever it takes.
const MOST_BYTES: usize = 64 * 1024 * 1024;
const MOST_CONVERSATIONS: usize = 512;
/// Conversations whose last turns' sizes are remembered.
const MOST_HISTORIES: usize = 10_000;

/// What is remembered of conversations: hashes and numbers, no words. Lost with the process, at the price of reading once more.
#[derive(Debug, Default)]
pub struct Memory {
    /// The longest unused first.
    digests: Vec<Arc<Digest>>,
    /// The tokens of the last turns, and when the last of them was.
    histories: HashMap<u64, (u64, VecDeque<u64>)>,
    turn: u64,
}

/// A conversation's digest on its way to be completed.
#[derive(Debug)]
pub struct Begun {
    digest: Digest,
    chain: Vec<u64>,
}

impl Begun {
    /// Messages that have not been read before.
    pub fn missing(&self) -> usize {
        self.chain.len() - self.digest.chain.len()
    }

    /// Reads what is missing.
    pub fn complete(mut self, messages: &[&str]) -> Digest {
        let known = self.digest.chain.len();
        for (message, hash) in messages.iter().zip(self.chain).skip(known) {
            self.digest.read(message, hash);
        }
        self.digest
    }
}

impl Memory {
    /// Takes out what is known of the messages with this chain. Whoever takes it puts it back once it is complete.
    pub fn take(&mut self, chain: Vec<u64>) -> Begun {
        let shared_with = |index: usize| self.digests[index].common(&chain);
        let best = (0..self.digests.len()).max_by_key(|index| shared_with(*index));
        let mut digest = Digest::default();
        if let Some(index) = best {
            let shared = shared_with(index);
            // Another conversation with the same beginning keeps its own; an edited one gives up its old end.
            if shared * 2 >= self.digests[index].chain.len() && shared > 0 {
                // Nobody else holds it, unless the same conversation is being answered twice at once.
                digest = Arc::unwrap_or_clone(self.digests.remove(index));
                if shared < digest.chain.len() {
                    digest.truncate(shared);
                }
            }
        }
        Begun { digest, chain }
    }

    pub fn put(&mut self, digest: Arc<Digest>) {
        self.digests.push(digest);
        let mut weight: usize = self.digests.iter().map(|digest| digest.weight()).sum();
        while self.digests.len() > 1 && (weight > MOST_BYTES || self.digests.len() > MOST_CONVERSATIONS) {
            weight -= self.digests.remove(0).weight();
        }
    }

    /// The tokens of a session's last turns, oldest first.
    pub fn history(&self, session: u64) -> Vec<u64> {
        self.histories.get(&session).map(|(_, turns)| turns.iter().copied().collect()).unwrap_or_default()
    }

    /// A turn of a session took so many tokens.
    pub fn note_turn(&mut self, session: u64, tokens: u64) {
        self.turn += 1;
        let (last, turns) = self.histories.entry(session).or_default();
        *last = self.turn;
        turns.push_back(tokens);
        if turns.len() > TURNS {
            turns.pop_front();
        }
        if self.histories.len() > MOST_HISTORIES {
            let half = self.turn - (MOST_HISTORIES / 2) as u64;
            self.histories.retain(|_, (last, _)| *last > half);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::chain;

    fn messages(count: usize) -> Vec<String> {
        (0..count).map(|number| format!(r#"{{"role":"user","content":"message {number}"}}"#)).collect()
    }

    fn turn(memory: &mut Memory, messages: &[String]) -> usize {
        let raws: Vec<&str> = messages.iter().map(String::as_str).collect();
        let begun = memory.take(chain(&raws));
        let missing = begun.missing();
        memory.put(Arc::new(begun.complete(&raws)));
        missing
    }

    #[test]
    fn a_turn_reads_what_is_new_in_it() {
        let (mut memory, all) = (Memory::default(), messages(200));
        assert_eq!(turn(&mut memory, &all[..100]), 100);
        assert_eq!(turn(&mut memory, &all[..102]), 2);
        assert_eq!(turn(&mut memory, &all[..102]), 0, "asked again");
        let mut edited = all[..102].to_vec();
        edited[101] = r#"{"role":"user","content":"edited"}"#.to_owned();
        assert_eq!(turn(&mut memory, &edited), 1);
        let mut other = all[..4].to_vec();
        other.extend(messages(50).into_iter().rev());
        assert_eq!(turn(&mut memory, &other), 54, "another conversation with the same beginning");
        assert_eq!(turn(&mut memory, &edited), 0, "which took nothing from the first");
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = Memory::default();
        for number in 0..MOST_CONVERSATIONS + 10 {
            turn(&mut memory, &[format!(r#"{{"role":"user","content":"conversation {number}"}}"#)]);
        }
        assert_eq!(memory.digests.len(), MOST_CONVERSATIONS);
        for session in 0..30_000 {
            memory.note_turn(session, 7);
        }
        assert!(memory.histories.len() <= MOST_HISTORIES);
        for tokens in 0..20 {
            memory.note_turn(1 << 40, tokens);
        }
        assert_eq!(memory.history(1 << 40), (10..20).collect::<Vec<_>>());
    }
}
