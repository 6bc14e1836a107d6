//! Sentences and list items as pages write them, and what each says of limits.

use super::super::text::of_markdown;
use super::*;

pub fn short(said: &Said) -> String {
    match said {
        Said::Nothing => "nothing".to_owned(),
        Said::Unclear(_) => "unclear".to_owned(),
        Said::Limits(row) => {
            let amounts: Vec<String> = row.amounts.iter().map(|(metric, n)| format!("{}={n}", metric.key())).collect();
            let tier = row.tier.as_ref().map_or(String::new(), |tier| format!(" [{tier}]"));
            let section = row.section.as_ref().map_or(String::new(), |section| format!(" ({section})"));
            format!("{}{tier}{section} {}", row.model, amounts.join(" "))
        }
    }
}

#[test]
fn items_state_limits() {
    for (line, says) in [
        ("720 requests per minute", "* requests_per_minute=720"),
        ("[@cf/a/b-1](/m/b-1/) is 1500 requests per minute", "@cf/a/b-1 requests_per_minute=1500"),
        ("**Anonymous**: 2 requests per minute, per IP and per model.", "* [Anonymous] requests_per_minute=2"),
        ("**With a key, registered**: 4 requests per minute.", "* [With a key, registered] requests_per_minute=4"),
        (
            "Free tier: 10 requests per minute, 250 requests per day",
            "* [Free] requests_per_minute=10 requests_per_day=250",
        ),
        ("Requests per minute: 60", "* requests_per_minute=60"),
        ("`x-large`: 30 requests per minute, 1,000 per day", "x-large requests_per_minute=30 requests_per_day=1000"),
        ("`x-large`: 30 requests/minute and 1,000/day", "x-large requests_per_minute=30 requests_per_day=1000"),
        ("`x-large`: 30 requests per minute, $5 per month", "x-large requests_per_minute=30"),
        (
            "`x-large`: 30 requests per minute, tokens 40,000 per day",
            "x-large requests_per_minute=30 tokens_per_day=40000",
        ),
        ("`x-large`: 2 requests per minute, images: 10 per day", "x-large requests_per_minute=2 images_per_day=10"),
        ("Requests per minute: 60 (free), 600 (pro)", "unclear"),
        ("Gemini 2.5 Pro: 5 RPM", "Gemini 2.5 Pro requests_per_minute=5"),
        ("With 10+ credits: 1000 requests per day", "* (With 10+ credits) requests_per_day=1000"),
        ("After 30 days: 100 requests per day", "* (After 30 days) requests_per_day=100"),
        ("$10+: 1000 requests per day", "* ($10+) requests_per_day=1000"),
        ("Region EU-1: 30 requests per minute", "* (Region EU-1) requests_per_minute=30"),
        ("GET /v1/models: 60 requests per minute", "* (GET /v1/models) requests_per_minute=60"),
        ("HTTP/2: 50 requests per minute", "* (HTTP/2) requests_per_minute=50"),
        ("Gemini 2.5 Pro (free): 5 RPM", "Gemini 2.5 Pro (free) [Free] requests_per_minute=5"),
        ("Gemini 2.5 Pro (`gemini-2.5-pro`): 5 RPM", "gemini-2.5-pro requests_per_minute=5"),
        ("x-70b (free): 20 RPM", "x-70b (free) [Free] requests_per_minute=20"),
        ("`x-70b` (paid): 200 RPM", "x-70b (paid) [Paid] requests_per_minute=200"),
        ("Paid `x-70b`: 200 RPM", "x-70b [Paid] requests_per_minute=200"),
        ("Batch `x-70b`: 200 RPM", "unclear"),
        ("Paid: 200 RPM with `x-70b`", "unclear"),
        ("RPM **60**", "* requests_per_minute=60"),
        ("RPM 60 or 90", "nothing"),
        ("`x-large`: 30 RPM and 1,000 RPD", "x-large requests_per_minute=30 requests_per_day=1000"),
        ("Chat completions: 60 requests per minute", "* (Chat completions) requests_per_minute=60"),
        (
            "If you purchase at least 10 credits, your daily limit is increased to 1000 `:free` model requests per day.",
            "*:free [At least 10 credits purchased (all time)] requests_per_day=1000",
        ),
        (
            "If you have spent less than 5 dollars this month, you're limited to 50 requests per day.",
            "* [Less than 5 dollars this month spent] requests_per_day=50",
        ),
        ("**RPM:** Requests per minute", "nothing"),
        ("**Concurrent batch requests:** 100", "nothing"),
        ("Input file size limit: 2GB", "nothing"),
        ("Free: 1e3 requests per day", "unclear"),
        ("Free: 2.5e5 tokens per day", "unclear"),
        ("Free: 1k5 requests per day", "unclear"),
        ("Free: v30 requests per day", "unclear"),
        ("Tier1: 30 RPM", "* [Tier 1] requests_per_minute=30"),
        ("{N} requests per minute", "unclear"),
        ("For example 50 requests per minute", "unclear"),
    ] {
        assert_eq!(short(&item(&of_markdown(line), 1)), says, "{line}");
    }
}

