//! The law: what an engine finds by these kernels is what `Detector::find` finds, to the bit. The engine here has all rows in memory and
//! hands them over in parts and in any order; sorts and joins are those of maps.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;

use proptest::prelude::*;

#[allow(unreachable_pub, reason = "it is for tests that are crates of their own as well")]
#[path = "../../tests/common/story.rs"]
mod story;

use self::story::Story;
use super::packed::Packed;
use super::*;
use crate::content::Token;
use crate::content::tests::token_chunks;
use crate::frequencies::Frequencies;
use crate::hash::{hash_bytes, mix};
use crate::store::Budget;
use crate::{Article, Detector, DetectorBuilder, Excerpts, Level, Report};

/// Rows come in so many parts.
const PARTS: usize = 3;

struct Memory {
    kernels: Kernels,
    texts: Vec<String>,
    known: Known,
}

/// What comes to be known on the way.
#[derive(Default)]
struct Known {
    mask: Masked,
    usual: Vec<u8>,
    prior: f32,
    sides: BTreeMap<u32, Side>,
}

fn kernels(builder: &DetectorBuilder) -> Kernels {
    Kernels::new(builder.clone().build().unwrap()).unwrap()
}

impl Memory {
    fn side(&self, text: u32) -> (u32, &str) {
        (text, &self.texts[text as usize])
    }

    /// All texts with their numbers, in parts of which none is in order.
    fn parts(&self) -> impl Iterator<Item = Vec<(u32, &str)>> {
        let mut all: Vec<(u32, &str)> = (0..).zip(self.texts.iter().map(|text| &**text)).collect();
        all.sort_by_key(|(text, _)| mix((*text).into()));
        (0..PARTS).map(move |part| all.iter().skip(part).step_by(PARTS).copied().collect())
    }

    /// Those among texts that share a bucket.
    fn met(&self) -> Vec<(i32, Met)> {
        let Self { kernels, .. } = self;
        let mut keys: Vec<(i64, u32)> = Vec::new();
        for (text, of) in self.parts().flatten() {
            kernels.keys(of, |key| keys.push((key, text)));
        }
        keys.sort_unstable();
        let mut buckets = Buckets::default();
        keys.iter().for_each(|&(key, text)| buckets.push_root(kernels, key, text));
        buckets.finish(kernels);
        let mut pairs = std::mem::take(&mut buckets.pairs);
        let crowded = std::mem::take(&mut buckets.crowded);
        let mut deeper: Vec<(Bucket, u32)> =
            crowded.iter().map(|&(key, text)| (kernels.deeper(key, self.side(text).1), text)).collect();
        while !deeper.is_empty() {
            deeper.sort_by_key(|(bucket, text)| (bucket.path, *text));
            deeper.drain(..).for_each(|(bucket, text)| buckets.push(kernels, text, bucket));
            buckets.finish(kernels);
            pairs.append(&mut buckets.pairs);
            deeper = std::mem::take(&mut buckets.deeper);
        }
        let mut rounds: BTreeMap<(u32, u32), i32> = BTreeMap::new();
        for (left, right, round) in pairs {
            assert!(left < right);
            let first = rounds.entry((left, right)).or_insert(round);
            *first = round.min(*first);
        }
        let minis: Vec<(Vec<u8>, u32)> =
            self.texts.iter().map(|text| (kernels.mini(text), kernels.numbered(text).words)).collect();
        let mini = |text: u32| (&minis[text as usize].0[..], minis[text as usize].1);
        rounds.retain(|&(left, right), _| kernels.may_be(mini(left), mini(right)));
        let pairs: Vec<(u32, u32)> = rounds.keys().copied().collect();
        let copies = self.compare(&pairs, 0);
        copies.into_iter().map(|met| (rounds[&(met.left, met.right)], met)).collect()
    }

