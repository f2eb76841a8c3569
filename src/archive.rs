//! The archive: was this told before, by whom, and since when? Articles come one by one, and each is held against all that came
//! before.

use std::borrow::Cow;
use std::fs;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rayon::prelude::*;

use crate::articles::Article;
use crate::census::{self, Asked, Census, Comparing, MayBe, Other};
use crate::content::{FEATURE_BITS, pair};
use crate::date;
use crate::detect::Detector;
use crate::error::{Error, Result};
use crate::excerpts::{self, Found, Known};
use crate::features::Head;
use crate::fingerprints::{Sample, Shared};
use crate::furniture::Furniture;
use crate::hash::{FORMAT_VERSION, hash_bytes};
use crate::near::Compared;
use crate::options::Excerpts;
use crate::records::{self, Cursor, Profile, Record, Snapshot, Text, put_number};
use crate::report::{Evidence, Relation, Report};
use crate::scheme::Shingle;
use crate::sign::{Content, Scratch, Single, Views};
use crate::sketch::{self, LookedAt, SKETCH_VERSION, Sketch};
use crate::verify;

/// The kinds of keys by which articles are found, and how many of their bits count.
const KEYS: [u8; 4] = [64, 32, 40, FEATURE_BITS as u8];
const EXACT: usize = 0;
const FINGERPRINTS: usize = 1;
const BANDS: usize = 2;
const PAIRS: usize = 3;

/// A key that more articles hold says nothing about any of them.
const MOST_HOLDERS: usize = 40;

/// The same of pairs of words, of which the census says how many documents hold them, edited copies left out: each of these may have some.
const MOST_HOLDERS_OF_PAIRS: usize = 4 * MOST_HOLDERS;

/// Of what more articles hold so many are read for passages, those that were added first.
const FIRST_HOLDERS: usize = 8;

/// So many candidates of each kind are compared with an article, those that share most with it.
const MOST_CANDIDATES: usize = 48;

/// Articles that share so many fingerprints may be edited copies, or one a part of the other.
const LEAST_FINGERPRINTS: u32 = 2;

/// Texts of fewer words are short: they have few fingerprints.
const SHORT: u32 = 64;

/// Of a text of so many words, an edited copy half of whose shingles are the same shares two fingerprints but in one case of ten thousand:
/// bands find nothing more.
const LONG: u32 = 160;

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
}

/// An archived article, as it was added.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Archived {
    /// The number that it has for life.
    pub number: u64,
    /// Its label.
    pub id: String,
    /// Its text.
    pub text: String,
    /// When it was published, if that is known: an ISO 8601 date in UTC.
    pub date: Option<String>,
    /// Where it was published, if that is known.
    pub source: Option<String>,
}

impl Article for Archived {
    fn id(&self) -> &str {
        &self.id
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }
}

/// What an archive was like at some time, and what was counted of each article then.
#[derive(Debug, Default)]
struct Counted {
    /// Which census it is: 1 for the first; none was taken if it is 0.
    number: u64,
    census: Arc<Census>,
    /// The articles that were in it, ascending.
    articles: Vec<u64>,
    /// What was counted of them, each as [`put_counted`] writes it, and where each ends.
    notes: Vec<u8>,
    ends: Vec<u64>,
}

/// Articles on disk, each of which can be asked about: exact, edited and reworded copies come out, with the evidence.
///
/// An archive is a folder. One process writes to it at a time; any number may read, see [`reader`](Self::reader). Articles are numbered as
/// they are added; ids are labels that may repeat. Texts are kept, compressed if the crate has the feature `compress`.
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
}

/// Asks an archive, as it was when it was last committed. Can be used by many threads at once.
#[derive(Clone, Debug)]
pub struct ArchiveReader {
    folder: PathBuf,
    records: records::Reader,
    detector: Detector,
    counted: Arc<RwLock<Arc<Counted>>>,
}

/// Figures about an archive.
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
}

impl Archive {
    /// A new archive in a folder, which is created if need be. The articles are signed, and compared, as the detector does.
    ///
    /// # Errors
    /// [`Error::Archive`] if there is an archive, or if it cannot be written.
    pub fn create(folder: impl AsRef<Path>, detector: &Detector) -> Result<Self> {
        let folder = folder.as_ref();
        let records = records::Writer::create(folder, &profile(detector), records::Options::default())?;
        Self::with(folder, records, detector)
    }