#[test]
fn sentences_state_limits_and_tell_examples() {
    let all = |text: &str| paragraph(&of_markdown(text), 1).iter().map(short).collect::<Vec<_>>();
    assert_eq!(
        all("Trial keys (and prod keys on newer models) are limited to 1,000 API calls a month."),
        ["* [Trial] requests_per_month=1000"]
    );
    assert_eq!(
        all("If you use a free model (its ID ends in `:free`), you can make up to 20 requests per minute."),
        ["*:free requests_per_minute=20"]
    );
    assert_eq!(all("Let's say your RPM = 50 and your TPM = 200K. You are limited to 50 RPM."), ["unclear"]);
    assert_eq!(all("Free: 50/day. Pro: 1,000/day."), ["* [Free] requests_per_day=50", "* [Pro] requests_per_day=1000"]);
    for (line, says) in [
        ("`x-large` is limited to 30 requests per minute.", "x-large requests_per_minute=30"),
        ("qwen-3 and llama-4 are limited to 30 requests per minute.", "unclear"),
        ("Our servers handle up to 5000 requests per second.", "unclear"),
        ("Batch jobs are limited to 100 requests per day.", "* (batch) requests_per_day=100"),
        ("Summarization is limited to 900 requests per minute.", "* (summarization) requests_per_minute=900"),
        ("Object detection has a limit of 900 requests per minute.", "* (detection) requests_per_minute=900"),
        (
            "Anonymous requests are subject to rate limiting (200 requests per hour per IP).",
            "* [Anonymous] requests_per_hour=200",
        ),
        ("Free accounts can send up to 100 requests per day.", "* [Free] requests_per_day=100"),
        ("Free accounts are now limited to 100 requests per day.", "* [Free] requests_per_day=100"),
        ("If you top up 10 credits, `:free` models are limited to 1000 requests per day.", "unclear"),
    ] {
        assert_eq!(all(line), [says], "{line}");
    }
    assert_eq!(all("For example, you have a rate limit of 50 RPM and 200K TPM."), ["unclear"]);
    assert_eq!(all("If your RPM limit is 20, making 21 requests within a minute is an error."), ["unclear"]);
    for (text, says) in [
        (
            "Rate limits apply per organization, not per key. Free accounts are limited to 60 requests per minute.",
            "* [Free] requests_per_minute=60",
        ),
        (
            "Free models can be used by all. Anonymous requests are limited to 200 requests per hour.",
            "* [Anonymous] requests_per_hour=200",
        ),
        (
            "This is about free accounts. The free tier is limited to 60 requests per minute.",
            "* [Free] requests_per_minute=60",
        ),
        ("Requests on the free plan are limited to 31 per minute.", "* [Free] requests_per_minute=31"),
        ("Image requests are limited to 10 per minute.", "* (image) requests_per_minute=10"),
        ("Requests with images are limited to 10 per minute.", "* (images) images_per_minute=10"),
        (
            "On the free plan, premium models are limited to 60 requests per minute.",
            "* [Free] (On the free plan, premium models) requests_per_minute=60",
        ),
        (
            "If you exceed it, wait. Free accounts are limited to 60 requests per minute.",
            "* [Free] requests_per_minute=60",
        ),
        ("These are not our limits. Free accounts are limited to 60 requests per minute.", "unclear"),
        ("It used to be higher. Free accounts are limited to 60 requests per minute.", "unclear"),
        ("Imagine an account. It is limited to 60 requests per minute.", "unclear"),
    ] {
        assert_eq!(all(text), [says], "{text}");
    }
    assert_eq!(all("Free users and Pro users are limited to 50 requests per day."), ["unclear"]);
    for text in [
        "How do I know when I can send 100 requests per minute?",
        "You can request a limit of 200 requests per minute.",
        "You can ask for a quota of 300 requests per day.",
        "You are limited to 62 requests per minute on Gemini 2.5 Flash.",
        "You can make 10 requests per minute per seat.",
    ] {
        assert_eq!(all(text), ["unclear"], "{text}");
    }
    let embeddings = "You can make 60 requests per minute to the embeddings endpoint.";
    assert_eq!(all(embeddings), ["* (embeddings) requests_per_minute=60"]);
    assert_eq!(all("We served 50 requests per second yesterday."), ["unclear"]);
}

