//! What the crate finds, without Python between: `reference OPTIONS.json < ARTICLES.jsonl > REPORT.json`.
//!
//! An article is a list of an id, a text, and a date and a source or null.

use std::error::Error;
use std::io::{self, BufRead};

use retold::{Article, DetectorBuilder};

struct Story(Vec<Option<String>>);

impl Story {
    fn field(&self, at: usize) -> Option<&str> {
        self.0.get(at)?.as_deref()
    }
}

impl Article for Story {
    fn id(&self) -> &str {
        self.field(0).unwrap_or_default()
    }

    fn text(&self) -> &str {
        self.field(1).unwrap_or_default()
    }

    fn date(&self) -> Option<&str> {
        self.field(2)
    }

    fn source(&self) -> Option<&str> {
        self.field(3)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = std::env::args().nth(1).ok_or("no options")?;
    let detector = serde_json::from_str::<DetectorBuilder>(&options)?.build()?;
    let stories = io::stdin().lock().lines().map(|line| Ok(Story(serde_json::from_str(&line?)?)));
    let stories: Vec<Story> = stories.collect::<Result<_, Box<dyn Error>>>()?;
    serde_json::to_writer(io::stdout(), &detector.find(&stories)?)?;
    Ok(())
}
