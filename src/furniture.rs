//! Furniture: passages that several otherwise unrelated texts hold, such as footers, bylines, signatures and notes to the
//! reader. Rewordings are judged without them: two texts of one site are no copies because both end in its terms of use.
//!
//! A window of eight words is furniture if four texts hold it of which no two tell of the same thing in their other words: the
//! same story, where rewordings are judged, and the same event, where excerpts are. Where many retell one story, each of its
//! sentences stands in some of them, and hardly a word of a text stands in no others: then the names and numbers of the whole
//! texts tell, if what each has by itself is partly in the other. Windows are looked at only where fingerprints that four texts
//! hold stand side by side.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::candidates::Sieve;
use crate::content::{self, Token, TokenChunks, Tokens};
use crate::corpus::Corpus;
use crate::fingerprints::{self, Fingerprints, Sample};
use crate::hash::mix2;
use crate::report::{self, PageFurniture};
use crate::scheme::Shingle;
use crate::shingle::Window;
use crate::sign::{Scratch, Views};
use crate::sketch;
use crate::store::{Block, Budget, Share, Store};
use crate::text;
use crate::texts::Texts;

/// Words that are furniture together or not at all.
const WINDOW: u8 = 8;

/// So many texts must hold a window.
pub(crate) const LEAST_HOLDERS: usize = fingerprints::COMMON;

/// Holders of a window that are looked at, at most: those with the smallest hashes, which are as good as drawn by lot.
pub(crate) const MOST_HOLDERS: usize = 24;

/// What texts are told of the same thing by, and so what the passages that they share are no furniture for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Related {
    /// Reports on one event: what they quote is an excerpt.
    Event,
    /// Tellings of one story: what reports on one event quote shows no rewording.
    Story,
}

impl Related {
    /// The least share of distinct content words, aside from what many texts have in common.
    fn least(self) -> f32 {
        match self {
            Self::Event => 0.25,
            Self::Story => 0.5,
        }
    }
}

/// Where one of them has fewer content words than these, that share of these.
const FEW_STEMS: usize = 20;

/// Where one of them has so few, they also tell of the same thing if each tells what the other tells, as reports on one event do, and the one
/// with fewer names and numbers shares so many of them. Fillings of a form differ in these, and what is signed alike in what it tells.
const SAME_FACTS: f32 = 0.6;

/// Where one of them has fewer names and numbers than these, that share of these.
const FEW_FACTS: usize = 5;

/// Windows that begin so many words before and after a common fingerprint are looked at: two in a row lie less far apart.
const REACH: usize = 16;

/// The largest share of a text's words that rewordings are judged without: a text of which more is furniture is judged as it is. Where outlets
/// tell a story in ever other choices of its sentences, or fillings are all that tells forms apart, nothing would be left to judge by.
const MOST_CUT: f32 = 0.6;

/// The most times that windows are gone through to take a part of them each time.
const MOST_PARTS: u64 = 64;

/// The furniture of a corpus.
#[derive(Debug, Default)]
pub(crate) struct Furniture {
    /// Texts that hold some, ascending.
    cuts: Vec<Cut>,
    mask: Mask,
}

/// What furniture is told by: the fingerprints, ascending, that many texts have, and the windows near them, by their hashes and ascending,
/// that are furniture.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mask {
    common: Arc<Members>,
    windows: Arc<Members>,
}

/// What of a text is furniture.
#[derive(Debug)]
struct Cut {
    text: u32,
    /// How many words, and of how many.
    words: u32,
    of: u32,
    /// In bytes, ascending, from the first word to the end of the last.
    spans: Box<[Range<u32>]>,
}

