//! How often the fields of a rule are filled, and what an alias that is an expression holds.

use sigma_ocsf_tui::authoring::{Fills, Literal, alias_evidence, fills};
use sigma_ocsf_tui::backend::CompiledRule;
use sigma_ocsf_tui::bridge::ir::FieldExpr;
use sigma_ocsf_tui::evaluate::Cancel;
use sigma_ocsf_tui::ocsf::{FieldType, OcsfPath};
use sigma_ocsf_tui::pack::Column;
use sigma_ocsf_tui::sigma::{SigmaField, TextMatch};

use crate::world::{World, compiled};

fn world() -> World {
    World::launches(&[
        (r"C:\a.exe", Some("a one")),
        (r"C:\a.exe", None),
        (r"D:\b.exe", Some("b")),
        (r"D:\c.exe", None),
    ])
}

fn rule(condition: &str) -> CompiledRule {
    let text = format!(
        "title: t\nlogsource: {{ category: process_creation, product: windows }}\n\
         detection:\n    sel: {{ Image: 'x', CommandLine: 'y', ParentImage: 'z' }}\n    \
         other: {{ NoSuchField: 'x' }}\n    condition: {condition}\n"
    );
    compiled(&text, false).pop().unwrap()
}

fn filled(fills: &Fills, field: &str) -> Option<u64> {
    fills.fields.get(&SigmaField(field.to_owned())).copied()
}

#[test]
fn fields_are_counted_within_the_scope_and_absent_columns_are_empty() {
    let counted = fills(&mut world().store(), &rule("sel").compilation, &Cancel::never()).unwrap().unwrap();
    assert_eq!(counted.in_scope, 4);
    assert_eq!(filled(&counted, "Image"), Some(4));
    assert_eq!(filled(&counted, "CommandLine"), Some(2));
    assert_eq!(filled(&counted, "ParentImage"), Some(0));
}

#[test]
fn a_refused_rule_is_counted_too_without_the_field_that_has_no_alias() {
    let rule = rule("sel and other");
    assert!(rule.sql.is_none(), "the field has no alias");
    let counted = fills(&mut world().store(), &rule.compilation, &Cancel::never()).unwrap().unwrap();
    assert_eq!((filled(&counted, "CommandLine"), filled(&counted, "NoSuchField")), (Some(2), None));
}

#[test]
fn a_rule_without_a_route_has_no_scope_to_count_in() {
    let text =
        "title: t\nlogsource: { category: nowhere }\ndetection:\n    sel: { A: 'x' }\n    condition: sel\n";
    let rule = compiled(text, false).pop().unwrap();
    assert_eq!(fills(&mut world().store(), &rule.compilation, &Cancel::never()).unwrap(), None);
}

#[test]
fn a_column_of_another_type_is_left_out() {
    let world = World::new(
        "SELECT 1007 AS class_uid, 1 AS activity_id, 'windows-sysmon' AS \"metadata.source_type\", \
         'e' AS \"metadata.event_id\", CAST(0 AS BIGINT) AS \"time\", 'x' AS \"process.file.path\", \
         7 AS \"process.cmd_line\"",
    );
    let counted = fills(&mut world.store(), &rule("sel").compilation, &Cancel::never()).unwrap().unwrap();
    assert_eq!((filled(&counted, "Image"), filled(&counted, "CommandLine")), (Some(1), None));
}

#[test]
fn an_alias_of_several_places_has_the_evidence_of_all_of_them() {
    let column = |path: &str| {
        let path = OcsfPath(path.to_owned());
        FieldExpr::Column(Column { path, field_type: FieldType::String, list: false })
    };
    let either = FieldExpr::AnyOf(vec![column("process.file.path"), column("process.cmd_line")]);
    let scope = rule("sel").compilation.routing.scope.unwrap();
    let literal = |text: &str, position| Literal { text: text.to_owned(), position };
    let literals = [literal("ONE", TextMatch::EndsWith), literal("nowhere", TextMatch::Contains)];
    let world = world();
    let mut store = world.store();
    let evidence = alias_evidence(
        &mut store,
        &[(*scope).clone()],
        &either,
        FieldType::String,
        &literals,
        &Cancel::never(),
    )
    .unwrap()
    .unwrap();
    assert_eq!((evidence.filled, evidence.holds), (4, 1));
    let samples: Vec<_> = evidence.samples.iter().map(|s| (s.value.as_str(), s.events)).collect();
    assert_eq!(samples, [(r"C:\a.exe", 2), (r"D:\b.exe", 1), (r"D:\c.exe", 1)]);
}
