//! Golden vectors: the frozen bits of one format version, as text that a reader can check.
//!
//! Signatures are stored and compared years later, so hashes, slots and serialised forms must not change by accident. To
//! rewrite the vectors on purpose, with a new `FORMAT_VERSION`: `RETOLD_WRITE_GOLDEN=1 cargo test --test golden`.

#[path = "common/golden.rs"]
mod golden;
#[path = "common/random.rs"]
mod random;

use std::fmt::Write;

use random::mixed;
use retold::{
    Bands, FORMAT_VERSION, Index, MinHash, MinHasher, Scheme, Shingle, ShingleSet, SimHash, SimHasher, Words,
};

/// Texts that go through every way a word can be hashed: short and long, each script, each normalisation. Characters that
/// look like others, or like nothing, are written as escapes.
const TEXTS: &[(&str, &str)] = &[
    ("english", "The council voted on Tuesday to close the old harbour ferry."),
    ("one letter", "a"),
    ("15, 16 and 17 letters", "confidentiality uncopyrightables misunderstandings"),
    ("32 and 33 letters", "abcdefghijklmnopqrstuvwxyzabcdef ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg"),
    ("long word beyond ascii", "Donaudampfschifffahrtsgesellschaftskapitän"),
    ("straight apostrophe", "the mayor's ferry"),
    ("curly apostrophe", "the mayor\u{2019}s ferry"),
    ("numbers", "1,200 votes, 3.5 per cent, on 2026-11-21"),
    ("underscore", "file_name v2"),
    ("soft hyphen", "har\u{ad}bour"),
    ("joiners", "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}"),
    ("full width", "\u{ff26}\u{ff45}\u{ff52}\u{ff52}\u{ff59}\u{3000}\u{ff12}\u{ff10}"),
    ("ligatures", "e\u{fb03}cient \u{fb01}nance"),
    ("sharp s", "Straße STRASSE \u{1e9e}"),
    ("dotted capital i", "\u{130}stanbul"),
    ("french composed", "d\u{e9}j\u{e0} vu"),
    ("french decomposed", "de\u{301}ja\u{300} vu"),
    ("vietnamese composed", "Chuy\u{1ebf}n ph\u{e0} \u{111}\u{1ebf}n \u{111}\u{1ea3}o"),
    ("vietnamese decomposed", "Chuye\u{302}\u{301}n pha\u{300} \u{111}e\u{302}\u{301}n \u{111}a\u{309}o"),
    ("marks in another order", "a\u{323}\u{302} a\u{302}\u{323} \u{1ead}"),
    ("greek final sigma", "ΟΔΥΣΣΕΥΣ Οδυσσεύς οδυσσευσ"),
    ("cyrillic", "Паром «Ёлка» ушёл в девять, сказал капитан."),
    ("long cyrillic", "достопримечательностями"),
    ("arabic", "غادرت العبّارة القديمة الميناء في ٩:٣٠"),
    ("hebrew", "המעבורת של צה״ל יצאה"),
    ("hindi", "नौका बंदरगाह से निकली"),
    ("thai", "เรือข้ามฟากออกแล้ว"),
    ("chinese", "旧渡轮九点离港。"),
    ("japanese", "フェリーは九時に出港した"),
    ("half-width katakana", "\u{ff8c}\u{ff6a}\u{ff98}\u{ff70}"),
    ("half-width voiced marks", "\u{ff76}\u{ff9e} \u{30ac} \u{30ab}\u{3099}"),
    ("hangul", "여객선이 항구를 떠났다"),
    ("decomposed hangul", "\u{110b}\u{1167}\u{1100}\u{1162}\u{11a8}"),
    ("beyond the first plane", "\u{1d538}\u{1d7d9} \u{10400} \u{20000}"),
    ("emoji between words", "the ⛴ ferry 👩‍✈️ left"),
    ("invisible characters", "har\u{200b}bour fer\u{2060}ry\u{feff} bo\u{202b}at 東\u{200b}京 na\u{fff9}me\u{115f}"),
    ("narrow space", "1\u{202f}200"),
    ("arabic with marks", "غَادَرَتِ العَبَّارَةُ القـديمة \u{fb50}\u{fe77} لَهُۥ آ\u{654}"),
    ("hebrew with marks", "הַמַּעְבֹּרֶת \u{fb2a}\u{5b8}ל\u{fb4b}ם"),
    ("syriac, samaritan, mandaic and n'ko with marks", "ܫܠܳܡܳܐ ࠔ\u{816}ࠋ ࡀ\u{859}ࡁ ߒ\u{7fa}ߞ"),
    ("lao, khmer and burmese", "ນ້ຳ \u{17b4}ខ្មែរ ဘော"),
    ("tai, ahom, javanese, balinese, tangut and nushu", "ᥖᥭᥰ ᦑᦺ ᨴᩱ ꪼꪕ 𑜄𑜩 ꦗꦴ ᬩᬮᬶ 𗼇 𛅰"),
    // Characters whose tables changed with the versions of Unicode.
    ("cherokee, which folds to capitals", "\u{13a0}\u{ab70} \u{13f8}\u{13f0}"),
    ("iota subscript", "\u{1fb3} α\u{345}\u{301} \u{1fbc}\u{301} \u{1f80} \u{37a}"),
    ("unicode 9 to 11", "\u{1e900} \u{1c80}\u{1c88} \u{1c90}\u{1cbf}\u{10d0} \u{16e40} \u{1f2f}"),
    ("unicode 12 and 13", "\u{a7c2}\u{a7c4}\u{a7c5}\u{a7c6} \u{a7c7}\u{a7f5} \u{11935}\u{11930} \u{11938}"),
    ("unicode 14", "\u{2c2f} \u{a7c0}\u{a7d0} \u{a7f2} \u{10570} \u{10783}\u{10fb0} a\u{10f83}\u{10f82}"),
    ("unicode 15 and 15.1", "\u{1e030} \u{11f04}\u{11f42} \u{1e4d0}\u{1e4ee}\u{1e4ef} \u{31350} \u{2ebf0}"),
    (
        "unicode 16",
        "\u{1c89} \u{a7cb}\u{a7da}\u{a7dc} \u{10d50} \u{16d67}\u{16d67} \u{16d63}\u{16d67} \u{11382}\u{113c9} \u{16121} \u{105d2}\u{307}",
    ),
    ("unicode 17", "a\u{a7ce}b a\u{a7d2}b a\u{1acf}b a\u{1add}b \u{16ea0} \u{323b0} \u{10ed0} \u{11db0}"),
    ("unassigned and private", "a\u{378}b a\u{2065}b a\u{e0fff}b a\u{e1000}b a\u{10ffff}b a\u{e000}b \u{3fffd}"),
];

