//! Histories of an archive beside a map in memory, on disks of all kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use proptest::prelude::*;

use super::disk::Disk;
use super::simulated::{Dice, Fault, Simulated};
use super::*;
use crate::error::Result;
use crate::hash::{mix, mix2};

const KEYS: u64 = 12;
const IDS: u64 = 5;

fn profile() -> Profile {
    Profile { bytes: b"of these tests".to_vec(), name: "the options of these tests".into(), key_bits: vec![32, 48] }
}

/// Nothing is done by itself.
fn by_hand() -> Options {
    Options { flush_records: u32::MAX, flush_bytes: u64::MAX, fan: 2, merge: Merge::ByHand, filter_records: 5 }
}

/// As much as possible is done by itself.
fn eager() -> Options {
    Options { flush_records: 4, flush_bytes: u64::MAX, fan: 3, merge: Merge::AtOnce, filter_records: 5 }
}

/// The same, but merges go on beside.
fn aside() -> Options {
    Options { merge: Merge::Aside, ..eager() }
}

/// What a history of a number is done with.
fn options(seed: u64) -> Options {
    [by_hand(), eager(), aside()][(seed % 3) as usize].clone()
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    id: String,
    date: Option<i64>,
    source: Option<String>,
    sketch: String,
    text: Option<String>,
    keys: [Vec<u64>; 2],
}

impl Kept {
    /// What number a history made as its so-manieth record.
    fn of(seed: u64, serial: u64) -> Self {
        let mut dice = Dice(mix2(seed, serial));
        let keys = [0; 2].map(|_| (0..dice.below(6)).map(|_| mix(dice.below(KEYS))).collect());
        Self {
            id: format!("id<{}>", dice.below(IDS)),
            date: (dice.below(4) > 0).then(|| dice.below(20) as i64),
            source: (dice.below(2) > 0).then(|| format!("source {}", dice.below(3))),
            sketch: format!("sketch<{serial}>"),
            text: (dice.below(3) > 0).then(|| format!("text<{serial}>")),
            keys,
        }
    }

    fn add(&self, writer: &mut Writer) -> Result<u64> {
        let text = self.text.as_ref().map(|text| Text::plain(text.as_bytes()));
        writer.add(&Record {
            id: self.id.as_bytes(),
            date: self.date,
            source: self.source.as_ref().map(String::as_bytes),
            sketch: self.sketch.as_bytes(),
            text: text.as_ref(),
            keys: &[&self.keys[0], &self.keys[1]],
        })
    }
}

/// What an archive should hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Model {
    records: BTreeMap<u64, Kept>,
    next: u64,
}

