//! The archive: was this told before, by whom, and since when? Articles come one by one, and each is held against all that came
//! before.

mod asking;
mod counted;
mod keys;

use std::borrow::Cow;
use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::result;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use rayon::prelude::*;

use self::counted::{Counted, path};
use self::keys::{KEYS, Kept, keys, profile, views};
use crate::articles::Article;
use crate::date;
use crate::detect::Detector;
use crate::error::{ArchiveFault, Error, Result, SkipReason};
use crate::options::Excerpts;
use crate::records::{self, Profile, Record, Snapshot, Text, TooLarge, check_bytes};
use crate::report::{Evidence, ExcerptKind, Relation, Report, Skipped};
use crate::sign::{Content, Scratch, Single};
use crate::sketch::{self, LookedAt, Sketch};

/// So many articles are signed at a time, that their keys need not be in memory together.
const TOGETHER: usize = 1024;

/// An archive is like another corpus when so many more or fewer articles are in it.
const GROWTH: f64 = 0.05;

/// An article that was told before.
///
/// See [`Archive`] for an example.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Match {
    /// The number of the article in the archive, which it has for life.
    pub number: u64,
    /// Its label.
    pub id: String,
    /// Where it was published, if that is known.
    pub source: Option<String>,
    /// When it was published, if that is known: an ISO 8601 date in UTC.
    pub date: Option<String>,
    /// How it is like the one that was asked about.
    pub relation: Relation,
    /// As in [`Pair`](crate::Pair); 1 for an exact copy.
    pub similarity: f32,
    /// The numbers by which the pair was judged; `None` for an exact copy.
    pub evidence: Option<Evidence>,
    /// Whether similarity and evidence are estimates: the archive [keeps no texts](Archive::create_without_texts), and exact copies are
    /// all that it knows for sure.
    pub is_estimated: bool,
}

/// A passage of an article that stands in an archived one as well, which is otherwise other writing.
///
/// ```
/// use retold::{Archive, Detector, Excerpts, Level};
///
/// let said = "On Monday the harbour board announced that the ferry to Orrin will stop in March. It said that fewer than nine people a day had \
///     crossed the bay in winter, and that the old ship would not pass its next inspection.";
/// let first = format!("{said} Three readers wrote to us. The first asks who will pay for a bus, and the others why nobody asked them before \
///     the board met; the second of them owns the hotel at the pier, which has stood empty since May.");
/// let fresh = format!("Nobody in Orrin was surprised last night, and at the pier they had known it since Easter. {said} The mayor had more to say about \
///     the road, which is to be widened between the church and the mill before the summer. Work will begin after Easter and go on at night.");
///
/// let folder = std::env::temp_dir().join(format!("retold-excerpts-example-{}", std::process::id()));
/// let mut archive = Archive::create(&folder, &Detector::builder().level(Level::Near).excerpts(Excerpts::Find).build()?)?;
/// archive.add(&("first", &first))?;
/// let answer = archive.ask(&("fresh", &fresh))?;
/// assert!(answer.matches.is_empty());
/// let passage = &answer.excerpts[0];
/// assert_eq!((passage.id.as_str(), &fresh[passage.span.clone()]), ("first", &first[passage.archived_span.clone()]));
/// # drop(archive);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ExcerptMatch {
    /// The number of the archived article, which it has for life.
    pub number: u64,
    /// Its label.
    pub id: String,
    /// Where it was published, if that is known.
    pub source: Option<String>,
    /// When it was published, if that is known: an ISO 8601 date in UTC.
    pub date: Option<String>,
    /// Where the passage stands in the text that was asked about, in bytes; at the edges of words.
    pub span: Range<usize>,
    /// Where it stands in the archived text.
    pub archived_span: Range<usize>,
    /// Words of the passage, in the later one of the two.
    pub words: usize,
    /// As in [`Excerpt`](crate::Excerpt).
    pub kind: ExcerptKind,
    /// As in [`Excerpt`](crate::Excerpt).
    pub same: f32,
    /// How many articles hold it of those that were looked at, the one that was asked about included and copies of one article counted
    /// once.
    pub holders: usize,
    /// The numbers of the other holders, ascending, if five and more hold it: the passage is told once then.
    pub others: Vec<u64>,
    /// Whether it belongs to the pages; such are told only if [asked for](crate::Excerpts::FindAll).
    pub is_furniture: bool,
}

/// What an archive holds of what an article tells.
///
/// See [`ExcerptMatch`] for an example.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Answer {
    /// Its copies, the most similar first.
    pub matches: Vec<Match>,
    /// Passages of it that stand in other writing, in their order, if the detector [asks for them](crate::DetectorBuilder::excerpts).
    pub excerpts: Vec<ExcerptMatch>,
    /// The census by which it was judged; 0 if none was taken.
    pub census: u64,
    /// Why it could not be compared, if it could not: it repeats nothing then, as far as anybody can tell.
    pub skipped: Option<SkipReason>,
}

/// An article that was [added](Archive::add_all).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Added {
    /// The number that it has for life.
    pub number: u64,
    /// Why it cannot be compared, if it cannot: it is kept, but repeats nothing and nothing repeats it.
    pub skipped: Option<SkipReason>,
}

