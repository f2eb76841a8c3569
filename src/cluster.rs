//! Verified pairs to clusters: stars, not closures.
//!
//! Transitive closure lets one false bridge merge two clusters and many bridges merge everything. In a star every member
//! was verified against the representative, so a false pair costs at most one member.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A verified pair of texts, the first before the second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Link {
    pub(crate) left: u32,
    pub(crate) right: u32,
    /// How sure it is that they are copies; more is surer: less than 1 for a rewording, from 1 on for an edited copy.
    pub(crate) strength: f64,
}

impl Link {
    /// The text that is linked to this one.
    pub(crate) fn other(&self, text: u32) -> u32 {
        self.left + self.right - text
    }

    /// The strength by which a text chooses among centres: of rewordings that are all but sure none is closer than the other,
    /// so that a crowd does not fall apart around a second centre.
    fn closeness(&self) -> f64 {
        if self.strength < 1.0 { self.strength.min(SURE) } else { self.strength }
    }

    /// How sure it is that they are copies, 0 to 1.
    fn chance(&self) -> f64 {
        self.strength.min(1.0)
    }
}

/// From which confidence on a rewording is all but sure.
pub(crate) const SURE: f64 = 0.9;

/// One star: who is in the middle, and the links (by their place in the input) that tie the members to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Star {
    pub(crate) center: u32,
    pub(crate) links: Vec<usize>,
}

/// A text, one that is linked to it, and the place of the link.
type Neighbour = (u32, u32, usize);

/// Groups texts into stars: of the texts of the lowest rank that with the most strength of links becomes the centre of all
/// texts linked to it, and so on with what is left; then each member goes to the centre that it is linked to most strongly, of
/// several that are as good to the first. Ties between centres go to the text of the lowest `tie`, and then to the earlier one. A
/// text that has exact copies is a centre even if nothing else is left for it. The result depends on the set of links alone, not
/// on their order.
pub(crate) fn stars(
    texts: usize,
    links: &[Link],
    (rank, tie): (impl Fn(u32) -> u32, impl Fn(u32) -> u32),
    has_copies: impl Fn(u32) -> bool,
) -> Vec<Star> {
    let mut neighbours: Vec<Neighbour> = Vec::with_capacity(2 * links.len());
    for (at, link) in links.iter().enumerate() {
        neighbours.push((link.left, link.right, at));
        neighbours.push((link.right, link.left, at));
    }
    neighbours.sort_unstable();
    // Sums are taken in the order of the neighbours, so that rounding is the same for any order of the links.
    let mut hubs: Vec<(f64, &[Neighbour])> = neighbours
        .chunk_by(|a, b| a.0 == b.0)
        .map(|around| (around.iter().map(|&(_, _, at)| links[at].strength).sum(), around))
        .collect();
    let center = |hub: &(f64, &[Neighbour])| hub.1[0].0;
    hubs.sort_by(|a, b| {
        let ranks = rank(center(a)).cmp(&rank(center(b)));
        let ties = || tie(center(a)).cmp(&tie(center(b)));
        ranks.then(b.0.total_cmp(&a.0)).then_with(ties).then(center(a).cmp(&center(b)))
    });

    let mut taken = vec![false; texts];
    let mut star_of = vec![usize::MAX; texts];
    let mut stars = Vec::new();
    for (_, around) in &hubs {
        let center = around[0].0;
        if taken[center as usize] {
            continue;
        }
        taken[center as usize] = true;
        let mut members = 0;
        for &(_, member, _) in *around {
            if !taken[member as usize] {
                taken[member as usize] = true;
                members += 1;
            }
        }
        if members > 0 || has_copies(center) {
            star_of[center as usize] = stars.len();
            stars.push(Star { center, links: Vec::new() });
        }
    }
    for (_, around) in &hubs {
        if star_of[around[0].0 as usize] == usize::MAX {
            let to_centers = around.iter().filter(|&&(_, other, _)| star_of[other as usize] != usize::MAX);
            let order = |&(_, center, at): &Neighbour| (links[at].closeness(), Reverse(star_of[center as usize]));
            let best = to_centers.max_by(|a, b| {
                let ((one, first), (other, second)) = (order(a), order(b));
                one.total_cmp(&other).then(first.cmp(&second))
            });
            if let Some(&(_, center, link)) = best {
                stars[star_of[center as usize]].links.push(link);
            }
        }
    }
    stars.retain(|star| !star.links.is_empty());
    stars
}

