//! Makes a checked provider of a merged file, or says everything that is missing or senseless in it.

use std::sync::Arc;

use jiff::civil::Date;

use crate::dialect::Wire;
use crate::quota::{Evidence, Limit, Source};

use super::file::{ModelFile, ProviderFile, WireFile};
use super::infer;
use super::provider::{Model, Page, Prefill, Provider, Scale, Status, Trains};
use super::reader::{Problem, Problems};

/// The checked provider; `None` when something is wrong, which is then among the problems.
pub fn provider(id: &str, file: ProviderFile, place: &str, problems: &Problems) -> Option<Provider> {
    // What could not be read is not missing.
    let complaints = Complaints { id, place, problems, whole: !problems.is_about(id) };
    complaints.require_essentials(&file);
    let (dialect, base_url, status) = (file.dialect, file.base_url, file.status);
    let key_env = file.key_env.unwrap_or_default();
    let evidence = file.evidence.or_else(|| Some(page_as_evidence(file.page.as_ref()?, file.checked?)));
    let (models, left_out): (Vec<_>, Vec<_>) = file.models.into_iter().partition(|model| model.enabled != Some(false));
    let mut models: Vec<Model> = models.into_iter().filter_map(|model| complaints.model(model, &file.wire)).collect();
    let base_url = base_url.and_then(|url| complaints.base_url(&url, status));
    let mut limits = file.limits.unwrap_or_default();
    complaints.check_limits("limit", &limits);
    let numbers = limits.iter_mut().chain(models.iter_mut().flat_map(|model| &mut model.limits));
    give_evidence(numbers, evidence.as_ref());
    let provider = Provider {
        id: id.to_owned(),
        name: file.name.unwrap_or_else(|| id.to_owned()),
        dialect: dialect?,
        base_url: base_url?,
        key_env,
        account_env: file.account_env.unwrap_or_default(),
        status: status?,
        first_event: file.first_event,
        prefill: file.prefill.unwrap_or(Prefill::Instruction),
        terms: file.terms,
        signup: file.signup,
        card: file.card,
        hard_stop: file.hard_stop.unwrap_or(status == Some(Status::Local)),
        trains: file.trains.unwrap_or(Trains::Unknown),
        checked: file.checked,
        page: file.page,
        account: file.account,
        wire: wire(file.wire),
        limits,
        models,
        left_out: left_out.into_iter().map(|model| model.id).collect(),
    };
    Some(provider.with_tool_choice())
}

fn page_as_evidence(page: &Page, at: Date) -> Arc<Evidence> {
    Arc::new(Evidence {
        url: page.url.clone(),
        at,
        quote: None,
        sha256: None,
        tier: None,
        extractor: None,
        stale: None,
    })
}

/// Documented numbers that name no source of their own have the file's.
fn give_evidence<'a>(numbers: impl Iterator<Item = &'a mut Limit>, evidence: Option<&Arc<Evidence>>) {
    for limit in numbers.filter(|limit| limit.source == Source::Docs && limit.evidence.is_none()) {
        limit.evidence = evidence.cloned();
    }
}

fn wire(file: WireFile) -> Wire {
    let steps = |path: String| path.split('.').map(str::to_owned).collect();
    let usual = Wire::default();
    Wire {
        drop: file.drop.unwrap_or(usual.drop),
        only: file.only.unwrap_or(usual.only),
        rename: file.rename.unwrap_or(usual.rename),
        defaults: file.defaults.unwrap_or(usual.defaults),
        most: file.most.unwrap_or(usual.most),
        efforts: file.efforts.unwrap_or(usual.efforts),
        models: file.models.unwrap_or(usual.models),
        lists_all: file.lists_all.unwrap_or(usual.lists_all),
        key_check: file.key_check.or(usual.key_check),
        usage_at: file.usage_at.map_or(usual.usage_at, steps),
        error_at: file.error_at.map_or(usual.error_at, steps),
        requests_header: file.requests_header.unwrap_or(usual.requests_header),
        stream_options: file.stream_options.unwrap_or(usual.stream_options),
        developer: file.developer.unwrap_or(usual.developer),
        names: file.names.unwrap_or(usual.names),
        message_fields: file.message_fields.unwrap_or(usual.message_fields),
        flatten: file.flatten.unwrap_or(usual.flatten),
        null_content: file.null_content.unwrap_or(usual.null_content),
        null_answers: file.null_answers.unwrap_or(usual.null_answers),
        tool_ids: file.tool_ids.unwrap_or(usual.tool_ids),
        strict_order: file.strict_order.unwrap_or(usual.strict_order),
        system_first: file.system_first.unwrap_or(usual.system_first),
        tool_choices: file.tool_choices.or(usual.tool_choices),
        reasoning_field: file.reasoning_field.or(usual.reasoning_field),
        no_answers: file.no_answers.unwrap_or(usual.no_answers),
        without_reasoning: file.without_reasoning.unwrap_or(usual.without_reasoning),
    }
}

