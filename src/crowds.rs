//! Crowds: many copies of one text, of which no two need be alike.
//!
//! Buckets that are crowded are not compared all with all, so that in a crowd each text meets some of the others, and which ones
//! depends on the ids. Left to that, a crowd falls apart into stars around texts that happened to meet many. So the texts
//! that are most like all others are looked for: where most of a text's copies agree in a slot of their sketches, that is
//! the slot of what they were all made from, and whose sketch has most of these slots is closest to it. All are compared with
//! it, those left over among themselves in the same way, and last whoever has no or a small star with the centres of the
//! stars around.

use std::collections::BTreeMap;

use crate::candidates::Sketches;
use crate::cluster::Star;
use crate::minhash::equal_slots;

/// Texts that are tied together by so many copies are a crowd: fewer are compared all with all where they meet.
pub(crate) const CROWD: usize = 32;

/// How often the centre of a crowd, or of what is left of it, is looked for.
pub(crate) const MOST_CENTRES: usize = 32;

/// Texts that are tried as a centre.
pub(crate) const TRIED: usize = 4;

/// Copies of a text whose sketches are looked at to find what they were made from.
const SAMPLE: usize = 256;

/// A text with fewer copies among those left is no centre worth looking for.
const FEW: usize = 8;

/// Stars whose centre a text is offered to, at most.
const OFFERS: usize = 4;

/// The first of those that are tied to one.
pub(crate) fn root(parents: &mut [u32], mut one: u32) -> u32 {
    while parents[one as usize] != one {
        let above = parents[parents[one as usize] as usize];
        parents[one as usize] = above;
        one = above;
    }
    one
}

/// Ties two and all that are tied to either.
pub(crate) fn tie(parents: &mut [u32], left: u32, right: u32) {
    let (left, right) = (root(parents, left), root(parents, right));
    parents[left.max(right) as usize] = left.min(right);
}

/// Each crowd with the copies among its texts, in the order of their first texts.
pub(crate) fn crowds(texts: usize, links: &[(u32, u32)]) -> Vec<Rest> {
    let mut parents: Vec<u32> = (0..texts as u32).collect();
    links.iter().for_each(|&(left, right)| tie(&mut parents, left, right));
    let mut sizes = vec![0; texts];
    for text in 0..texts as u32 {
        let root = root(&mut parents, text);
        sizes[root as usize] += 1;
    }
    let mut crowds: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for text in 0..texts as u32 {
        let root = root(&mut parents, text);
        if sizes[root as usize] >= CROWD {
            crowds.entry(root).or_default().push(text);
        }
    }
    // Both of a pair are of one crowd, so that no crowd is asked about the pairs of others.
    let mut copies: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    for &link in links {
        copies.entry(root(&mut parents, link.0)).or_default().push(link);
    }
    let with_copies = |(root, texts)| Rest::new(texts, copies.remove(&root).unwrap_or_default().into_iter());
    crowds.into_iter().map(with_copies).collect()
}

/// What is left of a crowd: texts for which no centre was found so far, and the copies among them.
pub(crate) struct Rest {
    /// Ascending.
    texts: Vec<u32>,
    /// For each pair of copies both, each first once, in order.
    links: Vec<(u32, u32)>,
}

impl Rest {
    pub(crate) fn new(texts: Vec<u32>, links: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut rest = Self { texts, links: Vec::new() };
        rest.add(links);
        rest
    }

    pub(crate) fn texts(&self) -> &[u32] {
        &self.texts
    }

    /// Adds copies that were found since, or were known; those with a text that is not left are passed over.
    pub(crate) fn add(&mut self, links: impl Iterator<Item = (u32, u32)>) {
        let is_left = |text: u32| self.texts.binary_search(&text).is_ok();
        let links = links.filter(|&(left, right)| is_left(left) && is_left(right));
        self.links.extend(links.flat_map(|(left, right)| [(left, right), (right, left)]));
        self.links.sort_unstable();
        self.links.dedup();
    }

    /// The copies of each text that has some.
    fn around(&self) -> impl Iterator<Item = &[(u32, u32)]> {
        self.links.chunk_by(|a, b| a.0 == b.0)
    }

    /// The text with most copies and these, ascending; none if no text has copies enough.
    pub(crate) fn hub(&self) -> Option<(u32, Vec<u32>)> {
        let most = longest(self.around()).filter(|most| most.len() >= FEW)?;
        Some((most[0].0, most.iter().map(|&(_, copy)| copy).collect()))
    }

