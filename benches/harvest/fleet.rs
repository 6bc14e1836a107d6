//! Providers with limits of the shapes real ones have, and documents that are right about them, or not.

use relay::sim::{Limit, ModelSpec, Period, Persona, ProviderSpec};

/// Whether the catalogue knows the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    AsDocumented,
    /// Every third limit is not in the catalogue, or is a third or a half lower than it says.
    AThirdWrong,
}

/// Requests a minute and a day, tokens a minute and a day; 0 where there is no such limit.
struct Shape(&'static str, &'static [&'static str], &'static str, u64, [u64; 4]);

/// Which keys somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// Three providers, each scarce in its own way: tokens a day, requests a day, tokens a minute.
    Few,
    /// Three more, with pools of an account and hardly a day's limit.
    Many,
}

/// Providers of the shapes of 2026-10: an account's pool, rolling and calendar days, tokens in and out.
pub fn fleet(keys: Keys, truth: Truth, seed: u64) -> Vec<ProviderSpec> {
    let mut fleet = few();
    if keys == Keys::Many {
        fleet.extend(more());
    }
    if truth == Truth::AThirdWrong {
        misdocument(&mut fleet, seed);
    }
    fleet
}

const CODING: &[&str] = &["text", "coding"];
const TEXT: &[&str] = &["text"];

fn few() -> Vec<ProviderSpec> {
    let groq = [
        Shape("sim-gpt-120b", CODING, "large", 131_072, [30, 1_000, 8_000, 200_000]),
        Shape("sim-llama-70b", TEXT, "large", 131_072, [30, 1_000, 12_000, 100_000]),
        Shape("sim-llama-8b", TEXT, "small", 131_072, [30, 14_400, 6_000, 500_000]),
    ];
    let gemini = [
        Shape("sim-flash", CODING, "medium", 1_048_576, [5, 20, 250_000, 0]),
        Shape("sim-flash-lite", TEXT, "small", 1_048_576, [15, 500, 250_000, 0]),
    ];
    let cerebras = [Shape("sim-gpt-120b", CODING, "large", 65_536, [10, 2_400, 60_000, 1_000_000])];
    vec![
        provider(Persona::Groq, &groq, true),
        provider(Persona::Gemini, &gemini, false),
        provider(Persona::Cerebras, &cerebras, false),
    ]
}

fn more() -> Vec<ProviderSpec> {
    let pooled = |id, types, scale, context| Shape(id, types, scale, context, [0; 4]);
    let mistral = [pooled("sim-large", TEXT, "large", 262_144), pooled("sim-codestral", CODING, "medium", 262_144)];
    let openrouter =
        [pooled("sim-nemotron:free", TEXT, "large", 131_072), pooled("sim-coder:free", CODING, "large", 262_144)];
    let nvidia = [pooled("sim-glm", CODING, "large", 131_072), pooled("sim-qwen-32b", TEXT, "medium", 32_768)];
    vec![
        provider(Persona::Mistral, &mistral, false)
            .limit(Limit::requests(60, Period::Minute))
            .limit(Limit::tokens(200_000, Period::Minute)),
        provider(Persona::OpenRouter, &openrouter, false)
            .limit(Limit::requests(20, Period::Minute))
            .limit(Limit::requests(50, Period::Day)),
        provider(Persona::Nvidia, &nvidia, false).limit(Limit::requests(40, Period::Minute)),
    ]
}

fn provider(persona: Persona, shapes: &[Shape], rolling_days: bool) -> ProviderSpec {
    let mut spec = ProviderSpec::impersonating(persona);
    (spec.models, spec.limits) = (Vec::new(), Vec::new());
    let spec = match persona {
        Persona::Nvidia => spec.latency_ms(1_500..=4_000, 10..=30),
        Persona::Gemini | Persona::Mistral => spec.latency_ms(400..=1_200, 4..=8),
        _ => spec.latency_ms(150..=500, 1..=3),
    };
    shapes.iter().fold(spec, |spec, shape| spec.model(model(persona, shape, rolling_days)))
}

fn model(persona: Persona, shape: &Shape, rolling_days: bool) -> ModelSpec {
    let Shape(id, types, scale, context, [minute, day, tokens_minute, tokens_day]) = *shape;
    let daily = |limit: Limit| if rolling_days { limit.rolling() } else { limit };
    let by_minute = if persona == Persona::Gemini { Limit::input_tokens } else { Limit::tokens };
    let limits = [
        (minute, Limit::requests(minute, Period::Minute)),
        (day, daily(Limit::requests(day, Period::Day))),
        (tokens_minute, by_minute(tokens_minute, Period::Minute)),
        (tokens_day, daily(Limit::tokens(tokens_day, Period::Day))),
    ];
    let spec = ModelSpec::new(id).types(types).scale(scale).context(context);
    limits.into_iter().filter(|(amount, _)| *amount > 0).fold(spec, |spec, (_, limit)| spec.limit(limit))
}

/// Every third limit: missing, enforced at two thirds of what is documented, or at half of it.
fn misdocument(fleet: &mut [ProviderSpec], seed: u64) {
    let limits = fleet
        .iter_mut()
        .flat_map(|spec| spec.limits.iter_mut().chain(spec.models.iter_mut().flat_map(|model| &mut model.limits)));
    for (index, limit) in limits.enumerate().filter(|(index, _)| (*index as u64 + seed).is_multiple_of(3)) {
        let amount = limit.amount;
        match index / 3 % 3 {
            0 => limit.documented = None,
            1 => limit.amount = amount * 2 / 3,
            _ => limit.amount = amount / 2,
        }
    }
}
