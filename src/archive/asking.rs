//! An article that is asked about to those that tell what it tells, as copies or in a passage: candidates by what they share, each
//! judged by the census.

use std::borrow::Cow;
use std::cmp::Reverse;

use rayon::prelude::*;

use super::counted::Counted;
use super::keys::{BANDS, EXACT, FINGERPRINTS, Kept, PAIRS, asks_bands, telling_words};
use super::{Answer, ArchiveReader, ExcerptMatch, Match, Signed, string, text};
use crate::articles::Article;
use crate::census::{Asked, Comparing, MayBe, Other};
use crate::date;
use crate::error::{Error, Result};
use crate::excerpts::{self, Choice, Found, Hints, Known};
use crate::fingerprints::{self, Sample, Shared};
use crate::furniture::Furniture;
use crate::near::Compared;
use crate::options::Excerpts;
use crate::records::{self, Among, Snapshot};
use crate::report::Relation;
use crate::sign::{Scratch, Single, Views};
use crate::sketch::Sketch;
use crate::verify;

/// Articles that hold a key: more are a crowd.
const MOST_HOLDERS: usize = 40;

/// The same of pairs of words, of which the census says how many documents hold them, edited copies left out: each of these may have some.
const MOST_HOLDERS_OF_PAIRS: usize = 4 * MOST_HOLDERS;

/// So many candidates of each kind are compared with an article, those that share most with it.
const MOST_CANDIDATES: usize = 48;

/// A key of a crowd may be of a story that everybody prints, or of the page: so many of the first that hold it are looked at.
const OF_CROWD: usize = 12;

/// So many candidates of each kind that share keys of crowds are compared with an article, besides the others.
const MOST_OF_CROWDS: usize = 3 * OF_CROWD;

/// Records that are not worth another thread.
const RECORDS_A_TASK: usize = 8;

/// Texts that are not worth another thread.
const TEXTS_A_TASK: usize = 4;

/// Articles that share so many fingerprints may be edited copies, or one a part of the other.
const LEAST_FINGERPRINTS: u32 = 2;

/// Texts of fewer words are short: they have few fingerprints.
const SHORT: u32 = 64;

impl ArchiveReader {
    /// What the articles of a snapshot tell of an article.
    pub(super) fn sign_and_ask(
        &self,
        snapshot: &Snapshot,
        article: &dyn Article,
        excerpts: Excerpts,
    ) -> Result<Answer> {
        // A thread of the pool is waited for once, and not for each of the parts below.
        rayon::scope(|_| self.ask_in(snapshot, article, self.signed(article.text(), &mut Scratch::default()), excerpts))
    }

