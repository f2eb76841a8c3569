//! A report as tables, masks, a page and JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{LargeListBuilder, LargeStringBuilder};
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Int64Array, LargeStringArray, RecordBatch, StructArray, UInt32Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::Field;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use retold::{Cluster, ContentEvidence, Evidence, Member, Pair, Relation, SkipReason};
use serde::Serialize;
use serde_json::Value;

use crate::page::output::Texts;
use crate::page::search::Settings;
use crate::table::{Array, Table};

/// What was found.
///
/// It keeps the articles as they were given, without copying them, for the page: `html()`.
///
/// >>> import retold
/// >>> report = retold.find({"id": name, "text": text} for name, text in [
/// ...     ("monday", "The ferry to Orrin will stop in March, the harbour board announced on Monday."),
/// ...     ("reprint", "The ferry to Orrin will stop in March - the harbour board announced on Monday!"),
/// ...     ("weather", "Snow closed the mountain road to Hallin for the third time in a week."),
/// ... ])
/// >>> report
/// <retold.Report: 1 cluster, 1 copy, 1 article to remove, 3 articles, 0 skipped>
/// >>> report.clusters.to_pylist()[0]["id"]
/// 'monday'
/// >>> report.members.to_pylist()[0]["relation"]
/// 'exact'
#[pyclass(frozen, module = "retold", name = "Report")]
pub struct PyReport {
    report: Arc<retold::Report>,
    texts: Arc<Texts>,
    settings: Settings,
    /// Where the passages of excerpts are, in characters.
    places: Vec<[Range<usize>; 2]>,
    /// The same of page furniture: the number of the article among those that have some, and the passage.
    furniture: Vec<(usize, Range<usize>)>,
}

impl PyReport {
    /// Counts out places in texts as Python does, which can take time.
    pub fn new(report: retold::Report, texts: Texts, settings: Settings) -> PyResult<Self> {
        let mut places = vec![[0..0, 0..0]; report.excerpts().len()];
        // Which excerpt, which side of it, and where.
        type Place<'r> = (usize, usize, &'r Range<usize>);
        let mut of_texts: BTreeMap<usize, Vec<Place<'_>>> = BTreeMap::new();
        for (at, excerpt) in report.excerpts().iter().enumerate() {
            for (side, place) in [&excerpt.host, &excerpt.source].into_iter().enumerate() {
                of_texts.entry(place.position).or_default().push((at, side, &place.span));
            }
        }
        for (position, of_text) in of_texts {
            let text = texts.text(position).map_err(crate::options::exception)?;
            let counted = characters(&text, of_text.iter().map(|of| of.2));
            of_text.iter().zip(counted).for_each(|((at, side, _), place)| places[*at][*side] = place);
        }
        let mut furniture = Vec::new();
        for (at, of) in report.page_furniture().iter().enumerate() {
            let text = texts.text(of.position).map_err(crate::options::exception)?;
            furniture.extend(characters(&text, of.spans.iter()).into_iter().map(|place| (at, place)));
        }
        Ok(Self { report: Arc::new(report), texts: Arc::new(texts), settings, places, furniture })
    }

    fn members_of(&self) -> impl Iterator<Item = (i64, &Cluster, &Member)> {
        let clusters = (0..).zip(self.report.clusters());
        clusters.flat_map(|(number, cluster)| cluster.members().iter().map(move |member| (number, cluster, member)))
    }
}

/// Places in a text as Python counts them: in characters instead of bytes. However many there are, the text is counted out once.
pub fn characters<'s>(text: &str, spans: impl Iterator<Item = &'s Range<usize>> + Clone) -> Vec<Range<usize>> {
    let mut ends: Vec<usize> = spans.clone().flat_map(|span| [span.start, span.end]).collect();
    ends.sort_unstable();
    ends.dedup();
    let (mut bytes, mut characters) = (0, 0);
    let count_to = |&end: &usize| {
        characters += text.get(bytes..end).map_or(0, |between| between.chars().count());
        bytes = end;
        characters
    };
    let counts: Vec<usize> = ends.iter().map(count_to).collect();
    let place = |end: usize| counts[ends.partition_point(|&other| other < end)];
    spans.map(|span| place(span.start)..place(span.end)).collect()
}

/// Gathers a column.
pub fn ints(values: impl Iterator<Item = usize>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values.map(|value| value as i64)))
}

pub fn strings<S: AsRef<str>>(values: impl Iterator<Item = S>) -> ArrayRef {
    Arc::new(LargeStringArray::from_iter_values(values))
}

