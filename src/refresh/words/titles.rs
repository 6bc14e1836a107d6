//! What the words of titles say beside plans and limits.

use super::{Counted, Word, is_one_of, word};

/// Whether a title speaks of other numbers than those of every request now, whichever plan it names, and whatever stands
/// below it: "Old free tier limits", "Batch API limits", "Limits before June 2026".
pub fn is_of_others(title: &str) -> bool {
    const OTHERS: &str = "previous|previously|former|formerly|upcoming|planned|proposed|future|historical|history|archived|\
        archive|changelog|draft|coming|example|examples|batch|batches|burst|average|benchmark|benchmarks|discontinued|\
        retired|selfhosted|sample|samples|template|measured|outdated|competitor|competitors|removed|sunset";
    // Of a model they say nothing about its limits.
    const OLD: &str = "old|older|legacy|deprecated";
    let words = lower_words(title);
    let says = |list| words.iter().any(|word| is_one_of(list, word));
    let is_dated = (0..words.len()).any(|at| is_from_date(&words[at..]));
    let is_closed = words.windows(2).any(|pair| pair[0] == "closed" && pair[1] == "to");
    says(OTHERS)
        || says(OLD) && !says("model|models")
        || is_dated
        || is_closed
        || super::says_invented(title)
        || is_of_another_time(&title.to_lowercase())
}

/// Whether a text in lower case says that limits hold no more, or not yet.
pub fn is_of_another_time(text: &str) -> bool {
    const TIMES: &str = "no longer|were removed|was removed|been removed|limits will be|will become|will change|limits were|\
        limits used to|next week|next month|last year|last month|outdated";
    TIMES.split('|').any(|time| text.contains(time))
}

/// "before June", "from 1 July 2026", "starting on the 15th of August".
fn is_from_date(words: &[String]) -> bool {
    const TIMES: &str = "before|until|from|starting|effective";
    let is_day = |word: &String| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        matches!(digits.parse(), Ok(1..=31_u8)) || is_one_of("on|the|of", word)
    };
    let Some((_, rest)) = words.split_first().filter(|(time, _)| is_one_of(TIMES, time)) else { return false };
    rest.iter().find(|word| !is_day(word)).is_some_and(|word| is_date(word) || word == "next")
}

/// Whether a title or an introduction that names no plan speaks of such numbers, or of limits that one gets by paying or
/// by asking.
pub fn is_elsewhere(text: &str) -> bool {
    const ELSEWHERE: &str = "billing|payment|card|adding|higher|highest|increased|increases|addon|addons|temporary|promotional|\
        provisioned|dedicated|reserved|tuned|finetuned|paying|subscriber|subscribers|upgrade|upgrading|upgraded|flex|priority";
    // Of a model they say nothing about its limits.
    const ASKED: &str = "elevated|extended|boosted|custom";
    const PAID: &str = "paid|premium|enterprise";
    let words = lower_words(text);
    let names_plan = words.iter().any(|own| word(own) == Some(Word::Tier));
    let is_paid = words.windows(2).any(|pair| is_one_of(PAID, &pair[0]) && is_one_of("model|models", &pair[1]));
    let says = |list| words.iter().any(|word| is_one_of(list, word));
    let is_asked = says(ASKED) && !says("model|models");
    let is_bought = words.first().is_some_and(|word| word == "with") && says("credit|credits");
    is_paid
        || is_of_others(text)
        || is_foreign_plan(&words)
        || !names_plan && (says(ELSEWHERE) || is_asked || is_bought)
}

/// Whether words of other languages say that one pays, or number a plan: "Kostenpflichtige Tarife", "付费用户", "Niveau 1".
fn is_foreign_plan(words: &[String]) -> bool {
    const PAID: &str = "kostenpflichtig|bezahl|payant|pago|платн|корпоративн|betaald|zakelijk";
    // These stand in no word of their own.
    const WRITTEN_TOGETHER: &str = "付费|付費|收费|收費|企业|企業|有料|유료|기업";
    const NUMBERED: &str =
        "stufe|stufen|niveau|niveaux|nivel|niveles|nível|níveis|livello|livelli|уровень|层级|層級|级|級|ティア|등급";
    let is_paid = |word: &String| {
        PAID.split('|').any(|paid| word.starts_with(paid))
            || WRITTEN_TOGETHER.split('|').any(|paid| word.contains(paid))
    };
    let is_number = |word: &String| word.bytes().all(|byte| byte.is_ascii_digit());
    words.iter().any(is_paid) || words.iter().any(|word| is_one_of(NUMBERED, word)) && words.iter().any(is_number)
}