/// An archived article, as it was added.
///
/// See [`ArchiveReader`] for an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Archived {
    /// The number that it has for life.
    pub number: u64,
    /// Its label.
    pub id: String,
    /// Its text, if the archive [keeps texts](Archive::create_without_texts).
    pub text: Option<String>,
    /// When it was published, if that is known: an ISO 8601 date in UTC.
    pub date: Option<String>,
    /// Where it was published, if that is known.
    pub source: Option<String>,
}

impl Article for Archived {
    fn id(&self) -> &str {
        &self.id
    }

    /// Empty if none is kept.
    fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }
}

/// Articles on disk, each of which can be asked about: exact, edited and reworded copies come out, with the evidence.
///
/// An archive is a folder. One process writes to it at a time; any number may read, see [`reader`](Self::reader). Articles are numbered as
/// they are added; ids are labels that may repeat. Texts are kept, compressed if the crate has the feature `compress`, or
/// [not at all](Self::create_without_texts).
///
/// How rare a word is, how common copies are and what is furniture is counted now and then, in a [census](Self::take_census): between
/// two of these a verdict on two articles does not change. Before the first there is no telling rewordings, and only exact and edited
/// copies are found.
///
/// ```
/// use retold::{Archive, Detector, Relation};
///
/// let folder = std::env::temp_dir().join(format!("retold-archive-example-{}", std::process::id()));
/// let mut archive = Archive::create(&folder, &Detector::new())?;
/// archive.add(&("monday", "The ferry leaves the harbour at nine and comes back at noon."))?;
/// archive.commit()?;
///
/// let found = archive.matches(&("tuesday", "The ferry leaves the harbour at NINE, and comes back at noon!"))?;
/// assert_eq!((found[0].id.as_str(), found[0].relation), ("monday", Relation::Exact));
/// # drop(archive);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), retold::Error>(())
/// ```
#[derive(Debug)]
pub struct Archive {
    records: records::Writer,
    reader: ArchiveReader,
    /// A census that is under way beside.
    counting: Option<JoinHandle<Result<Counted>>>,
}

/// Asks an archive, as it was when it was last committed. Can be used by many threads at once.
///
/// ```
/// use retold::{Archive, ArchiveReader, Detector};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("news");
/// let mut archive = Archive::create(&folder, &Detector::new())?;
/// let number = archive.add(&("monday", "The ferry leaves the harbour at nine and comes back at noon."))?;
/// archive.commit()?;
///
/// // Here, on another thread, or in another process.
/// let reader = ArchiveReader::open(&folder, &Detector::new())?;
/// assert_eq!(reader.matches(&("tuesday", "The ferry leaves the harbour at nine, and comes back at noon!"))?.len(), 1);
/// let article = reader.article(number)?.expect("nobody removed it");
/// assert_eq!((article.id.as_str(), article.text.as_deref()), ("monday", Some("The ferry leaves the harbour at nine and comes back at noon.")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ArchiveReader {
    folder: PathBuf,
    records: records::Reader,
    detector: Detector,
    kept: Kept,
    counted: Arc<RwLock<Arc<Counted>>>,
}

/// Figures about an archive.
///
/// ```
/// use retold::{Archive, Detector};
///
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path().join("news");
/// let mut archive = Archive::create(&folder, &Detector::new())?;
/// archive.add_all(&[("a", "The ferry leaves at nine."), ("b", "Snow closed the road to Hallin.")])?;
/// archive.take_census()?;
/// archive.remove("a")?;
/// let stats = archive.stats();
/// assert_eq!((stats.articles, stats.removed, stats.census), (1, 1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ArchiveStats {
    /// Articles that can be found.
    pub articles: u64,
    /// Articles that were removed, and still take room.
    pub removed: u64,
    /// Files of articles that never change.
    pub segments: usize,
    /// Bytes on disk.
    pub bytes: u64,
    /// Bytes in memory.
    pub memory: u64,
    /// The last census: 1 for the first; none was taken if it is 0.
    pub census: u64,
    /// Articles that it counted.
    pub counted: u64,
    /// Whether texts are kept.
    pub keeps_texts: bool,
}

impl Archive {
    /// A new archive in a folder, which is created if need be. The articles are signed, and compared, as the detector does.
    ///
    /// # Errors
    /// [`Error::Archive`] if there is an archive, or if it cannot be written.
    pub fn create(folder: impl AsRef<Path>, detector: &Detector) -> Result<Self> {
        Self::create_with(folder.as_ref(), detector, Kept::Texts)
    }

