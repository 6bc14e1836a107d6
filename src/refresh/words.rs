//! The words that limits are documented with: the one table in which a new synonym belongs.

mod titles;

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::chat::Period;

pub use titles::{
    asks_for_limits, is_date, is_elsewhere, is_error_title, is_general, is_header_name, is_introduction, is_no_name,
    is_of_another_time, is_of_others, is_part_of_docs, is_provided, is_rest, names_something, says_error, says_gone,
};

/// What a documented limit counts. Only the first two are limits that relay keeps; the others are told apart from them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counted {
    Requests,
    Tokens,
    InputTokens,
    OutputTokens,
    AudioSeconds,
    Characters,
    Images,
    Inputs,
    Pages,
    BatchRequests,
    Sessions,
    /// Requests under way at the same time: no period belongs to it.
    Concurrent,
    /// The size of one request: no period belongs to it.
    TokensPerRequest,
}

impl Counted {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::AudioSeconds => "audio_seconds",
            Self::Characters => "characters",
            Self::Images => "images",
            Self::Inputs => "inputs",
            Self::Pages => "pages",
            Self::BatchRequests => "batch_requests",
            Self::Sessions => "concurrent_sessions",
            Self::Concurrent => "concurrent_requests",
            Self::TokensPerRequest => "tokens_per_request",
        }
    }

    /// Whether it is counted at an instant or for one request, not over a time.
    pub const fn is_without_period(self) -> bool {
        matches!(self, Self::Sessions | Self::Concurrent | Self::TokensPerRequest)
    }
}

/// What one word says about a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Counts(Counted),
    Per(Period),
    /// An abbreviation of both, such as RPM.
    Rate(Counted, Period),
    /// The name of a plan wherever it stands: free, developer.
    Tier,
    /// The name of a plan only beside a word that says so: "production keys", "standard plan".
    MaybeTier,
    /// A word that says a plan is spoken of: tier, plan, keys.
    TierNoun,
    /// It changes nothing: rate, limit, the.
    Filler,
}

/// What one word in lower case says; `None` for every word that is not about limits.
pub fn word(text: &str) -> Option<Word> {
    KNOWN.get(text).copied()
}

/// Every word is looked up many times on a page.
static KNOWN: LazyLock<HashMap<&str, Word>> = LazyLock::new(|| {
    let known = WORDS.iter().flat_map(|(word, words)| words.split_ascii_whitespace().map(move |text| (text, *word)));
    known.collect()
});

/// Several words with one meaning, and the one word they become.
pub const PHRASES: &[(&str, &str)] = &[
    ("audio seconds", "audioseconds"),
    ("input tokens", "inputtokens"),
    ("prompt tokens", "inputtokens"),
    ("input tpm", "itpm"),
    ("output tokens", "outputtokens"),
    ("completion tokens", "outputtokens"),
    ("output tpm", "otpm"),
    ("tokens per request", "tokensperrequest"),
    ("tokens request", "tokensperrequest"),
    ("concurrent requests", "concurrency"),
    ("parallel requests", "concurrency"),
    ("simultaneous requests", "concurrency"),
    ("concurrent connections", "concurrency"),
    ("requests in flight", "concurrency"),
    ("concurrent sessions", "sessions"),
    ("pay as you go", "payg"),
    ("on demand", "ondemand"),
    ("api key", "apikey"),
    ("api keys", "keys"),
    ("api calls", "calls"),
    ("api call", "calls"),
    ("api requests", "requests"),
    ("http requests", "requests"),
    ("rate limit", "limit"),
    ("rate limits", "limits"),
    ("batch requests", "batchrequests"),
    // "per" of other languages; German's would else be the name of a plan.
    ("pro sekunde", "secondly"),
    ("pro minute", "minutely"),
    ("pro stunde", "hourly"),
    ("pro tag", "daily"),
    ("pro monat", "monthly"),
    ("par seconde", "secondly"),
    ("par minute", "minutely"),
    ("par heure", "hourly"),
    ("par jour", "daily"),
    ("par mois", "monthly"),
    ("por segundo", "secondly"),
    ("por minuto", "minutely"),
    ("por hora", "hourly"),
    ("por día", "daily"),
    ("por dia", "daily"),
    ("por mes", "monthly"),
    ("por mês", "monthly"),
];