pub fn optional<S: AsRef<str>>(values: impl Iterator<Item = Option<S>>) -> ArrayRef {
    Arc::new(values.collect::<LargeStringArray>())
}

pub fn floats(values: impl Iterator<Item = f32>) -> ArrayRef {
    Arc::new(Float32Array::from_iter_values(values))
}

pub fn flags(values: impl Iterator<Item = bool>) -> ArrayRef {
    Arc::new(BooleanArray::from(values.collect::<Vec<_>>()))
}

pub fn table(columns: Vec<(&str, ArrayRef)>) -> PyResult<Table> {
    RecordBatch::try_from_iter(columns).map(Table).map_err(crate::capsule::arrow_error)
}

/// The numbers by which pairs were judged, as one column of structs; null where there are none.
pub fn evidence(of: Vec<Option<Evidence>>) -> ArrayRef {
    let content = |number: fn(&ContentEvidence) -> Option<f32>| -> ArrayRef {
        Arc::new(of.iter().map(|of| number(&of.as_ref()?.content?)).collect::<Float32Array>())
    };
    let count = |number: fn(&ContentEvidence) -> u32| -> ArrayRef {
        Arc::new(of.iter().map(|of| Some(number(&of.as_ref()?.content?))).collect::<UInt32Array>())
    };
    let shingles = |number: fn(&Evidence) -> f32| -> ArrayRef {
        Arc::new(of.iter().map(|of| of.as_ref().map(number)).collect::<Float32Array>())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("jaccard", shingles(|of| of.jaccard)),
        ("containment", shingles(|of| of.containment)),
        ("words", content(|of| Some(of.words))),
        ("pairs", content(|of| Some(of.pairs))),
        ("names", content(|of| of.names)),
        ("named", content(|of| Some(of.named))),
        ("coverage", content(|of| Some(of.coverage))),
        ("order", content(|of| Some(of.order))),
        ("numbers_missing", count(|of| of.numbers_missing)),
        ("usual", content(|of| Some(of.usual))),
        ("length_ratio", content(|of| Some(of.length_ratio))),
        ("shorter", count(|of| of.shorter)),
        ("figures", content(|of| Some(of.figures))),
        ("foreign", content(|of| Some(of.foreign))),
        ("new_names", content(|of| Some(of.new_names))),
        ("new_names_of_longer", content(|of| Some(of.new_names_of_longer))),
        ("new_numbers", content(|of| Some(of.new_numbers))),
        ("new_numbers_of_longer", content(|of| Some(of.new_numbers_of_longer))),
        ("verbatim", content(|of| Some(of.verbatim))),
        ("block", content(|of| Some(of.block))),
        ("outside", content(|of| of.outside)),
    ];
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) =
        columns.into_iter().map(|(name, column)| (Field::new(name, column.data_type().clone(), true), column)).unzip();
    let nulls: NullBuffer = of.iter().map(Option::is_some).collect();
    Arc::new(StructArray::new(fields.into(), columns, Some(nulls)))
}

/// Compared pairs by their positions, as a table.
pub fn pairs(pairs: &[Pair], texts: &Texts) -> PyResult<Table> {
    table(vec![
        ("left", strings(pairs.iter().map(|pair| texts.id(pair.left)))),
        ("right", strings(pairs.iter().map(|pair| texts.id(pair.right)))),
        ("left_position", ints(pairs.iter().map(|pair| pair.left))),
        ("right_position", ints(pairs.iter().map(|pair| pair.right))),
        ("relation", optional(pairs.iter().map(|pair| pair.relation.map(|relation| relation.to_string())))),
        ("similarity", floats(pairs.iter().map(|pair| pair.similarity))),
        ("evidence", evidence(pairs.iter().map(|pair| Some(pair.evidence)).collect())),
    ])
}

#[pymethods]
impl PyReport {
    /// A row for each cluster: its number, its representative, how many articles it has, and its least certain member.
    ///
    /// `near_miss` is the closest article that was rejected, if `near_misses` was given and there is one.
    #[getter]
    fn clusters(&self) -> PyResult<Table> {
        let clusters = || self.report.clusters().iter();
        let missed = || clusters().map(Cluster::near_miss);
        table(vec![
            ("cluster", ints(0..clusters().len())),
            ("id", strings(clusters().map(|cluster| &cluster.representative().id))),
            ("position", ints(clusters().map(|cluster| cluster.representative().position))),
            ("size", ints(clusters().map(Cluster::size))),
            ("weakest_relation", strings(clusters().map(|cluster| cluster.weakest().relation.to_string()))),
            ("weakest_similarity", floats(clusters().map(|cluster| cluster.weakest().similarity))),
            ("near_miss", optional(missed().map(|miss| miss.map(|miss| &miss.id)))),
            (
                "near_miss_position",
                Arc::new(missed().map(|miss| miss.map(|miss| miss.position as i64)).collect::<Int64Array>()),
            ),
            (
                "near_miss_similarity",
                Arc::new(missed().map(|miss| miss.map(|miss| miss.similarity)).collect::<Float32Array>()),
            ),
        ])
    }

