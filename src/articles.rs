//! Articles as the caller passes them, and as they are stored during a detection.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use crate::date;
use crate::error::Result;
use crate::hash::{hash_bytes, mix2};
use crate::store::{Budget, Share, Spill};

/// Anything that has an id and a text.
///
/// Pairs of strings are articles, and so are references, `Box`es and `Arc`s of articles. Implement the trait for a type of your
/// own to use that.
///
/// ```
/// struct Story { slug: String, body: String }
///
/// impl retold::Article for Story {
///     fn id(&self) -> &str { &self.slug }
///     fn text(&self) -> &str { &self.body }
/// }
/// ```
pub trait Article: Sync {
    /// A label for the article. It need not be unique: articles are identified by their positions.
    fn id(&self) -> &str;
    /// The text to compare.
    fn text(&self) -> &str;
    /// When the article was published, as an ISO 8601 date (`2024`, `2024-05-17`, `2024-05-17T09:30:15+02:00`). Only used by
    /// [`Representative::Earliest`](crate::Representative::Earliest), [`DetectorBuilder::within`](crate::DetectorBuilder::within)
    /// and [excerpts](crate::Excerpts). None by default.
    fn date(&self) -> Option<&str> {
        None
    }
    /// Where the article was published: an outlet, or the domain of a site. Text that one source repeats in many articles is page
    /// furniture. Only used by [excerpts](crate::Excerpts). None by default.
    fn source(&self) -> Option<&str> {
        None
    }
    /// Whether the article belongs to a known corpus that new articles are compared with. Known articles are not compared with each
    /// other, are never removed, and represent the cluster that they are in. False by default.
    fn is_known(&self) -> bool {
        false
    }
}

impl<I: AsRef<str> + Sync, T: AsRef<str> + Sync> Article for (I, T) {
    fn id(&self) -> &str {
        self.0.as_ref()
    }

    fn text(&self) -> &str {
        self.1.as_ref()
    }
}

/// Implements `Article` for pointers to articles.
macro_rules! pointers {
    ($($pointer:ty $(where A: $bound:ident)?),+) => {$(
        impl<A: Article $(+ $bound)? + ?Sized> Article for $pointer {
            fn id(&self) -> &str {
                (**self).id()
            }

            fn text(&self) -> &str {
                (**self).text()
            }

            fn date(&self) -> Option<&str> {
                (**self).date()
            }

            fn source(&self) -> Option<&str> {
                (**self).source()
            }

            fn is_known(&self) -> bool {
                (**self).is_known()
            }
        }
    )+};
}

// Threads share articles, so that `Rc` cannot be one.
pointers!(&A, Box<A>, Arc<A> where A: Send);

/// The articles that were added to a [`Collector`](crate::Collector), by position: the first is 0.
///
/// They are kept in memory up to the limit; beyond it ids stay in memory and texts go to a temporary file, which is deleted on
/// drop.
///
/// ```
/// let mut collector = retold::Detector::new().collector();
/// collector.extend([("a", "The ferry leaves at nine."), ("b", "The ferry leaves at nine!")])?;
/// let (report, articles) = collector.find()?;
/// let copy = &report.clusters()[0].members()[0];
/// assert_eq!((articles.id(copy.position), &*articles.text(copy.position)?), ("b", "The ferry leaves at nine!"));
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Debug)]
pub struct Articles<A> {
    /// The first ones.
    kept: Vec<A>,
    ledger: Ledger,
}

/// What is known of articles, and those of them that are not kept as they came.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// Bytes of memory for more that are kept.
    room: u64,
    /// The ids of the others, one after the other, and where the id and the text of each end.
    ids: String,
    ends: Vec<(u64, u64)>,
    texts: Spill,
    /// For each article when it appeared, if that is of interest.
    seconds: Option<Vec<i64>>,
    sources: Option<Sources>,
    known: Vec<bool>,
    /// For each article what else it says of itself, as [`told_beside`]; none as long as all say nothing.
    beside: Vec<u64>,
    bytes: u64,
    budget: Arc<Budget>,
}