    /// What rewordings are judged without, or what is no excerpt.
    fn furniture(&self, decider: &Decider, which: usize) -> Masked {
        let (whole, common) = decider.whole();
        let whole = Bits::new(whole);
        let masked = Masked::new(common.to_vec(), Vec::new());
        let mut held: Vec<(u32, u64, u32)> = Vec::new();
        for (text, of) in self.parts().flatten().filter(|&(text, _)| whole.contains(text)) {
            let found = self.kernels.windows(of, &masked);
            held.extend(found.into_iter().flat_map(|(hash, all)| all.into_iter().map(move |of| (of, hash, text))));
        }
        held.sort_unstable();
        let mut windows = Windows::default();
        held.into_iter().for_each(|(window, _, text)| windows.push(window, text));
        windows.finish();
        windows.found.sort_by(|a, b| (&a.holders, a.window).cmp(&(&b.holders, b.window)));
        let mut unrelated = Unrelated::default();
        for same in windows.found.chunk_by(|a, b| a.holders == b.holders) {
            for &text in same[0].holders.as_chunks().0 {
                let stems = self.kernels.stems(self.side(u32::from_le_bytes(text)).1, &masked);
                unrelated.push(&self.kernels, &same[0].holders, Some(&stems), 0).unwrap();
            }
            same.iter().for_each(|of| unrelated.push(&self.kernels, &of.holders, None, of.window).unwrap());
        }
        Masked::new(common.to_vec(), std::mem::take(&mut unrelated.found[which]))
    }

    /// The passages that are told.
    fn excerpts(&self, decider: &Decider) -> Vec<ExcerptRow> {
        let speakers: BTreeMap<u32, u32> = decider.followers().collect();
        let mut held = Vec::new();
        for (text, of) in self.parts().flatten() {
            let speaker = speakers.get(&text).map(|&speaker| self.side(speaker).1);
            let (fingerprints, words) = self.kernels.all_fingerprints(of, speaker);
            held.extend(fingerprints.into_iter().map(|of| (of, words, text)));
        }
        held.sort_unstable();
        // Fingerprints of two texts lie in several parts.
        let mut pairs: Vec<((u32, u32), Overlap)> = Vec::new();
        for part in 0..PARTS as u32 {
            let mut overlapping = Overlapping::default();
            for &(of, _, text) in held.iter().filter(|held| held.0 % PARTS as u32 == part) {
                overlapping.push(of, Holder { text, needed: Some(NEEDED) });
            }
            overlapping.finish();
            pairs.extend(overlapping.pairs);
        }
        pairs.sort_by_key(|&(pair, _)| pair);
        let (stories, known) = decider.stories();
        let (known, mut chosen) = (Bits::new(known), Vec::new());
        for part in 0..PARTS as u32 {
            let mut choosing = Choosing::default();
            for &(pair, overlap) in pairs.iter().filter(|of| of.0.0 % PARTS as u32 == part) {
                choosing.push(pair, overlap, &stories, &known);
            }
            choosing.finish(&stories, &known);
            chosen.extend(choosing.chosen);
        }
        assert!(chosen.iter().any(|of| of.2));
        chosen.sort_by_key(|&(shorter, longer, _)| mix(u64::from(shorter) << 8 ^ u64::from(longer)));
        let mask = self.furniture(decider, 1);
        let mut found = Vec::new();
        for part in chosen.chunks(100) {
            let row = |&(shorter, longer, is_crowded): &(u32, u32, bool)| {
                ((self.side(shorter), self.side(longer)), is_crowded)
            };
            let passages = self.kernels.passages(&part.iter().map(row).collect::<Vec<_>>(), &mask);
            let passages = part.iter().zip(passages).filter(|(_, bytes)| !bytes.is_empty());
            found.extend(passages.map(|(&(shorter, longer, _), bytes)| (shorter, longer, bytes)));
        }
        decider.excerpts(found).unwrap()
    }

