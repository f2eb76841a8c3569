//! The options that say what a copy is, for all that looks for copies.

use clap::ValueEnum;
use retold::{Detector, DetectorBuilder};

use crate::html::Settings;

#[derive(clap::Args)]
#[command(next_help_heading = "Search")]
pub struct Search {
    /// Which copies to look for
    #[arg(long, value_enum, default_value_t = Level::Reworded)]
    level: Level,

    /// Edited copies: the least share of phrases in common, more than 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, allow_negative_numbers = true)]
    threshold: f64,

    /// Reworded copies: the least confidence, more than 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, allow_negative_numbers = true)]
    confidence: f64,

    /// Skip texts of fewer words; never fewer than 3
    #[arg(long, value_name = "N", default_value_t = 3)]
    min_words: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Level {
    /// Exact and edited copies
    Near,
    /// Reworded copies as well
    Reworded,
}

impl Search {
    pub fn settings(&self) -> Settings {
        let level = match self.level {
            Level::Near => retold::Level::Near,
            Level::Reworded => retold::Level::Reworded,
        };
        Settings { level, threshold: self.threshold, confidence: self.confidence, min_words: self.min_words }
    }

    pub fn detector(&self) -> DetectorBuilder {
        let Settings { level, threshold, confidence, min_words } = self.settings();
        Detector::builder().level(level).threshold(threshold).confidence(confidence).min_words(min_words)
    }
}
