//! A drawing of what was found, as SVG in the page.

use std::fmt::{self, Write as _};

use indicatif::HumanCount;
use retold::Relation;

use super::{Group, label};

/// The size of a chart without what stands around it.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 120.0;

/// The frame of a chart and the marks under it, from 0 to 1.
fn write_axis(to: &mut String) -> fmt::Result {
    write!(to, r#"<path class="axis" d="M0 0V{HEIGHT}H{WIDTH}"/>"#)?;
    for tenth in (0..=10).step_by(2) {
        let at = f64::from(tenth) / 10.0;
        let (x, y, percent) = (at * WIDTH, HEIGHT + 15.0, tenth * 10);
        write!(to, r#"<text x="{x}" y="{y}" text-anchor="middle">{percent}%</text>"#)?;
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
        r#"<figure><svg viewBox="-8 -14 {} {}" role="img" aria-label="How many copies match their representative by how much">"#,
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
                r#"<rect class="{kind}" x="{:.2}" y="{top:.2}" width="{:.2}" height="{high:.2}"><title>Match of {:.0} to {:.0}%: {} {}</title></rect>"#,
                left + 1.0,
                wide - 2.0,
                100.0 * from,
                100.0 * (from + 1.0 / BINS as f64),
                HumanCount(part as u64),
                label(Some(kind)),
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
    let exact = match exact {
        0 => String::new(),
        exact => format!("Not drawn: {} with the same words. ", HumanCount(exact as u64)),
    };
    writeln!(
        to,
        r#"</svg><figcaption><b>How closely copies match</b><span class="key near">{near} edited: the share of phrases in both texts</span><span class="key reworded">{reworded} reworded: how many in 100 such pairs are copies</span><span>{exact}Short bars are drawn taller than they are, so that they can be seen.</span></figcaption></figure>"#,
    )
}
