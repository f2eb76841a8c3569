//! Fits the rule for rewordings on labelled pairs: two logistic regressions whose odds add up, and by itself, on the pairs of which one is
//! much shorter, that for shortenings; each set of copies and each plain source with the same weight, and the sign of each weight given.

use std::collections::BTreeMap;

use rayon::prelude::*;
use retold::{ContentEvidence, Detector, Pair, Relation, Rule, Weights};

use crate::natural::Judged;
use crate::score::{Labels, Scores, Verdict};

const N: usize = ContentEvidence::VALUES;

/// Which values speak for a copy (1) and which against it (−1) where one text retells the other, and where it revises it; 0
/// for those that are not asked.
const RETELLING: [i8; N] = [1, 1, 1, -1, -1, -1, -1, -1, -1, -1, 0, -1];
const REVISION: [i8; N] = [0, 1, 0, 0, -1, -1, 0, -1, 0, 0, 1, -1];
/// The same where one text is a shortening of the other. What is usual and the block weigh what they weigh in a retelling: few of these pairs
/// quote each other, or are of a crowd.
const SHORTENING: [i8; N] = [1, 1, 1, -1, 0, -1, 0, -1, 0, 0, 0, -1];
const AS_IN_RETELLING: [usize; 2] = [4, 9];

/// How many copies a pair that is none counts for where shortenings are fitted: they are to be found where copies are rare.
const OTHERS_OF_SHORTENINGS: f64 = 4.0;

/// The weights of a regression, and the constant behind them.
type Line = [f64; N + 1];

