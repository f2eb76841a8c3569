//! What texts share with their neighbours as a rule: two that share no more are no copies.

use rayon::prelude::*;

use crate::arch;
use crate::features::{Content, Features, Kin};
use crate::rare::{Neighbour, Neighbours, of_steps};
use crate::store::Budget;
use crate::verify::{self, StemTable};

/// Which neighbour, from the best down, tells what is usual for a text: one beyond the size of most clusters of copies. With
/// those up to it a text is compared.
pub(crate) const USUAL_NEIGHBOUR: usize = 20;

/// What is usual from this on makes a crowd: a template, a subject that many write about, or one story told many times.
pub(crate) const CROWDED: f32 = 0.05;

/// So many neighbours that tell the same story make a crowd of rewordings. Fewer do not move what is usual by much.
const CROWD: usize = 16;

/// How many neighbours of a text in a crowd are looked at.
pub(crate) const CROWD_LOOKED_AT: usize = 64;

/// What is usual for each text to share with its neighbours; edited copies take that of their leader. In small corpora, and where
/// few texts are of its kind, so that it has few neighbours, it is drawn to what is common in a large corpus on one subject.
pub(crate) struct Usual(Vec<f32>);

impl Usual {
    /// From the share of its pairs of words that each text shares with its so-manieth neighbour.
    pub(crate) fn new(
        content: &Content,
        leaders: &[u32],
        neighbours: &Neighbours,
        mut shares: Vec<f32>,
        budget: &Budget,
    ) -> Self {
        let crowded: Vec<u32> =
            (0..).zip(&shares).filter(|(_, share)| **share >= CROWDED).map(|(text, _)| text).collect();
        let without_mates = |stems: &mut StemTable, (&text, nearest): (&u32, &Vec<(u16, Neighbour)>)| {
            let ours = content.get(text);
            stems.fill(&ours);
            let is_mate = |other: &Neighbour| is_mate(&ours, stems, &content.get(other.text), other.pairs);
            without_mates(nearest.iter().map(|(share, other)| (of_steps(*share), is_mate(other))))
        };
        for crowded in crowded.chunks(Neighbours::texts_at_once(CROWD_LOOKED_AT, budget)) {
            let nearest = neighbours.nearest(content, crowded, CROWD_LOOKED_AT);
            let found: Vec<Option<f32>> =
                crowded.par_iter().zip(&nearest).map_init(StemTable::default, without_mates).collect();
            for (&text, share) in crowded.iter().zip(found) {
                shares[text as usize] = share.unwrap_or(shares[text as usize]);
            }
        }
        let kin = |text: u32| content.heads()[text as usize].kin;
        Self(Self::of_leaders(leaders, &shares, kin))
    }

    /// For a text.
    pub(crate) fn of_text(&self, text: u32) -> f32 {
        self.0[text as usize]
    }

    /// Asks for what is usual for a text.
    pub(crate) fn fetch(&self, text: u32) {
        arch::fetch(&self.0[text as usize]);
    }

    /// For the less crowded one of two texts.
    pub(crate) fn of(&self, left: u32, right: u32) -> f32 {
        self.0[left as usize].min(self.0[right as usize])
    }
}

impl Usual {
    /// For each text by what its leader shares with the neighbour that tells, and how many are of the leader's kind.
    pub(crate) fn of_leaders(leaders: &[u32], shares: &[f32], kin: impl Fn(u32) -> Kin) -> Vec<f32> {
        let of_leader = |&leader: &u32| drawn(shares[leader as usize], kin(leader), leaders.len());
        leaders.iter().map(of_leader).collect()
    }
}

/// What is usual among so many texts for one of such kin that shares so much with its so-manieth neighbour: what few of its kind
/// leave open, but no less than neighbours show, whoever else is in the corpus.
pub(crate) fn drawn(share: f32, kin: Kin, texts: usize) -> f32 {
    let among = |texts: usize| {
        let n = texts as f32;
        (n * share + 1000.0 * 0.04) / (n + 1000.0)
    };
    among(kin.among(texts)).max(among(texts))
}

/// Whether another text tells the story of one whose stems are in the table.
pub(crate) fn is_mate(ours: &Features<'_>, stems: &StemTable, theirs: &Features<'_>, pairs: u32) -> bool {
    verify::compare(ours, stems, theirs, pairs, 0.0, |_| true).is_some_and(|evidence| evidence.tells_the_same_story())
}

/// What is usual for a text, if it is in a crowd of rewordings of one story: the share of its best neighbours that do not tell its
/// story. They come from the best down, each with what it shares and whether it tells the story.
pub(crate) fn without_mates(nearest: impl Iterator<Item = (f32, bool)>) -> Option<f32> {
    let (mut mates, mut others) = (0, 0);
    for (looked_at, (share, is_mate)) in nearest.enumerate() {
        if is_mate {
            mates += 1;
        } else {
            others += 1;
        }
        // What fills a template has hardly any mates, and most crowds are such: half a crowd among the first is out of reach.
        let left = USUAL_NEIGHBOUR.saturating_sub(looked_at + 1);
        if looked_at < USUAL_NEIGHBOUR && mates + left < CROWD / 2 {
            return None;
        }
        if others == USUAL_NEIGHBOUR {
            return (mates >= CROWD).then_some(share);
        }
    }
    (mates >= CROWD).then_some(0.0)
}
