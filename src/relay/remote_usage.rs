//! The usage that a running gateway tells of.

use std::time::Duration;

use crate::chat::ErrorKind;
use crate::upstream::Fetcher;

use super::UsageReport;
use super::remote::{Refused, Remote, START_IT, refused};

/// A gateway reads a file at most.
const ANSWER_TIME: Duration = Duration::from_secs(10);

impl Remote {
    /// What the gateway counts, since midnight or for this long.
    pub async fn usage(&self, since: Option<Duration>) -> Result<UsageReport, Refused> {
        let query = since.map(|span| format!("?since={}s", span.as_secs())).unwrap_or_default();
        let url = format!("{}{query}", self.used);
        let answer = Fetcher::new(&self.network).get(&url, self.credential.clone(), ANSWER_TIME).await;
        let answer = answer.map_err(|error| {
            let message = format!("the gateway at {} gives no answer: {error}", self.authority());
            Refused { hint: Some(START_IT.to_owned()), ..Refused::of(ErrorKind::Unavailable, message) }
        })?;
        if answer.status != 200 {
            return Err(refused(Some(answer.status), &answer.body));
        }
        serde_json::from_slice(&answer.body)
            .map(|report| UsageReport { as_of: self.clock.now(), ..report })
            .map_err(|error| Refused::of(ErrorKind::Unavailable, format!("its usage cannot be read: {error}")))
    }
}
