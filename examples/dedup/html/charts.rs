//! Drawings of what was found and how, as SVG in the page.

use std::fmt::{self, Write as _};

use indicatif::HumanCount;
use retold::Relation;

use super::{Group, counted};
use crate::search::Settings;

/// The size of a chart without what stands around it.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 120.0;

/// The frame of a chart and the marks under it, from 0 to 1.
fn write_axis(to: &mut String) -> fmt::Result {
    write!(to, r#"<path class="axis" d="M0 0V{HEIGHT}H{WIDTH}"/>"#)?;
    for tenth in (0..=10).step_by(2) {
        let at = f64::from(tenth) / 10.0;
        write!(to, r#"<text x="{}" y="{}" text-anchor="middle">{at}</text>"#, at * WIDTH, HEIGHT + 15.0)?;
    }
    Ok(())
}

/// How alike members and representatives are. Exact copies all stand at 1 and would hide the rest.
pub fn write_histogram(groups: &[Group], to: &mut String) -> fmt::Result {
    const BINS: usize = 20;
    const KINDS: [Relation; 2] = [Relation::Near, Relation::Reworded];
    let mut bins = [[0usize; KINDS.len()]; BINS];
    let mut exact = 0;
    for other in groups.iter().flat_map(|group| &group.others) {
        match KINDS.iter().position(|&kind| other.relation == Some(kind)) {
            Some(kind) => bins[((other.similarity * BINS as f32) as usize).min(BINS - 1)][kind] += 1,
            None => exact += usize::from(other.relation == Some(Relation::Exact)),
        }
    }
    let counts = bins.map(|bin| bin.iter().sum::<usize>());
    // As square roots, so that few are seen beside many.
    let tallest = counts.into_iter().max().unwrap_or(0).max(1) as f64;
    let totals = [0, 1].map(|kind| bins.iter().map(|bin| bin[kind]).sum::<usize>());
    write!(
        to,
        r#"<figure><svg viewBox="-8 -14 {} {}" role="img" aria-label="Similarities of the copies to their representatives">"#,
        WIDTH + 16.0,
        HEIGHT + 34.0
    )?;
    write_axis(to)?;
    let wide = WIDTH / BINS as f64;
    for ((bin, count), n) in bins.iter().zip(counts).zip(0..).filter(|((_, count), _)| *count > 0) {
        let (left, from) = (f64::from(n) * wide, f64::from(n) / BINS as f64);
        let whole = HEIGHT * (count as f64 / tallest).sqrt();
        let mut top = HEIGHT;
        for (&part, kind) in bin.iter().zip(KINDS).filter(|(part, _)| **part > 0) {
            let high = whole * part as f64 / count as f64;
            top -= high;
            write!(
                to,
                r#"<rect class="{kind}" x="{:.2}" y="{top:.2}" width="{:.2}" height="{high:.2}"><title>{from:.2} to {:.2}: {} {kind}</title></rect>"#,
                left + 1.0,
                wide - 2.0,
                from + 1.0 / BINS as f64,
                HumanCount(part as u64),
            )?;
        }
        write!(
            to,
            r#"<text class="count" x="{:.2}" y="{:.2}" text-anchor="middle">{count}</text>"#,
            left + wide / 2.0,
            top - 3.0
        )?;
    }
    let [near, reworded] = totals.map(|total| HumanCount(total as u64));
    writeln!(
        to,
        r#"</svg><figcaption><b>Similarity to the representative</b><span class="key near">near {near}, by the share of phrases</span>, <span class="key reworded">reworded {reworded}, by confidence</span>; exact copies, {}, all stand at 1 and are left out. Heights grow as square roots.</figcaption></figure>"#,
        HumanCount(exact as u64)
    )
}

/// With what probability two texts are compared at all.
pub fn write_s_curve(settings: &Settings, to: &mut String) -> fmt::Result {
    let &Settings { bands, threshold, .. } = settings;
    let at = |share: f64| format!("{:.1} {:.1}", share * WIDTH, HEIGHT * (1.0 - bands.probability(share)));
    let points: Vec<String> = (0..=100).map(|percent| at(f64::from(percent) / 100.0)).collect();
    write!(
        to,
        r#"<figure><svg viewBox="-8 -14 {} {}" role="img" aria-label="Probability that two texts share a bucket, by the share of their phrases in common"><text x="0" y="-4">100%</text>"#,
        WIDTH + 16.0,
        HEIGHT + 34.0
    )?;
    write_axis(to)?;
    write!(to, r#"<path class="curve" d="M{}"/>"#, points.join("L"))?;
    write!(to, r#"<path class="threshold" d="M{0:.1} 0V{HEIGHT}"/>"#, threshold * WIDTH)?;
    writeln!(
        to,
        r#"</svg><figcaption><b>Chance that an edited copy is met</b>{} of {}: at the threshold of {threshold}, {:.1}%. Rewordings are found by what few texts hold, not by these bands.</figcaption></figure>"#,
        counted(bands.bands(), "band"),
        counted(bands.rows(), "row"),
        100.0 * bands.probability(threshold)
    )
}