    /// What few of the texts hold, and all that hangs on it, up to the pairs that were read.
    fn read(&mut self, decider: &Decider) -> Vec<Read> {
        let texts = self.texts.len() as u32;
        let (leads, documents) = decider.leads();
        let leads = Bits::new(leads);
        let mask = self.furniture(decider, 0);
        // Features.
        let mut sums = [0; 5];
        let counting = |part: &[(u32, &str)]| {
            let mut counting = Counting::default();
            for &(text, of) in part {
                counting.add(text, leads.contains(text), &self.kernels.told(of, &mask));
            }
            counting
        };
        for (_, of) in self.parts().flatten() {
            let english = self.kernels.told(of, &mask).english();
            sums.iter_mut().zip(english).for_each(|(sum, count)| *sum += count);
        }
        let (mut frequent, mut blocks) = (Vec::new(), BTreeMap::<u32, Weighing>::new());
        for counted in in_buckets(&self.parts().collect::<Vec<_>>(), |part| counting(part)) {
            let (some, answers) = counted.finish();
            frequent.extend(some);
            for (block, data) in answers {
                blocks.entry(block).or_insert_with(|| Weighing::new(block)).add(&data).unwrap();
            }
        }
        let weights = Weights::new(documents, english_share(sums), frequent);
        let mut sides = BTreeMap::new();
        for (text, of) in self.parts().flatten() {
            let block = blocks.entry(text / BLOCK).or_insert_with(|| Weighing::new(text / BLOCK));
            let told = self.kernels.told(of, &mask);
            sides.insert(text, block.weigh(&weights, text, leads.contains(text), &told).unwrap());
        }
        // Neighbours.
        let totals: Vec<u8> =
            sides.values().flat_map(|side| [side.rare_total, side.pair_total]).flat_map(u32::to_le_bytes).collect();
        let mut pairs = Vec::new();
        let mut shares: BTreeMap<u32, Vec<u16>> = BTreeMap::new();
        for (&text, side) in &sides {
            for (other, weight, share) in neighbours(text, &side.met, &totals).unwrap() {
                pairs.push((text, other, weight, share));
                [text, other].into_iter().for_each(|text| shares.entry(text).or_default().push(share));
            }
        }
        let best = |(text, mut of): (u32, Vec<u16>)| (text, usual_share(&mut of));
        let best: BTreeMap<u32, u16> = shares.into_iter().map(best).filter(|&(_, best)| best > 0).collect();
        let least = |text: u32| best.get(&text).copied().unwrap_or(0);
        pairs.retain(|&(left, right, _, share)| is_compared(share, least(left), least(right)));
        // Visits.
        const HOMES: u32 = 4;
        let mut visiting = Vec::new();
        for (left, right, pairs, share) in pairs {
            let is_left = guest(left, right, &totals);
            let (text, home) = if is_left { (left, right) } else { (right, left) };
            visiting.push((text, home % HOMES, Visit { home, pairs, share, is_left }));
        }
        visiting.sort_by_key(|(text, block, visit)| (*text, *block, visit.home));
        let mut visits = Visits::default();
        visiting.into_iter().for_each(|(text, block, visit)| visits.push(text, block, visit));
        visits.finish();
        let mut looked = Vec::new();
        for block in 0..HOMES {
            let mut beside = Beside::default();
            for text in (block..texts).step_by(HOMES as usize) {
                beside.add(text, &sides[&text].stems).unwrap();
            }
            for (text, _, data) in visits.done.iter().filter(|(_, of, _)| *of == block) {
                looked.extend(beside.look(*text, &sides[text].stems, data).unwrap());
            }
        }
        let crowded = |text: u32| best.get(&text).is_some_and(|&best| is_crowded(best));
        let mut mates = Vec::new();
        for of in &looked {
            let both = [(of.left, of.right, of.mates[0]), (of.right, of.left, of.mates[1])];
            let crowded = both.into_iter().filter(|&(text, ..)| crowded(text));
            mates.extend(crowded.map(|(text, other, mate)| (text, std::cmp::Reverse(of.share), other, mate)));
        }
        mates.sort_unstable();
        let mut usual = Usual::default();
        mates.into_iter().for_each(|(text, share, _, mate)| usual.push(text, share.0, mate));
        usual.finish();
        let shares: Vec<(u32, u16)> = best.iter().map(|(&text, &best)| (text, best)).collect();
        let kin: Vec<u8> = sides.values().map(|side| side.kin).collect();
        let usual = decider.usual(&shares, &usual.found, &kin);
        // Reading.
        let mut reading = Reading::default();
        let mut read = Vec::new();
        for of in &looked {
            let pair = (of.left, of.right, of.pairs);
            let Some(evidence) = worth_reading(pair, &of.evidence, (&totals, &usual)).unwrap() else { continue };
            let (left, right) = (self.side(of.left), self.side(of.right));
            let pair = Pair { left, right, evidence: &evidence, left_is_shorter: of.left_is_shorter };
            read.extend(reading.read(&self.kernels, &mask, &[pair]).unwrap());
        }
        let prior = decider.prior([&reading.counts()[..]].into_iter());
        self.known = Known { mask, usual, prior, sides };
        read
    }
}

