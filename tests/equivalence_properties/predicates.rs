//! Expressions of the middle form, well formed as its documentation says.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sigma_ocsf_tui::bridge::ir::{Expr, FieldExpr, Network, Number, PatternPart, Predicate, Regex, Test};
use sigma_ocsf_tui::bridge::{Plan, RoutedScope};
use sigma_ocsf_tui::ocsf::{ClassUid, FieldType};
use sigma_ocsf_tui::pack::PackPlace;
use sigma_ocsf_tui::sigma::{Comparison, SigmaField, Span, TextMatch, TimePart, text};

use crate::{events, scalars, texts};

/// A plan over two of the events' three classes.
pub fn plan(predicate: Expr) -> Plan {
    let class_uids = vec![ClassUid(1), ClassUid(2)];
    let scope = RoutedScope {
        keywords: Vec::new(),
        logsource: String::new(),
        class_uids,
        filters: Vec::new(),
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

pub fn expr() -> impl Strategy<Value = Expr> {
    let leaf = predicate().prop_map(Expr::Predicate);
    leaf.prop_recursive(5, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(Expr::And),
            vec(inner.clone(), 1..4).prop_map(Expr::Or),
            inner.clone().prop_map(|part| Expr::Not(Box::new(part))),
            ("[a-z\n]{1,3}", inner).prop_map(|(name, body)| Expr::Selection {
                name,
                span: Span::default(),
                body: body.into()
            }),
        ]
    })
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let of_field = prop_oneof![
        5 => (text_source(), prop_oneof![4 => text_test(), 1 => presence()]),
        3 => (number_source(), prop_oneof![4 => number_test(), 1 => presence()]),
        1 => (boolean_source(), prop_oneof![4 => boolean_test(), 1 => presence()]),
        1 => (column_of(FieldType::Timestamp), time_test()),
    ];
    of_field.prop_map(|(source, test)| Predicate {
        field: SigmaField("f".to_owned()),
        source: source.into(),
        test,
        span: Span::default(),
    })
}

pub fn presence() -> BoxedStrategy<Test> {
    select(vec![Test::Exists, Test::Missing]).boxed()
}

fn column_of(field_type: FieldType) -> BoxedStrategy<FieldExpr> {
    select(events::columns(field_type)).prop_map(FieldExpr::Column).boxed()
}

fn text_source() -> BoxedStrategy<FieldExpr> {
    let computed = scalars::computed_text().prop_map(FieldExpr::Computed);
    several_places(prop_oneof![2 => column_of(FieldType::String), 1 => computed].boxed())
}

fn number_source() -> BoxedStrategy<FieldExpr> {
    let computed = scalars::computed_integer().prop_map(FieldExpr::Computed);
    let column = prop_oneof![column_of(FieldType::Integer), column_of(FieldType::Float)];
    several_places(prop_oneof![3 => column, 1 => computed].boxed())
}

fn boolean_source() -> BoxedStrategy<FieldExpr> {
    several_places(column_of(FieldType::Boolean))
}

fn several_places(one: BoxedStrategy<FieldExpr>) -> BoxedStrategy<FieldExpr> {
    let any_of = |inner: BoxedStrategy<FieldExpr>| vec(inner, 2..4).prop_map(FieldExpr::AnyOf).boxed();
    let per_class = |inner: BoxedStrategy<FieldExpr>| {
        vec((1_u32..4, inner), 1..3).prop_map(|parts| {
            let parts: std::collections::BTreeMap<_, _> = parts.into_iter().collect();
            FieldExpr::PerClass(parts.into_iter().map(|(class, source)| (ClassUid(class), source)).collect())
        })
    };
    let nested = any_of(prop_oneof![one.clone(), per_class(one.clone())].boxed());
    prop_oneof![6 => one.clone(), 1 => any_of(one.clone()), 1 => per_class(any_of(one)), 1 => nested].boxed()
}

fn folded(text: String, cased: bool) -> String {
    if cased { text } else { text::fold(&text) }
}

pub fn text_test() -> BoxedStrategy<Test> {
    let positions = vec![TextMatch::Contains, TextMatch::StartsWith, TextMatch::EndsWith];
    let any_position = [positions.clone(), vec![TextMatch::Equals]].concat();
    let membership = (vec(texts::text(), 1..4), any::<bool>()).prop_map(|(values, cased)| {
        let values: std::collections::BTreeSet<_> = values.into_iter().map(|v| folded(v, cased)).collect();
        Test::TextIn { values: values.into_iter().collect(), cased }
    });
    let part = (select(positions), texts::text(), any::<bool>())
        .prop_map(|(position, value, cased)| Test::Text { position, value: folded(value, cased), cased });
    let other = (select(any_position), other_text(), any::<bool>())
        .prop_map(|(position, other, cased)| Test::OtherText { position, other: other.into(), cased });
    prop_oneof![membership, part, pattern(), regex().prop_map(Test::Regex), network(), other].boxed()
}

/// Never a LIST.
fn other_text() -> BoxedStrategy<FieldExpr> {
    let single = |column: &sigma_ocsf_tui::pack::Column| !column.list;
    let columns: Vec<_> = events::columns(FieldType::String).into_iter().filter(single).collect();
    let computed = scalars::computed_text().prop_filter("one value", |computed| !computed.list);
    several_places(
        prop_oneof![
            3 => select(columns).prop_map(FieldExpr::Column),
            1 => computed.prop_map(FieldExpr::Computed)
        ]
        .boxed(),
    )
}

