//! Two texts side by side in a terminal, with the passages that they share marked alike in both.

use std::io::{self, Write};
use std::ops::Range;

use console::{Color, Style};
use retold::{Passage, PassageKind};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::output::shown;

/// How texts are laid out.
#[derive(Clone, Copy)]
pub struct Columns {
    /// How wide the terminal is, in cells.
    pub width: usize,
    /// Whether passages are told by colours; otherwise by brackets.
    pub colors: bool,
}

/// A text and what to call it.
#[derive(Clone, Copy)]
pub struct Text<'t> {
    pub name: &'t str,
    pub text: &'t str,
}

/// What stands between the columns.
const GUTTER: &str = " │ ";

/// The least width of a column.
const NARROWEST: usize = 16;

impl Columns {
    /// The widths that fit the terminal, or that suit a file.
    pub fn new(width: Option<usize>, colors: bool) -> Self {
        const OF_A_FILE: usize = 120;
        let of_terminal = || console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
        Self { width: width.or_else(of_terminal).unwrap_or(OF_A_FILE), colors }
    }

    /// Writes both texts. Passages that come in the same order in both stand beside each other.
    pub fn write(self, left: Text<'_>, right: Text<'_>, passages: &[Passage], out: &mut impl Write) -> io::Result<()> {
        let width = (self.width.saturating_sub(GUTTER.width()) / 2).max(NARROWEST);
        let mark = |place: &Range<usize>, (number, passage): (usize, &Passage)| Mark {
            place: place.clone(),
            number,
            kind: passage.kind,
        };
        let left_marks: Vec<Mark> = passages.iter().enumerate().map(|of| mark(&of.1.left, of)).collect();
        let mut right_marks: Vec<Mark> = passages.iter().enumerate().map(|of| mark(&of.1.right, of)).collect();
        right_marks.sort_unstable_by_key(|mark| mark.place.start);

        let heads = [left.name, right.name].map(|name| self.wrap(name, &[], width).lines);
        self.write_rows(&heads[0], &heads[1], &[], width, out)?;
        writeln!(out, "{}", "─".repeat(width) + "─┼─" + &"─".repeat(width))?;
        let (left, right) = (self.wrap(left.text, &left_marks, width), self.wrap(right.text, &right_marks, width));
        let beside: Vec<(usize, usize)> =
            in_both_orders(passages).into_iter().map(|passage| (left.begins[passage], right.begins[passage])).collect();
        self.write_rows(&left.lines, &right.lines, &beside, width, out)?;
        if !passages.is_empty() {
            writeln!(out, "\n{}", self.legend())?;
        }
        Ok(())
    }

    fn legend(self) -> String {
        let (same, reworded) = (Mark::sample(PassageKind::Same), Mark::sample(PassageKind::Reworded));
        let sample = |mark: &Mark, text: &str| {
            let (before, behind) = self.brackets(mark);
            self.tinted(&format!("{before}{text}{behind}"), Some(mark))
        };
        format!("{}   {}", sample(&same, "the same words"), sample(&reworded, "the same in other words"))
    }

    /// Writes lines beside each other, such that those of `beside` stand in one row.
    fn write_rows(
        self,
        left: &[Line],
        right: &[Line],
        beside: &[(usize, usize)],
        width: usize,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let (mut i, mut j) = (0, 0);
        for &(a, b) in beside.iter().chain([&(left.len(), right.len())]) {
            // A line that was written before cannot be moved any more.
            if a < i || b < j {
                continue;
            }
            for row in 0..(a - i).max(b - j) {
                let line = |of: &[Line]| of.get(row).map_or((String::new(), 0), |line| (self.line(line), line.width));
                let ((ours, ours_width), (theirs, _)) = (line(&left[i..a]), line(&right[j..b]));
                let row = format!("{ours}{:padding$}{GUTTER}{theirs}", "", padding = width.saturating_sub(ours_width));
                writeln!(out, "{}", row.trim_end())?;
            }
            (i, j) = (a, b);
        }
        Ok(())
    }

    fn line(self, line: &Line) -> String {
        line.pieces.iter().map(|(text, mark)| self.tinted(text, mark.as_ref())).collect()
    }

    fn tinted(self, text: &str, mark: Option<&Mark>) -> String {
        const HUES: [Color; 6] = [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::Blue, Color::Red];
        match mark.filter(|_| self.colors) {
            Some(mark) => {
                let style = Style::new().fg(HUES[mark.number % HUES.len()]).force_styling(true);
                let style = if mark.kind == PassageKind::Same { style.bold() } else { style };
                style.apply_to(text).to_string()
            }
            None => text.to_string(),
        }
    }

    /// What stands before and behind a passage.
    fn brackets(self, mark: &Mark) -> (String, &'static str) {
        let number = mark.number + 1;
        match (self.colors, mark.kind) {
            (true, _) => (format!("{number} "), ""),
            (false, PassageKind::Same) => (format!("[{number}: "), "]"),
            (false, _) => (format!("{{{number}: "), "}"),
        }
    }
}

/// A passage in one of the texts.
#[derive(Clone, Debug)]
struct Mark {
    place: Range<usize>,
    /// The number of the passage, from 0, by which it is found in the other text.
    number: usize,
    kind: PassageKind,
}

impl Mark {
    fn sample(kind: PassageKind) -> Self {
        Self { place: 0..0, number: 0, kind }
    }
}