impl Engine for Memory {
    fn closest(&self, crowds: &[Crowd], most: usize) -> Vec<Vec<(usize, u32)>> {
        let closest = |crowd: &Crowd| {
            let common = self.kernels.common_slots(crowd.sample.iter().map(|&text| self.side(text).1));
            let distance = |&text: &u32| (self.kernels.distance(self.side(text).1, &common), text);
            let mut closest: Vec<(usize, u32)> = crowd.texts.iter().map(distance).collect();
            closest.sort_unstable();
            closest.truncate(most);
            closest
        };
        crowds.iter().map(closest).collect()
    }

    fn compare(&self, pairs: &[(u32, u32)], glance: i32) -> Vec<Met> {
        let rows: Vec<Compare<'_>> =
            pairs.iter().map(|&(left, right)| Compare::new(self.side(left), self.side(right), glance)).collect();
        let compared = self.kernels.compare(&rows);
        let met = |(near, &(left, right)): (Option<[f32; 3]>, &(u32, u32))| Some(Met { left, right, near: near? });
        compared.into_iter().zip(pairs).rev().filter_map(met).collect()
    }

    fn overlaps(&self, texts: &[u8]) -> (Vec<(u32, u32, u32)>, Vec<u32>, usize) {
        let texts = Bits::new(texts.to_vec());
        let mut held = Vec::new();
        for (text, of) in self.parts().flatten().filter(|&(text, _)| texts.contains(text)) {
            let (fingerprints, words, needed) = self.kernels.fingerprints(of);
            held.extend(fingerprints.into_iter().map(|of| (of, words, text, needed)));
        }
        held.sort_unstable();
        let mut overlapping = Overlapping::default();
        held.into_iter().for_each(|(of, _, text, needed)| overlapping.push(of, Holder { text, needed }));
        overlapping.finish();
        let pairs = overlapping.pairs.into_iter().filter(|(_, overlap)| overlap.count >= overlap.needed);
        let pairs = pairs.map(|((shorter, longer), overlap)| (shorter, longer, overlap.count)).collect();
        (pairs, overlapping.common, overlapping.crowded)
    }

    fn direct(&self, pairs: &[(u32, u32)]) -> Vec<(usize, Direct)> {
        let Known { mask, usual, prior, sides } = &self.known;
        let full = |text: u32| {
            let Side { stems, rare, .. } = &sides[&text];
            Full { text, of: self.side(text).1, stems, rare }
        };
        let rows: Vec<(Full<'_>, Full<'_>)> = pairs.iter().map(|&(ours, theirs)| (full(ours), full(theirs))).collect();
        let found = self.kernels.direct(&rows, (mask, usual, *prior)).unwrap();
        found.into_iter().enumerate().rev().filter_map(|(at, direct)| Some((at, direct?))).collect()
    }

    fn side_by_side(&self, pairs: &[(u32, u32)]) -> Vec<(bool, [f32; 4])> {
        let rows: Vec<_> = pairs.iter().map(|&(removed, kept)| (self.side(removed), self.side(kept))).collect();
        self.kernels.side_by_side(&rows)
    }
}

/// A copy: ids of the representative, of itself and of the member it was judged with, its relation, and the bits of its similarity and of
/// its evidence.
type Found = BTreeSet<(String, String, Option<String>, String, u32, String)>;

/// Of a passage the ids and the places in characters of the host and of the source, its words, the bits of the share that is the same, who
/// else holds it, when the first did, and whether it is furniture.
type Passed = (String, Range<usize>, String, Range<usize>, usize, u32, usize, Vec<String>, Option<String>, bool);

