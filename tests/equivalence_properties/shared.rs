//! Generated rules at once, which share a reading that rules most of their events out, against one event at a time.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sigma_ocsf_tui::backend::interpreter::Interpreter;
use sigma_ocsf_tui::backend::{Sql, duckdb_sql};
use sigma_ocsf_tui::bridge::ir::{Expr, FieldExpr, Predicate};
use sigma_ocsf_tui::bridge::{ColumnType, Plan};
use sigma_ocsf_tui::evaluate::{Cancel, matched};
use sigma_ocsf_tui::ocsf::FieldType;
use sigma_ocsf_tui::pack::RouteFilter;
use sigma_ocsf_tui::sigma::{SigmaField, Span};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};

use crate::agreement::write_parquet;
use crate::events::{self, Row};
use crate::predicates;

/// Rules of one scope that are enough for a shared reading.
pub const ENOUGH: usize = 8;

/// Tests of text in columns, which is what the shared reading looks for.
pub fn literals() -> impl Strategy<Value = Expr> {
    let column = select(events::columns(FieldType::String)).prop_map(FieldExpr::Column);
    let leaf = (column, predicates::text_test()).prop_map(|(source, test)| {
        Expr::Predicate(Predicate {
            field: SigmaField("f".to_owned()),
            source: source.into(),
            test,
            span: Span::default(),
        })
    });
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![vec(inner.clone(), 1..4).prop_map(Expr::And), vec(inner, 1..4).prop_map(Expr::Or)]
    })
}

/// A plan that says which columns it reads, as the compiler's do.
pub fn plan(predicate: Expr, filters: Vec<RouteFilter>) -> Plan {
    let mut plan = predicates::plan(predicate);
    let told_by = filters.iter().map(|filter| (&filter.path, filter.field_type, filter.list));
    plan.columns =
        told_by.map(|(path, field_type, list)| (path.clone(), ColumnType { field_type, list })).collect();
    plan.predicate.visit_columns(&mut |column| {
        let column_type = ColumnType { field_type: column.field_type, list: column.list };
        plan.columns.insert(column.path.clone(), column_type);
    });
    Arc::make_mut(&mut plan.scope).filters = filters;
    plan
}

/// The events, and many more of a class that no plan looks at: scopes of classes that few events have are read together.
pub fn among_others(events: Vec<Row>) -> Vec<Row> {
    let others: Vec<Row> = events.iter().cycle().take(4 * events.len()).cloned().collect();
    let others = others.into_iter().map(|row| Row { class_uid: 3, ..row });
    events.into_iter().chain(others).collect()
}

/// A paragraph for each plan that matches other events than the interpreter says, asked one event at a time.
pub fn differences(plans: &[&Plan], events: &[Row]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    write_parquet(events, &folder.path().join("events.parquet"));
    let dataset = Dataset::discover(folder.path()).unwrap();
    let mut store = Store::open(dataset, SessionSettings::default()).unwrap();
    let sql: Vec<Sql> = plans.iter().map(|plan| duckdb_sql::emit(plan)).collect();
    let rules: Vec<(&Plan, &Sql)> = plans.iter().copied().zip(&sql).collect();
    let together = matched(&mut store, &rules, &Cancel::never());
    let mut differences = Vec::new();
    for ((plan, sql), mut together) in rules.into_iter().zip(together) {
        // They come in no order.
        let events_found = together.as_mut().ok().and_then(|found| found.events.as_mut());
        events_found.into_iter().for_each(|found| found.sort_by_key(|(_, time)| *time));
        let interpreter = Interpreter::new(plan).unwrap();
        let holds = |(_, row): &(i64, &Row)| interpreter.matches(&row.event());
        let expected: Vec<(String, Option<i64>)> =
            (0..).zip(events).filter(holds).map(|(id, _)| (format!("e{id}"), Some(id))).collect();
        let agrees = together.as_ref().is_ok_and(|found| {
            found.summary.matches == expected.len() as u64
                && found.summary.first_seen == expected.first().and_then(|(_, time)| *time)
                && found.summary.last_seen == expected.last().and_then(|(_, time)| *time)
                && found.events.as_ref().is_none_or(|events| *events == expected)
        });
        if !agrees {
            let predicate = &sql.predicate;
            differences.push(format!("{together:?} with others, {expected:?} one by one\n{predicate}"));
        }
    }
    differences
}