impl Model {
    fn check(&self, snapshot: &Snapshot) -> std::result::Result<(), String> {
        let fail = |what: String| Err(format!("{what}; expected {:?}", self.records.keys()));
        let failed = |error: Error| format!("{error}");
        let numbers: Vec<u64> = snapshot.numbers().collect();
        if !numbers.iter().eq(self.records.keys()) || snapshot.len() != numbers.len() as u64 {
            return fail(format!("{} numbers: {numbers:?}", snapshot.len()));
        }
        if snapshot.end() != self.next {
            return fail(format!("end {} instead of {}", snapshot.end(), self.next));
        }
        for number in 0..self.next + 2 {
            let stored = snapshot.record(number).map_err(failed)?;
            let text = snapshot.text(number).map_err(failed)?.map(|text| String::from_utf8(text).unwrap());
            let Some(kept) = self.records.get(&number) else {
                if stored.is_some() || text.is_some() || snapshot.contains(number) {
                    return fail(format!("{number} lives"));
                }
                continue;
            };
            let Some(stored) = stored else { return fail(format!("{number} is gone")) };
            let source = kept.source.as_ref().map(String::as_bytes);
            let same = stored.number() == number
                && (stored.id(), stored.date(), stored.source()) == (kept.id.as_bytes(), kept.date, source)
                && (stored.sketch(), &text) == (kept.sketch.as_bytes(), &kept.text);
            if !same {
                return fail(format!("{stored:?} {text:?} for {kept:?}"));
            }
        }
        for id in 0..IDS {
            let id = format!("id<{id}>");
            let bearing = self.records.iter().filter(|(_, kept)| kept.id == id).map(|(&number, _)| number);
            let found = snapshot.by_id(id.as_bytes()).map_err(failed)?;
            if !bearing.eq(found.iter().copied()) {
                return fail(format!("{id} by {found:?}"));
            }
        }
        for kind in 0..2 {
            let keys: Vec<u64> = (0..KEYS + 1).map(mix).collect();
            let expected: Vec<Vec<u64>> = keys
                .iter()
                .map(|key| {
                    let holds = |(_, kept): &(&u64, &Kept)| kept.keys[kind].contains(key);
                    self.records.iter().filter(holds).map(|(&number, _)| number).collect()
                })
                .collect();
            for cap in [0, 2, usize::MAX] {
                let mut failure = Ok(());
                let found = snapshot.look_up(kind, &keys, cap, |at, numbers, is_all| {
                    let all = &expected[at];
                    if numbers != &all[..all.len().min(cap)] || is_all != (all.len() <= cap) {
                        failure = Err(format!("kind {kind} key {at} cap {cap}: {numbers:?} {is_all} for {all:?}"));
                    }
                    Ok(())
                });
                found.map_err(failed)?;
                failure?;
            }
            for (dates, (at, key)) in
                [std::ops::RangeInclusive::new(1, 0), 5..=5, 3..=11, i64::MIN..=30].iter().zip(keys.iter().enumerate())
            {
                let is_of = |&number: &u64| self.records[&number].date.is_some_and(|date| dates.contains(&date));
                let of_dates: Vec<u64> = expected[at].iter().copied().filter(is_of).collect();
                let among = Among { dates: Some(dates.clone()), ..Among::default() };
                let found = snapshot.postings_among(kind, *key, &among, 2).map_err(failed)?;
                if found != (of_dates[..of_dates.len().min(2)].to_vec(), of_dates.len() <= 2) {
                    return fail(format!("kind {kind} key {at} of {dates:?}: {found:?} for {of_dates:?}"));
                }
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Add,
    Remove(u64),
    RemoveId(u64),
    Expire(i64),
    Commit,
    Flush,
    Merge,
    Compact(bool),
    /// Ends with or without a commit and opens again.
    Close,
    Abandon,
    Look,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => Just(Step::Add),
        3 => any::<u64>().prop_map(Step::Remove),
        1 => (0..IDS).prop_map(Step::RemoveId),
        1 => (0i64..22).prop_map(Step::Expire),
        4 => Just(Step::Commit),
        3 => Just(Step::Flush),
        1 => Just(Step::Merge),
        1 => any::<bool>().prop_map(Step::Compact),
        1 => Just(Step::Close),
        1 => Just(Step::Abandon),
        1 => Just(Step::Look),
    ]
}

/// A history that is under way.
struct History {
    seed: u64,
    serial: u64,
    disk: Simulated,
    options: Options,
    writer: Option<Writer>,
    /// With what was not committed, and what was last.
    model: Model,
    committed: Model,
    /// What may have been committed beyond that when something failed.
    maybe: Vec<Model>,
    looks: Vec<(Snapshot, Model)>,
}

impl History {
    fn new(disk: Simulated, seed: u64, options: Options) -> Result<Self> {
        let writer = Some(Writer::create_on(Arc::new(disk.clone()), &profile(), options.clone())?);
        let (model, committed) = Default::default();
        Ok(Self { seed, serial: 0, disk, options, writer, model, committed, maybe: Vec::new(), looks: Vec::new() })
    }

    fn remove(&mut self, which: impl Fn(&u64, &Kept) -> bool) {
        self.model.records.retain(|number, kept| !which(number, kept));
    }

    fn open(&mut self) -> Result<()> {
        self.writer = None;
        let (writer, opened) = Writer::open_on(Arc::new(self.disk.clone()), &[profile()], self.options.clone())?;
        assert!(self.disk.may_fail() || opened == Opened::default(), "it was ended in good order: {opened:?}");
        self.writer = Some(writer);
        Ok(())
    }

    /// Does one step to both.
    fn take(&mut self, step: Step) -> Result<()> {
        // A failing step may have committed all before it, or itself as well.
        self.maybe = vec![self.model.clone()];
        match step {
            Step::Add => {
                self.model.records.insert(self.model.next, Kept::of(self.seed, self.serial));
                self.model.next += 1;
                self.serial += 1;
            }
            Step::Remove(number) => {
                let number = number % (self.model.next + 1);
                self.remove(|&other, _| other == number);
            }
            Step::RemoveId(id) => self.remove(|_, kept| kept.id == format!("id<{id}>")),
            Step::Expire(before) => self.remove(|_, kept| kept.date.is_some_and(|date| date < before)),
            Step::Abandon => self.model = self.committed.clone(),
            _ => {}
        }
        let lived = (self.maybe[0].records.len() - self.model.records.len().min(self.maybe[0].records.len())) as u64;
        self.maybe.push(self.model.clone());
        if let Step::Close | Step::Abandon = step {
            let writer = self.writer.take().expect("a writer");
            if let Step::Close = step {
                writer.close()?;
                self.committed = self.model.clone();
            } else {
                drop(writer);
                self.maybe = vec![self.committed.clone()];
            }
            return self.open();
        }
        let writer = self.writer.as_mut().expect("a writer");
        let mut is_commit = true;
        match step {
            Step::Add => {
                is_commit = false;
                let number = self.model.next - 1;
                assert_eq!(self.model.records[&number].add(writer)?, number);
            }
            Step::Remove(number) => {
                is_commit = false;
                assert_eq!(u64::from(writer.remove_number(number % (self.model.next + 1))?), lived);
            }
            Step::RemoveId(id) => {
                is_commit = false;
                assert_eq!(writer.remove(format!("id<{id}>").as_bytes())?, lived);
            }
            Step::Expire(before) => {
                is_commit = false;
                assert_eq!(writer.expire(before)?, lived);
            }
            Step::Commit => writer.commit()?,
            Step::Flush => writer.flush()?,
            Step::Merge => writer.merge()?,
            Step::Compact(erase) => writer.compact(erase)?,
            Step::Look => {
                is_commit = false;
                self.looks.push((writer.view(), self.model.clone()));
                self.looks.push(((*writer.reader().snapshot()).clone(), self.committed.clone()));
            }
            Step::Close | Step::Abandon => unreachable!("done above"),
        }
        // Others may have committed by themselves.
        if is_commit || writer.is_committed() {
            self.committed = self.model.clone();
        }
        if let Step::Compact(true) = step {
            let all = |kept: &Kept| [Some(kept.id.clone()), Some(kept.sketch.clone()), kept.text.clone()];
            let living: BTreeSet<String> = self.model.records.values().flat_map(all).flatten().collect();
            let ever = (0..self.serial).flat_map(|serial| all(&Kept::of(self.seed, serial))).flatten();
            let erased: Vec<String> = ever.filter(|known| !living.contains(known)).collect();
            for (name, bytes) in self.disk.files() {
                let text = String::from_utf8_lossy(&bytes);
                assert_eq!(erased.iter().find(|erased| text.contains(&**erased)), None, "in {name}");
            }
        }
        Ok(())
    }

    fn check(&self) -> std::result::Result<(), String> {
        let writer = self.writer.as_ref().expect("a writer");
        self.model.check(&writer.view())?;
        self.committed.check(&writer.reader().snapshot())?;
        self.looks.iter().try_for_each(|(look, model)| model.check(look))
    }
}

/// What a history leaves after something happened to its disk: what was acknowledged, or what was under way as well.
fn check_left(disk: &Simulated, history: &History) -> std::result::Result<(), String> {
    let opened = Writer::open_on(Arc::new(disk.clone()), &[profile()], eager());
    let (mut writer, _) = match opened {
        Ok(opened) => opened,
        Err(error) => return Err(format!("cannot be opened: {error}")),
    };
    let found = writer.view();
    let mut model = history.committed.clone();
    if let Err(acknowledged) = model.check(&found) {
        let other = history.maybe.iter().find(|maybe| maybe.check(&found).is_ok());
        model = other.ok_or(format!("neither what was committed nor what was under way: {acknowledged}"))?.clone();
    }
    writer.verify().map_err(|error| error.to_string())?;
    // It goes on as if nothing had happened.
    for serial in 0..3 {
        let kept = Kept::of(77, serial);
        model.records.insert(model.next, kept.clone());
        model.next += 1;
        kept.add(&mut writer).map_err(|error| error.to_string())?;
    }
    writer.commit().map_err(|error| error.to_string())?;
    let left = disk.after_crash(&mut Dice(history.seed), true);
    drop(writer);
    let (writer, _) = Writer::open_on(Arc::new(left), &[], by_hand()).map_err(|error| error.to_string())?;
    model.check(&writer.view())
}

fn steps(seed: u64, count: u64) -> Vec<Step> {
    let mut dice = Dice(seed);
    let step = |_| match dice.below(30) {
        0..12 => Step::Add,
        12..15 => Step::Remove(dice.below(1 << 32)),
        15 => Step::RemoveId(dice.below(IDS)),
        16 => Step::Expire(dice.below(22) as i64),
        17..21 => Step::Commit,
        21..25 => Step::Flush,
        25 => Step::Merge,
        26 => Step::Compact(false),
        27 => Step::Compact(true),
        28 => Step::Close,
        _ => Step::Abandon,
    };
    (0..count).map(step).collect()
}

/// Goes through a history while something happens at a call; whether it did, and the history up to then.
fn interrupted(seed: u64, options: &Options, after: u64, fault: Fault) -> Option<History> {
    let mut history = History::new(Simulated::default(), seed, options.clone()).unwrap();
    history.disk.fail(after, fault);
    for step in steps(seed, 40) {
        if history.take(step).is_err() {
            return Some(history);
        }
    }
    None
}

/// Does a history again and again, with a fault at every so-manieth call.
fn at_every_call(seed: u64, options: &Options, stride: u64, faults: &[Fault]) {
    let calls = {
        let mut history = History::new(Simulated::default(), seed, options.clone()).unwrap();
        let before = history.disk.calls();
        steps(seed, 40).into_iter().for_each(|step| history.take(step).unwrap());
        history.check().unwrap();
        history.disk.calls() - before
    };
    let mut met = 0;
    for (round, after) in (0..calls).step_by(stride as usize).enumerate() {
        let fault = faults[round % faults.len()];
        let Some(mut history) = interrupted(seed, options, after, fault) else { continue };
        met += 1;
        if let Some(writer) = &mut history.writer {
            assert!(writer.commit().is_err(), "a writer ends with its first failure");
        }
        let mut dice = Dice(mix2(seed, after));
        for power_off in [false, true, true] {
            let left = history.disk.after_crash(&mut dice, power_off);
            check_left(&left, &history).unwrap_or_else(|error| {
                panic!("seed {seed} call {after} {fault:?} power off {power_off}: {error}");
            });
        }
    }
    assert!(met * 3 > calls / stride, "{met} of {calls}");
}

#[test]
fn after_a_stop_at_any_call_what_was_committed_is_there() {
    for seed in 0..3 {
        at_every_call(seed, &options(seed), 1 + seed % 3, &[Fault::Stop]);
    }
}

#[test]
fn after_a_failure_of_any_call_what_was_committed_is_there() {
    let once = [ErrorKind::StorageFull, ErrorKind::Other].map(Fault::Once);
    for seed in 10..13 {
        at_every_call(seed, &options(seed), 1 + seed % 3, &[once[0], once[1], Fault::Full]);
    }
}

#[test]
#[ignore = "takes minutes; part of .ci/full"]
fn after_anything_at_any_call_what_was_committed_is_there() {
    for seed in 100..160 {
        let faults =
            [Fault::Stop, Fault::Once(ErrorKind::StorageFull), Fault::Stop, Fault::Once(ErrorKind::Other), Fault::Full];
        at_every_call(seed, &options(seed), 1, &faults);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.div_ceil(5)))]

