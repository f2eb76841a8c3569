//! The store of an archive at so many made-up records: adding, looking up, expiring, opening, and what it takes on disk and in
//! memory. No text is read and nothing is judged.
//!
//! `cargo bench --bench archive -- --records 1000000 [--texts]`

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use retold::Result;
use retold::measure::{Merge, Options, Profile, Reader, Record, Snapshot, Text, Writer};

#[derive(Parser)]
struct Args {
    /// Records that are added
    #[arg(long, default_value_t = 100_000)]
    records: u64,

    /// Records of a commit
    #[arg(long, default_value_t = 10_000)]
    commit: u64,

    /// Segments beside each other before they are merged
    #[arg(long, default_value_t = Options::default().fan)]
    fan: usize,

    /// Filters for all keys
    #[arg(long)]
    filters: bool,

    /// Let commits wait for merges
    #[arg(long)]
    at_once: bool,

    /// Keep texts as well
    #[arg(long)]
    texts: bool,

    /// Where the archive is made; it is removed at the end
    #[arg(long)]
    folder: Option<PathBuf>,

    /// What `cargo bench` gives
    #[arg(long, hide = true)]
    bench: bool,
}

const DAY: i64 = 86_400;
const DAYS: u64 = 30;

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        (u128::from(self.next()) * u128::from(end) >> 64) as u64
    }
}

/// What a record of a number is made of.
struct Made {
    id: String,
    date: i64,
    sketch: Vec<u8>,
    text: Option<Text>,
    fingerprints: Vec<u64>,
    features: Vec<u64>,
}

impl Made {
    /// Every twentieth has half of the keys of an earlier one. Of the features, six in ten are in no other; of the rest as
    /// many each in about 1, 2, 4, up to 64 others.
    fn of(number: u64, args: &Args) -> Self {
        let mut rng = Rng(number << 20);
        let fingerprints: Vec<u64> = (0..100).map(|_| rng.next() >> 32).collect();
        let feature = |rng: &mut Rng| match rng.below(10) {
            0..6 => rng.next(),
            _ => {
                let size = rng.below(7);
                Rng(size << 40 | rng.below(args.records * 8 >> size)).next()
            }
        };
        let features: Vec<u64> = (0..140).map(|_| feature(&mut rng)).collect();
        let (mut fingerprints, mut features) = (fingerprints, features);
        if number % 20 == 19 {
            let other = Self::of(rng.below(number) / 20 * 20, &Args { texts: false, folder: None, ..*args });
            fingerprints[..50].copy_from_slice(&other.fingerprints[..50]);
            features[..70].copy_from_slice(&other.features[..70]);
        }
        let sketch = (0..125).flat_map(|_| rng.next().to_le_bytes()).collect();
        let text = args.texts.then(|| {
            let words =
                ["harbour", "minister", "said", "the", "of", "a", "report", "council", "on", "Monday", "ferry", "to"];
            let word = |rng: &mut Rng| match rng.below(3) {
                0 => format!("{:x} ", rng.below(1 << 24)),
                _ => format!("{} ", words[rng.below(12) as usize]),
            };
            let text: String = (0..390).map(|_| word(&mut rng)).collect();
            Text::compressed(&text.as_bytes()[..2200])
        });
        let date = (number * DAYS / args.records) as i64 * DAY + rng.below(DAY as u64) as i64;
        Self { id: format!("https://example.org/news/{number:010}"), date, sketch, text, fingerprints, features }
    }

    fn record<'r>(&'r self, keys: &'r [&'r [u64]]) -> Record<'r> {
        let (id, source) = (self.id.as_bytes(), Some(&b"example.org"[..]));
        Record { id, date: Some(self.date), source, sketch: &self.sketch, text: self.text.as_ref(), keys }
    }
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |line: &str| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok();
    status.lines().find_map(of).unwrap_or(0) / 1024
}

/// Seconds for which all threads of this process ran, or this one alone: what others do at the same time does not count.
fn ran(thread: bool) -> f64 {
    let of = |path: &Path| std::fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse::<f64>().ok();
    let all = || Some(std::fs::read_dir("/proc/self/task").ok()?.flatten().filter_map(|task| of(&task.path())).sum());
    let nanoseconds = if thread { of(Path::new("/proc/thread-self")) } else { all() };
    nanoseconds.unwrap_or(0.0) / 1e9
}

