//! The sign of life while `relay ask` waits: which route is being asked, and for how long.

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::echo::Echo;
use crate::relay::OnAttempt;

/// A wait shorter than this needs no spinner.
const APPEARS_AFTER: Duration = Duration::from_millis(250);

/// Gone from the terminal when dropped.
pub struct Spinner(Option<(ProgressBar, Echo)>);

impl Spinner {
    /// One that appears after a moment, or none.
    #[expect(clippy::disallowed_methods, reason = "a quarter of a second of waiting, gone with the runtime")]
    pub fn start(is_wanted: bool) -> Self {
        if !is_wanted {
            return Self(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()).with_message("choosing a route");
        bar.set_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("a constant template"));
        let ticking = bar.clone();
        tokio::spawn(async move {
            tokio::time::sleep(APPEARS_AFTER).await;
            if !ticking.is_finished() {
                ticking.set_draw_target(ProgressDrawTarget::stderr());
                ticking.enable_steady_tick(Duration::from_millis(100));
            }
        });
        Self(Some((bar, Echo::without_signs())))
    }

    /// Names each route as it is tried.
    pub fn on_attempt(&self) -> Option<OnAttempt> {
        let bar = self.0.as_ref()?.0.clone();
        Some(Arc::new(move |route: &str| bar.set_message(route.to_owned())))
    }

    pub fn clear(&self) {
        if let Some((bar, _)) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.clear();
    }
}