/// A line of a column: pieces that are each part of one passage or of none.
#[derive(Clone, Debug, Default)]
struct Line {
    pieces: Vec<(String, Option<Mark>)>,
    width: usize,
}

impl Line {
    fn push(&mut self, text: &str, mark: Option<&Mark>) {
        self.width += text.width();
        match self.pieces.last_mut() {
            Some((last, of)) if of.as_ref().map(|of| of.number) == mark.map(|mark| mark.number) => last.push_str(text),
            _ => self.pieces.push((text.into(), mark.cloned())),
        }
    }
}

/// A text as lines of a column.
struct Wrapped {
    lines: Vec<Line>,
    /// The line on which each passage begins, by its number.
    begins: Vec<usize>,
}

/// Takes words in and breaks lines between them.
struct Wrapper {
    wrapped: Wrapped,
    width: usize,
    /// Pieces without a space between them, that go on a new line together if they do not fit.
    word: Vec<(String, Option<Mark>)>,
    /// Passages that begin with this word.
    beginning: Vec<usize>,
    /// Whether a space goes before the word.
    spaced: bool,
}

impl Wrapper {
    fn end_word(&mut self) {
        let width: usize = self.word.iter().map(|(text, _)| text.width()).sum();
        let line = self.wrapped.lines.last_mut().expect("there is a line from the beginning");
        let space = usize::from(self.spaced && line.width > 0);
        if line.width > 0 && line.width + space + width > self.width {
            self.wrapped.lines.push(Line::default());
        } else if space > 0 {
            // Within a passage the space is part of it.
            let last = line.pieces.last().and_then(|(_, mark)| mark.clone());
            let goes_on = self.word.first().is_some_and(|(_, next)| {
                next.as_ref().map(|mark| mark.number) == last.as_ref().map(|mark| mark.number)
            });
            line.push(" ", last.as_ref().filter(|_| goes_on));
        }
        for number in self.beginning.drain(..) {
            self.wrapped.begins[number] = self.wrapped.lines.len() - 1;
        }
        for (text, mark) in self.word.drain(..) {
            for symbol in text.graphemes(true) {
                let mut line = self.wrapped.lines.last_mut().expect("there is a line from the beginning");
                if line.width > 0 && line.width + symbol.width() > self.width {
                    self.wrapped.lines.push(Line::default());
                    line = self.wrapped.lines.last_mut().expect("it was just pushed");
                }
                line.push(symbol, mark.as_ref());
            }
        }
        self.spaced = false;
    }

    fn add(&mut self, text: &str, mark: Option<&Mark>) {
        self.word.push((text.into(), mark.cloned()));
    }

    /// Starts a new line; of empty lines one is enough.
    fn end_line(&mut self) {
        self.end_word();
        let lines = &self.wrapped.lines;
        let is_empty = |back: usize| lines.len().checked_sub(back).is_none_or(|at| lines[at].width == 0);
        if !(is_empty(1) && is_empty(2)) {
            self.wrapped.lines.push(Line::default());
        }
    }
}

impl Columns {
    /// Breaks a text into lines of at most `width` cells, with `marks`, which are in order and apart, in brackets.
    fn wrap(self, text: &str, marks: &[Mark], width: usize) -> Wrapped {
        let begins = vec![0; marks.len()];
        let wrapped = Wrapped { lines: vec![Line::default()], begins };
        let mut wrapper = Wrapper { wrapped, width, word: Vec::new(), beginning: Vec::new(), spaced: false };
        let mut marks = marks.iter().peekable();
        let mut inside: Option<&Mark> = None;
        for (at, symbol) in text.grapheme_indices(true) {
            if let Some(mark) = inside.filter(|mark| mark.place.end <= at) {
                wrapper.add(self.brackets(mark).1, Some(mark));
                inside = None;
            }
            if symbol.chars().all(char::is_whitespace) {
                if symbol.contains('\n') {
                    wrapper.end_line();
                } else {
                    wrapper.end_word();
                    wrapper.spaced = true;
                }
                continue;
            }
            if let Some(mark) = marks.next_if(|mark| mark.place.start <= at) {
                wrapper.add(&self.brackets(mark).0, Some(mark));
                wrapper.beginning.push(mark.number);
                inside = Some(mark);
            }
            // Scripts without spaces have a symbol of two cells for every place where a line can break.
            if symbol.width() > 1 && wrapper.word.last().is_some_and(|(text, _)| text.width() > 1) {
                wrapper.end_word();
            }
            wrapper.add(&shown(symbol), inside);
        }
        if let Some(mark) = inside {
            wrapper.add(self.brackets(mark).1, Some(mark));
        }
        wrapper.end_word();
        wrapper.wrapped
    }
}

/// The most passages that come in the same order in both texts, by their numbers: the longest rising sequence (Fredman 1975).
fn in_both_orders(passages: &[Passage]) -> Vec<usize> {
    // By the length of a sequence, less 1: the passage at which one ends that begins farthest to the left in the right text.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(passages.len());
    for (at, passage) in passages.iter().enumerate() {
        let len = ends.partition_point(|&end| passages[end].right.start < passage.right.start);
        before.push(len.checked_sub(1).map(|len| ends[len]));
        ends.splice(len..(len + 1).min(ends.len()), [at]);
    }
    let mut order: Vec<usize> = std::iter::successors(ends.last().copied(), |&at| before[at]).collect();
    order.reverse();
    order
}
