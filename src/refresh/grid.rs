//! A table as a grid of cells, spans spread out, whichever markup it came from.

use std::rc::Rc;

use super::text::Text;

/// Larger tables are no tables of limits, and a span of thousands in every cell is an attack.
const MOST_CELLS: usize = 100_000;
const MOST_COLUMNS: usize = 100;

#[derive(Debug, Clone, Default)]
pub struct Grid {
    pub line: usize,
    pub caption: Option<String>,
    pub rows: Vec<Row>,
    /// Why its cells cannot be trusted.
    pub defect: Option<&'static str>,
}

#[derive(Debug, Clone, Default)]
pub struct Row {
    pub line: usize,
    /// The page marks it as a header.
    pub is_head: bool,
    /// It has one cell, and others of its table have more.
    pub is_single: bool,
    pub cells: Vec<Cell>,
}

#[derive(Debug, Clone, Default)]
pub struct Cell {
    pub text: Rc<Text>,
    /// It continues the cell to its left.
    pub is_continued: bool,
}

impl Row {
    pub fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.text.is_blank())
    }

    pub fn text(&self, column: usize) -> Option<&Text> {
        self.cells.get(column).map(|cell| cell.text.as_ref())
    }

    /// The one text of a row that has no other: a title within the table.
    pub fn section(&self) -> Option<&Text> {
        let (first, rest) = self.cells.split_first()?;
        let is_alone = rest.iter().all(|cell| cell.is_continued || cell.text.is_blank());
        let is_title = is_alone && (!rest.is_empty() || self.is_single);
        // A model without numbers is no title of those below it.
        let is_model = !self.cells.get(1).is_some_and(|cell| cell.is_continued)
            && super::row::is_id(&first.text.shown())
            && !self.is_single;
        (is_title && !is_model && !first.text.is_blank()).then(|| first.text.as_ref())
    }

    /// The row in one line, as evidence shows it.
    pub fn quote(&self) -> String {
        let own = self.cells.iter().filter(|cell| !cell.is_continued);
        own.map(|cell| cell.text.shown()).collect::<Vec<_>>().join(" | ")
    }
}

impl Grid {
    pub fn width(&self) -> usize {
        self.rows.iter().map(|row| row.cells.len()).max().unwrap_or_default()
    }
}

/// Lays cells with spans out row by row.
#[derive(Debug, Default)]
pub struct Layout {
    grid: Grid,
    /// By column: the cell that reaches down, and how many rows further.
    hanging: Vec<Option<(Cell, usize)>>,
    cells: usize,
}

/// A cell as the page writes it.
#[derive(Debug, Default)]
pub struct Spanning {
    pub text: Text,
    pub columns: usize,
    /// 0 reaches to the end.
    pub rows: usize,
}

impl Layout {
    pub fn new(line: usize) -> Self {
        Self { grid: Grid { line, ..Grid::default() }, ..Self::default() }
    }

    pub fn row(&mut self, line: usize, is_head: bool, cells: Vec<Spanning>) {
        // A table that is too large is refused as a whole: its rows need not be laid out, which spans make ever wider.
        if self.grid.defect.is_some() {
            return;
        }
        let mut row = Row { line, is_head, ..Row::default() };
        for cell in cells {
            if row.cells.len() > MOST_COLUMNS {
                break;
            }
            self.take_hanging(&mut row);
            let text = Rc::new(cell.text);
            for column in 0..cell.columns.clamp(1, MOST_COLUMNS) {
                let part = Cell { text: Rc::clone(&text), is_continued: column > 0 };
                if cell.rows != 1 {
                    let rows = if cell.rows == 0 { usize::MAX } else { cell.rows - 1 };
                    self.hang(row.cells.len(), part.clone(), rows);
                }
                row.cells.push(part);
            }
        }
        self.take_hanging(&mut row);
        self.cells += row.cells.len();
        if self.cells > MOST_CELLS || row.cells.len() > MOST_COLUMNS {
            self.grid.defect = Some("the table is too large");
            self.grid.rows.clear();
        }
        if self.grid.defect.is_none() {
            self.grid.rows.push(row);
        }
    }

    fn hang(&mut self, column: usize, cell: Cell, rows: usize) {
        if self.hanging.len() <= column {
            self.hanging.resize(column + 1, None);
        }
        self.hanging[column] = Some((cell, rows));
    }

    /// Cells from above that reach into this row at its next column.
    fn take_hanging(&mut self, row: &mut Row) {
        while let Some(slot) = self.hanging.get_mut(row.cells.len())
            && let Some((cell, rows)) = slot
        {
            row.cells.push(cell.clone());
            *rows = rows.saturating_sub(1);
            if *rows == 0 {
                *slot = None;
            }
        }
    }

    pub fn caption(&mut self, caption: String) {
        self.grid.caption = Some(caption);
    }

    pub fn defect(&mut self, defect: &'static str) {
        self.grid.defect = Some(defect);
    }

    pub fn finish(mut self) -> Grid {
        if self.grid.width() > 1 {
            self.grid.rows.iter_mut().for_each(|row| row.is_single = row.cells.len() == 1);
        }
        self.grid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(text: &str, columns: usize, rows: usize) -> Spanning {
        let mut own = Text::default();
        own.push(text);
        Spanning { text: own, columns, rows }
    }

    #[test]
    fn spans_are_spread_out() {
        let mut layout = Layout::new(1);
        layout.row(1, true, vec![cell("a", 1, 2), cell("b", 2, 1)]);
        layout.row(2, false, vec![cell("c", 1, 1), cell("d", 1, 1)]);
        layout.row(3, false, vec![cell("section", 3, 1)]);
        let grid = layout.finish();
        let rows: Vec<Vec<String>> =
            grid.rows.iter().map(|row| row.cells.iter().map(|cell| cell.text.shown()).collect()).collect();
        assert_eq!(rows, [["a", "b", "b"], ["a", "c", "d"], ["section"; 3]]);
        assert_eq!(grid.rows[2].section().map(Text::shown).as_deref(), Some("section"));
    }

    #[test]
    fn a_table_that_grows_without_end_is_given_up() {
        let mut layout = Layout::new(1);
        for line in 1..1_000 {
            layout.row(line, false, vec![cell("a", 1, 0)]);
        }
        assert_eq!(layout.hanging.len(), MOST_COLUMNS + 1, "no wider than what is refused");
        let grid = layout.finish();
        assert!(grid.defect.is_some() && grid.rows.is_empty());
    }
}