/// Whether a word behind a plan's name is something that one provides and documents, so that the two name no plan: "Developer
/// docs", "free models".
pub fn is_provided(word: &str) -> bool {
    const PROVIDED: &str = "model|models|variant|variants|docs|documentation|guide|guides|platform|portal|center|centre|console|\
        resources|tools|reference|quickstart|hub|community|site|inference|endpoint|endpoints|llm|llms|api|apis";
    is_one_of(PROVIDED, word)
}

/// Whether a model's place is taken by words for those that are not named: "All other models", "All Qwen models", "Default",
/// "Total".
pub fn is_rest(text: &str) -> bool {
    const REST: &str = "all|any|every|other|others|default|rest|remaining|else|everything|total|overall";
    let words = lower_words(text);
    let is_known = |word: &String| is_one_of(REST, word) || matches!(self::word(word), Some(Word::Filler));
    let is_family = words.first().is_some_and(|word| is_one_of(REST, word))
        && words.last().is_some_and(|word| is_one_of("model|models", word));
    is_family || words.iter().all(is_known) && words.iter().any(|word| is_one_of(REST, word))
}

/// Whether a label with a number in it says when, where or how something is called, and is no model's name: "First 7 days",
/// "With 10+ credits", "HTTP/2", "GET /v1/models", "Region EU-1".
pub fn is_no_name(label: &str) -> bool {
    const WORDS: &str = "with|without|first|after|before|within|during|from|until|since|if|when|once|up|credit|credits|region|\
        zone|http|https|get|post|put|patch|delete|api|apis|sdk|python|node|version|endpoint|port|request|requests|ipv4|ipv6|usd|eur";
    let words = lower_words(label);
    let is_known = |word: &String| is_one_of(WORDS, word) || matches!(self::word(word), Some(Word::Per(_)));
    label.contains(['$', '€', '£']) || words.iter().any(is_known)
}

/// Whether a name is one of those that come with an answer: `retry-after`, `x-ratelimit-limit`.
pub fn is_header_name(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    name.contains("ratelimit") || name.contains("rate-limit") || name == "retry-after" || name.starts_with("x-request")
}

/// The words of a text; those of "add-on" and "self-hosted" are one.
fn lower_words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace("add-on", "addon").replace("self-hosted", "selfhosted");
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