    /// A row for each copy: the number of its cluster, how it is like the representative, and the evidence.
    ///
    /// `relation` is "exact", "near" or "reworded"; `evidence` is null for an exact copy, and its numbers on contents are null where
    /// shingles alone decided. `via` is null, or the id of a member that the article is a sure copy of, where it is none of the
    /// representative itself: the evidence is of those two, and `similarity` the product of both.
    #[getter]
    fn members(&self) -> PyResult<Table> {
        let members = || self.members_of();
        let via = || members().map(|(.., member)| member.via.as_ref());
        table(vec![
            ("cluster", Arc::new(Int64Array::from_iter_values(members().map(|(number, ..)| number)))),
            ("id", strings(members().map(|(.., member)| &member.id))),
            ("position", ints(members().map(|(.., member)| member.position))),
            ("relation", strings(members().map(|(.., member)| member.relation.to_string()))),
            ("similarity", floats(members().map(|(.., member)| member.similarity))),
            ("evidence", evidence(members().map(|(.., member)| member.evidence).collect())),
            ("via", optional(via().map(|of| of.map(|of| &of.id)))),
            ("via_position", Arc::new(via().map(|of| of.map(|of| of.position as i64)).collect::<Int64Array>())),
        ])
    }

    /// The edges of the clusters: each representative with each of its copies, and with its near miss, whose relation is null. A copy
    /// that was judged with another member is beside that one.
    ///
    /// For every pair that was compared see `retold.pairs`.
    #[getter]
    fn pairs(&self) -> PyResult<Table> {
        type Edge<'a> = ((&'a str, usize), &'a str, usize, Option<Relation>, f32, Option<Evidence>);
        fn of(cluster: &Cluster) -> impl Iterator<Item = Edge<'_>> {
            let center = cluster.representative();
            let members = cluster.members().iter().map(move |member| {
                let (of, relation, similarity) = match &member.via {
                    Some(via) => ((&*via.id, via.position), via.relation, via.similarity),
                    None => ((&*center.id, center.position), member.relation, member.similarity),
                };
                (of, &*member.id, member.position, Some(relation), similarity, member.evidence)
            });
            let missed = cluster.near_miss().map(move |miss| {
                ((&*center.id, center.position), &*miss.id, miss.position, None, miss.similarity, Some(miss.evidence))
            });
            members.chain(missed)
        }
        let edges: Vec<Edge<'_>> = self.report.clusters().iter().flat_map(of).collect();
        table(vec![
            ("left", strings(edges.iter().map(|edge| edge.0.0))),
            ("right", strings(edges.iter().map(|edge| edge.1))),
            ("left_position", ints(edges.iter().map(|edge| edge.0.1))),
            ("right_position", ints(edges.iter().map(|edge| edge.2))),
            ("relation", optional(edges.iter().map(|edge| edge.3.map(|relation| relation.to_string())))),
            ("similarity", floats(edges.iter().map(|edge| edge.4))),
            ("evidence", evidence(edges.iter().map(|edge| edge.5).collect())),
        ])
    }

    /// A row for each article that can be removed without losing its content, with the one that is kept instead.
    ///
    /// Not every copy can go: what has content of its own stays.
    #[getter]
    fn removals(&self) -> PyResult<Table> {
        let removals = || self.report.removals().iter();
        table(vec![
            ("id", strings(removals().map(|removal| &removal.id))),
            ("position", ints(removals().map(|removal| removal.position))),
            ("kept", strings(removals().map(|removal| &removal.kept_id))),
            ("kept_position", ints(removals().map(|removal| removal.kept))),
            ("relation", strings(removals().map(|removal| removal.relation.to_string()))),
            ("similarity", floats(removals().map(|removal| removal.similarity))),
            ("covered", Arc::new(removals().map(|removal| removal.covered).collect::<Float32Array>())),
            ("evidence", evidence(removals().map(|removal| removal.evidence).collect())),
        ])
    }

    /// A row for each passage that one article took from another; empty unless `excerpts` was given.
    ///
    /// Places count characters, as Python does: `text[start:end]` is the passage.
    #[getter]
    fn excerpts(&self) -> PyResult<Table> {
        let excerpts = || self.report.excerpts().iter();
        let mut others = LargeListBuilder::new(LargeStringBuilder::new());
        for excerpt in excerpts() {
            excerpt.others.iter().for_each(|id| others.values().append_value(id));
            others.append(true);
        }
        let places = || self.places.iter();
        table(vec![
            ("host", strings(excerpts().map(|excerpt| &excerpt.host.id))),
            ("host_position", ints(excerpts().map(|excerpt| excerpt.host.position))),
            ("host_start", ints(places().map(|place| place[0].start))),
            ("host_end", ints(places().map(|place| place[0].end))),
            ("source", strings(excerpts().map(|excerpt| &excerpt.source.id))),
            ("source_position", ints(excerpts().map(|excerpt| excerpt.source.position))),
            ("source_start", ints(places().map(|place| place[1].start))),
            ("source_end", ints(places().map(|place| place[1].end))),
            ("words", ints(excerpts().map(|excerpt| excerpt.words))),
            ("kind", strings(excerpts().map(|excerpt| excerpt.kind.to_string()))),
            ("same", floats(excerpts().map(|excerpt| excerpt.same))),
            ("holders", ints(excerpts().map(|excerpt| excerpt.holders))),
            ("others", Arc::new(others.finish())),
            ("date", optional(excerpts().map(|excerpt| excerpt.date.as_ref()))),
            ("is_furniture", flags(excerpts().map(|excerpt| excerpt.is_furniture))),
        ])
    }

    /// A row for each passage that belongs to an article's page rather than to its story, such as a footer or a list of links, in the
    /// order of the input.
    ///
    /// `text[start:end]` is the passage. At ``level="near"`` it is only looked for together with `excerpts`.
    #[getter]
    fn page_furniture(&self) -> PyResult<Table> {
        let passages = || self.furniture.iter().map(|(at, passage)| (&self.report.page_furniture()[*at], passage));
        table(vec![
            ("id", strings(passages().map(|(of, _)| &of.id))),
            ("position", ints(passages().map(|(of, _)| of.position))),
            ("start", ints(passages().map(|(_, passage)| passage.start))),
            ("end", ints(passages().map(|(_, passage)| passage.end))),
        ])
    }

    /// A row for each article that was not compared: why, and what to do about it.
    #[getter]
    fn skipped(&self) -> PyResult<Table> {
        let skipped = || self.report.skipped().iter();
        let reason = |reason| match reason {
            SkipReason::Empty => "empty",
            SkipReason::TooShort { .. } => "too_short",
            SkipReason::NoShingle { .. } => "no_shingle",
            SkipReason::TooLong => "too_long",
            SkipReason::TooLarge { .. } => "too_large",
            _ => "other",
        };
        table(vec![
            ("id", strings(skipped().map(|skipped| &skipped.id))),
            ("position", ints(skipped().map(|skipped| skipped.position))),
            ("reason", strings(skipped().map(|skipped| reason(skipped.reason)))),
            ("message", strings(skipped().map(|skipped| skipped.reason.to_string()))),
        ])
    }

    /// Statistics of the run.
    ///
    /// >>> import retold
    /// >>> retold.find(["The ferry leaves at nine.", ""]).summary["documents"]
    /// 2
    #[getter]
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_py(py, self.report.summary())
    }

    /// For each article, in the order of the input, whether it stays: all but those of `removals`.
    ///
    /// >>> import retold
    /// >>> texts = ["The ferry leaves at nine.", "The ferry leaves at nine!", "Snow closed the road."]
    /// >>> [text for text, keep in zip(texts, retold.find(texts).keep_mask()) if keep]
    /// ['The ferry leaves at nine.', 'Snow closed the road.']
    fn keep_mask(&self) -> Array {
        let mut keep = vec![true; self.texts.len()];
        self.report.removals().iter().for_each(|removal| keep[removal.position] = false);
        Array(Arc::new(BooleanArray::from(keep)))
    }

    /// For each article, in the order of the input, the id of the one that is kept instead, or null if it stays itself.
    ///
    /// >>> import retold
    /// >>> articles = [("a", "The ferry leaves at nine."), ("b", "The ferry leaves at nine!"), ("c", "Snow fell.")]
    /// >>> list(retold.find(articles).duplicate_of())
    /// [None, 'a', None]
    fn duplicate_of(&self) -> Array {
        let mut kept: Vec<Option<&str>> = vec![None; self.texts.len()];
        self.report.removals().iter().for_each(|removal| kept[removal.position] = Some(&removal.kept_id));
        Array(Arc::new(LargeStringArray::from(kept)))
    }

    /// Everything as JSON, as the crate `retold` writes and reads it. Numbers read back to the same bits; places count bytes.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| serde_json::to_string(&*self.report)).map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// The page: all clusters, text beside text, with what is shared marked and the figures that decided. One file that a browser
    /// opens from disk and that loads nothing.
    ///
    /// >>> import retold
    /// >>> page = retold.find(["The ferry leaves at nine.", "The ferry leaves at nine!"]).html()
    /// >>> page.startswith("<!doctype html>")
    /// True
    fn html(&self, py: Python<'_>) -> PyResult<String> {
        let page = crate::run::within(py, 0, || crate::page::page(&self.report, &self.texts, &self.settings))?;
        page.map_err(|error| PyOSError::new_err(error.to_string()))
    }

    fn __repr__(&self) -> String {
        let copies = self.members_of().count();
        format!(
            "<retold.Report: {}, {}, {} to remove, {}, {} skipped>",
            counted(self.report.clusters().len(), "cluster", "clusters"),
            counted(copies, "copy", "copies"),
            counted(self.report.removals().len(), "article", "articles"),
            counted(self.texts.len(), "article", "articles"),
            self.report.skipped().len()
        )
    }

    /// A short table for notebooks: the largest clusters.
    fn _repr_html_(&self) -> String {
        self.brief()
    }
}

