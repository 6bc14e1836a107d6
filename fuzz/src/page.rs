//! Pages of limits: no number without the cell it was read from, and its digits in it; no more than anybody reads.

use relay::refresh;

/// Reads `input` as a page, HTML or markdown by its looks.
pub fn page(input: &[u8]) {
    let reading = refresh::read(input);
    assert!(!reading.rows.is_empty() || !reading.refused.is_empty(), "nothing was read, and nothing is said of it");
    assert!(reading.rows.len() <= 5_000 && reading.refused.len() <= 201, "more than anybody reads");
    let lines = String::from_utf8_lossy(input).lines().count();
    for row in &reading.rows {
        let quote = &row.evidence;
        assert!((1..=lines).contains(&quote.line), "line {} of {lines}: {row:?}", quote.line);
        assert!(!quote.cell.is_empty() && !row.model.is_empty(), "no evidence: {row:?}");
        for (metric, amount) in row.limits() {
            let cell = quote.cells.get(&metric).unwrap_or(&quote.cell);
            assert!(cell.chars().any(char::is_numeric), "{amount} of {cell:?}: {row:?}");
        }
    }
}