/// What an engine finds, the ids of those that can go, and the passages.
fn by_kernels<A: Article>(builder: &DetectorBuilder, articles: &[A]) -> (Found, Vec<String>, Vec<Passed>) {
    let kernels = || kernels(builder);
    let wants_excerpts = kernels().wants_excerpts();
    let mut ordered: Vec<(&A, Numbered)> =
        articles.iter().map(|article| (article, kernels().numbered(article.text()))).collect();
    let date = |of: &A| wants_excerpts.then(|| seconds(of.date()));
    ordered.sort_by(|(a, of_a), (b, of_b)| {
        let key = |of: &Numbered, a: &A| (of.exact, of.words, date(a), of.hash, beside(a.date(), a.source()));
        a.id().cmp(b.id()).then(key(of_a, a).cmp(&key(of_b, b)))
    });
    let mut same: BTreeMap<[u64; 2], Vec<u32>> = BTreeMap::new();
    for (at, (_, numbered)) in (0..).zip(&ordered).filter(|(_, (_, numbered))| !numbered.is_refused) {
        same.entry(numbered.exact).or_default().push(at);
    }
    let copied = (0..).zip(same.values()).filter(|(_, of)| of.len() > 1);
    let numbers = Numbers {
        words: ordered.iter().map(|(_, numbered)| numbered.words).collect(),
        refused: ordered.iter().map(|(_, numbered)| numbered.is_refused).collect(),
        copied: copied.flat_map(|(same, of)| of.iter().map(move |&at| (same, at))).collect(),
        seconds: wants_excerpts.then(|| ordered.iter().map(|(of, _)| seconds(of.date())).collect()),
        outlets: wants_excerpts.then(|| ordered.iter().map(|(of, _)| of.source().map(outlet)).collect()),
        known: Some(ordered.iter().map(|(of, _)| of.is_known()).collect()),
    };
    let mut decider = Decider::new(kernels(), numbers);
    let distinct = Bits::new(decider.distinct());
    let texts = (0..).zip(&ordered).filter(|&(at, _)| distinct.contains(at)).map(|(_, (of, _))| of.text().into());
    let mut memory = Memory { kernels: kernels(), texts: texts.collect(), known: Known::default() };
    assert_eq!(memory.texts.len(), decider.texts());
    decider.near(memory.met(), &memory);
    if memory.kernels.detector.level == Level::Reworded {
        let read = memory.read(&decider);
        decider.reworded(read, memory.known.prior, &memory).unwrap();
    }
    let id = |at: usize| ordered[at].0.id().to_string();
    let row = |row: MemberRow| {
        let MemberRow { representative, article, via, relation, similarity, evidence, .. } = row;
        let (relation, evidence) = (relation.to_string(), format!("{evidence:?}"));
        (id(representative), id(article), via.map(id), relation, similarity.to_bits(), evidence)
    };
    let found = decider.members().into_iter().map(row).collect();
    let mut removed: Vec<String> = decider.removals(&memory).into_iter().map(id).collect();
    removed.sort_unstable();
    let row = |row: ExcerptRow| {
        let others = row.others.into_iter().map(id).collect();
        let (host, source, same) = (id(row.host), id(row.source), row.same.to_bits());
        let ExcerptRow { host_span, source_span, words, holders, date, is_furniture, .. } = row;
        (host, host_span, source, source_span, words, same, holders, others, date, is_furniture)
    };
    let excerpts = if wants_excerpts { memory.excerpts(&decider) } else { Vec::new() };
    let mut excerpts: Vec<Passed> = excerpts.into_iter().map(row).collect();
    excerpts.sort_by(|a, b| format!("{a:?}").cmp(&format!("{b:?}")));
    (found, removed, excerpts)
}

/// The same of a report on some articles.
fn of_report<A: Article>(report: &Report, articles: &[A]) -> (Found, Vec<String>, Vec<Passed>) {
    let mut found = Found::new();
    for cluster in report.clusters() {
        for member in cluster.members() {
            let (representative, relation) = (cluster.representative().id.to_string(), member.relation.to_string());
            let (via, evidence) = (member.via.as_ref().map(|via| via.id.clone()), format!("{:?}", member.evidence));
            found.insert((representative, member.id.to_string(), via, relation, member.similarity.to_bits(), evidence));
        }
    }
    let mut removed: Vec<String> = report.removals().iter().map(|removal| removal.id.to_string()).collect();
    removed.sort_unstable();
    let span = |of: &crate::ExcerptPlace| {
        let characters = |bytes: usize| articles[of.position].text()[..bytes].chars().count();
        characters(of.span.start)..characters(of.span.end)
    };
    let row = |of: &crate::Excerpt| {
        let (host, source, others) = (of.host.id.clone(), of.source.id.clone(), of.others.clone());
        let (words, same, holders) = (of.words, of.same.to_bits(), of.holders);
        let (date, is_furniture) = (of.date.clone(), of.is_furniture);
        (host, span(&of.host), source, span(&of.source), words, same, holders, others, date, is_furniture)
    };
    let mut excerpts: Vec<Passed> = report.excerpts().iter().map(row).collect();
    excerpts.sort_by(|a, b| format!("{a:?}").cmp(&format!("{b:?}")));
    (found, removed, excerpts)
}