    /// A new archive that keeps no texts: of each article the content words alone, as hashes of their first five characters, and how many
    /// other words stand between them. It takes a third less room, and articles are judged by that: endings and words without content are
    /// not told apart, so that edited copies seem a little more alike than they are, in other capitals less, and [matches say
    /// so](Match::is_estimated). No excerpts are found. Everything else is as with texts, [`open`](Self::open) included.
    ///
    /// # Errors
    /// As [`create`](Self::create), and if the detector looks for excerpts.
    ///
    /// # Examples
    /// ```
    /// use retold::{Archive, Detector, Relation};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path().join("news");
    /// let mut archive = Archive::create_without_texts(&folder, &Detector::new())?;
    /// let number = archive.add(&("monday", "The ferry leaves the harbour at nine and comes back at noon."))?;
    /// let found = archive.matches(&("tuesday", "Now the ferry leaves its harbour at nine and comes back at noon, they say."))?;
    /// assert_eq!((found[0].number, found[0].relation, found[0].is_estimated), (number, Relation::Near, true));
    /// assert_eq!(archive.article(number)?.and_then(|article| article.text), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn create_without_texts(folder: impl AsRef<Path>, detector: &Detector) -> Result<Self> {
        Self::create_with(folder.as_ref(), detector, Kept::Transcripts)
    }

    fn create_with(folder: &Path, detector: &Detector, kept: Kept) -> Result<Self> {
        refuse_excerpts(folder, detector, kept)?;
        let records = records::Writer::create(folder, &profile(detector, kept), records::Options::default())?;
        Ok(Self::with(folder, records, Counted::default(), detector, kept))
    }

    /// Opens an archive to write to it. The detector may have other options than when it was created, but must sign in the same way:
    /// level, shingle, slots and threshold.
    ///
    /// # Errors
    /// [`Error::Archive`] if there is no archive, if another process writes to it, if it was made in another way, or if it is damaged.
    pub fn open(folder: impl AsRef<Path>, detector: &Detector) -> Result<Self> {
        let folder = folder.as_ref();
        let (records, counted) = rayon::join(|| Self::records(folder, detector), || Counted::read(folder));
        let (mut records, kept) = records?;
        let counted = counted?.or_newer(folder, records.view().note())?;
        // A crash may have come between.
        records.note(counted.number)?;
        Ok(Self::with(folder, records, counted, detector, kept))
    }

    fn records(folder: &Path, detector: &Detector) -> Result<(records::Writer, Kept)> {
        let (records, _) = records::Writer::open(folder, &profiles(detector), records::Options::default())?;
        let kept = kept_by(folder, detector, records.profile())?;
        Ok((records, kept))
    }

    /// Opens an archive to write to it, as [`open`](Self::open) does, and [takes a census](Self::take_census) whatever the last one is
    /// like: it may be [damaged](ArchiveFault::Census), missing, or of another release.
    ///
    /// # Errors
    /// As [`open`](Self::open) for all else, and as [`take_census`](Self::take_census).
    ///
    /// # Examples
    /// ```
    /// use retold::{Archive, ArchiveFault, Detector, Error};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path().join("news");
    /// # Archive::create(&folder, &Detector::new())?.take_census()?;
    /// # std::fs::write(folder.join("census-00000001"), "from a bad disk")?;
    /// let archive = match Archive::open(&folder, &Detector::new()) {
    ///     Err(Error::Archive { fault: ArchiveFault::Census { .. }, .. }) => Archive::recount(&folder, &Detector::new())?,
    ///     opened => opened?,
    /// };
    /// assert_eq!(archive.census(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn recount(folder: impl AsRef<Path>, detector: &Detector) -> Result<Self> {
        let folder = folder.as_ref();
        let (records, kept) = Self::records(folder, detector)?;
        let counted = Counted::nothing(folder, records.view().note())?;
        let mut archive = Self::with(folder, records, counted, detector, kept);
        archive.take_census()?;
        Ok(archive)
    }

    fn with(folder: &Path, records: records::Writer, counted: Counted, detector: &Detector, kept: Kept) -> Self {
        let reader = ArchiveReader::with(folder, records.reader(), counted, detector, kept);
        Self { records, reader, counting: None }
    }

    /// Adds an article; its number. It outlives a crash, and readers find it, from the next [`commit`](Self::commit) on. One that cannot be
    /// [compared](Answer::skipped), since it has too few words, is kept all the same.
    ///
    /// # Errors
    /// [`Error::Archive`] if it cannot be written, or is [too large](SkipReason::TooLarge): has more than 32 MiB.
    pub fn add<A: Article>(&mut self, article: &A) -> Result<u64> {
        self.add_one(article)
    }

    fn add_one(&mut self, article: &dyn Article) -> Result<u64> {
        let reader = &self.reader;
        let taken = reader.taken(article, &reader.counted(), &mut Scratch::default());
        let (entry, signed) = taken.map_err(|fault| reader.fault(fault.into()))?;
        self.add_signed(&entry, &signed, article)
    }

    /// Adds many articles, which are signed in parallel; their numbers, which ascend, and which of them cannot be compared. Of one that
    /// is [too large](SkipReason::TooLarge) it tells that it was passed over.
    ///
    /// # Errors
    /// [`Error::Archive`] if they cannot be written; those before the one that failed are added.
    ///
    /// # Examples
    /// ```
    /// use retold::{Archive, Detector, SkipReason};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path().join("news");
    /// let mut archive = Archive::create(&folder, &Detector::new())?;
    /// let long = "and so on ".repeat(4_000_000);
    /// let added = archive.add_all(&[("a", "The ferry leaves at nine."), ("b", &long), ("c", "Snow")])?;
    /// let (ferry, snow) = (added[0].as_ref().unwrap(), added[2].as_ref().unwrap());
    /// assert_eq!((ferry.number, ferry.skipped, snow.number), (0, None, 1));
    /// assert_eq!(snow.skipped, Some(SkipReason::TooShort { words: 1, needed: 3 }));
    /// let skipped = added[1].as_ref().unwrap_err();
    /// assert_eq!((skipped.id.as_str(), skipped.position), ("b", 1));
    /// assert!(matches!(skipped.reason, SkipReason::TooLarge { bytes: 40_000_000, .. }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_all<A: Article>(&mut self, articles: &[A]) -> Result<Vec<result::Result<Added, Skipped>>> {
        self.add_each(&each(articles))
    }

    fn add_each(&mut self, articles: &[&dyn Article]) -> Result<Vec<result::Result<Added, Skipped>>> {
        let mut all = Vec::with_capacity(articles.len());
        let (reader, counted) = (self.reader.clone(), self.reader.counted());
        let mut chunks = articles.chunks(TOGETHER);
        let mut sign_next = || chunks.next().map(|articles| (articles, reader.sign_all(articles, &counted)));
        let mut next = sign_next();
        // Adding takes one thread, and others sign what comes next.
        while let Some((articles, signed)) = next {
            let add = || -> Result<()> {
                for (taken, &article) in signed.iter().zip(articles) {
                    all.push(match taken {
                        Ok((entry, signed)) => Ok(Added {
                            number: self.add_signed(entry, signed, article)?,
                            skipped: reader.detector.refuse(&signed.single),
                        }),
                        Err(fault) => Err(skipped(article, all.len(), *fault)),
                    });
                }
                Ok(())
            };
            let (added, following) = rayon::join(add, &mut sign_next);
            added?;
            next = following;
        }
        Ok(all)
    }

    /// Asks about each of some articles among all that came before it, and adds it: as [`ask`](Self::ask) and [`add`](Self::add) for one
    /// after the other answer, but many at a time in parallel. The answers, with the numbers; one that is [too
    /// large](SkipReason::TooLarge) is neither asked about nor added, and told.
    ///
    /// # Errors
    /// As [`ask`](Self::ask) and [`add_all`](Self::add_all); articles are added before the first is asked about.
    ///
    /// # Examples
    /// ```
    /// use retold::{Archive, Detector};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path().join("news");
    /// let mut archive = Archive::create(&folder, &Detector::new())?;
    /// let told = archive.ask_and_add_all(&[("monday", "The ferry leaves at nine."), ("tuesday", "The ferry leaves at nine!")])?;
    /// let [first, second] = &told.into_iter().collect::<Result<Vec<_>, _>>().unwrap()[..] else { panic!("two answers") };
    /// assert!(first.0.matches.is_empty());
    /// assert_eq!((second.0.matches[0].number, second.1), (0, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ask_and_add_all<A: Article>(
        &mut self,
        articles: &[A],
    ) -> Result<Vec<result::Result<(Answer, u64), Skipped>>> {
        self.ask_and_add_each(&each(articles))
    }

    fn ask_and_add_each(&mut self, articles: &[&dyn Article]) -> Result<Vec<result::Result<(Answer, u64), Skipped>>> {
        let mut all = Vec::with_capacity(articles.len());
        for articles in articles.chunks(TOGETHER) {
            // Whatever is added later, each sees what came before it.
            let mut before = Vec::with_capacity(articles.len());
            let signed = self.reader.sign_all(articles, &self.reader.counted());
            for (taken, &article) in signed.into_iter().zip(articles) {
                let view = self.records.view();
                before.push(match taken {
                    Ok((entry, signed)) => Ok((view, self.add_signed(&entry, &signed, article)?, signed)),
                    Err(fault) => Err(skipped(article, all.len() + before.len(), fault)),
                });
            }
            let excerpts = self.reader.detector.excerpts;
            let ask = |(before, &article): (result::Result<(Snapshot, u64, Signed<'_>), Skipped>, &_)| match before {
                Ok((view, number, signed)) => Ok(Ok((self.reader.ask_in(&view, article, signed, excerpts)?, number))),
                Err(skipped) => Ok(Err(skipped)),
            };
            let told: Vec<_> = before.into_par_iter().zip(articles).map(ask).collect::<Result<_>>()?;
            all.extend(told);
        }
        Ok(all)
    }

    fn add_signed(&mut self, entry: &Entry, signed: &Signed<'_>, article: &dyn Article) -> Result<u64> {
        let keys: Vec<&[u64]> = signed.keys.iter().map(|keys| &keys[..]).collect();
        self.records.add(&Record { keys: &keys, ..entry.record(article) })
    }

    /// Removes the article of a number; whether there was one.
    ///
    /// # Errors
    /// [`Error::Archive`].
    pub fn remove_number(&mut self, number: u64) -> Result<bool> {
        self.records.remove_number(number)
    }

    /// Removes all articles that bear an id; how many.
    ///
    /// # Errors
    /// [`Error::Archive`].
    pub fn remove(&mut self, id: &str) -> Result<u64> {
        self.records.remove(id.as_bytes())
    }

    /// Removes all articles that are older than an ISO 8601 date; how many. Those without a date stay.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if it is no date; [`Error::Archive`].
    pub fn expire(&mut self, before: &str) -> Result<u64> {
        let known = &["2024", "2024-05-17", "2024-05-17T09:30:15+02:00"];
        let seconds = date::seconds(before);
        let seconds = seconds.ok_or_else(|| Error::UnknownName { what: "date", given: before.into(), known })?;
        self.records.expire(seconds)
    }

    /// Makes all changes last: when it returns, they outlive any crash, and readers see them. What comes is judged by a census that was
    /// [begun](Self::begin_census) before, if that has ended.
    ///
    /// # Errors
    /// [`Error::Archive`]; open the archive again then: all that was committed before is kept. What the census met, if it failed.
    pub fn commit(&mut self) -> Result<()> {
        self.records.commit()?;
        match self.counting.take_if(|counting| counting.is_finished()) {
            Some(counting) => self.take_over(counting).map(|_| ()),
            None => Ok(()),
        }
    }

    /// Puts small files together. Commits do so by themselves now and then.
    ///
    /// # Errors
    /// As [`commit`](Self::commit), which it is as well.
    pub fn merge(&mut self) -> Result<()> {
        self.records.merge()
    }

    /// Gives the room of removed articles back: nothing of them is left in any file.
    ///
    /// # Errors
    /// As [`commit`](Self::commit), which it is as well.
    pub fn compact(&mut self) -> Result<()> {
        self.records.compact(true)
    }

    /// Whether so many articles were added or removed since the last census that another one should be taken: one in twenty. Never where
    /// edited copies alone are looked for and no excerpts, which need none; without one, what is furniture is told by the few articles
    /// that share it with the one that is asked about.
    pub fn needs_census(&self) -> bool {
        self.needs_census_after(GROWTH)
    }

    /// The same for another share than one in twenty, `0.1` for one in ten: who asks and adds an endless stream has more articles counted
    /// with less, and waits less with more.
    pub fn needs_census_after(&self, growth: f64) -> bool {
        self.reader.needs_census(growth)
    }

    /// Counts how rare words are, how common copies, and what is furniture, over all articles, and [merges](Self::merge), so that what is
    /// asked next is answered from few files. Takes as long as to [find](Detector::find) all copies among them. Its number.
    ///
    /// A census that was [begun](Self::begin_census) is waited for, and is enough if nothing has changed since.
    ///
    /// # Errors
    /// As [`commit`](Self::commit), which it is as well; [`Error::TooLarge`].
    pub fn take_census(&mut self) -> Result<u64> {
        self.merge()?;
        if let Some(counting) = self.counting.take() {
            let number = self.take_over(counting)?;
            if self.reader.counted().is_of(&self.records.view()) {
                return Ok(number);
            }
        }
        let counted = self.reader.count(&self.reader.records.snapshot())?;
        self.judge_by(counted)
    }

    /// Begins a census of what is committed, which it does first, on a thread beside: articles are asked about and added meanwhile, by the
    /// census before, and the first [commit](Self::commit) after it has ended takes it over. Does nothing while one is under way; nothing
    /// comes of it if the archive is dropped first.
    ///
    /// # Errors
    /// As [`commit`](Self::commit); [`Error::Archive`] if there is no thread to be had.
    ///
    /// # Examples
    /// ```
    /// use retold::{Archive, Detector};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path().join("news");
    /// let mut archive = Archive::create(&folder, &Detector::new())?;
    /// for day in 0..3 {
    ///     archive.add(&("ferry", format!("The ferry to Orrin stops for good, said its {day} sailors.")))?;
    ///     archive.commit()?;
    ///     if archive.needs_census() {
    ///         archive.begin_census()?;
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn begin_census(&mut self) -> Result<()> {
        self.commit()?;
        if self.counting.is_none() {
            let (reader, snapshot) = (self.reader.clone(), self.reader.records.snapshot());
            let thread = thread::Builder::new().name("retold-census".into());
            // In the pool in which articles are asked about, each would wait behind parts of the census.
            let threads = rayon::current_num_threads();
            let count = move || match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
                Ok(pool) => pool.install(|| reader.count(&snapshot)),
                Err(_) => reader.count(&snapshot),
            };
            self.counting = Some(thread.spawn(count).map_err(records::io(&self.reader.folder))?);
        }
        Ok(())
    }

    /// Waits for a census that was begun, and judges by it; its number.
    fn take_over(&mut self, counting: JoinHandle<Result<Counted>>) -> Result<u64> {
        let counted = counting.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        self.judge_by(counted)
    }

    /// Judges by what was counted from now on; the number of the census.
    fn judge_by(&mut self, mut counted: Counted) -> Result<u64> {
        let before = self.reader.counted().number;
        counted.number = before + 1;
        counted.write(&self.reader.folder)?;
        self.records.note(counted.number)?;
        if before > 0 {
            let old = path(&self.reader.folder, before);
            match fs::remove_file(&old) {
                // It may have been missing.
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(records::io(&old)(error)),
                _ => {}
            }
        }
        *self.reader.counted.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(counted);
        Ok(before + 1)
    }

    /// Asks the archive from other threads while this one writes.
    pub fn reader(&self) -> ArchiveReader {
        self.reader.clone()
    }

    /// As [`ArchiveReader::matches`], among what was not committed as well.
    ///
    /// # Errors
    /// [`Error::Archive`] if it is damaged, or cannot be read.
    pub fn matches<A: Article>(&self, article: &A) -> Result<Vec<Match>> {
        Ok(self.ask_for(article, Excerpts::Ignore)?.matches)
    }

    /// As [`ArchiveReader::ask`], among what was not committed as well.
    ///
    /// # Errors
    /// As [`matches`](Self::matches).
    pub fn ask<A: Article>(&self, article: &A) -> Result<Answer> {
        self.ask_for(article, self.reader.detector.excerpts)
    }

    fn ask_for(&self, article: &dyn Article, excerpts: Excerpts) -> Result<Answer> {
        self.reader.sign_and_ask(&self.records.view(), article, excerpts)
    }

    /// As [`ArchiveReader::article`], among what was not committed as well.
    ///
    /// # Errors
    /// As [`matches`](Self::matches).
    pub fn article(&self, number: u64) -> Result<Option<Archived>> {
        self.reader.archived(&self.records.view(), number)
    }

    /// As [`ArchiveReader::census`].
    pub fn census(&self) -> u64 {
        self.reader.census()
    }

    /// As [`ArchiveReader::report`].
    ///
    /// # Errors
    /// As there.
    pub fn report(&self) -> Result<(Report, Vec<Archived>)> {
        self.reader.report()
    }

    /// As [`ArchiveReader::verify`].
    ///
    /// # Errors
    /// As there.
    pub fn verify(&self) -> Result<()> {
        self.reader.verify()
    }

    /// As [`ArchiveReader::stats`], with what was not committed.
    pub fn stats(&self) -> ArchiveStats {
        self.reader.figures(&self.records.stats())
    }
}

