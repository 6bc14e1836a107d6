//! The walk judges what a parser judges, and tells names and values by their places.

use proptest::prelude::*;

use super::*;

fn skims(json: &str) -> bool {
    let mut skim = Skim::new(json);
    skim.value().and_then(|_| skim.end()).is_ok()
}

fn parses(json: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok()
}

#[test]
fn it_takes_what_a_parser_takes_and_refuses_what_it_refuses() {
    let texts = [
        "",
        " ",
        "0",
        "-0",
        "00",
        "-",
        "1.",
        "1.0e",
        "1e+5",
        "1E-05",
        ".5",
        "+1",
        "1e400",
        "true",
        "tru",
        "nul",
        "null ",
        "[",
        "[]",
        "[ ]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{}",
        "{ }",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{\"a\" : [1, {\"b\":null}] }",
        "\"",
        "\"\\\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "\"\\uD800\"",
        "\"\\x\"",
        "\"\u{1}\"",
        "\"\t\"",
        "\"a\nb\"",
        "\n{\n}\n",
        "{}{}",
        "[1]]",
        "\"é😀\"",
        "{\"a\":1}}",
        "1,",
        "\u{b}1",
    ];
    for text in texts {
        assert_eq!(skims(text), parses(text), "{text:?}");
    }
}

#[test]
fn names_and_values_are_told_by_their_places() {
    let json = r#" {"a" : [1, "x"], "b\"":"\\", "c":{} }"#;
    let mut skim = Skim::new(json);
    let mut seen = Vec::new();
    let whole = skim.object(|skim, name| {
        let value = skim.value()?;
        seen.push((String::from_utf8_lossy(name.text).into_owned(), &json[value]));
        Ok::<_, Malformed>(())
    });
    assert_eq!(seen, [("a".into(), "[1, \"x\"]"), ("b\"".into(), r#""\\""#), ("c".into(), "{}")]);
    assert_eq!((&json[whole.expect("valid")], skim.end()), (json.trim(), Ok(())));
}

#[test]
fn a_million_brackets_overflow_nothing() {
    let (open, close) = ("[".repeat(1_000_000), "]".repeat(1_000_000));
    assert!(skims(&format!("{open}{close}")) && !skims(&open) && !skims(&format!("{open}{close}]")));
    assert!(skims(&format!("{}1{}", "{\"a\":[".repeat(1_000), "]}".repeat(1_000))));
}

proptest! {
    #[test]
    fn whatever_stands_in_a_string_its_first_special_byte_is_found(bytes in prop::collection::vec(prop_oneof![8 => 0x20_u8..=0xFF, 1 => any::<u8>()], 0..120)) {
        let first = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(bytes.len());
        prop_assert_eq!(plain(&bytes, false), first);
        if is_clean(&bytes) {
            prop_assert_eq!(plain(&bytes, true), first);
        }
    }

    #[test]
    fn a_string_full_of_escapes_is_judged_as_a_parser_judges_it(parts in prop::collection::vec(prop_oneof![
        20 => prop::sample::select(vec!["a", "plain words", "\\\\", "\\\"", "\\n", "\\t", "\\/", "\\b", "\\f", "\\r", "\\u00e9", "\\uDBFF", "\\\\\\\\", "é", "港"]),
        1 => prop::sample::select(vec!["\"", "\n", "\u{0}", "\\", "\\u12", "\\x", "\\v", "\\e", "\\N"]),
    ], 0..150), behind in "[\\]}, a]{0,80}") {
        let string = format!("\"{}\"", parts.concat());
        prop_assert_eq!(skims(&string), parses(&string), "{:?}", string);
        let end = Skim::new(&(string.clone() + &behind)).value().map(|place| place.end);
        prop_assert_eq!(end.is_ok(), serde_json::Deserializer::from_str(&string).into_iter::<serde::de::IgnoredAny>().next().is_some_and(|read| read.is_ok()));
        if skims(&string) {
            prop_assert_eq!(end, Ok(string.len()));
        }
    }

    #[test]
    fn any_text_of_json_s_characters_is_judged_as_a_parser_judges_it(text in r#"[\[\]{}",:\\ 01.eE+\-truflasn\n\tu€]{0,24}"#) {
        prop_assert_eq!(skims(&text), parses(&text), "{:?}", text);
    }

    #[test]
    fn a_damaged_chat_is_judged_as_a_parser_judges_it(at in 0..CHAT.len(), byte in any::<u8>()) {
        let mut damaged = CHAT.as_bytes().to_vec();
        damaged[at] = byte;
        if let Ok(text) = std::str::from_utf8(&damaged) {
            prop_assert_eq!(skims(text), parses(text), "{:?}", text);
        }
    }
}

const CHAT: &str = "{\"model\":\"m\",\"temperature\":0.70e-1,\"messages\":[{\"role\":\"user\",\"content\":\"a\\n\\u00e9 \\\"b\\\" c\"},\n\
                    {\"role\":\"assistant\",\"content\":null,\"x\":[true,false,-12]}]}";