    #[test]
    fn an_archive_holds_what_a_map_does(seed in any::<u64>(), steps in prop::collection::vec(step(), 1..60)) {
        let mut history = History::new(Simulated::default(), seed, options(seed)).unwrap();
        for (at, step) in steps.into_iter().enumerate() {
            history.take(step).unwrap();
            if at % 5 == 0 {
                prop_assert_eq!(history.check(), Ok(()));
            }
        }
        prop_assert_eq!(history.check(), Ok(()));
        prop_assert!(history.writer.as_ref().unwrap().verify().is_ok());
        let reader = Reader::open_on(Arc::new(history.disk.clone()), &[profile()]).unwrap();
        prop_assert_eq!(history.committed.check(&reader.snapshot()), Ok(()));
    }

    #[test]
    fn merging_and_compacting_change_no_answer(seed in any::<u64>(), steps in prop::collection::vec(step(), 1..60), compacts in any::<bool>()) {
        let mut history = History::new(Simulated::default(), seed, by_hand()).unwrap();
        steps.into_iter().for_each(|step| history.take(step).unwrap());
        history.take(Step::Flush).unwrap();
        history.take(if compacts { Step::Compact(false) } else { Step::Merge }).unwrap();
        prop_assert_eq!(history.check(), Ok(()));
        if compacts {
            let stats = history.writer.as_ref().unwrap().stats();
            prop_assert!(stats.segments <= 1 && stats.dead == 0);
        }
    }
}