fn pattern() -> BoxedStrategy<Test> {
    let part = prop_oneof![
        texts::text().prop_filter("not empty", |text| !text.is_empty()).prop_map(PatternPart::Text),
        Just(PatternPart::AnyRun),
        Just(PatternPart::AnyOne),
        Just(PatternPart::Dash),
    ];
    (vec(part, 0..6), any::<bool>())
        .prop_map(|(parts, cased)| {
            let mut joined: Vec<PatternPart> = Vec::new();
            for part in parts {
                match (joined.last_mut(), part) {
                    (Some(PatternPart::Text(before)), PatternPart::Text(text)) => {
                        before.push_str(&folded(text, cased));
                    }
                    (_, PatternPart::Text(text)) => joined.push(PatternPart::Text(folded(text, cased))),
                    (_, part) => joined.push(part),
                }
            }
            Test::Pattern { parts: joined, cased }
        })
        .boxed()
}

/// From what RE2 and the `regex` crate agree on.
pub fn regex() -> impl Strategy<Value = Regex> {
    let atoms = vec![
        "a",
        "k",
        "s",
        "é",
        "Σ",
        ".",
        r"\d",
        r"\D",
        r"\w",
        r"\W",
        r"\s",
        r"\S",
        "[a-z]",
        "[^a]",
        r"[\w%]",
        "a{64}",
        "[ké]{65}",
        ".{65}",
        "(.){64,}",
        r"[^\d\s]",
        "[[:alpha:]]",
        r"\$",
        r"\\",
        "^",
        "$",
        r"\b",
        r"\B",
        r"\pL",
        "(?i)",
        "İ",
        "ß",
        r"\n",
        "-",
    ];
    let atom = select(atoms).prop_map(str::to_owned);
    let pattern = atom.prop_recursive(3, 8, 3, |inner| {
        let repeat = select(vec!["*", "+", "?", "{2}", "{1,2}", "*?"]);
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            vec(inner.clone(), 2..3).prop_map(|parts| format!("(?:{})", parts.join("|"))),
            (inner, repeat).prop_map(|(part, repeat)| format!("({part}){repeat}")),
        ]
    });
    (pattern, any::<[bool; 3]>()).prop_map(|(pattern, [ignore_case, multiline, dot_all])| Regex {
        pattern,
        ignore_case,
        multiline,
        dot_all,
    })
}

fn network() -> impl Strategy<Value = Test> {
    texts::networks().prop_map(|network| {
        let (address, length) = network.split_once('/').unwrap();
        let length = length.parse().unwrap();
        Test::Network(match address.parse().unwrap() {
            std::net::IpAddr::V4(address) => Network::V4(address, length),
            std::net::IpAddr::V6(address) => Network::V6(address, length),
        })
    })
}

/// A whole number within 64 bits is never a fraction.
fn number() -> impl Strategy<Value = Number> {
    let fraction = texts::float().prop_map(|number| {
        let whole = number.fract() == 0.0 && number.abs() < 1e19;
        let finite = if number.is_finite() { number } else { 0.5 };
        if whole { Number::Integer(number as i128) } else { Number::Float(finite) }
    });
    let integer = prop_oneof![
        4 => texts::integer().prop_map(i128::from),
        1 => Just(i128::from(u64::MAX)),
        1 => Just(i128::from(i64::MAX) + 1)
    ];
    prop_oneof![2 => integer.prop_map(Number::Integer), 1 => fraction]
}

fn number_test() -> BoxedStrategy<Test> {
    let membership = vec(number(), 1..4).prop_map(|mut numbers| {
        numbers.sort_by(Number::total_cmp);
        numbers.dedup();
        Test::NumberIn(numbers)
    });
    let signs = vec![Comparison::Lt, Comparison::Lte, Comparison::Gt, Comparison::Gte];
    let compare = (select(signs), number()).prop_map(|(sign, number)| Test::Compare(sign, number));
    let single = |column: &sigma_ocsf_tui::pack::Column| !column.list;
    let others = [FieldType::Integer, FieldType::Float].into_iter().flat_map(events::columns).filter(single);
    let other = several_places(select(others.collect::<Vec<_>>()).prop_map(FieldExpr::Column).boxed());
    prop_oneof![2 => membership, 2 => compare, 1 => other.prop_map(|other| Test::OtherNumber(other.into()))]
        .boxed()
}

fn boolean_test() -> BoxedStrategy<Test> {
    select(vec![vec![true], vec![false], vec![false, true]]).prop_map(Test::BooleanIn).boxed()
}

fn time_test() -> BoxedStrategy<Test> {
    let parts = vec![
        TimePart::Minute,
        TimePart::Hour,
        TimePart::Day,
        TimePart::Week,
        TimePart::Month,
        TimePart::Year,
    ];
    let value = prop_oneof![3 => 0_i64..60, 1 => select(vec![1969, 1970, 2024, -1, i64::MAX])];
    (select(parts), proptest::collection::btree_set(value, 1..9))
        .prop_map(|(part, values)| Test::TimePart { part, values: values.into_iter().collect() })
        .boxed()
}
