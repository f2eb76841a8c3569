//! Pairs of a plain corpus, where nothing was planted, that readers judged one by one.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use retold::Report;

use crate::score::ordered;

/// What the verdicts of readers are called, the copies first.
const VERDICTS: [&str; 7] = ["copy", "partial", "furniture", "event", "followup", "template", "other"];

/// One judged pair.
struct Row {
    verdict: usize,
    /// How many pairs of the corpus it stands for.
    weight: f64,
    source: String,
}

/// Judged pairs, by their ids in order.
#[derive(Default)]
pub struct Judged(BTreeMap<(String, String), Row>);

impl Judged {
    /// Reads a table whose first row names its columns; left, right, verdict, weight and source are needed.
    pub fn read(rows: &[Vec<String>]) -> Result<Self, String> {
        let Some((head, rows)) = rows.split_first() else { return Err("the table of judged pairs is empty".into()) };
        let column = |name: &str| {
            head.iter().position(|column| column == name).ok_or_else(|| format!("judged pairs: no column {name:?}"))
        };
        let [left, right, verdict, weight, source] = ["left", "right", "verdict", "weight", "source"].map(column);
        let (left, right, verdict, weight, source) = (left?, right?, verdict?, weight?, source?);
        let mut pairs = BTreeMap::new();
        for (row, line) in rows.iter().zip(2..) {
            let cell = |at: usize| row.get(at).ok_or_else(|| format!("judged pairs, line {line}: too few cells"));
            let name = cell(verdict)?;
            let verdict = VERDICTS.iter().position(|verdict| verdict == name);
            let verdict = verdict.ok_or_else(|| format!("judged pairs, line {line}: no verdict is called {name:?}"))?;
            let weight = cell(weight)?.parse().map_err(|_| format!("judged pairs, line {line}: no weight"))?;
            let row = Row { verdict, weight, source: cell(source)?.clone() };
            pairs.insert(ordered(cell(left)?, cell(right)?), row);
        }
        Ok(Self(pairs))
    }

    /// What readers made of two articles, and how many pairs of the corpus these stand for.
    pub fn verdict(&self, a: &str, b: &str) -> Option<(&'static str, f64)> {
        self.0.get(&ordered(a, b)).map(|row| (VERDICTS[row.verdict], row.weight))
    }

    /// How many of the pairs stand in one cluster.
    pub fn count(&self, report: &Report) -> Counts {
        let mut cluster_of: HashMap<&str, usize> = HashMap::new();
        for (at, cluster) in report.clusters().iter().enumerate() {
            cluster_of.extend(cluster.ids().map(|id| (id, at)));
        }
        let mut counts: BTreeMap<String, [Count; VERDICTS.len()]> = BTreeMap::new();
        for ((left, right), row) in &self.0 {
            let cluster = cluster_of.get(left.as_str());
            let joined = cluster.is_some() && cluster == cluster_of.get(right.as_str());
            let count = &mut counts.entry(row.source.clone()).or_default()[row.verdict];
            count.all += 1;
            count.joined += usize::from(joined);
            count.weight += if joined { row.weight } else { 0.0 };
        }
        Counts(counts)
    }
}

#[derive(Clone, Copy, Default)]
struct Count {
    all: usize,
    joined: usize,
    /// Of those that were joined.
    weight: f64,
}

/// How many judged pairs of each source and verdict stand in one cluster. Copies should; excerpts count neither way; all others
/// should not.
pub struct Counts(BTreeMap<String, [Count; VERDICTS.len()]>);

impl Counts {
    /// The pairs of a source that were wrongly joined, weighted to its whole corpus. Names of sources may lack the `~` of plain
    /// sets.
    pub fn wrong(&self, source: &str) -> f64 {
        let of = self.0.get(source).or_else(|| self.0.get(source.trim_start_matches('~')));
        of.map_or(0.0, |counts| counts[2..].iter().map(|count| count.weight).sum())
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sum = [Count::default(); VERDICTS.len()];
        for counts in self.0.values() {
            for (sum, count) in sum.iter_mut().zip(counts) {
                sum.all += count.all;
                sum.joined += count.joined;
                sum.weight += count.weight;
            }
        }
        for (source, counts) in self.0.iter().map(|(source, counts)| (source.as_str(), counts)).chain([("all", &sum)]) {
            let wrong = |of: fn(&Count) -> f64| counts[2..].iter().map(of).sum::<f64>();
            writeln!(
                f,
                "plain: {source:26} copies joined {}/{}  others joined {}/{} (weighted {:.0}, beside {:.0} copies)  excerpts {}/{}",
                counts[0].joined,
                counts[0].all,
                wrong(|count| count.joined as f64),
                wrong(|count| count.all as f64),
                wrong(|count| count.weight),
                counts[0].weight,
                counts[1].joined,
                counts[1].all,
            )?;
        }
        Ok(())
    }
}