/// Times of 250 look-ups, in ascending order, and the seconds for which the thread ran, on average.
fn look_up(snapshot: &Snapshot, args: &Args, rounds: u64, new: bool) -> Result<(Vec<Duration>, f64)> {
    let (mut times, mut busy) = (Vec::new(), 0.0);
    for round in 0..rounds {
        let number = if new { args.records + round } else { Rng(round).below(args.records) };
        let made = Made::of(number, &Args { texts: false, folder: None, ..*args });
        let keys = made.features.iter().chain(&made.features[..10]).copied().collect::<Vec<_>>();
        let (start, ran_before) = (Instant::now(), ran(true));
        let mut found = 0;
        for (kind, keys) in [&made.fingerprints, &keys].into_iter().enumerate() {
            snapshot.look_up(kind, keys, 40, |_, numbers, _| {
                found += numbers.len();
                Ok(())
            })?;
        }
        times.push(start.elapsed());
        busy += ran(true) - ran_before;
        black_box(found);
    }
    times.sort_unstable();
    Ok((times, busy / rounds as f64))
}

fn tell(what: &str, snapshot: &Snapshot, args: &Args) -> Result<()> {
    for (whose, new) in [("of a known record", false), ("of a new record", true)] {
        let (times, busy) = look_up(snapshot, args, 4000, new)?;
        let at = |percent: usize| times[times.len() * percent / 100].as_nanos() as f64 / 1000.0;
        println!(
            "250 look-ups {whose}, {what}: p50 {:.0} µs, p99 {:.0} µs, running {:.0} µs",
            at(50),
            at(99),
            busy * 1e6
        );
    }
    Ok(())
}

fn main() -> Result<()> {
    let args = Args::parse();
    let temporary =
        tempfile::Builder::new().tempdir_in(args.folder.as_deref().unwrap_or(Path::new("."))).expect("a folder");
    let folder = temporary.path().join("archive");
    let profile = Profile { bytes: vec![1], name: "benchmark".into(), key_bits: vec![32, 48] };

    let mut options = Options { fan: args.fan, ..Options::default() };
    if args.at_once {
        options.merge = Merge::AtOnce;
    }
    if args.filters {
        options.filter_records = u64::MAX;
    }
    let mut writer = Writer::create(&folder, &profile, options.clone())?;
    let (mut adding, mut longest, mut busy) = (Duration::ZERO, Duration::ZERO, 0.0);
    for first in (0..args.records).step_by(args.commit as usize) {
        let all: Vec<Made> =
            (first..args.records.min(first + args.commit)).map(|number| Made::of(number, &args)).collect();
        let (start, ran_before) = (Instant::now(), ran(false));
        for made in &all {
            writer.add(&made.record(&[&made.fingerprints, &made.features]))?;
        }
        writer.commit()?;
        adding += start.elapsed();
        busy += ran(false) - ran_before;
        longest = longest.max(start.elapsed());
    }
    let stats = writer.stats();
    let per_record = |bytes: u64| bytes as f64 / args.records as f64;
    let rate = |seconds: f64| args.records as f64 / seconds;
    println!(
        "add: {:.0} records a second with commits every {} and merges, {:.0} a second of one running thread; longest commit {longest:.2?}",
        rate(adding.as_secs_f64()),
        args.commit,
        rate(busy)
    );
    println!("written {:.1} times; {} segments", per_record(writer.written()), stats.segments);
    println!("disk: {:.0} bytes a record with the journal", per_record(stats.segment_bytes + stats.journal_bytes));
    println!("resident {} MB, of which the store {} MB", resident(), stats.memory >> 20);
    tell("as it is", &writer.view(), &args)?;

    let start = Instant::now();
    writer.close()?;
    println!("close {:.1?}", start.elapsed());
    let start = Instant::now();
    let (mut writer, _) = Writer::open(&folder, Some(&profile), options)?;
    println!("open {:.1?}", start.elapsed());
    let start = Instant::now();
    let reader = Reader::open(&folder, Some(&profile))?;
    println!("open a reader {:.1?}, {} records", start.elapsed(), reader.snapshot().len());
    println!("resident {} MB", resident());
    drop(reader);

    let start = Instant::now();
    let expired = writer.expire(DAY)?;
    let middle = start.elapsed();
    writer.commit()?;
    println!("expire a day: {expired} records in {middle:.1?}, with commit {:.1?}", start.elapsed());

    let start = Instant::now();
    writer.verify()?;
    println!("verify {:.1?}", start.elapsed());
    let start = Instant::now();
    writer.compact(false)?;
    println!("compact {:.1?}", start.elapsed());
    let stats = writer.stats();
    println!("disk: {:.0} bytes a record that lives", stats.segment_bytes as f64 / stats.live as f64);
    tell("in one segment", &writer.view(), &args)?;
    let (start, snapshot) = (Instant::now(), writer.view());
    let numbers: Vec<u64> = snapshot.numbers().collect();
    for at in 0..10_000u64 {
        black_box(snapshot.record(numbers[(at * 7919) as usize % numbers.len()])?);
    }
    println!("read a record: {:.2?}", start.elapsed() / 10_000);
    Ok(())
}
