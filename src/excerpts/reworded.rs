//! Runs of words that two texts share, too few for a passage, to stretches of both that tell the same in other words.
//!
//! Whoever retells a passage leaves names and turns of phrase as they are. Where such runs stand close together in both texts, what is
//! around them is held sentence against sentence, and what comes of it is judged as two texts by themselves.

use std::ops::Range;

use crate::passages::{PassageKind, Run, Side, Sides, Stretch, shared_passages};

use super::{Block, LONG, both, is_whole, len};

/// Whether the one text tells the other, of which both are parts of texts.
pub(crate) type Retells<'a> = &'a (dyn Fn(&str, &str) -> bool + Sync);

/// The same, of its own.
pub(crate) type Retelling<'a> = Box<dyn Fn(&str, &str) -> bool + Sync + 'a>;

/// The least words of a chain of runs.
const CHAINED: u32 = 18;

/// The most words between two runs of a chain in the host, and in the source, where they may have another order.
const APART: u32 = 30;
const ASIDE: u32 = 60;

/// What is looked at before and after a chain, in words of the host and of the source.
const AROUND: u32 = 40;
const AROUND_IN_SOURCE: u32 = 60;

/// Chains that a run may continue.
const OPEN: usize = 4;

/// Chains of two texts that are looked at.
const MOST_CHAINS: usize = 8;

/// The most words between two pieces of one passage in the host.
const GAP: u32 = 12;

/// Of the words of a passage so many tenths are told.
const TOLD: u32 = 7;

/// Runs that stand close together in both texts.
struct Chain {
    left: Stretch,
    right: Stretch,
    words: u32,
}

impl Chain {
    fn new(run: &Run) -> Self {
        Self { left: (run.left, run.left + run.len), right: (run.right, run.right + run.len), words: run.len }
    }

    /// Takes a run that follows in the host, if it is close.
    fn take(&mut self, run: &Run) -> bool {
        let (start, end) = (run.right, run.right + run.len);
        let is_close = run.left <= self.left.1 + APART && start <= self.right.1 + ASIDE && self.right.0 <= end + ASIDE;
        if is_close {
            self.left.1 = run.left + run.len;
            self.right = (self.right.0.min(start), self.right.1.max(end));
            self.words += run.len;
        }
        is_close
    }
}

/// The chains of runs that stand in none of some passages, all in the order of the left text.
fn chains(runs: &[Run], passages: &[Block]) -> Vec<Chain> {
    let is_told = |run: &Run| {
        let next = passages.partition_point(|passage| passage.left.1 <= run.left);
        passages.get(next).is_some_and(|passage| passage.left.0 <= run.left)
    };
    let mut chains: Vec<Chain> = Vec::new();
    for run in runs.iter().filter(|run| !is_told(run)) {
        let open = chains.len().saturating_sub(OPEN);
        if !chains[open..].iter_mut().rev().any(|chain| chain.take(run)) {
            chains.push(Chain::new(run));
        }
    }
    chains.retain(|chain| chain.words >= CHAINED);
    chains.truncate(MOST_CHAINS);
    chains
}

/// Whether runs, which are in the order of the left text, may be of a passage that is told in other words.
pub(super) fn may_be_told(runs: &[Run], passages: &[Block]) -> bool {
    !chains(runs, passages).is_empty()
}

/// A passage on the way: words of both texts, how many of the host's are told, and how many of these are the same.
struct Group {
    left: Stretch,
    right: Stretch,
    told: u32,
    same: u32,
}

/// The longest part of a stretch that has no word of some others; empty if they have all of it.
fn without(words: Stretch, others: impl Iterator<Item = Stretch>) -> Stretch {
    let mut others: Vec<Stretch> = others.filter(|&other| both(other, words) > 0).collect();
    others.sort_unstable();
    let mut parts = Vec::with_capacity(others.len() + 1);
    let mut start = words.0;
    for other in others {
        parts.push((start, other.0.max(start)));
        start = start.max(other.1);
    }
    parts.push((start.min(words.1), words.1));
    parts.into_iter().rev().max_by_key(|&part| len(part)).unwrap_or(words)
}

/// Stretches of two texts that tell the same, together with those that follow close by, as far as they are told nowhere else.
fn groups(pieces: impl Iterator<Item = (Stretch, Stretch, PassageKind)>, told_elsewhere: &[Block]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let is_free = |left: Stretch, right: Stretch| {
        told_elsewhere.iter().all(|other| other.is_beside(&Block { left, right, same: 0 }))
    };
    for (left, right, kind) in pieces {
        let left = without(left, told_elsewhere.iter().map(|other| other.left));
        let right = without(right, told_elsewhere.iter().map(|other| other.right));
        if len(left) == 0 || len(right) == 0 {
            continue;
        }
        let told = len(left);
        let same = if kind == PassageKind::Same { told } else { 0 };
        let with = |group: &Group| (group.right.0.min(right.0), group.right.1.max(right.1));
        let takes = |group: &&mut Group| {
            let joined = ((group.left.0, left.1), with(group));
            left.0 <= group.left.1 + GAP
                && 2 * len(joined.1) <= 3 * (group.told + told) + 50
                && is_free(joined.0, joined.1)
        };
        match groups.iter_mut().rev().take(OPEN).find(takes) {
            Some(group) => {
                (group.left.1, group.right) = (left.1, with(group));
                group.told += told;
                group.same += same;
            }
            None => groups.push(Group { left, right, told, same }),
        }
    }
    groups
}

/// So many words before and after a stretch of a text.
fn around(side: &Side, (start, end): Stretch, words: u32) -> Stretch {
    (start.saturating_sub(words), (end + words).min(side.hashes.len() as u32))
}

/// The passages that two texts tell in other words, by their runs of the same words, in order, where these are not of passages that both
/// have word for word: no word of either text is in two of all these. Where the words of both texts stand is known.
pub(super) fn blocks(
    sides: &Sides,
    (host, source): (&str, &str),
    runs: &[Run],
    verbatim: &[Block],
    retells: Retells<'_>,
) -> Vec<Block> {
    let Sides { left, right } = sides;
    let mut found: Vec<Block> = Vec::new();
    for chain in chains(runs, verbatim) {
        let ours = left.bytes(around(left, chain.left, AROUND));
        let theirs = right.bytes(around(right, chain.right, AROUND_IN_SOURCE));
        let pieces = shared_passages(&host[ours.clone()], &source[theirs.clone()]);
        let place = |side: &Side, from: usize, piece: Range<usize>| side.stretch(from + piece.start..from + piece.end);
        let pieces = pieces
            .into_iter()
            .map(|piece| (place(left, ours.start, piece.left), place(right, theirs.start, piece.right), piece.kind));
        let told_elsewhere = [verbatim, &found].concat();
        for Group { left: in_host, right: in_source, told, same } in groups(pieces, &told_elsewhere) {
            let in_host = without(in_host, found.iter().map(|other| other.left));
            let in_source = without(in_source, found.iter().map(|other| other.right));
            let words = (len(in_host), len(in_source));
            let (told, same) = (told.min(words.0), same.min(words.0));
            let are_wholes =
                is_whole(in_host, left.hashes.len() as u32) && is_whole(in_source, right.hashes.len() as u32);
            let is_one = words.0.min(words.1) >= LONG && 10 * told >= TOLD * words.0 && !are_wholes;
            if is_one && retells(&host[left.bytes(in_host)], &source[right.bytes(in_source)]) {
                found.push(Block { left: in_host, right: in_source, same });
            }
        }
    }
    found
}