/// A small archive with something in each of its files, closed in good order.
fn small() -> (Simulated, Model) {
    let mut history = History::new(Simulated::default(), 4, by_hand()).unwrap();
    let adds = |count| std::iter::repeat_n(Step::Add, count);
    let steps = adds(7).chain([Step::Flush]).chain(adds(4)).chain([Step::Flush, Step::Remove(1), Step::Flush]);
    let steps = steps.chain(adds(2)).chain([Step::Commit, Step::Remove(3), Step::Expire(2)]).chain(adds(1));
    steps.chain([Step::Commit]).for_each(|step| history.take(step).unwrap());
    history.writer.take().unwrap().close().unwrap();
    (history.disk, history.committed)
}

#[test]
fn a_changed_byte_anywhere_is_told_or_changes_nothing() {
    let (disk, model) = small();
    let files = disk.files();
    let kinds: BTreeSet<&str> = files.keys().map(|name| name.split('-').next().unwrap()).collect();
    assert_eq!(kinds, ["dead", "journal", "manifest", "segment"].into());
    for (name, bytes) in &files {
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            let disk = disk.copy();
            disk.put(name, changed);
            let told = |error: String| assert!(error.contains(&**name), "byte {at} of {name}: {error}");
            let reading = Reader::open_on(Arc::new(disk.clone()), &[]).map_err(|error| error.to_string());
            let answer = reading.and_then(|reader| model.check(&reader.snapshot()));
            let verified = Reader::verify_on(&disk);
            match (answer, verified) {
                (Err(error), verified) => {
                    told(error);
                    told(verified.unwrap_err().to_string());
                }
                (Ok(()), Err(error)) => told(error.to_string()),
                (Ok(()), Ok(_)) => panic!("byte {at} of {name} is not looked at"),
            }
        }
    }
}

