//! Functions the model may call, and whether it must.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::chat::Fault;

use super::encode::Fields;

/// All functions stand in one tool: a second one is for tools of other kinds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tool<'a> {
    function_declarations: Vec<Declaration<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Declaration<'a> {
    name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'a, str>>,
    /// The caller's schema untouched. The older `parameters` answers 400 to `const`, `$schema`, `additionalProperties`.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<&'a RawValue>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolConfig<'a> {
    function_calling_config: Calling<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Calling<'a> {
    mode: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_function_names: Vec<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct CallersTool<'a> {
    #[serde(borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    description: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    parameters: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Choice<'a> {
    #[serde(borrow)]
    Mode(Cow<'a, str>),
    Named(Named<'a>),
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    function: Option<Name<'a>>,
    /// Of the older `function_call`.
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    allowed_tools: Option<AllowedTools<'a>>,
}

#[derive(Deserialize)]
struct Name<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct AllowedTools<'a> {
    #[serde(borrow)]
    mode: Cow<'a, str>,
    #[serde(borrow)]
    tools: Vec<AllowedTool<'a>>,
}

#[derive(Deserialize)]
struct AllowedTool<'a> {
    #[serde(borrow, default)]
    function: Option<Name<'a>>,
}

/// The functions of `tools` and of the older `functions`, with the caller's choice among them. Tools of other kinds are
/// another provider's own and are left out.
pub fn tools<'a>(fields: &Fields<'a>) -> Result<(Option<Tool<'a>>, Option<ToolConfig<'a>>), Fault> {
    let tools: Vec<CallersTool<'a>> = fields.read("tools", "a list of functions")?.unwrap_or_default();
    let functions: Vec<Function<'a>> = fields.read("functions", "a list of functions")?.unwrap_or_default();
    let functions = tools.into_iter().filter_map(|tool| tool.function).chain(functions);
    let function_declarations: Vec<Declaration<'a>> = functions.map(declaration).collect();
    // A choice without functions is a 400.
    if function_declarations.is_empty() {
        return Ok((None, None));
    }
    let expected = "`auto`, `none`, `required` or a named function";
    let choice: Option<Choice<'a>> = match fields.read("tool_choice", expected)? {
        Some(choice) => Some(choice),
        None => fields.read("function_call", expected)?,
    };
    let config = choice.and_then(calling).map(|calling| ToolConfig { function_calling_config: calling });
    Ok((Some(Tool { function_declarations }), config))
}

fn declaration(function: Function<'_>) -> Declaration<'_> {
    let parameters =
        function.parameters.filter(|parameters| parameters.get().starts_with('{') && parameters.get() != "{}");
    Declaration { name: function.name, description: function.description, parameters_json_schema: parameters }
}

/// `None` leaves the choice to the model, which is Google's own default.
fn calling(choice: Choice<'_>) -> Option<Calling<'_>> {
    let any = |names: Vec<_>| Some(Calling { mode: "ANY", allowed_function_names: names });
    match choice {
        Choice::Mode(mode) => match mode.as_ref() {
            "none" => Some(Calling { mode: "NONE", allowed_function_names: Vec::new() }),
            "required" | "any" => any(Vec::new()),
            _ => None,
        },
        Choice::Named(Named { function: Some(Name { name }), .. } | Named { name: Some(name), .. }) => any(vec![name]),
        Choice::Named(Named { allowed_tools: Some(allowed), .. }) if allowed.mode == "required" => {
            any(allowed.tools.into_iter().filter_map(|tool| Some(tool.function?.name)).collect())
        }
        Choice::Named(_) => None,
    }
}
