//! How far a run is, on a terminal: stage, rate and time left.

use std::fmt;
use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use retold::Progress;

/// A bar, hidden where nobody would see it.
pub fn bar(quiet: bool) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
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
