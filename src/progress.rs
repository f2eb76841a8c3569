//! How far a run is: its stages are timed, and told to who asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::report::{Progress, Stage};

/// Tells how far a run is, if somebody asked.
#[derive(Clone, Default)]
pub(crate) struct Reporter(Option<Arc<dyn Fn(Progress) + Send + Sync>>);

impl Reporter {
    pub(crate) fn telling(callback: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(callback)))
    }

    fn tell(&self, stage: Stage, done: usize, total: usize) {
        if let Some(callback) = &self.0 {
            callback(Progress { stage, done, total });
        }
    }

    /// Runs one stage, telling the callback when it begins and ends, and notes how long it took.
    pub(crate) fn timed<T>(
        &self,
        times: &mut [Duration; Stage::ALL.len()],
        stage: Stage,
        total: usize,
        run: impl FnOnce(&Ticker<'_>) -> T,
    ) -> T {
        let start = Instant::now();
        self.tell(stage, 0, total);
        let result = run(&Ticker { reporter: self, stage, total, done: AtomicUsize::new(0) });
        self.tell(stage, total, total);
        times[stage as usize] += start.elapsed();
        result
    }
}

/// Counts texts and tells the callback now and then.
pub(crate) struct Ticker<'r> {
    reporter: &'r Reporter,
    stage: Stage,
    total: usize,
    done: AtomicUsize,
}

impl Ticker<'_> {
    pub(crate) fn tick(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(256) && done < self.total {
            self.reporter.tell(self.stage, done, self.total);
        }
    }
}
