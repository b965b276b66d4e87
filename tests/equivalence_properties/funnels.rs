//! Attribution of a generated plan, against what the interpreter says of each event.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::subsequence;
use sigma_ocsf_tui::attribution::{self, Attribution, Cause, FunnelRow, RowKind};
use sigma_ocsf_tui::backend::interpreter::{Event, Interpreter};
use sigma_ocsf_tui::bridge::ir::{Expr, Predicate};
use sigma_ocsf_tui::bridge::{ColumnType, Plan};
use sigma_ocsf_tui::evaluate::Cancel;
use sigma_ocsf_tui::ocsf::{FieldType, OcsfPath};
use sigma_ocsf_tui::pack::{FilterOp, RouteFilter};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};

use crate::agreement::write_parquet;
use crate::events::{Row, SOURCE};
use crate::rules;

/// Producer predicates: one that all events pass, and some that a part does.
pub fn filters() -> impl Strategy<Value = Vec<RouteFilter>> {
    let filter = |path: &str, op, value: serde_json::Value| RouteFilter {
        path: OcsfPath(path.to_owned()),
        field_type: FieldType::String,
        list: false,
        op,
        value,
        notes: None,
    };
    let all = vec![
        filter("metadata.source_type", FilterOp::Eq, SOURCE.into()),
        filter("raw.s.one", FilterOp::Exists, true.into()),
        filter("raw.s.one", FilterOp::Nin, vec!["a", "b"].into()),
    ];
    subsequence(all, 0..=3)
}

/// A line for each number that differs.
pub fn differences(plan: &Plan, events: &[Row]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    write_parquet(events, &folder.path().join("events.parquet"));
    let found = attribute(plan, folder.path());
    let oracle = Oracle { plan, events: events.iter().map(Row::event).collect() };
    let mut differences = oracle.funnel(&found.funnel);
    differences.extend(oracle.near_misses(&found));
    let in_scope = oracle.count(&plan.scope.filters, None);
    let expected = match (found.finding.matches, in_scope) {
        (1.., _) => found.finding.cause == Cause::Matched,
        (0, 0) => found.finding.cause == Cause::MissingTelemetry,
        (0, _) => {
            let needed = found.finding.empty_fields.iter().any(|field| field.needed);
            matches!((needed, found.finding.cause), (true, Cause::BridgeGap) | (false, Cause::RuleLogic))
        }
    };
    if !expected {
        differences.push(format!("{in_scope} events in scope, and {:?}", found.finding));
    }
    differences
}

/// The generated columns are all `raw.*`, so that a needed one is a gap of the bridge.
fn attribute(plan: &Plan, folder: &Path) -> Attribution {
    let rule = "title: T\nlogsource: {category: test}\ndetection: {a: {raw.i.one: 1}, condition: a}\n";
    let mut compiled = rules::compiled(&[rule.to_owned()]).remove(0);
    let mut store = Store::open(Dataset::discover(folder).unwrap(), SessionSettings::default()).unwrap();
    // What the predicates read, and more.
    let columns = store.schema().columns.iter().filter_map(|(path, column)| {
        let (field_type, list) = (column.field_type?, column.list);
        Some((path.clone(), ColumnType { field_type, list }))
    });
    compiled.compilation.plan = Some(Plan { columns: columns.collect(), ..plan.clone() });
    attribution::attribute(&mut store, &compiled, None, &Cancel::never()).unwrap()
}

struct Oracle<'p> {
    plan: &'p Plan,
    events: Vec<Event>,
}

