//! Stopping work that nobody waits for any more.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A request's claim to be wanted still: it is, as long as its generation is the current one.
#[derive(Clone, Debug)]
pub struct Cancel {
    current: Arc<AtomicU64>,
    generation: u64,
}

impl Cancel {
    /// A token for the generation that `current` holds now. Raising `current` cancels it.
    #[must_use]
    pub fn new(current: &Arc<AtomicU64>) -> Self {
        Self { current: Arc::clone(current), generation: current.load(Ordering::SeqCst) }
    }

    /// A token that nothing cancels.
    #[must_use]
    pub fn never() -> Self {
        Self::new(&Arc::new(AtomicU64::new(0)))
    }

    /// Whether a later generation has begun.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.current.load(Ordering::SeqCst) != self.generation
    }
}

/// What a session runs at the moment, shared with those who may stop it.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<Option<Cancel>>>);

impl Running {
    /// Holds `cancel` as the running statement's until the guard is dropped.
    pub(super) fn begin(&self, cancel: &Cancel) -> RunningGuard<'_> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cancel.clone());
        RunningGuard(self)
    }
}

/// Marks the end of a statement.
pub(super) struct RunningGuard<'a>(&'a Running);

impl Drop for RunningGuard<'_> {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Stops a session's statement from another thread.
#[derive(Clone)]
pub struct Interrupter {
    running: Running,
    handle: Arc<duckdb::InterruptHandle>,
}

impl Interrupter {
    pub(super) fn new(running: Running, handle: Arc<duckdb::InterruptHandle>) -> Self {
        Self { running, handle }
    }

    /// Interrupts the running statement if its [`Cancel`] is cancelled, and tells whether there was one.
    ///
    /// Call it again until it answers `false`: DuckDB forgets an interrupt that arrives while it is still
    /// setting the statement up. A statement that is still wanted is never hit.
    #[must_use = "an interrupt may be lost; repeat it until nothing cancelled runs"]
    pub fn interrupt(&self) -> bool {
        // Held across the call, so that the next statement cannot take the place of the cancelled one.
        let running = self.running.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cancelled = running.as_ref().is_some_and(Cancel::is_cancelled);
        if cancelled {
            self.handle.interrupt();
        }
        cancelled
    }
}