const WORDS: &[(Word, &str)] = &[
    (
        Word::Counts(Counted::Requests),
        "requests request req reqs queries query calls call invocations anfragen anfrage requêtes requête solicitudes \
        solicitud peticiones solicitações 请求 请求数 请求次数 請求 リクエスト リクエスト数",
    ),
    (Word::Counts(Counted::Tokens), "tokens token tok toks jetons jeton 令牌 令牌数 トークン トークン数"),
    (Word::Counts(Counted::InputTokens), "inputtokens"),
    (Word::Counts(Counted::OutputTokens), "outputtokens"),
    (Word::Counts(Counted::AudioSeconds), "audioseconds"),
    (Word::Counts(Counted::Characters), "characters character chars"),
    (Word::Counts(Counted::Images), "images image"),
    (Word::Counts(Counted::Inputs), "inputs input"),
    (Word::Counts(Counted::Pages), "pages"),
    (Word::Counts(Counted::Sessions), "sessions session"),
    (Word::Counts(Counted::BatchRequests), "batchrequests"),
    (Word::Counts(Counted::Concurrent), "concurrency"),
    (Word::Counts(Counted::TokensPerRequest), "tokensperrequest"),
    (Word::Per(Period::Second), "second seconds sec s secondly 秒 每秒"),
    (Word::Per(Period::Minute), "minute minutes min mins minutely 分 分钟 每分钟 dakika dk"),
    (Word::Per(Period::Hour), "hour hours hr h hourly 小时 每小时 時間 saat"),
    (Word::Per(Period::Day), "day days d daily 日 天 每天 每日 gün"),
    (Word::Per(Period::Month), "month months mo monthly"),
    (Word::Rate(Counted::Requests, Period::Second), "rps qps"),
    (Word::Rate(Counted::Requests, Period::Minute), "rpm qpm 每分钟请求数 每分钟请求次数 每分鐘請求數"),
    (Word::Rate(Counted::Requests, Period::Hour), "rph qph"),
    (Word::Rate(Counted::Requests, Period::Day), "rpd qpd 每日请求数 每天请求数 每日请求次数 每天请求次数 每日請求數"),
    (Word::Rate(Counted::Tokens, Period::Second), "tps"),
    (Word::Rate(Counted::Tokens, Period::Minute), "tpm 每分钟令牌数 每分钟token数 每分钟tokens数"),
    (Word::Rate(Counted::Tokens, Period::Hour), "tph"),
    (Word::Rate(Counted::Tokens, Period::Day), "tpd 每日令牌数 每日token数 每天token数"),
    (Word::Rate(Counted::InputTokens, Period::Minute), "itpm"),
    (Word::Rate(Counted::InputTokens, Period::Day), "itpd"),
    (Word::Rate(Counted::OutputTokens, Period::Minute), "otpm"),
    (Word::Rate(Counted::OutputTokens, Period::Day), "otpd"),
    (Word::Rate(Counted::AudioSeconds, Period::Hour), "ash"),
    (Word::Rate(Counted::AudioSeconds, Period::Day), "asd"),
    (Word::Rate(Counted::Images, Period::Minute), "ipm"),
    (Word::Rate(Counted::Images, Period::Day), "ipd"),
    (
        Word::Tier,
        "free trial developer dev pro paid unpaid enterprise business team teams hobby starter premium \
        evaluation anonymous unauthenticated authenticated registered unregistered payg community individual \
        sandbox",
    ),
    (
        Word::MaybeTier,
        "standard production prod basic scale build plus ultra lite personal growth launch \
        experiment experimental ondemand student students advanced professional startup essential verified \
        unverified",
    ),
    (Word::TierNoun, "tier tiers plan plans level keys apikey mode accounts users customers"),
    (
        Word::Filler,
        "rate rates limit limits cap caps quota quotas max maximum allowed allowance number of the per a an \
        each every in for by and usage default account user key org organization organisation project model \
        models ip workspace api our your current overview all total 数 次数 limitation limitations specification specifications",
    ),
];

/// What a column is for, by its whole header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    Model,
    /// The model as requests name it; preferred where a display name stands beside it.
    ModelId,
    /// A task, an endpoint: its limits are no model's own.
    Task,
    Tier,
    /// The cells below name what is counted.
    Metric,
    /// The cells below are the numbers of what another cell of the row names.
    Value,
    Context,
}

pub fn column(header: &str) -> Option<Column> {
    let known = COLUMNS.iter().find(|(_, headers)| is_one_of(headers, header)).map(|(column, _)| *column);
    known.or_else(|| is_kind_of_tier(header).then_some(Column::Tier))
}

/// "Copilot tier", "subscription plan": a column of plans, where "free tier" is one of them.
fn is_kind_of_tier(header: &str) -> bool {
    let Some(kind) = header.strip_suffix(" tier").or_else(|| header.strip_suffix(" plan")) else { return false };
    kind.split(' ').count() <= 2 && kind.split(' ').all(|own| word(own).is_none())
}

