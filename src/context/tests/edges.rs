//! What clients do with conversations: they edit the past, go back, branch, and send the same words written otherwise.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

const LINE_HEADS: [&str; 2] = ["User: ", "Assistant: "];

fn turn(memory: &mut Memory, messages: &[Value]) -> (Arc<Digest>, Vec<Value>) {
    let raws = raws(messages);
    let raws: Vec<&str> = raws.iter().map(String::as_str).collect();
    let digest = Arc::new(memory.take(chain(&raws)).complete(&raws));
    memory.put(Arc::clone(&digest));
    let limits = Limits { reservoir_recent_keep: 4, ..LIMITS };
    let fitted = fit(&digest, &raws, Room { budget: 700, limits: &limits, history: &[], begins_with_user: false });
    let sent = serde_json::from_str(&fitted.expect("it fits").messages).expect("messages");
    (digest, sent)
}

fn talk(count: usize) -> Vec<Value> {
    let message = |number| {
        if number % 2 == 0 { user(filler(number, 30)) } else { assistant(filler(number, 30)) }
    };
    (0..count).map(message).collect()
}

fn summary_of(sent: &[Value]) -> &str {
    sent[0]["content"].as_str().expect("a text")
}

#[test]
fn what_was_edited_away_is_in_no_summary() {
    let mut memory = Memory::default();
    let mut messages = talk(60);
    messages[4] = user("The vault's code is 4711.");
    messages.push(user("What is the code of the vault?"));
    assert!(summary_of(&turn(&mut memory, &messages).1).contains("4711"));
    messages[4] = user("The vault's code is 9038.");
    let (_, sent) = turn(&mut memory, &messages);
    assert!(summary_of(&sent).contains("9038") && !summary_of(&sent).contains("4711"), "{}", summary_of(&sent));
    messages[4] = user("Never mind.");
    assert!(!summary_of(&turn(&mut memory, &messages).1).contains("code is"));
}

#[test]
fn branches_of_one_beginning_know_nothing_of_each_other() {
    let mut memory = Memory::default();
    let branch = |fact: &str| {
        let mut messages = talk(50);
        messages.push(user(fact));
        messages.extend(talk(14).into_iter().skip(1));
        messages.push(user("Which city do we move to?"));
        messages
    };
    let (left, right) = (branch("We move to the city of Bergen."), branch("We move to the city of Tromsø."));
    for _ in 0..3 {
        let (_, sent) = turn(&mut memory, &left);
        assert!(summary_of(&sent).contains("Bergen") && !summary_of(&sent).contains("Tromsø"));
        let (_, sent) = turn(&mut memory, &right);
        assert!(summary_of(&sent).contains("Tromsø") && !summary_of(&sent).contains("Bergen"));
    }
}

#[derive(Debug, Clone)]
enum Deed {
    Says(u16),
    Edits(usize, u16),
    GoesBack(usize),
    Branches(usize),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => any::<u16>().prop_map(Deed::Says),
        2 => (any::<usize>(), any::<u16>()).prop_map(|(at, seed)| Deed::Edits(at, seed)),
        1 => any::<usize>().prop_map(Deed::GoesBack),
        2 => any::<usize>().prop_map(Deed::Branches),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Of the same session or of several: a conversation is known by its messages alone.
    #[test]
    fn whatever_clients_do_a_remembered_conversation_is_as_one_read_afresh(deeds in prop::collection::vec(deed(), 1..12)) {
        let mut memory = Memory::default();
        let mut all = vec![talk(30)];
        let mut now = 0;
        for deed in deeds {
            match deed {
                Deed::Says(seed) => {
                    let text = filler(1_000 + usize::from(seed), 25);
                    all[now].extend([assistant(text.clone()), user(text)]);
                }
                Deed::Edits(at, seed) => {
                    let at = at % all[now].len();
                    all[now][at]["content"] = json!(filler(100_000 + usize::from(seed), 25));
                }
                Deed::GoesBack(to) => {
                    let count = 10 + to % (all[now].len() - 9);
                    all[now].truncate(count);
                }
                Deed::Branches(to) if to % 2 == 0 => {
                    all.push(all[now].clone());
                    now = all.len() - 1;
                }
                Deed::Branches(to) => now = to % all.len(),
            }
            let mut messages = all[now].clone();
            messages.push(user("What of the harbour and the orchard?"));
            let (known, sent) = turn(&mut memory, &messages);
            let raws = raws(&messages);
            let (fresh, _) = digest(&raws);
            prop_assert_eq!((&known.chain, known.tokens(), known.lines), (&fresh.chain, fresh.tokens(), fresh.lines));
            prop_assert_eq!((&known.terms, &known.counts, &known.places), (&fresh.terms, &fresh.counts, &fresh.places));
            if sent[0]["role"] == "system" {
                for line in summary_of(&sent).lines().skip(1) {
                    let words = LINE_HEADS.iter().find_map(|head| line.strip_prefix(head)).expect("a speaker");
                    prop_assert!(messages.iter().any(|message| message["content"].as_str().is_some_and(|text| text.contains(words))), "{}", words);
                }
            }
        }
    }
}

/// Written as `\u0645`, an Arabic letter counted for as much as six of English: a conversation was cut to a fifth of its room.
#[test]
fn characters_that_a_client_escapes_count_as_themselves() {
    for text in ["مرحبا بكم في مدينتنا الجميلة. ".repeat(40), "我们决定用木地板，不用瓷砖。".repeat(40)]
    {
        let plain = user(text).to_string();
        let escaped: String = plain
            .chars()
            .map(|c| if c.is_ascii() { c.to_string() } else { format!("\\u{:04x}", u32::from(c)) })
            .collect();
        let tokens = |raw: String| digest(&[raw]).0.tokens();
        assert_eq!(tokens(escaped), tokens(plain));
    }
}

#[test]
fn calls_that_cannot_be_cut_are_counted_whole_and_named() {
    let arguments = json!({"path": "a.txt", "content": filler(1, 3_000)}).to_string();
    let mut messages = vec![json!({"role": "system", "content": filler(2, 900)}), user("Write it.")];
    messages.push(json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "write", "arguments": arguments}}]}));
    messages.push(result("c", filler(3, 2_000)));
    let raws = raws(&messages);
    let (digest, _) = digest(&raws);
    let (place, tokens) = uncuttable(&digest).expect("most of it");
    assert!(place == 2 && (5_000..7_500).contains(&tokens), "{place} {tokens}");
    let TooLong { needed } = fitted(&messages, &LIMITS, 2_000).expect_err("the call alone is longer");
    assert!(needed > tokens && needed < tokens + 400, "{needed}, cut as short as it can be");
    let (sent, fitted) = fitted(&messages, &LIMITS, tokens + 600).expect("the rest is cut");
    assert!(provider_count(&sent) <= fitted.tokens && sent[2] == messages[2], "the call is whole");
    messages.truncate(2);
    let raws = super::raws(&messages);
    assert_eq!(uncuttable(&super::digest(&raws).0), None);
}
