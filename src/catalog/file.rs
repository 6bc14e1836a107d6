//! A catalogue file as it was written: every key optional, so that an overlay can name only what it changes.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use crate::chat::{Features, Period, Scope};
use crate::dialect::{Dialect, Names, ToolIds};
use crate::quota::{Evidence, Kind, Limit, Source, UNIT, UnitPrice, Window};

use super::provider::{AccountLimit, AccountPage, ModelType, Page, Prefill, Scale, Status, Trains};
use super::reader::{Reader, json, number, plain_text};

const PERIODS: [(&str, Period); 5] = [
    ("second", Period::Second),
    ("minute", Period::Minute),
    ("hour", Period::Hour),
    ("day", Period::Day),
    ("month", Period::Month),
];

const SCOPES: [(&str, Scope); 3] = [("key", Scope::Key), ("ip", Scope::Ip), ("everyone", Scope::Everyone)];

/// One file's words about a provider.
#[derive(Debug, Clone, Default)]
pub struct ProviderFile {
    pub name: Option<String>,
    pub dialect: Option<Dialect>,
    pub base_url: Option<String>,
    pub key_env: Option<Vec<String>>,
    pub account_env: Option<Vec<String>>,
    pub status: Option<Status>,
    pub first_event: Option<Duration>,
    pub prefill: Option<Prefill>,
    pub terms: Option<String>,
    pub signup: Option<String>,
    pub card: Option<bool>,
    pub hard_stop: Option<bool>,
    pub trains: Option<Trains>,
    pub checked: Option<Date>,
    pub page: Option<Page>,
    pub account: Option<AccountPage>,
    /// Where those numbers come from that name no source of their own and do not stand on the page.
    pub evidence: Option<Arc<Evidence>>,
    pub enabled: Option<bool>,
    pub replace_models: Option<bool>,
    pub wire: WireFile,
    pub limits: Option<Vec<Limit>>,
    pub models: Vec<ModelFile>,
}

/// The `[wire]` table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WireFile {
    pub drop: Option<Vec<String>>,
    pub only: Option<Vec<String>>,
    pub rename: Option<Vec<(String, String)>>,
    pub defaults: Option<Vec<(String, String)>>,
    pub most: Option<Vec<(String, String)>>,
    pub efforts: Option<Vec<(String, String)>>,
    pub models: Option<String>,
    pub lists_all: Option<bool>,
    pub key_check: Option<String>,
    pub usage_at: Option<String>,
    pub error_at: Option<String>,
    pub requests_header: Option<Period>,
    pub stream_options: Option<bool>,
    pub developer: Option<bool>,
    pub names: Option<Names>,
    pub message_fields: Option<Vec<String>>,
    pub flatten: Option<bool>,
    pub null_content: Option<bool>,
    pub null_answers: Option<bool>,
    pub tool_ids: Option<ToolIds>,
    pub strict_order: Option<bool>,
    pub system_first: Option<bool>,
    pub tool_choices: Option<Vec<String>>,
    pub reasoning_field: Option<String>,
    pub no_answers: Option<Vec<String>>,
    pub without_reasoning: Option<Vec<(String, String)>>,
}

/// One `[[model]]`.
#[derive(Debug, Clone, Default)]
pub struct ModelFile {
    pub id: String,
    pub types: Option<Vec<ModelType>>,
    pub scale: Option<Scale>,
    pub context: Option<u64>,
    pub features: Option<Features>,
    pub unit_price: Option<UnitPrice>,
    pub limits: Option<Vec<Limit>>,
    /// What it wants otherwise than its provider's other models.
    pub wire: WireFile,
    /// Where its context was read.
    pub evidence: Option<Arc<Evidence>>,
    pub enabled: Option<bool>,
    /// An overlay gives its context, and no source of it.
    pub has_own_context: bool,
    /// Named in an overlay.
    pub is_chosen: bool,
}

/// Gives each named field of `base` the overlay's value where it has one.
macro_rules! overlay {
    ($base:expr, $over:expr, $($field:ident),+ $(,)?) => { $( if $over.$field.is_some() { $base.$field = $over.$field; } )+ };
}

impl ProviderFile {
    pub fn read(top: &mut Reader<'_>) -> Self {
        Self {
            name: top.text("name"),
            dialect: top.choice("dialect", &Dialect::NAMES),
            base_url: top.text("base_url"),
            key_env: top.texts("key_env"),
            account_env: top.texts("account_env"),
            status: top.choice("status", &Status::NAMES),
            first_event: top.time_out("first_event"),
            prefill: top.choice("prefill", &Prefill::NAMES),
            terms: top.text("terms"),
            signup: top.text("signup"),
            card: top.flag("card"),
            hard_stop: top.flag("hard_stop"),
            trains: top.choice("trains", &Trains::NAMES),
            checked: top.date("checked"),
            page: top.table("page", read_page).flatten(),
            account: top.table("account", read_account).flatten(),
            evidence: read_evidence(top),
            enabled: top.flag("enabled"),
            replace_models: top.flag("replace_models"),
            wire: top.table("wire", WireFile::read).unwrap_or_default(),
            limits: top
                .tables("limit", |limit| read_limit(limit, Scope::Key))
                .map(|limits| limits.into_iter().flatten().collect()),
            models: top.tables("model", ModelFile::read).unwrap_or_default().into_iter().flatten().collect(),
        }
    }