/// What is held out of a fit.
#[derive(Clone, Copy)]
enum LeftOut<'a> {
    Nothing,
    Family(&'a str),
    Source(&'a str),
}

/// A corpus to learn from: positions of articles in the pool, and how much it counts beside the others.
struct Corpus {
    name: String,
    articles: Vec<usize>,
    weight: f64,
}

/// One labelled pair.
struct Example {
    values: [f64; N],
    /// Whether one is so much shorter, and long enough, that it may be a shortening.
    may_be_shortening: bool,
    copy: bool,
    weight: f64,
    /// The examples that weigh `share` together: of one corpus, one set and one kind.
    group: String,
    share: f64,
    families: [String; 2],
    sources: [String; 2],
}

/// All that is learnt from.
pub struct Examples(Vec<Example>);

impl Examples {
    /// Compares the articles of the whole pool, those of each set on its own, and the plain ones on their own, since what
    /// tells a rewording must not depend on what else is in the corpus.
    pub fn gather(labels: &Labels, judged: &Judged, articles: &[(String, String)]) -> Result<Self, String> {
        let mut sets: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut plain = Vec::new();
        for (at, (id, _)) in articles.iter().enumerate() {
            let label = labels.get(id)?;
            sets.entry(&label.set).or_default().push(at);
            if label.relation == "none" {
                plain.push(at);
            }
        }
        let mut corpora = vec![
            Corpus { name: "all".into(), articles: (0..articles.len()).collect(), weight: 1.0 },
            Corpus { name: "plain".into(), articles: plain, weight: 1.0 },
        ];
        for (set, members) in &sets {
            corpora.push(Corpus { name: (*set).into(), articles: members.clone(), weight: 0.5 });
            // Small corpora, where frequencies say little.
            for part in 0..4 {
                let articles =
                    members.iter().copied().filter(|at| labels.shard(&articles[*at].0, 40) == part).collect();
                corpora.push(Corpus { name: format!("{set} {part}/40"), articles, weight: 0.05 });
            }
        }
        let mut examples = Vec::new();
        for corpus in corpora {
            let texts: Vec<&(String, String)> = corpus.articles.iter().map(|&at| &articles[at]).collect();
            let texts: Vec<(&str, &str)> = texts.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
            let before = examples.len();
            for pair in Detector::new().pairs(&texts).map_err(|error| error.to_string())? {
                examples.extend(example(labels, judged, &texts, &pair, &corpus)?);
            }
            eprintln!("{}: {} articles, {} labelled pairs", corpus.name, texts.len(), examples.len() - before);
        }
        let mut sums: BTreeMap<String, f64> = BTreeMap::new();
        examples.iter().for_each(|example| *sums.entry(example.group.clone()).or_default() += example.weight);
        examples.iter_mut().for_each(|example| example.weight *= example.share / sums[&example.group]);
        Ok(Self(examples))
    }

    /// The families of sets that there are.
    fn families(&self) -> Vec<String> {
        let families = self.0.iter().flat_map(|example| example.families.clone());
        distinct(families.filter(|family| family != "~"))
    }

    /// The plain sources that there are.
    fn sources(&self) -> Vec<String> {
        let plain = self.0.iter().filter(|example| example.families.iter().all(|family| family == "~"));
        distinct(plain.flat_map(|example| example.sources.clone()))
    }

    /// The rule that fits best all examples but those that touch what is left out. Plain sources together keep their weight.
    fn fit(&self, left_out: LeftOut<'_>) -> Rule {
        let stays = |example: &&Example| match left_out {
            LeftOut::Nothing => true,
            LeftOut::Family(family) => example.families.iter().all(|other| other != family),
            LeftOut::Source(source) => example.sources.iter().all(|other| other != source),
        };
        let examples: Vec<&Example> = self.0.iter().filter(stays).collect();
        let plain = |example: &Example| example.families.iter().all(|family| family == "~");
        let sources = self.sources().len() as f64;
        let more = if let LeftOut::Source(_) = left_out { sources / (sources - 1.0) } else { 1.0 };
        let weights: Vec<f64> =
            examples.iter().map(|example| example.weight * if plain(example) { more } else { 1.0 }).collect();
        let [retelling, revision] = fit(&examples, &weights);
        let shortening = fit_shortening(&examples, &weights, &retelling);
        Rule { retelling, revision, shortening, ..Rule::default() }
    }
}

fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn example(
    labels: &Labels,
    judged: &Judged,
    texts: &[(&str, &str)],
    pair: &Pair,
    corpus: &Corpus,
) -> Result<Option<Example>, String> {
    // Edited copies are told by their shingles and teach nothing of rewordings.
    let Some(content) = pair.evidence.content.filter(ContentEvidence::is_worth_reading) else { return Ok(None) };
    if pair.relation == Some(Relation::Near) {
        return Ok(None);
    }
    let (left, right) = (texts[pair.left].0, texts[pair.right].0);
    let (x, y) = (labels.get(left)?, labels.get(right)?);
    // Plain pairs that nobody judged count twice: the line is drawn among them.
    let (copy, weight, kind, share) = match (labels.verdict(left, right), judged.verdict(left, right)) {
        (Verdict::Neither, _) => return Ok(None),
        (Verdict::Right, _) => (true, 1.0, "copies", 1.0),
        (Verdict::Wrong, _) => (false, 1.0, "others", 1.0),
        (Verdict::Unlabelled, Some(("copy", _))) => (true, 1.0, "judged copies", 1.0),
        // An excerpt is no copy, but not far from one.
        (Verdict::Unlabelled, Some(("partial", weight))) => (false, 0.5 * weight.sqrt(), "judged", 1.0),
        (Verdict::Unlabelled, Some((_, weight))) => (false, weight.sqrt(), "judged", 1.0),
        // Plain texts that share few shingles are different articles, nearly always: reports on one event, above all.
        (Verdict::Unlabelled, None) if pair.evidence.containment < 0.15 && x.cluster != y.cluster => {
            (false, 1.0, "unjudged", 2.0)
        }
        (Verdict::Unlabelled, None) => return Ok(None),
    };
    // A pair of a planted text with a plain one is of the planted one's set.
    let set = if x.relation == "none" { &y.set } else { &x.set };
    Ok(Some(Example {
        values: content.values().map(f64::from),
        may_be_shortening: content.length_ratio < Rule::SHORTENED && content.shorter as f32 >= Rule::SHORTENING_WORDS,
        copy,
        weight,
        group: format!("{}\t{set}\t{kind}", corpus.name),
        share: share * corpus.weight,
        families: [x.family.clone(), y.family.clone()],
        sources: [x.set.clone(), y.set.clone()],
    }))
}

/// Labelled pairs with their values on one scale.
struct Scaled {
    means: [f64; N],
    scales: [f64; N],
    /// The values and the constant, whether it is a copy, and the weight.
    rows: Vec<(Line, f64, f64)>,
}

impl Scaled {
    fn new(examples: &[&Example], weights: &[f64]) -> Self {
        let total: f64 = weights.iter().sum();
        let weighted = || examples.iter().zip(weights);
        let moment = |at: usize, power: i32, center: f64| {
            weighted().map(|(example, weight)| weight * (example.values[at] - center).powi(power)).sum::<f64>() / total
        };
        let means: [f64; N] = std::array::from_fn(|at| moment(at, 1, 0.0));
        let scales: [f64; N] = std::array::from_fn(|at| moment(at, 2, means[at]).sqrt().max(1e-9));
        let rows = weighted().map(|(example, weight)| {
            let row = |at: usize| if at < N { (example.values[at] - means[at]) / scales[at] } else { 1.0 };
            (std::array::from_fn(row), f64::from(u8::from(example.copy)), weight / total)
        });
        Self { means, scales, rows: rows.collect() }
    }

    /// Weights on the scales of the values.
    fn weights(&self, line: &Line) -> Weights {
        let values: [f64; N] = std::array::from_fn(|value| line[value] / self.scales[value]);
        let constant = line[N] - values.iter().zip(&self.means).map(|(weight, mean)| weight * mean).sum::<f64>();
        let rounded = |weight: f64| ((weight * 100.0).round() / 100.0) as f32;
        Weights { values: values.map(rounded), constant: rounded(constant) }
    }

    /// The lines of the least loss by accelerated projected gradient descent, with a small ridge. `slopes` tells of the odds that lines
    /// give a pair, and how much each of the lines counts for them. A value whose sign is 0 keeps the weight that it begins with.
    fn descend<const K: usize>(
        &self,
        (signs, start, ridge): ([[i8; N]; K], [Line; K], f64),
        slopes: impl Fn([f64; K]) -> (f64, [f64; K]) + Sync,
    ) -> [Line; K] {
        const ROUNDS: usize = 1500;
        const STEP: f64 = 0.6;
        let gradient = |at: &[Line; K]| {
            let of_row = |mut sum: [Line; K], (row, copy, weight): &(Line, f64, f64)| {
                let (odds, parts) = slopes(at.map(|line| row.iter().zip(line).map(|(x, w)| x * w).sum::<f64>()));
                let wrong = weight * (1.0 / (1.0 + (-odds).exp()) - copy);
                for (sum, part) in sum.iter_mut().zip(parts) {
                    sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += wrong * part * x);
                }
                sum
            };
            // Chunks of a fixed size, so that the sums are the same on any number of threads.
            let parts = self.rows.par_chunks(4096).map(|rows| rows.iter().fold([[0.0; N + 1]; K], of_row));
            let mut sum = [[0.0; N + 1]; K];
            for part in parts.collect::<Vec<_>>() {
                sum.iter_mut().zip(part).for_each(|(sum, part)| sum.iter_mut().zip(part).for_each(|(a, b)| *a += b));
            }
            for (sum, at) in sum.iter_mut().zip(at) {
                sum[..N].iter_mut().zip(at).for_each(|(sum, at)| *sum += 2.0 * ridge * at);
            }
            sum
        };
        let (mut at, mut ahead, mut before) = (start, start, start);
        for round in 0..ROUNDS {
            let down = gradient(&ahead);
            for which in 0..K {
                for value in 0..=N {
                    let moved = ahead[which][value] - STEP * down[which][value];
                    at[which][value] = match signs[which].get(value) {
                        Some(0) => start[which][value],
                        Some(1) => moved.max(0.0),
                        Some(_) => moved.min(0.0),
                        None => moved,
                    };
                    let momentum = round as f64 / (round as f64 + 3.0);
                    ahead[which][value] = at[which][value] + momentum * (at[which][value] - before[which][value]);
                }
            }
            before = at;
        }
        at
    }
}

