//! What the asker says is what the interpreter says of each plan by itself.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::backend::interpreter::{Event, Interpreter};
use crate::bridge::RoutedScope;
use crate::bridge::ir::{Expr, FieldExpr, Network, Number, PatternPart, Predicate, Regex, Test};
use crate::ocsf::FieldType;
use crate::pack::{Column, Computed, FilterOp, PackPlace, RouteFilter, Scalar};
use crate::sigma::{Comparison, SigmaField, Span, TextMatch, text};

fn column(path: &str, field_type: FieldType, list: bool) -> Column {
    Column { path: OcsfPath(path.to_owned()), field_type, list }
}

fn texts() -> impl Strategy<Value = FieldExpr> {
    let text = |path: &str| FieldExpr::Column(column(path, FieldType::String, false));
    let list = || FieldExpr::Column(column("l.x", FieldType::String, true));
    let joined = Scalar::Concat(vec![
        Scalar::Column(column("a", FieldType::String, false)),
        Scalar::Text("-".to_owned()),
        Scalar::Column(column("b.c", FieldType::String, false)),
    ]);
    let computed =
        Computed { text: "joined".to_owned(), scalar: joined, field_type: FieldType::String, list: false };
    let per_class = FieldExpr::PerClass(vec![
        (ClassUid(1), text("a")),
        (ClassUid(2), FieldExpr::AnyOf(vec![text("b.c"), list()])),
    ]);
    prop_oneof![
        4 => Just(text("a")),
        2 => Just(text("b.c")),
        2 => Just(list()),
        1 => Just(FieldExpr::AnyOf(vec![text("a"), list()])),
        1 => Just(FieldExpr::Computed(computed)),
        1 => Just(per_class),
    ]
}

/// Text that falls together in more than one way.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("abc"),
        Just("ab"),
        Just("B"),
        Just("s"),
        Just("ſ"),
        Just("\u{212a}"),
        Just("é"),
        Just("É"),
        Just("10."),
        Just("1.2.3"),
        Just("-"),
        Just("–"),
        Just(" ")
    ]
    .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    vec(piece(), 0..4).prop_map(|pieces| pieces.concat())
}

fn with_case(value: String, cased: bool) -> String {
    if cased { value } else { text::fold(&value) }
}

fn text_test() -> impl Strategy<Value = Test> {
    let position =
        || prop_oneof![Just(TextMatch::Contains), Just(TextMatch::StartsWith), Just(TextMatch::EndsWith)];
    let part = prop_oneof![
        3 => piece().prop_map(PatternPart::Text),
        1 => Just(PatternPart::AnyRun),
        1 => Just(PatternPart::AnyOne),
        1 => Just(PatternPart::Dash),
    ];
    let regex = prop_oneof![
        Just("abc"),
        Just("(?i)abs"),
        Just("ab+c.*10"),
        Just("^abc|s$"),
        Just(r"\babc\b"),
        Just("[a-c]{3}"),
        Just("(abc)?é")
    ];
    let other = FieldExpr::Column(column("b.c", FieldType::String, false));
    prop_oneof![
        (vec(value(), 1..4), any::<bool>()).prop_map(|(values, cased)| {
            let values: BTreeSet<String> = values.into_iter().map(|value| with_case(value, cased)).collect();
            Test::TextIn { values: values.into_iter().collect(), cased }
        }),
        (position(), value(), any::<bool>()).prop_map(|(position, value, cased)| Test::Text {
            position,
            value: with_case(value, cased),
            cased
        }),
        (vec(part, 1..5), any::<bool>()).prop_map(|(parts, cased)| {
            let folded = parts.into_iter().map(|part| match part {
                PatternPart::Text(text) => PatternPart::Text(with_case(text, cased)),
                part => part,
            });
            Test::Pattern { parts: folded.collect(), cased }
        }),
        (regex, any::<bool>()).prop_map(|(pattern, ignore_case)| {
            Test::Regex(Regex { pattern: pattern.to_owned(), ignore_case, multiline: false, dot_all: false })
        }),
        Just(Test::Network(Network::V4([10, 1, 0, 0].into(), 16))),
        Just(Test::Exists),
        Just(Test::Missing),
        (position(), any::<bool>()).prop_map(move |(position, cased)| Test::OtherText {
            position,
            other: other.clone().into(),
            cased
        }),
    ]
}