/// Articles as the stages see them: of whatever type, so that the stages are compiled once, and not for each type again.
pub(crate) struct Stored<'a> {
    kept: Box<dyn Kept + 'a>,
    ledger: Ledger,
}

/// Articles that are kept as they came.
trait Kept: Send + Sync {
    fn len(&self) -> usize;

    fn get(&self, at: usize) -> &dyn Article;
}

impl<A: Article> Kept for &[A] {
    fn len(&self) -> usize {
        <[A]>::len(self)
    }

    fn get(&self, at: usize) -> &dyn Article {
        &self[at]
    }
}

/// So many articles of which neither ids nor texts are here.
struct Elsewhere(usize);

impl Kept for Elsewhere {
    fn len(&self) -> usize {
        self.0
    }

    fn get(&self, _: usize) -> &dyn Article {
        &("", "")
    }
}

/// A hash of what an article says of itself beside its id and its text, by which those that are equal in these are ordered: not by their
/// places. 0 if it says nothing.
pub(crate) fn told_beside(date: Option<&str>, source: Option<&str>) -> u64 {
    let part = |part: Option<&str>| part.map_or(0, |part| mix2(hash_bytes(part.as_bytes()), 1));
    match (date, source) {
        (None, None) => 0,
        _ => mix2(part(date), part(source)),
    }
}

/// What beside ids and texts is of interest.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wants {
    pub(crate) dates: bool,
    pub(crate) sources: bool,
}

/// The source of each article, as a number.
#[derive(Debug, Default)]
struct Sources {
    numbers: BTreeMap<String, u32>,
    of: Vec<u32>,
}

impl Sources {
    const NONE: u32 = u32::MAX;

    fn push(&mut self, source: Option<&str>) {
        let next = self.numbers.len() as u32;
        let number = match source {
            None => Self::NONE,
            Some(source) => match self.numbers.get(source) {
                Some(&number) => number,
                None => *self.numbers.entry(source.into()).or_insert(next),
            },
        };
        self.of.push(number);
    }
}

/// Bytes of an id that are compared at once.
const KEY: usize = size_of::<u64>();

/// All ids, close together, in runs of [`RUN`](Self::RUN).
struct Ids(Vec<(Vec<u8>, Vec<usize>)>);

impl Ids {
    const RUN: usize = 1024;

    fn of(articles: &Stored<'_>) -> Self {
        let run = |first: usize| {
            let (mut ids, mut ends) = (Vec::new(), Vec::with_capacity(Self::RUN));
            for position in first..articles.len().min(first + Self::RUN) {
                ids.extend_from_slice(articles.id(position).as_bytes());
                ends.push(ids.len());
            }
            (ids, ends)
        };
        let firsts: Vec<usize> = (0..articles.len()).step_by(Self::RUN).collect();
        Self(firsts.into_par_iter().with_max_len(1).map(run).collect())
    }

    fn get(&self, position: u32) -> &[u8] {
        let (ids, ends) = &self.0[position as usize / Self::RUN];
        let at = position as usize % Self::RUN;
        &ids[at.checked_sub(1).map_or(0, |before| ends[before])..ends[at]]
    }

    /// Sorts positions by the bytes of their ids from a place on, as many as a key holds.
    fn sort_from(&self, order: &mut [(u64, u32)], depth: usize) {
        for (key, position) in order.iter_mut() {
            let rest = self.get(*position).get(depth..).unwrap_or_default();
            let mut bytes = [0; KEY];
            let len = rest.len().min(KEY);
            bytes[..len].copy_from_slice(&rest[..len]);
            *key = u64::from_be_bytes(bytes);
        }
        order.par_sort_unstable();
    }