impl Furniture {
    /// What a mask says is furniture of so many texts.
    pub(crate) fn by_mask<'t>(
        mask: Mask,
        texts: usize,
        read: impl Fn(u32) -> Cow<'t, str> + Sync,
        shingle: Shingle,
    ) -> Self {
        let cut = |text: u32| Some(Cut { text, ..mask.cut(&read(text), shingle)? });
        let cuts = (0..texts as u32).into_par_iter().filter_map(cut).collect();
        Self { cuts, mask }
    }

    /// What a mask says is furniture of some texts, which come with their numbers, ascending, and their fingerprints.
    pub(crate) fn of_some<'t>(
        mask: &Mask,
        texts: impl Iterator<Item = (u32, &'t str, Vec<u32>)>,
        shingle: Shingle,
    ) -> Self {
        let cut = |(text, of, fingerprints): (u32, &str, Vec<u32>)| {
            let cut = mask.may_be_in(&fingerprints).then(|| mask.cut(of, shingle)).flatten()?;
            Some(Cut { text, ..cut })
        };
        Self { cuts: texts.filter_map(cut).collect(), mask: mask.clone() }
    }

    /// What of each article is furniture, in the order of the input. Of exact copies each is read for itself: they have the same words, but
    /// not in the same places.
    pub(crate) fn of_articles(&self, corpus: &Corpus<'_>, views: Views) -> Vec<PageFurniture> {
        let of_article = |scratch: &mut Scratch, (&twin, &position): (&u32, &u32)| {
            let position = position as usize;
            let text = corpus.distinct.binary_search(&twin).ok()? as u32;
            let cut = self.of(text)?;
            let spans: Vec<Range<usize>> = if corpus.position(text) == position {
                cut.spans().collect()
            } else {
                let text = corpus.articles.read(position);
                let may_hold = self.mask.may_be_in(&views.single(&text, scratch).fingerprints);
                may_hold.then(|| self.mask.cut(&text, views.shingle)).flatten()?.spans().collect()
            };
            Some(PageFurniture { id: corpus.articles.id(position).into(), position, spans })
        };
        let articles = corpus.twins.par_iter().zip(&corpus.positions);
        let mut found: Vec<PageFurniture> = articles.map_init(Scratch::default, of_article).flatten_iter().collect();
        found.par_sort_unstable_by_key(|furniture| furniture.position);
        found
    }

    /// What rewordings are judged without: it stays in texts that are hardly anything else.
    pub(crate) fn for_rewordings(mut self) -> Self {
        self.cuts.retain(Cut::leaves_enough);
        self
    }

    /// What it is told by.
    pub(crate) fn into_mask(self) -> Mask {
        self.mask
    }

    fn of(&self, text: u32) -> Option<&Cut> {
        self.cuts.binary_search_by_key(&text, |cut| cut.text).ok().map(|at| &self.cuts[at])
    }

    /// How many texts hold some.
    pub(crate) fn texts(&self) -> usize {
        self.cuts.len()
    }

    /// How many words of a text are furniture.
    pub(crate) fn words(&self, text: u32) -> u32 {
        self.of(text).map_or(0, |cut| cut.words)
    }

    /// The share of a passage of a text that is furniture, by bytes.
    pub(crate) fn share_of(&self, text: u32, passage: &Range<usize>) -> f32 {
        let Some(cut) = self.of(text) else { return 0.0 };
        let first = cut.spans.partition_point(|span| span.end as usize <= passage.start);
        let inside = cut.spans[first..].iter().take_while(|span| (span.start as usize) < passage.end);
        let len = |span: &Range<u32>| (span.end as usize).min(passage.end) - (span.start as usize).max(passage.start);
        inside.map(len).sum::<usize>() as f32 / passage.len().max(1) as f32
    }

    /// A text without its furniture.
    pub(crate) fn cut_from<'t>(&self, text: u32, of: Cow<'t, str>) -> Cow<'t, str> {
        match self.of(text) {
            Some(cut) => cut.from(&of).into(),
            None => of,
        }
    }

    /// For each text that holds furniture, ascending, how its content words without it come from all of them, if they do.
    pub(crate) fn cuts<'t>(&self, read: impl Fn(u32) -> Cow<'t, str> + Sync) -> Vec<(u32, Vec<u8>)> {
        let tokens = |text: &str| {
            let mut tokens = Vec::new();
            content::collect(text, &mut tokens);
            tokens
        };
        let cuts = |cut: &Cut| {
            let all = read(cut.text);
            Some((cut.text, sketch::cuts(&tokens(&all), &tokens(&cut.from(&all)))?))
        };
        self.cuts.par_iter().filter_map(cuts).collect()
    }

    /// Replaces the content words of the texts that hold furniture by those of what is left of them.
    pub(crate) fn take_out_of<'t>(
        &self,
        tokens: TokenChunks,
        read: impl Fn(u32) -> Cow<'t, str> + Sync,
    ) -> TokenChunks {
        let texts: Vec<u32> = self.cuts.iter().map(|cut| cut.text).collect();
        tokens.replaced(&texts, |text, tokens| {
            content::collect(&self.cut_from(text, read(text)), tokens);
        })
    }
}