/// Base URLs are https unless they stay on this machine, or no key goes there.
pub fn check_base_url(url: &str, keyless: bool) -> Result<(), String> {
    let parsed: http::Uri = url.replace("{account_id}", "x").parse().map_err(|error| format!("is no URL: {error}"))?;
    let Some(host) = parsed.host() else { return Err("names no host".to_owned()) };
    if parsed.query().is_some() {
        return Err("must not have a query".to_owned());
    }
    match parsed.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_loopback(host) || keyless => Ok(()),
        Some("http") => Err(format!("must be https: a key would travel to `{host}` unprotected")),
        _ => Err("must start with https://".to_owned()),
    }
}

/// Whether what is sent to this URL stays on this machine.
pub fn stays_here(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|url| url.host().is_some_and(is_loopback))
}

/// Whether a URL's host is this machine.
pub fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

struct Complaints<'a> {
    id: &'a str,
    place: &'a str,
    problems: &'a Problems,
    /// Everything in the file could be read.
    whole: bool,
}

impl Complaints<'_> {
    fn say(&self, message: String) {
        let provider = Some(self.id.to_owned());
        self.problems.add(Problem { file: self.place.to_owned(), line: None, message, hint: None, provider });
    }

    fn require(&self, there: bool, key: &str) {
        if !there && self.whole {
            self.say(format!("`{key}` is missing"));
        }
    }

    fn require_essentials(&self, file: &ProviderFile) {
        self.require(file.dialect.is_some(), "dialect");
        self.require(file.base_url.is_some(), "base_url");
        self.require(file.status.is_some(), "status");
        let has_no_key = file.key_env.as_ref().is_none_or(Vec::is_empty);
        if has_no_key && !matches!(file.status, Some(Status::Local | Status::Keyless) | None) {
            self.say("`key_env` is missing; it names the environment variables that may hold the key".to_owned());
        }
    }

    fn base_url(&self, url: &str, status: Option<Status>) -> Option<String> {
        let url = url.trim_end_matches('/');
        match check_base_url(url, status == Some(Status::Local)) {
            Ok(()) => Some(url.to_owned()),
            Err(message) => {
                self.say(format!("`base_url` {message}"));
                None
            }
        }
    }

    fn model(&self, file: ModelFile, of_all: &WireFile) -> Option<Model> {
        let id = file.id;
        let Some(context) = file.context.filter(|context| *context > 0) else {
            self.say(format!("model `{id}`: `context` is missing"));
            return None;
        };
        // Where neither its file nor its name tells, it is taken for one in between.
        let scale = file.scale.or_else(|| infer::scale(&id)).unwrap_or(Scale::Medium);
        let limits = file.limits.unwrap_or_default();
        self.check_limits(&id, &limits);
        let types = file.types.filter(|types| !types.is_empty()).unwrap_or_else(|| infer::types(&id));
        let features = file.features.unwrap_or_default();
        let own = (file.wire != WireFile::default()).then(|| {
            let mut merged = of_all.clone();
            merged.merge(file.wire);
            Arc::new(wire(merged))
        });
        Some(Model {
            id,
            types,
            scale,
            context,
            features,
            unit_price: file.unit_price,
            limits,
            wire: own,
            has_own_context: file.has_own_context,
            is_chosen: file.is_chosen,
        })
    }

    /// Of one kind and scope, a longer period must not allow less than a shorter one.
    fn check_limits(&self, of: &str, limits: &[Limit]) {
        for short in limits {
            for long in limits {
                let comparable = short.kind == long.kind && short.scope == long.scope && short.period < long.period;
                if comparable && short.amount > long.amount {
                    self.say(format!(
                        "`{of}`: {} {} allows more than {} {}",
                        short.amount,
                        short.label(),
                        long.amount,
                        long.label()
                    ));
                }
            }
        }
    }
}