    /// The same of one that is signed already.
    pub(super) fn ask_in(
        &self,
        snapshot: &Snapshot,
        article: &dyn Article,
        Signed { told, single: signed, keys }: Signed<'_>,
        excerpts: Excerpts,
    ) -> Result<Answer> {
        let (counted, date) = (self.counted(), article.date().and_then(date::seconds));
        let mut answer = Answer { matches: Vec::new(), excerpts: Vec::new(), census: counted.number, skipped: None };
        let comparing = self.detector.comparing();
        answer.skipped = self.detector.refuse(&signed);
        if answer.skipped.is_some() {
            return Ok(answer);
        }
        let among = Among { dates: self.detector.dates_within(date), ..Among::default() };
        // What is in the archive is asked for as it was counted.
        let exact = snapshot.postings(EXACT, keys[EXACT][0], MOST_HOLDERS)?.0;
        let usual = exact.iter().find_map(|&number| Some(counted.of(number)?.usual));
        let telling = telling_words(signed.words, keys[FINGERPRINTS].len());
        // Half of the fingerprints find copies, but where there are few.
        let of_copies = if telling < signed.words { Sample::All } else { Sample::Half };
        let sample = if excerpts == Excerpts::Ignore { of_copies } else { Sample::All };
        let by_bands = asks_bands(&self.detector, telling);
        // Each of the two mostly waits for memory and for files.
        let (edited, (asked, reworded)) = rayon::join(
            || {
                let mut edited = match among.dates {
                    None => exact,
                    Some(_) => snapshot.postings_among(EXACT, keys[EXACT][0], &among, MOST_HOLDERS)?.0,
                };
                let mut met = Met::new(snapshot, &among, &keys[FINGERPRINTS], (of_copies, sample))?;
                edited.extend(met.copies());
                if by_bands {
                    let bands = sharing(snapshot, &among, BANDS, &keys[BANDS], |_| 1)?;
                    // Of longer texts two unrelated ones often share one of so many bands, and edited copies share fingerprints as well.
                    let least = if telling < SHORT { 1 } else { 2 };
                    edited.extend(bands.best(|_, shared| shared >= least));
                }
                Ok::<_, Error>((edited, met))
            },
            || {
                let asked = counted.census.ask(comparing, (&told, signed), usual);
                let by = |among: &Among| reworded(snapshot, among, &counted, &asked);
                let reworded = match among.dates {
                    None => by(&among),
                    // Articles of all dates show what is usual.
                    Some(_) => by(&among).and_then(|of_dates| Ok([of_dates, by(&Among::default())?].concat())),
                };
                (asked, reworded)
            },
        );
        let (edited, met) = edited?;
        let candidates = candidates(edited, reworded?);
        let records = candidates.par_iter().with_min_len(RECORDS_A_TASK).map(|&(number, _)| snapshot.record(number));
        let records: Vec<Option<records::Stored>> = records.collect::<Result<_>>()?;
        let others: Option<Vec<Other<'_>>> =
            candidates.iter().zip(&records).map(|(of, record)| counted.other(*of, record.as_ref()?)).collect();
        let others = others.ok_or_else(|| self.no_sketch())?;
        let copies = asked.copies(&others, &|at| self.read(snapshot, candidates[at].0, &others[at].sketch))?;
        let is_within = |record: &records::Stored| self.detector.are_within(date, record.date());
        let mut told = Vec::with_capacity(copies.len());
        for Compared { right, relation, similarity, evidence, .. } in copies {
            let number = candidates[right as usize].0;
            let (Some(relation), Some(record)) = (relation, &records[right as usize]) else { continue };
            told.push(number);
            if !is_within(record) {
                continue;
            }
            answer.matches.push(Match {
                number,
                id: string(record.id()),
                source: record.source().map(string),
                date: record.date().map(date::shown),
                relation,
                similarity,
                evidence: (relation != Relation::Exact).then_some(evidence),
                is_estimated: relation != Relation::Exact && self.kept == Kept::Transcripts,
            });
        }
        answer.matches.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.number.cmp(&b.number)));
        if excerpts != Excerpts::Ignore {
            let read = |number: u64| match candidates.binary_search_by_key(&number, |&(number, _)| number) {
                Ok(at) => Ok(records[at].clone()),
                Err(_) => snapshot.record(number),
            };
            let mut holders = Vec::new();
            for of in met.holders(&told) {
                holders.extend(read(of.number)?.filter(is_within).map(|record| (of, record)));
            }
            let own = (article.text(), &asked.signed, article.source(), date);
            answer.excerpts = self.excerpts(snapshot, &counted, own, &holders, excerpts)?;
        }
        Ok(answer)
    }

    /// The passages that a text, which is signed already, of a source and a time, shares with others.
    fn excerpts(
        &self,
        snapshot: &Snapshot,
        counted: &Counted,
        (own, signed, source, date): (&str, &Single, Option<&str>, Option<i64>),
        records: &[(Holder, records::Stored)],
        wanted: Excerpts,
    ) -> Result<Vec<ExcerptMatch>> {
        let Comparing { views: Views { shingle, .. }, near, .. } = self.detector.comparing();
        let sketches: Option<Vec<Sketch<'_>>> = records.iter().map(|(_, of)| Sketch::read(of.sketch())).collect();
        let sketches = sketches.ok_or_else(|| self.no_sketch())?;
        // An outlet has the number of the first text that appeared in it.
        let outlets: Vec<Option<&[u8]>> =
            [source.map(str::as_bytes)].into_iter().chain(records.iter().map(|(_, of)| of.source())).collect();
        let first = |of: &[u8]| (0..).zip(&outlets).find(|(_, other)| **other == Some(of)).map(|(first, _)| first);
        let outlet = |at: usize| outlets[at].and_then(first);
        let mut known =
            vec![Known { text: own.into(), words: signed.words, story: 0, source: outlet(0), seconds: date }];
        let mut shared = Vec::new();
        for (at, ((of, record), sketch)) in (1..).zip(records.iter().zip(&sketches)) {
            // Exact and edited copies of each other, by their sketches, tell one story.
            let copies = |other: &Sketch<'_>| sketch.equal_share(other) >= near.rule.jaccard;
            let story = sketches[..at - 1].iter().position(copies).map_or(at, |first| known[first + 1].story);
            let (words, seconds) = (sketch.words, record.date());
            known.push(Known { text: "".into(), words, story, source: outlet(at), seconds });
            let is_shorter = sketch.words < signed.words;
            let (shorter, longer) = if is_shorter { (at as u32, 0) } else { (0, at as u32) };
            shared.push(Shared { shorter, longer, count: of.count, is_crowded: of.is_crowded });
        }
        shared.sort_unstable_by_key(|pair| (pair.shorter, pair.longer));
        let mut choice = Choice::default();
        shared.retain(|pair| choice.takes(pair, |text| known[text as usize].story, |_| false));
        let retells = self.detector.retelling();
        let other = |pair: &Shared| pair.shorter.max(pair.longer) as usize;
        // Most others share words here and there and no passage word for word: their words tell that.
        let words = (retells.is_none() && !shared.is_empty()).then(|| Hints::of_words(own));
        let read = |pair: &Shared| {
            let text = text(snapshot, records[other(pair) - 1].0.number)?;
            let may_share = words.as_ref().is_none_or(|words| words.may_have_passage_in(&text));
            Ok(may_share.then_some((*pair, text)))
        };
        let texts: Vec<Option<(Shared, String)>> =
            shared.par_iter().with_min_len(TEXTS_A_TASK).map(read).collect::<Result<_>>()?;
        shared.clear();
        for (pair, text) in texts.into_iter().flatten() {
            known[other(&pair)].text = text.into();
            shared.push(pair);
        }
        if shared.is_empty() {
            return Ok(Vec::new());
        }
        let read = |text: u32| Cow::Borrowed(&*known[text as usize].text);
        let furniture = Furniture::by_mask(counted.census.mask.clone(), known.len(), read, shingle);
        let how = (&furniture, retells.as_deref());
        let found = excerpts::of_first(&known, &shared, how, wanted == Excerpts::FindAll);
        let number = |text: u32| records[text as usize - 1].0.number;
        let tell = |found: Found| {
            let (words, kind, same, holders, is_furniture) =
                (found.words as usize, found.kind, found.same, found.holders, found.is_furniture);
            let others = found.others.iter().filter(|&&text| text > 0).map(|&text| number(text)).collect();
            let [own, other] = found.of_first();
            let record = &records[other.text as usize - 1].1;
            ExcerptMatch {
                number: number(other.text),
                id: string(record.id()),
                source: record.source().map(string),
                date: record.date().map(date::shown),
                span: own.span,
                archived_span: other.span,
                words,
                kind,
                same,
                holders,
                others,
                is_furniture,
            }
        };
        let mut told: Vec<ExcerptMatch> = found.into_iter().map(tell).collect();
        told.sort_by_key(|told| (told.span.start, told.number, told.archived_span.start));
        Ok(told)
    }
}

