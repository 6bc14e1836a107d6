//! Answers: whose limits a sentence states is also said by the question before it.

use super::super::tier::{self, Tiers};
use super::super::words;
use super::{Said, scope};

/// What is said right behind a question: "What about the Pro plan? You can make 500 requests per day."
pub fn answered(said: Said, question: &str) -> Said {
    let Said::Limits(mut row) = said else { return said };
    if row.tier.is_some() {
        return Said::Limits(row);
    }
    let is_of_others = tier::is_denied(question) || words::is_elsewhere(question);
    match tier::in_sentence(question) {
        _ if is_of_others => return Said::Unclear(scope::MIXED),
        Tiers::Several => return Said::Unclear(scope::MIXED),
        Tiers::One(tier) => row.tier = Some(tier),
        Tiers::None if row.model == "*" && row.section.is_none() && !words::asks_for_limits(question) => {
            row.section = Some(question.trim_end_matches('?').to_owned());
        }
        Tiers::None => {}
    }
    Said::Limits(row)
}

#[cfg(test)]
mod tests {
    use super::super::super::text::of_markdown;
    use super::super::tests::short;
    use super::super::{item, paragraph};

    #[test]
    fn a_question_says_whose_its_answer_is() {
        for (text, says) in [
            ("How many requests can I make? You can make 50 requests per day.", "* requests_per_day=50"),
            ("How many requests can I make? Free users can make 50 requests per day.", "* [Free] requests_per_day=50"),
            ("What about the Pro plan? You can make up to 500 requests per day.", "* [Pro] requests_per_day=500"),
            ("What about Free and Pro? You can make up to 500 requests per day.", "unclear"),
            ("How do I get higher limits? You can make up to 500 requests per day.", "unclear"),
            (
                "What about embeddings? You can make 50 requests per day.",
                "* (What about embeddings) requests_per_day=50",
            ),
        ] {
            let said: Vec<String> = paragraph(&of_markdown(text), 1).iter().map(short).collect();
            assert_eq!(said, [says], "{text}");
            assert_eq!(short(&item(&of_markdown(text), 1)), says, "{text}");
        }
    }
}