/// Compares with a golden file, of which the first line is the format version.
fn hold(file: &str, lines: &[String]) {
    let header = format!("format version {FORMAT_VERSION}");
    let lines: Vec<String> = std::iter::once(header).chain(lines.iter().cloned()).collect();
    golden::hold(
        file,
        &lines,
        "The frozen bits changed, so signatures that users have stored no longer compare. If that is not what you want, \
         undo the change.\nIf it is, it is a new format version: raise FORMAT_VERSION, say so in the changelog, and run\n  \
         RETOLD_WRITE_GOLDEN=1 cargo test --test golden",
    );
}

fn hex<T: std::fmt::LowerHex>(numbers: &[T]) -> String {
    let mut out = String::new();
    for number in numbers {
        let digits = 2 * size_of::<T>();
        write!(out, " {number:0digits$x}").unwrap();
    }
    out
}

/// FNV-1a over the slots, for signatures too long to write out.
fn digest(slots: &[u32]) -> u64 {
    let bytes = slots.iter().flat_map(|slot| slot.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A text of so many words, none of them twice.
fn numbered_words(range: std::ops::Range<u32>) -> String {
    range.map(|n| format!("word{n}")).collect::<Vec<_>>().join(" ")
}

/// One long text in which scripts change every few words.
fn all_texts() -> String {
    TEXTS.iter().map(|(_, text)| *text).collect::<Vec<_>>().join("; ").repeat(3)
}

fn minhash(scheme: Scheme, text: &str) -> MinHash {
    MinHasher::new(scheme).unwrap().sign(text).unwrap()
}

/// Elements that are well mixed, as weighted signatures ask for, and the two that are not.
fn elements() -> Vec<(u64, u32)> {
    let weights = [1, 2, 3, 0, 16, 1, 255, 7];
    let ends = [(0, 1), (u64::MAX, 3)];
    weights.into_iter().zip(0..).map(|(weight, n)| (mixed(n), weight)).chain(ends).collect()
}

#[test]
fn words_have_frozen_hashes() {
    // One word at a time, so that each hash stands beside what it is the hash of.
    let mut lines = Vec::new();
    for (name, text) in TEXTS {
        for word in Words::new(text) {
            let set = ShingleSet::new(word.as_str(), Shingle::Words(1)).unwrap();
            lines.push(format!("{name}: {}{}", word.normalized(), hex(set.hashes())));
        }
    }
    hold("words.txt", &lines);
}

#[test]
fn shingles_have_frozen_hashes() {
    let mut lines = Vec::new();
    for (name, text) in TEXTS {
        for shingle in [Shingle::Words(2), Shingle::Words(3), Shingle::Chars(3), Shingle::Chars(8)] {
            let set = ShingleSet::new(text, shingle).unwrap();
            if !set.is_empty() {
                lines.push(format!("{name}, {shingle}:{}", hex(set.hashes())));
            }
        }
    }
    let long = numbered_words(0..100);
    for shingle in [Shingle::Words(32), Shingle::Chars(64)] {
        let hashes = ShingleSet::new(&long, shingle).unwrap();
        lines.push(format!("100 numbered words, {shingle}, the first three:{}", hex(&hashes.hashes()[..3])));
    }
    hold("shingles.txt", &lines);
}

#[test]
fn minhash_slots_are_frozen() {
    // From one shingle, where late rounds fill the slots, to so many that the first round fills all.
    let mut lines = Vec::new();
    for words in [3, 4, 10, 60, 400, 9000] {
        let text = numbered_words(0..words);
        let scheme = Scheme::minhash(Shingle::Words(3));
        for slots in [16, 128] {
            lines.push(format!("{words} words, {slots} slots:{}", hex(minhash(scheme.slots(slots), &text).slots())));
        }
        for slots in [32, 64, 256, 512, 1024] {
            let signature = minhash(scheme.slots(slots), &text);
            lines.push(format!("{words} words, {slots} slots, digest: {:016x}", digest(signature.slots())));
        }
    }
    for (name, text) in TEXTS {
        for shingle in [Shingle::Words(1), Shingle::Words(2), Shingle::Chars(5)] {
            if let Some(signature) = MinHasher::new(Scheme::minhash(shingle).slots(16)).unwrap().sign(text) {
                lines.push(format!("{name}, {shingle}, 16 slots:{}", hex(signature.slots())));
            }
        }
    }
    for shingle in [Shingle::Words(5), Shingle::Chars(9)] {
        let signature = minhash(Scheme::minhash(shingle), &all_texts());
        lines.push(format!("all texts, {shingle}, 128 slots, digest: {:016x}", digest(signature.slots())));
    }
    hold("minhash.txt", &lines);
}

#[test]
fn weighted_minhash_slots_are_frozen() {
    let mut lines = Vec::new();
    for slots in [16, 128, 1024] {
        let mut hasher = MinHasher::new(Scheme::weighted_minhash().slots(slots)).unwrap();
        for (element, weight) in elements() {
            if let Some(signature) = hasher.weighted([(element, weight)]).unwrap() {
                lines.push(format!("{element:016x} × {weight}, {slots} slots: {:016x}", digest(signature.slots())));
            }
        }
        let all = hasher.weighted(elements()).unwrap().unwrap();
        lines.push(format!("all, {slots} slots, digest: {:016x}", digest(all.slots())));
        lines.push(format!("all, {slots} slots, the first 16:{}", hex(&all.slots()[..16])));
    }
    hold("weighted.txt", &lines);
}

#[test]
fn simhash_bits_are_frozen() {
    let mut lines = Vec::new();
    for (name, text) in TEXTS {
        for shingle in [Shingle::Words(1), Shingle::Words(3), Shingle::Chars(4)] {
            if let Some(signature) = SimHasher::new(Scheme::simhash(shingle)).unwrap().sign(text) {
                lines.push(format!("{name}, {shingle}: {:016x}", signature.bits()));
            }
        }
    }
    let all = SimHasher::new(Scheme::simhash(Shingle::Words(2))).unwrap().sign(&all_texts()).unwrap();
    lines.push(format!("all texts, 2-word shingles: {:016x}", all.bits()));
    let mut hasher = SimHasher::new(Scheme::weighted_simhash()).unwrap();
    lines.push(format!("weighted: {:016x}", hasher.weighted(elements()).unwrap().unwrap().bits()));
    hold("simhash.txt", &lines);
}

#[test]
fn bands_and_the_candidates_they_give_are_frozen() {
    let mut lines = Vec::new();
    for slots in [16, 64, 128, 256, 1024] {
        for threshold in [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0] {
            let bands = Bands::for_threshold(threshold, slots).unwrap();
            lines.push(format!("threshold {threshold}, {slots} slots: {} × {}", bands.bands(), bands.rows()));
        }
    }
    // A window that slides over numbered words: neighbours are alike, the further the less.
    let scheme = Scheme::minhash(Shingle::Words(2));
    let signatures: Vec<_> = (0..24).map(|n| minhash(scheme, &numbered_words(20 * n..20 * n + 120))).collect();
    for threshold in [0.3, 0.5, 0.7] {
        let mut index = Index::new(Bands::for_threshold(threshold, 128).unwrap());
        for (id, signature) in (0..).zip(&signatures) {
            index.insert(id, signature).unwrap();
        }
        for (id, signature) in signatures.iter().enumerate() {
            lines.push(format!("candidates of {id} at {threshold}: {:?}", index.candidates(signature).unwrap()));
        }
    }
    hold("bands.txt", &lines);
}

#[test]
fn serialised_signatures_are_frozen_and_still_read() {
    let text = TEXTS[0].1;
    let minhashes = [
        minhash(Scheme::minhash(Shingle::Words(3)).slots(16), text),
        minhash(Scheme::minhash(Shingle::Chars(5)).slots(32), text),
        MinHasher::new(Scheme::weighted_minhash().slots(16)).unwrap().weighted(elements()).unwrap().unwrap(),
    ];
    let simhashes = [
        SimHasher::new(Scheme::simhash(Shingle::Words(3))).unwrap().sign(text).unwrap(),
        SimHasher::new(Scheme::weighted_simhash()).unwrap().weighted(elements()).unwrap().unwrap(),
    ];
    let mut lines: Vec<String> = Vec::new();
    for signature in &minhashes {
        lines.push(serde_json::to_string(signature).unwrap());
        assert_eq!(&serde_json::from_str::<MinHash>(lines.last().unwrap()).unwrap(), signature);
        lines.push(format!("bytes:{}", hex(&signature.to_bytes())));
        assert_eq!(&MinHash::from_bytes(&signature.to_bytes()).unwrap(), signature);
    }
    for signature in &simhashes {
        lines.push(serde_json::to_string(signature).unwrap());
        assert_eq!(&serde_json::from_str::<SimHash>(lines.last().unwrap()).unwrap(), signature);
        lines.push(format!("bytes:{}", hex(&signature.to_bytes())));
        assert_eq!(&SimHash::from_bytes(&signature.to_bytes()).unwrap(), signature);
    }
    hold("serialised.txt", &lines);
}