/// Clusters and members that a notebook shows.
const SHOWN: usize = 10;

impl PyReport {
    fn brief(&self) -> String {
        let mut to = format!("<p>{}</p>", Escaped(&self.__repr__()[1..].replace('>', "")));
        let mut clusters: Vec<&Cluster> = self.report.clusters().iter().collect();
        clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.size()));
        to.push_str("<table><thead><tr><th>representative</th><th>copy</th><th>relation</th><th>similarity</th><th>text</th></tr></thead><tbody>");
        for cluster in clusters.iter().take(SHOWN) {
            for member in cluster.members().iter().take(SHOWN) {
                let text = self.texts.text(member.position).unwrap_or_default();
                let beginning: String =
                    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(80).collect();
                let _ = write!(
                    to,
                    "<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.2}</td><td>{}</td></tr>",
                    Escaped(&cluster.representative().id),
                    Escaped(&member.id),
                    member.relation,
                    member.similarity,
                    Escaped(&beginning)
                );
            }
            if let Some(more @ 1..) = cluster.members().len().checked_sub(SHOWN) {
                let _ = write!(to, "<tr><td></td><td colspan=\"4\">and {more} more</td></tr>");
            }
        }
        to.push_str("</tbody></table>");
        if let Some(more @ 1..) = clusters.len().checked_sub(SHOWN) {
            let _ = write!(
                to,
                "<p>and {}; <code>html()</code> shows all</p>",
                counted(more, "more cluster", "more clusters")
            );
        }
        to
    }
}

pub(crate) fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A text within HTML.
struct Escaped<'t>(&'t str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A value of the crate as Python's dicts, lists, numbers and strings.
pub fn to_py<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    fn convert<'py>(py: Python<'py>, value: Value) -> PyResult<Bound<'py, PyAny>> {
        match value {
            Value::Null => Ok(py.None().into_bound(py)),
            Value::Bool(value) => value.into_bound_py_any(py),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(number), ..) => number.into_bound_py_any(py),
                (_, Some(number), _) => number.into_bound_py_any(py),
                (.., number) => number.into_bound_py_any(py),
            },
            Value::String(text) => text.into_bound_py_any(py),
            Value::Array(values) => {
                let values: Vec<_> = values.into_iter().map(|value| convert(py, value)).collect::<PyResult<_>>()?;
                Ok(PyList::new(py, values)?.into_any())
            }
            Value::Object(fields) => {
                let dict = PyDict::new(py);
                for (name, value) in fields {
                    dict.set_item(name, convert(py, value)?)?;
                }
                Ok(dict.into_any())
            }
        }
    }
    convert(py, serde_json::to_value(value).map_err(|error| PyValueError::new_err(error.to_string()))?)
}