impl Mask {
    /// From fingerprints and windows, ascending.
    pub(crate) fn new(common: Vec<u32>, windows: Vec<u32>) -> Self {
        Self { common: Members::new(common).into(), windows: Members::new(windows).into() }
    }

    /// What is furniture by the one or by the other.
    pub(crate) fn and(&self, other: &Self) -> Self {
        let [common, windows] = [0, 1].map(|part| {
            let mut all = [self.parts()[part], other.parts()[part]].concat();
            all.sort_unstable();
            all.dedup();
            all
        });
        Self::new(common, windows)
    }

    /// What of one text is furniture, if anything is.
    fn cut(&self, text: &str, shingle: Shingle) -> Option<Cut> {
        if self.windows.sorted.is_empty() {
            return None;
        }
        let mut desk = Desk::default();
        desk.read(text, shingle, &self.common);
        Cut::new((0, desk.words.len() as u32), &desk.windows(), &self.windows)
    }

    /// What is left of a text without its furniture, to judge rewordings by; nothing if it holds none, or is hardly anything else.
    pub(crate) fn left_of(&self, text: &str, shingle: Shingle) -> Option<Left> {
        let cut = self.cut(text, shingle).filter(Cut::leaves_enough)?;
        let (text, mut tokens) = (cut.from(text), Vec::new());
        content::collect(&text, &mut tokens);
        Some(Left { text, cut: cut.words, tokens })
    }

    /// Whether a text of these fingerprints may hold furniture.
    pub(crate) fn may_be_in(&self, fingerprints: &[u32]) -> bool {
        may_hold(fingerprints, &self.common)
    }

    /// The fingerprints and the windows, ascending.
    pub(crate) fn parts(&self) -> [&[u32]; 2] {
        [&self.common.sorted, &self.windows.sorted]
    }
}

/// What is left of a text that holds furniture.
pub(crate) struct Left {
    pub(crate) text: String,
    /// How many words are gone.
    pub(crate) cut: u32,
    pub(crate) tokens: Vec<Token>,
}

/// Whether two fingerprints in a row are common ones.
fn may_hold(fingerprints: &[u32], common: &Members) -> bool {
    let mut are_common = fingerprints.iter().filter(|&&of| Sample::Half.keeps(of)).map(|&of| common.contains(of));
    let mut before = false;
    are_common.any(|is_common| std::mem::replace(&mut before, is_common) && is_common)
}

impl Cut {
    /// What of a text of so many words, and these windows, is furniture, if anything is.
    fn new((text, of): (u32, u32), windows: &[u32], furniture: &Members) -> Option<Self> {
        let (mut words, mut spans) = (0, Vec::<Range<u32>>::new());
        let mut last = 0;
        let windows = windows.chunks_exact(WINDOW_NUMBERS).filter(|window| furniture.contains(window[0]));
        for &[_, at, start, end] in windows.filter_map(|window| window.first_chunk()) {
            let next = at + u32::from(WINDOW);
            match spans.last_mut() {
                Some(span) if last >= at => {
                    span.end = end;
                    words += next - last;
                }
                _ => {
                    spans.push(start..end);
                    words += u32::from(WINDOW);
                }
            }
            last = next;
        }
        (words > 0).then(|| Self { text, words, of, spans: spans.into() })
    }

    /// Whether enough is left of the text to judge rewordings by.
    fn leaves_enough(&self) -> bool {
        self.words as f32 <= MOST_CUT * self.of as f32
    }

    /// What is left of the text.
    fn from(&self, of: &str) -> String {
        report::cut(of, self.spans())
    }

    fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        self.spans.iter().map(|span| span.start as usize..span.end as usize)
    }
}

/// What was read of the texts that may hold furniture.
pub(crate) struct Holders {
    common: Arc<Members>,
    windows: Store,
    told: Store,
    of: Vec<Holder>,
}

/// A text that may hold furniture.
struct Holder {
    text: u32,
    /// Whether what it holds counts.
    counts: bool,
    words: u32,
    /// A hash of all its words.
    hash: u64,
    /// Its windows, each in [`WINDOW_NUMBERS`] numbers.
    windows: Block,
    /// What it is told apart by.
    told: Block,
}

/// A window is kept as its hash, the place of its first word, and the bytes where it begins and ends.
const WINDOW_NUMBERS: usize = 4;

