//! Content words to rewordings: texts are brought together by what few texts hold, judged, and crowds of them compared around those
//! who have most copies.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::content::TokenChunks;
use crate::crowds;
use crate::error::Result;
use crate::features::{self, Content, Features, Head, Larger, RareFeatures};
use crate::frequencies::Frequencies;
use crate::furniture::Furniture;
use crate::judge::{Common, Desk, Judge, Telling, Verdict};
use crate::near::{self, Compared, Keep, Near};
use crate::options::Search;
use crate::prior::Odds;
use crate::progress::{Reporter, Ticker};
use crate::rare::{Neighbour, Neighbours};
use crate::report::{Relation, Stage, Summary};
use crate::store::{Block, CHUNK, Share, Store};
use crate::texts::{Sets, Shingles, Texts};
use crate::usual::{USUAL_NEIGHBOUR, Usual};
use crate::verify::{self, Rule};

/// A text is compared with its best neighbours, as many as tell what is usual for it, with those that have it among theirs, and with who
/// shares so much of its pairs of words in any case. In a large corpus there are ever more that share next to nothing.
pub(crate) const IN_ANY_CASE: f32 = 0.02;

/// What a corpus was found to be like, by which other articles can be judged as it would.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// How many texts there are, and how many of them count as documents.
    pub(crate) texts: usize,
    pub(crate) documents: usize,
    /// How much of the content words is of general English, 0 to 1.
    pub(crate) english: f32,
    pub(crate) frequencies: Frequencies,
    /// How common copies are among texts that look alike.
    pub(crate) prior: f32,
    /// What is usual for each text, and what its words weigh.
    pub(crate) usual: Vec<f32>,
    pub(crate) heads: Vec<Head>,
}

/// How rewordings are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Rewordings<'a> {
    pub(crate) judge: Judge,
    /// By what their shingles are compared.
    pub(crate) near: &'a Near,
    /// How common copies are, if it is known.
    pub(crate) prior: Option<f32>,
    /// What a larger corpus is like, if texts are to be judged as there.
    pub(crate) larger: Option<&'a Notes>,
    pub(crate) reporter: &'a Reporter,
}

/// What stands around each text.
struct Surroundings {
    content: Content,
    /// The texts that each is compared with.
    neighbours: Neighbours,
    /// The candidates that all texts have, if others are compared: the prior is theirs whatever the search is.
    candidates: Option<Neighbours>,
    usual: Usual,
}

/// What rewordings are told by.
#[derive(Clone, Copy)]
struct Stories<'a, 't> {
    content: &'a Content,
    usual: &'a Usual,
    /// What they are told without.
    furniture: &'a Furniture,
    texts: Texts<'t>,
}

/// Two texts that were judged by their content, the first before the second.
struct Judged {
    left: u32,
    right: u32,
    verdict: Verdict,
}

impl Judged {
    /// As words of a store.
    const WORDS: usize = 2 + Verdict::WORDS;

    fn put(&self, words: &mut Vec<u32>) {
        words.extend([self.left, self.right]);
        words.extend(self.verdict.to_words());
    }

    fn all_of(words: &[u32]) -> impl Iterator<Item = Self> {
        words.as_chunks::<{ Self::WORDS }>().0.iter().map(|&[left, right, ref verdict @ ..]| Self {
            left,
            right,
            verdict: Verdict::of_words(verdict),
        })
    }
}

/// What came of judging some texts with their neighbours.
#[derive(Default)]
struct Examined {
    desk: Desk,
    /// The pairs that may be wanted.
    judged: Vec<u32>,
    odds: Odds,
    /// Pairs that were compared.
    compared: u64,
}

/// What came of judging all texts with their neighbours. How common copies are is known only then, so that far more pairs are kept than are
/// copies.
#[derive(Default)]
struct AllExamined {
    judged: Vec<Block>,
    odds: Odds,
    compared: u64,
}

