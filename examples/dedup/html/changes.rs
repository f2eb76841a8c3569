//! What changed from one text to the other, word by word, where one is an edited copy of the other.
//!
//! [`shared_passages`](retold::shared_passages) tells which words are the same, wherever they stand. The heaviest chain of such
//! runs in the order of both texts is what stayed; runs beside it were moved, and all other words were left out or added.

use std::ops::Range;

use retold::{Passage, PassageKind, Words};

/// A place where two texts differ, in bytes of both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What only the left text has there; empty at the place where something was added.
    pub left: Range<usize>,
    /// What only the right text has there; empty at the place where something was left out.
    pub right: Range<usize>,
    /// Whether both are the same words, which stand elsewhere in the other text.
    pub is_moved: bool,
}

/// Runs of fewer words that are out of order are no moved passage but chance.
const LEAST_MOVED: usize = 3;

/// Words of a sentence and of its rewording that are compared with each other, at most.
const MOST_WORDS: usize = 200;

/// The words at `left` on and at `right` on are the same, so many of them.
#[derive(Clone, Copy, Debug)]
struct Run {
    left: usize,
    right: usize,
    len: usize,
}

/// The changes between two texts with such shared passages, in the order of the left text.
pub fn changes(left: &str, right: &str, passages: &[Passage]) -> Vec<Change> {
    let (ours, theirs) = (Side::new(left), Side::new(right));
    let mut runs: Vec<Run> = Vec::new();
    for passage in passages {
        let (left, right) = (ours.within(&passage.left), theirs.within(&passage.right));
        match passage.kind {
            PassageKind::Same if left.len() == right.len() => {
                runs.push(Run { left: left.start, right: right.start, len: left.len() });
            }
            _ => same_in_order(&ours, &theirs, left, right, &mut runs),
        }
    }
    let (kept, mut moved) = in_order(&runs);
    let kept = without_islands(kept, (ours.spans.len(), theirs.spans.len()));
    moved.retain(|run| run.len >= LEAST_MOVED);
    let mut changes: Vec<Change> = Vec::new();
    let (mut l, mut r) = (0, 0);
    let end = Run { left: ours.spans.len(), right: theirs.spans.len(), len: 0 };
    let mut by_right = moved.clone();
    by_right.sort_unstable_by_key(|run| run.right);
    for run in kept.into_iter().chain([end]) {
        let gone = pieces(l..run.left, moved.iter().map(|run| run.left..run.left + run.len));
        let new = pieces(r..run.right, by_right.iter().map(|run| run.right..run.right + run.len));
        for at in 0..gone.len().max(new.len()) {
            changes.push(Change {
                left: ours.bytes(gone.get(at), l),
                right: theirs.bytes(new.get(at), r),
                is_moved: false,
            });
        }
        (l, r) = (run.left + run.len, run.right + run.len);
    }
    changes.extend(moved.iter().map(|run| Change {
        left: ours.bytes(Some(&(run.left..run.left + run.len)), 0),
        right: theirs.bytes(Some(&(run.right..run.right + run.len)), 0),
        is_moved: true,
    }));
    changes.sort_by_key(|change| (change.left.start, change.left.end, change.right.start));
    changes
}

/// A text as words.
struct Side<'t> {
    text: &'t str,
    spans: Vec<Range<usize>>,
}

impl<'t> Side<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, spans: Words::new(text).map(|word| word.span()).collect() }
    }

    /// The words in a range of bytes.
    fn within(&self, bytes: &Range<usize>) -> Range<usize> {
        let first = self.spans.partition_point(|span| span.start < bytes.start);
        first..self.spans.partition_point(|span| span.end <= bytes.end).max(first)
    }

    /// The bytes of some words; without any, the place before the word at `next`.
    fn bytes(&self, words: Option<&Range<usize>>, next: usize) -> Range<usize> {
        match words {
            Some(words) => self.spans[words.start].start..self.spans[words.end - 1].end,
            None => {
                let at = next.checked_sub(1).map_or(0, |before| self.spans[before].end);
                at..at
            }
        }
    }

    /// The normal forms of some words.
    fn normal(&self, words: Range<usize>) -> Vec<String> {
        let all = self.spans[words].iter().flat_map(|span| Words::new(&self.text[span.clone()]));
        all.map(|word| word.normalized().into_owned()).collect()
    }
}

