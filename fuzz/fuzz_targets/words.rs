//! Any bytes as text: words lie apart on character boundaries, and every backend makes the same of them.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use retold::measure::{Backend, Signer, WordCounter};
use retold::{Detector, MinHash, MinHasher, Scheme, Shingle, ShingleSet, SimHash, SimHasher, Words};
use retold_fuzz::texts;

const SHINGLES: [Shingle; 4] = [Shingle::Words(1), Shingle::Words(3), Shingle::Words(5), Shingle::Chars(5)];

/// All that one backend makes of a text.
struct Contender {
    counter: WordCounter,
    signer: Signer,
    hashers: Vec<(MinHasher, SimHasher)>,
}

type Made = (usize, (usize, u32), Vec<(Option<MinHash>, Option<SimHash>)>);

impl Contender {
    fn new(backend: Backend) -> Self {
        let hashers = |shingle| {
            let minhash = MinHasher::new(Scheme::minhash(shingle).slots(16)).unwrap();
            (minhash.on(backend), SimHasher::new(Scheme::simhash(shingle)).unwrap().on(backend))
        };
        Self {
            counter: WordCounter::new(backend),
            signer: Signer::new(Detector::new(), backend),
            hashers: SHINGLES.map(hashers).into(),
        }
    }

    fn make(&mut self, text: &str) -> Made {
        let sign = |(minhash, simhash): &mut (MinHasher, SimHasher)| (minhash.sign(text), simhash.sign(text));
        (self.counter.count(text), self.signer.sign(text), self.hashers.iter_mut().map(sign).collect())
    }
}

thread_local! {
    static CONTENDERS: RefCell<Vec<Contender>> = RefCell::new(Backend::available().map(Contender::new).collect());
}

fuzz_target!(|input: &[u8]| {
    let text = texts(input, 1 << 18).concat();
    let (mut end, mut count) = (0, 0);
    for word in Words::new(&text) {
        let span = word.span();
        assert!(end <= span.start && span.start < span.end, "{span:?} after a word that ends at {end}");
        assert_eq!(&text[span.clone()], word.as_str());
        assert_eq!(Words::new(word.as_str()).map(|word| word.span()).collect::<Vec<_>>(), [0..span.len()]);
        (end, count) = (span.end, count + 1);
    }
    CONTENDERS.with_borrow_mut(|contenders| {
        let mut made = contenders.iter_mut().map(|contender| contender.make(&text));
        let first = made.next().unwrap();
        assert_eq!(first.0, count);
        assert!(made.all(|other| other == first), "the backends differ");
        for (at, &shingle) in SHINGLES.iter().enumerate() {
            let set = ShingleSet::new(&text, shingle).unwrap();
            assert_eq!(contenders[0].hashers[at].0.signature(&set).unwrap(), first.2[at].0);
        }
    });
});
