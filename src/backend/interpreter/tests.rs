//! Plans written by hand, asked of events written by hand.

use serde_json::json;

use super::*;
use crate::bridge::RoutedScope;
use crate::ocsf::{FieldType, OcsfPath};
use crate::pack::{Column, PackPlace, RouteFilter};
use crate::sigma::{SigmaField, Span, TextMatch};

fn plan(predicate: Expr, filters: Vec<RouteFilter>) -> Plan {
    let class_uids = vec![ClassUid(1), ClassUid(2)];
    let scope = RoutedScope {
        logsource: String::new(),
        class_uids,
        filters,
        keywords: Vec::new(),
        place: PackPlace::default(),
    };
    Plan {
        scope: scope.into(),
        predicate,
        columns: Default::default(),
        shown: Vec::new(),
        fallback_used: false,
        capabilities: Default::default(),
    }
}

fn column(path: &str) -> FieldExpr {
    FieldExpr::Column(Column { path: OcsfPath(path.to_owned()), field_type: FieldType::String, list: false })
}

fn predicate(source: FieldExpr, test: Test) -> Expr {
    Expr::Predicate(Predicate {
        field: SigmaField(String::new()),
        source: source.into(),
        test,
        span: Span::default(),
    })
}

fn contains(text: &str) -> Test {
    Test::Text { position: TextMatch::Contains, value: text.to_owned(), cased: false }
}

fn matches(predicate: Expr, filters: Vec<RouteFilter>, event: serde_json::Value) -> bool {
    let plan = plan(predicate, filters);
    Interpreter::new(&plan).expect("no regular expression is refused").matches(&Event::from_json(&event))
}

#[test]
fn null_is_false_and_its_negation_true() {
    let test = || predicate(column("a.b"), contains("x"));
    let not = || Expr::Not(Box::new(test()));
    assert!(matches(test(), vec![], json!({"class_uid": 1, "a": {"b": "aXb"}})));
    for null in
        [json!({"class_uid": 1}), json!({"class_uid": 1, "a.b": null}), json!({"class_uid": 1, "a": {}})]
    {
        assert!(!matches(test(), vec![], null.clone()));
        assert!(matches(not(), vec![], null));
    }
    assert!(!matches(not(), vec![], json!({"class_uid": 3})), "out of scope");
}

#[test]
fn any_element_of_a_list_counts() {
    let event = json!({"class_uid": 1, "a": [{"b": null}, {"b": "X"}]});
    assert!(matches(predicate(column("a.b"), contains("x")), vec![], event.clone()));
    assert!(!matches(predicate(column("a.c"), contains("")), vec![], event.clone()));
    assert!(matches(predicate(column("a.c"), Test::Exists), vec![], event));
    assert!(matches(predicate(column("a"), Test::Exists), vec![], json!({"class_uid": 1, "a": []})));
}

#[test]
fn several_places_are_missing_together_and_classes_apart() {
    let any = || FieldExpr::AnyOf(vec![column("a"), column("b")]);
    let event = json!({"class_uid": 1, "b": "x"});
    assert!(matches(predicate(any(), Test::Exists), vec![], event.clone()));
    assert!(!matches(predicate(any(), Test::Missing), vec![], event.clone()));
    let per_class = || FieldExpr::PerClass(vec![(ClassUid(2), column("b"))]);
    assert!(matches(predicate(per_class(), Test::Missing), vec![], event.clone()));
    assert!(!matches(predicate(per_class(), contains("x")), vec![], event));
    assert!(matches(predicate(per_class(), contains("x")), vec![], json!({"class_uid": 2, "b": "x"})));
}

#[test]
fn filters_narrow_by_type_and_presence() {
    let filter = |op, value| RouteFilter {
        path: OcsfPath("raw.channel".to_owned()),
        field_type: FieldType::String,
        list: false,
        op,
        value,
        notes: None,
    };
    let event = |value: serde_json::Value| json!({"class_uid": 1, "raw.channel": value});
    let passes = |op, wanted, value| {
        matches(predicate(column("none"), Test::Missing), vec![filter(op, wanted)], event(value))
    };
    use FilterOp::{Contains, Eq, Exists, In, Neq, Nin, Prefix, Regex, Suffix};
    assert!(passes(Eq, json!("a"), json!("a")) && !passes(Eq, json!("a"), json!("A")));
    assert!(!passes(Eq, json!("1"), json!(1)) && passes(Eq, json!(1), json!(1.0)));
    assert!(passes(Neq, json!("a"), json!("b")) && !passes(Neq, json!("a"), json!(null)));
    assert!(passes(In, json!(["a", "b"]), json!("b")) && !passes(Nin, json!(["a"]), json!(null)));
    assert!(passes(Nin, json!(["a"]), json!(["a", "c"])) && !passes(Nin, json!(["a"]), json!(["a"])));
    assert!(passes(Exists, json!(null), json!("")) && passes(Exists, json!(false), json!(null)));
    assert!(passes(Contains, json!("bc"), json!("abcd")) && !passes(Contains, json!("BC"), json!("abcd")));
    assert!(passes(Prefix, json!("ab"), json!("abcd")) && passes(Suffix, json!("cd"), json!(["abcd"])));
    assert!(passes(Regex, json!("b.d$"), json!("abcd")) && !passes(Regex, json!("b"), json!(null)));
}