/// Gives texts that were left without a star one with a member of another star, if the two are more alike than that member and its
/// centre, it is like no other member, and the star has more of them: what stands in one text and partly in another one as well belongs
/// with the first, and would have gone with whichever was a centre. Texts come in their order, each with the surest of its links.
pub(crate) fn reunite(stars: &mut Vec<Star>, links: &[Link], rank: impl Fn(u32) -> u32) {
    // For each text in a star which one, and the link to its centre.
    let mut places: BTreeMap<u32, (usize, Option<usize>)> = BTreeMap::new();
    for (number, star) in stars.iter().enumerate() {
        places.insert(star.center, (number, None));
        for &link in &star.links {
            places.insert(links[link].other(star.center), (number, Some(link)));
        }
    }
    let pairs: BTreeMap<(u32, u32), f64> = links.iter().map(|link| ((link.left, link.right), link.strength)).collect();
    // Of each text without a star the links to members that might rather go with it.
    let mut offers: BTreeMap<u32, Vec<(usize, u32)>> = BTreeMap::new();
    for (at, link) in links.iter().enumerate() {
        for (text, other) in [(link.left, link.right), (link.right, link.left)] {
            if let (None, Some(&(_, Some(tie)))) = (places.get(&text), places.get(&other))
                && link.strength > links[tie].strength
            {
                offers.entry(text).or_default().push((at, other));
            }
        }
    }
    for (text, mut offers) in offers {
        offers.sort_by(|a, b| links[b.0].strength.total_cmp(&links[a.0].strength).then(a.1.cmp(&b.1)));
        let leaves = |&&(at, other): &&(usize, u32)| {
            let Some(&(star, Some(tie))) = places.get(&other) else { return false };
            let star = &stars[star];
            let member = |&at: &usize| links[at].other(star.center);
            // No rewording holds an edited copy.
            let least = if links[at].strength >= 1.0 { 1.0 } else { 0.0 };
            let strength = |member: u32| pairs.get(&(member.min(other), member.max(other)));
            let is_like = |member: u32| strength(member).is_some_and(|&strength| strength >= least);
            star.links.len() > 1 && star.links.iter().filter(|&&at| at != tie).all(|at| !is_like(member(at)))
        };
        // One that another text of these has taken is in a star of two, which nobody leaves.
        let Some(&(at, other)) = offers.iter().find(leaves) else { continue };
        if let Some((star, Some(tie))) = places.remove(&other) {
            stars[star].links.retain(|&link| link != tie);
        }
        let center = if (rank(text), text) < (rank(other), other) { text } else { other };
        places.insert(center, (stars.len(), None));
        places.insert(text + other - center, (stars.len(), Some(at)));
        stars.push(Star { center, links: vec![at] });
    }
}

