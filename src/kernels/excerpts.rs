//! Excerpts: the fingerprints of all texts to pairs that share some, to those of these that are read, and to the passages that are told.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::near::{Overlap, Two};
use super::packed::{Broken, Packed, put};
use super::{Bits, Kernels, Masked};
use crate::excerpts::{self, Choice, Match, Spot};
use crate::fingerprints::{self, Shared};
use crate::furniture::Furniture;
use crate::options::Excerpts;
use crate::passages::Stretch;
use crate::report::ExcerptKind;

/// So many fingerprints two texts must share to be read.
pub const NEEDED: u32 = excerpts::NEEDED;

impl Kernels {
    /// Whether excerpts are looked for.
    pub fn wants_excerpts(&self) -> bool {
        self.detector.excerpts != Excerpts::Ignore
    }

    /// All fingerprints of a text but those that the one has that speaks for it, if another one does; and so many words.
    pub fn all_fingerprints(&self, text: &str, speaker: Option<&str>) -> (Vec<u32>, u32) {
        let (single, speaker) = (self.single(text), speaker.map(|text| self.single(text).fingerprints));
        (fingerprints::lacking(&single.fingerprints, speaker.as_deref()).collect(), single.words)
    }

    /// The passages of pairs of texts, of which the first is the shorter one, each pair with whether it shares what a crowd shares. They are
    /// for [`Decider::excerpts`](super::Decider::excerpts), with places in characters; nothing where there are none.
    pub fn passages(&self, rows: &[(Two<'_>, bool)], mask: &Masked) -> Vec<Vec<u8>> {
        let texts: BTreeMap<u32, &str> = rows.iter().flat_map(|&((left, right), _)| [left, right]).collect();
        let signed = texts.iter().map(|(&text, &of)| (text, of, self.single(of).fingerprints));
        let furniture = Furniture::of_some(&mask.0, signed, self.detector.admission.shingle);
        let retells = self.detector.retelling();
        let mut last = None;
        let passages = |&(((shorter, source), (longer, host)), is_crowded): &(Two<'_>, bool)| {
            let side = match last.take() {
                Some((text, side)) if text == shorter => side,
                _ => excerpts::read(source),
            };
            let pair = Shared { shorter, longer, count: 0, is_crowded };
            let how = (&furniture, retells.as_deref());
            let (matches, side) = excerpts::passages(&pair, (host, source), side, how);
            last = Some((shorter, side));
            let mut bytes = Vec::new();
            matches.iter().for_each(|found| put_match(&mut bytes, found, [host, source]));
            bytes
        };
        rows.iter().map(passages).collect()
    }
}

/// What is the case of a match, a bit each.
const EDGE: u8 = 1;
const LIST: u8 = 2;
const ON_PAGES: u8 = 4;
const CROWDED: u8 = 8;
const REWORDED: u8 = 16;
const SPOKEN_OF: u8 = 32;
const SIGN_OFF: u8 = 64;

fn put_match(bytes: &mut Vec<u8>, found: &Match, texts: [&str; 2]) {
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    bytes.push(
        flag(found.is_edge, EDGE)
            | flag(found.is_list, LIST)
            | flag(found.is_on_pages, ON_PAGES)
            | flag(found.is_crowded, CROWDED)
            | flag(found.kind == ExcerptKind::Reworded, REWORDED)
            | flag(found.is_spoken_of, SPOKEN_OF)
            | flag(found.is_sign_off, SIGN_OFF),
    );
    for (Spot { words, span, .. }, text) in found.spots.iter().zip(texts) {
        let before = text[..span.start].chars().count();
        let inside = text[span.clone()].chars().count();
        [words.0 as usize, (words.1 - words.0) as usize, before, inside]
            .into_iter()
            .for_each(|number| put(bytes, number as u64));
    }
    [found.same, found.related].into_iter().for_each(|share| bytes.extend(share.to_bits().to_le_bytes()));
}

/// What [`Kernels::passages`] found in two texts.
pub(super) fn matches(shorter: u32, longer: u32, bytes: &[u8]) -> Result<Vec<Match>, Broken> {
    let (mut packed, mut found) = (Packed(bytes), Vec::new());
    while !packed.is_empty() {
        let flags = packed.byte()?;
        let mut spot = |text: u32| {
            let (first, count) = (packed.int()?, packed.int()?);
            let words: Stretch = (first, first.checked_add(count).ok_or(Broken)?);
            let (before, inside) = (packed.int()? as usize, packed.int()? as usize);
            Ok(Spot { text, words, span: before..before + inside })
        };
        let spots = [spot(longer)?, spot(shorter)?];
        found.push(Match {
            spots,
            kind: if flags & REWORDED != 0 { ExcerptKind::Reworded } else { ExcerptKind::Verbatim },
            same: packed.float()?,
            related: packed.float()?,
            is_edge: flags & EDGE != 0,
            is_list: flags & LIST != 0,
            is_on_pages: flags & ON_PAGES != 0,
            is_crowded: flags & CROWDED != 0,
            is_spoken_of: flags & SPOKEN_OF != 0,
            is_sign_off: flags & SIGN_OFF != 0,
        });
    }
    Ok(found)
}

/// Takes pairs of texts with how many fingerprints they share, in the order of the shorter ones and then of the longer ones, each pair in
/// as many parts as there are, and chooses those that are read.
#[derive(Default)]
pub struct Choosing {
    choice: Choice,
    pair: Option<((u32, u32), Overlap)>,
    /// The shorter and the longer text, and whether they share what a crowd shares.
    pub chosen: Vec<(u32, u32, bool)>,
}

impl fmt::Debug for Choosing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Choosing").field("pair", &self.pair).finish_non_exhaustive()
    }
}

impl Choosing {
    /// Takes a part of a pair. Pairs are chosen by the story of each text, four bytes each, and by which texts are known.
    pub fn push(&mut self, pair: (u32, u32), part: Overlap, stories: &[u8], known: &Bits) {
        match &mut self.pair {
            Some((at_hand, all)) if *at_hand == pair => {
                all.count += part.count;
                all.crowded += part.crowded;
            }
            _ => {
                self.finish(stories, known);
                self.pair = Some((pair, part));
            }
        }
    }

    /// The pair at hand is complete.
    pub fn finish(&mut self, stories: &[u8], known: &Bits) {
        let Some(((shorter, longer), Overlap { count, crowded, needed })) = self.pair.take() else { return };
        let is_crowded = fingerprints::is_crowded(count as usize, crowded.min(count) as usize);
        let story =
            |text: u32| stories.as_chunks().0.get(text as usize).map_or(0, |&of| u32::from_le_bytes(of) as usize);
        let pair = Shared { shorter, longer, count, is_crowded };
        if count >= needed && self.choice.takes(&pair, story, |text| known.contains(text)) {
            self.chosen.push((shorter, longer, is_crowded));
        }
    }
}

/// A passage that one article took from another one, by the numbers of the articles.
#[derive(Clone, Debug, PartialEq)]
pub struct ExcerptRow {
    pub host: usize,
    /// In characters.
    pub host_span: Range<usize>,
    pub source: usize,
    pub source_span: Range<usize>,
    pub words: usize,
    pub kind: ExcerptKind,
    pub same: f32,
    pub holders: usize,
    pub others: Vec<usize>,
    pub date: Option<String>,
    pub is_furniture: bool,
}