/// Stories with copies of all kinds; fillings of a form, more than a bucket takes; a crowd of copies of one text, of which no two need be
/// alike; a chain; repeated ids, and texts of nothing.
fn articles(seed: u64, stories: u64, forms: u64, crowd: u64) -> Vec<(String, String)> {
    let random = |a: u64, b: u64| mix(mix(seed ^ a) ^ b);
    let word = |number: u64| {
        if number.is_multiple_of(7) { format!("N{:x}", number % 900) } else { format!("w{:x}", number % 3000) }
    };
    let plain = |story: u64, words: u64| (0..words).map(|at| word(random(story, at))).collect::<Vec<String>>();
    let changed = |words: &[String], salt: u64, percent: u64| -> Vec<String> {
        let change = |(at, old): (u64, &String)| {
            if random(salt, at) % 100 < percent { word(random(salt, at) >> 8) } else { old.clone() }
        };
        (0..).zip(words).map(change).collect()
    };
    let mut found = Vec::new();
    for story in 0..stories {
        let words = plain(story, 60 + random(story, 1) % 200);
        let mut add = |kind: &str, words: &[String]| found.push((format!("{story}{kind}"), words.join(" ")));
        add("a", &words);
        match story % 6 {
            0 => add("b", &words),
            1 => add("b", &changed(&words, story + 1000, 5)),
            2 => add(
                "b",
                &words.chunks(2).flat_map(|two| [&["so".into()], two, &["of the".into()]].concat()).collect::<Vec<_>>(),
            ),
            3 => add("b", &[plain(story + 5000, 150), words.clone(), plain(story + 6000, 150)].concat()),
            4 => {
                let mut link = words.clone();
                for copy in ["b", "c", "d", "e"] {
                    link = changed(&link, story + copy.len() as u64 + u64::from(copy.as_bytes()[0]), 14);
                    add(copy, &link);
                }
            }
            _ => {}
        }
    }
    let form = plain(1 << 20, 80);
    let original = plain(1 << 21, 150);
    found.extend((0..forms).map(|of| (format!("form{of}"), changed(&form, (1 << 22) + of, 12).join(" "))));
    found.extend((0..crowd).map(|of| (format!("crowd{of}"), changed(&original, (1 << 23) + of, 7).join(" "))));
    let again: Vec<(String, String)> =
        (0..9).map(|at| ("again".into(), found[at * 3].1.clone() + " They say")).collect();
    found.extend(again);
    found.extend(["", " ", "Two", "…"].map(|text| ("nothing".into(), text.into())));
    found.sort_by_key(|(id, text)| random(id.len() as u64, hash_bytes(text.as_bytes())));
    found
}

#[test]
fn an_engine_finds_what_a_detector_finds() {
    for (seed, builder) in [
        (1, Detector::builder()),
        (2, Detector::builder().level(Level::Near)),
        (3, Detector::builder().prior(0.4).confidence(0.3).removal_confidence(0.5)),
        (4, Detector::builder().representative(Representative::Longest).threshold(0.7).min_words(12)),
    ] {
        let articles = articles(seed, 60, 50, 40);
        let report = builder.clone().build().unwrap().find(&articles).unwrap();
        let expected = of_report(&report, &articles);
        assert!(expected.0.len() > 60, "{}", expected.0.len());
        let found = by_kernels(&builder, &articles);
        assert_eq!(found.0.symmetric_difference(&expected.0).next(), None, "{seed}");
        assert_eq!(found, expected, "{seed}");
    }
}