    /// Sorts positions whose ids are equal up to a place.
    fn sort_equal(&self, run: &mut [(u64, u32)], depth: usize) {
        let mut runs = vec![(run, depth)];
        while let Some((run, depth)) = runs.pop() {
            let ids = || run.iter().map(|&(_, position)| self.get(position));
            // An id that has ended is equal here to one that goes on with zero bytes.
            if run.len() < 8 || ids().all(|id| id.len() <= depth) || ids().any(|id| id.len() < depth) {
                run.sort_unstable_by_key(|&(_, position)| (self.get(position), position));
                continue;
            }
            let first = &ids().next().unwrap_or_default()[depth..];
            let depth = depth + ids().fold(first.len(), |equal, id| common(&first[..equal], &id[depth..]));
            self.sort_from(run, depth);
            runs.extend(run.chunk_by_mut(|a, b| a.0 == b.0).filter(|run| run.len() > 1).map(|run| (run, depth + KEY)));
        }
    }
}

/// How many bytes two ids have in common at the beginning.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

impl<A: Article> Articles<A> {
    pub(crate) fn new(budget: &Arc<Budget>, wants: Wants) -> Self {
        Self { kept: Vec::new(), ledger: Ledger::new(budget, wants) }
    }

    /// Adds articles after those that are there.
    pub(crate) fn extend(&mut self, articles: Vec<A>) {
        self.ledger.note(&&articles[..]);
        let mut texts = String::new();
        for article in articles {
            if self.ledger.keeps(&article, size_of::<A>()) {
                self.kept.push(article);
            } else {
                self.ledger.push(&article, &mut texts);
            }
        }
        self.ledger.spill(&texts);
    }

    /// The articles that are kept, and what the stages need beside them: the two make [`Stored`], and come together again here.
    pub(crate) fn into_parts(self) -> (Vec<A>, Ledger) {
        (self.kept, self.ledger)
    }

    pub(crate) fn from_parts(kept: Vec<A>, ledger: Ledger) -> Self {
        Self { kept, ledger }
    }

    /// The number of articles.
    pub fn len(&self) -> usize {
        self.ledger.known.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of the article at a position.
    ///
    /// # Panics
    /// Beyond the last position.
    pub fn id(&self, position: usize) -> &str {
        match self.kept.get(position) {
            Some(article) => article.id(),
            None => self.ledger.id(position - self.kept.len()),
        }
    }

    /// The text of the article at a position.
    ///
    /// # Errors
    /// [`Error::Spill`](crate::Error::Spill) if it cannot be read back.
    ///
    /// # Panics
    /// Beyond the last position.
    pub fn text(&self, position: usize) -> Result<Cow<'_, str>> {
        let text = match self.kept.get(position) {
            Some(article) => article.text().into(),
            None => self.ledger.read(position - self.kept.len()).into(),
        };
        self.ledger.budget.check().map(|()| text)
    }

    /// Whether the article at a position is [known already](Article::is_known).
    ///
    /// # Panics
    /// Beyond the last position.
    pub fn is_known(&self, position: usize) -> bool {
        self.ledger.known[position]
    }
}

impl Ledger {
    pub(crate) fn new(budget: &Arc<Budget>, wants: Wants) -> Self {
        Self {
            room: budget.share(Share::Articles),
            ids: String::new(),
            ends: Vec::new(),
            texts: Spill::new(budget),
            seconds: wants.dates.then(Vec::new),
            sources: wants.sources.then(Sources::default),
            known: Vec::new(),
            beside: Vec::new(),
            bytes: 0,
            budget: budget.clone(),
        }
    }

    /// Notes what articles say of themselves that come after those that are there.
    fn note(&mut self, articles: &dyn Kept) {
        let articles = || (0..articles.len()).map(|at| articles.get(at));
        self.bytes += articles().map(|article| article.text().len() as u64).sum::<u64>();
        if let Some(seconds) = &mut self.seconds {
            seconds.extend(articles().map(|article| article.date().and_then(date::seconds).unwrap_or(i64::MAX)));
        }
        if let Some(sources) = &mut self.sources {
            articles().for_each(|article| sources.push(article.source()));
        }
        let before = self.known.len();
        self.known.extend(articles().map(Article::is_known));
        for (at, article) in (before..).zip(articles()) {
            let beside = told_beside(article.date(), article.source());
            if beside != 0 {
                self.beside.resize(at, 0);
                self.beside.push(beside);
            }
        }
    }

