//! `--read FILE`: what one saved page says.

use std::io::{ErrorKind, Read as _};
use std::path::Path;

use crate::cli::args::{Global, OutputFormat};
use crate::cli::beside::beside;
use crate::cli::exit::{Exit, Trouble};
use crate::cli::output::Output;
use crate::cli::table;
use crate::refresh::{self, Reading};

pub async fn print(file: &Path, global: &Global, output: Output) -> Result<(), Trouble> {
    let file = file.to_owned();
    let reading = refresh::read(&beside(move || contents(&file)).await??);
    if global.wants_json() {
        let mut document = reading.to_json();
        document["schema"] = "relay.refresh-limits-read/1".into();
        return output.result(&format!("{document}\n"));
    }
    for refused in &reading.refused {
        output.notice(&format!("not read: {}: {}", refused.part, refused.reason));
    }
    let rows = rows(&reading);
    output.result(&match table::format(global) {
        OutputFormat::Table => table::human(["MODEL", "TIER", "LIMITS", "CONTEXT", "LINE"], rows, &[3, 4]),
        OutputFormat::Csv => table::csv(["model", "tier", "limits", "context", "line"], &rows),
        OutputFormat::Ndjson => table::ndjson(&reading.rows.iter().map(refresh::Row::to_json).collect::<Vec<_>>()),
        OutputFormat::Plain | OutputFormat::Line | OutputFormat::Json => table::plain(&rows),
    })
}

/// The file's bytes; a little more than a page may have shows that it is too large.
fn contents(file: &Path) -> Result<Vec<u8>, Trouble> {
    let trouble = |error: std::io::Error| {
        let exit = if error.kind() == ErrorKind::NotFound { Exit::NoInput } else { Exit::Io };
        Trouble::new(exit, format!("`{}` cannot be read: {error}", file.display()))
    };
    let mut bytes = Vec::new();
    let most = refresh::MOST_BYTES as u64 + 1;
    let source = std::fs::File::open(file).map_err(trouble)?;
    source.take(most).read_to_end(&mut bytes).map_err(trouble)?;
    Ok(bytes)
}

fn rows(reading: &Reading) -> Vec<[String; 5]> {
    let row = |row: &refresh::Row| {
        let limits: Vec<String> = row.limits().map(|(metric, value)| format!("{value} {}", metric.key())).collect();
        [
            row.section
                .as_ref()
                .filter(|_| row.model == "*")
                .map_or_else(|| row.model.clone(), |task| format!("* {task}")),
            row.tier.clone().unwrap_or_else(|| row.one_of.join(" or ")),
            limits.join(", "),
            row.context.map(|context| context.to_string()).unwrap_or_default(),
            row.evidence.line.to_string(),
        ]
    };
    reading.rows.iter().map(row).collect()
}
