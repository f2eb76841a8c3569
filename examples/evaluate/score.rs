//! Pairs that were put together, held against labels.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;

use retold::{Evidence, Pair, Relation, Report};

/// What is known of one document.
pub struct Label {
    pub cluster: String,
    pub set: String,
    pub family: String,
    pub relation: String,
}

/// The labels of a pool.
pub struct Labels {
    of: HashMap<String, Label>,
    ignored: HashSet<(String, String)>,
}

/// Groups of articles with the same words, as far as clusters show them: by their position in the input.
fn exact_copies(report: &Report) -> Vec<Vec<usize>> {
    let mut groups = Vec::new();
    for cluster in report.clusters() {
        // Copies of one text have the same evidence against the representative.
        let evidence = cluster.members().iter().map(|member| format!("{:?}", member.evidence));
        let mut articles: Vec<_> =
            std::iter::once(format!("{:?}", None::<Evidence>)).chain(evidence).zip(cluster.positions()).collect();
        articles.sort_unstable();
        let same = articles.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1);
        groups.extend(same.map(|same| same.iter().map(|&(_, position)| position).collect()));
    }
    groups
}

/// How often pairs of a given confidence are right.
pub struct Reliability {
    bins: [(u64, u64); 10],
}

impl Reliability {
    pub fn of(labels: &Labels, ids: &[&str], pairs: &[Pair]) -> Self {
        let mut bins = [(0, 0); 10];
        for pair in pairs.iter().filter(|pair| pair.relation != Some(Relation::Near) && pair.evidence.content.is_some())
        {
            let bin = &mut bins[((pair.similarity * 10.0) as usize).min(9)];
            match labels.verdict(ids[pair.left], ids[pair.right]) {
                Verdict::Right => *bin = (bin.0 + 1, bin.1 + 1),
                Verdict::Wrong => bin.1 += 1,
                Verdict::Neither | Verdict::Unlabelled => {}
            }
        }
        Self { bins }
    }
}

impl fmt::Display for Reliability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (right, all)) in self.bins.iter().enumerate() {
            let share = *right as f64 / (*all).max(1) as f64;
            writeln!(f, "confidence 0.{at} to {:.1}      right {share:.3} of {all}", (at + 1) as f64 / 10.0)?;
        }
        Ok(())
    }
}

/// What a pair that was put together is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Right,
    Wrong,
    Neither,
    Unlabelled,
}

/// Two ids in order.
pub fn ordered(a: &str, b: &str) -> (String, String) {
    if a < b { (a.into(), b.into()) } else { (b.into(), a.into()) }
}

impl Labels {
    pub fn read(labels: &[Vec<String>], ignored: &[Vec<String>]) -> Result<Self, String> {
        let mut of = HashMap::new();
        for (row, line) in labels.iter().zip(1..) {
            let [id, cluster, set, family, relation] = row.as_slice() else {
                return Err(format!("labels.tsv:{line}: five fields are needed: id, cluster, set, family, relation"));
            };
            let [cluster, set, family, relation] = [cluster, set, family, relation].map(String::clone);
            of.insert(id.clone(), Label { cluster, set, family, relation });
        }
        let ignored = ignored.iter().filter(|row| row.len() >= 2).map(|row| ordered(&row[0], &row[1])).collect();
        Ok(Self { of, ignored })
    }

    /// The family that a set belongs to.
    pub fn family_of_set(&self, set: &str) -> Option<&str> {
        self.of.values().find(|label| label.set == set).map(|label| label.family.as_str())
    }

    /// Which of `shards` parts a document belongs to; documents of one cluster belong to the same.
    pub fn shard(&self, id: &str, shards: u64) -> u64 {
        let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        (self.of[id].cluster.bytes().fold(0xcbf2_9ce4_8422_2325, fnv) >> 20) % shards
    }

    /// Whether a document is a distractor, around which nothing was planted.
    pub fn is_plain(&self, id: &str) -> bool {
        self.of.get(id).is_some_and(|label| label.relation == "none")
    }

    pub fn get(&self, id: &str) -> Result<&Label, String> {
        self.of.get(id).ok_or_else(|| format!("labels.tsv: no label for document {id:?}"))
    }

