//! What is ruled out, and what is not.

use std::collections::BTreeSet;

use duckdb::Connection;

use super::groups::Group;
use super::reading::{Candidates, Read, read};
use super::*;
use crate::backend::duckdb_sql::emit;
use crate::bridge::RoutedScope;
use crate::bridge::ir::{Expr, FieldExpr, Number, PatternPart, Predicate, Regex, Test};
use crate::evaluate::summaries::matched;
use crate::evaluate::{Slice, matches};
use crate::ocsf::{ClassUid, FieldType};
use crate::pack::{Column, FilterOp, PackPlace, RouteFilter};
use crate::sigma::{SigmaField, Span, TextMatch};
use crate::store::{Dataset, SessionSettings};

const EVENTS: &str = "SELECT 1 AS class_uid, * FROM (VALUES
    (10::BIGINT, 'C:\\Windows\\CMD.exe', ['alpha', NULL], 4624),
    (20, 'C:\\powershell.exe', [], 46),
    (NULL, 'C:\\powershell.exe', ['beta'], NULL),
    (40, NULL, NULL, 4624)
  ) t(\"time\", image, tags, code)";

fn store(folder: &std::path::Path, events: &str) -> Store {
    let file = folder.join("p.parquet");
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(&format!("COPY ({events}) TO '{}' (FORMAT parquet)", file.display())).unwrap();
    Store::open(Dataset::discover(folder).unwrap(), SessionSettings::default()).unwrap()
}

fn predicate(path: &str, (field_type, list): (FieldType, bool), test: Test) -> Expr {
    let source = FieldExpr::Column(Column { path: OcsfPath(path.to_owned()), field_type, list });
    Expr::Predicate(Predicate {
        field: SigmaField(path.to_owned()),
        source: source.into(),
        test,
        span: Span::default(),
    })
}

fn holds(path: &str, list: bool, position: TextMatch, value: &str) -> Expr {
    let test = match position {
        TextMatch::Equals => Test::TextIn { values: vec![value.to_owned()], cased: false },
        position => Test::Text { position, value: value.to_owned(), cased: false },
    };
    predicate(path, (FieldType::String, list), test)
}

fn plan(predicate: Expr) -> Plan {
    let scope = RoutedScope {
        logsource: String::new(),
        class_uids: vec![ClassUid(1)],
        filters: Vec::new(),
        keywords: Vec::new(),
        place: PackPlace::default(),
    };
    let mut columns = BTreeMap::new();
    predicate.visit_columns(&mut |column| {
        columns.insert(column.path.clone(), ColumnType { field_type: column.field_type, list: column.list });
    });
    Plan {
        scope: scope.into(),
        predicate,
        columns,
        shown: Vec::new(),
        fallback_used: false,
        capabilities: BTreeSet::new(),
    }
}

/// The rows of the file that each predicate may hold of; `None` for any.
fn candidates(store: &mut Store, predicates: &[Expr]) -> Vec<Option<Vec<i64>>> {
    let known = |group: &Group| group.rows().unwrap().iter().map(|row| row.row).collect::<Vec<_>>();
    let found = within(store, predicates, Room::default());
    let rows = |(shape, candidates): &(usize, Candidates)| match candidates {
        Candidates::Groups(groups) => {
            let groups = groups.iter().map(|group| &found.shapes[*shape].groups[*group as usize]);
            Some(groups.flat_map(known).collect())
        }
        Candidates::Many => None,
    };
    found.rules.iter().map(rows).collect()
}

fn within(store: &mut Store, predicates: &[Expr], room: Room) -> Read {
    let plans: Vec<Plan> = predicates.iter().cloned().map(plan).collect();
    let columns = plans.iter().flat_map(|plan| plan.columns.clone()).collect();
    let rules: Vec<(&str, &Plan)> = plans.iter().map(|plan| ("\"class_uid\" = 1", plan)).collect();
    store
        .narrowed(&columns, |store| -> Result<_, EvalError> {
            Ok(read(store, &rules, room, &Cancel::never())?)
        })
        .unwrap()
}

#[test]
fn only_events_that_hold_what_a_rule_needs_are_candidates() {
    use TextMatch::{Contains, EndsWith, Equals, StartsWith};
    let image = |position, value| holds("image", false, position, value);
    let tags = |position, value| holds("tags", true, position, value);
    let code = |number| {
        predicate("code", (FieldType::Integer, false), Test::NumberIn(vec![Number::Integer(number)]))
    };
    let not = |expr| Expr::Not(Box::new(expr));
    let cases = [
        (image(EndsWith, "\\cmd.exe"), Some(vec![0])),
        (image(StartsWith, "cmd"), Some(vec![])),
        (image(Contains, "power"), Some(vec![1, 2])),
        (image(Equals, "c:\\powershell.exe"), Some(vec![1, 2])),
        (image(Equals, "powershell.exe"), Some(vec![])),
        (tags(Equals, "alpha"), Some(vec![0])),
        (code(4624), Some(vec![0, 3])),
        (Expr::And(vec![tags(Contains, "et"), image(Contains, "power")]), Some(vec![2])),
        (Expr::And(vec![tags(Contains, "alp"), image(Contains, "power")]), Some(vec![])),
        (Expr::Or(vec![tags(Contains, "alp"), image(Contains, "power")]), Some(vec![0, 1, 2])),
        (holds("nowhere", false, Contains, "x"), Some(vec![])),
        (predicate("nowhere", (FieldType::String, false), Test::Missing), Some(vec![0, 1, 2, 3])),
        (not(image(Contains, "power")), Some(vec![0, 3])),
        (not(image(Contains, "pöwer")), Some(vec![0, 1, 2, 3])),
        (not(Expr::And(vec![tags(Equals, "beta"), image(Contains, "power")])), Some(vec![0, 1, 3])),
        (not(Expr::Or(vec![tags(Equals, "beta"), image(Contains, "cmd")])), Some(vec![1, 3])),
        (not(not(image(Contains, "power"))), Some(vec![1, 2])),
        (not(holds("nowhere", false, Contains, "x")), Some(vec![0, 1, 2, 3])),
        (Expr::Or(vec![image(Contains, "absent"), image(Contains, "")]), Some(vec![0, 1, 2, 3])),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path(), EVENTS);
    let predicates: Vec<Expr> = cases.iter().map(|(predicate, _)| predicate.clone()).collect();
    for ((predicate, expected), found) in cases.iter().zip(candidates(&mut store, &predicates)) {
        assert_eq!(found, *expected, "{predicate:?}");
    }
}

#[test]
fn a_rule_that_many_events_may_match_is_left_to_a_scan() {
    let folder = tempfile::tempdir().unwrap();
    let rows =
        format!("SELECT 1 AS class_uid, n AS \"time\", 'abc' || n AS image FROM range({}) t(n)", LIMIT + 1);
    let mut store = store(folder.path(), &rows);
    let predicates = ["abc", "c777"].map(|value| holds("image", false, TextMatch::Contains, value));
    let found = candidates(&mut store, &predicates);
    assert_eq!(found[0], None);
    assert!(found[1].as_ref().is_some_and(|rows| rows.contains(&777) && rows.len() == 11));
}

/// The room is for the groups of all rules together, however few each of them has.
#[test]
fn groups_that_take_too_much_together_are_left_to_a_scan() {
    let folder = tempfile::tempdir().unwrap();
    let rows =
        "SELECT 1 AS class_uid, n AS \"time\", 'a' || n AS image, ['b' || n] AS tags FROM range(100) t(n)";
    let mut store = store(folder.path(), rows);
    let image = holds("image", false, TextMatch::Contains, "a");
    let tags = holds("tags", true, TextMatch::Contains, "b");
    let both = [image.clone(), tags.clone(), Expr::Or(vec![image.clone(), tags])];
    let many = |read: Read| read.rules.iter().filter(|(_, found)| *found == Candidates::Many).count();
    let enough = |rules: usize| Room::of(rules * 100 * 200);
    assert_eq!(many(within(&mut store, &both, enough(3))), 0);
    assert_eq!(many(within(&mut store, &both, enough(1))), 3);
    assert_eq!(many(within(&mut store, std::slice::from_ref(&image), enough(1))), 0);
}

/// Of a group that there is room for, but not for where all its events lie, none is told.
#[test]
fn a_group_without_room_for_its_events_tells_their_number() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "SELECT 1 AS class_uid, n AS \"time\", 'a' AS image FROM range(100) t(n)";
    let mut store = store(folder.path(), rows);
    let image = holds("image", false, TextMatch::Contains, "a");
    let read = within(&mut store, &[image], Room::of(500));
    let [group] = &read.shapes[0].groups[..] else { panic!("one group") };
    assert_eq!((group.count, group.first, group.last), (100, Some(0), Some(99)));
    assert!(group.rows().is_none());
}

