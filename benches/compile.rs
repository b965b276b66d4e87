//! What a save and a start cost before any data is read: rules as text, the pack, plans, SQL. One thread.
//!
//! Over the corpus where it is (`SIGMA_OCSF_CORPUS`, else `../shared/corpus`), else over the fixtures' rules.

#![allow(missing_docs, reason = "criterion's macros write functions without any")]
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use sigma_ocsf_tui::backend;
use sigma_ocsf_tui::bridge::{self, Settings};
use sigma_ocsf_tui::pack::{self, DEFAULT_PACK, Pack, PackSource};
use sigma_ocsf_tui::sigma::{self, Capability, Rule};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn rules_folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = std::env::var_os("SIGMA_OCSF_CORPUS").map(PathBuf::from);
    let corpus = corpus.unwrap_or_else(|| root.join("../shared/corpus")).join("rules");
    if corpus.is_dir() { corpus } else { root.join("fixtures/rules") }
}

fn everything() -> Settings {
    Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: true }
}

fn shipped_pack() -> Pack {
    pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack
}

fn corpus(criterion: &mut Criterion) {
    let folder = rules_folder();
    let (pack, settings) = (shipped_pack(), everything());
    let load = || -> Vec<Arc<Rule>> {
        sigma::load(std::slice::from_ref(&folder)).into_iter().map(Arc::new).collect()
    };
    let rules = load();
    println!("{} rules of {}", rules.len(), folder.display());
    let mut group = criterion.benchmark_group("corpus");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    group.bench_function("read rules", |b| b.iter(|| black_box(load()).len()));
    group.bench_function("load pack", |b| b.iter(shipped_pack));
    group.bench_function("rules to plans", |b| b.iter(|| bridge::compile(&rules, &pack, &settings)));
    group.bench_function("rules to SQL", |b| b.iter(|| backend::compile(&rules, &pack, &settings)));
    group.finish();
}

criterion_group!(benches, corpus);
criterion_main!(benches);