    pub fn verdict(&self, a: &str, b: &str) -> Verdict {
        let (x, y) = (&self.of[a], &self.of[b]);
        if x.relation == "none" && y.relation == "none" {
            Verdict::Unlabelled
        } else if self.ignored.contains(&ordered(a, b)) {
            Verdict::Neither
        } else if x.cluster == y.cluster {
            if x.set == y.set { Verdict::Right } else { Verdict::Neither }
        } else if x.family == y.family && x.set != y.set {
            Verdict::Neither
        } else {
            Verdict::Wrong
        }
    }

    /// How many of the true pairs of each set were compared, and how many there are. Exact copies count as compared, and
    /// stand for one another.
    pub fn recall(&self, ids: &[&str], report: &Report, pairs: &[Pair]) -> BTreeMap<String, (u64, u64)> {
        let mut copies: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut found: BTreeMap<String, (u64, u64)> =
            self.true_pairs().into_iter().map(|(set, truth)| (set.into(), (0, truth))).collect();
        let mut count = |left: usize, right: usize| {
            if self.verdict(ids[left], ids[right]) == Verdict::Right {
                found.entry(self.of[ids[left]].set.clone()).or_default().0 += 1;
            }
        };
        for same in exact_copies(report) {
            for (at, &left) in same.iter().enumerate() {
                same[at + 1..].iter().for_each(|&right| count(left, right));
                copies.insert(left, same.clone());
            }
        }
        for pair in pairs {
            let with_copies = |at: usize| copies.get(&at).cloned().unwrap_or_else(|| vec![at]);
            for left in with_copies(pair.left) {
                with_copies(pair.right).into_iter().for_each(|right| count(left, right));
            }
        }
        found
    }

    /// How many of the true pairs whose shorter text has under and over half of the longer one's bytes were put together.
    pub fn recall_by_length(
        &self,
        articles: &[(String, String)],
        report: &Report,
    ) -> BTreeMap<&'static str, (u64, u64)> {
        let mut cluster_of: HashMap<&str, usize> = HashMap::new();
        for (at, cluster) in report.clusters().iter().enumerate() {
            cluster_of.extend(cluster.ids().map(|id| (id, at)));
        }
        let mut groups: HashMap<(&str, &str), Vec<(&str, usize)>> = HashMap::new();
        for (id, text) in articles {
            if let Some(label) = self.of.get(id).filter(|label| label.relation != "none") {
                groups.entry((&label.cluster, &label.set)).or_default().push((id, text.len()));
            }
        }
        let mut found: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for group in groups.values() {
            for (at, &(left, x)) in group.iter().enumerate() {
                for &(right, y) in &group[at + 1..] {
                    if self.verdict(left, right) == Verdict::Right {
                        let together = cluster_of.get(left).is_some_and(|at| cluster_of.get(right) == Some(at));
                        let name = if 2 * x.min(y) < x.max(y) { "under 0.5" } else { "0.5 and over" };
                        let (right, truth) = found.entry(name).or_default();
                        *right += u64::from(together);
                        *truth += 1;
                    }
                }
            }
        }
        found
    }

    /// The true pairs of each set of copies.
    pub fn true_pairs(&self) -> BTreeMap<&str, u64> {
        let mut sizes: HashMap<(&str, &str), u64> = HashMap::new();
        for label in self.of.values().filter(|label| label.relation != "none") {
            *sizes.entry((&label.cluster, &label.set)).or_default() += 1;
        }
        let mut truth: BTreeMap<&str, u64> = BTreeMap::new();
        for ((_, set), n) in sizes {
            *truth.entry(set).or_default() += n * (n - 1) / 2;
        }
        for (a, b) in &self.ignored {
            if let (Some(x), Some(y)) = (self.of.get(a), self.of.get(b))
                && x.cluster == y.cluster
                && x.set == y.set
            {
                *truth.entry(&x.set).or_default() -= 1;
            }
        }
        truth
    }
}

/// How the pairs of one set fared.
#[derive(Clone, Copy, Default)]
pub struct Row {
    truth: u64,
    right: u64,
    wrong: u64,
}

impl Row {
    pub fn precision(self) -> f64 {
        if self.right + self.wrong == 0 { 1.0 } else { self.right as f64 / (self.right + self.wrong) as f64 }
    }