impl Oracle<'_> {
    fn holds(&self, filters: &[RouteFilter], predicate: Option<&Expr>, event: &Event) -> bool {
        let mut plan = self.plan.clone();
        Arc::make_mut(&mut plan.scope).filters = filters.to_vec();
        let matches = |plan: &Plan| Interpreter::new(plan).unwrap().matches(event);
        match predicate {
            Some(predicate) => {
                plan.predicate = predicate.clone();
                matches(&plan)
            }
            // It holds or it does not.
            None => {
                let negated = Plan { predicate: Expr::Not(Box::new(plan.predicate.clone())), ..plan.clone() };
                matches(&plan) || matches(&negated)
            }
        }
    }

    fn count(&self, filters: &[RouteFilter], predicate: Option<&Expr>) -> u64 {
        self.events.iter().filter(|event| self.holds(filters, predicate, event)).count() as u64
    }

    fn alone(&self, predicate: &Expr) -> u64 {
        self.count(&self.plan.scope.filters, Some(predicate))
    }

    fn funnel(&self, rows: &[FunnelRow]) -> Vec<String> {
        let mut expected: Vec<(RowKind, u64)> = Vec::new();
        let filters = &self.plan.scope.filters;
        expected.push((RowKind::Class, self.count(&[], None)));
        expected.extend((1..=filters.len()).map(|to| (RowKind::Filter, self.count(&filters[..to], None))));
        let parts = conjuncts(&self.plan.predicate);
        let mut told = rows.iter();
        let mut differences = Vec::new();
        for (kind, events) in expected {
            let row = told.next().unwrap();
            if (row.kind, row.events) != (kind, events) {
                differences.push(format!("expected {kind:?} {events}, told {row:?}"));
            }
        }
        let steps = rows.iter().filter(|row| {
            row.cumulative && !matches!(row.kind, RowKind::Class | RowKind::Filter | RowKind::Condition)
        });
        for (at, row) in steps.enumerate() {
            let so_far = Expr::And(parts[..=at].to_vec());
            if (row.events, row.alone) != (self.alone(&so_far), Some(self.alone(&parts[at]))) {
                differences.push(format!(
                    "step {at}: {} {}, told {row:?}",
                    self.alone(&so_far),
                    self.alone(&parts[at])
                ));
            }
        }
        let mut shown = rows.iter().filter(|row| row.kind == RowKind::Predicate);
        predicates(&self.plan.predicate, &mut |predicate| {
            let (row, events) = (shown.next().unwrap(), self.alone(&Expr::Predicate(predicate.clone())));
            if row.alone != Some(events) {
                differences.push(format!("predicate: {events}, told {row:?}"));
            }
        });
        let condition = rows.last().unwrap();
        if condition.events != self.alone(&self.plan.predicate) {
            differences.push(format!("condition: told {condition:?}"));
        }
        differences
    }

    /// Near misses and matches are what they say, and no event in scope is nearer than the first.
    fn near_misses(&self, found: &Attribution) -> Vec<String> {
        let filters = &self.plan.scope.filters;
        let event = |id: &str| &self.events[id[1..].parse::<usize>().unwrap()];
        let mut differences = Vec::new();
        for near in &found.nearest {
            let distance = self.distance(&self.plan.predicate, true, event(&near.event.id));
            if distance != near.distance || distance == 0 {
                differences.push(format!("at a distance of {distance}, told {near:?}"));
            }
        }
        let in_scope = self.events.iter().filter(|event| self.holds(filters, None, event));
        let nearest = in_scope.map(|event| self.distance(&self.plan.predicate, true, event)).min();
        let told = found.nearest.first().map(|near| near.distance);
        if found.finding.matches == 0 && told != nearest {
            differences.push(format!("the nearest is at {nearest:?}, told {told:?}"));
        }
        for matched in &found.matches {
            if !self.holds(filters, Some(&self.plan.predicate), event(&matched.event.id)) {
                differences.push(format!("does not match: {matched:?}"));
            }
        }
        differences
    }

    fn distance(&self, expr: &Expr, wanted: bool, event: &Event) -> u64 {
        let of =
            |parts: &[Expr]| parts.iter().map(|part| self.distance(part, wanted, event)).collect::<Vec<_>>();
        match expr {
            Expr::And(parts) if wanted => of(parts).iter().sum(),
            Expr::Or(parts) if !wanted => of(parts).iter().sum(),
            Expr::And(parts) | Expr::Or(parts) => of(parts).into_iter().min().unwrap(),
            Expr::Not(part) => self.distance(part, !wanted, event),
            Expr::Selection { body, .. } => self.distance(body, wanted, event),
            Expr::Predicate(_) => (self.holds(&self.plan.scope.filters, Some(expr), event) != wanted).into(),
        }
    }
}

fn conjuncts(expr: &Expr) -> Vec<Expr> {
    match expr {
        Expr::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other.clone()],
    }
}

fn predicates(expr: &Expr, visit: &mut dyn FnMut(&Predicate)) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| predicates(part, visit)),
        Expr::Not(part) => predicates(part, visit),
        Expr::Selection { body, .. } => predicates(body, visit),
        Expr::Predicate(predicate) => visit(predicate),
    }
}
