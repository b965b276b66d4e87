//! Spark beside DuckDB: whose SQL the pane shows, and what a run there says of each rule.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::fixtures::{Compiled, Screen};
use super::keys::text;
use super::press;
use crate::backend;
use crate::bridge::{ReasonCode, Settings};
use crate::bundle::Agreement;
use crate::pack::{self, DEFAULT_PACK, PackSource};
use crate::sigma::{self, Capability};
use crate::tui::action::Action;
use crate::tui::model::{Model, Pane, RuleKey};
use crate::tui::update::{Effect, update};
use crate::tui::worker::Report;

const SIZE: (u16, u16) = (200, 50);

fn rule(title: &str, field: &str) -> Compiled {
    let text = format!(
        "title: {title}\nlogsource: {{category: process_creation, product: windows}}\n\
         detection:\n    sel:\n        {field}\n    condition: sel\n"
    );
    let path = format!("rules/{}.yml", title.to_lowercase());
    let rules: Vec<_> = sigma::parse(Path::new(&path), &text).into_iter().map(Arc::new).collect();
    let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack;
    let settings = Settings { capabilities: BTreeSet::from(Capability::ALL), raw_fallback: false };
    let compiled = backend::compile(&rules, &pack, &settings).remove(0);
    (Arc::clone(&rules[0]), Some(Arc::new(compiled)))
}

fn screen() -> Screen {
    let rules = vec![
        rule("Ends", r"Image|endswith: '\certutil.exe'"),
        rule("Nested", "CommandLine|re: '(a+)+b'"),
        rule("Other", "CommandLine|contains: x"),
    ];
    Screen::with(SIZE, rules, true)
}

/// Asks for a run, and gives its generation and the rules that it is of.
fn run(model: &mut Model) -> (u64, Vec<RuleKey>) {
    match update(model, Action::RunBackend).remove(0) {
        Effect::RunSpark { generation, job: Some(job) } => {
            (generation, job.rules.into_iter().map(|(key, _)| key).collect())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_pane_shows_the_statement_of_either_backend_or_why_spark_has_none() {
    let mut screen = screen();
    assert!(text(&screen).contains("4 SQL  duckdb_sql") && text(&screen).contains(r#"WHERE "class_uid" IN"#));
    screen.act(Action::NextBackend);
    let shown = text(&screen);
    assert!(shown.contains("4 SQL  spark_sql") && shown.contains("WHERE `class_uid` IN"), "{shown}");
    assert!(shown.contains("endswith(`lower(process.file.path)`,"), "{shown}");
    assert!(shown.contains(r"'\\certutil.exe')"), "{shown}");
    press(&mut screen, "j");
    let shown = text(&screen);
    assert!(shown.contains("spark_sql  refused: unsupported_regex"), "{shown}");
    assert!(shown.contains("the expression `(a+)+b` has an open repetition"), "{shown}");
    screen.act(Action::NextBackend);
    assert!(text(&screen).contains("regexp_matches"), "{}", text(&screen));
}

#[test]
fn the_sql_of_spark_belongs_to_the_same_lines_of_the_rule() {
    let mut screen = screen();
    screen.act(Action::NextBackend);
    screen.act(Action::Focus(Pane::Source));
    press(&mut screen, "jjjj");
    let lit =
        |shown: &str| shown.lines().filter(|line| line.contains("▌") && line.contains("endswith(`")).count();
    assert_eq!(lit(&text(&screen)), 1, "{}", text(&screen));
}

#[test]
fn each_rule_has_a_mark_and_all_have_a_line() {
    let mut screen = screen();
    let (generation, rules) = run(&mut screen.model);
    assert_eq!(rules.len(), 3);
    let says = |generation, said: &str| Report::SparkSays { generation, said: said.to_owned() };
    screen.act(Action::Worker(says(generation, "pass 1 of 1\u{1b}[31m, 3 of 3 rules")));
    assert!(text(&screen).contains("Spark: pass 1 of 1"), "{}", text(&screen));
    assert!(!text(&screen).contains('\u{1b}'));
    let agreements = [
        Agreement::Same(1_212),
        Agreement::Refused(ReasonCode::UnsupportedRegex),
        Agreement::Other { job: 2, duckdb: 3 },
    ];
    let outcome = Ok(rules.into_iter().zip(agreements).collect());
    screen.act(Action::Worker(Report::SparkEnded { generation, outcome }));
    let shown = text(&screen);
    let line = "Spark: 1 of 3 rules as DuckDB, 1,212 detections · 1 other detections · 1 refused by Spark";
    assert!(shown.contains(line), "{shown}");
    assert!(shown.contains("4 SQL  duckdb_sql  ≡ Spark finds the same 1,212"), "{shown}");
    for (title, mark) in [("Ends", "≡"), ("Nested", "⊘"), ("Other", "≢")] {
        assert!(shown.lines().any(|line| line.contains(title) && line.contains(mark)), "{title}: {shown}");
    }
    // What it said was of other rules.
    screen.act(Action::Reload);
    assert!(!text(&screen).contains("≡"), "{}", text(&screen));
}

#[test]
fn a_run_that_was_stopped_says_nothing_any_more() {
    let mut screen = screen();
    let (generation, _) = run(&mut screen.model);
    assert!(update(&mut screen.model, Action::RunBackend).is_empty(), "one runs already");
    let stopped = update(&mut screen.model, Action::StopBackend);
    assert!(matches!(stopped[..], [Effect::RunSpark { job: None, .. }]), "{stopped:?}");
    let outcome = Err("late".to_owned());
    screen.act(Action::Worker(Report::SparkEnded { generation, outcome }));
    assert!(text(&screen).contains("Spark was stopped") && !text(&screen).contains("late"));
    let (generation, _) = run(&mut screen.model);
    let outcome = Err("there is no Spark: set SPARK_HOME".to_owned());
    screen.act(Action::Worker(Report::SparkEnded { generation, outcome }));
    assert!(text(&screen).contains("there is no Spark: set SPARK_HOME"), "{}", text(&screen));
}
