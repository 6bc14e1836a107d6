//! Rows of a result as a person, a pipe or a spreadsheet wants them.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use console::Term;
use serde_json::Value;

use super::args::{Global, OutputFormat};
use super::output::Output;

/// Where nobody says how wide the terminal is.
const USUAL_WIDTH: u16 = 80;

/// From this width on there is room for more columns.
const WIDE: u16 = 110;

/// The format that was asked for, or the one that suits where stdout goes.
pub fn format(global: &Global) -> OutputFormat {
    let usual = if Output::stdout_is_terminal() { OutputFormat::Table } else { OutputFormat::Plain };
    if global.json { OutputFormat::Json } else { global.format.unwrap_or(usual) }
}

/// Columns the terminal has.
pub fn width() -> u16 {
    Term::stdout().size_checked().map_or(USUAL_WIDTH, |(_, columns)| columns)
}

pub fn is_wide() -> bool {
    width() >= WIDE
}

/// Columns for people. `right` names the columns that hold numbers.
pub fn human<const N: usize>(header: [&str; N], rows: Vec<[String; N]>, right: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width());
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
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
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
    fn a_table_aligns_numbers_to_the_right_and_has_no_blank_ends() {
        let rows = vec![["a".to_owned(), "7".to_owned()], ["bb".to_owned(), "1234".to_owned()]];
        assert_eq!(human(["NAME", "COUNT"], rows, &[1]), "NAME  COUNT\na         7\nbb     1234\n");
    }
}