/// An article that shares fingerprints with one that is asked about: how many, and whether very many articles hold most of these.
struct Holder {
    number: u64,
    count: u32,
    is_crowded: bool,
}

/// The articles that hold fingerprints of one that is asked about.
struct Met {
    /// By the fingerprints that copies are looked for by; a copy shares at least so many of them.
    copies: Sharing,
    least: u32,
    /// One for each fingerprint and article, and whether very many hold it, of which the first ones are told; ascending.
    all: Vec<(u64, bool)>,
}

impl Met {
    /// Looks up a sample of the fingerprints of an article; copies are looked for by another sample of these.
    fn new(
        snapshot: &Snapshot,
        among: &Among,
        fingerprints: &[u64],
        (of_copies, sample): (Sample, Sample),
    ) -> Result<Self> {
        let is_of = |sample: Sample, key: u64| sample.keeps(key as u32);
        let asked: Vec<u64> = fingerprints.iter().copied().filter(|&key| is_of(sample, key)).collect();
        let least = if of_copies == Sample::All && fingerprints.len() == 1 { 1 } else { LEAST_FINGERPRINTS };
        let mut met = Self { copies: Sharing::default(), least, all: Vec::new() };
        snapshot.look_up_among(FINGERPRINTS, &asked, among, MOST_HOLDERS, |at, numbers, is_all| {
            if is_of(of_copies, asked[at]) {
                met.copies.meet(numbers, is_all, 1);
            }
            if sample == Sample::All {
                let told = if is_all { numbers.len() } else { excerpts::OF_CROWD };
                met.all.extend(numbers.iter().take(told).map(|&number| (number, !is_all)));
            }
            Ok(())
        })?;
        met.all.sort_unstable();
        Ok(met)
    }

    /// The articles that may be edited copies.
    fn copies(&mut self) -> Vec<u64> {
        let least = self.least;
        std::mem::take(&mut self.copies).best(|_, shared| shared >= least)
    }