#[test]
fn a_file_that_is_too_short_or_gone_is_told() {
    let (disk, _) = small();
    for (name, bytes) in disk.files() {
        for length in 0..bytes.len() {
            let disk = disk.copy();
            disk.put(&name, bytes[..length].to_vec());
            let error = Writer::open_on(Arc::new(disk), &[], by_hand()).unwrap_err().to_string();
            assert!(error.contains(&name) && error.contains("damaged"), "{name} up to {length}: {error}");
        }
        let disk = disk.copy();
        Disk::remove(&disk, &name).unwrap();
        let opened = [
            Writer::open_on(Arc::new(disk.copy()), &[], by_hand()).map(drop),
            Reader::open_on(Arc::new(disk), &[]).map(drop),
        ];
        for error in opened.map(|opened| opened.unwrap_err().to_string()) {
            assert!(name.starts_with("manifest") || error.contains(&name), "{error}");
            assert!(error.contains("missing; restore the archive from a copy"), "{error}");
        }
    }
}

#[test]
fn the_last_torn_commit_is_cut_off_and_told_and_an_earlier_one_is_damage() {
    let disk = Simulated::default();
    let mut history = History::new(disk.clone(), 9, by_hand()).unwrap();
    let mut ends = Vec::new();
    for _ in 0..3 {
        history.take(Step::Add).unwrap();
        history.take(Step::Commit).unwrap();
        ends.push((disk.files()["journal-00000001"].len(), history.committed.clone()));
    }
    let journal = disk.files()["journal-00000001"].clone();
    let open = |bytes: Vec<u8>| {
        let disk = disk.copy();
        disk.put("journal-00000001", bytes);
        Writer::open_on(Arc::new(disk), &[], by_hand())
    };
    for length in ends[1].0..ends[2].0 {
        let (writer, opened) = open(journal[..length].to_vec()).unwrap();
        ends[1].1.check(&writer.view()).unwrap();
        let cut = opened.cut.map(|cut| (cut.place as usize, cut.bytes as usize));
        assert_eq!(cut, (length > ends[1].0).then(|| (ends[1].0, length - ends[1].0)));
    }
    // What had been committed when a writer ended is never taken for what a crash left.
    history.take(Step::Close).unwrap();
    let closed = disk.files()["journal-00000001"].len();
    history.take(Step::Add).unwrap();
    history.take(Step::Commit).unwrap();
    let longer = disk.files()["journal-00000001"].clone();
    for length in 0..longer.len() {
        let disk = disk.copy();
        disk.put("journal-00000001", longer[..length].to_vec());
        let opened = Writer::open_on(Arc::new(disk), &[], by_hand()).map(|(writer, _)| writer.view().end());
        match opened {
            Ok(count) => assert!(length >= closed && count == 3, "{length} of {closed}: {count}"),
            Err(error) => {
                assert!(
                    length < closed && error.to_string().contains("journal-00000001: damaged"),
                    "{length}: {error}"
                );
            }
        }
    }
    for at in ends[0].0..ends[1].0 {
        let mut changed = journal.clone();
        changed[at] ^= 4;
        let error = open(changed).unwrap_err().to_string();
        assert!(
            error.contains("journal-00000001: damaged at byte") && error.contains(&ends[0].0.to_string()),
            "{error}"
        );
    }
}

