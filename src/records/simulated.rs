//! A disk that stops, fails, and loses what was not synced.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use super::disk::{Disk, Input, Output};
use crate::hash::mix;

/// A small source of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(mix(self.0)) % end.max(1)
    }
}

#[derive(Clone, Debug)]
enum Unsynced {
    Write(u64, Vec<u8>),
    Cut(u64),
}

impl Unsynced {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Cut(length) => to.truncate(*length as usize),
            Self::Write(at, bytes) => {
                let end = *at as usize + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[*at as usize..end].copy_from_slice(bytes);
            }
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Node {
    /// What is read, and what is left after a crash in any case.
    now: Vec<u8>,
    lasting: Vec<u8>,
    unsynced: Vec<Unsynced>,
}

impl Node {
    fn apply(&mut self, change: Unsynced) {
        change.apply(&mut self.now);
        self.unsynced.push(change);
    }
}

#[derive(Clone, Debug)]
enum Naming {
    Create(String, usize),
    Rename(String, String),
    Remove(String),
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Create(name, node) => _ = names.insert(name.clone(), *node),
            Self::Rename(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
            Self::Remove(name) => _ = names.remove(name),
        }
    }
}

/// What happens at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The machine stops: this call and all later ones fail.
    Stop,
    /// It fails with such an error, once.
    Once(io::ErrorKind),
    /// All calls that write fail from then on.
    Full,
}

#[derive(Clone, Debug, Default)]
struct State {
    names: BTreeMap<String, usize>,
    lasting: BTreeMap<String, usize>,
    unsynced: Vec<Naming>,
    nodes: Vec<Node>,
    is_locked: bool,
    calls: u64,
    fault: Option<(u64, Fault)>,
    dice: u64,
}

/// A disk in memory.
#[derive(Clone, Default)]
pub(super) struct Simulated(Arc<Mutex<State>>);

impl fmt::Debug for Simulated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.state().names.keys()).finish()
    }
}

impl Simulated {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Lets something happen at a call, counted from now.
    pub(super) fn fail(&self, after: u64, fault: Fault) {
        let mut state = self.state();
        state.fault = Some((state.calls + after, fault));
    }

    /// Whether something was to happen to it.
    pub(super) fn may_fail(&self) -> bool {
        self.state().fault.is_some()
    }

    /// Calls so far.
    pub(super) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// What is left when the process has died; with the power off, of what was not synced only some, in parts.
    pub(super) fn after_crash(&self, dice: &mut Dice, power_off: bool) -> Self {
        let mut state = self.state().clone();
        (state.is_locked, state.fault) = (false, None);
        if power_off {
            for naming in state.unsynced.drain(..) {
                if dice.below(2) == 0 {
                    naming.apply(&mut state.lasting);
                }
            }
            state.names = state.lasting.clone();
            for node in &mut state.nodes {
                let mode = dice.below(4);
                for change in node.unsynced.drain(..) {
                    match (mode, change) {
                        (0, _) => {}
                        (1, change) => change.apply(&mut node.lasting),
                        // In sectors, of which some were written.
                        (_, Unsynced::Write(at, bytes)) => {
                            let sector = 1 + dice.below(64) as usize;
                            for (sector, bytes) in (0..).step_by(sector).zip(bytes.chunks(sector)) {
                                if dice.below(2) == 0 {
                                    Unsynced::Write(at + sector, bytes.to_vec()).apply(&mut node.lasting);
                                }
                            }
                        }
                        (_, cut) => {
                            if dice.below(2) == 0 {
                                cut.apply(&mut node.lasting);
                            }
                        }
                    }
                }
                node.now = node.lasting.clone();
            }
        }
        Self(Arc::new(Mutex::new(state)))
    }

    /// Another disk with the same files.
    pub(super) fn copy(&self) -> Self {
        self.after_crash(&mut Dice(0), false)
    }

    /// All files and their bytes.
    pub(super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let state = self.state();
        state.names.iter().map(|(name, &node)| (name.clone(), state.nodes[node].now.clone())).collect()
    }

