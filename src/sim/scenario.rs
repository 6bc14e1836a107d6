//! The scenarios a simulator can play: everyday, dry, stormy, slow, cutting, and the demo's story.

use std::str::FromStr;

use thiserror::Error;

use super::act::Act;
use super::limit::{Limit, Unit};
use super::spec::{ModelSpec, ProviderSpec, UsageAt};
use crate::chat::Period;

/// Which providers there are and how they behave.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Scenario {
    /// Healthy providers with real limits and no latency.
    #[default]
    Default,
    /// Every provider's day quota is gone.
    Dry,
    /// Three calls in ten fail, in every way a provider can; one provider is healthy.
    Storm,
    /// 300 to 800 ms to the first token, 20 to 40 ms for each.
    Slow,
    /// Streams break on all providers but one.
    Cut,
    Custom(Vec<ProviderSpec>),
}

/// A name that no scenario has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown scenario `{0}`, there are {list}", list = Scenario::NAMES.join(", "))]
pub struct UnknownScenario(pub String);

impl Scenario {
    pub const NAMES: [&'static str; 5] = ["default", "dry", "storm", "slow", "cut"];

    /// The story of `relay demo`, each provider slower to begin than the one before. `sim-alpha` allows 1 request a minute where its
    /// catalogue says 30, `sim-bravo` 1 a day where it says 200, `sim-carol` breaks off in the middle of its second answer, `sim-delta` is
    /// healthy, `sim-echo` allows 1 a second, as documented.
    pub fn demo() -> Self {
        let named = ["sim-alpha", "sim-bravo", "sim-carol", "sim-delta", "sim-echo"];
        let [alpha, bravo, carol, delta, echo] = named.map(ProviderSpec::new);
        Self::Custom(vec![
            alpha.limit(Limit::requests(1, Period::Minute).documented_as(30)).model(large()).latency_ms(20..=30, 3..=6),
            bravo
                .limit(Limit::requests(1, Period::Day).documented_as(200))
                .usage_at(UsageAt::LastChunk)
                .model(code())
                .latency_ms(110..=120, 3..=6),
            carol
                .limit(Limit::requests(50, Period::Day))
                .opening([Act::Answer, Act::Cut { after: 8 }])
                .model(vision())
                .latency_ms(200..=210, 3..=6),
            delta.limit(Limit::requests(1_000, Period::Day)).model(huge()).latency_ms(290..=300, 3..=6),
            echo.limit(Limit::requests(1, Period::Second)).model(small()).latency_ms(40..=60, 3..=6),
        ])
    }

    pub(super) fn into_providers(self) -> Vec<ProviderSpec> {
        match self {
            Self::Default => everyday(),
            Self::Dry => everyday().into_iter().map(dry).collect(),
            Self::Storm => but_one(|provider| provider.faulty(0.3, storm())),
            Self::Slow => everyday().into_iter().map(|provider| provider.latency_ms(300..=800, 20..=40)).collect(),
            Self::Cut => but_one(|provider| provider.faulty(1.0, [3, 5, 8, 13].map(|after| Act::Cut { after }))),
            Self::Custom(providers) => providers,
        }
    }
}

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(name: &str) -> Result<Self, UnknownScenario> {
        match name {
            "default" => Ok(Self::Default),
            "dry" => Ok(Self::Dry),
            "storm" => Ok(Self::Storm),
            "slow" => Ok(Self::Slow),
            "cut" => Ok(Self::Cut),
            _ => Err(UnknownScenario(name.to_owned())),
        }
    }
}

