//! Rows of a result as a person, a pipe or a spreadsheet wants them.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use console::{Term, measure_text_width, truncate_str};
use serde_json::Value;

use crate::config;

use super::args::{Global, OutputFormat};
use super::output::Output;

/// Where nobody says how wide the terminal is.
const USUAL_WIDTH: u16 = 80;

/// From this width on there is room for more columns.
const WIDE: u16 = 110;

/// What does not fit beside the first columns stands below them, so far in.
const BELOW: usize = 4;

/// A cell is not cut shorter than this.
const LEAST_CUT: usize = 12;

/// The format that was asked for, or the one that suits where stdout goes.
pub fn format(global: &Global) -> OutputFormat {
    let usual = if Output::stdout_is_terminal() { OutputFormat::Table } else { OutputFormat::Plain };
    if global.json { OutputFormat::Json } else { global.format.unwrap_or(usual) }
}

/// Columns the terminal has; elsewhere what `COLUMNS` says.
pub fn width() -> u16 {
    let terminal = Term::stdout().size_checked().map(|(_, columns)| columns);
    terminal.or_else(config::columns).unwrap_or(USUAL_WIDTH)
}

pub fn is_wide() -> bool {
    width() >= WIDE
}

/// Columns for people. `right` names the columns that hold numbers.
pub fn human<const N: usize>(header: [&str; N], rows: Vec<[String; N]>, right: &[usize]) -> String {
    // Where not even the longest words have room beside each other they would be broken, each of them where it is narrow.
    let longest_word = |column: usize| {
        let cells = rows.iter().map(|row| row[column].as_str()).chain([header[column]]);
        cells.flat_map(|cell| cell.split([' ', '\n'])).map(measure_text_width).max().unwrap_or(0)
    };
    let least: usize = (0..N).map(|column| longest_word(column) + 2).sum();
    let lines = if width() < USUAL_WIDTH && least > usize::from(width()) {
        folded(lines(header, rows, right, ContentArrangement::Disabled))
    } else {
        lines(header, rows, right, ContentArrangement::Dynamic)
    };
    lines.into_iter().map(|line| line + "\n").collect()
}

fn lines<const N: usize>(
    header: [&str; N],
    rows: Vec<[String; N]>,
    right: &[usize],
    arrangement: ContentArrangement,
) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(arrangement).set_width(width());
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// The header and the rows for people, fitted to the terminal: cells of the `shrink` columns are cut, the first of these first.
pub fn fitted<const N: usize>(
    header: [&str; N],
    mut rows: Vec<[String; N]>,
    right: &[usize],
    shrink: &[usize],
) -> Vec<String> {
    let longest = |rows: &[[String; N]], column: usize| {
        let cells = rows.iter().map(|row| measure_text_width(&row[column]));
        cells.chain([measure_text_width(header[column])]).max().unwrap_or(0)
    };
    for &column in shrink {
        // Two blanks stand after each column.
        let all: usize = (0..N).map(|column| longest(&rows, column) + 2).sum();
        let (own, excess) = (longest(&rows, column), all.saturating_sub(usize::from(width())));
        let room = own.saturating_sub(excess).max(measure_text_width(header[column]).max(LEAST_CUT));
        for row in &mut rows {
            row[column] = cut(&row[column], room);
        }
    }
    folded(lines(header, rows, right, ContentArrangement::Disabled))
}

/// The lines of one table, none wider than the terminal: where one is, all go on below, from the same gap between two columns on.
pub fn folded(lines: Vec<String>) -> Vec<String> {
    folded_to(width().into(), lines, 0)
}

fn folded_to(columns: usize, lines: Vec<String>, set_in_by: usize) -> Vec<String> {
    if lines.iter().all(|line| measure_text_width(line) <= columns) {
        return lines;
    }
    let lines: Vec<Vec<char>> = lines.iter().map(|line| line.chars().collect()).collect();
    let is_blank = |at: usize| lines.iter().all(|line| line.get(at).is_none_or(|c| *c == ' '));
    let begins = (set_in_by..columns).find(|at| !is_blank(*at)).unwrap_or(columns);
    let gap = (begins + 2..=columns + 2).rev().find(|at| is_blank(at - 1) && is_blank(at - 2));
    let text = |chars: &[char]| chars.iter().collect::<String>().trim_end().to_owned();
    let Some(gap) = gap else { return lines.iter().map(|line| set_in(columns, &text(line))).collect() };
    let parted = lines.iter().map(|line| line.split_at(gap.min(line.len())));
    let (above, below): (Vec<_>, Vec<_>) =
        parted.map(|(above, below)| (text(above), format!("{:BELOW$}{}", "", text(below)))).unzip();
    let both = above.into_iter().zip(folded_to(columns, below, BELOW));
    both.map(|(above, below)| match (above.as_str(), below.trim()) {
        (_, "") => above,
        ("", _) => below,
        _ => format!("{above}\n{below}"),
    })
    .collect()
}