#[test]
fn a_limit_may_stand_behind_its_name() {
    for (line, says) in [
        ("RPM: 30, RPD: 1,000", "* requests_per_minute=30 requests_per_day=1000"),
        ("RPM = 30 · TPM = 6K", "* requests_per_minute=30 tokens_per_minute=6000"),
        ("**RPM:** 30<br>**RPD:** 14,400", "* requests_per_minute=30 requests_per_day=14400"),
        ("RPM limit: 30, RPD limit: 1,000", "* requests_per_minute=30 requests_per_day=1000"),
        ("RPM: 30, RPD: 1,000 (free tier)", "* [Free] requests_per_minute=30 requests_per_day=1000"),
        ("`x-70b`: RPM: 30, RPD: 1,000", "x-70b requests_per_minute=30 requests_per_day=1000"),
        ("**x-70b** — RPM: 30, TPM: 6,000", "x-70b requests_per_minute=30 tokens_per_minute=6000"),
        ("x-70b (RPM: 15 / RPD: 500)", "x-70b requests_per_minute=15 requests_per_day=500"),
        ("x-70b | RPM: 30 | RPD: 1,000", "x-70b requests_per_minute=30 requests_per_day=1000"),
        ("x-70b RPM: 30", "x-70b requests_per_minute=30"),
        ("`x-70b`: RPM 30, RPD 1000", "x-70b requests_per_minute=30 requests_per_day=1000"),
        ("x-70b: RPM: -, RPD: 100", "x-70b requests_per_day=100"),
        (
            "x-70b: Requests per minute: 30, Tokens per minute: 6,000",
            "x-70b requests_per_minute=30 tokens_per_minute=6000",
        ),
        ("Gemini 2.5 Flash: RPM = 10; RPD = 250", "Gemini 2.5 Flash requests_per_minute=10 requests_per_day=250"),
        ("Llama 3 70B requests per minute: 30", "Llama 3 70B requests_per_minute=30"),
        ("Free: RPM: 30, RPD: 1,000", "* [Free] requests_per_minute=30 requests_per_day=1000"),
        ("Batch RPM: 30, RPD: 1,000", "* (Batch) requests_per_minute=30 requests_per_day=1000"),
        ("x-70b: RPM: 30-60", "unclear"),
        ("x-70b: RPM: 30, 60", "unclear"),
        ("x-70b: RPM: 30 / 60", "unclear"),
        ("x-70b: RPM: 30 vs 60", "unclear"),
        ("x-70b: RPM: 30+", "unclear"),
        ("x-70b: RPM: 30 (60 with a card)", "unclear"),
        ("x-70b: RPM: 30 (free), 60 (pro)", "unclear"),
        ("x-70b: RPM: 30 TPM", "unclear"),
        ("x-70b: RPM: 30, RPD: 1.000", "unclear"),
        ("x-70b: RPM: 30, y-8b: RPM: 60", "unclear"),
        ("x-70b: RPM: 30, RPM: 60", "unclear"),
        ("Free: RPM: 30, Pro: RPM: 300", "unclear"),
    ] {
        assert_eq!(short(&item(&of_markdown(line), 1)), says, "{line}");
    }
}

