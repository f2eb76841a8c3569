//! Speed of each stage, in bytes of text a second.
//!
//! `cargo bench` runs all; `cargo bench -- minhash` those of one name. *hot* is our own sample articles, which stay in the
//! cache; *cold* a synthetic corpus that does not, walked through so that each text comes from memory.

mod corpus;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use retold::{Bands, Detector, Index, Level, MinHash, MinHasher, Scheme, Shingle, ShingleSet, SimHasher, Words};

use corpus::{Corpus, Kind};

struct Texts {
    hot: Vec<(String, String)>,
    cold: Corpus,
}

impl Texts {
    fn load() -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/seeds");
        let files = std::fs::read_dir(folder).expect("the folder of sample articles").flatten();
        let text = |path| std::fs::read_to_string(path).expect("a sample article");
        let mut hot: Vec<_> =
            files.map(|file| (file.file_name().to_string_lossy().into_owned(), text(file.path()))).collect();
        hot.sort();
        // 16 MB, more than the caches of one core hold.
        Self { hot, cold: Corpus::new(8_000, 0.06, 1) }
    }

    fn sets(&self) -> [(&'static str, &[(String, String)]); 2] {
        [("hot", &self.hot), ("cold", &self.cold.articles)]
    }
}

fn bytes(articles: &[(String, String)]) -> Throughput {
    Throughput::Bytes(articles.iter().map(|(_, text)| text.len() as u64).sum())
}

/// Two texts of some fifty words that tell the same, and one of them with itself.
fn two_texts(c: &mut Criterion) {
    const FERRY: &str = "The harbour council of Port Orrin voted on Tuesday to close the old ferry line to Sallow Island, after \
        engineers found cracks in both piers. Mayor Ada Fenwick said that the repairs would cost 4.2 million crowns, and that \
        a bus over the new bridge would serve commuters from March.";
    const AGAIN: &str = "Port Orrin will shut its ferry to Sallow Island. Cracks in the piers, which engineers found this \
        winter, would cost 4.2 million crowns to mend, said the mayor, Ada Fenwick, after Tuesday's vote of the harbour \
        council; from March buses are to cross the new bridge instead.";
    let (detector, mut group) = (Detector::new(), c.benchmark_group("compare two texts"));
    for (name, other) in [("reworded", AGAIN), ("exact", FERRY)] {
        group.bench_function(name, |b| b.iter(|| detector.compare_texts(black_box(FERRY), black_box(other))));
    }
    group.finish();
}

/// A group that calls `stage` with every text, hot and cold.
fn each_text(c: &mut Criterion, texts: &Texts, name: &str, mut stage: impl FnMut(&str)) {
    let mut group = c.benchmark_group(name);
    group.sampling_mode(SamplingMode::Flat);
    for (heat, articles) in texts.sets() {
        group.throughput(bytes(articles));
        group.bench_function(heat, |b| b.iter(|| articles.iter().for_each(|(_, text)| stage(black_box(text)))));
    }
    group.finish();
}

fn minhasher() -> MinHasher {
    MinHasher::new(Scheme::minhash(Shingle::Words(5))).expect("a possible scheme")
}

fn stages(c: &mut Criterion) {
    two_texts(c);
    let texts = Texts::load();
    each_text(c, &texts, "words", |text| {
        black_box(Words::new(text).count());
    });
    for (name, shingle) in [("shingles of 5 words", Shingle::Words(5)), ("shingles of 9 chars", Shingle::Chars(9))] {
        each_text(c, &texts, name, |text| {
            black_box(ShingleSet::new(text, shingle).expect("a possible shingle"));
        });
    }
    let mut hasher = minhasher();
    let mut signature = hasher.sign(&texts.hot[0].1).expect("a sample article is longer than a shingle");
    each_text(c, &texts, "minhash of 5 words", |text| {
        black_box(hasher.sign_into(text, &mut signature));
    });
    let mut hasher = SimHasher::new(Scheme::simhash(Shingle::Words(5))).expect("a possible scheme");
    each_text(c, &texts, "simhash of 5 words", |text| {
        black_box(hasher.sign(text));
    });
    jaccard(c, &texts);
    index(c, &texts);
    for (name, level) in [("detector near", Level::Near), ("detector reworded", Level::Reworded)] {
        let detector = Detector::builder().level(level).build().expect("the default options are possible");
        let mut group = c.benchmark_group(name);
        group.sampling_mode(SamplingMode::Flat);
        for (heat, articles) in texts.sets() {
            group.throughput(bytes(articles));
            group.bench_function(heat, |b| b.iter(|| detector.find(black_box(articles))));
        }
        group.finish();
    }
}

/// Exact similarity of two shingle sets; bytes are those of the two texts.
fn jaccard(c: &mut Criterion, texts: &Texts) {
    let set = |article: &(String, String)| ShingleSet::new(&article.1, Shingle::Words(3)).expect("a possible shingle");
    let hot: Vec<_> = texts.hot.windows(2).map(|pair| (&pair[0], &pair[1])).collect();
    let edited = texts.cold.planted.iter().filter(|planted| planted.kind == Kind::Edited);
    let cold = edited.map(|pair| (&texts.cold.articles[pair.source], &texts.cold.articles[pair.copy])).collect();
    let mut group = c.benchmark_group("jaccard of 3 words");
    for (heat, pairs) in [("hot", hot), ("cold", cold)] {
        let sets: Vec<(ShingleSet, ShingleSet)> = pairs.iter().map(|(a, b)| (set(a), set(b))).collect();
        let both = pairs.iter().map(|(a, b)| (a.1.len() + b.1.len()) as u64).sum();
        group.throughput(Throughput::Bytes(both));
        group.bench_function(heat, |b| {
            b.iter(|| sets.iter().map(|(a, b)| a.jaccard(black_box(b)).expect("the same shingles")).sum::<f64>());
        });
    }
    group.finish();
}

/// Signatures into an index, and candidates out of it; bytes are those of the texts that were signed.
fn index(c: &mut Criterion, texts: &Texts) {
    let mut group = c.benchmark_group("index");
    group.sampling_mode(SamplingMode::Flat);
    let bands = Bands::for_threshold(0.5, 128).expect("possible bands");
    let mut hasher = minhasher();
    for (heat, articles) in texts.sets() {
        let signatures: Vec<MinHash> = articles.iter().filter_map(|(_, text)| hasher.sign(text)).collect();
        let filled = || {
            let mut index = Index::new(bands);
            for (id, signature) in (0..).zip(&signatures) {
                index.insert(id, signature).expect("ids that differ");
            }
            index
        };
        group.throughput(bytes(articles));
        group.bench_function(format!("insert {heat}"), |b| b.iter(filled));
        let index = filled();
        group.bench_function(format!("look up {heat}"), |b| {
            b.iter(|| {
                signatures.iter().map(|one| index.candidates(black_box(one)).expect("one scheme").len()).sum::<usize>()
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = all;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = stages
}
criterion_main!(all);