    /// Opens an archive to write to it. The detector may have other options than when it was created, but must sign in the same way:
    /// level, shingle, slots and threshold.
    ///
    /// # Errors
    /// [`Error::Archive`] if there is no archive, if another process writes to it, if it was made in another way, or if it is damaged.
    pub fn open(folder: impl AsRef<Path>, detector: &Detector) -> Result<Self> {
        let folder = folder.as_ref();
        let (records, _) = records::Writer::open(folder, Some(&profile(detector)), records::Options::default())?;
        Self::with(folder, records, detector)
    }

    fn with(folder: &Path, records: records::Writer, detector: &Detector) -> Result<Self> {
        let reader = ArchiveReader::with(folder, records.reader(), detector)?;
        Ok(Self { records, reader })
    }

    /// Adds an article; its number. It outlives a crash, and readers find it, from the next [`commit`](Self::commit) on.
    ///
    /// # Errors
    /// [`Error::Archive`] if it cannot be written, or has more than some thirty megabytes.
    pub fn add<A: Article>(&mut self, article: &A) -> Result<u64> {
        self.add_signed(&self.entry(article, &mut Scratch::default(), &self.reader.counted()), article)
    }

    /// Adds many articles, which are signed in parallel; their numbers, which ascend.
    ///
    /// # Errors
    /// As [`add`](Self::add); those before the one that failed are added.
    pub fn add_all<A: Article>(&mut self, articles: &[A]) -> Result<Vec<u64>> {
        /// So many at a time, that their keys need not be in memory together.
        const TOGETHER: usize = 1024;
        let mut numbers = Vec::with_capacity(articles.len());
        for articles in articles.chunks(TOGETHER) {
            let counted = self.reader.counted();
            let sign = |scratch: &mut Scratch, article| self.entry(article, scratch, &counted);
            let signed: Vec<Entry> = articles.par_iter().map_init(Scratch::default, sign).collect();
            for (signed, article) in signed.iter().zip(articles) {
                numbers.push(self.add_signed(signed, article)?);
            }
        }
        Ok(numbers)
    }

