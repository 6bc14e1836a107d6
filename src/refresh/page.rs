//! A documentation page as a list of blocks, whatever it was written in.

use std::rc::Rc;

use super::grid::Grid;
use super::text::Text;
use super::{html, markdown, words};

/// Pages are small; what is larger is none.
pub const MOST_BYTES: usize = 8 * 1024 * 1024;

/// A page of more pieces is no documentation; each takes many times its length in memory.
const MOST_BLOCKS: usize = 100_000;

/// A page in reading order.
#[derive(Debug, Default)]
pub struct Page {
    pub title: Option<String>,
    pub blocks: Vec<Block>,
}

/// A piece of a page, and what it stands under.
#[derive(Debug)]
pub struct Block {
    pub line: usize,
    /// Outermost first.
    pub places: Rc<Vec<Place>>,
    pub content: Content,
}

#[derive(Debug)]
pub enum Content {
    Heading(Text),
    Table(Grid),
    Item(Text),
    Paragraph(Text),
}

/// What a block stands under.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    pub title: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// By its level.
    Heading(u8),
    /// A heading, or a title below what it may be the title of.
    Behind(u8),
    Tab,
    /// An item with others below it, by its indent.
    Item(usize),
}

impl Place {
    pub const fn is_tab(&self) -> bool {
        matches!(self.kind, Kind::Tab)
    }

    /// Whether it is the title of what stands above it, or of what stands below.
    pub const fn is_behind(&self) -> bool {
        matches!(self.kind, Kind::Behind(_))
    }

    pub const fn is_item(&self) -> bool {
        matches!(self.kind, Kind::Item(_))
    }
}

/// Why nothing of a page can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the page is larger than {MOST_BYTES} bytes")]
    TooLarge,
    #[error("the page has more than {MOST_BLOCKS} paragraphs, items, headings and tables")]
    TooLong,
    #[error("the page is not UTF-8")]
    NotText,
    #[error("the page is JSON, not a page")]
    Json,
    #[error("the page is nested deeper than {} levels", html::MOST_DEPTH)]
    TooDeep,
    #[error("the page is titled `{0}`, which is no documentation")]
    ErrorPage(String),
}

