//! What a request requires of the route that answers it.

use crate::chat::request::META_MODEL;
use crate::chat::{ChatRequest, Fault, Features, LONGEST_NAME, brief, tokens};

use super::filters::Filters;
use super::fleet::{Fleet, Route};
use super::rank::{fits_features, fits_intent};

/// How many names are offered for one that is not known.
const CLOSE_NAMES: usize = 3;

/// A request's requirements, as far as choosing a route needs them.
#[derive(Debug, Clone)]
pub struct Need {
    pub wanted: Wanted,
    pub filters: Filters,
    pub features: Features,
    pub input_tokens: u64,
    /// Whether `input_tokens` is the exact count; else it is an upper bound.
    pub counted: bool,
    /// How far the prompt may be cut where it does not fit.
    pub trim: Option<Trim>,
    /// The most the answer may have, when the caller says so.
    pub max_tokens: Option<u64>,
    /// Tokens kept for the answer when the caller does not say.
    pub answer_reserve: u64,
    /// Routes left out by name, or by provider.
    pub avoid: Vec<String>,
    /// Only routes that can never bill.
    pub strict_free: bool,
    /// Rests and rejected keys keep nobody away, unless a provider named the moment.
    pub despite_guesses: bool,
    /// Only providers that do not say they train on prompts.
    pub no_training: bool,
    /// Spreads requests over routes of equal standing: a hash of the request's id.
    pub seed: u64,
}

/// How far a prompt may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trim {
    /// Tokens of what must stay.
    pub least: u64,
    /// Tokens it is cut to where there is room for more.
    pub wanted: u64,
}

/// Which routes the `model` field allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Any,
    /// Any model of this provider.
    Provider(String),
    /// This model, at this provider or at any host of it.
    Model {
        provider: Option<String>,
        model: String,
    },
}

impl Need {
    pub fn of(request: &ChatRequest, fleet: &Fleet) -> Result<Self, Fault> {
        let wanted = if request.wants_any_model() { Wanted::Any } else { Wanted::named(&request.model, fleet)? };
        let filters = Filters::of(request)?;
        filters.leave_somebody(&wanted, fleet)?;
        let input_tokens = bound(request, fleet);
        Ok(Self {
            wanted,
            filters,
            features: request.features,
            input_tokens,
            counted: false,
            max_tokens: request.max_tokens,
            ..Self::smallest()
        })
    }

    /// Where nobody can be told that a tool has to be called, that is left to the model: better than no answer at all.
    pub fn insist_within_reach(&mut self, fleet: &Fleet) {
        if !self.features.tool_choice {
            return;
        }
        let can = |route: &Route| {
            let fits = || fits_intent(route, self).and_then(|()| fits_features(route.model.features, self));
            self.wanted.allows(route) && fits().is_ok()
        };
        self.features.tool_choice = fleet.routes.iter().any(can);
    }

    /// What every chat needs at least: any route, one token.
    pub fn smallest() -> Self {
        Self {
            wanted: Wanted::Any,
            filters: Filters::default(),
            features: Features::default(),
            input_tokens: 1,
            counted: true,
            trim: None,
            max_tokens: None,
            answer_reserve: 0,
            avoid: Vec::new(),
            strict_free: false,
            despite_guesses: false,
            no_training: false,
            seed: 0,
        }
    }

    /// Whether it asks anything of routes besides being able to answer.
    pub fn is_particular(&self) -> bool {
        self.filters != Filters::default() || !self.avoid.is_empty() || self.strict_free || self.no_training
    }

    /// Tokens the answer is expected to need at most.
    pub fn answer_tokens(&self) -> u64 {
        self.max_tokens.unwrap_or(self.answer_reserve)
    }

    /// Puts the prompt's exact count in the bound's place.
    pub fn count_exactly(&mut self, exact: u64) {
        self.input_tokens = exact.max(1);
        self.counted = true;
    }