fn other_test() -> impl Strategy<Value = (FieldExpr, Test)> {
    let number = || FieldExpr::Column(column("n", FieldType::Integer, false));
    let truth = FieldExpr::Column(column("yes", FieldType::Boolean, false));
    prop_oneof![
        vec(0..4_i32, 1..3).prop_map(move |numbers| {
            let numbers: BTreeSet<i32> = numbers.into_iter().collect();
            let numbers = numbers.into_iter().map(|number| Number::Integer(number.into()));
            (number(), Test::NumberIn(numbers.collect()))
        }),
        Just((number(), Test::NumberIn(vec![Number::Float(1.5), Number::Integer(2)]))),
        Just((number(), Test::Compare(Comparison::Gt, Number::Integer(1)))),
        Just((truth, Test::BooleanIn(vec![true]))),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    let test = prop_oneof![4 => (texts(), text_test()), 1 => other_test()];
    let predicate = test.prop_map(|(source, test)| {
        Expr::Predicate(Predicate {
            field: SigmaField(String::new()),
            source: source.into(),
            test,
            span: Span::default(),
        })
    });
    predicate.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(Expr::And),
            vec(inner.clone(), 1..4).prop_map(Expr::Or),
            inner.prop_map(|part| Expr::Not(Box::new(part))),
        ]
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let filter = |op, value: Json| RouteFilter {
        path: OcsfPath("route".to_owned()),
        field_type: FieldType::String,
        list: false,
        op,
        value,
        notes: None,
    };
    let filters = prop_oneof![
        Just(vec![]),
        Just(vec![filter(FilterOp::Eq, json!("here"))]),
        Just(vec![filter(FilterOp::Exists, json!(true)), filter(FilterOp::Regex, json!("^h"))]),
    ];
    let classes = prop_oneof![Just(vec![ClassUid(1)]), Just(vec![ClassUid(1), ClassUid(2)])];
    (expr(), filters, classes).prop_map(|(predicate, filters, class_uids)| {
        let mut columns = BTreeMap::new();
        predicate.visit_columns(&mut |column| {
            let of_type = ColumnType { field_type: column.field_type, list: column.list };
            columns.insert(column.path.clone(), of_type);
        });
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
            columns,
            shown: Vec::new(),
            fallback_used: false,
            capabilities: BTreeSet::new(),
        }
    })
}

fn json_value() -> impl Strategy<Value = Json> {
    let scalar = || {
        prop_oneof![
            6 => value().prop_map(Json::from),
            1 => (0..4_i32).prop_map(Json::from),
            1 => Just(json!(1.5)),
            1 => any::<bool>().prop_map(Json::from),
            1 => Just(Json::Null),
        ]
    };
    let object =
        vec((prop_oneof![Just("x"), Just("c"), Just("d.e"), Just("")], scalar()), 0..3).prop_map(|fields| {
            fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>()
        });
    let one = prop_oneof![3 => scalar(), 1 => object.prop_map(Json::Object)];
    prop_oneof![4 => scalar(), 1 => one.clone(), 1 => vec(one, 0..3).prop_map(Json::Array)]
}

/// An event as text: its names dotted or nested, now and then twice.
fn line() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        4 => Just("a"), 2 => Just("b.c"), 1 => Just("b"), 1 => Just("l"), 1 => Just("l.x"), 1 => Just("n"),
        1 => Just("yes"), 1 => Just("other"), 1 => Just("")
    ];
    let route = prop_oneof![Just("\"here\""), Just("\"hidden\""), Just("null")];
    (1..4_u32, route, vec((key, json_value()), 0..6)).prop_map(|(class, route, fields)| {
        let fields: Vec<String> =
            fields.into_iter().map(|(key, value)| format!(", {}: {value}", Json::from(key))).collect();
        format!("{{\"class_uid\": {class}, \"route\": {route}{}}}", fields.concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_says_of_each_plan_what_the_interpreter_says(
        plans in vec(plan(), 1..8),
        lines in vec(line(), 1..12),
    ) {
        let mut made = Plans::default();
        made.add(&plans).unwrap();
        let mut asker = Asker::new(made);
        let mut matched = Vec::new();
        for line in &lines {
            asker.read(line.as_bytes()).unwrap();
            let clashes = !asker.clashes().is_empty();
            asker.matched(clashes, &mut |_| true, &mut matched);
            let event = Event::from_json(&serde_json::from_str(line).unwrap());
            let says = |plan: &Plan| Interpreter::new(plan).unwrap().matches(&event);
            let expected: BTreeSet<usize> =
                plans.iter().enumerate().filter(|(_, plan)| says(plan)).map(|(number, _)| number).collect();
            prop_assert_eq!(matched.iter().copied().collect::<BTreeSet<_>>(), expected.clone(), "{}", line);
            // What a search decides is what is found without one.
            asker.matched(true, &mut |_| true, &mut matched);
            let expected: Vec<usize> = expected.into_iter().collect();
            matched.sort_unstable();
            prop_assert_eq!(&matched, &expected, "{}", line);
        }
    }
}

#[test]
fn events_of_another_version_and_lines_that_are_none_are_refused() {
    let mut asker = Asker::new(Plans::default());
    assert!(asker.read(br#"{"class_uid": 1}"#).is_ok());
    assert!(
        asker
            .read(format!(r#"{{"class_uid": 1, "metadata": {{"version": "{OCSF_VERSION}"}}}}"#).as_bytes())
            .is_ok()
    );
    assert!(asker.read(br#"{"class_uid": 1, "metadata.version": null}"#).is_ok());
    for other in [r#""1.1.0""#, "1.7", "[]"] {
        let line = format!(r#"{{"class_uid": 1, "metadata.version": {other}}}"#);
        assert!(matches!(asker.read(line.as_bytes()), Err(Rejected::Version(_))), "{other}");
    }
    assert!(matches!(asker.read(b"[1]"), Err(Rejected::NotAnObject)));
    assert!(matches!(asker.read(b"{\"a\": 1} {}"), Err(Rejected::Json(_))));
    assert!(matches!(asker.read(b"{\"a\": \"\xff\"}"), Err(Rejected::Json(_))));
    assert!(matches!(asker.read(br#"{"class_uid": "1"}"#), Err(Rejected::NoClass)));
}
