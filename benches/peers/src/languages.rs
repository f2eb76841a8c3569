//! Texts beyond ASCII: articles of the samples' words in any order, so that there are as many as it takes and no two alike.

use std::hint::black_box;

use gaoya::minhash::{MinHasher as _, MinHasher32};
use gaoya::text::{shingle_text, shingle_tokens, whitespace_split};
use retold::measure::Backend;
use retold::{MinHasher, Scheme, Shingle};

use crate::corpus::Rng;
use crate::{Article, each_text};

/// The languages of the sample articles, and whether they are written without spaces.
const LANGUAGES: [(&str, bool); 7] =
    [("en", false), ("es", false), ("de", false), ("vi", false), ("ru", false), ("ar", false), ("zh", true)];

/// 4,000 articles of about 2 KB in a language, of the words of its samples; of clauses where there are no spaces.
pub fn articles(language: &str) -> Vec<Article> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/texts");
    let text = |kind| {
        std::fs::read_to_string(format!("{folder}/{language}-{kind}.txt")).expect("a sample article of this language")
    };
    let samples = ["original", "reworded", "related", "other"].map(text);
    let words: Vec<&str> =
        samples.iter().flat_map(|text| text.split_inclusive([' ', '\n', '，', '。', '、'])).collect();
    let article = |at: u64| {
        let mut rng = Rng::of(&[at]);
        let mut text = String::new();
        while text.len() < 2_000 {
            text.push_str(words[rng.below(words.len() as u64) as usize]);
        }
        (format!("{language}{at}"), text)
    };
    (0..4_000).map(article).collect()
}

pub fn all() -> impl Iterator<Item = (&'static str, Vec<Article>)> {
    LANGUAGES.iter().map(|&(language, _)| (language, articles(language)))
}

/// MinHash of 5 words on each backend beside gaoya's; where there are no spaces, beside its shingles of 5 characters.
pub fn race(rounds: usize) {
    for (language, without_spaces) in LANGUAGES {
        let articles = articles(language);
        for backend in Backend::available() {
            println!("{language}, {backend:?}");
            let scheme = Scheme::minhash(Shingle::Words(5));
            let mut minhasher = MinHasher::new(scheme).expect("a possible scheme").on(backend);
            let mut signature = minhasher.sign(&articles[0].1).expect("a text of five words");
            let gaoya = MinHasher32::new(128);
            let mut contenders = [
                each_text("retold MinHash, 128 slots", |text| {
                    black_box(minhasher.sign_into(text, &mut signature));
                }),
                each_text("gaoya MinHasher32, lower-cased", |text| {
                    let text = text.to_lowercase();
                    if without_spaces {
                        black_box(gaoya.create_signature(shingle_text(&text, 5)));
                    } else {
                        let words: Vec<&str> = whitespace_split(&text).collect();
                        black_box(gaoya.create_signature(shingle_tokens(&words, 5)));
                    }
                }),
                // The least that it can be asked to do.
                each_text("gaoya MinHasher32, as it stands", |text| {
                    if without_spaces {
                        black_box(gaoya.create_signature(shingle_text(text, 5)));
                    } else {
                        let words: Vec<&str> = whitespace_split(text).collect();
                        black_box(gaoya.create_signature(words.windows(5)));
                    }
                }),
            ];
            let [ours, lowered, as_it_stands] = crate::race(&articles, rounds, &mut contenders);
            println!("{:.1} x gaoya, {:.1} x gaoya on text as it stands\n", lowered / ours, as_it_stands / ours);
        }
    }
}