/// More rules than one column of marks has bits, and more than one statement asks about.
#[test]
fn every_rule_is_asked_about_its_own_events() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "SELECT 1 AS class_uid, n AS \"time\", 'v' || n || '.' AS image, 'e' || n AS \"metadata.event_id\" \
                FROM range(200) t(n)";
    let mut store = store(folder.path(), rows);
    let predicates = (0..150).map(|n| holds("image", false, TextMatch::EndsWith, &format!("{n}.")));
    let plans: Vec<Plan> = predicates.map(plan).collect();
    let sql: Vec<_> = plans.iter().map(emit).collect();
    let rules: Vec<_> = plans.iter().zip(&sql).collect();
    let found = matched(&mut store, &rules, &Cancel::never());
    for (n, found) in found.into_iter().enumerate() {
        let expected: Vec<_> = (0..200)
            .filter(|row| row.to_string().ends_with(&n.to_string()))
            .map(|row| (format!("e{row}"), Some(row)))
            .collect();
        assert_eq!(found.unwrap().events, Some(expected), "{n}");
    }
}

/// The bridge writes no such pattern; that DuckDB is asked even so is what keeps "no match" from standing for "refused".
#[test]
fn what_duckdb_refuses_is_refused_also_where_no_event_is_left_to_ask_about() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path(), EVENTS);
    let large = too_large();
    // Of several `*`, DuckDB is given a regular expression: a long one, without counts.
    let any = |text: &str| [PatternPart::Text(text.to_owned()), PatternPart::AnyRun];
    let parts = [&"x".repeat(1_000_000), "b", "c", "d"].into_iter().flat_map(any).collect();
    let long = predicate("image", (FieldType::String, false), Test::Pattern { parts, cased: false });
    let needed = |value: &str| holds("image", false, TextMatch::Contains, value);
    let both = |value: &str| Expr::And(vec![needed(value), large.clone()]);
    let small = [needed("absent"), needed("nowhere"), needed("missing")];
    let predicates: Vec<Expr> =
        small.into_iter().chain([both("absent"), both("nowhere"), large.clone(), long]).collect();
    let of = |class_uid: u32| predicates.iter().cloned().map(plan).map(move |plan| of_class(plan, class_uid));
    let plans: Vec<Plan> = (1..=3).flat_map(of).collect();
    let sql: Vec<_> = plans.iter().map(emit).collect();
    let rules: Vec<_> = plans.iter().zip(&sql).collect();
    for of_scope in matched(&mut store, &rules, &Cancel::never()).chunks(predicates.len()) {
        let (executable, refused) = of_scope.split_at(3);
        assert!(executable.iter().all(|found| found.as_ref().is_ok_and(|found| found.summary.matches == 0)));
        assert!(refused.iter().all(|found| found.as_ref().is_err_and(EvalError::is_compile)), "{refused:?}");
    }
}