impl AllExamined {
    fn keep(Examined { judged, odds, compared, .. }: Examined, store: &Store) -> Self {
        Self { judged: vec![store.keep(judged)], odds, compared }
    }

    /// Both together, the first before the second.
    fn merge(mut self, mut later: Self) -> Self {
        self.judged.append(&mut later.judged);
        self.odds.merge(&later.odds);
        self.compared += later.compared;
        self
    }
}

impl Rewordings<'_> {
    /// The rewordings among texts of these content words, each of which speaks for its edited copies or has a leader; and the sets of
    /// shingles that were made for it.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge), [`Error::Spill`](crate::Error::Spill).
    pub(crate) fn find(
        &self,
        texts: Texts<'_>,
        tokens: TokenChunks,
        furniture: &Furniture,
        leaders: &[u32],
        (keep, asked): (Keep, Option<&[bool]>),
        (summary, mut notes): (&mut Summary, Option<&mut Notes>),
    ) -> Result<(Vec<Compared>, Sets)> {
        let surroundings =
            self.surroundings(texts, tokens, furniture, leaders, asked, (summary, notes.as_deref_mut()))?;
        texts.budget.check()?;
        let found = self.among(texts, &surroundings, furniture, leaders, keep, summary);
        if let Some(notes) = notes {
            notes.prior = summary.prior.unwrap_or_default();
            notes.usual = (0..texts.len() as u32).map(|text| surroundings.usual.of_text(text)).collect();
            notes.heads = surroundings.content.heads().to_vec();
        }
        Ok(found)
    }

    /// Content words to features, and to what each text shares with which others.
    fn surroundings(
        &self,
        texts: Texts<'_>,
        tokens: TokenChunks,
        furniture: &Furniture,
        leaders: &[u32],
        asked: Option<&[bool]>,
        (summary, notes): (&mut Summary, Option<&mut Notes>),
    ) -> Result<Surroundings> {
        let budget = texts.budget;
        let leads = |text: u32| leaders[text as usize] == text;
        self.reporter.timed(&mut summary.times, Stage::Candidates, texts.len(), |ticker| {
            let tokens = furniture.take_out_of(tokens, texts.read);
            if let Some(notes) = notes {
                notes.texts = texts.len();
                notes.documents = (0..texts.len() as u32).filter(|&text| leads(text)).count();
                notes.english = features::english_share(&tokens);
                notes.frequencies = Frequencies::of(&tokens, |text| leads(text as u32), budget)?;
            }
            let words = |text: usize| texts.words[text] - furniture.words(text as u32);
            let larger = self.larger.map(|&Notes { documents, english, ref frequencies, .. }| Larger {
                documents,
                english,
                frequencies,
            });
            let (content, lists) = Content::new(tokens, words, |text| leads(text as u32), larger, budget)?;
            let mut candidates = Neighbours::new(&content, &lists, leads, || ticker.tick(), budget);
            budget.check()?;
            let is_asked =
                asked.filter(|_| self.near.search == Search::Exhaustive).map(|asked| of_leaders(asked, leaders));
            // The lists are given back as soon as nobody is to be found by them.
            let lists = is_asked.is_some().then_some(lists);
            let shares = candidates.nth_best_shares(&content, USUAL_NEIGHBOUR, budget);
            summary.left_out = candidates.keep_best(&content, &shares, IN_ANY_CASE);
            let usual = Usual::new(&content, leaders, &candidates, shares, budget);
            let others = match (&lists, is_asked) {
                (Some(lists), Some(asked)) => {
                    Some(Neighbours::of_asked(&content, lists, |text| asked[text as usize], budget))
                }
                _ if self.near.search == Search::Exhaustive => Some(Neighbours::all(&content, leads, budget)),
                _ => None,
            };
            let (neighbours, candidates) = match others {
                Some(others) => (others, Some(candidates)),
                None => (candidates, None),
            };
            Ok(Surroundings { content, neighbours, candidates, usual })
        })
    }

    /// Neighbours to rewordings, and those of their edited copies.
    fn among(
        &self,
        texts: Texts<'_>,
        Surroundings { content, neighbours, candidates, usual }: &Surroundings,
        furniture: &Furniture,
        leaders: &[u32],
        keep: Keep,
        summary: &mut Summary,
    ) -> (Vec<Compared>, Sets) {
        let Summary { times, candidates: compared, prior: found_prior, .. } = summary;
        let stories = Stories { content, usual, furniture, texts };
        self.reporter.timed(times, Stage::Verify, texts.len(), |ticker| {
            let store = texts.budget.store(Share::Judged);
            let AllExamined { judged, mut odds, compared: count } =
                self.judge_all(stories, neighbours, keep, &store, ticker);
            *compared += count;
            if let (Some(candidates), None) = (candidates, self.prior) {
                odds = self.judge_all(stories, candidates, Keep::Copies, &store, ticker).odds;
            }
            let prior = self.prior.unwrap_or_else(|| odds.share(Rule::FITTED_PRIOR));
            *found_prior = Some(prior);
            // The sets of the edited copies were given back; few of them are asked for again.
            let shingles = Shingles::new(texts);
            let reworded = self.wanted_of(&judged, &store, &shingles, prior, keep);
            let bench = AtHand { rewordings: self, stories, shingles: &shingles, prior };
            let (reworded, count) = with_crowds(reworded, leaders, &bench);
            *compared += count;
            (reworded, shingles.into_sets())
        })
    }

    /// Of the pairs that were judged those that are wanted, as the prior is now known.
    fn wanted_of(
        &self,
        judged: &[Block],
        store: &Store,
        shingles: &Shingles<'_>,
        prior: f32,
        keep: Keep,
    ) -> Vec<Compared> {
        /// Gathered from all threads at a time: both what they find and all of it take memory.
        const BLOCKS: usize = 64;
        let is_wanted = |judged: &Judged| self.judge.wanted(&judged.verdict, prior, keep).is_some();
        let count = |block: &Block| Judged::all_of(&store.get(block)).filter(is_wanted).count();
        let mut all = Vec::with_capacity(judged.par_iter().map(count).sum());
        let of_block = |block: &Block| -> Vec<Compared> {
            let pairs = store.get(block);
            Judged::all_of(&pairs).filter_map(|pair| self.reworded_pair(shingles, &pair, prior, keep)).collect()
        };
        for blocks in judged.chunks(BLOCKS) {
            let found: Vec<Vec<Compared>> = blocks.par_iter().with_max_len(1).map(of_block).collect();
            found.into_iter().for_each(|found| all.extend(found));
        }
        all
    }

    /// Judges each text with all of its neighbours. The pairs that may be wanted, the odds of all that were read, and how
    /// many were compared.
    fn judge_all(
        &self,
        stories: Stories<'_, '_>,
        neighbours: &Neighbours,
        keep: Keep,
        store: &Store,
        ticker: &Ticker<'_>,
    ) -> AllExamined {
        let Stories { content, usual, texts, .. } = stories;
        let examine = |mut found: Examined, left: u32| {
            ticker.tick();
            let worth = |neighbour: &Neighbour| {
                let totals = (content.pair_total(left), content.pair_total(neighbour.text));
                let usual = usual.of(left, neighbour.text);
                self.near.search == Search::Exhaustive || verify::share_enough_pairs(neighbour.pairs, totals, usual)
            };
            let mut neighbours = neighbours.of(left);
            for neighbour in &neighbours {
                content.fetch_pair_total(neighbour.text);
                usual.fetch(neighbour.text);
            }
            neighbours.retain(|neighbour| worth(neighbour));
            found.compared += neighbours.len() as u64;
            if neighbours.is_empty() {
                return found;
            }
            let ours = content.get(left);
            found.desk.take(&ours);
            // The texts lie far apart in memory: all are asked for before any is waited for.
            content.fetch(neighbours.iter().map(|neighbour| neighbour.text));
            for neighbour in &neighbours {
                let judged = self.side_by_side(stories, (left, &ours, &mut found.desk), neighbour, keep);
                let Some(pair) = judged else { continue };
                pair.verdict.count_in(&mut found.odds);
                if self.judge.wants(&pair.verdict, keep) {
                    pair.put(&mut found.judged);
                }
            }
            found
        };
        let all = (0..texts.len() as u32).into_par_iter().with_max_len(CHUNK);
        let parts = all.fold(Examined::default, examine).map(|part| AllExamined::keep(part, store));
        parts.reduce(AllExamined::default, AllExamined::merge)
    }

    /// Judges a text, whose features are on the desk, with a neighbour.
    fn side_by_side(
        &self,
        Stories { content, usual, furniture, texts }: Stories<'_, '_>,
        (left, ours, desk): (u32, &Features<'_>, &mut Desk),
        &Neighbour { text: right, pairs }: &Neighbour,
        keep: Keep,
    ) -> Option<Judged> {
        let read = |text: u32| furniture.cut_from(text, (texts.read)(text));
        let ours = Telling { features: ours, read: || read(left) };
        let theirs = Telling { features: &content.get(right), read: || read(right) };
        let common = Common { pairs, usual: usual.of(left, right) };
        let verdict = self.judge.judge(desk, ours, theirs, common, keep)?;
        Some(Judged { left, right, verdict })
    }

    /// Decides about two texts that were judged, and compares their shingles if the pair is wanted.
    fn reworded_pair(&self, shingles: &Shingles<'_>, judged: &Judged, prior: f32, keep: Keep) -> Option<Compared> {
        let &Judged { left, right, ref verdict } = judged;
        reworded_pair(&self.judge, verdict, prior, keep, || self.near.pair(shingles, left, right))
    }

    /// Whether a text and another one, that no candidates brought together, are copies.
    fn direct(
        &self,
        stories: Stories<'_, '_>,
        shingles: &Shingles<'_>,
        (text, ours, rare, desk): (u32, &Features<'_>, &RareFeatures<'_>, &mut Desk),
        other: u32,
        prior: f32,
    ) -> Option<Compared> {
        let other = Neighbour::of(rare, stories.content, other);
        let judged = self.side_by_side(stories, (text, ours, desk), &other, Keep::Copies)?;
        self.reworded_pair(shingles, &judged, prior, Keep::Copies).map(Compared::in_order)
    }
}