    /// The texts that may be closest to all others; none if no text has copies enough.
    pub(crate) fn central(&self, sketches: &Sketches) -> Vec<u32> {
        let Some((hub, sample)) = self.sample() else { return Vec::new() };
        let common = common_slots(sample.iter().map(|&copy| sketches.get(copy).to_vec()).collect());
        let closest = self.texts.iter().map(|&text| (distance(&sketches.get(text), &common), text)).collect();
        central(hub, closest)
    }

    /// The text with most copies, and some of these, of which it may be told what they were made from; none if it has too few.
    pub(crate) fn sample(&self) -> Option<(u32, Vec<u32>)> {
        let (hub, copies) = self.hub()?;
        let step = copies.len().div_ceil(SAMPLE);
        Some((hub, copies.into_iter().step_by(step).collect()))
    }

    /// Takes the one of some texts that has most copies away, with all of these.
    pub(crate) fn take(&mut self, central: &[u32]) {
        let stars = self.around().filter(|around| central.contains(&around[0].0));
        let Some(star) = longest(stars) else { return };
        let mut gone: Vec<u32> = star.iter().map(|&(_, copy)| copy).chain([star[0].0]).collect();
        gone.sort_unstable();
        let is_gone = |text: u32| gone.binary_search(&text).is_ok();
        self.texts.retain(|&text| !is_gone(text));
        self.links.retain(|&(text, copy)| !is_gone(text) && !is_gone(copy));
    }
}

/// Adds copies that were found among the texts of some crowds, both of a pair in one, to these.
pub(crate) fn share_out(crowds: &mut [Rest], links: impl Iterator<Item = (u32, u32)>) {
    let mut places: Vec<(u32, usize)> = Vec::new();
    for (at, crowd) in crowds.iter().enumerate() {
        places.extend(crowd.texts.iter().map(|&text| (text, at)));
    }
    places.sort_unstable();
    let mut of_crowds: Vec<Vec<(u32, u32)>> = vec![Vec::new(); crowds.len()];
    for link in links {
        if let Ok(place) = places.binary_search_by_key(&link.0, |&(text, _)| text) {
            of_crowds[places[place].1].push(link);
        }
    }
    crowds.iter_mut().zip(of_crowds).for_each(|(crowd, links)| crowd.add(links.into_iter()));
}

/// The longest of some slices, the first of equals.
fn longest<'a, T>(slices: impl Iterator<Item = &'a [T]>) -> Option<&'a [T]> {
    slices.reduce(|longest, slice| if slice.len() > longest.len() { slice } else { longest })
}

/// How far a sketch is from the slots that most have.
pub(crate) fn distance(sketch: &[u32], common: &[u32]) -> usize {
    common.len() - equal_slots(sketch, common)
}

/// The texts of a crowd that may be closest to all others, by their distances; the one with most copies is among them.
pub(crate) fn central(hub: u32, mut closest: Vec<(usize, u32)>) -> Vec<u32> {
    closest.sort_unstable();
    closest.truncate(TRIED);
    let mut central: Vec<u32> = closest.into_iter().map(|(_, text)| text).collect();
    if !central.contains(&hub) {
        central.push(hub);
    }
    central
}

/// For each slot the number that most sketches have in it, the smallest of equals.
pub(crate) fn common_slots(sketches: Vec<Vec<u32>>) -> Vec<u32> {
    let slots = sketches.first().map_or(0, Vec::len);
    let mut of_slot: Vec<u32> = Vec::with_capacity(sketches.len());
    let mut common = |slot: usize| {
        of_slot.clear();
        of_slot.extend(sketches.iter().map(|sketch| sketch[slot]));
        of_slot.sort_unstable();
        longest(of_slot.chunk_by(|a, b| a == b)).map_or(0, |run| run[0])
    };
    (0..slots).map(&mut common).collect()
}