fn too_large() -> Expr {
    let pattern = format!("{}qq", ".{1000}".repeat(60));
    let regex = Regex { pattern, ignore_case: false, multiline: false, dot_all: false };
    predicate("image", (FieldType::String, false), Test::Regex(regex))
}

#[test]
fn a_rule_of_many_searches_that_is_asked_alone_is_refused_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path(), EVENTS);
    let absent = (0..WIDE).map(|n| holds("image", false, TextMatch::Contains, &format!("absent {n}")));
    let absent = Expr::Or(absent.collect());
    for (predicate, is_refused) in [(absent.clone(), false), (Expr::And(vec![absent, too_large()]), true)] {
        let plan = plan(predicate);
        assert!(is_wide(&plan));
        let found = matches(&mut store, &plan, &emit(&plan), Slice::first(10), &Cancel::never());
        match is_refused {
            true => assert!(found.as_ref().is_err_and(EvalError::is_compile), "{found:?}"),
            false => assert_eq!(found.unwrap().summary.matches, 0),
        }
    }
}

fn of_class(plan: Plan, class_uid: u32) -> Plan {
    let scope = RoutedScope { class_uids: vec![ClassUid(class_uid)], ..(*plan.scope).clone() };
    Plan { scope: scope.into(), ..plan }
}