/// Decides about two texts that were judged; `near` compares their shingles if the pair is wanted.
pub(crate) fn reworded_pair(
    judge: &Judge,
    verdict: &Verdict,
    prior: f32,
    keep: Keep,
    near: impl FnOnce() -> Compared,
) -> Option<Compared> {
    let (confidence, is_copy) = judge.wanted(verdict, prior, keep)?;
    let mut pair = near();
    pair.evidence.content = Some(verdict.evidence);
    if pair.relation.is_none() {
        pair.relation = is_copy.then_some(Relation::Reworded);
        pair.similarity = confidence;
    }
    Some(pair)
}

/// Who looks at texts for one who decides by links alone. On one machine all texts are at hand; an engine has them elsewhere.
pub(crate) trait Bench {
    /// Judges texts with others that no candidates brought together: the copies, each the first before the second, in this order.
    fn direct(&self, texts: &[(u32, Vec<u32>)]) -> Vec<Compared>;
}

/// All texts at hand.
struct AtHand<'a, 't> {
    rewordings: &'a Rewordings<'a>,
    stories: Stories<'a, 't>,
    shingles: &'a Shingles<'t>,
    prior: f32,
}

impl Bench for AtHand<'_, '_> {
    fn direct(&self, texts: &[(u32, Vec<u32>)]) -> Vec<Compared> {
        /// Others that are compared with a text by one thread.
        const OTHERS: usize = 64;
        let Self { rewordings, stories, shingles, prior } = self;
        let content = stories.content;
        let some = |(text, others): &'_ (u32, Vec<u32>)| -> Vec<(u32, Vec<u32>)> {
            others.chunks(OTHERS).map(|others| (*text, others.to_vec())).collect()
        };
        let with_others = |desk: &mut Desk, (text, others): (u32, Vec<u32>)| {
            let (ours, rare) = (content.get(text), content.rare(text));
            desk.take(&ours);
            let copy = |other| rewordings.direct(*stories, shingles, (text, &ours, &rare, &mut *desk), other, *prior);
            others.into_iter().filter_map(copy).collect::<Vec<Compared>>()
        };
        let texts: Vec<(u32, Vec<u32>)> = texts.iter().flat_map(some).collect();
        texts.into_par_iter().with_max_len(1).map_init(Desk::default, with_others).flatten_iter().collect()
    }
}

