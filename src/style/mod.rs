//! One voice: the directive that asks for it, and the normaliser that mends what a model says all the same.

mod agents;
pub mod answer;
pub mod directive;
pub mod json;
mod list;
pub mod markdown;
pub mod opener;
mod phrases;
pub mod stream;
mod tokens;

pub use directive::{Directive, Style, StyleMode};
pub use stream::{Cleaned, Cleaner, Depth};

#[cfg(test)]
mod tests;