/// Takes doubtful links out of stars of three texts and more, unless another member is linked to the same text: a false
/// link costs a star of two one pair, but in a larger one it makes pairs with all members. A star keeps its surest link in any
/// case. The places of the links that were taken out, in order.
pub(crate) fn take_out_unsupported(
    stars: &mut [Star],
    links: &[Link],
    is_doubtful: impl Fn(&Link) -> bool,
) -> Vec<usize> {
    let mut taken_out = Vec::new();
    let pairs: BTreeSet<(u32, u32)> = links.iter().map(|link| (link.left, link.right)).collect();
    for star in stars.iter_mut().filter(|star| star.links.len() > 1) {
        let member = |&at: &usize| links[at].other(star.center);
        let members: Vec<u32> = star.links.iter().map(member).collect();
        let is_supported = |text: u32| members.iter().any(|&other| pairs.contains(&(text.min(other), text.max(other))));
        let surest =
            star.links.iter().copied().max_by(|&a, &b| {
                links[a].strength.total_cmp(&links[b].strength).then_with(|| member(&b).cmp(&member(&a)))
            });
        let stays = |at: &usize| Some(*at) == surest || !is_doubtful(&links[*at]) || is_supported(member(at));
        let (kept, out) = star.links.iter().partition(|at| stays(at));
        star.links = kept;
        taken_out.extend::<Vec<usize>>(out);
    }
    taken_out.sort_unstable();
    taken_out
}

/// A text in no star that may join one all the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Supported {
    /// The place of the star.
    pub(crate) star: usize,
    /// The place, among the loose links, of the one to its centre.
    pub(crate) loose: usize,
}

/// The confidence from which on a pair is sure enough if a second one as good supports it, see [`supported`].
pub(crate) fn least_supported(confidence: f32) -> f32 {
    1.0 - (1.0 - confidence).sqrt()
}

/// The strength of a link that nothing but another one as good supports: the chance that one of the two holds.
pub(crate) fn supported(strength: f64) -> f64 {
    1.0 - (1.0 - strength) * (1.0 - strength)
}

/// Texts in no star that join one of three texts and more, since they are loosely linked to its centre and, by that or a better
/// link, to half of its texts: one link that falls short proves nothing, but several to texts that tell one story do. Each with
/// the star whose centre it is linked to most strongly, the first of equals; in the order of the texts.
pub(crate) fn with_support(stars: &[Star], links: &[Link], loose: &[Link]) -> Vec<Supported> {
    let mut star_of = BTreeMap::new();
    for (number, star) in stars.iter().enumerate() {
        star_of.insert(star.center, number);
        star_of.extend(star.links.iter().map(|&at| (links[at].other(star.center), number)));
    }
    // For each text without a star and each star around: how many of its texts it is linked to, and the loose link to the centre.
    let mut around: BTreeMap<(u32, usize), (usize, Option<usize>)> = BTreeMap::new();
    let places = links.iter().map(|link| (link, None)).chain(loose.iter().zip((0..).map(Some)));
    for (link, place) in places {
        for (text, other) in [(link.left, link.right), (link.right, link.left)] {
            if let (None, Some(&star)) = (star_of.get(&text), star_of.get(&other)) {
                let (count, to_center) = around.entry((text, star)).or_default();
                *count += 1;
                if other == stars[star].center {
                    *to_center = place;
                }
            }
        }
    }
    let mut joining: BTreeMap<u32, Supported> = BTreeMap::new();
    for ((text, star), (count, to_center)) in around {
        let texts = 1 + stars[star].links.len();
        let Some(loose_link) = to_center.filter(|_| texts > 2 && count > 1 && 2 * count >= texts) else { continue };
        let best = joining.entry(text).or_insert(Supported { star, loose: loose_link });
        if loose[loose_link].strength > loose[best.loose].strength {
            *best = Supported { star, loose: loose_link };
        }
    }
    joining.into_values().collect()
}

/// A text of a cluster, the one that it is a copy of, and the place of their link.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Branch {
    pub(crate) text: u32,
    pub(crate) of: u32,
    pub(crate) link: usize,
}

/// Stars that sure copies tie together, as one: each text after the one that it is a copy of, the first ones copies of the centre.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) center: u32,
    pub(crate) branches: Vec<Branch>,
}

/// Where a text stands: the place of its star, and the chance that it is a copy of the centre.
#[derive(Clone, Copy)]
struct Standing {
    star: usize,
    chance: f64,
}