    /// Whether there is memory for an article, whose value takes so many bytes: from the first on for which there is none, all go to disk.
    fn keeps(&mut self, article: &dyn Article, value: usize) -> bool {
        let bytes = (value + article.id().len() + article.text().len()) as u64;
        let keeps = self.ends.is_empty() && bytes <= self.room;
        if keeps {
            self.room -= bytes;
        }
        keeps
    }

    /// Takes an article that is not kept, and its text after those that wait to be written.
    fn push(&mut self, article: &dyn Article, texts: &mut String) {
        self.ids.push_str(article.id());
        let text = article.text();
        texts.push_str(text);
        let begin = self.ends.last().map_or(0, |end| end.1);
        self.ends.push((self.ids.len() as u64, begin + text.len() as u64));
    }

    /// Writes the texts that wait.
    fn spill(&mut self, texts: &str) {
        if !texts.is_empty() {
            let written = self.texts.write(texts.as_bytes());
            debug_assert_eq!(self.ends.last().map(|end| end.1), Some(written + texts.len() as u64));
        }
    }

    /// The id of the article at a place among those that are not kept.
    fn id(&self, at: usize) -> &str {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before].0);
        &self.ids[start as usize..self.ends[at].0 as usize]
    }

    /// Its text; another one if it cannot be read back, of which the budget knows.
    fn read(&self, at: usize) -> String {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before].1);
        let mut bytes = vec![0; (self.ends[at].1 - start) as usize];
        self.texts.read(start, &mut bytes);
        String::from_utf8(bytes).unwrap_or_default()
    }
}

impl<'a> Stored<'a> {
    /// Articles that are all at hand, of which nothing is known so far.
    pub(crate) fn new<A: Article>(articles: &'a [A], mut ledger: Ledger) -> Self {
        ledger.note(&articles);
        Self::of_parts(articles, ledger)
    }

    /// The [parts](Articles::into_parts) of articles.
    pub(crate) fn of_parts<A: Article>(kept: &'a [A], ledger: Ledger) -> Self {
        Self { kept: Box::new(kept), ledger }
    }

