//! Fits the rule for rewordings on labelled pairs: logistic regression, each set of copies with the same weight.

use std::collections::BTreeMap;

use retold::{ContentEvidence, Detector, Pair, Rule};

use crate::score::{Labels, Scores, Verdict};

const N: usize = ContentEvidence::VALUES;

/// A corpus to learn from: positions of articles in the pool, and how much it counts beside the others.
struct Corpus {
    name: String,
    articles: Vec<usize>,
    weight: f64,
}

/// One labelled pair.
struct Example {
    values: [f64; N],
    copy: bool,
    weight: f64,
    families: [String; 2],
}

/// All that is learnt from.
pub struct Examples {
    examples: Vec<Example>,
}

impl Examples {
    /// Compares the articles of the whole pool, and those of each set on its own, since what tells a rewording must not
    /// depend on what else is in the corpus.
    pub fn gather(labels: &Labels, articles: &[(String, String)]) -> Result<Self, String> {
        let mut sets: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, (id, _)) in articles.iter().enumerate() {
            let label = labels.get(id)?;
            if label.relation != "none" {
                sets.entry(&label.set).or_default().push(at);
            }
        }
        let mut corpora = vec![Corpus { name: "all".into(), articles: (0..articles.len()).collect(), weight: 1.0 }];
        for (set, members) in &sets {
            corpora.push(Corpus { name: (*set).into(), articles: members.clone(), weight: 1.0 });
            // Small corpora, where frequencies say little.
            for part in 0..4 {
                let articles =
                    members.iter().copied().filter(|at| labels.shard(&articles[*at].0, 40) == part).collect();
                corpora.push(Corpus { name: format!("{set} {part}/40"), articles, weight: 0.05 });
            }
        }
        let truth = labels.true_pairs();
        let mut examples = Vec::new();
        for corpus in corpora {
            let texts: Vec<&(String, String)> = corpus.articles.iter().map(|&at| &articles[at]).collect();
            let texts: Vec<(&str, &str)> = texts.iter().map(|(id, text)| (id.as_str(), text.as_str())).collect();
            let before = examples.len();
            for pair in Detector::new().pairs(&texts).map_err(|error| error.to_string())? {
                examples.extend(example(labels, &truth, &texts, &pair, corpus.weight)?);
            }
            eprintln!("{}: {} articles, {} labelled pairs", corpus.name, texts.len(), examples.len() - before);
        }
        Ok(Self { examples })
    }

    /// The families of sets that there are.
    pub fn families(&self) -> Vec<String> {
        let mut families: Vec<String> = self.examples.iter().flat_map(|example| example.families.clone()).collect();
        families.sort_unstable();
        families.dedup();
        families.retain(|family| family != "~");
        families
    }

    /// The rule that fits best all examples that do not touch `left_out`.
    pub fn fit(&self, left_out: Option<&str>) -> Rule {
        let examples: Vec<&Example> = self
            .examples
            .iter()
            .filter(|example| left_out.is_none_or(|family| example.families.iter().all(|other| other != family)))
            .collect();
        let weights = logistic(&examples);
        Rule { weights: std::array::from_fn(|at| weights[at] as f32), constant: weights[N] as f32 }
    }
}

fn example(
    labels: &Labels,
    truth: &BTreeMap<&str, u64>,
    texts: &[(&str, &str)],
    pair: &Pair,
    corpus_weight: f64,
) -> Result<Option<Example>, String> {
    let Some(content) = &pair.evidence.content else { return Ok(None) };
    let (left, right) = (texts[pair.left].0, texts[pair.right].0);
    let (x, y) = (labels.get(left)?, labels.get(right)?);
    // Edited copies are told by their shingles and teach nothing of rewordings.
    let (copy, weight) = match labels.verdict(left, right) {
        Verdict::Neither => return Ok(None),
        Verdict::Right => (true, 1.0),
        Verdict::Wrong => (false, 1.0),
        // Distractors that share few shingles are different texts, nearly always: reports on one event, above all.
        Verdict::Unlabelled if pair.evidence.containment < 0.15 && x.cluster != y.cluster => (false, 0.5),
        Verdict::Unlabelled => return Ok(None),
    };
    let in_set = |set: &str| truth.get(set).map_or(1.0 / 20_000.0, |&pairs| 1.0 / pairs.max(1) as f64);
    let weight = corpus_weight * weight * in_set(&x.set).max(in_set(&y.set));
    let families = [x.family.clone(), y.family.clone()];
    Ok(Some(Example { values: content.values().map(f64::from), copy, weight, families }))
}