/// Stars with what belongs to them by a sure copy of a member: stars of two texts, and texts that are in none. So nobody looks in
/// vain for the other one of two sure copies. Larger stars are stories of their own, which one false link would make one. The chance
/// that a text is a copy of the centre is that of all links on the way, and must be `least`; `may_stand` says whether a centre may have
/// a text. The surest come first, and a star that took in another one stays itself where it is, so that no chain leads from story to
/// story. Of links that are as sure the order does not matter.
pub(crate) fn joined(
    texts: usize,
    stars: &[Star],
    (links, least): (&[Link], f64),
    (is_sure, rank, may_stand): (impl Fn(usize) -> bool, impl Fn(u32) -> u32, impl Fn(u32, u32) -> bool),
) -> Vec<Tree> {
    let mut standing: Vec<Option<Standing>> = vec![None; texts];
    let mut trees: Vec<Tree> = Vec::with_capacity(stars.len());
    for (star, of) in stars.iter().enumerate() {
        standing[of.center as usize] = Some(Standing { star, chance: 1.0 });
        let branch = |&link: &usize| Branch { text: links[link].other(of.center), of: of.center, link };
        let branches: Vec<Branch> = of.links.iter().map(branch).collect();
        for branch in &branches {
            standing[branch.text as usize] = Some(Standing { star, chance: links[branch.link].chance() });
        }
        trees.push(Tree { center: of.center, branches });
    }
    let ends = |standing: &[Option<Standing>], link: &Link| [link.left, link.right].map(|text| standing[text as usize]);
    // What is tied by them already is most of them.
    let mut sure: Vec<usize> = (0..links.len()).filter(|&at| is_sure(at)).collect();
    sure.retain(|&at| {
        let [left, right] = ends(&standing, &links[at]);
        left.map(|left| left.star) != right.map(|right| right.star)
    });

    let between = |&at: &usize| {
        let [Some(left), Some(right)] = ends(&standing, &links[at]) else { return None };
        Some((links[at].chance() * left.chance * right.chance, at, [left.star, right.star]))
    };
    let mut ties: Vec<(f64, usize, [usize; 2])> = sure.iter().filter_map(between).collect();
    ties.retain(|&(chance, ..)| chance >= least);
    let pair = |at: usize| (links[at].left, links[at].right);
    ties.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| pair(a.1).cmp(&pair(b.1))));
    let (mut hosts, mut guests) = (vec![false; stars.len()], vec![false; stars.len()]);
    // Of two stars the surest tie decides.
    let mut seen: BTreeSet<(usize, usize)> = BTreeSet::new();
    for (_, at, [left, right]) in ties {
        let order = |star: &usize| (rank(stars[*star].center), Reverse(stars[*star].links.len()), *star);
        let [host, guest] = if order(&left) < order(&right) { [left, right] } else { [right, left] };
        let [link] = stars[guest].links[..] else { continue };
        if guests[host] || guests[guest] || hosts[guest] || !seen.insert((host, guest)) {
            continue;
        }
        let (of, text) = if host == left { pair(at) } else { (links[at].right, links[at].left) };
        let first = standing[of as usize].map_or(1.0, |of| of.chance) * links[at].chance();
        let coming = [
            (Branch { text, of, link: at }, first),
            (Branch { text: links[link].other(text), of: text, link }, first * links[link].chance()),
        ];
        if coming.iter().any(|&(branch, chance)| chance < least || !may_stand(stars[host].center, branch.text)) {
            continue;
        }
        (hosts[host], guests[guest]) = (true, true);
        for (branch, chance) in coming {
            standing[branch.text as usize] = Some(Standing { star: host, chance });
            trees[host].branches.push(branch);
        }
    }

    let mut joining: BTreeMap<u32, (f64, Branch)> = BTreeMap::new();
    for link in sure {
        let (text, of, at) = match ends(&standing, &links[link]) {
            [None, Some(at)] => (links[link].left, links[link].right, at),
            [Some(at), None] => (links[link].right, links[link].left, at),
            _ => continue,
        };
        let chance = at.chance * links[link].chance();
        let is_better = |&(best, branch): &(f64, Branch)| chance > best || chance == best && of < branch.of;
        let center = trees[at.star].center;
        if chance >= least && may_stand(center, text) && joining.get(&text).is_none_or(is_better) {
            joining.insert(text, (chance, Branch { text, of, link }));
        }
    }
    for (_, branch) in joining.into_values() {
        if let Some(at) = standing[branch.of as usize] {
            trees[at.star].branches.push(branch);
        }
    }
    trees.into_iter().zip(guests).filter(|(_, is_guest)| !is_guest).map(|(tree, _)| tree).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXTS: usize = 24;

    fn link(left: u32, right: u32, strength: f64) -> Link {
        Link { left, right, strength }
    }

    fn star(center: u32, links: &[usize]) -> Star {
        Star { center, links: links.to_vec() }
    }

    fn some_links() -> impl Strategy<Value = Vec<Link>> {
        prop::collection::btree_map((0u32..TEXTS as u32, 0u32..TEXTS as u32), 0u32..100, 0..60).prop_map(|pairs| {
            let pairs: BTreeMap<_, _> = pairs.into_iter().filter(|((a, b), _)| a < b).collect();
            pairs.into_iter().map(|((left, right), s)| Link { left, right, strength: f64::from(s) / 100.0 }).collect()
        })
    }

    /// Each star as its centre and members, ascending.
    fn groups(stars: &[Star], links: &[Link]) -> Vec<(u32, Vec<u32>)> {
        let mut groups: Vec<_> = stars
            .iter()
            .map(|star| {
                let mut members: Vec<_> = star.links.iter().map(|&at| links[at].other(star.center)).collect();
                members.sort_unstable();
                (star.center, members)
            })
            .collect();
        groups.sort_unstable();
        groups
    }

    #[test]
    fn a_text_near_half_of_a_star_joins_it() {
        let links = [link(0, 1, 0.9), link(0, 2, 0.9), link(0, 3, 0.9), link(10, 11, 0.9)];
        let stars = [Star { center: 0, links: vec![0, 1, 2] }, Star { center: 10, links: vec![3] }];
        let joining = |loose: &[Link]| with_support(&stars, &links, loose);
        assert_eq!(joining(&[link(0, 4, 0.4)]), [], "one link proves nothing");
        assert_eq!(joining(&[link(1, 4, 0.4), link(2, 4, 0.4)]), [], "it must be linked to the centre");
        assert_eq!(joining(&[link(2, 4, 0.3), link(0, 4, 0.4)]), [Supported { star: 0, loose: 1 }]);
        assert_eq!(joining(&[link(4, 10, 0.4), link(4, 11, 0.4)]), [], "two texts are no support");
        assert_eq!(joining(&[link(0, 10, 0.4), link(1, 10, 0.4)]), [], "who has a star stays");
        assert!((supported(0.3) - 0.51).abs() < 1e-9);
    }

    /// Stars and what joins them, each as its centre and, ascending, each text with the one that it is a copy of.
    fn trees(stars: &[Star], links: &[Link], may_stand: impl Fn(u32, u32) -> bool) -> Vec<(u32, Vec<(u32, u32)>)> {
        let is_sure = |at: usize| links[at].strength >= SURE;
        let joined = joined(TEXTS, stars, (links, 0.5), (is_sure, |_| 0, may_stand));
        let tree = |tree: Tree| {
            let mut of: Vec<_> = tree.branches.iter().map(|branch| (branch.text, branch.of)).collect();
            of.sort_unstable();
            (tree.center, of)
        };
        let mut trees: Vec<_> = joined.into_iter().map(tree).collect();
        trees.sort_unstable();
        trees
    }

    #[test]
    fn sure_copies_of_members_join_and_others_stay_away() {
        let links =
            [link(0, 1, 0.7), link(0, 2, 0.9), link(1, 3, 0.95), link(2, 4, 0.89), link(1, 5, 1.05), link(3, 6, 1.05)];
        let stars = [star(0, &[0, 1])];
        let found = trees(&stars, &links, |_, _| true);
        assert_eq!(found, [(0, vec![(1, 0), (2, 0), (3, 1), (5, 1)])], "4 is not sure, and 6 no copy of a member");
        let found = trees(&stars, &links, |_, text| text != 5);
        assert_eq!(found, [(0, vec![(1, 0), (2, 0), (3, 1)])]);
        let unlikely = [link(0, 1, 0.52), link(0, 2, 0.9), link(1, 3, 0.95)];
        assert_eq!(trees(&stars, &unlikely, |_, _| true), [(0, vec![(1, 0), (2, 0)])], "both together are too little");
    }

    #[test]
    fn a_star_of_two_joins_another_by_a_sure_copy_if_both_are_copies_still() {
        let links =
            [link(0, 1, 0.9), link(0, 2, 0.9), link(3, 4, 0.95), link(2, 4, 0.97), link(5, 6, 0.55), link(1, 6, 0.97)];
        let stars = [star(0, &[0, 1]), star(3, &[2]), star(5, &[4])];
        let found = trees(&stars, &links, |_, _| true);
        assert_eq!(
            found,
            [(0, vec![(1, 0), (2, 0), (3, 4), (4, 2)]), (5, vec![(6, 5)])],
            "0.9 × 0.97 × 0.55 is too little"
        );
        assert_eq!(
            trees(&stars, &links, |_, text| text != 3).len(),
            3,
            "one text that may not stand there keeps all away"
        );
        let larger = [links[0], links[1], links[2], links[3], link(3, 9, 0.99)];
        assert_eq!(
            trees(&[star(0, &[0, 1]), star(3, &[2, 4])], &larger, |_, _| true).len(),
            2,
            "three texts are a story"
        );
        // 8 would come next, but by a star that is itself a guest.
        let links = [links[0], links[1], links[2], links[3], link(7, 8, 0.99), link(3, 8, 0.99)];
        let found = trees(&[star(0, &[0, 1]), star(3, &[2]), star(7, &[4])], &links, |_, _| true);
        assert_eq!(found.iter().map(|tree| tree.0).collect::<Vec<_>>(), [0, 3], "the surest tie first, and no chain");
    }

    #[test]
    fn a_copy_of_a_member_alone_is_told_as_one() {
        let words = |name: &str| (0..60).map(|n| format!("{name}{n}")).collect::<Vec<_>>().join(" ");
        let [a, b, c, d, m] = ["a", "b", "c", "d", "m"].map(words);
        let texts = [
            ("center", [&*a, &b, &c, &d].join(" ")),
            ("edited", [&*a, &b, &c, &m].join(" ")),
            ("begins", [&*a, &b, &c].join(" ")),
            ("ends", [&*b, &c, &d].join(" ")),
            ("around", [&*a, &c, &d].join(" ")),
            ("of edited", [&c[100..], &m].join(" ")),
        ];
        let report = crate::Detector::builder().level(crate::Level::Near).build().unwrap().find(&texts).unwrap();
        let [cluster] = report.clusters() else { panic!("{report:?}") };
        assert_eq!((&*cluster.representative().id, cluster.size()), ("center", 6));
        let via = |id: &str| cluster.members().iter().find(|member| member.id == id).unwrap().via.as_ref();
        assert_eq!(via("of edited").map(|via| (&*via.id, via.position)), Some(("edited", 1)));
        assert!(["edited", "begins", "ends", "around"].iter().all(|id| via(id).is_none()));
    }

    proptest! {
        #[test]
        fn joining_keeps_all_members_and_ties_each_text_once(links in some_links(), seed in any::<u64>()) {
            let of = |links: &[Link]| trees(&stars(TEXTS, links, (|_| 0, |_| 0), |_| false), links, |_, _| true);
            let found = of(&links);
            let mut seen = BTreeSet::new();
            for (center, branches) in &found {
                prop_assert!(seen.insert(*center));
                for &(text, to) in branches {
                    prop_assert!(seen.insert(text), "{} is in two places", text);
                    let linked = links.iter().any(|link| (link.left, link.right) == (text.min(to), text.max(to)));
                    prop_assert!(linked && (to == *center || branches.iter().any(|&(text, _)| text == to)));
                }
            }
            let alone = stars(TEXTS, &links, (|_| 0, |_| 0), |_| false);
            for star in &alone {
                prop_assert!(seen.contains(&star.center));
                prop_assert!(star.links.iter().all(|&at| seen.contains(&links[at].other(star.center))));
            }
            let mut shuffled = links.clone();
            shuffled.sort_by_key(|link| crate::hash::mix(seed ^ u64::from(link.left) << 32 ^ u64::from(link.right)));
            prop_assert_eq!(of(&shuffled), found);
        }

        #[test]
        fn every_member_is_linked_to_its_centre_and_in_one_star_only(links in some_links()) {
            let mut seen = [false; TEXTS];
            for star in stars(TEXTS, &links, (|_| 0, |_| 0), |_| false) {
                prop_assert!(!std::mem::replace(&mut seen[star.center as usize], true));
                for at in star.links {
                    let link = links[at];
                    prop_assert!(link.left == star.center || link.right == star.center);
                    let member = link.left + link.right - star.center;
                    prop_assert!(!std::mem::replace(&mut seen[member as usize], true));
                }
            }
        }

        #[test]
        fn the_order_of_links_does_not_matter(links in some_links(), seed in any::<u64>()) {
            let mut shuffled = links.clone();
            shuffled.sort_by_key(|link| crate::hash::mix(seed ^ u64::from(link.left) << 32 ^ u64::from(link.right)));
            prop_assert_eq!(groups(&stars(TEXTS, &shuffled, (|_| 0, |_| 0), |_| false), &shuffled), groups(&stars(TEXTS, &links, (|_| 0, |_| 0), |_| false), &links));
        }

        #[test]
        fn of_texts_that_are_all_linked_the_lowest_rank_is_the_centre(strengths in prop::collection::vec(1u32..100, 45), ranks in prop::collection::vec(0u32..5, 10)) {
            let pairs = (0..10u32).flat_map(|left| (left + 1..10).map(move |right| (left, right)));
            let links: Vec<_> = pairs.zip(strengths).map(|((left, right), s)| Link { left, right, strength: s.into() }).collect();
            let stars = stars(10, &links, (|text| ranks[text as usize], |_| 0), |_| false);
            prop_assert_eq!(stars.len(), 1);
            prop_assert_eq!(ranks[stars[0].center as usize], *ranks.iter().min().unwrap());
            prop_assert_eq!(stars[0].links.len(), 9);
        }

        #[test]
        fn linked_texts_are_not_both_left_alone(links in some_links()) {
            let stars = stars(TEXTS, &links, (|_| 0, |_| 0), |_| false);
            let grouped: Vec<u32> = groups(&stars, &links).into_iter().flat_map(|(center, members)| members.into_iter().chain([center])).collect();
            for link in &links {
                prop_assert!(grouped.contains(&link.left) || grouped.contains(&link.right));
            }
        }
    }

    #[test]
    fn who_is_left_takes_a_member_that_is_more_like_it() {
        // 1 stands in 0, 2 in 3, and some of 2 in 0 as well.
        let links = [link(0, 1, 1.0), link(0, 2, 0.8), link(2, 3, 1.0)];
        let of = |links: &[Link]| {
            let mut stars = stars(TEXTS, links, (|_| 0, |_| 0), |_| false);
            reunite(&mut stars, links, |_| 0);
            groups(&stars, links)
        };
        assert_eq!(of(&links), [(0, vec![1]), (2, vec![3])]);
        // Who is like another member stays.
        let with_mate = [&links[..], &[link(0, 4, 1.0), link(0, 5, 1.0), link(1, 2, 1.0)]].concat();
        assert_eq!(of(&with_mate), [(0, vec![1, 2, 4, 5])]);
        // But no rewording of another member holds it back from its edited copy.
        let with_rewording = [&links[..], &[link(0, 4, 1.0), link(0, 5, 1.0), link(1, 2, 0.8)]].concat();
        assert_eq!(of(&with_rewording), [(0, vec![1, 4, 5]), (2, vec![3])]);
    }

    proptest! {
        #[test]
        fn reuniting_loses_nobody_and_leaves_stars_of_linked_texts(links in some_links(), seed in any::<u64>()) {
            let mut stars = stars(TEXTS, &links, (|_| 0, |_| 0), |_| false);
            let placed = |stars: &[Star]| -> BTreeSet<u32> {
                groups(stars, &links).into_iter().flat_map(|(center, members)| members.into_iter().chain([center])).collect()
            };
            let before = placed(&stars);
            reunite(&mut stars, &links, |_| 0);
            let texts: Vec<u32> = groups(&stars, &links).into_iter().flat_map(|(center, members)| members.into_iter().chain([center])).collect();
            prop_assert!(before.is_subset(&placed(&stars)) && texts.len() == placed(&stars).len());
            prop_assert!(stars.iter().all(|star| !star.links.is_empty()));
            let mut shuffled = links.clone();
            shuffled.sort_by_key(|link| crate::hash::mix(seed ^ u64::from(link.left) << 32 ^ u64::from(link.right)));
            let mut others = super::stars(TEXTS, &shuffled, (|_| 0, |_| 0), |_| false);
            reunite(&mut others, &shuffled, |_| 0);
            prop_assert_eq!(groups(&others, &shuffled), groups(&stars, &links));
        }

        #[test]
        fn what_is_doubtful_needs_support_in_larger_stars(links in some_links()) {
            let is_doubtful = |link: &Link| link.strength < 0.6;
            let mut stars = stars(TEXTS, &links, (|_| 0, |_| 0), |_| false);
            let before = stars.clone();
            let taken_out = take_out_unsupported(&mut stars, &links, is_doubtful);
            let linked = |a: u32, b: u32| links.iter().any(|link| (link.left, link.right) == (a.min(b), a.max(b)));
            for (star, whole) in stars.iter().zip(before) {
                prop_assert!(!star.links.is_empty());
                let members: Vec<u32> = whole.links.iter().map(|&at| links[at].other(star.center)).collect();
                for (&at, &member) in whole.links.iter().zip(&members) {
                    let supported = members.iter().any(|&other| linked(member, other));
                    let out = taken_out.contains(&at);
                    prop_assert_eq!(out, !star.links.contains(&at));
                    prop_assert!(!out || is_doubtful(&links[at]) && !supported && whole.links.len() > 1);
                    prop_assert!(out || !is_doubtful(&links[at]) || supported || star.links.len() == 1 || whole.links.iter().all(|&other| links[other].strength <= links[at].strength));
                }
            }
        }
    }

    #[test]
    fn a_bridge_does_not_merge_two_stars() {
        // 0–1–2 and 4–5–6 are tight; 2–4 is a false bridge.
        let links =
            [link(0, 1, 0.9), link(0, 2, 0.9), link(1, 2, 0.8), link(4, 5, 0.9), link(4, 6, 0.9), link(2, 4, 0.5)];
        assert_eq!(
            groups(&stars(TEXTS, &links, (|_| 0, |_| 0), |_| false), &links),
            [(0, vec![1, 2]), (4, vec![5, 6])]
        );
    }
}