#[test]
fn an_archive_with_a_manifest_of_the_first_version_is_opened() {
    let (disk, model) = small();
    let (name, mut bytes) = disk.files().into_iter().find(|(name, _)| name.starts_with("manifest")).unwrap();
    // Without the length of the journal and the note.
    let mut numbers = Vec::new();
    let (_, manifest) = manifest::Manifest::newest(&disk).unwrap().unwrap();
    [manifest.committed, manifest.note].into_iter().for_each(|number| put_number(&mut numbers, number));
    bytes.truncate(bytes.len() - bytes::CHECK - numbers.len());
    bytes[8] = 1;
    bytes::seal(bytes::Of::Manifest, 0, &mut bytes, 0);
    disk.put(&name, bytes);
    let (mut writer, _) = Writer::open_on(Arc::new(disk.clone()), &[], by_hand()).unwrap();
    model.check(&writer.view()).unwrap();
    writer.note(7).unwrap();
    drop(writer);
    let (writer, opened) = Writer::open_on(Arc::new(disk), &[], by_hand()).unwrap();
    assert_eq!((writer.view().note(), opened), (7, Opened::default()));
    model.check(&writer.view()).unwrap();
}

#[test]
fn another_profile_is_refused_with_both_named_and_a_second_writer_as_well() {
    let disk = Arc::new(Simulated::default());
    let missing = Writer::open_on(disk.clone(), &[], by_hand()).unwrap_err().to_string();
    assert!(missing.contains("there is no archive"), "{missing}");
    let writer = Writer::create_on(disk.clone(), &profile(), by_hand()).unwrap();
    let locked = Writer::open_on(disk.clone(), &[], by_hand()).unwrap_err().to_string();
    assert!(locked.contains("is being written"), "{locked}");
    drop(writer);
    let other = Profile { name: "other options".into(), ..profile() };
    let error = Writer::open_on(disk.clone(), &[other], by_hand()).unwrap_err().to_string();
    assert!(error.contains("other options") && error.contains("the options of these tests"), "{error}");
    let exists = Writer::create_on(disk, &profile(), by_hand()).unwrap_err().to_string();
    assert!(exists.contains("already"), "{exists}");
}

#[test]
fn what_is_too_large_is_refused_and_the_writer_goes_on() {
    let mut writer = Writer::create_on(Arc::new(Simulated::default()), &profile(), by_hand()).unwrap();
    let sketch = vec![0; (1 << 25) + 1];
    let error = writer.add(&Record { sketch: &sketch, ..Record::default() }).unwrap_err().to_string();
    assert!(error.contains("too large"), "{error}");
    assert_eq!(writer.add(&Record::default()).unwrap(), 0);
}

