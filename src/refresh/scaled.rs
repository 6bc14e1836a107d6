//! Which parts of a page say that their numbers stand for thousands of them: nothing is read there.

use super::page::{Block, Content, Page, Place};
use super::words;

/// Why.
pub const SCALED: &str = "a text around it says that its numbers are multiples";

/// The titles under which it holds.
pub struct Scaled<'a>(Vec<&'a [Place]>);

impl<'a> Scaled<'a> {
    /// A text says so for everything under the same titles, a heading for what stands under it.
    pub fn of(page: &'a Page) -> Self {
        let nexts = page.blocks.iter().skip(1).map(Some).chain([None]);
        let places = |(block, next): (&'a Block, Option<&'a Block>)| match &block.content {
            Content::Paragraph(text) | Content::Item(text) if words::says_scaled(&text.shown()) => Some(&block.places),
            Content::Heading(text) if words::says_scaled(&text.shown()) => next.map(|next| &next.places),
            _ => None,
        };
        Self(page.blocks.iter().zip(nexts).filter_map(places).map(|places| places.as_slice()).collect())
    }

    pub fn holds_at(&self, places: &[Place]) -> bool {
        self.0.iter().any(|known| places.starts_with(known))
    }
}