/// All rewordings, to those that were found among neighbours, and how many pairs were compared for it.
pub(crate) fn with_crowds(mut reworded: Vec<Compared>, leaders: &[u32], bench: &impl Bench) -> (Vec<Compared>, u64) {
    let (around, count) = around_hubs(leaders.len(), &reworded, bench);
    near::append(&mut reworded, around);
    let behind = behind_leaders(leaders, &reworded, bench);
    near::append(&mut reworded, behind);
    (reworded, count)
}

/// The copies in crowds of rewordings that candidates left out, and how many pairs were compared for it: of what hundreds
/// tell hardly a feature is rare, so that each of them met some of the others only. Who has most copies is compared with all of
/// its crowd, and so on among those that are left.
fn around_hubs(texts: usize, reworded: &[Compared], bench: &impl Bench) -> (Vec<Compared>, u64) {
    let copies = reworded.iter().filter(|pair| pair.relation.is_some());
    let links: Vec<(u32, u32)> = copies.map(|pair| (pair.left, pair.right)).collect();
    let mut crowds = crowds::crowds(texts, &links);
    let (mut found, mut count) = (Vec::new(), 0);
    for _ in 0..crowds::MOST_CENTRES {
        let mut hubs = Vec::new();
        crowds.retain(|crowd| {
            let Some((hub, copies)) = crowd.hub() else { return false };
            let is_new = |other: &&u32| **other != hub && copies.binary_search(other).is_err();
            hubs.push((hub, crowd.texts().iter().filter(is_new).copied().collect::<Vec<u32>>()));
            true
        });
        if crowds.is_empty() {
            break;
        }
        count += hubs.iter().map(|(_, others)| others.len() as u64).sum::<u64>();
        let more = bench.direct(&hubs);
        crowds::share_out(&mut crowds, more.iter().map(|pair| (pair.left, pair.right)));
        crowds.iter_mut().zip(hubs).for_each(|(crowd, (hub, _))| crowd.take(&[hub]));
        found.extend(more);
    }
    (found, count)
}

/// For each reworded pair the edited copies of one held against the other: these stood behind their leader so far, but
/// a cluster must verify each against its representative.
fn behind_leaders(leaders: &[u32], reworded: &[Compared], bench: &impl Bench) -> Vec<Compared> {
    let mut followers: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (text, &leader) in (0..).zip(leaders) {
        if text != leader {
            followers.entry(leader).or_default().push(text);
        }
    }
    let against = |text: u32, others: u32| Some((text, followers.get(&others)?.clone()));
    let copies = reworded.iter().filter(|pair| pair.relation.is_some());
    let both = |pair: &Compared| [against(pair.left, pair.right), against(pair.right, pair.left)];
    bench.direct(&copies.flat_map(both).flatten().collect::<Vec<_>>())
}

/// For each leader whether it or one that stands behind it is asked for.
fn of_leaders(asked: &[bool], leaders: &[u32]) -> Vec<bool> {
    let mut of_leaders = vec![false; asked.len()];
    for (&asked, &leader) in asked.iter().zip(leaders) {
        of_leaders[leader as usize] |= asked;
    }
    of_leaders
}