#[test]
fn long_lists_and_many_keys_come_through_merges() {
    let mut writer = Writer::create_on(
        Arc::new(Simulated::default()),
        &profile(),
        Options { flush_records: 700, fan: 3, ..Options::default() },
    )
    .unwrap();
    for number in 0..3000u64 {
        let own: Vec<u64> = (0..20).map(|at| mix(number * 20 + at)).collect();
        let shared = [number % 2, 2 + number % 100, 1000];
        writer.add(&Record { keys: &[&own, &shared], ..Record::default() }).unwrap();
    }
    writer.remove_number(4).unwrap();
    let check = |snapshot: &Snapshot| {
        let living = |step: u64, first: u64| {
            (first..3000).step_by(step as usize).filter(|&number| number != 4).collect::<Vec<_>>()
        };
        for (key, expected) in
            [(0, living(2, 0)), (1, living(2, 1)), (6, living(100, 4)), (1000, living(1, 0)), (5000, vec![])]
        {
            assert_eq!(snapshot.postings(1, key, usize::MAX).unwrap(), (expected.clone(), true));
            let few = expected.len().min(40);
            assert_eq!(snapshot.postings(1, key, 40).unwrap(), (expected[..few].to_vec(), expected.len() <= 40));
            assert_eq!(snapshot.count(1, key, 5000).unwrap(), expected.len());
        }
        for number in (0..3000).filter(|&number| number != 4) {
            assert_eq!(snapshot.postings(0, mix(number * 20 + number % 20), 9).unwrap(), (vec![number], true));
        }
    };
    check(&writer.view());
    writer.compact(false).unwrap();
    check(&writer.view());
    writer.verify().unwrap();
    assert_eq!(writer.stats().segments, 1);
}

#[test]
fn readers_of_threads_and_other_processes_see_whole_commits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    let mut writer = Writer::create(&path, &profile(), Options { flush_records: 30, ..eager() }).unwrap();
    let done = AtomicBool::new(false);
    let watch = |reader: &Reader| {
        let snapshot = reader.snapshot();
        let numbers: Vec<u64> = snapshot.numbers().collect();
        assert_eq!((numbers.len() as u64, snapshot.end() % 3), (snapshot.end(), 0));
        for &number in numbers.iter().rev().take(20) {
            let kept = Kept::of(5, number);
            assert_eq!(snapshot.record(number).unwrap().unwrap().sketch(), kept.sketch.as_bytes());
            for &key in &kept.keys[1] {
                assert!(snapshot.postings(1, key, usize::MAX).unwrap().0.contains(&number));
            }
        }
        snapshot.end()
    };
    std::thread::scope(|scope| {
        let (path, done, watch) = (&path, &done, &watch);
        let reader = writer.reader();
        let ended = || done.load(Relaxed);
        let own = scope.spawn(move || {
            let mut last = 0;
            while !ended() {
                let end = watch(&reader);
                assert!(end >= last);
                last = end;
            }
        });
        let other = scope.spawn(move || {
            let (mut last, reader) = (0, Reader::open(path, &[profile()]).unwrap());
            while !ended() {
                reader.refresh().unwrap();
                let end = watch(&reader);
                assert!(end >= last);
                last = end;
            }
        });
        // Commits that are under way are no damage.
        let checking = scope.spawn(move || {
            while !ended() {
                Reader::verify(path).unwrap();
            }
        });
        for number in 0..900 {
            Kept::of(5, number).add(&mut writer).unwrap();
            if number % 3 == 2 {
                writer.commit().unwrap();
            }
        }
        done.store(true, Relaxed);
        own.join().unwrap();
        other.join().unwrap();
        checking.join().unwrap();
    });
    assert_eq!(Reader::open(&path, &[]).unwrap().snapshot().stats().journal_bytes, writer.stats().journal_bytes);
    writer.close().unwrap();
    Reader::verify(&path).unwrap();
}

#[test]
fn a_commit_that_stays_cut_short_is_told_and_one_that_is_being_written_is_not() {
    let disk = Simulated::default();
    let mut writer = Writer::create_on(Arc::new(disk.clone()), &profile(), by_hand()).unwrap();
    let name = disk.files().into_keys().find(|name| name.starts_with("journal")).unwrap();
    let mut ends = Vec::new();
    for number in 0..3 {
        ends.push(disk.files()[&name].len());
        Kept::of(5, number).add(&mut writer).unwrap();
        writer.commit().unwrap();
    }
    let whole = disk.files()[&name].clone();
    disk.put(&name, whole[..whole.len() - 1].to_vec());
    let told = Reader::verify_on(&disk).unwrap_err();
    let Error::Archive { fault: ArchiveFault::CutShort { place }, path } = &told else { panic!("{told}") };
    assert_eq!((*place, path), (ends[2] as u64, &disk.path(&name)));
    std::thread::scope(|scope| {
        let verified = scope.spawn(|| Reader::verify_on(&disk));
        std::thread::sleep(Duration::from_millis(100));
        disk.put(&name, whole.clone());
        verified.join().unwrap().unwrap();
    });
}