    /// Lays `over` upon this file: by field, models by id, an array replacing an array.
    pub fn merge(&mut self, over: Self) {
        if over.replace_models == Some(true) {
            self.models.retain(|model| over.models.iter().any(|named| named.id == model.id));
            self.limits = None;
        }
        overlay!(self, over, name, dialect, base_url, key_env, account_env, status, first_event, prefill);
        overlay!(self, over, terms, signup, card, hard_stop, trains, checked, page, account, evidence);
        overlay!(self, over, enabled, replace_models, limits);
        self.wire.merge(over.wire);
        for mut model in over.models {
            model.has_own_context = model.context.is_some() && model.evidence.is_none();
            match self.models.iter_mut().find(|known| known.id == model.id) {
                Some(known) => known.merge(model),
                None => self.models.push(model),
            }
        }
    }
}

impl WireFile {
    fn read(wire: &mut Reader<'_>) -> Self {
        Self {
            drop: wire.texts("drop"),
            only: wire.texts("only"),
            rename: wire.pairs("rename", "texts", plain_text),
            defaults: wire.pairs("defaults", "values", json),
            most: wire.pairs("most", "numbers", number),
            efforts: wire.pairs("efforts", "texts", plain_text),
            models: read_path(wire, "models"),
            lists_all: wire.flag("lists_all"),
            key_check: read_path(wire, "key_check"),
            usage_at: wire.text("usage_at"),
            error_at: wire.text("error_at"),
            requests_header: wire.choice("requests_header", &PERIODS),
            stream_options: wire.flag("stream_options"),
            developer: wire.flag("developer"),
            names: wire.choice("names", &Names::NAMES),
            message_fields: wire.texts("message_fields"),
            flatten: wire.flag("flatten"),
            null_content: wire.flag("null_content"),
            null_answers: wire.flag("null_answers"),
            tool_ids: wire.choice("tool_ids", &ToolIds::NAMES),
            strict_order: wire.flag("strict_order"),
            system_first: wire.flag("system_first"),
            tool_choices: wire.texts("tool_choices"),
            reasoning_field: wire.text("reasoning_field"),
            no_answers: wire.texts("no_answers"),
            without_reasoning: wire.pairs("without_reasoning", "values", json),
        }
    }

    /// Lays `over` upon this table.
    pub fn merge(&mut self, over: Self) {
        overlay!(self, over, drop, only, rename, defaults, models, usage_at, requests_header, stream_options);
        overlay!(self, over, developer, names, message_fields, flatten, null_content, tool_ids, strict_order);
        overlay!(self, over, reasoning_field, lists_all, key_check, system_first, tool_choices);
        overlay!(self, over, without_reasoning, most, efforts, null_answers, error_at, no_answers);
    }
}

impl ModelFile {
    fn read(model: &mut Reader<'_>) -> Option<Self> {
        let id = model.text("id").filter(|id| !id.is_empty());
        let read = Self {
            id: id.clone().unwrap_or_default(),
            types: model.choices("types", &ModelType::NAMES),
            scale: model.choice("scale", &Scale::NAMES),
            context: model.count("context"),
            features: read_features(model),
            unit_price: model.table("unit_price", read_unit_price).flatten(),
            limits: model
                .tables("limits", |limit| read_limit(limit, Scope::Model))
                .map(|limits| limits.into_iter().flatten().collect()),
            wire: model.table("wire", WireFile::read).unwrap_or_default(),
            evidence: read_evidence(model),
            enabled: model.flag("enabled"),
            has_own_context: false,
            is_chosen: false,
        };
        if id.is_none() {
            model.problem("id", "is missing", None);
        }
        id.map(|_| read)
    }

    fn merge(&mut self, over: Self) {
        overlay!(self, over, types, scale, context, features, unit_price, limits, evidence, enabled);
        self.wire.merge(over.wire);
        self.has_own_context |= over.has_own_context;
        self.is_chosen |= over.is_chosen;
    }
}

/// A path below the base URL: a key must not follow it to another host.
fn read_path(wire: &mut Reader<'_>, key: &'static str) -> Option<String> {
    let path = wire.text(key)?;
    let is_path = path.is_empty() || (path.starts_with('/') && !path.starts_with("//"));
    if !is_path {
        wire.problem(key, format_args!("is `{path}`; it must be a path below the base URL that begins with `/`"), None);
    }
    is_path.then_some(path)
}

fn read_page(page: &mut Reader<'_>) -> Option<Page> {
    let (url, markdown, tier) = (page.text("url"), page.text("markdown"), page.text("tier"));
    if url.is_none() {
        page.problem("url", "is missing", None);
    }
    Some(Page { url: url?, markdown, tier })
}

