//! Verified pairs to clusters with names: stars of texts, their exact copies with them, and who was nearly a member.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::cluster::{self, Link, Star};
use crate::corpus::Corpus;
use crate::near::{self, Compared, links};
use crate::report::{ArticleRef, Cluster, Member, NearMiss, Relation, Via};

/// How clusters are made.
#[derive(Clone, Copy)]
pub(crate) struct Grouping {
    /// From which confidence on two texts are rewordings.
    pub(crate) confidence: f32,
    /// From which similarity on they are edited copies.
    pub(crate) jaccard: f32,
    /// How similar a near miss must be, if they are asked for.
    pub(crate) near_misses: Option<f32>,
}

/// A rewording of less confidence is in a cluster of three and more only if a second member is a copy of it as well.
const DOUBTFUL: f64 = 0.6;

/// Of two edited copies one is as good as the other from this similarity on.
const MOSTLY: f32 = 0.8;

/// How a member of a cluster is like the representative.
#[derive(Clone, Copy)]
struct Tie<'p> {
    relation: Relation,
    similarity: f32,
    /// The pair that ties it to the representative, or to another member.
    pair: &'p Compared,
    /// That other member.
    via: Option<u32>,
}

impl<'p> Tie<'p> {
    /// By a pair with the representative, or with a member that is tied to it in turn: what is retold twice is as sure as both
    /// together, and an edited copy is no less sure a rewording than what was edited.
    fn over(pair: &'p Compared, via: Option<(u32, &Self)>) -> Self {
        let relation = pair.relation.unwrap_or(Relation::Reworded);
        let Some((via, of)) = via else { return Self { relation, similarity: pair.similarity, pair, via: None } };
        let similarity = match (relation, of.relation) {
            (Relation::Near, Relation::Reworded) => of.similarity,
            (Relation::Reworded, Relation::Near) => pair.similarity,
            _ => pair.similarity * of.similarity,
        };
        Self { relation: relation.max(of.relation), similarity, pair, via: Some(via) }
    }
}

