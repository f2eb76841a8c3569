//! Work beside the interpreter: on threads of its own, without Python's lock, to be interrupted by Ctrl-C.

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use retold::Progress;

use crate::options;

/// How often Python looks whether it was interrupted.
const LOOK: Duration = Duration::from_millis(50);

/// So long it is waited for work that was interrupted, or until it is interrupted again. Where no progress is told it cannot be stopped:
/// then it comes to its end, or to where it is told of, with nobody waiting.
const PATIENCE: Duration = Duration::from_secs(1);

/// Thread pools by the process that made them and their number of threads.
static POOLS: Mutex<Vec<(u32, usize, Arc<ThreadPool>)>> = Mutex::new(Vec::new());

/// The pool of a number of threads; 0 for as many as there are cores, or as RAYON_NUM_THREADS says.
///
/// After a fork, as by `multiprocessing`, a process has the pool of its parent but none of its threads: it gets one of its own. So does
/// Python code that a pool's thread runs, as where articles come of a generator that asks for copies itself: that thread waits for it.
fn pool(_: Python<'_>, threads: usize) -> PyResult<Arc<ThreadPool>> {
    let make = || {
        let pool = ThreadPoolBuilder::new().num_threads(threads).thread_name(|at| format!("retold-{at}")).build();
        pool.map(Arc::new).map_err(|error| PyRuntimeError::new_err(format!("cannot start threads: {error}")))
    };
    if rayon::current_thread_index().is_some() {
        return make();
    }
    // Python's lock is held, so that no other thread forks while this is locked.
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some((.., pool)) = pools.iter().find(|(of, with, _)| (*of, *with) == (process, threads)) {
        return Ok(Arc::clone(pool));
    }
    let pool = make()?;
    pools.push((process, threads, Arc::clone(&pool)));
    Ok(pool)
}

/// What unwinds a detection that was interrupted.
struct Interrupted;

/// Told of progress by the crate; between two tellings work can be stopped.
#[derive(Default)]
pub struct Signal {
    is_interrupted: AtomicBool,
    to: Mutex<Option<Sender<Message>>>,
}

enum Message {
    Progress(Progress),
    Done,
}

impl Signal {
    /// To be called by the crate. The crate has no way to stop but to unwind: all that it works on is dropped on the way.
    pub fn progress(&self, progress: Progress) {
        self.check();
        let to = self.to.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(to) = to {
            // Nobody listens any more if Python did not wait for the end.
            let _ = to.send(Message::Progress(progress));
        }
    }

    /// Unwinds if the work is to stop.
    pub fn check(&self) {
        if self.is_interrupted.load(Ordering::Relaxed) {
            resume_unwind(Box::new(Interrupted));
        }
    }

    fn listen(&self, to: Option<Sender<Message>>) {
        *self.to.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

/// Python's side of a progress bar.
pub struct Listener(Option<Py<PyAny>>);

impl Listener {
    /// `progress` as users give it: a Boolean, or something to call.
    pub fn of(py: Python<'_>, progress: Option<Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(progress) = progress.filter(|progress| !progress.is_none()) else { return Ok(Self(None)) };
        Ok(Self(match progress.extract::<bool>() {
            Ok(false) => None,
            Ok(true) => Some(py.import("retold._progress")?.getattr("Bar")?.call0()?.unbind()),
            Err(_) if progress.is_callable() => Some(progress.unbind()),
            Err(_) => {
                let kind = progress.get_type().name()?;
                return Err(PyTypeError::new_err(format!(
                    "progress is {kind}: give True, False or a function of (stage, done, total)"
                )));
            }
        }))
    }

    fn tell(&self, py: Python<'_>, progress: Progress) -> PyResult<()> {
        let Some(to) = &self.0 else { return Ok(()) };
        to.call1(py, (progress.stage.to_string(), progress.done, progress.total)).map(|_| ())
    }

    fn close(&self, py: Python<'_>) {
        if let Some(to) = &self.0
            && let Ok(close) = to.getattr(py, "close")
        {
            // A bar that cannot be closed is no reason to lose what was found.
            let _ = close.call0(py);
        }
    }
}

/// Runs a job on the pool, while this thread tells of its progress and looks for signals.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    threads: usize,
    signal: &Arc<Signal>,
    listener: &Listener,
    job: impl FnOnce() -> PyResult<T> + Send + 'static,
) -> PyResult<T> {
    let pool = pool(py, threads)?;
    let (to, mut from) = mpsc::channel();
    let result = Arc::new(Mutex::new(None));
    signal.is_interrupted.store(false, Ordering::Relaxed);
    signal.listen(listener.0.is_some().then(|| to.clone()));
    let slot = Arc::clone(&result);
    pool.spawn(move || {
        let done = catch_unwind(AssertUnwindSafe(job));
        *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        let _ = to.send(Message::Done);
    });
    let (mut failure, mut interrupted) = (None, Instant::now());
    loop {
        let received = py.detach(|| {
            let from = &mut from;
            from.recv_timeout(LOOK)
        });
        let looked = match received {
            Ok(Message::Progress(progress)) if failure.is_none() => listener.tell(py, progress),
            Ok(Message::Done) | Err(RecvTimeoutError::Disconnected) => break,
            _ => Ok(()),
        };
        if let Err(error) = looked.and_then(|()| py.check_signals()) {
            signal.is_interrupted.store(true, Ordering::Relaxed);
            if failure.replace(error).is_some() {
                break;
            }
            interrupted = Instant::now();
        }
        if failure.is_some() && interrupted.elapsed() > PATIENCE {
            break;
        }
    }
    signal.listen(None);
    listener.close(py);
    let done = result.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (failure, done) {
        (Some(error), _) => Err(error),
        (None, Some(Ok(result))) => result,
        (None, Some(Err(panic))) => Err(internal(&*panic)),
        (None, None) => Err(PyRuntimeError::new_err("the work was not done")),
    }
}

/// Runs a short job on the pool, without Python's lock.
pub fn within<T: Send>(py: Python<'_>, threads: usize, job: impl FnOnce() -> T + Send) -> PyResult<T> {
    let pool = pool(py, threads)?;
    py.detach(|| catch_unwind(AssertUnwindSafe(|| pool.install(job)))).map_err(|panic| internal(&*panic))
}

/// A panic is a fault of ours, which must not end the interpreter.
fn internal(panic: &(dyn Any + Send)) -> PyErr {
    let message = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(|text| &**text));
    PyRuntimeError::new_err(format!("internal error in retold, please report it: {}", message.unwrap_or("no message")))
}

/// `threads` as users give it: at least 1.
pub struct Threads(NonZeroUsize);

impl<'py> FromPyObject<'_, 'py> for Threads {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        options::extract(value, "threads", "at least 1, or None for all cores").map(Self)
    }
}

/// The number of threads of a pool.
pub fn threads(given: Option<Threads>) -> usize {
    given.map_or(0, |given| given.0.get())
}