/// Logistic regression with weighted examples and a small ridge, by Newton's method; the last weight is the constant.
fn logistic(examples: &[&Example]) -> [f64; N + 1] {
    let total: f64 = examples.iter().map(|example| example.weight).sum();
    let moment = |at: usize, power: i32, center: f64| {
        examples.iter().map(|example| example.weight * (example.values[at] - center).powi(power)).sum::<f64>() / total
    };
    let means: [f64; N] = std::array::from_fn(|at| moment(at, 1, 0.0));
    let scales: [f64; N] = std::array::from_fn(|at| moment(at, 2, means[at]).sqrt().max(1e-9));
    let standard = |example: &Example| -> [f64; N + 1] {
        std::array::from_fn(|at| if at < N { (example.values[at] - means[at]) / scales[at] } else { 1.0 })
    };
    let mut weights = [0.0; N + 1];
    for _ in 0..30 {
        let mut gradient = [0.0; N + 1];
        let mut hessian = [[0.0; N + 1]; N + 1];
        for at in 0..N {
            gradient[at] = -1e-4 * weights[at];
            hessian[at][at] = 1e-4;
        }
        for example in examples {
            let x = standard(example);
            let z: f64 = x.iter().zip(&weights).map(|(x, w)| x * w).sum();
            let p = 1.0 / (1.0 + (-z).exp());
            let weight = example.weight / total;
            for (i, xi) in x.iter().enumerate() {
                gradient[i] += weight * (f64::from(u8::from(example.copy)) - p) * xi;
                for (j, xj) in x.iter().enumerate() {
                    hessian[i][j] += weight * p * (1.0 - p) * xi * xj;
                }
            }
        }
        let step = solve(hessian, gradient);
        weights.iter_mut().zip(step).for_each(|(weight, step)| *weight += step);
        if step.iter().all(|step| step.abs() < 1e-6) {
            break;
        }
    }
    let mut plain = weights;
    for at in 0..N {
        plain[at] = weights[at] / scales[at];
        plain[N] -= weights[at] * means[at] / scales[at];
    }
    plain
}

/// Solves a system of linear equations by Gaussian elimination with pivots.
fn solve(mut matrix: [[f64; N + 1]; N + 1], mut right: [f64; N + 1]) -> [f64; N + 1] {
    for column in 0..=N {
        let pivot = (column..=N).max_by(|&a, &b| matrix[a][column].abs().total_cmp(&matrix[b][column].abs()));
        let pivot = pivot.unwrap_or(column);
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in 0..=N {
            if row != column {
                let factor = matrix[row][column] / matrix[column][column];
                let pivot = matrix[column];
                matrix[row].iter_mut().zip(pivot).for_each(|(cell, above)| *cell -= factor * above);
                right[row] -= factor * right[column];
            }
        }
    }
    std::array::from_fn(|at| right[at] / matrix[at][at])
}

/// Fits the rule on all families and prints it; then leaves each family out in turn and prints how its sets fare with a
/// rule that never saw them.
pub fn leave_one_out(labels: &Labels, articles: &[(String, String)]) -> Result<(), Box<dyn std::error::Error>> {
    let ids: Vec<&str> = articles.iter().map(|(id, _)| id.as_str()).collect();
    let examples = Examples::gather(labels, articles)?;
    let score = |rule: Rule| -> Result<Scores, Box<dyn std::error::Error>> {
        let report = Detector::builder().rule(rule).build()?.find(articles)?;
        Ok(Scores::of(labels, &ids, &report)?)
    };
    let rule = examples.fit(None);
    println!("rule fitted on all families: {rule:?}");
    let fitted = score(rule)?;
    print!("{fitted}");
    println!("\neach family left out of the fit:");
    let mut f1 = BTreeMap::new();
    for family in examples.families() {
        let scores = score(examples.fit(Some(&family)))?;
        for (set, row) in scores.sets() {
            if labels.family_of_set(set) == Some(&family) {
                println!("{set:26} precision {:.4}  recall {:.4}  f1 {:.4}", row.precision(), row.recall(), row.f1());
                f1.insert(set.to_string(), row.f1());
            }
        }
    }
    let mean = f1.values().sum::<f64>() / f1.len().max(1) as f64;
    println!("left out                   macro f1 {mean:.4}, {:+.4} against the fit on all", mean - fitted.macro_f1());
    Ok(())
}
