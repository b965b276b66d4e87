//! The public rules, read whole: no error, the values that `serde_yaml` reads, every value at its place.
//!
//! Runs where the corpus is: `SIGMA_OCSF_CORPUS`, or `../shared/corpus` beside the checkout.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_yaml::Value as Yaml;
use sigma_ocsf_tui::sigma::{self, Body, Item, Rule, Search, Spanned, Value, yaml};

/// Where `serde_yaml` alone reads something else. By YAML 1.2 core `00000429` is the number 429; `serde_yaml`
/// takes whatever begins with a needless zero for text.
const DIFFERENT: [&str; 1] = ["registry_set_susp_keyboard_layout_load.yml"];

fn corpus() -> Option<PathBuf> {
    let beside = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus"));
    let corpus = std::env::var_os("SIGMA_OCSF_CORPUS").map_or(beside.to_path_buf(), PathBuf::from);
    let rules = corpus.join("rules");
    if !rules.is_dir() {
        eprintln!("skipped: no corpus at {}", rules.display());
        return None;
    }
    Some(rules)
}

#[test]
fn every_rule_is_read_without_an_error() {
    let Some(corpus) = corpus() else { return };
    let rules = sigma::load(&[corpus]);
    let mut errors = Vec::new();
    for rule in &rules {
        for problem in rule.problems.iter().filter(|problem| !problem.kind.is_warning()) {
            errors.push(format!("{}:{}: {}", rule.path.display(), problem.span.start, problem.message));
        }
        for item in items(rule) {
            let found = item.problems.iter().chain(item.chain.as_ref().err());
            errors.extend(found.map(|p| format!("{}:{}: {}", rule.path.display(), p.span.start, p.message)));
        }
    }
    assert_eq!(errors, Vec::<String>::new());
    let events = rules.iter().filter(|rule| matches!(rule.body, Body::Event(_))).count();
    assert_eq!((rules.len(), events), (3780, 3780));
}

#[test]
fn serde_yaml_reads_the_same_values() {
    let Some(corpus) = corpus() else { return };
    let mut different = Vec::new();
    for path in sigma::rule_files(&[corpus]) {
        let text = std::fs::read_to_string(&path).unwrap();
        let ours: Vec<Yaml> = yaml::parse(&text).unwrap().iter().map(yaml::Node::to_value).collect();
        let theirs: Vec<Yaml> =
            serde_yaml::Deserializer::from_str(&text).map(|d| Yaml::deserialize(d).unwrap()).collect();
        if ours != theirs {
            different.push(path.file_name().unwrap().to_owned());
        }
    }
    assert_eq!(different, DIFFERENT);
}

#[test]
fn every_value_stands_at_its_place() {
    let Some(corpus) = corpus() else { return };
    let mut checked = 0;
    for rule in sigma::load(&[corpus]) {
        for item in items(&rule) {
            let key = item.key_span.slice(&rule.text).unwrap();
            let field = item.field.as_ref().map_or("", |field| &field.value.0);
            assert!(key.contains(field), "{}:{}: {key}", rule.path.display(), item.key_span.start);
            assert!(item.span.slice(&rule.text).unwrap().starts_with(key));
            for modifier in &item.modifiers {
                assert_eq!(modifier.span.slice(&rule.text), Some(modifier.value.name()));
            }
        }
        for value in values(&rule) {
            checked += 1;
            check_place(&rule, value);
        }
        check_lines(&rule);
    }
    assert!(checked > 40_000, "{checked}");
}

/// What is written where a value stands means that value. Block scalars are folded and chomped by where they
/// stand, so of them the words have to agree.
fn check_place(rule: &Rule, value: &Spanned<Value>) {
    let written = value.span.slice(&rule.text).unwrap();
    let place = format!("{}:{}: {written}", rule.path.display(), value.span.start);
    match (&value.value, serde_yaml::from_str(written)) {
        (Value::String(text), Ok(Yaml::String(read))) if *text == read => {}
        (Value::String(text), _) => {
            assert!(text.split_whitespace().eq(written.split_whitespace()), "{place}")
        }
        (Value::Integer(number), _) => assert_eq!(written.parse(), Ok(*number), "{place}"),
        (Value::Null, Ok(Yaml::Null)) => {}
        (Value::Boolean(value), Ok(Yaml::Bool(read))) => assert_eq!(*value, read, "{place}"),
        (other, read) => panic!("{place}: {other:?} is written as {read:?}"),
    }
}

/// Lines, columns and offsets agree.
fn check_lines(rule: &Rule) {
    let Body::Event(detection) = &rule.body else { return };
    for selection in &detection.selections {
        let start = selection.span.start;
        let line = rule.text.lines().nth(start.line as usize - 1).unwrap();
        let from: String = line.chars().skip(start.column as usize - 1).collect();
        assert!(rule.text[start.offset..].starts_with(&from));
        assert!(from.contains(&selection.name.value), "{}:{start}", rule.path.display());
    }
}

fn searches(rule: &Rule) -> Vec<&Search> {
    let Body::Event(detection) = &rule.body else { return Vec::new() };
    let mut open: Vec<&Search> = detection.selections.iter().map(|selection| &selection.search).collect();
    let mut all = Vec::new();
    while let Some(search) = open.pop() {
        all.push(search);
        if let Search::AnyOf(parts, _) = search {
            open.extend(parts);
        }
    }
    all
}

fn items(rule: &Rule) -> impl Iterator<Item = &Item> {
    searches(rule).into_iter().flat_map(|search| match search {
        Search::AllOf(items, _) => items.as_slice(),
        Search::AnyOf(..) | Search::Keywords(..) => &[],
    })
}

fn values(rule: &Rule) -> impl Iterator<Item = &Spanned<Value>> {
    let keywords = searches(rule).into_iter().flat_map(|search| match search {
        Search::Keywords(words, _) => words.as_slice(),
        Search::AllOf(..) | Search::AnyOf(..) => &[],
    });
    items(rule).flat_map(|item| &item.values).chain(keywords)
}
