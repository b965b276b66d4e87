//! Rule text, and the pack that it is compiled by.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use sigma_ocsf_tui::backend::{self, CompiledRule};
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::ocsf::{ClassUid, FieldType, OcsfPath};
use sigma_ocsf_tui::pack::{
    Alias, AliasScope, FilterOp, Manifest, Otherwise, Pack, PackPlace, RawFallback, Route, RouteFilter,
    Target,
};
use sigma_ocsf_tui::sigma::{self, Capability, Rule, SigmaField};

use crate::events::{COLUMNS, SOURCE, column};
use crate::{predicates, texts};

/// With all that can be switched on.
pub fn compiled(rules: &[String]) -> Vec<CompiledRule> {
    let documents = rules.iter().flat_map(|rule| sigma::parse(Path::new("rule.yml"), rule));
    let rules: Vec<Arc<Rule>> = documents.map(Arc::new).collect();
    let settings = Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: true };
    backend::compile(&rules, &pack(), &settings)
}

/// Each column under its own name, all of them in two of the events' three classes.
pub fn pack() -> Pack {
    let alias = |(path, field_type, list): &(&str, FieldType, bool)| {
        let target = Target::Path(column(path, *field_type, *list));
        (
            SigmaField((*path).to_owned()),
            vec![Alias {
                target,
                values: BTreeMap::new(),
                otherwise: Otherwise::Refuse,
                literal: None,
                class_uids: Vec::new(),
                place: PackPlace::default(),
            }],
        )
    };
    let keywords = crate::events::columns(FieldType::String);
    let route = Route {
        keywords,
        category: Some("test".to_owned()),
        product: None,
        service: None,
        when: BTreeMap::new(),
        class_uids: vec![ClassUid(1), ClassUid(2)],
        filters: vec![RouteFilter {
            path: OcsfPath("metadata.source_type".to_owned()),
            field_type: FieldType::String,
            list: false,
            op: FilterOp::Eq,
            value: SOURCE.into(),
            notes: None,
        }],
        place: PackPlace::default(),
    };
    let raw_fallback = RawFallback { enabled: true, prefixes: vec!["raw.".to_owned()] };
    Pack {
        manifest: Manifest { id: "properties".to_owned(), raw_fallback, ..Manifest::default() },
        routes: vec![route],
        aliases: BTreeMap::from([(AliasScope::default(), COLUMNS.iter().map(alias).collect())]),
        ..Pack::default()
    }
}

/// A rule as JSON, which is YAML.
pub fn rule() -> impl Strategy<Value = String> {
    (vec(search(), 3), condition()).prop_map(|(searches, condition)| {
        let mut detection: serde_json::Map<_, _> =
            ["one", "two", "other"].map(str::to_owned).into_iter().zip(searches).collect();
        detection.insert("condition".to_owned(), condition.into());
        json!({"title": "a rule", "logsource": {"category": "test"}, "detection": detection}).to_string()
    })
}

fn condition() -> impl Strategy<Value = String> {
    let atoms = ["one", "two", "other", "1 of o*", "all of o*", "1 of them", "all of them"];
    let atom = select(atoms.to_vec()).prop_map(str::to_owned);
    atom.prop_recursive(6, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left} and {right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("{left} or {right}")),
            inner.prop_map(|part| format!("not ({part})")),
        ]
    })
}

fn search() -> impl Strategy<Value = Value> {
    let map = || vec(item(), 1..3).prop_map(|items| items.into_iter().collect::<serde_json::Map<_, _>>());
    let keywords = vec(texts::text(), 1..3).prop_map(Value::from);
    prop_oneof![
        12 => map().prop_map(Value::from),
        6 => vec(map().prop_map(Value::from), 1..3).prop_map(Value::from),
        1 => keywords
    ]
}

fn item() -> impl Strategy<Value = (String, Value)> {
    select(COLUMNS.to_vec()).prop_flat_map(|(name, field_type, _)| {
        let with_values = (chain(field_type), vec(value(field_type), 1..4))
            .prop_map(move |(chain, values)| (format!("{name}{chain}"), values.into()));
        let existence = any::<bool>().prop_map(move |wanted| (format!("{name}|exists"), Value::from(wanted)));
        let null = Just((name.to_owned(), Value::Null));
        prop_oneof![12 => with_values, 1 => existence, 1 => null, 1 => special(name, field_type)]
    })
}

fn chain(field_type: FieldType) -> BoxedStrategy<&'static str> {
    match field_type {
        FieldType::String => {
            let parts = ["|contains", "|contains|all", "|startswith", "|endswith", "|contains|cased"];
            let default = [&["", "|all", "|cased", "|neq", "|startswith|neq"][..], &parts].concat();
            let more = vec![
                "|windash",
                "|contains|windash",
                "|contains|all|windash",
                "|base64",
                "|base64offset|contains",
                "|wide|base64offset|contains",
            ];
            prop_oneof![6 => select(default), 1 => select(more)].boxed()
        }
        FieldType::Boolean => select(vec!["", "|neq"]).boxed(),
        FieldType::Integer | FieldType::Float | FieldType::Timestamp => {
            select(vec!["", "|neq", "|lt", "|lte", "|gt", "|gte", "|all"]).boxed()
        }
    }
}

fn value(field_type: FieldType) -> BoxedStrategy<Value> {
    match field_type {
        FieldType::String => texts::text().prop_map(Value::from).boxed(),
        FieldType::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        FieldType::Integer | FieldType::Float | FieldType::Timestamp => {
            let fraction = texts::float().prop_filter("JSON has no infinity", |number| number.is_finite());
            prop_oneof![texts::integer().prop_map(Value::from), fraction.prop_map(Value::from)].boxed()
        }
    }
}

/// Modifiers whose values are of a kind of their own.
fn special(name: &'static str, field_type: FieldType) -> BoxedStrategy<(String, Value)> {
    let of = move |chain: &str| format!("{name}{chain}");
    match field_type {
        FieldType::String => {
            let regex = predicates::regex().prop_map(move |regex| {
                let flags = [(regex.ignore_case, "|i"), (regex.multiline, "|m"), (regex.dot_all, "|s")];
                let flags: String = flags.into_iter().filter_map(|(on, flag)| on.then_some(flag)).collect();
                (of(&format!("|re{flags}")), regex.pattern.into())
            });
            let networks = vec(texts::networks(), 1..4);
            let network = networks.prop_map(move |networks| (of("|cidr"), networks.into()));
            let positions =
                vec!["|fieldref", "|fieldref|contains", "|fieldref|startswith", "|fieldref|endswith"];
            let other = (select(positions), select(vec!["raw.s.one", "raw.s.\"two'"]))
                .prop_map(move |(chain, other)| (of(chain), other.into()));
            prop_oneof![regex, network, other].boxed()
        }
        FieldType::Timestamp => {
            let parts = vec!["|minute", "|hour", "|day", "|week", "|month", "|year"];
            (select(parts), 0_i64..60).prop_map(move |(part, value)| (of(part), value.into())).boxed()
        }
        _ => {
            let others = vec!["raw.i.one", "raw.i.two", "raw.f.one"];
            select(others).prop_map(move |other| (of("|fieldref"), other.into())).boxed()
        }
    }
}