const COLUMNS: &[(Column, &str)] = &[
    (
        Column::Model,
        "model|models|model name|name|model family|model variant|available models|llm|model s|\
        supported model|supported models|language model|engine|deployment|model type|modell|modelle|modèle|modèles|\
        modelo|modelos|modello|modelli|模型|模型名称|模型名稱|モデル|모델",
    ),
    (
        Column::ModelId,
        "model id|model ids|id|api model|api model id|model string|model code|api id|api name|\
        model identifier|model slug|slug|api model name|model id for api|モデルid|模型id|模型 id",
    ),
    (
        Column::Task,
        "endpoint|endpoints|api|api endpoint|service|task|task type|operation|method|feature|product|\
        capability|resource|modality",
    ),
    (
        Column::Tier,
        "tier|plan|plan name|credits purchased|credits purchased all time|purchased credits|lifetime credits|usage tier|rate limit tier|account type|key type|level|subscription|\
        user type|account|access|plan tier|api key type|tier name|account tier|user tier|pricing tier|rate tier|\
        service tier|customer type",
    ),
    (
        Column::Metric,
        "metric|limit type|rate limits|rate limit type|type|quota type|measure|dimension|unit|\
        parameter",
    ),
    (Column::Value, "value|limit|limits|rate limit|quota|amount|default|default limit|maximum|max"),
    (
        Column::Context,
        "context|context window|context length|context size|context window tokens|\
        context length tokens|max context|max context length|max context window|maximum context|\
        maximum context length|context limit|context tokens|ctx|max input tokens|input context|\
        context window size",
    ),
];

/// Whether a column with this header names something that has limits in its rows and is no model: a response's headers,
/// a refusal's codes.
pub fn is_bait(header: &str) -> bool {
    const HEADERS: &str = "header|headers|header name|http header|response header|response headers|status|\
        status code|code|error|error code|http status|http status code|field";
    is_one_of(HEADERS, header)
}

/// Whether a header, a caption or a row's label says that its numbers are multiples: "in thousands", "TPM (K)".
pub fn is_scaled(text: &str) -> bool {
    const SCALES: &str = "thousand|thousands|million|millions|billion|billions|k|m|000s|1000s|x1000|×1000|mn|tsd|tausend|\
        mio|millionen|milliers|miles|millones|milhares|千|万|百万";
    // "Tier 2 (1,000 credits)" is no multiple.
    const PARTS: &str = "in 1000|in 1,000|in 1k|in 1m|x 1000|x 1,000|* 1000|* 1,000|× 1000|× 1,000|(1000)|(1,000)|(000)|\
        ('000)|(’000)|(1k)|(1m)|(1k tok|(1000 tok|(1,000 tok|(1m tok|(1k req|(1000 req|(1,000 req|per 1000|per 1,000|per 1k";
    let text = text.to_lowercase();
    text.split(|c: char| !c.is_alphanumeric() && c != '×').any(|word| is_one_of(SCALES, word))
        || PARTS.split('|').any(|part| text.contains(part))
}

/// Whether a heading or a sentence says so of the numbers around it: "All token limits are in thousands."
pub fn says_scaled(text: &str) -> bool {
    const SCALES: &str = "in thousands|in millions|in billions|in 1000|in 1,000|in k|in m|in tausend|in millionen|en milliers|\
        en miles|(thousands)|(millions)|(000)|('000)|×1000|×1,000|× 1000|× 1,000|x1000|x1,000|unit: thousand|unit: k|\
        unit: million|units of 1000|units of 1,000|units of a thousand|units of thousand";
    const NUMBERS: &str = "limit|limits|token|tokens|number|numbers|value|values|figure|figures|amount|amounts|quota|\
        quotas|tpm|tpd|rpm|rpd|request|requests";
    let text = text.to_lowercase();
    let ends = |at: usize| {
        let after = &text[at..];
        !after.starts_with(|c: char| c.is_alphanumeric())
            && (!after.starts_with(" of ") || after.starts_with(" of tok"))
    };
    let begins = |at: usize| !text[..at].ends_with(char::is_alphanumeric);
    let says = |scale: &str| text.match_indices(scale).any(|(at, _)| begins(at) && ends(at + scale.len()));
    let has_word = |list| text.split(|c: char| !c.is_alphanumeric()).any(|word| is_one_of(list, word));
    let is_multiplied = || has_word("multiply|multiplied") && ["1000", "1,000"].iter().any(|by| text.contains(by));
    // "All limits are per 5 minutes."
    let is_of_many = || text.split("are per ").skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    (SCALES.split('|').any(says) || is_multiplied() || is_of_many()) && has_word(NUMBERS)
}

/// Whether a text says what is counted, or over which time: "requests", "RPM", "a day".
pub fn says_count(text: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.starts_with(char::is_alphabetic));
    words.any(|own| matches!(word(&own.to_lowercase()), Some(Word::Counts(_) | Word::Per(_) | Word::Rate(..))))
}