impl Grouping {
    /// Verified pairs and exact copies to clusters with names.
    pub(crate) fn clusters(&self, corpus: &Corpus<'_>, verified: &[Compared], misses: &[Compared]) -> Vec<Cluster> {
        let Corpus { articles, positions, twins, distinct, .. } = corpus;
        let mut copies: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (at, &twin) in (0..).zip(twins) {
            if at != twin {
                copies.entry(twin).or_default().push(at);
            }
        }
        let article = |at: u32| {
            let position = positions[at as usize] as usize;
            ArticleRef { id: articles.id(position).into(), position }
        };
        let similarity = |tie: Option<Tie<'_>>| tie.map_or(1.0, |tie| tie.similarity);
        let member = |(at, tie): (u32, Option<Tie<'_>>)| {
            let ArticleRef { id, position } = article(at);
            Member {
                id,
                position,
                relation: tie.map_or(Relation::Exact, |tie| tie.relation),
                similarity: similarity(tie),
                evidence: tie.map(|tie| tie.pair.evidence),
                via: tie.and_then(|tie| {
                    let ArticleRef { id, position } = article(distinct[tie.via? as usize]);
                    Some(Via { id, position, relation: tie.pair.relation?, similarity: tie.pair.similarity })
                }),
            }
        };
        let mut copied = vec![false; distinct.len()];
        copies.keys().filter_map(|at| distinct.binary_search(at).ok()).for_each(|text| copied[text] = true);
        let has_copies = |text: u32| copied[text as usize];
        let rank = |text: u32| corpus.rank(text);
        let links = links(verified.iter());
        let mut stars = cluster::stars(distinct.len(), &links, (rank, |_| 0), has_copies);
        cluster::reunite(&mut stars, &links, rank);
        let is_doubtful = |link: &Link| link.strength < DOUBTFUL;
        let unsupported = cluster::take_out_unsupported(&mut stars, &links, is_doubtful);
        let (supported, misses) = self.take_in_supported(&mut stars, &links, misses);
        let verified = |at: usize| verified.get(at).unwrap_or_else(|| &supported[at - verified.len()]);
        let is_sure = |at: usize| {
            let Compared { relation, similarity, .. } = verified(at);
            *similarity >= if *relation == Some(Relation::Near) { MOSTLY } else { cluster::SURE as f32 }
        };
        let may_stand = |center: u32, text: u32| {
            rank(center) <= rank(text) && corpus.may_meet(distinct[center as usize], distinct[text as usize])
        };
        let all: Vec<Link> = links.into_iter().chain(near::links(supported.iter())).collect();
        let trees = cluster::joined(distinct.len(), &stars, (&all, self.confidence.into()), (is_sure, rank, may_stand));
        let mut tree_of = vec![None; distinct.len()];
        for (number, tree) in trees.iter().enumerate() {
            tree_of[tree.center as usize] = Some(number);
            tree.branches.iter().for_each(|branch| tree_of[branch.text as usize] = Some(number));
        }
        let is_apart = |pair: &&Compared| {
            let [left, right] = [pair.left, pair.right].map(|text| tree_of[text as usize]);
            left.is_none() || left != right
        };
        let nearest = nearest(misses.into_iter().chain(unsupported.iter().map(|&at| verified(at))).filter(is_apart));
        let near_miss = |text: u32| {
            let &(other, pair) = nearest.get(&text)?;
            let position = corpus.position(other);
            let enough = if pair.evidence.content.is_some() { self.confidence } else { self.jaccard };
            Some(NearMiss {
                id: articles.id(position).into(),
                position,
                similarity: pair.similarity,
                // A pair that is sure enough by itself lacked the support of a second member.
                missing: (enough - pair.similarity).max(0.0),
                evidence: pair.evidence,
            })
        };
        let mut clusters = Vec::new();
        for tree in trees {
            let mut members = Vec::new();
            let center = distinct[tree.center as usize];
            let mut add = |text: u32, tie| {
                let at = distinct[text as usize];
                if at != center {
                    members.push((at, tie));
                }
                let copies = copies.remove(&at).into_iter().flatten().filter(|&copy| corpus.may_meet(center, copy));
                members.extend(copies.map(|copy| (copy, tie)));
            };
            add(tree.center, None);
            let mut ties: BTreeMap<u32, Tie<'_>> = BTreeMap::new();
            for branch in tree.branches {
                let tie = Tie::over(verified(branch.link), ties.get(&branch.of).map(|of| (branch.of, of)));
                add(branch.text, Some(tie));
                ties.insert(branch.text, tie);
            }
            clusters.push((center, tree.center, members));
        }
        // Exact copies of texts that have no other copies.
        for (first, same) in copies {
            let same = same.into_iter().filter(|&copy| corpus.may_meet(first, copy));
            let members: Vec<_> = same.map(|at| (at, None)).collect();
            if members.is_empty() {
                continue;
            }
            let text = distinct.partition_point(|&at| at < first) as u32;
            clusters.push((first, text, members));
        }
        clusters.sort_by_key(|&(center, ..)| center);
        let cluster = |(center, text, mut members): (u32, u32, Vec<(u32, Option<Tie<'_>>)>)| {
            // The numbers of articles are in the order of their ids.
            members.sort_by(|&(a, left), &(b, right)| similarity(right).total_cmp(&similarity(left)).then(a.cmp(&b)));
            let members = members.into_iter().map(member).collect();
            Cluster { representative: article(center), members, near_miss: near_miss(text) }
        };
        // Ids lie far apart in memory, so that all threads wait for them.
        clusters.into_par_iter().map(cluster).collect()
    }

    /// Rewordings that fall short alone, but not with another member, join their stars: as links after those that there are. These
    /// rewordings, and the rest of what was asked for.
    fn take_in_supported<'p>(
        &self,
        stars: &mut [Star],
        links: &[Link],
        misses: &'p [Compared],
    ) -> (Vec<Compared>, Vec<&'p Compared>) {
        let falls_short = |pair: &&Compared| {
            pair.evidence.content.is_some() && pair.similarity >= cluster::least_supported(self.confidence)
        };
        let (loose, mut others): (Vec<&Compared>, Vec<&Compared>) = misses.iter().partition(falls_short);
        let mut supported = Vec::new();
        let mut joined = vec![false; loose.len()];
        let loose_links = near::links(loose.iter().copied());
        for cluster::Supported { star, loose: at } in cluster::with_support(stars, links, &loose_links) {
            let similarity = cluster::supported(loose[at].similarity.into()) as f32;
            joined[at] = true;
            stars[star].links.push(links.len() + supported.len());
            supported.push(Compared { relation: Some(Relation::Reworded), similarity, ..loose[at].clone() });
        }
        others.extend(loose.into_iter().zip(joined).filter(|(_, joined)| !joined).map(|(pair, _)| pair));
        others.retain(|pair| self.near_misses.is_some_and(|least| pair.similarity >= least));
        (supported, others)
    }
}

/// For each text in pairs the other one of the most similar pair, the first of equals.
fn nearest<'p>(pairs: impl Iterator<Item = &'p Compared>) -> BTreeMap<u32, (u32, &'p Compared)> {
    let mut nearest: BTreeMap<u32, (u32, &'p Compared)> = BTreeMap::new();
    for pair in pairs {
        for (text, other) in [(pair.left, pair.right), (pair.right, pair.left)] {
            let best = nearest.entry(text).or_insert((other, pair));
            if (pair.similarity, best.0) > (best.1.similarity, other) {
                *best = (other, pair);
            }
        }
    }
    nearest
}