    /// Articles of which neither ids nor texts are here: which are known; when they appeared, and where, as a number, if that is of interest.
    pub(crate) fn elsewhere(
        known: Vec<bool>,
        seconds: Option<Vec<i64>>,
        sources: Option<Vec<Option<u32>>>,
    ) -> Stored<'static> {
        let of = |of: Vec<Option<u32>>| of.into_iter().map(|source| source.unwrap_or(Sources::NONE)).collect();
        let sources = sources.map(|sources| Sources { numbers: BTreeMap::new(), of: of(sources) });
        let kept = Box::new(Elsewhere(known.len()));
        let ledger = Ledger { seconds, sources, known, ..Ledger::new(&Budget::unlimited(), Wants::default()) };
        Stored { kept, ledger }
    }

    pub(crate) fn into_ledger(self) -> Ledger {
        self.ledger
    }

    pub(crate) fn len(&self) -> usize {
        self.ledger.known.len()
    }

    /// The id of the article at a position.
    pub(crate) fn id(&self, position: usize) -> &str {
        match position.checked_sub(self.kept.len()) {
            None => self.kept.get(position).id(),
            Some(at) => self.ledger.id(at),
        }
    }

    /// The texts of those that are kept.
    pub(crate) fn texts(&self) -> Vec<&str> {
        (0..self.kept.len()).map(|at| self.kept.get(at).text()).collect()
    }

    /// The text of the article at a position; another one if it cannot be read back, of which the budget knows.
    pub(crate) fn read(&self, position: usize) -> Cow<'_, str> {
        match position.checked_sub(self.kept.len()) {
            None => self.kept.get(position).text().into(),
            Some(at) => self.ledger.read(at).into(),
        }
    }

    /// The positions in the order of the ids; those of one id by a key of the text, then by the text and by what else they say of
    /// themselves, and only then in their own.
    ///
    /// Ids lie all over the memory, and comparing two waits for both. So they are brought together first, and of those that
    /// are equal so far the next eight bytes are looked at (Bentley and Sedgewick, SODA 1997, with wider letters).
    pub(crate) fn in_order<K: Ord + Send>(&self, key: impl Fn(u32) -> K + Sync) -> Vec<u32> {
        let ids = Ids::of(self);
        let mut order: Vec<(u64, u32)> = (0..self.len() as u32).map(|position| (0, position)).collect();
        ids.sort_from(&mut order, 0);
        let equal: Vec<&mut [(u64, u32)]> = order.chunk_by_mut(|a, b| a.0 == b.0).filter(|run| run.len() > 1).collect();
        equal.into_par_iter().with_max_len(1).for_each(|run| {
            ids.sort_equal(run, KEY);
            let same = run.chunk_by_mut(|a, b| ids.get(a.1) == ids.get(b.1)).filter(|same| same.len() > 1);
            same.for_each(|same| {
                same.par_sort_by_cached_key(|&(_, position)| (key(position), position));
                // Texts of one key may differ in what the key leaves out, and then that decides before the position.
                let alike = same.chunk_by_mut(|a, b| key(a.1) == key(b.1)).filter(|alike| alike.len() > 1);
                alike.for_each(|alike| {
                    alike.par_sort_by_cached_key(|&(_, position)| {
                        let beside = self.ledger.beside.get(position as usize).copied().unwrap_or(0);
                        (hash_bytes(self.read(position as usize).as_bytes()), beside, position)
                    });
                });
            });
        });
        order.into_iter().map(|(_, position)| position).collect()
    }

    /// For each article when it appeared, in seconds; the latest time that there is if that is not known.
    pub(crate) fn seconds(&self) -> &[i64] {
        self.ledger.seconds.as_deref().unwrap_or_default()
    }

    /// The number of the source of the article at a position, if it is known and of interest.
    pub(crate) fn source(&self, position: usize) -> Option<u32> {
        self.ledger.sources.as_ref().map(|sources| sources.of[position]).filter(|&number| number != Sources::NONE)
    }

    /// Whether the article at a position is [known already](Article::is_known).
    pub(crate) fn is_known(&self, position: usize) -> bool {
        self.ledger.known[position]
    }

    /// Whether any article is.
    pub(crate) fn has_known(&self) -> bool {
        self.ledger.known.contains(&true)
    }

    /// Whether the dates of two articles lie so many seconds apart at most. One without a date is near to none.
    pub(crate) fn are_within(&self, seconds: u64, a: usize, b: usize) -> bool {
        let [a, b] = [a, b].map(|position| Some(self.seconds()[position]).filter(|&at| at != i64::MAX));
        date::are_within(seconds, a, b)
    }

    /// Bytes of all texts.
    pub(crate) fn bytes(&self) -> u64 {
        self.ledger.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_order_is_that_of_the_ids_and_then_of_the_keys(
            beginnings in prop::collection::vec("[ab\0é]{0,20}", 1..4),
            ids in prop::collection::vec((0usize..4, "[ab\0]{0,9}"), 0..120),
            keys in prop::collection::vec(0u8..4, 120),
        ) {
            let mut articles = Articles::new(&Budget::new(Some(1000), None), Wants::default());
            let ids: Vec<String> = ids.iter().map(|(of, end)| beginnings[of % beginnings.len()].clone() + end).collect();
            articles.extend(ids.iter().zip(&keys).map(|(id, key)| (id.clone(), (key % 2).to_string())).collect());
            let mut order: Vec<u32> = (0..ids.len() as u32).collect();
            order.sort_by_key(|&position| {
                let at = position as usize;
                (&ids[at], keys[at] / 2, hash_bytes((keys[at] % 2).to_string().as_bytes()))
            });
            let (kept, ledger) = articles.into_parts();
            let articles = Stored::of_parts(&kept, ledger);
            prop_assert_eq!(articles.in_order(|position| keys[position as usize] / 2), order);
        }
    }
}