fn read_account(account: &mut Reader<'_>) -> Option<AccountPage> {
    let path = read_path(account, "path").filter(|path| !path.is_empty());
    let limits = account.tables("limits", |limit| {
        let at = limit.text("at").map(|at| at.split('.').map(str::to_owned).collect());
        let counts = limit.choice("counts", &[("requests", Kind::Requests), ("tokens", Kind::Tokens)]);
        let period = limit.choice("per", &PERIODS);
        for (key, there) in [("at", at.is_some()), ("counts", counts.is_some()), ("per", period.is_some())] {
            if !there && !limit.has(key) {
                limit.problem(key, "is missing", None);
            }
        }
        Some(AccountLimit { at: at?, kind: counts?, period: period? })
    });
    if path.is_none() && !account.has("path") {
        account.problem("path", "is missing", None);
    }
    Some(AccountPage { path: path?, limits: limits?.into_iter().flatten().collect() })
}

fn read_features(model: &mut Reader<'_>) -> Option<Features> {
    const NAMES: [(&str, &str); 6] = [
        ("tools", "tools"),
        ("json", "json"),
        ("schema", "schema"),
        ("vision", "vision"),
        ("audio", "audio"),
        ("reasoning", "reasoning"),
    ];
    let names = model.choices("features", &NAMES)?;
    let has = |name| names.contains(&name);
    Some(Features {
        tools: has("tools"),
        json: has("json") || has("schema"),
        schema: has("schema"),
        vision: has("vision"),
        audio: has("audio"),
        tool_choice: false,
        reasoning: has("reasoning"),
    })
}

fn read_unit_price(price: &mut Reader<'_>) -> Option<UnitPrice> {
    let (input, output) = (price.count("input"), price.count("output"));
    for (key, there) in [("input", input.is_some()), ("output", output.is_some())] {
        if !there && !price.has(key) {
            price.problem(key, "is missing", None);
        }
    }
    Some(UnitPrice { input: input?, output: output? })
}

fn read_limit(limit: &mut Reader<'_>, default_scope: Scope) -> Option<Limit> {
    let amount = read_amount(limit);
    let period = limit.choice("per", &PERIODS);
    if period.is_none() && !limit.has("per") {
        limit.problem("per", "is missing", None);
    }
    let scope = limit.choice("scope", &SCOPES).unwrap_or(default_scope);
    let source = limit.choice("source", &[("docs", Source::Docs), ("user", Source::User)]).unwrap_or(Source::Docs);
    let window = read_window(limit, period);
    limit.text("unit");
    let evidence = read_evidence(limit);
    let ((kind, amount), period, window) = (amount?, period?, window?);
    Some(Limit { kind, amount, period, window, scope, source, evidence })
}

fn read_evidence(reader: &mut Reader<'_>) -> Option<Arc<Evidence>> {
    let read = |evidence: &mut Reader<'_>| {
        let (url, at) = (evidence.text("url"), evidence.date("at"));
        let (quote, sha256) = (evidence.text("quote"), evidence.text("sha256"));
        let (tier, extractor, stale) = (evidence.text("tier"), evidence.text("extractor"), evidence.date("stale"));
        for (key, there) in [("url", url.is_some()), ("at", at.is_some())] {
            if !there && !evidence.has(key) {
                evidence.problem(key, "is missing", None);
            }
        }
        Some(Arc::new(Evidence { url: url?, at: at?, quote, sha256, tier, extractor, stale }))
    };
    reader.table("evidence", read).flatten()
}

fn read_amount(limit: &mut Reader<'_>) -> Option<(Kind, u64)> {
    let amounts = [
        (Kind::Requests, limit.count("requests")),
        (Kind::Tokens, limit.count("tokens")),
        (Kind::InputTokens, limit.count("input_tokens")),
        (Kind::Units, limit.count("units").map(|units| units.saturating_mul(UNIT))),
    ];
    let mut named = amounts.into_iter().filter_map(|(kind, amount)| Some((kind, amount?)));
    let (Some(amount), None) = (named.next(), named.next()) else {
        limit.problem("per", "needs exactly one of `requests`, `tokens`, `input_tokens`, `units` beside it", None);
        return None;
    };
    Some(amount)
}

fn read_window(limit: &mut Reader<'_>, period: Option<Period>) -> Option<Window> {
    let resets = limit.text("resets");
    let period = period?;
    let Some(turn) = resets else { return Some(Window::usual(period)) };
    if turn == "rolling" {
        return Some(Window::rolling(period));
    }
    let window = read_turn(&turn, period);
    if window.is_none() {
        let expected = "it must be \"rolling\" or a time and a zone such as \"00:00 America/Los_Angeles\"";
        limit.problem("resets", format_args!("is `{turn}`; {expected}"), None);
    }
    window
}

fn read_turn(text: &str, every: Period) -> Option<Window> {
    let (at, zone) = text.split_once(' ')?;
    let at = Time::strptime("%H:%M", at).ok()?;
    Some(Window::Calendar { every, at, zone: TimeZone::get(zone.trim()).ok()? })
}