impl Holders {
    /// Reads the texts that may hold furniture. It is what the `leading` ones hold, ascending, and `common` are the fingerprints,
    /// ascending, that are [common](fingerprints::COMMON) among these.
    pub(crate) fn read(fingerprints: &Fingerprints, texts: Texts<'_>, leading: &[u32], common: Vec<u32>) -> Self {
        let common = Members::new(common);
        let holds_some = |text: &u32| may_hold(&fingerprints.of(*text), &common);
        let holders: Vec<u32> = (0..texts.len() as u32).into_par_iter().filter(holds_some).collect();
        let counts = |text: u32| leading.binary_search(&text).is_ok();
        let (windows, told) = (texts.budget.store(Share::Windows), texts.budget.store(Share::StemsApart));
        let of_text = |desk: &mut Desk, &text: &u32| {
            desk.read(&(texts.read)(text), texts.shingle, &common);
            Holder {
                text,
                counts: counts(text),
                words: desk.words.len() as u32,
                hash: desk.hash(),
                windows: windows.keep(desk.windows()),
                told: told.keep(if counts(text) { desk.told() } else { Vec::new() }),
            }
        };
        let of = holders.par_iter().map_init(Desk::default, of_text).collect();
        Self { common: common.into(), windows, told, of }
    }

    /// What is furniture if texts that tell of the same thing are related in this way.
    pub(crate) fn furniture(&self, related: Related, budget: &Budget) -> Furniture {
        let furniture = Members::new(self.furniture_windows(related, budget));
        let cut =
            |holder: &Holder| Cut::new((holder.text, holder.words), &self.windows.get(&holder.windows), &furniture);
        let cuts = self.of.par_iter().filter_map(cut).collect();
        Furniture { cuts, mask: Mask { common: self.common.clone(), windows: furniture.into() } }
    }

    /// The windows that are furniture, ascending, by their hashes.
    fn furniture_windows(&self, related: Related, budget: &Budget) -> Vec<u32> {
        // About as many windows as there are in reach of three fingerprints a text.
        let bytes = size_of::<u64>() as u64 * self.of.len() as u64 * 6 * REACH as u64;
        let parts = bytes.div_ceil(budget.share(Share::WindowPostings).max(1)).clamp(1, MOST_PARTS) as u32;
        let mut furniture = Vec::new();
        for part in 0..parts {
            let of_text = |(at, holder): (usize, &Holder)| -> Vec<u64> {
                let windows = self.windows.get(&holder.windows);
                let hashes = windows.chunks_exact(WINDOW_NUMBERS).map(|window| window[0]);
                let of_part = hashes.filter(|window| window % parts == part);
                of_part.map(|window| u64::from(window) << 32 | at as u64).collect()
            };
            let counted = self.of.par_iter().enumerate().filter(|(_, holder)| holder.counts);
            let postings = shared(counted.map(of_text).flatten_iter().collect());
            let mut lists: Vec<(Vec<u32>, u32)> = Vec::new();
            for list in postings.chunk_by(|a, b| a >> 32 == b >> 32).filter(|list| list.len() >= LEAST_HOLDERS) {
                let mut holders: Vec<u32> = list.iter().map(|&posting| posting as u32).collect();
                holders.sort_unstable_by_key(|&at| (self.of[at as usize].hash, at));
                holders.truncate(MOST_HOLDERS);
                lists.push((holders, (list[0] >> 32) as u32));
            }
            // The windows of one passage are held by the same texts.
            lists.par_sort_unstable();
            let same: Vec<&[(Vec<u32>, u32)]> = lists.chunk_by(|a, b| a.0 == b.0).collect();
            let told = |&at: &u32| self.told.get(&self.of[at as usize].told);
            let unrelated = same.par_iter().filter(|same| are_unrelated(same[0].0.iter().map(told), related));
            furniture.par_extend(unrelated.flat_map_iter(|same| same.iter().map(|&(_, window)| window)));
        }
        furniture.par_sort_unstable();
        furniture
    }
}

/// Whether there are enough texts among some, by what they are told apart by, that tell of different things.
pub(crate) fn are_unrelated<'s>(holders: impl Iterator<Item = Cow<'s, [u32]>>, related: Related) -> bool {
    let mut unrelated: Vec<Cow<'_, [u32]>> = Vec::with_capacity(LEAST_HOLDERS);
    for told in holders {
        if unrelated.iter().all(|other| !are_related(other, &told, related)) {
            unrelated.push(told);
        }
        if unrelated.len() == LEAST_HOLDERS {
            return true;
        }
    }
    false
}

