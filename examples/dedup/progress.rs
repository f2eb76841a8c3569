//! How far a run is: on a terminal stage, rate and time left, or for programs a line of JSON now and then.

use std::fmt;
use std::io::{self, IsTerminal};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use clap::ValueEnum;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use retold::Progress;
use serde_json::json;

use crate::output;

/// How progress is reported.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reporting {
    /// A bar, if standard error is a terminal
    Auto,
    /// JSON lines on standard error, at most two a second
    Jsonl,
    /// Not at all
    None,
}

/// A bar, hidden where nobody would see it.
pub fn bar(quiet: bool) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Writes where a hidden bar stands as JSON lines, until dropped; then once more.
pub struct Lines {
    stop: mpsc::Sender<()>,
    writer: Option<JoinHandle<()>>,
}

impl Lines {
    pub fn of(bar: &ProgressBar) -> Self {
        const PAUSE: Duration = Duration::from_millis(500);
        let (stop, stopped) = mpsc::channel();
        let bar = bar.clone();
        let writer = std::thread::spawn(move || {
            let mut last = None;
            loop {
                let is_last = stopped.recv_timeout(PAUSE) != Err(mpsc::RecvTimeoutError::Timeout);
                let now = (bar.message(), bar.position(), bar.length().filter(|&length| length > 0));
                if last.as_ref() != Some(&now) {
                    let (stage, done, total) = &now;
                    let line = json!({"type": "progress", "stage": stage, "done": done, "total": total});
                    // It is no reason to stop if nobody can read it.
                    let _ = output::write_line(&mut io::stderr(), &line);
                    last = Some(now);
                }
                if is_last {
                    break;
                }
            }
        });
        Self { stop, writer: Some(writer) }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // It has stopped already if it does not listen.
        let _ = self.stop.send(());
        self.writer.take().map(JoinHandle::join);
    }
}

/// Shows bytes of the input from now on; how many there are may not be known.
pub fn show_bytes(bar: &ProgressBar, stage: &'static str, bytes: Option<u64>) {
    let style = match bytes {
        Some(_) => {
            "{spinner} {msg:<10} {wide_bar} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left"
        }
        None => "{spinner} {msg:<10} {decimal_bytes}, {decimal_bytes_per_sec}",
    };
    bar.reset();
    bar.set_length(bytes.unwrap_or(0));
    bar.set_message(stage);
    bar.set_style(ProgressStyle::with_template(style).expect("a fixed template"));
}

/// Shows articles and the stage that the detector tells from now on.
pub fn show_articles(bar: &ProgressBar) {
    let template = "{spinner} {msg:<10} {wide_bar} {human_pos} of {human_len}, {rate}, {eta} left";
    let rate = |state: &ProgressState, to: &mut dyn fmt::Write| {
        // Whoever shows it has nobody to tell.
        let _ = write!(to, "{}/s", HumanCount(state.per_sec() as u64));
    };
    bar.reset();
    bar.set_length(0);
    bar.set_style(ProgressStyle::with_template(template).expect("a fixed template").with_key("rate", rate));
}

/// Shows on a bar how far a detection is.
pub fn shown_on(bar: &ProgressBar) -> impl Fn(Progress) + Send + Sync + 'static {
    let bar = bar.clone();
    move |progress| {
        if progress.done == 0 {
            bar.reset();
            bar.set_message(progress.stage.to_string());
        }
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
    }
}
