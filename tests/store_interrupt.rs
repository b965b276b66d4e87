//! An interrupt is never lost and never hits the next query: before, during and after execution.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "store_support/files.rs"]
mod files;
#[path = "store_support/rules.rs"]
mod rules;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use files::write;
use rules::{open, rule};
use sigma_ocsf_tui::evaluate::{Cancel, EvalError, event_ids};
use sigma_ocsf_tui::store::Interrupter;

type Answer = Result<Vec<String>, EvalError>;

/// Would run for hours.
const ENDLESS: &str = "(SELECT count(*) FROM range(1000000000000) t(n) WHERE n % 7 = \"class_uid\") > 0";
const DEADLINE: Duration = Duration::from_secs(60);

/// A store on a thread of its own; each request is a predicate.
struct Worker {
    generation: Arc<AtomicU64>,
    interrupter: Interrupter,
    requests: Sender<(Cancel, &'static str)>,
    answers: Receiver<Answer>,
}

impl Worker {
    fn start(root: &Path) -> Self {
        write(&root.join("p.parquet"), "SELECT 1007 AS class_uid, 5 AS \"time\", 'e1' AS \"metadata.uid\"");
        let mut store = open(root);
        let interrupter = store.interrupter();
        let (requests, to_do) = channel::<(Cancel, &'static str)>();
        let (done, answers) = channel();
        std::thread::spawn(move || {
            for (cancel, predicate) in to_do {
                let (plan, sql) = rule(1007, predicate, &[]);
                if done.send(event_ids(&mut store, &plan, &sql, &cancel)).is_err() {
                    return;
                }
            }
        });
        Self { generation: Arc::new(AtomicU64::new(0)), interrupter, requests, answers }
    }

    fn ask(&self, predicate: &'static str) {
        self.requests.send((Cancel::new(&self.generation), predicate)).unwrap();
    }

    fn cancel(&self) {
        self.generation.fetch_add(1, Ordering::SeqCst);
    }

    /// Interrupts until there is an answer.
    fn interrupted_answer(&self) -> Answer {
        let started = Instant::now();
        loop {
            let _ = self.interrupter.interrupt();
            match self.answers.recv_timeout(Duration::from_millis(1)) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Timeout) => {
                    assert!(started.elapsed() < DEADLINE, "the interrupt is lost")
                }
                Err(RecvTimeoutError::Disconnected) => panic!("the worker has gone"),
            }
        }
    }

    fn answer(&self) -> Answer {
        self.answers.recv_timeout(DEADLINE).unwrap()
    }
}

#[test]
fn before_execution() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Worker::start(folder.path());
    let stale = Cancel::new(&worker.generation);
    worker.cancel();
    assert!(!worker.interrupter.interrupt(), "nothing runs yet");
    worker.requests.send((stale, ENDLESS)).unwrap();
    assert_eq!(worker.answer(), Err(EvalError::Cancelled));
    worker.ask("true");
    assert_eq!(worker.answer(), Ok(vec!["e1".to_owned()]));
}

#[test]
fn during_execution() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Worker::start(folder.path());
    worker.ask(ENDLESS);
    let early = worker.answers.recv_timeout(Duration::from_millis(100));
    assert!(early.is_err(), "it runs on: {early:?}");
    assert!(!worker.interrupter.interrupt(), "a wanted query is not hit");
    worker.cancel();
    assert_eq!(worker.interrupted_answer(), Err(EvalError::Cancelled));
    worker.ask("true");
    assert_eq!(worker.answer(), Ok(vec!["e1".to_owned()]));
}

#[test]
fn after_execution() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Worker::start(folder.path());
    worker.ask("true");
    assert_eq!(worker.answer(), Ok(vec!["e1".to_owned()]));
    worker.cancel();
    assert!(!worker.interrupter.interrupt(), "nothing runs any more");
    worker.ask("true");
    assert_eq!(worker.answer(), Ok(vec!["e1".to_owned()]));
}

/// At whatever moment of its life a query is cancelled, it ends, and the next one is answered.
#[test]
fn at_any_moment() {
    let folder = tempfile::tempdir().unwrap();
    let worker = Worker::start(folder.path());
    for round in 0..100 {
        worker.ask(if round % 2 == 0 { ENDLESS } else { "true" });
        for _ in 0..round * 20 {
            assert!(!worker.interrupter.interrupt(), "a wanted query is not hit");
        }
        worker.cancel();
        worker.ask("true");
        let cancelled = worker.interrupted_answer();
        let complete = round % 2 == 1 && cancelled == Ok(vec!["e1".to_owned()]);
        assert!(complete || cancelled == Err(EvalError::Cancelled), "{cancelled:?}");
        assert_eq!(worker.interrupted_answer(), Ok(vec!["e1".to_owned()]));
    }
}