impl ArchiveReader {
    /// Opens an archive to ask it, whether another process writes to it or not.
    ///
    /// # Errors
    /// As [`Archive::open`], but that it may be written to.
    pub fn open(folder: impl AsRef<Path>, detector: &Detector) -> Result<Self> {
        let folder = folder.as_ref();
        let open = || records::Reader::open(folder, &profiles(detector));
        let (records, counted) = rayon::join(open, || Counted::read(folder));
        let records = records?;
        let kept = kept_by(folder, detector, records.profile())?;
        let counted = counted?.or_newer(folder, records.snapshot().note())?;
        Ok(Self::with(folder, records, counted, detector, kept))
    }

    fn with(folder: &Path, records: records::Reader, counted: Counted, detector: &Detector, kept: Kept) -> Self {
        let counted = Arc::new(RwLock::new(Arc::new(counted)));
        let mut detector = detector.clone();
        // An archive judges by its own.
        detector.census = None;
        Self { folder: folder.into(), records, detector, kept, counted }
    }

    /// Looks at what another process has committed in the meantime.
    ///
    /// # Errors
    /// [`Error::Archive`] if it is damaged, or cannot be read.
    pub fn refresh(&self) -> Result<()> {
        self.records.refresh()?;
        let counted = Counted::read(&self.folder)?.or_newer(&self.folder, self.records.snapshot().note())?;
        *self.counted.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(counted);
        Ok(())
    }

