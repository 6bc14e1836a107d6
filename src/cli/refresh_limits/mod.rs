//! `relay refresh-limits`: what the providers' documentation says now, compared, shown, and written with proof.

mod desk;
mod document;
mod page;
mod run;
mod screen;

pub use run::run;
