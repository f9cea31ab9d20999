//! What the workers of one proxy process share.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Virtual time at a process's start: 2026-09-21T13:46:40Z.
const START: u64 = 1_790_000_000_000_000_000;
/// Nanoseconds of a millisecond.
const MILLISECOND: u64 = 1_000_000;

/// One proxy process.
#[derive(Clone, Debug)]
pub struct Process(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    shared: Mutex<Shared>,
    metrics: Mutex<Vec<Metric>>,
    log: Mutex<Vec<(u32, String)>>,
    now: AtomicU64,
    /// When the clock is set, and forward by how much; wraps around where it is set back.
    steps: Mutex<Vec<(u64, u64)>>,
}

#[derive(Debug)]
struct Metric {
    name: String,
    kind: u32,
    value: u64,
}

/// Shared data as proxy-wasm-cpp-host keeps it.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    values: HashMap<Vec<u8>, (Vec<u8>, u32)>,
    last: u32,
}

impl Shared {
    /// A copy of a value and its version.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<(Vec<u8>, u32)> {
        self.values.get(key).cloned()
    }

    /// Writes a value. `cas` 0 overwrites; any other must be the version the key has, if there is the key. Whether it was
    /// written.
    pub fn set(&mut self, key: &[u8], value: &[u8], cas: u32) -> bool {
        let next = self.last.wrapping_add(1).max(1);
        match self.values.get_mut(key) {
            Some((_, version)) if cas != 0 && cas != *version => return false,
            Some(kept) => *kept = (value.to_vec(), next),
            None => {
                self.values.insert(key.to_vec(), (value.to_vec(), next));
            }
        }
        self.last = next;
        true
    }

    /// How many keys there are.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.values.len()
    }
}

impl Default for Process {
    fn default() -> Self {
        Self(Arc::new(Inner {
            shared: Mutex::default(),
            metrics: Mutex::default(),
            log: Mutex::default(),
            now: AtomicU64::new(START),
            steps: Mutex::default(),
        }))
    }
}

impl Process {
    /// Its shared data, locked.
    pub fn shared(&self) -> MutexGuard<'_, Shared> {
        locked(&self.0.shared)
    }

    /// Nanoseconds as timers count them: they only go on.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.0.now.load(Ordering::Relaxed)
    }

    /// Nanoseconds since 1970-01-01T00:00:00Z, by a clock that can be set.
    #[must_use]
    pub fn clock(&self) -> u64 {
        let now = self.now();
        let steps = locked(&self.0.steps);
        steps.iter().filter(|(at, _)| *at <= now).fold(now, |clock, (_, by)| clock.wrapping_add(*by))
    }

    /// Sets the clock forward or back by so many milliseconds, `after` so many. Timers do not notice.
    pub fn step(&self, after: u64, by: i64) {
        let at = self.now() + after * MILLISECOND;
        locked(&self.0.steps).push((at, by.cast_unsigned().wrapping_mul(MILLISECOND)));
    }

    /// Another process with the same shared data and clock, and metrics and log of its own.
    #[must_use]
    pub fn twin(&self) -> Self {
        Self(Arc::new(Inner {
            shared: Mutex::new(self.shared().clone()),
            metrics: Mutex::default(),
            log: Mutex::default(),
            now: AtomicU64::new(self.now()),
            steps: Mutex::new(locked(&self.0.steps).clone()),
        }))
    }

    /// Lets time pass. Workers notice when their timers are run: [`crate::Worker::wait`].
    pub fn advance(&self, milliseconds: u64) {
        self.0.now.fetch_add(milliseconds * MILLISECOND, Ordering::Relaxed);
    }

    /// What a metric stands at; `None` if it was never defined.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<u64> {
        locked(&self.0.metrics).iter().find(|metric| metric.name == name).map(|metric| metric.value)
    }

    /// All metrics that are not 0.
    #[must_use]
    pub fn metrics(&self) -> BTreeMap<String, u64> {
        let metrics = locked(&self.0.metrics);
        metrics.iter().filter(|metric| metric.value > 0).map(|metric| (metric.name.clone(), metric.value)).collect()
    }

    /// Log lines so far: level and text.
    #[must_use]
    pub fn log(&self) -> Vec<(u32, String)> {
        locked(&self.0.log).clone()
    }

    pub(crate) fn tell(&self, level: u32, line: String) {
        locked(&self.0.log).push((level, line));
    }

    /// A metric's number; one of the same name is the same metric, as with Envoy's stats.
    pub(crate) fn define(&self, kind: u32, name: &str) -> u32 {
        let mut metrics = locked(&self.0.metrics);
        let known = metrics.iter().position(|metric| metric.name == name);
        let place = known.unwrap_or_else(|| {
            metrics.push(Metric { name: name.to_owned(), kind, value: 0 });
            metrics.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// Changes a metric; `None` if there is none of that number, or it cannot be changed so.
    pub(crate) fn change(&self, id: u32, change: impl FnOnce(u32, u64) -> Option<u64>) -> Option<()> {
        let mut metrics = locked(&self.0.metrics);
        let metric = metrics.get_mut(id as usize)?;
        metric.value = change(metric.kind, metric.value)?;
        Some(())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that panicked elsewhere is its own report.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