/// One text that may hold furniture.
pub(crate) struct Holding {
    /// A hash of all its words.
    pub(crate) hash: u64,
    /// The hashes of its windows near common fingerprints.
    pub(crate) windows: Vec<u32>,
    /// What it is told apart by: its distinct stems, ascending, each with whether it stands out of reach of these, and is of a name or a number.
    pub(crate) told: Vec<u32>,
}

impl Mask {
    /// Reads a text of these fingerprints that may hold furniture; `None` if it may not.
    pub(crate) fn holding(&self, text: &str, fingerprints: &[u32], shingle: Shingle) -> Option<Holding> {
        may_hold(fingerprints, &self.common).then(|| {
            let mut desk = Desk::default();
            desk.read(text, shingle, &self.common);
            let windows = desk.windows.iter().map(|&(window, _)| window).collect();
            Holding { hash: desk.hash(), windows, told: desk.told() }
        })
    }
}

/// Those postings whose window others have too, and some more, ascending, each once.
fn shared(mut postings: Vec<u64>) -> Vec<u64> {
    let mut sieve = Sieve::new(postings.len());
    let window = |posting: u64| (posting >> 32) as u32;
    postings.iter().for_each(|&posting| sieve.add(window(posting)));
    postings.retain(|&posting| sieve.is_shared(window(posting)));
    postings.par_sort_unstable();
    postings.dedup();
    postings
}

/// Of a stem: whether it stands out of reach of common fingerprints, and whether it is that of a name or a number.
const OWN: u32 = 1;
const FACT: u32 = 2;

fn stem_of(told: u32) -> u32 {
    told & !(OWN | FACT)
}

/// Whether two texts tell of the same thing, by what each is told apart by.
fn are_related(left: &[u32], right: &[u32], related: Related) -> bool {
    let (mut at, mut both, mut facts_of_both, mut left_found, mut right_found) = (0, 0, 0, 0, 0);
    for &one in left {
        while at < right.len() && stem_of(right[at]) < stem_of(one) {
            at += 1;
        }
        if let Some(&other) = right.get(at).filter(|&&other| stem_of(other) == stem_of(one)) {
            both += usize::from(one & other & OWN != 0);
            facts_of_both += usize::from(one & other & FACT != 0);
            left_found += usize::from(one & OWN != 0);
            right_found += usize::from(other & OWN != 0);
        }
    }
    let count = |told: &[u32], kind: u32| told.iter().filter(|&&one| one & kind != 0).count();
    let (left_own, right_own) = (count(left, OWN), count(right, OWN));
    let enough = |both: usize, least: f32, of: usize| both as f32 >= least * of as f32;
    let own = left_own.min(right_own);
    let tell_alike = || {
        enough(left_found, Related::Event.least(), left_own) && enough(right_found, Related::Event.least(), right_own)
    };
    enough(both, related.least(), own.max(FEW_STEMS))
        || own < FEW_STEMS
            && tell_alike()
            && enough(facts_of_both, SAME_FACTS, count(left, FACT).min(count(right, FACT)).max(FEW_FACTS))
}

/// One text as it is looked through. Reused from text to text.
#[derive(Default)]
struct Desk {
    words: Vec<u64>,
    places: Vec<Range<u32>>,
    /// The content words, each with its place among the words.
    tokens: Vec<(Token, u32)>,
    shingles: Vec<u64>,
    /// For each word the fingerprint of the five that begin with it.
    fives: Vec<u32>,
    /// The words with which windows near common fingerprints begin.
    in_reach: Vec<Range<usize>>,
    /// These windows, by the upper bits of their hashes, each with the place of its first word.
    windows: Vec<(u32, u32)>,
}