    /// Checks every byte of every file, as they were last committed, whether another process writes to them or not.
    ///
    /// # Errors
    /// [`Error::Archive`] names the first file that is damaged, and the place.
    ///
    /// # Examples
    /// ```
    /// use retold::{Archive, ArchiveReader, Detector};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let folder = folder.path().join("news");
    /// let mut archive = Archive::create(&folder, &Detector::new())?;
    /// archive.add(&("monday", "The ferry leaves the harbour at nine and comes back at noon."))?;
    /// archive.commit()?;
    ///
    /// let reader = ArchiveReader::open(&folder, &Detector::new())?;
    /// reader.verify()?;
    /// assert_eq!(reader.stats().articles, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify(&self) -> Result<()> {
        let noted = records::Reader::verify(&self.folder)?;
        Counted::read(&self.folder)?.or_newer(&self.folder, noted).map(|_| ())
    }

    /// Figures about the archive, as it was last committed.
    pub fn stats(&self) -> ArchiveStats {
        self.figures(&self.records.snapshot().stats())
    }

    fn figures(&self, of: &records::Stats) -> ArchiveStats {
        let counted = self.counted();
        ArchiveStats {
            articles: of.live,
            removed: of.dead,
            segments: of.segments,
            bytes: of.segment_bytes + of.journal_bytes,
            memory: of.memory,
            census: counted.number,
            counted: counted.articles.len() as u64,
            keeps_texts: self.kept == Kept::Texts,
        }
    }

    fn counted(&self) -> Arc<Counted> {
        self.counted.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts the articles of a snapshot.
    fn count(&self, snapshot: &Snapshot) -> Result<Counted> {
        let articles = self.judged(snapshot)?;
        let (census, notes) = self.detector.census(&articles)?;
        Ok(Counted::new(census, articles.iter().map(|article| article.number).zip(notes)))
    }

    fn needs_census(&self, growth: f64) -> bool {
        let is_judged_by =
            self.detector.views().content == Content::Words || self.detector.excerpts != Excerpts::Ignore;
        let (counted, snapshot) = (self.counted(), self.records.snapshot());
        let (then, now) = (counted.articles.len() as u64, snapshot.len());
        // Of those that live now, all that were added since are taken to be some, so that others were removed.
        let added = snapshot.end() - counted.end().min(snapshot.end());
        let removed = then - now.saturating_sub(added).min(then);
        is_judged_by && added.max(removed) as f64 > growth * then.max(1) as f64
    }

    /// The census by which rewordings are judged: 1 for the first; none was taken, and no rewordings are found, if it is 0.
    pub fn census(&self) -> u64 {
        self.counted().number
    }

    /// The archived articles that tell what an article tells, the most similar first; of equals the one that was added first. If it is
    /// in the archive itself, it is its own exact copy.
    ///
    /// If the detector asks for articles [within](crate::DetectorBuilder::within) some time, these alone are looked at.
    ///
    /// Where more than forty articles hold the same, only the first dozen of them are compared, and of those that share most with this one
    /// the first dozens.
    ///
    /// # Errors
    /// [`Error::Archive`] if the archive is damaged, or cannot be read.
    pub fn matches<A: Article>(&self, article: &A) -> Result<Vec<Match>> {
        Ok(self.sign_and_ask(&self.records.snapshot(), article, Excerpts::Ignore)?.matches)
    }

    /// The same with the passages that an article shares with those that are no copies of it, if the detector asks for
    /// [excerpts](crate::DetectorBuilder::excerpts): those that share most of it with this one are read.
    ///
    /// # Errors
    /// As [`matches`](Self::matches).
    pub fn ask<A: Article>(&self, article: &A) -> Result<Answer> {
        self.sign_and_ask(&self.records.snapshot(), article, self.detector.excerpts)
    }

    /// The article of a number, if it is there: to read it beside another one with [`shared_passages`](crate::shared_passages).
    ///
    /// # Errors
    /// As [`matches`](Self::matches).
    pub fn article(&self, number: u64) -> Result<Option<Archived>> {
        self.archived(&self.records.snapshot(), number)
    }

    /// A detector as this one that judges as the last [census](Archive::take_census) does, so that few articles, or a shard of many, are
    /// judged as the whole: by how rare words are, how common copies and what is furniture there, and among the articles of the run where
    /// that is more. What texts on one subject have in common is told by the run alone. The same as this one if no census was taken.
    ///
    /// ```
    /// use retold::{Archive, ArchiveReader, Detector};
    ///
    /// let folder = std::env::temp_dir().join(format!("retold-census-example-{}", std::process::id()));
    /// let mut archive = Archive::create(&folder, &Detector::new())?;
    /// archive.add(&("old", "The ferry leaves the harbour at nine and comes back at noon."))?;
    /// archive.take_census()?;
    ///
    /// let detector = ArchiveReader::open(&folder, &Detector::new())?.detector();
    /// let report = detector.find(&[("a", "A story that is told here."), ("b", "A story that is told here.")])?;
    /// assert_eq!(report.clusters().len(), 1);
    /// # drop(archive);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), retold::Error>(())
    /// ```
    pub fn detector(&self) -> Detector {
        let (counted, mut detector) = (self.counted(), self.detector.clone());
        detector.census = (counted.number > 0).then(|| counted.census.clone());
        detector
    }

    /// All articles, in the order of their numbers.
    ///
    /// # Errors
    /// [`Error::Archive`] if the archive is damaged, or cannot be read.
    pub fn articles(&self) -> Result<Vec<Archived>> {
        Ok(self.without_transcripts(self.judged(&self.records.snapshot())?))
    }

    /// All clusters among the articles, as [`Detector::find`] finds them, and the articles: positions in the report are places in that
    /// list.
    ///
    /// # Errors
    /// As [`articles`](Self::articles) and [`Detector::find`].
    pub fn report(&self) -> Result<(Report, Vec<Archived>)> {
        let articles = self.judged(&self.records.snapshot())?;
        Ok((self.detector.find(&articles)?, self.without_transcripts(articles)))
    }

    /// All articles of a snapshot, in the order of their numbers, with the texts by which they are judged.
    fn judged(&self, snapshot: &Snapshot) -> Result<Vec<Archived>> {
        let numbers: Vec<u64> = snapshot.numbers().collect();
        let judged = |number| -> Result<Option<Archived>> {
            let Some(record) = snapshot.record(number)? else { return Ok(None) };
            let sketch = Sketch::read(record.sketch()).ok_or_else(|| self.no_sketch())?;
            Ok(Some(article(&record, Some(self.read(snapshot, number, &sketch)?))))
        };
        let articles: Result<Vec<Option<Archived>>> = numbers.into_par_iter().map(judged).collect();
        Ok(articles?.into_iter().flatten().collect())
    }

    /// Without what was read in place of texts.
    fn without_transcripts(&self, mut articles: Vec<Archived>) -> Vec<Archived> {
        if self.kept == Kept::Transcripts {
            articles.iter_mut().for_each(|article| article.text = None);
        }
        articles
    }

    fn archived(&self, snapshot: &Snapshot, number: u64) -> Result<Option<Archived>> {
        let Some(record) = snapshot.record(number)? else { return Ok(None) };
        let text = (self.kept == Kept::Texts).then(|| text(snapshot, number)).transpose()?;
        Ok(Some(article(&record, text)))
    }

    /// What an article of a number, of which this is the sketch, is judged by: its text, or a transcript.
    fn read(&self, snapshot: &Snapshot, number: u64, sketch: &Sketch<'_>) -> Result<String> {
        match self.kept {
            Kept::Texts => text(snapshot, number),
            Kept::Transcripts => Ok(sketch.transcript()),
        }
    }

    /// What a text is judged by beside archived ones.
    fn told<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.kept {
            Kept::Texts => text.into(),
            Kept::Transcripts => sketch::transcript_of(text).into(),
        }
    }

    fn fault(&self, fault: ArchiveFault) -> Error {
        Error::Archive { path: self.folder.clone(), fault }
    }

    fn no_sketch(&self) -> Error {
        records::damaged(&self.folder, 0, "the sketch of an article is none")
    }
}