/// What a helper process that may be killed has after so many commits.
fn helped(commits: u64) -> Model {
    let mut model = Model::default();
    for commit in 0..commits {
        change(commit, &mut |kept| {
            model.records.insert(model.next, kept);
            model.next += 1;
        });
        let (number, before) = removals(commit);
        model.records.remove(&number);
        if let Some(before) = before {
            model.records.retain(|_, kept| kept.date.is_none_or(|date| date >= before));
        }
    }
    model
}

fn change(commit: u64, add: &mut dyn FnMut(Kept)) {
    (3 * commit..3 * commit + 3).for_each(|serial| add(Kept::of(6, serial)));
}

fn removals(commit: u64) -> (u64, Option<i64>) {
    (Dice(commit).below(3 * commit + 3), (commit % 7 == 6).then_some((commit % 15) as i64))
}

/// The helper: does nothing unless it is asked by name.
#[test]
fn helper_that_may_be_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let path = Path::new(&folder);
    // Every other one merges beside.
    let is_aside = std::process::id() % 2 == 1;
    let options = Options { merge: if is_aside { Merge::Aside } else { Merge::ByHand }, ..by_hand() };
    let mut writer = match Writer::open(path, &[profile()], options.clone()) {
        Ok((writer, _)) => writer,
        Err(Error::Archive { fault: ArchiveFault::Missing, .. }) => Writer::create(path, &profile(), options).unwrap(),
        Err(error) => panic!("{error}"),
    };
    for commit in writer.view().end() / 3.. {
        let (number, before) = removals(commit);
        let mut kept = Vec::new();
        change(commit, &mut |new| kept.push(new));
        kept.iter().for_each(|kept| _ = kept.add(&mut writer).unwrap());
        writer.remove_number(number).unwrap();
        if let Some(before) = before {
            writer.expire(before).unwrap();
        }
        writer.commit().unwrap();
        println!("committed {}", commit + 1);
        match commit % 60 {
            29 => writer.compact(false).unwrap(),
            59 => writer.compact(true).unwrap(),
            at if at % 4 == 3 => {
                writer.flush().unwrap();
                if !is_aside {
                    writer.merge().unwrap();
                }
            }
            _ => {}
        }
    }
}

const FOLDER: &str = "RETOLD_TEST_KILLED_FOLDER";
const HELPER: &str = "records::tests::helper_that_may_be_killed";

fn kill(times: u64) {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(times);
    let mut path = folder.path().join("archive");
    for time in 0..times {
        if time % 25 == 24 {
            path = folder.path().join(format!("archive {time}"));
        }
        let mut helper = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", HELPER, "--nocapture"])
            .env(FOLDER, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(helper.stdout.take().unwrap());
        let commits = std::thread::spawn(move || {
            let commits = output.lines().map_while(std::result::Result::ok);
            commits.filter_map(|line| line.split("committed ").nth(1)?.parse::<u64>().ok()).last().unwrap_or(0)
        });
        std::thread::sleep(Duration::from_micros(2000 + dice.below(60_000)));
        helper.kill().unwrap();
        helper.wait().unwrap();
        let acknowledged = commits.join().unwrap();
        match Writer::open(&path, &[profile()], eager()) {
            Ok((writer, _)) => {
                let commits = writer.view().end() / 3;
                assert!(commits >= acknowledged, "{commits} of {acknowledged}");
                helped(commits).check(&writer.view()).unwrap();
                writer.verify().unwrap();
            }
            Err(Error::Archive { fault: ArchiveFault::Missing, .. }) => assert_eq!(acknowledged, 0),
            Err(error) => panic!("kill {time}: {error}"),
        }
    }
}

#[test]
fn what_a_killed_process_committed_is_there() {
    kill(20);
}

#[test]
#[ignore = "takes minutes; part of .ci/full"]
fn what_a_process_committed_that_is_killed_again_and_again_is_there() {
    kill(500);
}