impl Desk {
    fn read(&mut self, text: &str, shingle: Shingle, common: &Members) {
        let Self { words, places, tokens, shingles, fives, in_reach, windows } = self;
        words.clear();
        places.clear();
        tokens.clear();
        windows.clear();
        in_reach.clear();
        let mut finder = Tokens::new(text);
        let arch = text::with_scratch(|scratch| {
            text::walk(text, scratch, |scan| {
                words.extend_from_slice(scan.hashes());
                for word in scan.iter() {
                    tokens.extend(finder.token(&word).map(|token| (token, places.len() as u32)));
                    places.push(word.start as u32..word.end as u32);
                }
            });
            scratch.arch()
        });
        fingerprints::of_words(arch, words, shingle, shingles, fives);
        let whole = (words.len() + 1).saturating_sub(WINDOW.into());
        for (at, &fingerprint) in fives.iter().enumerate() {
            if Sample::Half.keeps(fingerprint) && common.contains(fingerprint) {
                let range = at.saturating_sub(REACH).min(whole)..(at + REACH).min(whole);
                match in_reach.last_mut() {
                    Some(last) if last.end >= range.start => last.end = range.end,
                    _ => in_reach.push(range),
                }
            }
        }
        for range in in_reach.iter().filter(|range| !range.is_empty()) {
            shingles.clear();
            let words = &words[range.start..range.end + usize::from(WINDOW) - 1];
            Window::new(WINDOW).extend(arch, words, shingles);
            windows.extend(shingles.iter().map(|&window| (window >> 32) as u32).zip(range.start as u32..));
        }
    }

    /// A hash of all words in order.
    fn hash(&self) -> u64 {
        self.words.iter().fold(0, |hash, &word| mix2(hash, word))
    }

    /// What the text is told apart by, see [`Holding::told`].
    fn told(&self) -> Vec<u32> {
        let mut near = self.in_reach.iter().map(|range| range.start..range.end + usize::from(WINDOW) - 1).peekable();
        let mut is_far = |at: usize| {
            while near.next_if(|range| range.end <= at).is_some() {}
            near.peek().is_none_or(|range| at < range.start)
        };
        let of_token = |&(token, at): &(Token, u32)| {
            let (own, fact) = (is_far(at as usize), token.is_name() || token.is_number());
            token.stem() | (u32::from(own) * OWN) | (u32::from(fact) * FACT)
        };
        let mut told: Vec<u32> = self.tokens.iter().map(of_token).collect();
        told.sort_unstable();
        told.dedup_by(|next, one| {
            let is_same = stem_of(*next) == stem_of(*one);
            *one |= if is_same { *next } else { 0 };
            is_same
        });
        told
    }

    /// The windows near common fingerprints, as they are kept.
    fn windows(&self) -> Vec<u32> {
        let last = usize::from(WINDOW) - 1;
        let window = |&(hash, at): &(u32, u32)| {
            let (first, last) = (&self.places[at as usize], &self.places[at as usize + last]);
            [hash, at, first.start, last.end]
        };
        self.windows.iter().flat_map(window).collect()
    }
}

/// Some numbers, to ask whether one is among them.
#[derive(Debug)]
struct Members {
    sorted: Vec<u32>,
    /// One bit for each number, by some of its bits: most that are not among them are told by it.
    bits: Vec<u64>,
    shift: u32,
}

impl Default for Members {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Members {
    /// Takes numbers in ascending order.
    fn new(sorted: Vec<u32>) -> Self {
        let bits = (sorted.len() * 16).next_power_of_two().trailing_zeros().clamp(6, 30);
        let mut members = Self { sorted: Vec::new(), bits: vec![0; 1 << (bits - 6)], shift: 32 - bits };
        for &number in &sorted {
            let at = members.bit(number);
            members.bits[at / 64] |= 1 << (at % 64);
        }
        Self { sorted, ..members }
    }

    fn bit(&self, number: u32) -> usize {
        (number.wrapping_mul(0x9e37_79b1) >> self.shift) as usize
    }