#[test]
fn what_is_struck_out_has_no_limits() {
    for (line, says) in [
        ("~~`x-1b`~~ 30 requests per minute", "unclear"),
        ("<del>x-1b</del> 30 requests per minute", "unclear"),
        ("~~60~~ 30 requests per minute", "* requests_per_minute=30"),
        ("`x-1b`: ~~60 RPM~~ 30 requests per minute", "x-1b requests_per_minute=30"),
    ] {
        assert_eq!(short(&item(&of_markdown(line), 1)), says, "{line}");
    }
}

#[test]
fn two_counts_may_share_a_period() {
    for (line, says) in [
        ("`x-70b`: 30 requests and 8,000 tokens per minute", "x-70b requests_per_minute=30 tokens_per_minute=8000"),
        (
            "`x-70b`: up to 30 requests and up to 8K tokens / minute",
            "x-70b requests_per_minute=30 tokens_per_minute=8000",
        ),
        ("`x-70b`: 1M tokens and 60 requests per minute", "x-70b requests_per_minute=60"),
        ("`x-70b`: 1,000 requests and 60 requests per minute", "x-70b requests_per_minute=60"),
        ("`x-70b`: 1,000 requests in total and 6K tokens per minute", "x-70b tokens_per_minute=6000"),
    ] {
        assert_eq!(short(&item(&of_markdown(line), 1)), says, "{line}");
    }
}

#[test]
fn a_range_or_a_bound_is_no_limit() {
    for line in [
        "x-70b: 10-20 RPM",
        "x-70b: 2–15 RPM",
        "x-70b: 10 - 20 RPM",
        "x-70b: 5 to 15 RPM",
        "x-70b: 60 → 30 RPM",
        "Free tier 10 - 20 RPM",
        "x-70b: ~10 RPM",
        "x-70b: ≈10 RPM",
        "x-70b: >10 RPM",
        "x-70b: <10 RPM",
        "x-70b: >= 10 RPM",
        "x-70b: ≥10 RPM",
        "x-70b: 10+ RPM",
        "x-70b: 10 RPM or more",
        "x-70b: min. 10 RPM",
        "x-70b: a minimum of 10 RPM",
        "x-70b: ca. 10 RPM",
        "x-70b: at least 10 RPM",
        "x-70b: less than 10 RPM",
        "x-70b: from 10 RPM",
        "x-70b: 10/20 RPM",
        "x-70b: 10, 20 RPM",
        "x-70b: 2 x 10 RPM",
        "x-70b: 10 RPM x 2 keys",
        "Free: 25% of 400 requests per minute",
        "Free: half of 300 requests per minute",
        "Free: 1/10 of 300 requests per minute",
        "Free: 300 requests per minute minus 10%",
    ] {
        assert_eq!(short(&item(&of_markdown(line), 1)), "unclear", "{line}");
    }
    for (line, says) in [
        ("x-70b: up to 10 RPM", "x-70b requests_per_minute=10"),
        ("x-70b: at most 10 RPM", "x-70b requests_per_minute=10"),
        ("x-70b: maximum 10 RPM", "x-70b requests_per_minute=10"),
        ("x-70b: max. 10 RPM", "x-70b requests_per_minute=10"),
        ("x-70b: <= 10 RPM", "x-70b requests_per_minute=10"),
        ("x-70b: 30 RPM + 100 RPD", "x-70b requests_per_minute=30 requests_per_day=100"),
        ("x-70b: up to 30 RPM and up to 100 RPD", "x-70b requests_per_minute=30 requests_per_day=100"),
        ("Llama 3 - 30 RPM", "Llama 3 requests_per_minute=30"),
        ("x-70b – 30 req / min 100 req / hour", "x-70b requests_per_minute=30 requests_per_hour=100"),
        ("Tier 1 - 30 RPM", "* [Tier 1] requests_per_minute=30"),
    ] {
        assert_eq!(short(&item(&of_markdown(line), 1)), says, "{line}");
    }
}