/// "June", "2026".
pub fn is_date(word: &str) -> bool {
    const MONTHS: &str = "january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|\
        apr|jun|jul|aug|sep|sept|oct|nov|dec";
    is_one_of(MONTHS, word)
        || word.len() == 4 && word.starts_with("20") && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Words of titles that say no more than that limits follow, beside those about limits.
pub fn is_general(word: &str) -> bool {
    const GENERAL: &str = "and|or|credits|credit|remaining|pricing|billing|how|work|works|measured|what|is|are|apply|\
        overview|understanding|general|this|with|limitation|limitations|specification|specifications|request|requests|token|tokens|about|on|to|basic|standard|table";
    is_one_of(GENERAL, word)
}

/// Whether a title is one of those that parts of any documentation have, and so no plan: "Quickstart", "Getting started".
pub fn is_part_of_docs(title: &str) -> bool {
    const PARTS: &str = "quickstart|quick start|quick start guide|quickstart guide|overview|introduction|intro|getting started|get started|start here|\
        at a glance|summary|basics|faq|faqs|q a|questions|common questions|frequently asked questions|how it works|limits|\
        rate limits|api limits|usage limits|quotas|details|notes|note|good to know|reference|api reference|guide|guides|docs|\
        documentation|pricing|billing|usage|features|what s included|welcome|about|learn more|next steps";
    is_one_of(PARTS, &lower_words(title).join(" "))
}

/// Whether what stands below such a title is about all there is.
pub fn is_introduction(title: &str) -> bool {
    const INTRODUCTIONS: &str = "quickstart|quick start|introduction|getting started|get started|at a glance|summary|faq|faqs|q a|questions|\
        common questions|frequently asked questions|frequently asked questions faq|frequently asked questions faqs";
    is_one_of(INTRODUCTIONS, &lower_words(title).join(" "))
}

/// Whether a text names something, and not only amounts: what is struck of "~~30 RPM~~ 60 RPM" is none.
pub fn names_something(text: &str) -> bool {
    let is_name = |own: &String| {
        let is_amount = matches!(word(own), Some(Word::Counts(_) | Word::Per(_) | Word::Rate(..) | Word::Filler));
        own.starts_with(char::is_alphabetic) && !is_amount
    };
    lower_words(text).iter().any(is_name)
}

/// Whether what is left beside a name that is struck says no more than that it is gone: "(retired)".
pub fn says_gone(text: &str) -> bool {
    const GONE: &str = "retired|deprecated|removed|discontinued|sunset|unavailable|gone|no|longer|available|legacy|old|was|formerly|eol";
    lower_words(text)
        .iter()
        .all(|own| is_one_of(GONE, own) || is_date(own) || own.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a title is a question about limits, and of nothing besides: "How many requests can I make per day?"
pub fn asks_for_limits(title: &str) -> bool {
    const ASKS: &str = "q|how|many|much|what|whats|which|when|are|is|there|any|can|could|may|do|does|did|will|i|we|you|my|me|s|make|send|get|have|\
        use|call|be|hit|reach|know|find|see|check|where|a|an|the|and|or|if|about|on|at|with|to|it|its|long|often|fast|often|limited|limiting|\
        single|one|possible|exactly|currently|right|now|up";
    let is_known = |own: &String| {
        is_general(own)
            || is_one_of(ASKS, own)
            || matches!(word(own), Some(Word::Filler | Word::TierNoun | Word::Per(_)))
            || matches!(word(own), Some(Word::Counts(Counted::Requests | Counted::Tokens) | Word::Rate(..)))
    };
    title.trim_end().ends_with('?') && lower_words(title).iter().all(is_known)
}

/// What the title of a page says that is no documentation: an error, a sign-in, a challenge.
pub fn is_error_title(title: &str) -> bool {
    const BEGINS: &str = "400|401|403|404|410|429|451|500|502|503|504|sign in|log in|login|error";
    let lower = title.trim().to_lowercase();
    says_error(title) || may_be_error(&lower) && BEGINS.split('|').any(|begin| begins_with_word(&lower, begin))
}

/// Whether a title or a heading says that a page could not be shown. "Sign in" may also stand above a form beside the text.
pub fn says_error(title: &str) -> bool {
    const PARTS: &str = "page not found|not found|access denied|just a moment|attention required|\
        are you a robot|verify you are human|checking your browser|service unavailable|bad gateway|\
        gateway timeout|internal server error|too many requests|something went wrong|application error|\
        under maintenance|enable javascript|unauthorized|forbidden|page doesn't exist|page does not exist|\
        page isn't available|page could not be found|not available in your";
    let lower = title.trim().to_lowercase();
    may_be_error(&lower) && PARTS.split('|').any(|part| lower.contains(part))
}

/// A long title, and one that speaks of limits, is documentation: "Rate limits and 429 Too Many Requests".
fn may_be_error(title: &str) -> bool {
    const MOST_WORDS: usize = 8;
    title.split_whitespace().count() <= MOST_WORDS && !lower_words(title).iter().any(|word| word == "limits")
}

fn begins_with_word(title: &str, word: &str) -> bool {
    let Some(rest) = title.strip_prefix(word) else { return false };
    let is_alone = rest.is_empty() || rest.starts_with([' ', ':', '-', '–', '|', '.']);
    // "Error codes and rate limits" is a page of documentation.
    is_alone && !(word == "error" && rest.trim_start().starts_with(|c: char| c.is_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_from_pages_about_them() {
        for (title, is_error) in [
            ("404", true),
            ("429: Rate limit exceeded", true),
            ("Acme | Page not found", true),
            ("Rate limits and 429 Too Many Requests", false),
            ("Error codes and retries", false),
        ] {
            assert_eq!(is_error_title(title), is_error, "{title}");
        }
    }
}