/// Pairs of a text that is in no star, or whose star comes later than that of a copy of one in it, with the centre of that one:
/// if they turn out to be copies, small stars join large ones. The first stars first, and no text more than so often; of how many
/// stars and texts that was not all, is the second number.
pub(crate) fn offers(
    texts: usize,
    links: &[(u32, u32)],
    stars: &[Star],
    members: &[Vec<u32>],
) -> (Vec<(u32, u32)>, usize) {
    const NONE: u32 = u32::MAX;
    let mut star_of = vec![NONE; texts];
    for ((star, members), number) in stars.iter().zip(members).zip(0..) {
        star_of[star.center as usize] = number;
        members.iter().for_each(|&text| star_of[text as usize] = number);
    }
    // Of each later star, or text without one, the earlier stars around.
    let mut around: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
    for &(left, right) in links {
        for (text, other) in [(left, right), (right, left)] {
            let (star, earlier) = (star_of[text as usize], star_of[other as usize]);
            if earlier < star {
                let alone = if star == NONE { text } else { NONE };
                around.entry((star, alone)).or_default().push(earlier);
            }
        }
    }
    let (mut offers, mut capped) = (Vec::new(), 0);
    for ((star, alone), mut earlier) in around {
        earlier.sort_unstable();
        earlier.dedup();
        capped += usize::from(earlier.len() > OFFERS);
        let own = members.get(star as usize).map_or(&[][..], Vec::as_slice);
        let center = stars.get(star as usize).map_or(alone, |star| star.center);
        for &earlier in earlier.iter().take(OFFERS) {
            let to = stars[earlier as usize].center;
            offers.extend(own.iter().chain([&center]).map(|&text| (text.min(to), text.max(to))));
        }
    }
    (offers, capped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Detector, Level, Search};

    /// Copies of one text in which about one word in sixteen is another one, the text itself among them or not.
    fn copies(number: u64, seed: u64, with_text: bool) -> Vec<(String, String)> {
        let random = |a: u64, b: u64| crate::hash::mix(seed << 40 ^ a << 20 ^ b);
        let word = |at: u64, copy: u64| match random(copy, at) % 16 {
            0 if copy > 0 => format!("x{}", random(copy, at) >> 40),
            _ => format!("w{}", random(0, at) % 5000),
        };
        let text = |copy: u64| (0..200).map(|at| word(at, copy)).collect::<Vec<_>>().join(" ");
        let first = u64::from(!with_text);
        (first..first + number).map(|copy| (format!("{:x}", random(copy, 999)), text(copy))).collect()
    }

    fn clusters(articles: &[(String, String)], search: Search) -> (usize, usize) {
        let detector = Detector::builder().level(Level::Near).search(search).build().unwrap();
        let report = detector.find(articles).unwrap();
        let members: usize = report.clusters().iter().map(crate::Cluster::size).sum();
        (report.clusters().len(), articles.len() - members)
    }

    #[test]
    fn a_crowd_around_its_original_is_one_star_whatever_the_ids() {
        for seed in 0..3 {
            // One may by chance have more words changed than makes a copy.
            let (stars, alone) = clusters(&copies(400, seed, true), Search::Candidates);
            assert!(stars == 1 && alone <= 4, "{seed}: {stars}, {alone}");
        }
    }

    #[test]
    fn a_crowd_without_its_original_is_as_few_stars_as_of_all_pairs() {
        for seed in 0..3 {
            let articles = copies(300, seed, false);
            let (found, of_all) = (clusters(&articles, Search::Candidates), clusters(&articles, Search::Exhaustive));
            assert_eq!(found.0, of_all.0, "{seed}");
            assert!(found.1 <= of_all.1 + 3, "{seed}: {found:?}, {of_all:?}");
        }
    }

    #[test]
    fn crowds_are_what_copies_tie_together() {
        let chain = |first: u32, texts: u32| (first..first + texts - 1).map(|text| (text, text + 1));
        let crowd = CROWD as u32;
        let links = chain(5, crowd).chain(chain(100, crowd - 1)).chain(chain(200, crowd + 3).map(|(a, b)| (b, a)));
        let links: Vec<(u32, u32)> = links.collect();
        let found = crowds(300, &links);
        let texts: Vec<Vec<u32>> = found.iter().map(|crowd| crowd.texts().to_vec()).collect();
        assert_eq!(texts, [(5..5 + crowd).collect::<Vec<_>>(), (200..203 + crowd).collect()]);
        assert!(
            found.iter().all(|crowd| crowd.links.len() == 2 * (crowd.texts.len() - 1)),
            "its own copies, both ways"
        );
    }

    #[test]
    fn texts_of_small_stars_and_without_one_are_offered_to_the_centres_around() {
        let stars = [(0, vec![1, 2]), (3, vec![4])];
        let members: Vec<Vec<u32>> = stars.iter().map(|star| star.1.clone()).collect();
        let stars = stars.map(|(center, _)| Star { center, links: Vec::new() });
        let (mut offered, capped) = offers(7, &[(0, 1), (0, 2), (3, 4), (2, 4), (4, 6)], &stars, &members);
        offered.sort_unstable();
        assert_eq!((offered, capped), (vec![(0, 3), (0, 4), (3, 6)], 0));
    }
}
