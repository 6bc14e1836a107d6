//! A request in Google's shape: path, turns, tools and generation settings.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;
use smallvec::smallvec;

use crate::chat::{BadRequest, ChatRequest, Fault, Unfit};
use crate::dialect::{Outgoing, Target, Wire};

use super::content::Content;
use super::generation::GenerationConfig;
use super::model::Model;
use super::tools::{Tool, ToolConfig, tools};
use super::turns::{Turns, turns};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    contents: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<[Tool<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<ToolConfig<'a>>,
    #[serde(skip_serializing_if = "GenerationConfig::is_empty")]
    generation_config: GenerationConfig<'a>,
}

/// The request for `target`. Fields of the caller's that have no counterpart are left out: `user`, `store`, `metadata`,
/// `logit_bias`, `parallel_tool_calls`, message names, …
pub fn encode(request: &ChatRequest, target: Target<'_>) -> Result<Outgoing, Fault> {
    let model = Model::of(target.model);
    let fields = Fields { request, wire: target.wire };
    let messages = request.typed_messages().map_err(invalid)?;
    let Turns { system, contents } = turns(&messages, model)?;
    let (tools, tool_config) = tools(&fields)?;
    let generation_config = GenerationConfig::read(&fields, model)?;
    if tools.is_some() && generation_config.wants_json() && !model.takes_json_with_tools() {
        return Err(Fault::Unfit(Unfit::Lacks("json-beside-tools")));
    }
    let body =
        Body { contents, system_instruction: system, tools: tools.map(|tool| [tool]), tool_config, generation_config };
    let body = serde_json::to_vec(&body).map_err(|error| {
        invalid(BadRequest { message: format!("the request cannot be written: {error}"), param: None })
    })?;
    let method = if request.stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    Ok(Outgoing {
        path: format!("/models/{}:{method}", model.path_segment()).into(),
        body: smallvec![Bytes::from(body)],
    })
}

/// The caller's own mistake, found on the way out.
pub fn invalid(bad: BadRequest) -> Fault {
    Fault::Invalid { status: 400, message: bad.message, param: bad.param, code: None }
}

/// The request's top-level fields, as the `[wire]` table leaves them.
pub struct Fields<'a> {
    pub request: &'a ChatRequest,
    wire: &'a Wire,
}

impl<'a> Fields<'a> {
    /// The raw JSON of `name`, or of its default; `None` where it is absent, null or dropped.
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        if self.wire.drop.iter().any(|dropped| dropped == name) {
            return None;
        }
        let own = self.request.raw(name).filter(|raw| *raw != "null");
        let raw = own.or_else(|| {
            self.wire.defaults.iter().find(|(defaulted, _)| defaulted == name).map(|(_, value)| value.as_str())
        })?;
        serde_json::from_str(raw).ok()
    }

    /// The field as `T`, or the caller's mistake.
    pub fn read<T: serde::Deserialize<'a>>(&self, name: &str, expected: &str) -> Result<Option<T>, Fault> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        serde_json::from_str(raw.get()).map(Some).map_err(|_| {
            invalid(BadRequest { message: format!("`{name}` must be {expected}"), param: Some(name.to_owned()) })
        })
    }
}
