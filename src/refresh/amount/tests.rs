//! Cells as pages write them: numbers that are certain, and what is refused.

use super::*;

const RPM: Unit = Unit { counted: Some(Counted::Requests), per: Some(Period::Minute) };
const BARE: Unit = Unit { counted: None, per: None };

fn keys(text: &str, header: Unit) -> Option<Vec<(String, u64)>> {
    let amounts = cell(text, header).ok()?;
    Some(amounts.into_iter().map(|(metric, value)| (metric.key(), value)).collect())
}

#[test]
fn numbers_that_are_certain() {
    for (text, value) in [
        ("30", 30),
        ("14,400", 14_400),
        ("14.4K", 14_400),
        ("1.2k", 1_200),
        ("1M", 1_000_000),
        ("1.5 million", 1_500_000),
        ("2'000", 2_000),
        ("2’000", 2_000),
        ("2_000", 2_000),
        ("14\u{a0}400", 14_400),
        ("30*", 30),
        ("30 [1]", 30),
        ("30²", 30),
        ("30 RPM", 30),
        ("30 requests per minute (RPM)", 30),
        ("30 RPM (requests per minute)", 30),
        ("30 req / min", 30),
        ("30/min", 30),
        ("30 requests per minute per key", 30),
        ("30 requests per 60 seconds", 30),
        ("30 / 1 min", 30),
        ("250 000", 250_000),
        ("1 000 000 RPM", 1_000_000),
        ("1.000.000", 1_000_000),
        ("３０", 30),
        ("１，５００", 1_500),
        ("up to 30", 30),
        ("Max. 30", 30),
        ("30 (per model)", 30),
        ("30 RPM (per key)", 30),
        ("RPM: 30", 30),
        ("minute: 30", 30),
        ("\u{1f}30\u{1f}", 30),
    ] {
        assert_eq!(keys(text, RPM), Some(vec![("requests_per_minute".to_owned(), value)]), "{text}");
    }
}

#[test]
fn cells_that_publish_nothing() {
    for text in [
        "",
        "\u{1f}-\u{1f}",
        "-",
        "—",
        "*",
        "N/A",
        "Unlimited",
        "Not applicable",
        "(No limit)",
        "Contact sales@example.com",
        "ContactSales",
    ] {
        assert_eq!(keys(text, RPM), Some(Vec::new()), "{text}");
    }
}

#[test]
fn everything_else_is_refused() {
    for text in [
        "7K60K",
        "30 300",
        "300 30 000",
        "1.000.00",
        "250 000,5",
        "\u{202e}03\u{202c}",
        "up to",
        "up to 30 or 60",
        "day: 30",
        "30 (per day)",
        "1.000",
        "1,00",
        "1,00,000",
        "1,5k",
        "1_00",
        "10-30",
        "10–30",
        "~30",
        ">30",
        "30+",
        "30 RPD",
        "30 tokens",
        "30 / 60",
        "30 60",
        "500K-",
        "{RPM}",
        "30 (shared)",
        "30 RPM (requests per day)",
        "(30",
        "Free: 30",
        "0.5",
        "30\u{1f}300",
        "1e6",
        "30%",
        "5 / 10 seconds",
        "5 per 24 hours",
        "$30",
        "99999999999999999999",
    ] {
        assert_eq!(keys(text, RPM), None, "{text}");
    }
}

#[test]
fn units_in_the_cell() {
    let found = |text| {
        keys(text, BARE).unwrap_or_default().into_iter().map(|(key, n)| format!("{key}={n}")).collect::<Vec<_>>()
    };
    assert_eq!(found("250K TPM1K RPM"), ["tokens_per_minute=250000", "requests_per_minute=1000"]);
    assert_eq!(found("200K ASH300 RPM"), ["audio_seconds_per_hour=200000", "requests_per_minute=300"]);
    assert_eq!(found("20 req / min"), ["requests_per_minute=20"]);
    assert_eq!(found("2,000 inputs / min"), ["inputs_per_minute=2000"]);
    assert_eq!(found("500/min"), ["requests_per_minute=500"]);
    assert_eq!(found("20 RPM (10K TPM)"), ["requests_per_minute=20", "tokens_per_minute=10000"]);
    assert_eq!(found("20 RPM (10K)"), Vec::<String>::new());
    assert_eq!(found("minute: 30\nday: 900"), ["requests_per_minute=30", "requests_per_day=900"]);
    assert_eq!(found("10 RPM, 250 RPD"), ["requests_per_minute=10", "requests_per_day=250"]);
    assert_eq!(found("10 RPM and 250 RPD"), ["requests_per_minute=10", "requests_per_day=250"]);
    assert_eq!(found("RPM = 10, RPD: 250"), ["requests_per_minute=10", "requests_per_day=250"]);
    assert_eq!(keys("30 and 60", RPM), None);
    assert_eq!(keys("30", BARE), None, "a number without a unit");
    assert_eq!(keys("3 sessions", RPM), Some(vec![("concurrent_sessions".to_owned(), 3)]));
}
