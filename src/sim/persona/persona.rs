//! Which real provider a simulated one pretends to be, and everything that hangs on it.

use bytes::Bytes;
use serde_json::{Value, json};

use super::rules::has;
use super::tongue::Tongue;
use super::{cerebras, cloudflare, deepseek, gemini, groq, mistral, nvidia, ollama, openrouter};
use crate::chat::Period;
use crate::sim::call::Notes;
use crate::sim::endpoint::Endpoint;
use crate::sim::habit::{Habits, Thoughts};
use crate::sim::limit::Limit;
use crate::sim::refusal::Refusal;
use crate::sim::request::Asked;
use crate::sim::spec::{ModelSpec, ProviderSpec, UsageAt};
use crate::sim::wire;

/// One of the nine first providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Persona {
    Groq,
    Mistral,
    Cerebras,
    Gemini,
    Nvidia,
    OpenRouter,
    Cloudflare,
    DeepSeek,
    Ollama,
}

impl Persona {
    pub const ALL: [Self; 9] = [
        Self::Groq,
        Self::Mistral,
        Self::Cerebras,
        Self::Gemini,
        Self::Nvidia,
        Self::OpenRouter,
        Self::Cloudflare,
        Self::DeepSeek,
        Self::Ollama,
    ];

    /// The id of the real one; the simulated one has `sim-` before it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Groq => "groq",
            Self::Mistral => "mistral",
            Self::Cerebras => "cerebras",
            Self::Gemini => "gemini",
            Self::Nvidia => "nvidia",
            Self::OpenRouter => "openrouter",
            Self::Cloudflare => "cloudflare",
            Self::DeepSeek => "deepseek",
            Self::Ollama => "ollama",
        }
    }

    pub const fn dialect(self) -> &'static str {
        match self {
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
            _ => "openai",
        }
    }

    /// The path of the real base URL, below the provider's own folder.
    pub(in crate::sim) const fn base_path(self) -> &'static str {
        match self {
            Self::Groq => "/openai/v1",
            Self::Mistral | Self::Cerebras | Self::Nvidia => "/v1",
            Self::Gemini => "/v1beta",
            Self::OpenRouter => "/api/v1",
            Self::Cloudflare => "/client/v4/accounts/sim-account/ai/v1",
            Self::DeepSeek | Self::Ollama => "",
        }
    }

    pub(in crate::sim) const fn usage_at(self) -> UsageAt {
        match self {
            Self::Groq => UsageAt::XGroq,
            Self::Nvidia | Self::Gemini | Self::Ollama => UsageAt::OwnChunk,
            _ => UsageAt::LastChunk,
        }
    }

    /// Models whose names have what the rules look at: Gemini 3 signs, Llama wants strings, NVIDIA's three have three schemas.
    pub(in crate::sim) fn models(self) -> Vec<ModelSpec> {
        let ids: &[&str] = match self {
            Self::Mistral => &["sim-ministral-14b"],
            Self::Groq | Self::Cerebras => &["sim-gpt-oss-120b"],
            Self::Gemini => &["sim-gemini-3.5-flash", "sim-gemini-2.5-flash"],
            Self::Nvidia => &["sim-nemotron-3-super", "sim-gpt-oss-20b", "sim-kimi-k2.6"],
            Self::OpenRouter => &["sim-nemotron-3-super:free"],
            Self::Cloudflare => &["sim-gpt-oss-120b", "sim-llama-3.3-70b"],
            Self::DeepSeek => &["sim-deepseek-flash"],
            Self::Ollama => &["sim-qwen3"],
        };
        let features: &[&str] = match self {
            Self::DeepSeek | Self::Groq | Self::Nvidia => &["tools", "json", "reasoning"],
            Self::Cerebras => &["tools", "json", "schema", "reasoning"],
            Self::Cloudflare | Self::OpenRouter => &["tools", "vision", "reasoning"],
            Self::Mistral | Self::Gemini | Self::Ollama => &["tools", "json", "schema", "vision", "reasoning"],
        };
        ids.iter().map(|id| ModelSpec::new(*id).features(features)).collect()
    }

    /// Generous limits for those that tell of them in headers, so that there is something to tell.
    pub(in crate::sim) fn limits(self) -> Vec<Limit> {
        match self {
            Self::Groq => vec![Limit::requests(14_400, Period::Day).rolling(), Limit::tokens(500_000, Period::Minute)],
            Self::Mistral => vec![Limit::requests(750, Period::Minute), Limit::tokens(1_300_000, Period::Minute)],
            Self::Cerebras => vec![
                Limit::requests(900, Period::Minute),
                Limit::tokens(1_000_000, Period::Minute),
                Limit::requests(14_400, Period::Day).rolling(),
            ],
            _ => Vec::new(),
        }
    }

    /// Where `path`, below the provider's folder, leads.
    pub(in crate::sim) fn endpoint(self, path: &str, query: &str) -> Option<Endpoint> {
        if self == Self::Cloudflare && path.strip_suffix("/models/search") == self.base_path().strip_suffix("/v1") {
            return Some(Endpoint::Models);
        }
        let path = path.strip_prefix(self.base_path())?;
        match (self, path) {
            (Self::Gemini, _) if path != "/models" => {
                let (model, verb) = path.strip_prefix("/models/")?.split_once(':')?;
                let stream = match verb {
                    "generateContent" => false,
                    "streamGenerateContent" => true,
                    _ => return None,
                };
                let events = query.split('&').any(|pair| pair == "alt=sse");
                Some(Endpoint::Generate { model: model.to_owned(), stream, events })
            }
            (Self::Ollama, "/api/show") => Some(Endpoint::Show),
            (Self::Ollama, "/api/version") => Some(Endpoint::Version),
            // Cloudflare answers 405 here and has its list elsewhere (2024).
            (Self::Ollama, "/chat/completions" | "/models") | (Self::Cloudflare, "/models") => None,
            (_, "/chat/completions") | (Self::Ollama, "/api/chat") => Some(Endpoint::Chat),
            (_, "/models") | (Self::Ollama, "/api/tags") => Some(Endpoint::Models),
            _ => None,
        }
    }

    /// The chat that a request asks for, if the provider would take it.
    pub(in crate::sim) fn read(self, endpoint: &Endpoint, body: &[u8]) -> Result<(Asked, Notes), Refusal> {
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| Refusal::bad_request(format!("We could not parse the JSON body: {error}."), None))?;
        let mut notes = Notes::default();
        let asked = match self {
            Self::Gemini => match endpoint {
                Endpoint::Generate { model, stream, events } => {
                    let asked = gemini::read(value, model, *stream && *events)?;
                    Asked { in_list: *stream && !*events, ..asked }
                }
                _ => return Err(Refusal::bad_request("not a place for a chat", None)),
            },
            Self::Ollama => {
                let (asked, cut) = ollama::read(&value)?;
                notes.truncated = cut;
                let thinks = has(&value, "think") && value["think"] != false;
                Asked { thinks, ..asked }
            }
            _ => {
                self.check(&value)?;
                let mut asked = match self {
                    Self::Mistral => Asked::parse(mistral::without_thoughts(value.clone()).to_string().as_bytes())?,
                    _ => Asked::parse(body)?,
                };
                if self == Self::Cloudflare {
                    cloudflare::settle(&mut asked, &value);
                }
                asked
            }
        };
        Ok((asked, notes))
    }

    fn check(self, body: &Value) -> Result<(), Refusal> {
        match self {
            Self::Groq => groq::check(body),
            Self::Mistral => mistral::check(body),
            Self::Cerebras => cerebras::check(body),
            Self::Nvidia => nvidia::check(body),
            Self::Cloudflare => cloudflare::check(body),
            Self::DeepSeek => deepseek::check(body),
            // It drops in silence what a model does not take.
            Self::OpenRouter | Self::Gemini | Self::Ollama => Ok(()),
        }
    }

    /// The refusal in the provider's own words, status and headers.
    pub(in crate::sim) fn tell(self, refusal: Refusal) -> Refusal {
        match self {
            Self::Groq => groq::tell(refusal),
            Self::Mistral => mistral::tell(refusal),
            Self::Cerebras => cerebras::tell(refusal),
            Self::Gemini => gemini::tell(refusal),
            Self::Nvidia => nvidia::tell(refusal),
            Self::OpenRouter => openrouter::tell(refusal),
            Self::Cloudflare => cloudflare::tell(refusal),
            Self::DeepSeek => deepseek::tell(refusal),
            Self::Ollama => ollama::tell(refusal),
        }
    }

    /// The body of a success that is an error; `told` is what the provider says of being busy.
    pub(in crate::sim) fn in_success(self, told: &Refusal) -> Value {
        if self == Self::OpenRouter { openrouter::in_success() } else { told.body() }
    }

    /// What stands in a stream that fails; `first` when nothing came before.
    pub(in crate::sim) fn failure(self, told: &Refusal, first: bool) -> Bytes {
        match self {
            Self::Groq => groq::failure(&told.why.model, first),
            Self::Mistral => mistral::failure(&told.why.model),
            Self::Cerebras => cerebras::failure(told),
            Self::Gemini => gemini::failure(told),
            Self::OpenRouter => openrouter::failure(&told.why.model),
            Self::Ollama => ollama::failure(told),
            Self::Nvidia | Self::Cloudflare | Self::DeepSeek => wire::event(&told.body()),
        }
    }

    pub(in crate::sim) const fn tongue(self, usage_at: UsageAt) -> Tongue {
        Tongue::OpenAi(match self {
            Self::Gemini => return Tongue::Gemini,
            Self::Ollama => return Tongue::Ollama,
            Self::Groq => groq::habits(usage_at),
            Self::Mistral => mistral::habits(usage_at),
            Self::Cerebras => cerebras::habits(usage_at),
            Self::OpenRouter => openrouter::habits(usage_at),
            Self::DeepSeek => deepseek::habits(usage_at),
            Self::Nvidia | Self::Cloudflare => {
                Habits { thoughts: Thoughts::Field("reasoning_content"), ..Habits::bare(usage_at) }
            }
        })
    }

    /// Sends the head of a stream at once, and waits after it.
    pub(in crate::sim) const fn is_silent_after_the_head(self) -> bool {
        matches!(self, Self::Nvidia | Self::DeepSeek)
    }

    /// The body of the model list.
    pub(in crate::sim) fn list(self, spec: &ProviderSpec, created: i64) -> Bytes {
        let listed = || spec.models.iter().filter(|model| !model.vanished);
        let data = |items: Vec<Value>| json!({"object": "list", "data": items});
        let list = match self {
            Self::Gemini => gemini::models(spec),
            Self::Ollama => ollama::tags(spec),
            Self::Cloudflare => {
                cloudflare::models(listed().map(|model| (&*model.id, model.context, model.has("tools"))))
            }
            Self::Mistral => data(
                listed().map(|model| mistral::model(&model.id, model.context, |feature| model.has(feature))).collect(),
            ),
            Self::OpenRouter => {
                data(listed().map(|model| openrouter::model(&model.id, model.context, model.has("vision"))).collect())
            }
            Self::Groq | Self::Cerebras | Self::Nvidia | Self::DeepSeek => return wire::models(spec, created),
        };
        Bytes::from(list.to_string())
    }

    /// The body of `/api/show` or `/api/version`.
    pub(in crate::sim) fn describe(spec: &ProviderSpec, endpoint: &Endpoint, body: &[u8]) -> Result<Value, Refusal> {
        if *endpoint == Endpoint::Version {
            return Ok(ollama::version());
        }
        let asked: Value = serde_json::from_slice(body).unwrap_or_default();
        let id = ["model", "name"].into_iter().find_map(|field| asked[field].as_str()).unwrap_or_default();
        let model = spec.models.iter().find(|model| model.id == id && !model.vanished);
        model.map(ollama::show).ok_or_else(|| Refusal::unknown(id))
    }
}