/// Four providers as free tiers are in 2026: limits per model with headers, a shared minute, a small day, a generous one.
fn everyday() -> Vec<ProviderSpec> {
    let per_model = |model: ModelSpec| {
        model
            .limit(Limit::requests(30, Period::Minute))
            .limit(Limit::requests(1_000, Period::Day).rolling())
            .limit(Limit::tokens(12_000, Period::Minute))
            .limit(Limit::tokens(200_000, Period::Day).undocumented())
    };
    vec![
        ProviderSpec::new("sim-alpha")
            .rate_headers()
            .usage_at(UsageAt::XGroq)
            .model(per_model(large()))
            .model(per_model(small())),
        ProviderSpec::new("sim-bravo")
            .usage_at(UsageAt::LastChunk)
            .limit(Limit::requests(60, Period::Minute))
            .limit(Limit::tokens(500_000, Period::Minute))
            .limit(Limit::requests(2_000, Period::Day))
            .model(code())
            .model(ModelSpec::new("sim-medium-24b").context(32_768).features(&["tools", "json"])),
        ProviderSpec::new("sim-carol")
            .limit(Limit::requests(20, Period::Minute))
            .limit(Limit::requests(200, Period::Day))
            .model(vision())
            .model(
                ModelSpec::new("sim-large-405b").scale("large").context(65_536).limit(Limit::requests(50, Period::Day)),
            ),
        ProviderSpec::new("sim-delta")
            .limit(Limit::requests(30, Period::Minute))
            .limit(Limit::requests(14_400, Period::Day))
            .limit(Limit::tokens(60_000, Period::Minute))
            .model(huge())
            .model(ModelSpec::new("sim-mini-4b").scale("small").context(16_384).features(&["json"])),
    ]
}

fn large() -> ModelSpec {
    ModelSpec::new("sim-large-70b").types(&["text", "coding"]).scale("large")
}

fn small() -> ModelSpec {
    ModelSpec::new("sim-small-8b").scale("small").context(8_192).features(&["tools", "json"])
}

fn code() -> ModelSpec {
    ModelSpec::new("sim-code-32b").types(&["coding", "text"]).context(65_536)
}

fn vision() -> ModelSpec {
    ModelSpec::new("sim-vision-8b")
        .types(&["vision", "text"])
        .scale("small")
        .context(32_768)
        .features(&["vision", "tools", "json", "schema"])
}

fn huge() -> ModelSpec {
    ModelSpec::new("sim-large-120b").types(&["text", "coding"]).scale("large").context(262_144)
}

/// The provider with its daily requests used up.
fn dry(mut provider: ProviderSpec) -> ProviderSpec {
    let day = |limit: &Limit| limit.period == Period::Day && limit.unit == Unit::Requests;
    // A rolling day would come back later than midnight.
    let spend = |limit: Limit| if day(&limit) { Limit { rolling: false, ..limit }.exhausted() } else { limit };
    provider.limits = provider.limits.into_iter().map(spend).collect();
    for model in &mut provider.models {
        model.limits = std::mem::take(&mut model.limits).into_iter().map(spend).collect();
    }
    provider
}

/// Routing's second choice: the faults of the first are seen, and whatever they are, this one ends the request well.
const HEALTHY: &str = "sim-bravo";

/// Everyday providers, all but one of them changed.
fn but_one(change: impl Fn(ProviderSpec) -> ProviderSpec) -> Vec<ProviderSpec> {
    let one = |provider: ProviderSpec| if provider.id == HEALTHY { provider } else { change(provider) };
    everyday().into_iter().map(one).collect()
}

/// Passing faults often, lasting ones seldom. Silence is left out, which only a time-out of a minute ends.
fn storm() -> Vec<Act> {
    let often = (0..6).flat_map(|_| Act::passing());
    often.chain(Act::lasting()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_scenario_and_others_are_told_the_names() {
        for name in Scenario::NAMES {
            assert!(name.parse::<Scenario>().is_ok());
        }
        let error = "rain".parse::<Scenario>().expect_err("no such scenario");
        assert_eq!(error.to_string(), "unknown scenario `rain`, there are default, dry, storm, slow, cut");
    }

    #[test]
    fn everything_is_labelled_and_dry_leaves_no_day() {
        for provider in [everyday(), Scenario::demo().into_providers()].concat() {
            assert!(provider.id.starts_with("sim-"));
            assert!(provider.models.iter().all(|model| model.id.starts_with("sim-")));
        }
        for provider in Scenario::Dry.into_providers() {
            for model in &provider.models {
                let mut limits = model.limits.iter().chain(&provider.limits);
                assert!(
                    limits.any(|limit| limit.period == Period::Day && limit.used == limit.amount),
                    "{} {}",
                    provider.id,
                    model.id
                );
            }
        }
    }
}