    /// Those that share most fingerprints with the article, ascending, without some.
    fn holders(&self, without: &[u64]) -> Vec<Holder> {
        let of_one = self.all.chunk_by(|a, b| a.0 == b.0);
        let holder = |of: &[(u64, bool)]| {
            let is_crowded = fingerprints::is_crowded(of.len(), of.iter().filter(|of| of.1).count());
            Holder { number: of[0].0, count: of.len() as u32, is_crowded }
        };
        let mut all: Vec<Holder> = of_one.map(holder).collect();
        all.retain(|of| of.count >= LEAST_FINGERPRINTS && !without.contains(&of.number));
        all.sort_by_key(|of| (Reverse(of.count), of.number));
        all.truncate(MOST_CANDIDATES);
        all.sort_unstable_by_key(|of| of.number);
        all
    }
}

/// The articles that may be rewordings of one that is asked about, by the rare pairs of words that they share with it.
fn reworded(snapshot: &Snapshot, among: &Among, counted: &Counted, asked: &Asked<'_>) -> Result<Vec<u64>> {
    // What is rare is not known before the first census.
    let (alone, others): (Vec<_>, Vec<_>) =
        asked.pairs().filter(|_| counted.number > 0).partition(|&(.., is_alone)| is_alone);
    let by_pairs = |pairs: &[(u64, u8, bool)], among: &Among| {
        let keys: Vec<u64> = pairs.iter().map(|&(pair, ..)| pair).collect();
        sharing(snapshot, among, PAIRS, &keys, |at| pairs[at].1.into())
    };
    let mut alike = by_pairs(&others, among)?;
    let alike_alone = by_pairs(&alone, &Among { since: counted.end(), ..among.clone() })?;
    alike.few.extend(alike_alone.few);
    alike.crowd.extend(alike_alone.crowd);
    let (total, usual) = (asked.pair_total(), asked.usual().unwrap_or(0.0));
    // With less no pair of words is shared that says anything, unless the other article is far poorer.
    let is_enough = |number: u64, weight: u32| {
        verify::share_enough_pairs(weight, (total, total), usual)
            || counted.of(number).is_some_and(|theirs| {
                let usual = usual.min(theirs.usual);
                verify::share_enough_pairs(weight, (total, theirs.head.totals.pairs.min(total)), usual)
            })
    };
    Ok(alike.best(is_enough))
}

/// The articles to compare with one that is asked about, ascending, and why.
fn candidates(edited: Vec<u64>, reworded: Vec<u64>) -> Vec<(u64, MayBe)> {
    let mut all: Vec<(u64, MayBe)> = edited.into_iter().map(|number| (number, MayBe::Edited)).collect();
    all.extend(reworded.into_iter().map(|number| (number, MayBe::Reworded)));
    all.sort_unstable_by_key(|&(number, may_be)| (number, may_be == MayBe::Reworded));
    all.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same && later.1 != first.1 {
            first.1 = MayBe::Either;
        }
        same
    });
    all
}

/// The articles that hold keys of one that is asked about, one for each, and what it weighs.
#[derive(Default)]
struct Sharing {
    few: Vec<(u64, u32)>,
    /// The first of those that hold a key of a crowd. They are kept apart: what the page has in common must not push out copies.
    crowd: Vec<(u64, u32)>,
}

/// The articles that hold some of these keys.
fn sharing(
    snapshot: &Snapshot,
    among: &Among,
    kind: usize,
    keys: &[u64],
    weight: impl Fn(usize) -> u32,
) -> Result<Sharing> {
    let mut met = Sharing::default();
    let most = if kind == PAIRS { MOST_HOLDERS_OF_PAIRS } else { MOST_HOLDERS };
    snapshot.look_up_among(kind, keys, among, most, |at, numbers, is_all| {
        met.meet(numbers, is_all, weight(at));
        Ok(())
    })?;
    Ok(met)
}

impl Sharing {
    /// Takes the articles that hold a key, or the first of them.
    fn meet(&mut self, numbers: &[u64], is_all: bool, weight: u32) {
        let (to, told) = if is_all { (&mut self.few, numbers.len()) } else { (&mut self.crowd, OF_CROWD) };
        to.extend(numbers.iter().take(told).map(|&number| (number, weight)));
    }

    /// The articles that share most and enough, of equals the first.
    fn best(self, is_enough: impl Fn(u64, u32) -> bool) -> Vec<u64> {
        let best = |mut met: Vec<(u64, u32)>, most: usize| {
            met.sort_unstable();
            // Each article once, with all that it shares.
            met.dedup_by(|later, first| {
                let same = later.0 == first.0;
                first.1 += if same { later.1 } else { 0 };
                same
            });
            met.retain(|&(number, weight)| is_enough(number, weight));
            met.sort_by_key(|&(number, weight)| (Reverse(weight), number));
            met.into_iter().take(most).map(|(number, _)| number)
        };
        best(self.few, MOST_CANDIDATES).chain(best(self.crowd, MOST_OF_CROWDS)).collect()
    }
}