/// Where a fit begins.
fn start(signs: [i8; N], constant: f64) -> Line {
    std::array::from_fn(|value| signs.get(value).map_or(constant, |&sign| 0.3 * f64::from(sign)))
}

/// Fits both regressions whose odds add up.
fn fit(examples: &[&Example], weights: &[f64]) -> [Weights; 2] {
    const RIDGE: f64 = 3e-4;
    let scaled = Scaled::new(examples, weights);
    let signs = [RETELLING, REVISION];
    let lines = scaled.descend((signs, [start(RETELLING, -1.0), start(REVISION, -3.0)], RIDGE), |[a, b]| {
        let odds = a.max(b) + (-(a - b).abs()).exp().ln_1p();
        (odds, [(a - odds).exp(), (b - odds).exp()])
    });
    lines.map(|line| scaled.weights(&line))
}

/// Fits the regression for shortenings on the pairs that may be.
fn fit_shortening(examples: &[&Example], weights: &[f64], retelling: &Weights) -> Weights {
    const RIDGE: f64 = 1e-4;
    let pairs = examples.iter().zip(weights).filter(|(example, _)| example.may_be_shortening);
    let weighed =
        |(example, weight): (&&'_ Example, &f64)| weight * if example.copy { 1.0 } else { OTHERS_OF_SHORTENINGS };
    let weights: Vec<f64> = pairs.clone().map(weighed).collect();
    let examples: Vec<&Example> = pairs.map(|(example, _)| *example).collect();
    let scaled = Scaled::new(&examples, &weights);
    let mut line = start(SHORTENING, -1.0);
    for value in AS_IN_RETELLING {
        line[value] = f64::from(retelling.values[value]) * scaled.scales[value];
    }
    let [line] = scaled.descend(([SHORTENING], [line], RIDGE), |[odds]| (odds, [1.0]));
    scaled.weights(&line)
}

/// Fits the rule on everything and prints it; then leaves each family of sets, and each plain source, out in turn and prints
/// how these fare with a rule that never saw them.
pub fn leave_one_out(
    labels: &Labels,
    judged: &Judged,
    articles: &[(String, String)],
) -> Result<(), Box<dyn std::error::Error>> {
    let ids: Vec<&str> = articles.iter().map(|(id, _)| id.as_str()).collect();
    let examples = Examples::gather(labels, judged, articles)?;
    let score = |rule: Rule| -> Result<Scores, Box<dyn std::error::Error>> {
        let report = Detector::builder().rule(rule).build()?.find(articles)?;
        Ok(Scores::of(labels, &ids, &report)?)
    };
    let mut plain = Vec::new();
    for article in articles {
        if labels.get(&article.0)?.relation == "none" {
            plain.push(article);
        }
    }
    let count = |rule: Rule| -> Result<_, Box<dyn std::error::Error>> {
        Ok(judged.count(&Detector::builder().rule(rule).build()?.find(&plain)?))
    };
    let rule = examples.fit(LeftOut::Nothing);
    println!("rule fitted on everything: {rule:?}");
    let fitted = score(rule)?;
    print!("{fitted}");
    let on_plain = count(rule)?;
    print!("{on_plain}");
    println!("\neach family left out of the fit:");
    let mut f1 = BTreeMap::new();
    for family in examples.families() {
        let scores = score(examples.fit(LeftOut::Family(&family)))?;
        for (set, row) in scores.sets() {
            if labels.family_of_set(set) == Some(&family) {
                println!("{set:26} precision {:.4}  recall {:.4}  f1 {:.4}", row.precision(), row.recall(), row.f1());
                f1.insert(set.to_string(), row.f1());
            }
        }
    }
    let mean = f1.values().sum::<f64>() / f1.len().max(1) as f64;
    println!("left out                   macro f1 {mean:.4}, {:+.4} against the fit on all", mean - fitted.macro_f1());
    println!("\neach plain source left out of the fit:");
    for source in examples.sources() {
        let found = count(examples.fit(LeftOut::Source(&source)))?;
        let (without, with) = (found.wrong(&source), on_plain.wrong(&source));
        println!("{source:26} wrong pairs joined, weighted: {without:.0}, against {with:.0} with it in the fit");
    }
    Ok(())
}
