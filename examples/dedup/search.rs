//! The options that define what a copy is, shared by all commands that search.

use std::path::PathBuf;

use clap::ValueEnum;
use retold::{ArchiveReader, Bands, Detector, DetectorBuilder, Excerpts};

/// With what options copies are looked for.
pub struct Settings {
    pub level: retold::Level,
    pub threshold: f64,
    pub containment: f64,
    pub confidence: f64,
    pub min_words: usize,
    /// How texts meet that may be edited copies.
    pub bands: Bands,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Search")]
pub struct Search {
    /// Which copies to look for
    #[arg(long, value_enum, default_value_t = Level::Reworded)]
    level: Level,

    /// Edited copies: the minimum share of phrases in common, above 0 and up to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, allow_negative_numbers = true)]
    threshold: f64,

    /// Reworded copies: the minimum confidence, above 0 and up to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.5, allow_negative_numbers = true)]
    confidence: f64,

    /// Reworded copies: the share of copies among look-alikes, 0 to 1 [default: estimated from the corpus]
    ///
    /// The rarer copies are, the more evidence a pair needs. The summary of a run reports the estimate; to
    /// judge a shard as the whole corpus would be judged, pass that of the whole.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, verbatim_doc_comment)]
    prior: Option<f64>,

    /// Reworded copies: judge as the archive in this folder would, by its last census
    ///
    /// How rare words are, how common copies and what is page furniture is taken from there, so that a small run, or a shard of
    /// a large corpus, is judged as the whole.
    #[arg(long, value_name = "ARCHIVE", verbatim_doc_comment)]
    census: Option<PathBuf>,

    /// Shortened and wrapped copies: the minimum share of the shorter text's words found in the longer one, above 0 and up to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, allow_negative_numbers = true)]
    containment: f64,

    /// Skip texts of fewer words; never fewer than 3
    #[arg(long, value_name = "N", default_value_t = 3)]
    min_words: usize,

    /// Also report passages that one text took from another; all: including page furniture and passages within one outlet
    ///
    /// Passages of at least 40 words, or 25 words and two sentences. Text that belongs to pages rather than to
    /// stories is left out: what ten outlets share, one outlet repeats, or otherwise unrelated articles have
    /// in common. Name the outlet with --source-field.
    #[arg(long, value_enum, value_name = "WHICH", num_args = 0..=1, require_equals = true, default_missing_value = "stories", verbatim_doc_comment)]
    excerpts: Option<Passages>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Level {
    /// Exact and edited copies
    Near,
    /// Reworded copies as well
    Reworded,
}

#[derive(Clone, Copy, ValueEnum)]
enum Passages {
    /// Those of the stories
    Stories,
    /// Page furniture as well, and what articles of one outlet share
    All,
}

impl From<Level> for retold::Level {
    fn from(level: Level) -> Self {
        match level {
            Level::Near => Self::Near,
            Level::Reworded => Self::Reworded,
        }
    }
}

impl Search {
    pub fn detector(&self) -> DetectorBuilder {
        let &Self { level, threshold, confidence, prior, containment, min_words, excerpts, census: _ } = self;
        let excerpts = match excerpts {
            None => Excerpts::Ignore,
            Some(Passages::Stories) => Excerpts::Find,
            Some(Passages::All) => Excerpts::FindAll,
        };
        let builder = Detector::builder().level(level.into()).threshold(threshold).confidence(confidence);
        let builder = builder.containment(containment).min_words(min_words).excerpts(excerpts);
        match prior {
            Some(prior) => builder.prior(prior),
            None => builder,
        }
    }

    /// The detector of such a builder, which judges as an archive does if one is named.
    pub fn build(&self, builder: DetectorBuilder) -> Result<Detector, String> {
        let failed = |error: retold::Error| error.to_string();
        let detector = builder.build().map_err(failed)?;
        let Some(archive) = &self.census else { return Ok(detector) };
        let reader = ArchiveReader::open(archive, &detector).map_err(failed)?;
        if reader.census() == 0 {
            let archive = archive.display();
            return Err(format!("--census: no census of {archive} was taken yet: run dedup archive census {archive}"));
        }
        Ok(reader.detector())
    }

    /// Where no census can be followed, an error that says why.
    pub fn refuse_census(&self, why: &str) -> Result<(), String> {
        match &self.census {
            Some(_) => Err(format!("--census is for runs: {why}")),
            None => Ok(()),
        }
    }

    pub fn wants_excerpts(&self) -> bool {
        self.excerpts.is_some()
    }

    /// The options, and what a detector that was built of them makes of them.
    pub fn settings(&self, detector: &Detector) -> Settings {
        let &Self { level, threshold, containment, confidence, min_words, .. } = self;
        Settings { level: level.into(), threshold, containment, confidence, min_words, bands: detector.bands() }
    }
}