    /// Gives a file other bytes.
    pub(super) fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.state();
        let node = state.names[name];
        (state.nodes[node].lasting, state.nodes[node].now) = (bytes.clone(), bytes);
    }

    /// Counts a call, which may fail.
    fn call(&self, writes: bool) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.calls += 1;
        match state.fault {
            Some((at, Fault::Stop)) if state.calls > at => Err(io::Error::other("the machine has stopped")),
            Some((at, Fault::Once(kind))) if state.calls == at + 1 => Err(kind.into()),
            Some((at, Fault::Full)) if state.calls > at && writes => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(state),
        }
    }

    fn node(&self, name: &str) -> io::Result<usize> {
        self.call(false)?.names.get(name).copied().ok_or(io::ErrorKind::NotFound.into())
    }
}

struct Handle {
    disk: Simulated,
    node: usize,
}

impl Disk for Simulated {
    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("simulated").join(name)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.call(false)?.names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn Output>> {
        let mut state = self.call(true)?;
        let known = state.names.get(name).copied();
        let node = known.unwrap_or_else(|| {
            state.nodes.push(Node::default());
            state.nodes.len() - 1
        });
        match known {
            Some(_) => state.nodes[node].apply(Unsynced::Cut(0)),
            None => {
                let naming = Naming::Create(name.to_string(), node);
                naming.apply(&mut state.names);
                state.unsynced.push(naming);
            }
        }
        Ok(Box::new(Handle { disk: self.clone(), node }))
    }

    fn resume(&self, name: &str, again: u64, length: u64) -> io::Result<Box<dyn Output>> {
        let node = self.node(name)?;
        let mut state = self.call(true)?;
        state.nodes[node].apply(Unsynced::Cut(length));
        let bytes = state.nodes[node].now[again as usize..].to_vec();
        state.nodes[node].apply(Unsynced::Write(again, bytes));
        Ok(Box::new(Handle { disk: self.clone(), node }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn Input>> {
        Ok(Box::new(Handle { disk: self.clone(), node: self.node(name)? }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.call(true)?;
        let naming = Naming::Rename(from.to_string(), to.to_string());
        naming.apply(&mut state.names);
        state.unsynced.push(naming);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.call(true)?;
        let naming = Naming::Remove(name.to_string());
        naming.apply(&mut state.names);
        state.unsynced.push(naming);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.call(true)?;
        state.lasting = state.names.clone();
        state.unsynced.clear();
        Ok(())
    }

    fn lock(&self) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        struct Lock(Simulated);
        impl Drop for Lock {
            fn drop(&mut self) {
                self.0.state().is_locked = false;
            }
        }
        let mut state = self.call(false)?;
        if std::mem::replace(&mut state.is_locked, true) {
            return Ok(None);
        }
        Ok(Some(Box::new(Lock(self.clone()))))
    }
}

impl Output for Handle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let failure = self.disk.call(true).err();
        let mut state = self.disk.state();
        let at = state.nodes[self.node].now.len() as u64;
        let mut written = bytes.len();
        if failure.is_some() {
            state.dice = mix(state.dice ^ state.calls);
            written = (state.dice % (bytes.len() as u64 + 1)) as usize;
            // All that come after the one at which the machine stopped write nothing.
            let at = state.fault.map_or(0, |fault| fault.0);
            written *= usize::from(state.calls == at + 1);
        }
        state.nodes[self.node].apply(Unsynced::Write(at, bytes[..written].to_vec()));
        failure.map_or(Ok(()), Err)
    }

    fn sync(&mut self) -> io::Result<()> {
        let failure = self.disk.call(true).err();
        let mut state = self.disk.state();
        let is_stopped = matches!(state.fault, Some((_, Fault::Stop)));
        let node = &mut state.nodes[self.node];
        match failure {
            None => {
                for change in node.unsynced.drain(..) {
                    change.apply(&mut node.lasting);
                }
                Ok(())
            }
            Some(failure) => {
                // It shows what it will lose, and takes the next sync as done.
                if !is_stopped {
                    node.unsynced.clear();
                }
                Err(failure)
            }
        }
    }
}

impl Input for Handle {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.call(false)?.nodes[self.node].now.len() as u64)
    }

    fn read(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        let state = self.disk.call(false)?;
        let from = state.nodes[self.node].now.get(at as usize..).and_then(|rest| rest.get(..bytes.len()));
        bytes.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}