    /// Tokens of the prompt over a route with room for so many with the answer: all of them, or what it is cut to.
    pub fn input_within(&self, room: u64) -> u64 {
        let left = room.saturating_sub(self.answer_tokens());
        match self.trim {
            Some(trim) if self.input_tokens > left => trim.wanted.min(left).max(trim.least).min(self.input_tokens),
            _ => self.input_tokens,
        }
    }
}

/// A bound of the prompt, from one of its raw JSON. Base64 is not text: its share is taken out.
fn bound(request: &ChatRequest, fleet: &Fleet) -> u64 {
    // No token is shorter than a byte.
    let bytes = request.prompt_parts().map(|part| part.len() as u64).sum::<u64>() + frames(request);
    if bytes.saturating_add(request.max_tokens.unwrap_or(0)) <= fleet.fits_uncounted {
        return bytes;
    }
    let text: u64 = request.prompt_parts().map(tokens::upper_bound).sum();
    let binary = request.messages.binary_bytes as u64 / 2;
    text.saturating_sub(binary).max(1) + frames(request)
}

/// Tokens of message frames and of images.
fn frames(request: &ChatRequest) -> u64 {
    request.messages.count as u64 * tokens::MESSAGE_TOKENS + request.messages.images as u64 * tokens::IMAGE_TOKENS
}

impl Wanted {
    /// Reads `provider/model`, `provider`, or a model's bare id. Provider names may be in any case.
    fn named(name: &str, fleet: &Fleet) -> Result<Self, Fault> {
        let known = |id: &str| {
            fleet.routes.iter().map(|route| &route.provider.id).find(|known| known.eq_ignore_ascii_case(id)).cloned()
        };
        if let Some(provider) = known(name) {
            return Ok(Self::Provider(provider));
        }
        if let Some((provider, model)) = name.split_once('/')
            && let Some(provider) = known(provider)
            && fleet.routes.iter().any(|route| route.provider.id == provider && route.model.id == model)
        {
            return Ok(Self::Model { provider: Some(provider), model: model.to_owned() });
        }
        if fleet.routes.iter().any(|route| route.model.id == name) {
            return Ok(Self::Model { provider: None, model: name.to_owned() });
        }
        Err(unknown(name, fleet))
    }

    pub fn allows(&self, route: &Route) -> bool {
        match self {
            Self::Any => true,
            Self::Provider(provider) => route.provider.id == *provider,
            Self::Model { provider, model } => {
                route.model.id == *model && provider.as_ref().is_none_or(|provider| route.provider.id == *provider)
            }
        }
    }
}

fn unknown(name: &str, fleet: &Fleet) -> Fault {
    let message = format!(
        "the model `{}` is not known here, or its provider is not set up; `{META_MODEL}` leaves the choice to relay",
        brief(name, LONGEST_NAME)
    );
    let close = if name.len() > LONGEST_NAME { Vec::new() } else { close(name, fleet) };
    Fault::Unknown { message, close }
}

/// The known names most like this one, which is compared with every one of them: it has to be short.
fn close(name: &str, fleet: &Fleet) -> Vec<String> {
    let lower = name.to_lowercase();
    let names = fleet
        .routes
        .iter()
        .flat_map(|route| [route.name.to_string(), route.model.id.clone(), route.provider.id.clone()])
        .chain([META_MODEL.to_owned()]);
    let mut near: Vec<(f64, String)> =
        names.map(|known| (likeness(&lower, &known.to_lowercase()), known)).filter(|(near, _)| *near > 0.75).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let mut close: Vec<String> = near.into_iter().map(|(_, known)| known).collect();
    close.dedup();
    close.truncate(CLOSE_NAMES);
    close
}

fn likeness(asked: &str, known: &str) -> f64 {
    if asked.len() > 2 && known.contains(asked) { 0.95 } else { strsim::jaro_winkler(asked, known) }
}