/// The profiles of archives that a detector can judge in.
fn profiles(detector: &Detector) -> [Profile; Kept::ALL.len()] {
    Kept::ALL.map(|kept| profile(detector, kept))
}

/// What an archive of a profile keeps, one of those that a detector can judge in; it must be enough for what is looked for.
fn kept_by(folder: &Path, detector: &Detector, found: &Profile) -> Result<Kept> {
    let kept = Kept::ALL.into_iter().find(|&kept| profile(detector, kept) == *found).unwrap_or(Kept::Texts);
    refuse_excerpts(folder, detector, kept)?;
    Ok(kept)
}

/// Excerpts are passages of texts.
fn refuse_excerpts(folder: &Path, detector: &Detector, kept: Kept) -> Result<()> {
    if kept == Kept::Transcripts && detector.excerpts != Excerpts::Ignore {
        return Err(Error::Archive { path: folder.into(), fault: ArchiveFault::NoTexts });
    }
    Ok(())
}

/// Bytes that were a string when they were added.
fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The text of a number, which is empty if there is none.
fn text(snapshot: &Snapshot, number: u64) -> Result<String> {
    let text = snapshot.text(number)?.unwrap_or_default();
    Ok(String::from_utf8(text).unwrap_or_else(|text| string(text.as_bytes())))
}

