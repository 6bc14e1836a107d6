//! What a person sees while models are asked: a bar, and whom it waits for.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::super::echo::Echo;
use super::super::output::Output;
use super::super::table::counted;

/// Models of a provider that are still to be asked, and the pause between two of them.
type Waiting = (String, usize, Duration);

/// Drawn on a terminal, one line elsewhere; gone when dropped.
pub struct Progress {
    bars: Option<(MultiProgress, ProgressBar, ProgressBar)>,
    waiting: RefCell<Vec<Waiting>>,
    /// Dropped after the bars.
    _echo: Option<Echo>,
}

impl Progress {
    pub fn new(waiting: Vec<Waiting>, output: Output) -> Self {
        let models: usize = waiting.iter().map(|(_, models, _)| models).sum();
        let title = format!("Probing {}, {}", counted(models, "model"), counted(waiting.len(), "provider"));
        let bars = output.progress.then(|| {
            let all = MultiProgress::new();
            let bar = all.add(ProgressBar::new(models as u64).with_message(title.clone()));
            let style = ProgressStyle::with_template("{msg}   {bar:24}  {pos}/{len}  {elapsed}");
            bar.set_style(style.expect("a constant template").progress_chars("━╸─"));
            let line = all.add(ProgressBar::new_spinner());
            line.set_style(ProgressStyle::with_template("  waiting on  {wide_msg}").expect("a constant template"));
            bar.enable_steady_tick(Duration::from_millis(100));
            (all, bar, line)
        });
        if bars.is_none() {
            output.notice(&title);
        }
        let echo = bars.is_some().then(Echo::without_signs);
        let progress = Self { bars, waiting: RefCell::new(waiting), _echo: echo };
        progress.tell();
        progress
    }

    /// One more model of this provider has been asked.
    pub fn done(&self, provider: &str) {
        for (_, left, _) in self.waiting.borrow_mut().iter_mut().filter(|(id, ..)| id == provider) {
            *left = left.saturating_sub(1);
        }
        if let Some((_, bar, _)) = &self.bars {
            bar.inc(1);
        }
        self.tell();
    }

    fn tell(&self) {
        let Some((_, _, line)) = &self.bars else { return };
        let mut text = String::new();
        for (provider, left, gap) in self.waiting.borrow().iter().filter(|(_, left, _)| *left > 0) {
            // A String takes all text.
            _ = write!(text, "{provider} {left}");
            if !gap.is_zero() {
                _ = write!(text, " ({}/s)", (1.1 / gap.as_secs_f64()).round());
            }
            text.push_str("   ");
        }
        line.set_message(text);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((all, bar, line)) = &self.bars {
            bar.finish_and_clear();
            line.finish_and_clear();
            // Where stderr is gone there is nothing left to clear.
            drop(all.clear());
        }
    }
}