/// The same with passages that two to sixty of them hold, some as they are and some edited, with the footers of outlets, and with copies
/// of those that quote.
fn quoting(seed: u64) -> Vec<Story> {
    let random = |a: u64, b: u64| mix(mix(!seed ^ a) ^ b);
    let sentences = |of: u64, words: u64| -> Vec<String> {
        let word = |at: u64| match random(of, at) % 60_000 {
            number if at.is_multiple_of(9) => format!("Ün{number:x}."),
            number if number % 5 < 2 => ["the", "of", "and", "to", "in", "a", "was", "for"][number as usize % 8].into(),
            number => format!("w{number:x}"),
        };
        (0..words).map(word).collect()
    };
    let mut found: Vec<Story> = Vec::new();
    let mut add = |id: String, text: String| {
        let of = random(77, found.len() as u64);
        found.push(Story {
            id,
            text,
            date: (of % 4 > 0).then(|| format!("2024-{:02}-{:02}", 1 + of % 12, 1 + (of >> 8) % 28)),
            source: (of >> 16 & 7 > 0).then(|| format!("outlet {}", (of >> 24) % 14)),
            is_known: of >> 40 & 15 == 0,
        });
    };
    let holders = [2, 3, 4, 3, 2, 4, 5, 2, 9, 3, 4, 2, 30, 3, 50];
    for (passage, holders) in (0..).zip(holders) {
        let quoted = sentences(1 << 30 | passage, 45 + random(3, passage) % 60);
        for holder in 0..holders {
            let of = passage << 8 | holder;
            let changed = |(at, word): (usize, &String)| match random(of, at as u64) % 100 {
                0..4 if holder % 3 == 1 => "else".into(),
                _ => word.clone(),
            };
            let quoted = quoted.iter().enumerate().map(changed).collect();
            // Who writes on one event has words in common; others quote a passage alone.
            let topic = sentences(1 << 32 | passage, 60);
            let around = |part: u64| -> Vec<String> {
                let mut words = sentences(of << 4 | part, 40 + random(of, part) % 90);
                if passage % 3 > 0 {
                    let at = |at: usize| random(of << 4 | part, 1 << 20 | at as u64) as usize % topic.len();
                    (0..words.len()).step_by(2).for_each(|word| words[word].clone_from(&topic[at(word)]));
                }
                words
            };
            let footer = if holder % 4 == 3 { sentences((1 << 31) | (of % 3), 50) } else { Vec::new() };
            let mut parts = [around(1), quoted, around(2), footer].concat();
            add(format!("quote {passage} {holder}"), parts.join(" "));
            if holder % 5 == 2 {
                parts.splice(8..10, ["quite".into()]);
                add(format!("again {passage} {holder}"), parts.join(" "));
            }
        }
    }
    articles(seed, 20, 20, 12).into_iter().for_each(|(id, text)| add(id, text));
    found.sort_by_key(|of| random(of.id.len() as u64, hash_bytes(of.text.as_bytes())));
    found
}

#[test]
fn an_engine_finds_the_excerpts_that_a_detector_finds() {
    for (seed, builder) in [
        (1, Detector::builder().excerpts(Excerpts::Find)),
        (2, Detector::builder().excerpts(Excerpts::FindAll).level(Level::Near)),
        (3, Detector::builder().excerpts(Excerpts::FindAll).representative(Representative::Earliest)),
    ] {
        let articles = quoting(seed);
        let report = builder.clone().build().unwrap().find(&articles).unwrap();
        let expected = of_report(&report, &articles);
        assert!(expected.2.len() > 16, "{}", expected.2.len());
        assert!(expected.2.iter().any(|of| !of.7.is_empty()) && expected.2.iter().any(|of| of.5 != 1f32.to_bits()));
        let found = by_kernels(&builder, &articles);
        assert_eq!(found.2, expected.2, "{seed}");
        assert_eq!(found, expected, "{seed}");
    }
}

/// The features of texts that come in parts, by bucket, with all that hold them.
fn in_buckets<P>(parts: &[P], counting: impl Fn(&P) -> Counting) -> impl Iterator<Item = Counted> {
    let often: HashSet<u64> = parts.iter().flat_map(|part| counting(part).frequent()).collect();
    let mut buckets: BTreeMap<u32, Counted> = BTreeMap::new();
    for (bucket, data) in parts.iter().flat_map(|part| counting(part).buckets(&often, 5)) {
        buckets.entry(bucket).or_default().add(&data).unwrap();
    }
    buckets.into_values()
}

