//! Whatever the conversation: what is sent fits by a provider's own count, and holds what must survive.

use proptest::prelude::*;

use super::*;

/// Words of several scripts, marks and white space, to be put together in any order.
const PIECES: [&str; 25] = [
    "The ferry leaves at 7:45. ",
    "Ja, das stimmt!\n",
    "\n\n",
    "\r\n",
    "我叫小明。",
    "अच्छा।",
    "مرحبا، كيف؟ ",
    "\"quoted\" \\ ",
    "```\nx = {'a': 1}\n```\n",
    "~~~\n",
    "1234567890",
    "  ",
    "\t",
    "/",
    "…",
    "- item\n",
    "🎉",
    "e\u{301}",
    "\u{2028}",
    "\u{a0}",
    "I'll",
    "foo_bar(baz);\n",
    "https://example.org/a?b=c ",
    ".",
    "A",
];

fn jumble() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
}

fn in_parts(role: &str, texts: [String; 2]) -> Value {
    json!({"role": role, "content": texts.map(|text| json!({"type": "text", "text": text}))})
}

fn message() -> impl Strategy<Value = Vec<Value>> {
    prop_oneof![
        3 => jumble().prop_map(|text| vec![user(text)]),
        3 => jumble().prop_map(|text| vec![assistant(text)]),
        1 => jumble().prop_map(|text| vec![json!({"role": "system", "content": text})]),
        1 => [jumble(), jumble()].prop_map(|texts| vec![in_parts("system", texts)]),
        1 => [jumble(), jumble()].prop_map(|texts| vec![in_parts("user", texts)]),
        4 => (0..400_usize, any::<u16>()).prop_map(|(words, seed)| vec![user(filler(usize::from(seed), words))]),
        4 => (0..400_usize, any::<u16>()).prop_map(|(words, seed)| vec![assistant(filler(usize::from(seed), words))]),
        1 => (1..60_usize).prop_map(|words| vec![json!({"role": "system", "content": filler(words, words)})]),
        2 => (1..4_usize, 0..300_usize, any::<u16>()).prop_map(|(count, words, seed)| {
            let ids: Vec<String> = (0..count).map(|number| format!("{seed}-{number}")).collect();
            let calls: Vec<Value> = ids.iter().map(|id| call(id)["tool_calls"][0].clone()).collect();
            let mut unit = vec![json!({"role": "assistant", "content": null, "tool_calls": calls})];
            unit.extend(ids.iter().map(|id| result(id, filler(words, words))));
            unit
        }),
        1 => Just(vec![json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}, {"type": "text", "text": "Look."}]})]),
        1 => Just(vec![user(format!("```py\n{}```", "x = 1\n".repeat(300)))]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_the_conversation_what_is_sent_fits_and_holds_what_must_survive(
        parts in prop::collection::vec(message(), 1..30),
        budget in 300..6_000_u64,
        mode in 0..4_usize,
        begins_with_user: bool,
    ) {
        let mut messages: Vec<Value> = parts.concat();
        messages.push(user("And now?"));
        let raws = raws(&messages);
        let (digest, raws) = digest(&raws);
        let limits = limits(Mode::NAMES[mode].1);
        let Ok(fitted) = fit(&digest, &raws, Room { budget, limits: &limits, history: &[], begins_with_user }) else {
            prop_assert!(least(&digest).1 > budget || least(&digest).0 > budget);
            return Ok(());
        };
        let sent: Vec<Value> = serde_json::from_str(&fitted.messages).expect("messages");
        prop_assert!(fitted.tokens <= budget && provider_count(&sent) <= fitted.tokens, "{} {} {budget}", fitted.tokens, provider_count(&sent));
        prop_assert_eq!(sent.last(), messages.last());
        let systems = |messages: &[Value]| messages.iter().filter(|message| message["role"] == "system").count();
        prop_assert!(systems(&sent) >= systems(&messages));
        let mut open: Vec<Value> = Vec::new();
        for message in &sent {
            if let Some(id) = message.get("tool_call_id") {
                prop_assert!(open.contains(id), "a result without its call");
                open.retain(|open| open != id);
            } else {
                prop_assert!(open.is_empty(), "a call without its result");
                open = message["tool_calls"].as_array().into_iter().flatten().map(|call| call["id"].clone()).collect();
            }
        }
    }
}

/// The frame of a summary and the blank line before it count too: without them 1,138 tokens were sent where 1,135 had been counted.
#[test]
fn a_summary_is_counted_with_what_it_is_wrapped_in() {
    for systems in 0..2 {
        let mut messages: Vec<Value> =
            (0..systems).map(|_| json!({"role": "system", "content": filler(7, 30)})).collect();
        messages.extend((0..40).map(|number| user(filler(number, 60))).flat_map(|asked| [asked, assistant("Yes.")]));
        messages.push(user("And now?"));
        let raws = raws(&messages);
        let (digest, raws) = digest(&raws);
        for budget in 300..420 {
            let room = Room { budget, limits: &LIMITS, history: &[], begins_with_user: false };
            let fitted = fit(&digest, &raws, room).expect("it fits");
            let sent: Vec<Value> = serde_json::from_str(&fitted.messages).expect("messages");
            assert!(sent[0]["content"].as_str().is_some_and(|text| text.contains("Earlier in this conversation")));
            assert!(provider_count(&sent) <= fitted.tokens && fitted.tokens <= budget, "{budget}");
        }
    }
}

/// Each part was cut as if it stood alone: 709 tokens were sent into room for 679.
#[test]
fn a_message_in_parts_is_cut_as_a_whole() {
    let text = |words| filler(words, words);
    let messages = [in_parts("system", [text(600), text(500)]), in_parts("user", [text(30), text(700)])];
    for budget in [300, 679, 1_000, 1_900] {
        let (sent, fitted) = fitted(&messages, &LIMITS, budget).expect("it fits");
        assert!(provider_count(&sent) <= fitted.tokens && fitted.tokens <= budget, "{budget} {}", fitted.tokens);
        assert!(fitted.tokens * 10 > budget * 8, "{budget} {}: room is used", fitted.tokens);
        assert_eq!(sent[1]["content"][0], messages[1]["content"][0], "the short part stays");
        assert_eq!(sent[0].to_string().matches("left out here").count(), 2, "both long ones are cut");
    }
}