/// A record as an article of a text.
fn article(record: &records::Stored, text: Option<String>) -> Archived {
    Archived {
        number: record.number(),
        id: string(record.id()),
        text,
        date: record.date().map(date::shown),
        source: record.source().map(string),
    }
}

/// An article as it is looked up.
struct Signed<'t> {
    /// What it is judged by.
    told: Cow<'t, str>,
    single: Single,
    /// By kind; none if it cannot be compared.
    keys: [Vec<u64>; KEYS.len()],
}

/// What is kept of an article and how it is looked up, unless it is too large.
type Taken<'t> = result::Result<(Entry, Signed<'t>), TooLarge>;

/// What is kept of an article.
struct Entry {
    text: Option<Text>,
    sketch: Vec<u8>,
}

impl Entry {
    /// With what its article says of itself; without keys.
    fn record<'r>(&'r self, article: &'r dyn Article) -> Record<'r> {
        Record {
            id: article.id().as_bytes(),
            date: article.date().and_then(date::seconds),
            source: article.source().map(str::as_bytes),
            sketch: &self.sketch,
            text: self.text.as_ref(),
            keys: &[],
        }
    }
}

/// Articles of whatever type, so that what is done with them is compiled once.
fn each<A: Article>(articles: &[A]) -> Vec<&dyn Article> {
    articles.iter().map(|article| article as &dyn Article).collect()
}

