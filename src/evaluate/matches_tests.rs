//! Rows read by their places against the rows that DuckDB sorts.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::backend::{self, CompiledRule};
use crate::bridge::Settings;
use crate::evaluate::Order;
use crate::pack::{self, DEFAULT_PACK, PackSource};
use crate::sigma;
use crate::store::{Dataset, SessionSettings, TimeRange};

/// An event: its time, whether the rule matches it, and whether it has an id of its own.
type Event = (Option<i64>, bool, bool);

#[derive(Clone, Copy, Debug)]
enum Layout {
    Files,
    Partitions,
    Lines,
}

fn rule(folder: &Path, literals: usize) -> CompiledRule {
    let mut text =
        "title: One\nlogsource: { category: process_creation, product: windows }\ndetection:\n".to_owned();
    text.push_str("    selection:\n        Image|endswith: '\\one.exe'\n        CommandLine|contains:\n            - 'hit'\n");
    (1..literals).for_each(|n| writeln!(text, "            - 'nowhere {n}'").unwrap());
    text.push_str("    condition: selection\n");
    fs::write(folder.join("one.yml"), text).unwrap();
    let rules: Vec<_> = sigma::load(&[folder.join("one.yml")]).into_iter().map(Arc::new).collect();
    let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack;
    backend::compile(&rules, &pack, &Settings::default()).pop().unwrap()
}

/// Writes each file in groups of 2,048 rows, with ids that come in another order than the events.
fn dataset(folder: &Path, files: &[Vec<Event>], layout: Layout) -> Dataset {
    let connection = duckdb::Connection::open_in_memory().unwrap();
    for (at, events) in files.iter().enumerate() {
        let event = |(n, (time, hit, named)): (usize, &Event)| {
            let time = time.map_or("NULL".to_owned(), |time| time.to_string());
            let id = if *named { format!("'{:04}-{at}'", n * 7919 % 10_007) } else { "NULL".to_owned() };
            let command = if *hit { "a hit" } else { "a miss" };
            format!("({n}, {time}::BIGINT, {id}::VARCHAR, '{command} {n}')")
        };
        let events: Vec<String> = events.iter().enumerate().map(event).collect();
        let (name, format) = match layout {
            Layout::Files => (format!("p{at}.parquet"), "FORMAT parquet, ROW_GROUP_SIZE 2048"),
            Layout::Partitions => (format!("part={at}/p.parquet"), "FORMAT parquet, ROW_GROUP_SIZE 2048"),
            Layout::Lines => (format!("p{at}.jsonl"), "FORMAT json"),
        };
        let file = folder.join("events").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        connection
            .execute_batch(&format!(
                "COPY (SELECT CASE WHEN n % 5 = 4 THEN 1 ELSE 1007 END AS class_uid, 1 AS activity_id, time,
                    id AS \"metadata.event_id\", 'windows-sysmon' AS \"metadata.source_type\",
                    'C:\\ONE.exe' AS \"process.file.path\", command AS \"process.cmd_line\"
                 FROM (VALUES {}) t(n, time, id, command) ORDER BY n) TO '{}' ({format})",
                events.join(", "),
                file.display()
            ))
            .unwrap();
    }
    Dataset::discover(&folder.join("events")).unwrap()
}

/// What [`matches()`] and [`match_rows`] say against a scan and a sort; whether they read by places.
fn compare(store: &mut Store, compiled: &CompiledRule, slice: Slice) -> bool {
    let (plan, sql) = (compiled.compilation.plan.as_ref().unwrap(), compiled.sql.as_ref().unwrap());
    let never = Cancel::never();
    let (totals, within, rows, page) = store
        .narrowed(&plan.columns, |store| -> Result<_, EvalError> {
            let totals = totals(store, sql, &never)?;
            let within = slice.within(totals.1.matches);
            let page = sorted(store, plan, sql, slice, &never)?;
            Ok((totals, within, sorted(store, plan, sql, within, &never)?, page))
        })
        .unwrap();
    // The second time they are kept in memory, where they are few.
    for _ in 0..2 {
        let found = matches(store, plan, sql, slice, &never).unwrap();
        assert_eq!((found.in_scope.unwrap(), found.summary, found.histogram), totals, "{slice:?}");
        assert_eq!((found.first, &found.rows), (within.first, &rows), "{slice:?}");
        assert_eq!(match_rows(store, plan, sql, slice, &never).unwrap(), page, "{slice:?}");
    }
    located(store, (plan, sql), within, &never, |store, located| {
        let rows = located.map(|located| located.rows(store, plan, within, &never)).transpose()?;
        Ok(rows.flatten().is_some())
    })
    .unwrap()
}

fn slices(first: usize, limit: usize) -> impl Iterator<Item = Slice> {
    use SortKey::{Column, EventId, Host, Time};
    let orders = [Time, Time, Column(1), Host, EventId].into_iter().zip([false, true, true, false, true]);
    orders.map(move |(key, descending)| Slice { order: Order { key, descending }, first, limit })
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let time = prop_oneof![4 => (-2_i64..6).prop_map(|n| Some(n * 40_000)), 1 => Just(None)];
    prop::collection::vec((time, prop::bool::weighted(0.7), prop::bool::weighted(0.8)), 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn rows_by_place_are_the_rows_that_are_sorted(
        files in prop::collection::vec(events(), 1..4),
        layout in prop_oneof![Just(Layout::Files), Just(Layout::Partitions), Just(Layout::Lines)],
        wide in prop::bool::ANY,
        since in prop::option::of(-1_i64..3),
        (first, limit) in (0_usize..40, 0_usize..12),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let compiled = rule(folder.path(), if wide { 80 } else { 2 });
        let since = since.map(|n| jiff::Timestamp::from_millisecond(n * 40_000).unwrap());
        let range = TimeRange::new(since, None).unwrap();
        let found = dataset(folder.path(), &files, layout).within(range);
        let mut store = Store::open(found, SessionSettings::default()).unwrap();
        for slice in slices(first, limit) {
            let by_place = compare(&mut store, &compiled, slice);
            // Of lines, DuckDB tells times by what they are, and some are not 64 bits wide then.
            if !matches!(layout, Layout::Lines) {
                prop_assert_eq!(by_place, slice.order.key == SortKey::Time);
            }
        }
    }
}

#[test]
fn rows_are_found_in_all_groups_of_all_files() {
    for (of_one_time, by_place) in [(40, true), (100_000, false)] {
        let folder = tempfile::tempdir().unwrap();
        let event = |n: i64| ((n % 97 != 0).then_some(n * 31 % 5000 / of_one_time), n % 3 != 0, n % 11 != 0);
        let files: Vec<Vec<Event>> = (0..2).map(|at| (0..5000).map(|n| event(n + at)).collect()).collect();
        let found = dataset(folder.path(), &files, Layout::Files);
        let mut store = Store::open(found, SessionSettings::default()).unwrap();
        for literals in [2, 80] {
            let compiled = rule(folder.path(), literals);
            let by_time = |slice: &Slice| slice.order.key == SortKey::Time;
            let pages = [(0, 20), (2000, 150), (9000, 50)].into_iter();
            for slice in pages.flat_map(|(first, limit)| slices(first, limit).filter(by_time)) {
                // The last page is of events without a time, of which there are few either way.
                let by_place = by_place || slice.first == 9000;
                assert_eq!(compare(&mut store, &compiled, slice), by_place, "{slice:?}");
            }
        }
    }
}
