//! A place for one waiting request: a newer one is merged into it, never queued behind it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One waiting request.
#[derive(Debug)]
pub(super) struct Slot<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

/// What [`Slot::take_within`] found.
#[derive(Debug)]
pub(super) enum Taken<T> {
    /// A request.
    Request(T),
    /// None as yet.
    Nothing,
    /// Nobody will leave another.
    Closed,
}

#[derive(Debug)]
struct State<T> {
    waiting: Option<T>,
    closed: bool,
}

impl<T> Slot<T> {
    pub(super) fn new() -> Self {
        Self { state: Mutex::new(State { waiting: None, closed: false }), changed: Condvar::new() }
    }

    /// Leaves a request, made of the one that waits, if any.
    pub(super) fn put(&self, merge: impl FnOnce(Option<T>) -> T) {
        let mut state = self.lock();
        state.waiting = Some(merge(state.waiting.take()));
        self.changed.notify_one();
    }

    /// Takes the request, waiting for one; `None` once nobody will leave another.
    pub(super) fn take(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(request) = state.waiting.take() {
                return Some(request);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes the request, waiting no longer than that for one.
    pub(super) fn take_within(&self, patience: Duration) -> Taken<T> {
        let mut state = self.lock();
        if state.waiting.is_none() && !state.closed && !patience.is_zero() {
            state = self.changed.wait_timeout(state, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
        match state.waiting.take() {
            _ if state.closed => Taken::Closed,
            Some(request) => Taken::Request(request),
            None => Taken::Nothing,
        }
    }

    /// Ends the waiting.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_requests_are_merged_into_the_one_that_waits() {
        let slot = Slot::new();
        for number in 1..=3 {
            slot.put(|waiting: Option<Vec<i32>>| [waiting.unwrap_or_default(), vec![number]].concat());
        }
        assert_eq!(slot.take(), Some(vec![1, 2, 3]));
        slot.close();
        assert_eq!(slot.take(), None);
    }

    #[test]
    fn closing_wakes_the_one_who_waits() {
        let slot = Slot::<()>::new();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| slot.take());
            slot.close();
            assert!(matches!(waiter.join(), Ok(None)));
        });
    }
}
