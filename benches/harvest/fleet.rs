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

/// Six providers and twelve models, of the shapes of 2026-10: an account's pool, rolling and calendar days, tokens in and out.
pub fn fleet(truth: Truth, seed: u64) -> Vec<ProviderSpec> {
    let coding: &[&str] = &["text", "coding"];
    let text: &[&str] = &["text"];
    let groq = provider(
        Persona::Groq,
        &[
            Shape("sim-gpt-120b", coding, "large", 131_072, [30, 1_000, 8_000, 200_000]),
            Shape("sim-llama-70b", text, "large", 131_072, [30, 1_000, 12_000, 100_000]),
            Shape("sim-llama-8b", text, "small", 131_072, [30, 14_400, 6_000, 500_000]),
        ],
        true,
    );
    let gemini = provider(
        Persona::Gemini,
        &[
            Shape("sim-flash", coding, "medium", 1_048_576, [5, 20, 250_000, 0]),
            Shape("sim-flash-lite", text, "small", 1_048_576, [15, 500, 250_000, 0]),
        ],
        false,
    );
    let mistral = provider(
        Persona::Mistral,
        &[
            Shape("sim-large", text, "large", 262_144, [0; 4]),
            Shape("sim-codestral", coding, "medium", 262_144, [0; 4]),
        ],
        false,
    )
    .limit(Limit::requests(60, Period::Minute))
    .limit(Limit::tokens(200_000, Period::Minute));
    let cerebras = provider(
        Persona::Cerebras,
        &[Shape("sim-gpt-120b", coding, "large", 65_536, [10, 2_400, 60_000, 1_000_000])],
        false,
    );
    let openrouter = provider(
        Persona::OpenRouter,
        &[
            Shape("sim-nemotron:free", text, "large", 131_072, [0; 4]),
            Shape("sim-coder:free", coding, "large", 262_144, [0; 4]),
        ],
        false,
    )
    .limit(Limit::requests(20, Period::Minute))
    .limit(Limit::requests(50, Period::Day));
    let nvidia = provider(
        Persona::Nvidia,
        &[Shape("sim-glm", coding, "large", 131_072, [0; 4]), Shape("sim-qwen-32b", text, "medium", 32_768, [0; 4])],
        false,
    )
    .limit(Limit::requests(40, Period::Minute));
    let mut fleet = vec![groq, gemini, mistral, cerebras, openrouter, nvidia];
    if truth == Truth::AThirdWrong {
        misdocument(&mut fleet, seed);
    }
    fleet
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