    fn add_signed<A: Article>(&mut self, signed: &Entry, article: &A) -> Result<u64> {
        let keys: Vec<&[u64]> = signed.keys.iter().map(|keys| &keys[..]).collect();
        self.records.add(&Record {
            id: article.id().as_bytes(),
            date: article.date().and_then(date::seconds),
            source: article.source().map(str::as_bytes),
            sketch: &signed.sketch,
            text: Some(&signed.text),
            keys: &keys,
        })
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

    /// Makes all changes last: when it returns, they outlive any crash, and readers see them.
    ///
    /// # Errors
    /// [`Error::Archive`]; open the archive again then: all that was committed before is kept.
    pub fn commit(&mut self) -> Result<()> {
        self.records.commit()
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

    /// Whether so many articles were added or removed since the last census that another one should be taken: one in twenty.
    pub fn needs_census(&self) -> bool {
        self.reader.needs_census()
    }

    /// Counts how rare words are, how common copies, and what is furniture, over all articles. Takes as long as to
    /// [find](Detector::find) all copies among them. Its number.
    ///
    /// # Errors
    /// As [`commit`](Self::commit), which it is as well; [`Error::TooLarge`].
    pub fn take_census(&mut self) -> Result<u64> {
        self.commit()?;
        let articles = self.reader.articles()?;
        let (census, notes) = self.reader.detector.census(&articles)?;
        let before = self.reader.counted().number;
        let mut counted = Counted { number: before + 1, census: census.into(), ..Counted::default() };
        for (article, notes) in articles.iter().zip(notes) {
            put_counted(&mut counted.notes, notes);
            counted.ends.push(counted.notes.len() as u64);
            counted.articles.push(article.number);
        }
        counted.write(&self.reader.folder)?;
        if before > 0 {
            let old = path(&self.reader.folder, before);
            fs::remove_file(&old).map_err(records::io(&old))?;
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

    fn ask_for<A: Article>(&self, article: &A, excerpts: Excerpts) -> Result<Answer> {
        self.reader.ask_in(&self.records.view(), article, excerpts)
    }

    /// As [`ArchiveReader::article`], among what was not committed as well.
    ///
    /// # Errors
    /// As [`matches`](Self::matches).
    pub fn article(&self, number: u64) -> Result<Option<Archived>> {
        archived(&self.records.view(), number)
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

    /// Checks every byte of every file, as they were last committed.
    ///
    /// # Errors
    /// [`Error::Archive`] names the first file that is damaged, and the place.
    pub fn verify(&self) -> Result<()> {
        self.records.verify()?;
        Counted::read(&self.reader.folder).map(|_| ())
    }

    /// Figures about the archive.
    pub fn stats(&self) -> ArchiveStats {
        let records::Stats { live, dead, segments, segment_bytes, journal_bytes, memory, .. } = self.records.stats();
        ArchiveStats {
            articles: live,
            removed: dead,
            segments,
            bytes: segment_bytes + journal_bytes,
            memory,
            census: self.reader.counted().number,
        }
    }
}

impl ArchiveReader {
    /// Opens an archive to ask it, whether another process writes to it or not.
    ///
    /// # Errors
    /// As [`Archive::open`], but that it may be written to.
    pub fn open(folder: impl AsRef<Path>, detector: &Detector) -> Result<Self> {
        let folder = folder.as_ref();
        Self::with(folder, records::Reader::open(folder, Some(&profile(detector)))?, detector)
    }

    fn with(folder: &Path, records: records::Reader, detector: &Detector) -> Result<Self> {
        let counted = Arc::new(RwLock::new(Arc::new(Counted::read(folder)?)));
        let mut detector = detector.clone();
        // An archive judges by its own.
        detector.census = None;
        Ok(Self { folder: folder.into(), records, detector, counted })
    }

    /// Looks at what another process has committed in the meantime.
    ///
    /// # Errors
    /// [`Error::Archive`] if it is damaged, or cannot be read.
    pub fn refresh(&self) -> Result<()> {
        self.records.refresh()?;
        let counted = Counted::read(&self.folder)?;
        *self.counted.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(counted);
        Ok(())
    }

    fn counted(&self) -> Arc<Counted> {
        self.counted.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn needs_census(&self) -> bool {
        let (then, now) = (self.counted().articles.len() as f64, self.records.snapshot().len() as f64);
        (now - then).abs() > GROWTH * then.max(1.0)
    }

    /// The census by which rewordings are judged: 1 for the first; none was taken, and no rewordings are found, if it is 0.
    pub fn census(&self) -> u64 {
        self.counted().number
    }

    /// The archived articles that tell what an article tells, the most similar first; of equals the one that was added first. If it is
    /// in the archive itself, it is its own exact copy.
    ///
    /// If the detector asks for articles [within](crate::DetectorBuilder::within) some time, these alone are told.
    ///
    /// Of what hundreds of articles hold, and of those that share most with this one, only the first dozens are looked at.
    ///
    /// # Errors
    /// [`Error::Archive`] if the archive is damaged, or cannot be read.
    pub fn matches<A: Article>(&self, article: &A) -> Result<Vec<Match>> {
        Ok(self.ask_in(&self.records.snapshot(), article, Excerpts::Ignore)?.matches)
    }

    /// The same with the passages that an article shares with those that are no copies of it, if the detector asks for
    /// [excerpts](crate::DetectorBuilder::excerpts): those that share most of it with this one are read.
    ///
    /// # Errors
    /// As [`matches`](Self::matches).
    pub fn ask<A: Article>(&self, article: &A) -> Result<Answer> {
        self.ask_in(&self.records.snapshot(), article, self.detector.excerpts)
    }

    /// The article of a number, if it is there: to read it beside another one with [`shared_passages`](crate::shared_passages).
    ///
    /// # Errors
    /// As [`matches`](Self::matches).
    pub fn article(&self, number: u64) -> Result<Option<Archived>> {
        archived(&self.records.snapshot(), number)
    }

    /// What the articles of a snapshot tell of an article.
    fn ask_in<A: Article>(&self, snapshot: &Snapshot, article: &A, excerpts: Excerpts) -> Result<Answer> {
        let (counted, date) = (self.counted(), article.date().and_then(date::seconds));
        let mut answer = Answer { matches: Vec::new(), excerpts: Vec::new(), census: counted.number };
        let comparing = self.detector.comparing();
        let signed = views(&self.detector).single(article.text(), &mut Scratch::default());
        if self.detector.refuse(&signed).is_some() {
            return Ok(answer);
        }
        let keys = keys(&self.detector, &signed);
        let exact = snapshot.postings(EXACT, keys[EXACT][0], MOST_HOLDERS)?.0;
        // What is in the archive is asked for as it was counted.
        let usual = exact.iter().find_map(|&number| Some(counted.of(number)?.usual));
        let asked = counted.census.ask(comparing, (article.text(), signed), usual);
        let by_bands = asks_bands(&self.detector, asked.signed.words);
        let candidates = candidates(snapshot, &counted, (exact, &keys, by_bands), &asked)?;
        let records = candidates.iter().map(|&(number, _)| snapshot.record(number));
        let records: Vec<Option<records::Stored>> = records.collect::<Result<_>>()?;
        let others: Option<Vec<Other<'_>>> =
            candidates.iter().zip(&records).map(|(of, record)| counted.other(*of, record.as_ref()?)).collect();
        let others = others.ok_or_else(|| self.no_sketch())?;
        let copies = asked.copies(&others, &|at| text(snapshot, candidates[at].0))?;
        let is_within = |record: &records::Stored| self.detector.are_within(date, record.date());
        let mut told = Vec::with_capacity(copies.len());
        for Compared { right, relation, similarity, evidence, .. } in copies {
            let number = candidates[right as usize].0;
            let (Some(relation), Some(record)) = (relation, &records[right as usize]) else { continue };
            told.push(number);
            if !is_within(record) {
                continue;
            }
            answer.matches.push(Match {
                number,
                id: string(record.id()),
                source: record.source().map(string),
                date: record.date().map(date::shown),
                relation,
                similarity,
                evidence: (relation != Relation::Exact).then_some(evidence),
            });
        }
        answer.matches.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.number.cmp(&b.number)));
        if excerpts != Excerpts::Ignore {
            let holders = holders(snapshot, &keys[FINGERPRINTS], &told)?;
            let own = (article.text(), asked.signed.words, article.source(), date);
            answer.excerpts = self.excerpts(snapshot, &counted, own, &holders, is_within, excerpts)?;
        }
        Ok(answer)
    }

    /// The passages that a text of so many words, of a source and a time, shares with others.
    fn excerpts(
        &self,
        snapshot: &Snapshot,
        counted: &Counted,
        (own, words, source, date): (&str, u32, Option<&str>, Option<i64>),
        holders: &[Holder],
        is_within: impl Fn(&records::Stored) -> bool,
        wanted: Excerpts,
    ) -> Result<Vec<ExcerptMatch>> {
        let shingle = self.detector.comparing().views.shingle;
        let mut known = vec![Known { text: own.into(), words, story: 0, source: source.map(|_| 0), seconds: date }];
        let mut outlets: Vec<Option<Vec<u8>>> = vec![source.map(Into::into)];
        let (mut records, mut shared) = (Vec::new(), Vec::new());
        for of in holders {
            let Some(record) = snapshot.record(of.number)?.filter(&is_within) else { continue };
            let words = Sketch::read(record.sketch()).ok_or_else(|| self.no_sketch())?.words;
            let at = known.len();
            let outlet = record.source().map(<[u8]>::to_vec);
            let source = outlet.as_ref().and_then(|_| outlets.iter().position(|known| *known == outlet));
            let source = source.or(outlet.as_ref().map(|_| outlets.len()));
            outlets.push(outlet);
            known.push(Known {
                text: text(snapshot, of.number)?.into(),
                words,
                story: at,
                source: source.map(|source| source as u32),
                seconds: record.date(),
            });
            records.push((of.number, record));
            let (text, own) = ((words, at as u32), (known[0].words, 0));
            let (shorter, longer) = if text < own { (at as u32, 0) } else { (0, at as u32) };
            shared.push(Shared { shorter, longer, count: of.count, holders: of.holders });
        }
        self.tell_stories(&mut known, &records);
        shared.sort_unstable_by_key(|pair| (pair.shorter, pair.longer));
        let read = |text: u32| Cow::Borrowed(&*known[text as usize].text);
        let furniture = Furniture::by_mask(counted.census.mask.clone(), known.len(), read, shingle);
        let found = excerpts::of_first(&known, &shared, shingle, &furniture, wanted == Excerpts::FindAll);
        let number = |text: u32| records[text as usize - 1].0;
        let tell = |found: Found| {
            let (words, same, holders, is_furniture) =
                (found.words as usize, found.same, found.holders, found.is_furniture);
            let others = found.others.iter().filter(|&&text| text > 0).map(|&text| number(text)).collect();
            let [own, other] = found.of_first();
            let record = &records[other.text as usize - 1].1;
            ExcerptMatch {
                number: number(other.text),
                id: string(record.id()),
                source: record.source().map(string),
                date: record.date().map(date::shown),
                span: own.span,
                archived_span: other.span,
                words,
                same,
                holders,
                others,
                is_furniture,
            }
        };
        let mut told: Vec<ExcerptMatch> = found.into_iter().map(tell).collect();
        told.sort_by_key(|told| (told.span.start, told.number, told.archived_span.start));
        Ok(told)
    }

    /// Tells of the texts behind the first one which are exact or edited copies of each other, by their sketches.
    fn tell_stories(&self, known: &mut [Known<'_>], records: &[(u64, records::Stored)]) {
        let sketches: Vec<Option<Sketch<'_>>> = records.iter().map(|(_, of)| Sketch::read(of.sketch())).collect();
        for (at, sketch) in sketches.iter().enumerate() {
            let is_copy = |other: &Option<Sketch<'_>>| match (sketch, other) {
                (Some(sketch), Some(other)) => sketch.equal_share(other) >= self.detector.comparing().near.rule.jaccard,
                _ => false,
            };
            if let Some(first) = sketches[..at].iter().position(is_copy) {
                known[at + 1].story = known[first + 1].story;
            }
        }
    }

    fn no_sketch(&self) -> Error {
        records::damaged(&self.folder, 0, "the sketch of an article is none")
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
        let snapshot = self.records.snapshot();
        let numbers: Vec<u64> = snapshot.numbers().collect();
        let articles: Result<Vec<Option<Archived>>> =
            numbers.into_par_iter().map(|number| archived(&snapshot, number)).collect();
        Ok(articles?.into_iter().flatten().collect())
    }

    /// All clusters among the articles, as [`Detector::find`] finds them, and the articles: positions in the report are places in that
    /// list.
    ///
    /// # Errors
    /// As [`articles`](Self::articles) and [`Detector::find`].
    pub fn report(&self) -> Result<(Report, Vec<Archived>)> {
        let articles = self.articles()?;
        Ok((self.detector.find(&articles)?, articles))
    }
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

fn archived(snapshot: &Snapshot, number: u64) -> Result<Option<Archived>> {
    let Some(record) = snapshot.record(number)? else { return Ok(None) };
    Ok(Some(Archived {
        number,
        id: string(record.id()),
        text: text(snapshot, number)?,
        date: record.date().map(date::shown),
        source: record.source().map(string),
    }))
}

/// An article that shares fingerprints with one that is asked about: how many, and how many articles hold one of these, in the median.
struct Holder {
    number: u64,
    count: u32,
    holders: u32,
}

/// Those that share most fingerprints with an article, ascending, without some. Of one that very many hold the first ones are.
fn holders(snapshot: &Snapshot, fingerprints: &[u64], without: &[u64]) -> Result<Vec<Holder>> {
    let mut met: Vec<(u64, u32)> = Vec::new();
    snapshot.look_up(FINGERPRINTS, fingerprints, MOST_HOLDERS, |_, numbers, is_all| {
        let (told, all) = if is_all { (numbers.len(), numbers.len()) } else { (FIRST_HOLDERS, MOST_HOLDERS + 1) };
        met.extend(numbers.iter().take(told).map(|&number| (number, all as u32)));
        Ok(())
    })?;
    met.sort_unstable();
    let of_one = met.chunk_by(|a, b| a.0 == b.0);
    let holder = |of: &[(u64, u32)]| Holder { number: of[0].0, count: of.len() as u32, holders: of[of.len() / 2].1 };
    let mut all: Vec<Holder> = of_one.map(holder).collect();
    all.retain(|of| of.count >= LEAST_FINGERPRINTS && !without.contains(&of.number));
    all.sort_by_key(|of| (std::cmp::Reverse(of.count), of.number));
    all.truncate(MOST_CANDIDATES);
    all.sort_unstable_by_key(|of| of.number);
    Ok(all)
}

/// An article as it goes into an archive.
struct Entry {
    text: Text,
    sketch: Vec<u8>,
    keys: [Vec<u64>; KEYS.len()],
}

impl Archive {
    fn entry<A: Article>(&self, article: &A, scratch: &mut Scratch, counted: &Counted) -> Entry {
        let (text, detector) = (article.text(), &self.reader.detector);
        let single = views(detector).single(text, scratch);
        let may_hold_furniture = counted.census.mask.may_be_in(&single.fingerprints);
        let looked_at = LookedAt { census: counted.number, may_hold_furniture };
        let gaps = match detector.comparing().views.content {
            Content::Words => sketch::gaps(text),
            // Before the end of no words.
            Content::Nothing => vec![0],
        };
        let sketch = Sketch::to_bytes(&single, &gaps, looked_at);
        #[cfg(feature = "compress")]
        let text = Text::compressed(text.as_bytes());
        #[cfg(not(feature = "compress"))]
        let text = Text::plain(text.as_bytes());
        // What cannot be compared is kept all the same.
        let keys = if detector.refuse(&single).is_none() { keys(detector, &single) } else { Default::default() };
        Entry { text, sketch, keys }
    }
}

/// Whether edited copies of a text of so many words are looked for by bands.
fn asks_bands(detector: &Detector, words: u32) -> bool {
    let Comparing { views, near, .. } = detector.comparing();
    words < LONG || near.rule.jaccard < 0.5 || !matches!(views.shingle, Shingle::Words(3..))
}

/// What is kept of an article: all fingerprints, for who asks may be after passages.
fn views(detector: &Detector) -> Views {
    Views { fingerprints: Sample::All, ..detector.comparing().views }
}

/// The keys by which an article is found, by kind.
fn keys(detector: &Detector, single: &Single) -> [Vec<u64>; KEYS.len()] {
    let distinct = |mut keys: Vec<u64>| {
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    let stems = single.tokens.iter().map(|token| token.stem());
    let pairs = stems.clone().zip(stems.skip(1)).filter(|(first, second)| first != second);
    let pairs = pairs.map(|(first, second)| pair(first, second)).collect();
    [
        vec![single.exact.key()],
        distinct(single.fingerprints.iter().map(|&of| of.into()).collect()),
        // An edited copy of a text that is looked for by bands is no more than twice as long.
        if asks_bands(detector, single.words / 2) {
            distinct(detector.bands().keys(&single.sketch).collect())
        } else {
            Vec::new()
        },
        distinct(pairs),
    ]
}

/// The articles to compare with one that is asked about, ascending, and why. `exact` are its exact copies;
/// bands are asked if they are to be.
fn candidates(
    snapshot: &Snapshot,
    counted: &Counted,
    (exact, keys, by_bands): (Vec<u64>, &[Vec<u64>; KEYS.len()], bool),
    asked: &Asked<'_>,
) -> Result<Vec<(u64, MayBe)>> {
    let mut edited = exact;
    // What is rare is not known before the first census.
    let (alone, others): (Vec<_>, Vec<_>) =
        asked.pairs().filter(|_| counted.number > 0).partition(|&(.., is_alone)| is_alone);
    let by_pairs = |pairs: &[(u64, u8, bool)], since: u64| {
        let keys: Vec<u64> = pairs.iter().map(|&(pair, ..)| pair).collect();
        sharing(snapshot, (PAIRS, since), &keys, |at| pairs[at].1.into())
    };
    let keeps = |key: &u64| Sample::Half.keeps(*key as u32);
    let sample: Vec<u64> = keys[FINGERPRINTS].iter().copied().filter(keeps).collect();
    let fingerprints = sharing(snapshot, (FINGERPRINTS, 0), &sample, |_| 1)?;
    let bands = if by_bands { sharing(snapshot, (BANDS, 0), &keys[BANDS], |_| 1)? } else { Vec::new() };
    let (mut alike, alike_alone) = (by_pairs(&others, 0)?, by_pairs(&alone, counted.end())?);
    edited.extend(best(fingerprints, LEAST_FINGERPRINTS));
    // Of longer texts two unrelated ones often share one of so many bands, and edited copies share fingerprints as well.
    edited.extend(best(bands, if asked.signed.words < SHORT { 1 } else { 2 }));
    if !alike_alone.is_empty() {
        alike.extend(alike_alone);
        add_up(&mut alike);
    }
    let (total, usual) = (asked.pair_total(), asked.usual().unwrap_or(0.0));
    // With less no pair of words is shared that says anything, however poor the other article is.
    let least = |weight: u32| verify::share_enough_pairs(weight, (total, total), usual);
    let reworded: Vec<u64> = best(alike.into_iter().filter(|&(_, weight)| least(weight)).collect(), 1).collect();
    let mut all: Vec<(u64, MayBe)> = edited.into_iter().map(|number| (number, MayBe::Edited)).collect();
    all.extend(reworded.into_iter().map(|number| (number, MayBe::Reworded)));
    all.sort_unstable_by_key(|&(number, may_be)| (number, may_be == MayBe::Reworded));
    all.dedup_by(|later, first| {
        let same = later.0 == first.0;
        if same && later.1 != first.1 {
            first.1 = MayBe::Either;
        }
        same
    });
    Ok(all)
}

/// The articles that hold some of these keys, and how much these weigh together.
fn sharing(
    snapshot: &Snapshot,
    (kind, since): (usize, u64),
    keys: &[u64],
    weight: impl Fn(usize) -> u32,
) -> Result<Vec<(u64, u32)>> {
    let mut met: Vec<(u64, u32)> = Vec::new();
    let most = if kind == PAIRS { MOST_HOLDERS_OF_PAIRS } else { MOST_HOLDERS };
    snapshot.look_up_since(kind, keys, since, most, |at, numbers, is_all| {
        if is_all {
            met.extend(numbers.iter().map(|&number| (number, weight(at))));
        }
        Ok(())
    })?;
    add_up(&mut met);
    Ok(met)
}

/// Each article once, with all that it shares.
fn add_up(met: &mut Vec<(u64, u32)>) {
    met.sort_unstable();
    met.dedup_by(|later, first| {
        let same = later.0 == first.0;
        first.1 += if same { later.1 } else { 0 };
        same
    });
}

/// Those articles that share most, of equals the first.
fn best(mut sharing: Vec<(u64, u32)>, least: u32) -> impl Iterator<Item = u64> {
    sharing.retain(|&(_, weight)| weight >= least);
    sharing.sort_by_key(|&(number, weight)| (std::cmp::Reverse(weight), number));
    sharing.into_iter().take(MOST_CANDIDATES).map(|(number, _)| number)
}

/// Adds what was counted of an article.
fn put_counted(bytes: &mut Vec<u8>, counted: Option<census::Counted<'_>>) {
    let Some(census::Counted { usual, head, cuts }) = counted else { return };
    bytes.extend(usual.to_bits().to_le_bytes());
    head.numbers().into_iter().for_each(|number| put_number(bytes, number.into()));
    bytes.extend_from_slice(&cuts);
}

/// Reads what was counted of an article.
fn read_counted(bytes: &[u8]) -> Option<census::Counted<'_>> {
    let mut cursor = Cursor(bytes);
    let usual = f32::from_bits(u32::from_le_bytes(cursor.array()?));
    let mut numbers = [0; Head::NUMBERS];
    for number in &mut numbers {
        *number = u32::try_from(cursor.number()?).ok()?;
    }
    Some(census::Counted { usual, head: Head::of_numbers(numbers), cuts: cursor.0.into() })
}

impl Counted {
    /// The number from which on no article was counted.
    fn end(&self) -> u64 {
        self.articles.last().map_or(0, |last| last + 1)
    }

    /// What was counted of an article, if it was counted and can be compared.
    fn of(&self, number: u64) -> Option<census::Counted<'_>> {
        let at = match self.articles.last() {
            Some(&last) if last + 1 == self.articles.len() as u64 => usize::try_from(number).ok()?,
            _ => self.articles.binary_search(&number).ok()?,
        };
        let end = *self.ends.get(at)? as usize;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        read_counted(self.notes.get(start..end)?)
    }

    /// An article, which may be a copy, as it was archived; none if its sketch is none.
    fn other<'r>(&'r self, (number, may_be): (u64, MayBe), record: &'r records::Stored) -> Option<Other<'r>> {
        let sketch = Sketch::read(record.sketch())?;
        let LookedAt { census, may_hold_furniture } = sketch.looked_at;
        let may_hold_furniture = may_hold_furniture || census != self.number;
        Some(Other { sketch, counted: self.of(number), may_hold_furniture, may_be })
    }

    /// Writes it to a file of its own, which is there as a whole or not at all.
    fn write(&self, folder: &Path) -> Result<()> {
        let census = self.census.to_bytes();
        let mut bytes = (census.len() as u64).to_le_bytes().to_vec();
        bytes.extend(census);
        let (mut next, mut start) = (0, 0);
        for (&number, &end) in self.articles.iter().zip(&self.ends) {
            put_number(&mut bytes, number - next);
            put_number(&mut bytes, end - start);
            (next, start) = (number + 1, end);
        }
        // Before the notes, which need no end of their own.
        bytes.extend(&self.notes);
        bytes.extend((self.articles.len() as u64).to_le_bytes());
        bytes.extend(hash_bytes(&bytes).to_le_bytes());
        let path = path(folder, self.number);
        let new = path.with_extension("new");
        let write = || {
            let mut file = fs::File::create(&new)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            // Elsewhere folders cannot be opened, and need not be.
            #[cfg(unix)]
            fs::File::open(folder)?.sync_all()?;
            Ok(())
        };
        write().map_err(records::io(&path))
    }

    /// The last census of an archive; none if there is none.
    fn read(folder: &Path) -> Result<Self> {
        let names = fs::read_dir(folder).map_err(records::io(folder))?;
        let mut last = 0;
        for name in names {
            let name = name.map_err(records::io(folder))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("census-")?.parse().ok());
            last = last.max(number.unwrap_or(0));
        }
        if last == 0 {
            return Ok(Self::default());
        }
        let path = path(folder, last);
        let bytes = fs::read(&path).map_err(records::io(&path))?;
        let damaged = |place: usize, what| Err(records::damaged(&path, place as u64, what));
        let Some((body, hash)) = bytes.split_last_chunk() else { return damaged(0, "it is too short") };
        if hash_bytes(body).to_le_bytes() != *hash {
            return damaged(body.len(), "its checksum is another one");
        }
        let Some((length, rest)) = body.split_first_chunk() else { return damaged(0, "it is too short") };
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((census, notes)) = rest.split_at_checked(length) else { return damaged(0, "it is too short") };
        let census = match Census::from_bytes(census) {
            Ok(census) => census,
            Err(what) => return damaged(8, what),
        };
        match Self::read_notes(notes) {
            Some(notes) => Ok(Self { number: last, census: census.into(), ..notes }),
            None => damaged(8 + length, "what it tells of articles is not what was written"),
        }
    }

    /// What was counted of each article.
    fn read_notes(bytes: &[u8]) -> Option<Self> {
        let (bytes, count) = bytes.split_last_chunk()?;
        let (mut cursor, mut read) = (Cursor(bytes), Self::default());
        let (mut next, mut end) = (0u64, 0u64);
        for _ in 0..u64::from_le_bytes(*count) {
            let number = next.checked_add(cursor.number()?)?;
            end = end.checked_add(cursor.number()?)?;
            next = number.checked_add(1)?;
            read.articles.push(number);
            read.ends.push(end);
        }
        read.notes = cursor.0.to_vec();
        (read.notes.len() as u64 == end).then_some(read)
    }
}

/// The file of a census.
fn path(folder: &Path, census: u64) -> PathBuf {
    folder.join(format!("census-{census:08}"))
}

/// What must be the same for articles to be found by each other.
fn profile(detector: &Detector) -> Profile {
    let (views, bands) = (views(detector), detector.bands());
    let content = if views.content == Content::Words { "content words" } else { "no content words" };
    let name = format!(
        "format {FORMAT_VERSION}, sketches {SKETCH_VERSION}, pairs of {} bits, {}, {content}, all fingerprints, {} slots in {} bands of {} rows",
        KEYS[PAIRS],
        views.shingle,
        views.slots,
        bands.bands(),
        bands.rows()
    );
    Profile { bytes: name.clone().into_bytes(), name, key_bits: KEYS.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_of_other_features_is_refused_with_both_named() {
        let folder = std::env::temp_dir().join(format!("retold-archive-profile-{}", std::process::id()));
        let ours = profile(&Detector::new());
        let name = ours.name.replace("48", "32");
        let older = Profile { bytes: name.clone().into_bytes(), name: name.clone(), key_bits: vec![64, 32, 40, 32] };
        records::Writer::create(&folder, &older, records::Options::default()).unwrap();
        let errors = [
            Archive::open(&folder, &Detector::new()).unwrap_err(),
            ArchiveReader::open(&folder, &Detector::new()).unwrap_err(),
        ];
        for error in errors.map(|error| error.to_string()) {
            assert!(ours.name != name && error.contains(&name) && error.contains(&ours.name), "{error}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