/// A line whose cells cannot stay below those of others, in as many as it takes.
fn set_in(columns: usize, line: &str) -> String {
    let blanks = line.len() - line.trim_start().len();
    let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    let wrapped = wrapped_to(columns, &cells.join("  "), blanks.max(BELOW));
    // Between two cells are two blanks, of which a line may keep one.
    let lines: Vec<&str> = wrapped.lines().map(str::trim_end).collect();
    format!("{:blanks$}{}", "", lines.join("\n"))
}

/// `1 model`, `2 models`.
pub fn counted(count: impl std::fmt::Display, thing: &str) -> String {
    let count = count.to_string();
    if count == "1" { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// Words in lines no wider than the terminal, all but the first set in by so many blanks. What has no blank in it stays whole.
pub fn wrapped(text: &str, indent: usize) -> String {
    wrapped_to(width().into(), text, indent)
}

/// The same for a complaint: a terminal would break it in the middle of a word. Elsewhere a line stays one, to be searched for.
pub fn complaint(text: &str, indent: usize) -> String {
    match Term::stderr().size_checked() {
        Some((_, columns)) => wrapped_to(columns.into(), text, indent),
        None => text.to_owned(),
    }
}

fn wrapped_to(columns: usize, text: &str, indent: usize) -> String {
    in_lines(columns, text.split(' '), " ", indent)
}

/// Parts that stay whole, as many in each line as fit, all lines but the first set in.
fn in_lines<'p>(columns: usize, parts: impl Iterator<Item = &'p str>, separator: &str, indent: usize) -> String {
    let room = columns.saturating_sub(indent).max(LEAST_CUT);
    let mut lines = vec![String::new()];
    for part in parts {
        let line = lines.last_mut().expect("it begins with one");
        if line.is_empty() {
            line.push_str(part);
        } else if [line, separator, part].iter().map(|text| measure_text_width(text)).sum::<usize>() <= room {
            line.push_str(&format!("{separator}{part}"));
        } else {
            lines.push(part.to_owned());
        }
    }
    lines.join(&format!("\n{:indent$}", ""))
}

/// Things named side by side, in lines of the usual width whatever the terminal has.
pub fn listed(things: &[String], indent: usize) -> String {
    in_lines(USUAL_WIDTH.into(), things.iter().map(String::as_str), " · ", indent)
}

/// Text of at most this width, its end cut off where it is longer.
pub fn cut(text: &str, width: usize) -> String {
    truncate_str(text, width, "…").into_owned()
}

/// Tabs between cells, no header, nothing cut: for `cut`, `awk` and `while read`.
pub fn plain<const N: usize>(rows: &[[String; N]]) -> String {
    let clean = |cell: &String| cell.replace(['\t', '\n', '\r'], " ");
    rows.iter().map(|row| row.iter().map(clean).collect::<Vec<_>>().join("\t") + "\n").collect()
}

/// RFC 4180, with a header.
pub fn csv<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let quoted = |cell: &str| {
        let needs_quotes = cell.contains([',', '"', '\n', '\r']);
        if needs_quotes { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
    };
    let line = |cells: Vec<String>| cells.join(",") + "\r\n";
    let header = line(header.iter().map(|cell| quoted(cell)).collect());
    header + &rows.iter().map(|row| line(row.iter().map(|cell| quoted(cell)).collect())).collect::<String>()
}

/// One document a line.
pub fn ndjson(rows: &[Value]) -> String {
    rows.iter().map(|row| row.to_string() + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_survive_their_separators() {
        let rows = [["a\tb".to_owned(), "say \"hi\", you".to_owned()]];
        assert_eq!(plain(&rows), "a b\tsay \"hi\", you\n");
        assert_eq!(csv(["one", "two"], &rows), "one,two\r\na\tb,\"say \"\"hi\"\", you\"\r\n");
    }

    #[test]
    fn long_names_are_cut_visibly() {
        assert_eq!(["short", "longer"].map(|text| cut(text, 5)), ["short", "long…"]);
    }

    #[test]
    fn a_table_that_is_too_wide_goes_on_below_from_one_gap_on() {
        let lines = ["MODEL     STATE   USED   LEFT", "a         ready      7  1 000", "b-longer  asleep  1234      -"];
        let folded = |columns| folded_to(columns, lines.map(str::to_owned).to_vec(), 0);
        assert_eq!(folded(29), lines);
        let below = [
            "MODEL     STATE   USED\n     LEFT",
            "a         ready      7\n    1 000",
            "b-longer  asleep  1234\n        -",
        ];
        assert_eq!(folded(28), below);
        let twice = ["MODEL     STATE\n    USED   LEFT", "a         ready\n       7  1 000"];
        assert_eq!(folded(16)[..2], twice);
        let text = ["NAME  WHAT TO DO".to_owned(), "a     set one variable,   or two".to_owned()];
        assert_eq!(
            folded_to(14, text.to_vec(), 0),
            ["NAME\n    WHAT TO DO", "a\n    set one\n    variable,\n    or two"]
        );
    }

    #[test]
    fn a_table_aligns_numbers_to_the_right_and_has_no_blank_ends() {
        let rows = vec![["a".to_owned(), "7".to_owned()], ["bb".to_owned(), "1234".to_owned()]];
        assert_eq!(human(["NAME", "COUNT"], rows, &[1]), "NAME  COUNT\na         7\nbb     1234\n");
    }
}
