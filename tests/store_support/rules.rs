//! Plans written by hand, and the store that they run on.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

use sigma_ocsf_tui::backend::Sql;
use sigma_ocsf_tui::bridge::ir::Expr;
use sigma_ocsf_tui::bridge::{ColumnType, Plan, RoutedScope};
use sigma_ocsf_tui::ocsf::{ClassUid, FieldType, OcsfPath};
use sigma_ocsf_tui::pack::PackPlace;
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};

/// A plan over one class whose predicate is the SQL `selection`; `columns` are those that it reads.
pub fn rule(class_uid: u32, selection: &str, columns: &[(&str, FieldType, bool)]) -> (Plan, Sql) {
    let column = |(path, field_type, list): &(&str, FieldType, bool)| {
        (OcsfPath((*path).to_owned()), ColumnType { field_type: *field_type, list: *list })
    };
    let scope = RoutedScope {
        keywords: Vec::new(),
        logsource: "test/*/*".to_owned(),
        class_uids: vec![ClassUid(class_uid)],
        filters: Vec::new(),
        place: PackPlace::default(),
    };
    let plan = Plan {
        scope: scope.into(),
        predicate: Expr::And(Vec::new()),
        columns: columns.iter().map(column).collect(),
        shown: columns.iter().map(|(path, ..)| OcsfPath((*path).to_owned())).collect(),
        fallback_used: false,
        capabilities: BTreeSet::new(),
    };
    (plan, sql(class_uid, selection))
}

fn sql(class_uid: u32, selection: &str) -> Sql {
    let scope = format!("\"class_uid\" IN ({class_uid})");
    let predicate = format!("{scope}\n  AND ({selection})");
    let text = format!("SELECT \"metadata.event_id\", \"time\"\nFROM ocsf_events\nWHERE {predicate}");
    Sql { lines: vec![None; text.lines().count()], text, predicate, scope }
}

pub fn open(root: &Path) -> Store {
    Store::open(Dataset::discover(root).unwrap(), SessionSettings::default()).unwrap()
}
