//! What texts share with their neighbours as a rule: two that share no more are no copies.

use rayon::prelude::*;

use crate::features::Content;
use crate::rare::{Neighbour, Neighbours};
use crate::verify::{self, StemTable};

/// Which neighbour, from the best down, tells what is usual for a text: one beyond the size of most clusters of copies.
pub(crate) const USUAL_NEIGHBOUR: usize = 20;

/// What is usual from this on makes a crowd: a template, a subject that many write about, or one story told many times.
const CROWDED: f32 = 0.05;

/// So many neighbours that tell the same story make a crowd of rewordings. Fewer do not move what is usual by much.
const CROWD: usize = 16;

/// How many neighbours of a text in a crowd are looked at.
const CROWD_LOOKED_AT: usize = 64;

/// What is usual for each text to share with its neighbours; edited copies take that of their leader. In small corpora,
/// which have few neighbours, it is drawn to what is common in a large corpus on one subject.
pub(crate) struct Usual(Vec<f32>);

impl Usual {
    /// From the share of its pairs of words that each text shares with its so-manieth neighbour.
    pub(crate) fn new(content: &Content, leaders: &[u32], neighbours: &Neighbours, mut shares: Vec<f32>) -> Self {
        let n = leaders.len() as f32;
        let crowded: Vec<u32> =
            (0..).zip(&shares).filter(|(_, share)| **share >= CROWDED).map(|(text, _)| text).collect();
        let nearest = neighbours.nearest(content, &crowded, CROWD_LOOKED_AT);
        let without_mates = |stems: &mut StemTable, (&text, nearest): (&u32, &Vec<(u16, Neighbour)>)| {
            Self::without_mates(content, stems, text, nearest)
        };
        let found: Vec<Option<f32>> =
            crowded.par_iter().zip(&nearest).map_init(StemTable::default, without_mates).collect();
        for (text, share) in crowded.into_iter().zip(found) {
            shares[text as usize] = share.unwrap_or(shares[text as usize]);
        }
        let usual = |share: f32| (n * share + 1000.0 * 0.04) / (n + 1000.0);
        Self(leaders.iter().map(|&leader| usual(shares[leader as usize])).collect())
    }

    /// What is usual for a text in a crowd, if that is one of rewordings of one story: the share of its best neighbours that do
    /// not tell its story.
    fn without_mates(content: &Content, stems: &mut StemTable, text: u32, nearest: &[(u16, Neighbour)]) -> Option<f32> {
        let ours = content.get(text);
        stems.fill(&ours);
        let (mut mates, mut others) = (0, 0);
        for (looked_at, (share, other)) in nearest.iter().enumerate() {
            // What fills a template has hardly any mates, and most crowds are such: half a crowd among the first is out of reach.
            if looked_at <= USUAL_NEIGHBOUR && mates + USUAL_NEIGHBOUR - looked_at < CROWD / 2 {
                return None;
            }
            let evidence = verify::compare(&ours, stems, &content.get(other.text), other.pairs, 0.0, |_| true);
            if evidence.is_some_and(|evidence| evidence.tells_the_same_story()) {
                mates += 1;
            } else {
                others += 1;
            }
            if others == USUAL_NEIGHBOUR {
                return (mates >= CROWD).then(|| f32::from(*share) / f32::from(u16::MAX));
            }
        }
        (mates >= CROWD).then_some(0.0)
    }

    /// For the less crowded one of two texts.
    pub(crate) fn of(&self, left: u32, right: u32) -> f32 {
        self.0[left as usize].min(self.0[right as usize])
    }
}