    pub fn recall(self) -> f64 {
        if self.truth == 0 { 1.0 } else { self.right as f64 / self.truth as f64 }
    }

    pub fn f1(self) -> f64 {
        let (p, r) = (self.precision(), self.recall());
        if p + r == 0.0 { 0.0 } else { 2.0 * p * r / (p + r) }
    }
}

/// Precision, recall and F1 of the pairs of each set, and their macro average.
pub struct Scores {
    rows: BTreeMap<String, Row>,
    clusters: usize,
    largest: usize,
    unlabelled: u64,
}

impl Scores {
    pub fn of(labels: &Labels, ids: &[&str], report: &Report) -> Result<Self, String> {
        let clusters: Vec<Vec<usize>> = report.clusters().iter().map(|cluster| cluster.positions().collect()).collect();
        let mut rows: BTreeMap<String, Row> =
            labels.true_pairs().into_iter().map(|(set, truth)| (set.into(), Row { truth, ..Row::default() })).collect();
        let mut unlabelled = 0;
        for members in &clusters {
            for (at, &left) in members.iter().enumerate() {
                let x = labels.get(ids[left])?;
                for &right in &members[at + 1..] {
                    let y = labels.get(ids[right])?;
                    match labels.verdict(ids[left], ids[right]) {
                        Verdict::Right => rows.entry(x.set.clone()).or_default().right += 1,
                        Verdict::Wrong => {
                            let sets: BTreeSet<&str> =
                                [x, y].into_iter().filter(|l| l.relation != "none").map(|l| l.set.as_str()).collect();
                            for set in sets {
                                rows.entry(set.into()).or_default().wrong += 1;
                            }
                        }
                        Verdict::Neither => {}
                        Verdict::Unlabelled => unlabelled += 1,
                    }
                }
            }
        }
        let largest = clusters.iter().map(Vec::len).max().unwrap_or(0);
        Ok(Self { rows, clusters: clusters.len(), largest, unlabelled })
    }

    /// The sets of copies, each with how its pairs fared.
    pub fn sets(&self) -> impl Iterator<Item = (&str, Row)> {
        self.rows.iter().map(|(set, &row)| (set.as_str(), row))
    }

    /// The average F1 of the sets.
    pub fn macro_f1(&self) -> f64 {
        self.rows.values().map(|row| row.f1()).sum::<f64>() / self.rows.len().max(1) as f64
    }

    /// Members that are wrong with their representative, the surest first, as lines to read.
    pub fn print_wrong(&self, labels: &Labels, report: &Report, most: usize) {
        let mut wrong: BTreeMap<&str, Vec<(f32, String)>> = BTreeMap::new();
        for cluster in report.clusters() {
            let representative = cluster.representative();
            for member in cluster.members() {
                if labels.verdict(&representative.id, &member.id) == Verdict::Wrong {
                    let set = [&representative.id, &member.id]
                        .map(|id| &labels.of[id])
                        .into_iter()
                        .find(|l| l.relation != "none");
                    let line = format!(
                        "{} | {} | {} {:.3} {:?}",
                        representative.id, member.id, member.relation, member.similarity, member.evidence
                    );
                    wrong.entry(set.map_or("", |label| &label.set)).or_default().push((member.similarity, line));
                }
            }
        }
        for (set, mut lines) in wrong {
            lines.sort_by(|a, b| b.0.total_cmp(&a.0));
            println!("\nwrong in {set}: {}", lines.len());
            lines.iter().take(most).for_each(|(_, line)| println!("  {line}"));
        }
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (set, row) in &self.rows {
            writeln!(
                f,
                "{set:26} pairs {:6}  precision {:.4}  recall {:.4}  f1 {:.4}",
                row.truth,
                row.precision(),
                row.recall(),
                row.f1()
            )?;
        }
        let macro_f1 = self.macro_f1();
        let worst = self.rows.values().map(|row| row.f1()).fold(1.0, f64::min);
        writeln!(
            f,
            "all                        macro f1 {macro_f1:.4}  worst f1 {worst:.4}  clusters {}  largest {}  unlabelled pairs {}",
            self.clusters, self.largest, self.unlabelled
        )
    }
}