    #[inline(always)]
    fn contains(&self, number: u32) -> bool {
        let at = self.bit(number);
        self.bits[at / 64] >> (at % 64) & 1 == 1 && self.sorted.binary_search(&number).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::{Content, Signatures, Views};
    use crate::store::Budget;
    use proptest::prelude::*;
    use std::sync::Arc;

    /// Stories of words of their own, of which the first so many end in a footer.
    fn stories(count: usize, with: usize, footer: &str) -> Vec<String> {
        let story = |at: usize| {
            let words: Vec<String> = (0..60).map(|word| format!("s{at}w{word}")).collect();
            words.join(" ") + if at < with { footer } else { "" }
        };
        (0..count).map(story).collect()
    }

    fn find(texts: &[String], budget: &Arc<Budget>) -> Furniture {
        let views =
            Views { shingle: Shingle::Words(3), slots: 16, content: Content::Nothing, fingerprints: Sample::Half };
        let mut signatures = Signatures::new(views, budget);
        signatures.extend(&texts.iter().map(String::as_str).collect::<Vec<_>>(), || ());
        let all: Vec<u32> = (0..texts.len() as u32).collect();
        let fingerprints = signatures.select(&all, budget).fingerprints;
        let common = fingerprints.overlaps(&all, &all, Sample::Half, |_| 60, |_| Some(1), budget).common;
        let read = |text: u32| Cow::Borrowed(texts[text as usize].as_str());
        let words = vec![60; texts.len()];
        let texts = Texts { words: &words, read: &read, shingle: Shingle::Words(3), budget };
        Holders::read(&fingerprints, texts, &all, common).furniture(Related::Story, texts.budget)
    }

    const FOOTER: &str = " Write to the desk of the paper at the old mill in Orrin or call before noon on working days, and \
        please say which edition you have read and on what page the story stood, since the late one differs. All that is \
        printed here belongs to the paper, and none of it may be printed elsewhere unless the publisher has agreed to it.";

    #[test]
    fn what_four_unrelated_texts_hold_is_cut_out() {
        for (with, found) in [(3, 0), (4, 4), (9, 9)] {
            let texts = stories(12, with, FOOTER);
            let furniture = find(&texts, &Budget::unlimited());
            assert_eq!(furniture.texts(), found);
            for (text, of) in (0..).zip(&texts).take(found) {
                let left = furniture.cut_from(text, of.into());
                assert!(left.starts_with(&of[..of.len() - FOOTER.len()]), "{left}");
                assert!(left.len() < of.len() - FOOTER.len() * 9 / 10, "{left}");
                let words = |text: &str| crate::Words::new(text).count() as u32;
                assert_eq!(furniture.words(text), words(of) - words(&left));
            }
            assert_eq!(furniture.cut_from(11, "as it is".into()), "as it is");
        }
    }

    #[test]
    fn what_texts_on_the_same_thing_hold_stays() {
        // The same words, in another order in each.
        const STEPS: [usize; 9] = [7, 11, 13, 17, 19, 23, 29, 31, 37];
        let mut texts = stories(9, 0, "");
        for (at, text) in texts.iter_mut().enumerate() {
            let shared: Vec<String> = (0..120).map(|word| format!("t{:02}y", word * STEPS[at] % 120)).collect();
            *text += &(" ".to_string() + &shared.join(" ") + FOOTER);
        }
        assert_eq!(find(&texts, &Budget::unlimited()).texts(), 0);
    }

    #[test]
    fn many_tellings_of_one_story_hold_no_furniture_and_fillings_of_a_form_do() {
        // Each sentence in one of four ways, which some of the others chose as well, with the names and numbers of the story or of each text.
        let telling = |at: u64, same_facts: bool| {
            let sentence = |sentence: u64| {
                let way = crate::hash::mix(at << 8 | sentence) % 4;
                let word = |word: u64| format!("s{sentence}v{}w{word}", if word.is_multiple_of(2) { way } else { 9 });
                let fact = if same_facts { sentence } else { 100 + 10 * at + sentence };
                format!("{} Orrin{fact} {fact}", (0..12).map(word).collect::<Vec<_>>().join(" "))
            };
            (0..6).map(sentence).collect::<Vec<_>>().join(". ")
        };
        let found = |same_facts| {
            let texts: Vec<String> = (0..20).map(|at| telling(at, same_facts)).collect();
            find(&texts, &Budget::unlimited()).texts()
        };
        assert_eq!(found(true), 0);
        assert!(found(false) > 16);
    }

    #[test]
    fn little_memory_changes_nothing() {
        let texts = stories(40, 30, FOOTER);
        let cuts = |memory: Option<u64>| format!("{:?}", find(&texts, &Budget::new(memory, None)));
        assert_eq!(cuts(None), cuts(Some(2000)));
    }

    proptest! {
        #[test]
        fn members_are_those_that_were_put_in(numbers in prop::collection::btree_set(any::<u32>(), 0..200), others in prop::collection::vec(any::<u32>(), 20)) {
            let members = Members::new(numbers.iter().copied().collect());
            for number in numbers.iter().chain(&others) {
                prop_assert_eq!(members.contains(*number), numbers.contains(number));
            }
        }
    }
}
