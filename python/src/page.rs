//! The page is the command's, `examples/dedup/html.rs`, built in here: these modules stand for those parts of the command that it
//! asks for, with as much in them as it needs.

use std::io;
use std::sync::Arc;

use retold::Report;

use input::{Place, Problem};
use output::{Findings, Texts};
use search::Settings;

/// In place of the command's way of reading files.
pub mod input {
    use std::fmt;

    /// Where an article stands: in a table that has a row number and no name.
    pub struct Place(pub usize);

    impl fmt::Display for Place {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "row {}", self.0)
        }
    }

    /// An article that was left out.
    pub struct Problem {
        pub id: String,
        pub place: String,
        pub reason: String,
    }
}

/// In place of the command's output.
pub mod output {
    use std::borrow::Cow;
    use std::fmt::Write as _;
    use std::sync::Arc;

    use arrow_array::{Array as _, LargeStringArray};
    use retold::{Article, Articles, Report};

    use super::input::{Place, Problem};
    use crate::columns::Row;

    /// The articles of a report: as they came, or some of them spilled to disk.
    pub enum Texts {
        Held(Vec<Row>),
        /// With their dates, if any were named, which are not spilled.
        Spilled(Box<Articles<Row>>, LargeStringArray),
    }

    impl Texts {
        pub fn id(&self, position: usize) -> &str {
            match self {
                Self::Held(rows) => rows[position].id(),
                Self::Spilled(articles, _) => articles.id(position),
            }
        }

        pub fn text(&self, position: usize) -> retold::Result<Cow<'_, str>> {
            match self {
                Self::Held(rows) => Ok(rows[position].text().into()),
                Self::Spilled(articles, _) => articles.text(position),
            }
        }

        pub fn len(&self) -> usize {
            match self {
                Self::Held(rows) => rows.len(),
                Self::Spilled(articles, _) => articles.len(),
            }
        }
    }

    pub struct Findings {
        pub report: Arc<Report>,
        pub skipped: Vec<Problem>,
        pub unread: Vec<Problem>,
        pub documents: usize,
        pub articles: Arc<Texts>,
        pub places: Vec<Place>,
    }

    impl Findings {
        pub fn date(&self, position: usize) -> &str {
            match &*self.articles {
                Texts::Held(rows) => rows[position].date(),
                Texts::Spilled(_, dates) => {
                    (position < dates.len() && dates.is_valid(position)).then(|| dates.value(position))
                }
            }
            .unwrap_or_default()
        }
    }

    /// A text on one line, with nothing that moves a cursor or reorders letters.
    pub fn shown(text: &str) -> Cow<'_, str> {
        let is_harmful = |c: char| {
            c.is_control()
                || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        };
        if !text.contains(is_harmful) {
            return text.into();
        }
        let mut to = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            if is_harmful(c) {
                write!(to, "{}", c.escape_default()).expect("a string takes everything");
            } else {
                to.push(c);
            }
        }
        to.into()
    }
}

/// In place of the command's options.
pub mod search {
    use retold::{Bands, Level};

    #[derive(Clone)]
    pub struct Settings {
        pub level: Level,
        pub threshold: f64,
        pub containment: f64,
        pub confidence: f64,
        pub min_words: usize,
        pub bands: Bands,
    }
}

#[path = "../../examples/dedup"]
mod command {
    #[expect(dead_code, reason = "the command also shows two texts side by side")]
    pub mod html;
}

/// The page of a report.
pub fn page(report: &Arc<Report>, texts: &Arc<Texts>, settings: &Settings) -> io::Result<String> {
    let problem = |skipped: &retold::Skipped| Problem {
        id: skipped.id.clone(),
        place: Place(skipped.position).to_string(),
        reason: skipped.reason.to_string(),
    };
    let findings = Findings {
        report: report.clone(),
        skipped: report.skipped().iter().map(problem).collect(),
        unread: Vec::new(),
        documents: texts.len(),
        articles: texts.clone(),
        places: (0..texts.len()).map(Place).collect(),
    };
    let mut page = Vec::new();
    command::html::write(&findings, settings, &mut page)?;
    String::from_utf8(page).map_err(io::Error::other)
}
