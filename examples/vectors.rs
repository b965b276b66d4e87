//! Runs files of conformance vectors by every backend: `./x vectors FILE…`.
//!
//! Prints a line for each failure, what each backend made of all, and at last `N passed, N failed`. Exits with 1
//! where one failed, with 2 where there is nothing to run.

#[allow(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/support/vectors.rs"]
mod vectors;

use std::path::Path;
use std::process::ExitCode;

use sigma_ocsf_tui::backend::BackendId;
use vectors::{Failure, Vector};

/// What came of a file, or of all of them.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    /// Of the failed ones, those that the backend failed, in the order of [`BackendId::BUILT_IN`].
    by_backend: [usize; BackendId::BUILT_IN.len()],
}

fn main() -> ExitCode {
    let paths: Vec<_> = std::env::args_os().skip(1).collect();
    if paths.is_empty() {
        eprintln!("usage: ./x vectors FILE...");
        return ExitCode::from(2);
    }
    let mut tally = Tally::default();
    for path in paths {
        let path = Path::new(&path);
        match std::fs::read(path) {
            Ok(bytes) => run(path, &String::from_utf8_lossy(&bytes), &mut tally),
            Err(error) => {
                eprintln!("{}: {error}", shown(&path.display().to_string()));
                return ExitCode::from(2);
            }
        }
    }
    report(&tally)
}

/// Runs the vectors of one file.
fn run(path: &Path, text: &str, tally: &mut Tally) {
    let mut lines = Vec::new();
    let mut vectors = Vec::new();
    for (line, vector) in vectors::parse(text) {
        match vector {
            Ok(vector) => {
                lines.push(line);
                vectors.push(vector);
            }
            Err(error) => {
                println!("{}", shown(&format!("{}:{line}: this is no vector: {error}", path.display())));
                tally.failed += 1;
            }
        }
    }
    let failures = vectors::run(&vectors);
    let mut failed = vec![false; vectors.len()];
    for failure in failures {
        failed[failure.vector] = true;
        count(failure.backend, tally);
        let place = format!("{}:{}", path.display(), lines[failure.vector]);
        println!("{}", shown(&explained(&place, &vectors[failure.vector], &failure)));
    }
    let count = failed.iter().filter(|failed| **failed).count();
    tally.failed += count;
    tally.passed += vectors.len() - count;
}

fn count(backend: BackendId, tally: &mut Tally) {
    let place = BackendId::BUILT_IN.iter().position(|other| *other == backend);
    tally.by_backend[place.expect("it is one of all")] += 1;
}

fn explained(place: &str, vector: &Vector, failure: &Failure) -> String {
    let Failure { backend, expected, got, .. } = failure;
    format!(
        "{place}: {} by {}: expected {expected}, got {got} (why: {})",
        vector.id,
        backend.as_str(),
        vector.why
    )
}

fn report(tally: &Tally) -> ExitCode {
    for (backend, failed) in BackendId::BUILT_IN.iter().zip(tally.by_backend) {
        if failed > 0 {
            println!("{failed} failed by {}", backend.as_str());
        }
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    ExitCode::from(u8::from(tally.failed > 0))
}

/// One line, whatever stands in it.
fn shown(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}