/// How many documents hold each feature that several texts have, by its code, counted in parts; with each text comes whether it counts
/// as a document.
fn held_in_parts(kernels: &Kernels, parts: &[Vec<(u32, &str, bool)>]) -> BTreeMap<u64, u8> {
    let mask = Masked::default();
    let counting = |part: &Vec<(u32, &str, bool)>| {
        let mut counting = Counting::default();
        part.iter().for_each(|&(text, of, counts)| counting.add(text, counts, &kernels.told(of, &mask)));
        counting
    };
    let mut held = BTreeMap::new();
    for counted in in_buckets(parts, counting) {
        let (frequent, answers) = counted.finish();
        held.extend(frequent);
        for (_, data) in answers {
            let (mut packed, mut feature) = (Packed(&data), 0);
            while !packed.is_empty() {
                feature = packed.feature_after(feature).unwrap();
                held.insert(feature, packed.byte().unwrap());
                for _lists in 0..2 {
                    for _ in 0..packed.int().unwrap() {
                        packed.int().unwrap();
                    }
                }
            }
        }
    }
    held
}

proptest! {
    #[test]
    fn frequencies_of_parts_add_up(
        texts in prop::collection::vec(("([a-e][f-i][a-d] ){1,9}", any::<bool>(), 0..PARTS), 1..120),
    ) {
        let kernels = kernels(&Detector::builder());
        let mut parts = vec![Vec::new(); PARTS];
        for (number, (text, counts, part)) in (0..).zip(&texts) {
            parts[*part].push((number, &text[..], *counts));
        }
        let in_parts = held_in_parts(&kernels, &parts);
        prop_assert_eq!(&in_parts, &held_in_parts(&kernels, &[parts.concat()]));
        let budget = Budget::unlimited();
        let tokens: Vec<Vec<Token>> = texts.iter().map(|(text, ..)| kernels.single(text).tokens).collect();
        let whole = Frequencies::of(&token_chunks(&tokens, &budget), |text| texts[text].1, &budget).unwrap();
        prop_assert_eq!(in_parts, whole.iter().collect::<BTreeMap<u64, u8>>());
    }
}

#[test]
fn what_an_engine_cannot_have_is_refused() {
    for builder in [
        Detector::builder().search(Search::Exhaustive),
        Detector::builder().near_misses(0.3),
        Detector::builder().representative(Representative::First),
    ] {
        assert!(Kernels::new(builder.build().unwrap()).is_err());
    }
}

#[test]
fn a_bucket_too_large_for_a_task_is_split_as_any_other() {
    let kernels = kernels(&Detector::builder());
    let texts = LARGEST as u32 + 300;
    // Of sixteen rows the first few differ.
    let rows = |text: u32| {
        (0..16u32)
            .flat_map(|row| (mix(text.into()) as u32 >> (2 * row.min(4)) & 3).to_le_bytes())
            .collect::<Box<[u8]>>()
    };
    let pairs_of = |texts: &[u32], largest: bool| {
        let mut buckets = Buckets::default();
        let depth = kernels.detector.near.growth.rows as i32;
        let mut queue: Vec<(Bucket, u32)> =
            texts.iter().map(|&text| (Bucket { path: 7, round: 0, depth, rows: rows(text) }, text)).collect();
        let mut levels = 0;
        while !queue.is_empty() {
            queue.sort_by_key(|(bucket, text)| (bucket.path, *text));
            queue.drain(..).for_each(|(bucket, text)| buckets.push(&kernels, text, bucket));
            buckets.finish(&kernels);
            queue = std::mem::take(&mut buckets.deeper);
            levels += 1;
        }
        assert_eq!(levels > 1, largest);
        buckets.pairs.into_iter().collect::<BTreeSet<_>>()
    };
    let all: Vec<u32> = (0..texts).collect();
    let found = pairs_of(&all, true);
    let mut met = crate::candidates::Meetings::default();
    let growth = kernels.detector.near.growth;
    met.in_bucket(&all, growth.rows, &growth, |text, depth| {
        u32::from_le_bytes(rows(text).as_chunks().0[depth - growth.rows])
    });
    let expected: BTreeSet<_> = met.pairs.into_iter().map(|(left, right)| (left, right, 0)).collect();
    assert_eq!(found, expected);
    pairs_of(&all[..LARGEST], false);
}

proptest! {
    #[test]
    fn ranks_count_lower_numbers(numbers in prop::collection::btree_set(0u32..300, 0..200)) {
        let bits = Bits::new(Bits::of(300, |number| numbers.contains(&(number as u32))));
        for number in 0..300 {
            prop_assert_eq!(bits.contains(number), numbers.contains(&number));
            prop_assert_eq!(bits.rank(number) as usize, numbers.range(..number).count());
        }
    }
}
