//! What the reader of limits makes of pages of every structure: `tests/fixtures/pages/PAGE` says what `PAGE.rows` lists.
//!
//! A line of a list is a row, `model [plan] (section) limit=number context=number`, with `[one or another?]` where the plan is open; or
//! `!` with the refused part and some of the reason's words.

use std::fs;
use std::path::{Path, PathBuf};

use relay::refresh::{self, Reading, Refused, Row};

#[test]
fn every_page_says_what_its_list_says_and_nothing_else() {
    let pages = pages();
    assert!(pages.len() > 30, "the pages are gone");
    let mut wrong = String::new();
    for page in pages {
        let reading = refresh::read(&fs::read(&page).expect("pages can be read"));
        let list = fs::read_to_string(list_of(&page)).expect("every page has its list");
        let (refused, rows): (Vec<&str>, Vec<&str>) = list.lines().partition(|line| line.starts_with('!'));
        if rows != lines(&reading) || !all_refused(&refused, &reading.refused) {
            wrong.push_str(&format!("{}:\n{}\n{:#?}\n", page.display(), lines(&reading).join("\n"), reading.refused));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_page_of_more_than_anybody_writes_is_refused_as_a_whole() {
    let items: Vec<String> = (0..5_002).map(|id| format!("- a-{id}: 30 RPM\n")).collect();
    let contradicting = "- a-1: 30 RPM\n- a-1: 31 RPM\n".repeat(3_000);
    let cell = format!("| Model | RPM |\n| --- | --- |\n| a-1 | {}30 |\n", "30 / ".repeat(1_000));
    for (text, reason) in [
        ("- a\n".repeat(100_001), "more than 100000"),
        (items.concat(), "more rows than any page"),
        (contradicting, "more rows than any page"),
        (cell, "not one certain number"),
    ] {
        let reading = refresh::read(text.as_bytes());
        assert!(reading.rows.is_empty(), "{reason}");
        let [refused] = reading.refused.as_slice() else { panic!("{reason}: {:?}", reading.refused) };
        assert!(refused.reason.contains(reason), "{refused:?}");
    }
}

fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pages");
    let files = fs::read_dir(folder).expect("the folder is there").flatten().map(|entry| entry.path());
    files.filter(|path| path.extension().is_some_and(|extension| extension != "rows")).collect()
}

fn list_of(page: &Path) -> PathBuf {
    PathBuf::from(format!("{}.rows", page.display()))
}

fn lines(reading: &Reading) -> Vec<String> {
    reading.rows.iter().map(line).collect()
}

fn line(row: &Row) -> String {
    let mut line = row.model.clone();
    row.tier.iter().for_each(|tier| line.push_str(&format!(" [{tier}]")));
    if !row.one_of.is_empty() {
        line.push_str(&format!(" [{}?]", row.one_of.join(" or ")));
    }
    row.section.iter().for_each(|section| line.push_str(&format!(" ({section})")));
    let mut limits: Vec<String> = row.limits().map(|(metric, value)| format!(" {}={value}", metric.key())).collect();
    limits.sort();
    line.push_str(&limits.concat());
    row.context.iter().for_each(|context| line.push_str(&format!(" context={context}")));
    line
}

fn all_refused(expected: &[&str], refused: &[Refused]) -> bool {
    let is_as = |(line, refused): (&&str, &Refused)| {
        let (part, reason) = line.trim_start_matches("! ").split_once(": ").expect("`! part: reason`");
        refused.part.starts_with(part) && refused.reason.contains(reason)
    };
    expected.len() == refused.len() && expected.iter().zip(refused).all(is_as)
}
