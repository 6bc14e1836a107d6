//! The nine first providers as strict fakes: what each refuses, in which words, and how each writes its answers.
//! Wire facts are those of PROVIDERS.md, compiled 2026-11-22; where it is of two minds, the fake is the strict one.

mod cerebras;
mod cloudflare;
mod deepseek;
mod gemini;
mod groq;
mod mistral;
mod nvidia;
mod ollama;
mod openrouter;
#[expect(clippy::module_inception, reason = "the persona is the noun of this folder")]
mod persona;
mod rates;
mod rules;
mod tongue;

pub use persona::Persona;
pub(super) use rates::rate_headers;
pub(super) use tongue::Tongue;
