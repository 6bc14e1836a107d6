//! Which parts of a page say that their numbers stand for thousands of them: nothing is read there.

use std::collections::HashSet;

use super::page::{Block, Content, Page, Place};
use super::words;

/// Why.
pub const SCALED: &str = "a text around it says that its numbers are multiples";

/// The titles under which it holds.
pub struct Scaled<'a>(HashSet<&'a [Place]>);

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
        !self.0.is_empty() && (0..=places.len()).any(|depth| self.0.contains(&places[..depth]))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::page;
    use super::*;

    #[test]
    fn thousands_of_remarks_are_looked_up_and_not_gone_through() {
        const REMARKS: usize = 30_000;
        // Gone through, they would take seconds.
        const MOST: Duration = Duration::from_secs(1);
        let text = "## a\n\nLimits are in 1000.\n\n# b\n\n".repeat(REMARKS);
        let page = page::read(text.as_bytes()).expect("no more blocks than a page may have");
        let scaled = Scaled::of(&page);
        let started = Instant::now();
        let held = page.blocks.iter().filter(|block| scaled.holds_at(&block.places)).count();
        assert!(started.elapsed() < MOST, "{:?}", started.elapsed());
        assert_eq!(held, REMARKS);
    }
}
