//! `relay refresh-limits`: what the providers' documentation says now, compared, shown, and written with proof.

mod page;
mod run;

pub use run::run;
