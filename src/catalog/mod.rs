//! Providers, their models and their free limits: data read from `limits/*.toml`, checked, merged with the user's overlay.

#[expect(clippy::module_inception, reason = "the catalogue is the noun of this folder")]
mod catalog;
mod check;
mod file;
mod infer;
mod installed;
mod provider;
pub mod reader;

pub use catalog::{Catalog, Overlay};
pub use check::{check_base_url, is_loopback, stays_here};
pub use infer::types as types_of_name;
pub use provider::{
    AccountLimit, AccountPage, Model, ModelType, Page, Prefill, Provider, Scale, Status, Trains, is_meant,
};
pub use reader::{Problem, Problems};