#[test]
fn a_line_with_two_plans_or_two_models_is_refused() {
    for (line, says) in [
        ("Free: 30 RPM, 1,000 RPD; Paid: 4M TPM", "unclear"),
        ("30 RPM on the free tier, 4M TPM on the paid tier", "unclear"),
        ("`x-70b`: 30 RPM (paid: 1,000 RPD)", "unclear"),
        ("`x-70b`: 30 RPM (paid: 60)", "unclear"),
        ("`x-70b`: free 30 RPM, developer 30K TPM", "unclear"),
        ("x-70b: 30 RPM, y-70b: 1,000 RPD", "unclear"),
        ("x-70b: 30 RPM and y-70b", "unclear"),
        ("All models: 30 RPM, except x-70b: 1,000 RPD", "unclear"),
        ("30 RPM for x-70b and y-70b", "unclear"),
        ("30 RPM for chat, 1,000 RPD for anything else", "unclear"),
        ("30 RPM for newcomers", "unclear"),
        ("30 RPM on Gemini 2.5 Flash", "unclear"),
        ("30 RPM in the first month", "unclear"),
        ("30 RPM on weekends", "unclear"),
        ("x-70b: 30 RPM per GPU", "unclear"),
        ("30 RPM per client", "* requests_per_minute=30"),
        ("30 RPM to the embeddings endpoint", "* (embeddings) requests_per_minute=30"),
        ("30 RPM, except for free users", "unclear"),
        ("x-70b: 30 RPM with billing enabled", "unclear"),
        ("x-70b: 30 RPM if you have a card", "unclear"),
        ("x-70b: 30 RPM burst", "unclear"),
        ("x-70b: 30 RPM with a free key", "x-70b [Free] requests_per_minute=30"),
        ("x-70b: 30 RPM [1], 1,000 RPD [2]", "x-70b requests_per_minute=30 requests_per_day=1000"),
        ("30 RPM for x-70b", "x-70b requests_per_minute=30"),
        ("30 RPM for images", "* (images) requests_per_minute=30"),
        ("30 RPM for each key", "* requests_per_minute=30"),
        ("30 RPM and 1,000 RPD on the free tier", "* [Free] requests_per_minute=30 requests_per_day=1000"),
        ("`x-70b`: 30 RPM (free tier)", "x-70b [Free] requests_per_minute=30"),
        ("`x-70b`: free 30 RPM", "x-70b [Free] requests_per_minute=30"),
        ("`x-70b`: 30 RPM (more on the paid plan)", "x-70b requests_per_minute=30"),
        (
            "x-70b: 30 requests per minute, up to 6K tokens per minute",
            "x-70b requests_per_minute=30 tokens_per_minute=6000",
        ),
    ] {
        assert_eq!(short(&item(&of_markdown(line), 1)), says, "{line}");
    }
}

#[test]
fn a_sentence_about_a_model_keeps_its_plan_and_its_condition() {
    for (line, says) in [
        ("On the paid plan, `x-70b` is limited to 300 requests per minute.", "x-70b [Paid] requests_per_minute=300"),
        ("`x-70b` is limited to 300 requests per minute on the paid plan.", "x-70b [Paid] requests_per_minute=300"),
        ("`x-70b` is limited to 300 requests per minute (paid).", "x-70b [Paid] requests_per_minute=300"),
        ("`x-70b` (paid) is limited to 300 requests per minute.", "x-70b [Paid] requests_per_minute=300"),
        ("`x-70b` is limited to 300 requests per minute for Pro users.", "x-70b [Pro] requests_per_minute=300"),
        (
            "For Tier 2 customers, `x-70b` is limited to 300 requests per minute.",
            "x-70b [Tier 2] requests_per_minute=300",
        ),
        ("With billing enabled, `x-70b` is limited to 300 requests per minute.", "unclear"),
        (
            "If you purchase credits, `x-70b` is limited to 300 requests per minute.",
            "x-70b [Credits purchased (all time)] requests_per_minute=300",
        ),
        ("In batch mode, `x-70b` is limited to 300 requests per minute.", "unclear"),
        ("Unlike the free tier, `x-70b` is limited to 300 requests per minute.", "unclear"),
        ("Our model `x-70b` has a rate limit of 300 requests per minute.", "x-70b requests_per_minute=300"),
        ("Free accounts are limited to 10[2](#note) requests per minute.", "unclear"),
    ] {
        let said: Vec<String> = paragraph(&of_markdown(line), 1).iter().map(short).collect();
        assert_eq!(said, [says], "{line}");
    }
}
