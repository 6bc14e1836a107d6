//! The flags of `relay models`.

use clap::Args;
use clap_complete::ArgValueCandidates;

use super::one_of;
use crate::catalog::{ModelType, Scale};
use crate::cli::completions::names;

#[derive(Debug, Args)]
pub struct Models {
    /// Only this provider, PROVIDER/MODEL or model; may be given several times
    #[arg(value_name = "PROVIDER|MODEL", add = ArgValueCandidates::new(names))]
    pub names: Vec<String>,
    /// Only models of this type
    #[arg(long = "type", value_name = "TYPE", ignore_case = true, value_parser = one_of(ModelType::NAMES))]
    pub model_type: Option<ModelType>,
    /// Only models of this scale
    #[arg(long, value_name = "SCALE", ignore_case = true, value_parser = one_of(Scale::NAMES))]
    pub scale: Option<Scale>,
    /// Also list what cannot be used now, model by model
    #[arg(long)]
    pub all: bool,
    /// Count services that take no key as usable
    #[arg(long)]
    pub keyless: bool,
    /// Use only routes that can never bill
    #[arg(long)]
    pub strict_free: bool,
}
