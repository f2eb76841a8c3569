//! What the crate finds, without Python between: `reference OPTIONS < ARTICLES.jsonl > REPORT.json`. `reference sign` tells instead
//! how many seconds it takes to sign the texts, the least of five rounds.
//!
//! An article is a list of an id, a text, and a date and a source or null.

use std::error::Error;
use std::io::{self, BufRead};
use std::time::Instant;

use retold::{Article, DetectorBuilder, MinHasher, Scheme, Shingle};

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
    let stories = io::stdin().lock().lines().map(|line| Ok(Story(serde_json::from_str(&line?)?)));
    let stories: Vec<Story> = stories.collect::<Result<_, Box<dyn Error>>>()?;
    if options == "sign" {
        let texts: Vec<&str> = stories.iter().map(Article::text).collect();
        let hasher = MinHasher::new(Scheme::minhash(Shingle::Words(5)))?;
        let seconds = (0..5).map(|_| {
            let start = Instant::now();
            std::hint::black_box(hasher.sign_all(&texts));
            start.elapsed().as_secs_f64()
        });
        println!("{:.4}", seconds.fold(f64::INFINITY, f64::min));
        return Ok(());
    }
    let detector = serde_json::from_str::<DetectorBuilder>(&options)?.build()?;
    serde_json::to_writer(io::stdout(), &detector.find(&stories)?)?;
    Ok(())
}
