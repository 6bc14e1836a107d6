//! `relay usage reset`: forgets what was counted, and keeps the old file beside the new one.

use serde_json::json;

use super::super::exit::{Exit, Trouble};
use super::super::prompt::Prompt;
use super::super::setup;
use super::Call;

pub async fn run(yes: bool, call: Call<'_>) -> Result<(), Trouble> {
    let Call { global, environment, output, .. } = call;
    let state = setup::kept_state(global, environment, output).await?;
    let question = "Forget all counts, rests and the ledger? The providers keep counting";
    if !yes {
        let prompt = Prompt::new(global, environment, output)
            .ok_or_else(|| Trouble::new(Exit::Usage, "nothing is forgotten without --yes".to_owned()))?;
        if !prompt.confirm(question, false).await? {
            return Err(Trouble::new(Exit::Negative, "nothing was forgotten".to_owned()));
        }
    }
    let kept = setup::reset_state(&state)?;
    output.result(&if global.wants_json() {
        format!("{}\n", json!({ "schema": "relay.usage-reset/1", "kept": kept.display().to_string() }))
    } else {
        format!("forgotten; what was there is kept as {}\n", kept.display())
    })
}