/// Whether a text speaks of money: "$/M", "USD per million".
pub fn names_money(text: &str) -> bool {
    const CURRENCIES: &str = "usd|eur|gbp|cny|rmb|jpy|price|prices|cost|costs";
    text.contains(['$', '€', '£', '¥'])
        || text.split(|c: char| !c.is_alphanumeric()).any(|word| is_one_of(CURRENCIES, &word.to_lowercase()))
}

/// Whether a list with `|` between its texts has this one.
pub fn is_one_of(list: &str, text: &str) -> bool {
    list.split('|').any(|known| known == text)
}

/// A cell that publishes no number. It means unknown, never zero and never unlimited.
pub fn is_unpublished(text: &str) -> bool {
    const WHOLE: &str = "|-|--|---|–|—|―|−|*|**|***|?|…|n/a|n.a.|na|not applicable|not available|not published|\
        not specified|not supported|unavailable|none|null|nil|unlimited|no limit|no limits|∞|infinite|tbd|tba|\
        contactsales|custom|varies|variable|dynamic|coming soon|unknown|x|✓|✔|✗|✘|✅|❌|yes|no|unmetered|\
        not limited";
    const BEGINS: &str = "unlimited (|no limit (|contact |see |ask |talk to |custom |varies |get in touch";
    let text = text.to_lowercase();
    let text = text.trim();
    let text = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(text);
    is_one_of(WHOLE, text) || BEGINS.split('|').any(|begin| text.starts_with(begin))
}

/// What a cell answers that says whether a plan has a model; a limit it is not.
pub fn answer(text: &str) -> Option<bool> {
    let text = text.trim().to_lowercase();
    let is_no = is_one_of("x|✗|✘|❌|☒|no|not available|unavailable|not included", &text);
    (is_no || is_one_of("✓|✔|✅|☑|yes|available|included", &text)).then_some(!is_no)
}

/// What somebody limits that is no chat: a limit on it is not the account's.
pub fn task(text: &str) -> Option<&str> {
    const TASKS: &str = "batch|batches|image|images|embedding|embeddings|audio|speech|transcription|transcriptions|file|\
        files|upload|uploads|realtime|video|videos|moderation|moderations|rerank|reranking|reranker|search|webhook|webhooks|\
        playground|login|dashboard|tuning|finetuning|summarization|summarisation|translation|translations|classification|\
        detection|recognition|segmentation|captioning|ocr|tts|stt|asr|voice|music|vision|extraction|parsing|crawling|\
        scraping|assistant|assistants|agent|agents|thread|threads|vector|storage|retrieval|grounding|clustering|generation|\
        training|signup|signups|invite|invites|export|exports";
    text.split(|c: char| !c.is_alphanumeric()).find(|word| is_one_of(TASKS, word))
}

/// Whether a text says that the numbers beside it are made up.
pub fn says_invented(text: &str) -> bool {
    let text = text.to_lowercase();
    let plain = text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '.' | '’'));
    let plain = plain.map(|word| word.trim_end_matches('.')).collect::<Vec<_>>().join(" ");
    let is_word = |at: usize, known: &str| {
        (at == 0 || plain[..at].ends_with(' ')) && matches!(plain[at + known.len()..].chars().next(), None | Some(' '))
    };
    INVENTED.split('|').any(|known| plain.match_indices(known).any(|(at, _)| is_word(at, known)))
}

/// Words that numbers are made up.
pub const INVENTED: &str = "suppose|imagine|assume|assuming|hypothetical|illustrative|pretend|let's say|let’s say|made up|invented|\
    fictional|fictitious|imaginary|placeholder|placeholders|dummy|mock|illustration";

/// Words after which a number is an example, a wish or a threat, and no limit.
pub const HYPOTHETICAL: &str = "example|examples|e.g.|eg|say|instance|would|could|previously|formerly|was|were|used|until|request an|request a limit|request a quota|request a rate|\
        ask for|asked for|apply for|applied for|typically|usually|\
        approximately|roughly|about|around|average|recommend|recommended|should|not|no longer|increase to|\
        more than|exceed|exceeds|exceeding|over|in our tests|benchmark|benchmarks|observed|\
        will be|starting|beginning|effective|upcoming|soon|planned|from january|from february|from march|from april|\
        from may|from june|from july|from august|from september|from october|from november|from december|ignore|\
        disregard|override|raise|raising|lower|set the|change the|bump";

/// Those of them that say nothing about the next sentence: "Limits apply per organization, not per key."
pub fn ends_with_sentence(known: &str, sentence: &str) -> bool {
    match known {
        "not" => !sentence.replace("not per ", "").split(' ').any(|word| word == "not"),
        "used" => !sentence.contains("used to"),
        _ => is_one_of("about|over|exceed|exceeds|exceeding", known),
    }
}