/// The longest common subsequence of two short stretches of words, as runs.
fn same_in_order(ours: &Side, theirs: &Side, left: Range<usize>, right: Range<usize>, runs: &mut Vec<Run>) {
    let (a, b) = (ours.normal(left.clone()), theirs.normal(right.clone()));
    if a.len() != left.len() || b.len() != right.len() || a.len().max(b.len()) > MOST_WORDS {
        return;
    }
    // By the words before which both begin, how many they share from there on.
    let mut shared = vec![vec![0u16; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            shared[i][j] = if a[i] == b[j] { shared[i + 1][j + 1] + 1 } else { shared[i + 1][j].max(shared[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            let len = a[i..].iter().zip(&b[j..]).take_while(|(a, b)| a == b).count();
            runs.push(Run { left: left.start + i, right: right.start + j, len });
            (i, j) = (i + len, j + len);
        } else if shared[i + 1][j] >= shared[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
}

/// Runs, in the order of the left text, as those of the chain that has most words in the order of both texts, and the rest.
fn in_order(runs: &[Run]) -> (Vec<Run>, Vec<Run>) {
    let mut by_right: Vec<usize> = (0..runs.len()).collect();
    by_right.sort_unstable_by_key(|&at| runs[at].right);
    let mut rank = vec![0; runs.len()];
    by_right.iter().zip(1..).for_each(|(&at, nth)| rank[at] = nth);
    // The heaviest chain that ends at or before a rank, in a tree of prefixes (Fenwick 1994).
    let mut best: Vec<(usize, Option<usize>)> = vec![(0, None); runs.len() + 1];
    let mut before = vec![None; runs.len()];
    for (at, run) in runs.iter().enumerate() {
        let (mut chain, mut of) = ((0, None), rank[at] - 1);
        while of > 0 {
            if best[of].0 > chain.0 {
                chain = best[of];
            }
            of &= of - 1;
        }
        before[at] = chain.1;
        let (with, mut of) = ((chain.0 + run.len, Some(at)), rank[at]);
        while of <= runs.len() {
            if with.0 > best[of].0 {
                best[of] = with;
            }
            of += of & of.wrapping_neg();
        }
    }
    let (mut is_kept, mut at, mut of) = (vec![false; runs.len()], (0, None), runs.len());
    while of > 0 {
        if best[of].0 > at.0 {
            at = best[of];
        }
        of &= of - 1;
    }
    let mut at = at.1;
    while let Some(kept) = at {
        is_kept[kept] = true;
        at = before[kept];
    }
    let part = |wanted: bool| runs.iter().zip(&is_kept).filter(|(_, is)| **is == wanted).map(|(run, _)| *run).collect();
    (part(true), part(false))
}

/// Leaves out words that are the same by chance amid others that all changed: a reader would see confetti.
fn without_islands(runs: Vec<Run>, words: (usize, usize)) -> Vec<Run> {
    let mut kept: Vec<Run> = Vec::with_capacity(runs.len());
    for (at, run) in runs.iter().enumerate() {
        let last = kept.last().map_or((0, 0), |last| (last.left + last.len, last.right + last.len));
        let next = runs.get(at + 1).map_or(words, |next| (next.left, next.right));
        let before = (run.left - last.0).max(run.right - last.1);
        let after = (next.0 - run.left - run.len).max(next.1 - run.right - run.len);
        if run.len > 2 || before.min(after) < 2 * run.len {
            kept.push(*run);
        }
    }
    kept
}

/// A stretch of words without those that were moved; empty pieces aside.
fn pieces(all: Range<usize>, moved: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let (mut from, mut pieces) = (all.start, Vec::new());
    for gap in moved.filter(|gap| all.start <= gap.start && gap.end <= all.end) {
        pieces.push(from..gap.start);
        from = gap.end;
    }
    pieces.push(from..all.end);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use retold::shared_passages;

    fn of(left: &str, right: &str) -> Vec<Change> {
        changes(left, right, &shared_passages(left, right))
    }

    /// What changed, as the words of both.
    fn told<'t>(left: &'t str, right: &'t str) -> Vec<(&'t str, &'t str, bool)> {
        let texts = |change: Change| (&left[change.left], &right[change.right], change.is_moved);
        of(left, right).into_iter().map(texts).collect()
    }

    const REPORT: &str = "The council of Merton voted on Tuesday to close the swimming pool in the old park. Its roof leaks, \
        and the repair would cost more than the town has. Parents who had collected signatures left the hall in silence.";

    #[test]
    fn a_word_that_was_replaced_left_out_or_added_is_marked_and_no_other() {
        assert_eq!(told(REPORT, REPORT), []);
        assert_eq!(told(REPORT, &REPORT.to_uppercase().replace('.', "!")), []);
        assert_eq!(told(REPORT, &REPORT.replace("Tuesday", "Wednesday")), [("Tuesday", "Wednesday", false)]);
        assert_eq!(told(REPORT, &REPORT.replace(" old", "")), [("old", "", false)]);
        assert_eq!(told(REPORT, &REPORT.replace("silence", "bitter silence")), [("", "bitter", false)]);
        let both = REPORT.replace("The council", "Last night the council").replace(" in silence", "");
        assert_eq!(told(REPORT, &both), [("", "Last night", false), ("in silence", "", false)]);
        assert_eq!(told("", REPORT).len(), 1);
    }

    #[test]
    fn a_sentence_that_was_moved_is_neither_left_out_nor_added() {
        let (first, rest) = REPORT.split_once("Its").unwrap();
        let turned = format!("Its{rest} {}", first.trim());
        let moved = told(REPORT, &turned);
        assert_eq!(moved.iter().filter(|(.., is_moved)| *is_moved).count(), 1, "{moved:?}");
        assert!(moved.iter().all(|(.., is_moved)| *is_moved), "{moved:?}");
    }

    #[test]
    fn words_that_are_the_same_by_chance_are_no_islands_amid_a_rewritten_sentence() {
        let runs = [Run { left: 0, right: 0, len: 9 }, Run { left: 14, right: 12, len: 1 }];
        assert_eq!(without_islands(runs.into(), (20, 20)).len(), 1);
        assert_eq!(without_islands(runs.into(), (16, 14)).len(), 2, "one word changed after it");
    }

    /// The normal forms of the words outside of some ranges.
    fn rest(text: &str, gone: impl Iterator<Item = Range<usize>>) -> Vec<String> {
        let gone: Vec<_> = gone.collect();
        let words = Words::new(text)
            .filter(|word| !gone.iter().any(|gone| gone.start <= word.span().start && word.span().end <= gone.end));
        words.map(|word| word.normalized().into_owned()).collect()
    }

    proptest! {
        #[test]
        fn without_the_changes_both_texts_are_the_same(
            left in prop::collection::vec("[a-e]|fern|gate|hill\\.|Ivy|jam|kite", 0..80),
            edits in prop::collection::vec((0usize..80, 0usize..6, "[a-e]|lake|moor\\."), 0..8),
            turn in 0usize..80,
        ) {
            let mut right = left.clone();
            for (at, gone, new) in edits {
                let at = at.min(right.len());
                let end = (at + gone).min(right.len());
                right.splice(at..end, [new]);
            }
            let middle = turn.min(right.len());
            right.rotate_left(middle);
            let (left, right) = (left.join(" "), right.join(" "));
            let changes = of(&left, &right);
            prop_assert_eq!(
                rest(&left, changes.iter().map(|change| change.left.clone())),
                rest(&right, changes.iter().map(|change| change.right.clone()))
            );
            for change in changes.iter().filter(|change| change.is_moved) {
                let words = |text: &str| Words::new(text).map(|word| word.normalized().into_owned()).collect::<Vec<_>>();
                prop_assert_eq!(words(&left[change.left.clone()]), words(&right[change.right.clone()]));
            }
            let ends: Vec<usize> = changes.iter().flat_map(|change| [change.left.start, change.left.end]).collect();
            prop_assert!(ends.is_sorted(), "none overlaps another: {:?}", changes);
        }
    }
}
