//! The usage that a running gateway tells of.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use crate::dialect::Dialect;
use crate::upstream::{Fetcher, Key, Network};

use super::UsageReport;

/// A gateway reads a file at most.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// The report of the gateway at `url`, with or without the `/v1` of its base URL.
pub async fn usage_via(
    url: &str,
    key: Option<String>,
    network: &Network,
    since: Option<Duration>,
    now: Timestamp,
) -> Result<UsageReport, String> {
    let base = url.trim_end_matches('/');
    let base = base.strip_suffix("/v1").unwrap_or(base);
    let query = since.map(|span| format!("?since={}s", span.as_secs())).unwrap_or_default();
    let credential = key
        .map(|key| Key { secret: SecretString::from(key), origin: "RELAY_API_KEY".to_owned() }.header(Dialect::OpenAi));
    let answer = Fetcher::new(network).get(&format!("{base}/v1/usage{query}"), credential, ANSWER_TIME).await;
    let answer = answer.map_err(|error| error.to_string())?;
    match answer.status {
        200 => serde_json::from_slice(&answer.body)
            .map(|report| UsageReport { as_of: now, ..report })
            .map_err(|error| format!("its usage cannot be read: {error}")),
        401 => Err("it wants its own key in RELAY_API_KEY".to_owned()),
        status => Err(format!("HTTP {status}")),
    }
}