/// Scopes of class 1, each with a rule for each value; and of class 2, which holds most of the events.
#[test]
fn scopes_of_classes_that_few_events_have_are_read_together() {
    let events =
        "SELECT if(n < 20, 1, 2) AS class_uid, n AS \"time\", 'e' || n AS \"metadata.uid\", n % 4 AS code,
        ['cmd', 'sh', NULL][n % 3 + 1] AS image FROM range(200) t(n)";
    let folder = tempfile::tempdir().unwrap();
    let mut store = store(folder.path(), events);
    let coded = |class_uid, code: i64, value: &str| {
        let mut plan = of_class(plan(holds("image", false, TextMatch::Equals, value)), class_uid);
        let path = OcsfPath("code".to_owned());
        let (field_type, list) = (FieldType::Integer, false);
        plan.columns.insert(path.clone(), ColumnType { field_type, list });
        let (op, value) = (FilterOp::Eq, code.into());
        let filter = RouteFilter { path, field_type, list, op, value, notes: None };
        std::sync::Arc::make_mut(&mut plan.scope).filters.push(filter);
        plan
    };
    let wanted: Vec<(u32, i64, &str)> = [1, 2]
        .into_iter()
        .flat_map(|class| (0..4).map(move |code| (class, code)))
        .flat_map(|(class, code)| ["cmd", "sh", "zsh"].map(|value| (class, code, value)))
        .collect();
    let plans: Vec<Plan> = wanted.iter().map(|(class, code, value)| coded(*class, *code, value)).collect();
    let sql: Vec<_> = plans.iter().map(emit).collect();
    let rules: Vec<_> = plans.iter().zip(&sql).collect();

    let mut by_scope: BTreeMap<&str, Vec<Job<'_>>> = BTreeMap::new();
    for (index, (plan, sql)) in rules.iter().enumerate() {
        by_scope.entry(&sql.scope).or_default().push(Job { index, plan, sql });
    }
    let grouped = scopes::grouped(&mut store, by_scope, &Cancel::never());
    let together: Vec<usize> = grouped.together.iter().map(Vec::len).collect();
    assert_eq!((together, grouped.without_events.len()), (vec![12, 3, 3, 3, 3], 0));

    let found = matched(&mut store, &rules, &Cancel::never());
    for ((class, code, value), found) in wanted.into_iter().zip(found) {
        let holds = |n: &i64| {
            (*n < 20) == (class == 1) && n % 4 == code && ["cmd", "sh", ""][(n % 3) as usize] == value
        };
        let expected: Vec<_> = (0..200).filter(holds).map(|n| (format!("e{n}"), Some(n))).collect();
        let mut events = found.unwrap().events.unwrap();
        events.sort_by_key(|(_, time)| *time);
        assert_eq!(events, expected, "{class} {code} {value}");
    }
}