/// An article at a position that is passed over.
fn skipped(article: &dyn Article, position: usize, TooLarge { bytes, most }: TooLarge) -> Skipped {
    Skipped { id: article.id().into(), position, reason: SkipReason::TooLarge { bytes, most } }
}

impl ArchiveReader {
    fn signed<'t>(&self, text: &'t str, scratch: &mut Scratch) -> Signed<'t> {
        let told = self.told(text);
        let single = views(&self.detector, self.kept).single(&told, scratch);
        let is_refused = self.detector.refuse(&single).is_some();
        let keys = if is_refused { Default::default() } else { keys(&self.detector, &single) };
        Signed { told, single, keys }
    }

    /// An article as it is kept, and as it is looked up, if it is not too large for that.
    fn taken<'a>(&self, article: &'a dyn Article, counted: &Counted, scratch: &mut Scratch) -> Taken<'a> {
        // A text counts as it was given: whether it is taken does not hang on how well it compresses, or on whether it is kept.
        check_bytes(article.text().len())?;
        let signed = self.signed(article.text(), scratch);
        let entry = self.entry(&signed, counted);
        entry.record(article).check()?;
        Ok((entry, signed))
    }

    fn sign_all<'a>(&self, articles: &[&'a dyn Article], counted: &Counted) -> Vec<Taken<'a>> {
        let take = |scratch: &mut Scratch, &article: &&'a dyn Article| self.taken(article, counted, scratch);
        articles.par_iter().map_init(Scratch::default, take).collect()
    }

    fn entry(&self, Signed { told, single, .. }: &Signed<'_>, counted: &Counted) -> Entry {
        let may_hold_furniture = counted.census.mask.may_be_in(&single.fingerprints);
        let looked_at = LookedAt { census: counted.number, may_hold_furniture };
        let gaps = match views(&self.detector, self.kept).content {
            Content::Words => sketch::gaps(told),
            // Before the end of no words.
            Content::Nothing => vec![0],
        };
        let sketch = Sketch::to_bytes(told, single, &gaps, looked_at);
        #[cfg(feature = "compress")]
        let keep = Text::compressed;
        #[cfg(not(feature = "compress"))]
        let keep = Text::plain;
        Entry { text: (self.kept == Kept::Texts).then(|| keep(told.as_bytes())), sketch }
    }
}