/// Reads a page, HTML or markdown by its looks.
pub fn read(bytes: &[u8]) -> Result<Page, Unreadable> {
    if bytes.len() > MOST_BYTES {
        return Err(Unreadable::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Unreadable::NotText)?;
    let text = text.trim_start_matches('\u{feff}');
    let start = text.trim_start();
    if start.starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(start).is_ok() {
        return Err(Unreadable::Json);
    }
    let page = if is_html(start) { html::read(text)? } else { markdown::read(text)? };
    if page.blocks.len() > MOST_BLOCKS {
        return Err(Unreadable::TooLong);
    }
    let heading = page.blocks.iter().find_map(first_heading);
    let title = page.title.clone().or_else(|| heading.clone()).filter(|title| words::is_error_title(title));
    // Sites give their own name to the page that is missing.
    match title.or(heading.filter(|heading| words::says_error(heading))) {
        Some(title) => Err(Unreadable::ErrorPage(title)),
        None => Ok(page),
    }
}

fn first_heading(block: &Block) -> Option<String> {
    match &block.content {
        Content::Heading(text) => Some(text.shown()),
        _ => None,
    }
}

fn is_html(start: &str) -> bool {
    let head: String = start.chars().take(64).collect::<String>().to_ascii_lowercase();
    if ["<!doctype", "<html", "<head", "<body", "<?xml"].iter().any(|begin| head.starts_with(begin)) {
        return true;
    }
    // A saved piece of a page; markdown may begin with a component, which has a capital, or with a comment.
    let is_tag = start.strip_prefix('<').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
    is_tag && !start.lines().any(|line| line.starts_with('#') || line.trim_start().starts_with('|'))
}

/// Whether it is something that people write: neither blank nor a megabyte in one paragraph.
fn is_text(text: &Text) -> bool {
    const MOST: usize = 32 * 1024;
    !text.is_blank() && text.plain.len() <= MOST
}

/// Puts a page together: blocks get the headings and tabs that are open.
#[derive(Debug, Default)]
pub struct Builder {
    page: Page,
    places: Rc<Vec<Place>>,
    /// The item before, and its indent: what is indented more stands under it.
    item: Option<(usize, String)>,
}

impl Builder {
    /// More open tabs than this are no tabs.
    const MOST_PLACES: usize = 64;

    /// A longer item is a text, and names nothing that stands below it.
    const LONGEST_TITLE: usize = 100;

    /// A paragraph of bold text stands for a heading below all real ones, unless it is longer.
    const BOLD_LEVEL: u8 = 7;
    const LONGEST_BOLD: usize = 80;

    pub fn title(&mut self, title: &str) {
        if self.page.title.is_none() && !title.trim().is_empty() {
            self.page.title = Some(title.trim().to_owned());
        }
    }

    pub fn heading(&mut self, level: u8, text: Text, line: usize) {
        self.end_items(0);
        let places = Rc::make_mut(&mut self.places);
        while places
            .last()
            .is_some_and(|place| matches!(place.kind, Kind::Heading(open) | Kind::Behind(open) if open >= level))
        {
            places.pop();
        }
        let title = text.shown();
        self.add(line, Content::Heading(text));
        let places = Rc::make_mut(&mut self.places);
        if places.len() < Self::MOST_PLACES {
            places.push(Place { title, kind: Kind::Heading(level) });
        }
    }

    /// The last heading ends a part of the page whose numbers stand before it.
    pub fn title_behind(&mut self) {
        let Some(Place { kind: Kind::Heading(level), title }) = self.places.last().cloned() else { return };
        let place = Place { title, kind: Kind::Behind(level) };
        let is_heading = |block: &Block| matches!(block.content, Content::Heading(_));
        let above = self.page.blocks.iter_mut().rev().skip(1).take_while(|block| !is_heading(block));
        for block in above.filter(|block| block.places.len() < Self::MOST_PLACES) {
            Rc::make_mut(&mut block.places).push(place.clone());
        }
        *Rc::make_mut(&mut self.places).last_mut().expect("a heading is there") = place;
    }

    /// How many titles are open.
    pub fn depth(&self) -> usize {
        self.places.len()
    }

    /// A tab begins; the depth to return to at its end.
    pub fn open_tab(&mut self, title: &str) -> usize {
        self.end_items(0);
        let depth = self.places.len();
        if depth < Self::MOST_PLACES {
            Rc::make_mut(&mut self.places).push(Place { title: super::text::shown(title), kind: Kind::Tab });
        }
        depth
    }

    pub fn close_tab(&mut self, depth: usize) {
        self.item = None;
        Rc::make_mut(&mut self.places).truncate(depth);
    }

    pub fn table(&mut self, grid: Grid, indent: usize) {
        self.go_below(indent);
        self.add(grid.line, Content::Table(grid));
    }

    pub fn item(&mut self, text: Text, indent: usize, line: usize) {
        if !is_text(&text) {
            return;
        }
        self.go_below(indent);
        let title = text.shown();
        self.item = (title.len() <= Self::LONGEST_TITLE).then_some((indent, title));
        self.add(line, Content::Item(text));
    }

    /// What is indented more than the item before it stands under it.
    fn go_below(&mut self, indent: usize) {
        match self.item.take() {
            Some((outer, title)) if outer < indent && self.places.len() < Self::MOST_PLACES => {
                Rc::make_mut(&mut self.places).push(Place { title, kind: Kind::Item(outer) });
            }
            _ => self.end_items(indent),
        }
    }

    /// Items below which nothing more stands, from this indent on.
    fn end_items(&mut self, indent: usize) {
        self.item = None;
        let is_over = |place: &Place| matches!(place.kind, Kind::Item(outer) if outer >= indent);
        if self.places.last().is_some_and(is_over) {
            let places = Rc::make_mut(&mut self.places);
            while places.last().is_some_and(is_over) {
                places.pop();
            }
        }
    }

    /// A paragraph, or a title where it is short and bold, and no sentence.
    pub fn paragraph(&mut self, text: Text, indent: usize, line: usize) {
        let is_title = |title: String| title.len() <= Self::LONGEST_BOLD && !title.ends_with(['.', '!']);
        if text.weight.is_bold() && is_title(text.shown()) {
            self.heading(Self::BOLD_LEVEL, text, line);
        } else if is_text(&text) {
            self.go_below(indent);
            self.add(line, Content::Paragraph(text));
        }
    }

    /// The caption of a figure: of the table right before it, or of what follows.
    pub fn caption(&mut self, text: Text, line: usize) {
        match self.page.blocks.last_mut().map(|block| &mut block.content) {
            Some(Content::Table(grid)) if grid.caption.is_none() => grid.caption = Some(text.shown()),
            _ => self.paragraph(text, 0, line),
        }
    }

    fn add(&mut self, line: usize, content: Content) {
        // One more than is read tells that there are more.
        if self.page.blocks.len() > MOST_BLOCKS {
            return;
        }
        self.page.blocks.push(Block { line, places: Rc::clone(&self.places), content });
    }

    pub fn finish(self) -> Page {
        self.page
    }
}
