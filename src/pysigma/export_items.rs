//! The items of an exported pipeline.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::export::{Numbered, specificity};
use super::lowered::{Literals, Lowered};
use super::pipeline::NUMBER;
use super::tree::{Entry, boolean, entry, integer, list, map, of_json, text, texts};
use crate::bridge::Tokens;
use crate::ocsf::OcsfPath;
use crate::pack::{FilterOp, Route, RouteFilter};
use crate::sigma::SigmaField;
use crate::sigma::yaml::Node;

/// The state that says which route a rule takes.
const ROUTE: &str = "ocsf_route";
/// Its value before any route does.
const NO_ROUTE: &str = "none";
/// What stands before a name that is OCSF's.
const MARK: &str = "ocsf::";

/// Routes with the same fields.
pub(super) struct Group {
    /// A narrower log source than that of the routes.
    pub(super) logsource: Option<Tokens>,
    /// Their names.
    pub(super) routes: Vec<String>,
    pub(super) fields: BTreeMap<SigmaField, Lowered>,
}

type When = BTreeMap<SigmaField, BTreeSet<String>>;

/// Whether the literals of a `when` can stand in a pipeline as they are.
pub(super) fn is_carried(when: &When) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '/');
    when.values().flatten().all(|literal| literal.chars().all(plain))
}

/// What comes before all routes.
pub(super) fn beginning(placeholders: &BTreeMap<String, Vec<String>>) -> Vec<Node> {
    let mut items = vec![item(
        "correlations_fail",
        "rule_failure",
        vec![message("this pipeline maps fields by log source, which a correlation does not have")],
        vec![conditions_entry("rule_conditions", vec![condition("is_sigma_correlation_rule", vec![])])],
    )];
    if !placeholders.is_empty() {
        let include = entry("include", texts(placeholders.keys()));
        items.push(item("placeholders", "value_placeholders", vec![include], vec![]));
    }
    items.push(item("no_route", "set_state", state(NO_ROUTE), vec![]));
    items
}

/// Which route a rule takes, and the rules that fail for it.
pub(super) fn routing(routes: &[Numbered<'_>]) -> Vec<Node> {
    let mut items: Vec<Node> = Vec::new();
    let as_text: BTreeMap<String, Node> = routes.iter().filter_map(literals_as_text).collect();
    items.extend(as_text.into_values());
    items.extend(routes.iter().map(|route| {
        item(&format!("route {}", route.name), "set_state", state(&route.name), takes(route.route))
    }));
    items.extend(ties(routes));
    items.push(item(
        "unrouted",
        "rule_failure",
        vec![message("no route of the pack takes the rule's log source")],
        vec![conditions_entry("rule_conditions", vec![state_is(NO_ROUTE)])],
    ));
    items.extend(routes.iter().flat_map(other_literals));
    items
}

/// Literals on a field of `when` become text, as which they are compared there.
fn literals_as_text(route: &Numbered<'_>) -> Option<(String, Node)> {
    let when = &route.route.when;
    let fields: Vec<&str> = when.keys().map(|field| field.0.as_str()).collect();
    let logsource_of = tokens(route.route);
    let id = format!("literals on {} of {}", fields.join(", "), logsource_of.text());
    let as_text = item(
        &id,
        "convert_type",
        vec![entry("target_type", text("str"))],
        vec![conditions_entry("rule_conditions", vec![logsource(&logsource_of)]), field_names(when.keys())],
    );
    (!when.is_empty()).then_some((id, as_text))
}

fn tokens(route: &Route) -> Tokens {
    Tokens {
        category: route.category.clone(),
        product: route.product.clone(),
        service: route.service.clone(),
    }
}

/// Conditions that a rule is of the route's log source and has one of the literals of its `when`.
fn takes(route: &Route) -> Vec<Entry> {
    let (named, expression) = takes_parts("", route);
    joined(named, &expression)
}

/// Named conditions joined by an expression, or the only one by itself.
fn joined(named: Vec<Entry>, expression: &str) -> Vec<Entry> {
    match <[Entry; 1]>::try_from(named) {
        Ok([(_, only)]) => vec![conditions_entry("rule_conditions", vec![only])],
        Err(named) => vec![entry("rule_conditions", map(named)), entry("rule_cond_expr", text(expression))],
    }
}

fn takes_parts(prefix: &str, route: &Route) -> (Vec<Entry>, String) {
    let own = format!("{prefix}logsource");
    let mut named = vec![entry(&own, logsource(&tokens(route)))];
    let mut expression = own;
    for (at, (field, literals)) in route.when.iter().enumerate() {
        let mut names = Vec::new();
        if is_carried(&route.when) {
            for (number, literal) in literals.iter().enumerate() {
                let name = format!("{prefix}when_{at}_{number}");
                let parts = vec![entry("field", text(&field.0)), entry("value", text(literal))];
                named.push(entry(&name, condition("contains_detection_item", parts)));
                names.push(name);
            }
        } else {
            let name = format!("{prefix}when_{at}");
            named.push(entry(&name, condition("contains_field", vec![entry("field", text(&field.0))])));
            names.push(name);
        }
        expression.push_str(&format!(" and ({})", names.join(" or ")));
    }
    (named, expression)
}

/// Two routes that are equally narrow and take the same rule.
fn ties(routes: &[Numbered<'_>]) -> Vec<Node> {
    let mut items = Vec::new();
    for (at, one) in routes.iter().enumerate() {
        let others =
            routes.iter().skip(at + 1).filter(|other| specificity(other.route) == specificity(one.route));
        for other in others.filter(|other| may_tie(one.route, other.route)) {
            let (mut named, first) = takes_parts("one_", one.route);
            let (more, second) = takes_parts("other_", other.route);
            named.extend(more);
            named.push(entry("won", state_is(&other.name)));
            let expression = format!("{first} and {second} and won");
            items.push(item(
                &format!("tie of {} and {}", one.name, other.name),
                "rule_failure",
                vec![message("two routes of the pack are equally narrow")],
                joined(named, &expression),
            ));
        }
    }
    items
}

fn may_tie(one: &Route, other: &Route) -> bool {
    let pairs =
        [(&one.category, &other.category), (&one.product, &other.product), (&one.service, &other.service)];
    let agree = pairs.into_iter().all(|(a, b)| a.is_none() || b.is_none() || a == b);
    let apart = one
        .when
        .iter()
        .any(|(field, literals)| other.when.get(field).is_some_and(|others| literals.is_disjoint(others)));
    agree && !apart
}

/// Rules of a route with `when` that have other literals as well.
fn other_literals(route: &Numbered<'_>) -> Vec<Node> {
    let when = &route.route.when;
    let rule = conditions_entry("rule_conditions", vec![state_is(&route.name)]);
    if !is_carried(when) {
        let message = message("the pack routes by literals that this pipeline cannot compare");
        return vec![item(&format!("left out {}", route.name), "rule_failure", vec![message], vec![rule])];
    }
    let of_field = |(field, literals): (&SigmaField, &BTreeSet<String>)| {
        let pattern = one_of(literals.iter().map(String::as_str), "");
        item(
            &format!("other literals of {}", route.name),
            "detection_item_failure",
            vec![message("the rule looks for values that its route is not for")],
            vec![rule.clone(), field_names([field])].into_iter().chain(unless_matches(&pattern)).collect(),
        )
    };
    when.iter().map(of_field).collect()
}

/// What becomes of the fields of a group.
pub(super) fn of_group(group: &Group) -> Vec<Node> {
    let name = match (&group.logsource, group.routes.as_slice()) {
        (Some(logsource), _) => format!("{} in {}", logsource.text(), group.routes.join(", ")),
        (None, routes) => routes.join(", "),
    };
    let group_conditions = group_conditions(group);
    let on = |what: &str, kind: &str, own: Vec<Entry>, fields: Vec<&SigmaField>, more: Vec<Entry>| {
        let mut conditions = group_conditions.clone();
        conditions.push(field_names(fields));
        conditions.extend(more);
        item(&format!("{what} of {name}"), kind, own, conditions)
    };
    let mut items = Vec::new();
    let failing = fields_where(group, |lowered| *lowered == Lowered::Fails);
    if !failing.is_empty() {
        let names: Vec<&str> = failing.iter().map(|field| field.0.as_str()).collect();
        let names = names.join(", ");
        let message = message(&format!("the pack computes or translates, as no name can, one of: {names}"));
        items.push(on("computed fields", "detection_item_failure", vec![message], failing, vec![]));
    }
    let several =
        fields_where(group, |lowered| matches!(lowered, Lowered::Named { paths, .. } if paths.len() > 1));
    if !several.is_empty() {
        let null = condition("is_null", vec![entry("cond", text("any"))]);
        let message = message("several paths are one list of values, which is not compared with null here");
        let more = vec![conditions_entry("detection_item_conditions", vec![null])];
        items.push(on("null", "detection_item_failure", vec![message], several, more));
    }
    let converted = |wanted: &Literals| {
        let is = |lowered: &Lowered| matches!(lowered, Lowered::Named { literals, .. } if literals == wanted);
        fields_where(group, is)
    };
    let numbers = converted(&Literals::ToNumber);
    let as_text: Vec<_> = converted(&Literals::ToText).into_iter().chain(numbers.iter().copied()).collect();
    if !as_text.is_empty() {
        let target = vec![entry("target_type", text("str"))];
        items.push(on("literals", "convert_type", target, as_text, vec![]));
    }
    if !numbers.is_empty() {
        // convert_type itself would fail while it writes its message, which names the whole pipeline.
        let no_number = vec![message("the field holds numbers, and the rule looks for something else")];
        let unless = unless_matches(NUMBER);
        items.push(on("numbers", "detection_item_failure", no_number, numbers.clone(), unless));
        let target = vec![entry("target_type", text("num"))];
        items.push(on("numbers", "convert_type", target, numbers, vec![]));
    }
    for (field, lowered) in &group.fields {
        if let Lowered::Named { literals, .. } = lowered {
            let steps = value_steps(literals).into_iter();
            items.extend(steps.map(|(kind, own, more)| on("values", kind, own, vec![field], more)));
        }
    }
    items.extend(mapping(group, &name, group_conditions));
    items
}

fn fields_where(group: &Group, is: impl Fn(&Lowered) -> bool) -> Vec<&SigmaField> {
    group.fields.iter().filter(|(_, lowered)| is(lowered)).map(|(field, _)| field).collect()
}

fn mapping(group: &Group, name: &str, conditions: Vec<Entry>) -> Option<Node> {
    let marked = |path: &OcsfPath| format!("{MARK}{path}");
    let names = group.fields.iter().filter_map(|(field, lowered)| match lowered {
        Lowered::Fails => None,
        Lowered::Named { paths, .. } => Some(match paths.as_slice() {
            [path] => entry(&field.0, text(&marked(path))),
            paths => entry(&field.0, texts(paths.iter().map(marked))),
        }),
    });
    let names: Vec<Entry> = names.collect();
    let mapping = (!names.is_empty()).then(|| vec![entry("mapping", map(names))])?;
    Some(item(&format!("fields of {name}"), "field_name_mapping", mapping, conditions))
}

type Step = (&'static str, Vec<Entry>, Vec<Entry>);

/// The items that translate the literals of a field: type, parameters, conditions.
fn value_steps(literals: &Literals) -> Vec<Step> {
    let as_text = ("convert_type", vec![entry("target_type", text("str"))], vec![]);
    match literals {
        Literals::AsTheyAre | Literals::ToText | Literals::ToNumber => Vec::new(),
        Literals::OneOf(values) => {
            let pattern = one_of(values.keys().map(String::as_str), "(?i)");
            let unknown = message("the pack says what becomes of other values of this field only");
            let pairs = values.iter().map(|(from, to)| entry(from, text(&escaped(&plain(to)))));
            let mut steps = vec![
                as_text,
                ("detection_item_failure", vec![unknown], unless_matches(&pattern)),
                ("case", vec![entry("method", text("lower"))], vec![]),
                ("map_string", vec![entry("mapping", map(pairs.collect()))], vec![]),
            ];
            if values.values().all(Value::is_number) {
                steps.push(("convert_type", vec![entry("target_type", text("num"))], vec![]));
            }
            steps
        }
        Literals::Replaced(pairs) => {
            let replace = |(from, to): (&String, &String)| {
                let regex = entry("regex", text(&one_of([from.as_str()], "(?i)")));
                ("replace_string", vec![regex, entry("replacement", text(to))], vec![])
            };
            pairs.iter().map(replace).collect()
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Fields that have no OCSF name fail; from the others, the mark is taken.
pub(super) fn unmapped() -> Vec<Node> {
    let marked = vec![entry("fields", texts([format!("^{MARK}")])), entry("mode", text("re"))];
    vec![
        item(
            "unmapped",
            "detection_item_failure",
            vec![message("the pack does not map this field for the rule's log source")],
            vec![conditions_entry("field_name_conditions", vec![condition("exclude_fields", marked)])],
        ),
        item(
            "unmark",
            "field_name_prefix_mapping",
            vec![entry("mapping", map(vec![entry(MARK, text(""))]))],
            vec![],
        ),
    ]
}

/// Class and filters of a route, as conditions that are added to its rules.
pub(super) fn conditions(route: &Numbered<'_>) -> Vec<Node> {
    let classes: Vec<Node> = route.route.class_uids.iter().map(|class| integer(class.0)).collect();
    let classes = match <[Node; 1]>::try_from(classes) {
        Ok([class]) => class,
        Err(classes) => list(classes),
    };
    let is_negated = |filter: &&RouteFilter| matches!(filter.op, FilterOp::Neq | FilterOp::Nin);
    // A key stands once in a map, and a path may be filtered by more than once.
    let mut added = vec![(vec![entry("class_uid", classes)], false)];
    for filter in &route.route.filters {
        let own = filter_entry(filter);
        let last = added.last_mut().filter(|(entries, negated)| {
            !is_negated(&filter) && !negated && entries.iter().all(|(key, _)| key.value != own.0.value)
        });
        match last {
            Some((entries, _)) => entries.push(own),
            None => added.push((vec![own], is_negated(&filter))),
        }
    }
    let number = route.name.rsplit('#').next().unwrap_or_default();
    let of = |(at, (entries, negated)): (usize, (Vec<Entry>, bool))| {
        let mut own =
            vec![entry("name", text(&format!("_ocsf_{number}_{at}"))), entry("conditions", map(entries))];
        if negated {
            own.push(entry("negated", boolean(true)));
        }
        let rule = vec![conditions_entry("rule_conditions", vec![state_is(&route.name)])];
        item(&format!("events of {} {at}", route.name), "add_condition", own, rule)
    };
    added.into_iter().enumerate().map(of).collect()
}

fn filter_entry(filter: &RouteFilter) -> Entry {
    let (modifier, value) = match filter.op {
        FilterOp::Exists => ("|exists", Value::Bool(filter.value != Value::Bool(false))),
        FilterOp::Contains => ("|contains", filter.value.clone()),
        FilterOp::Prefix => ("|startswith", filter.value.clone()),
        FilterOp::Suffix => ("|endswith", filter.value.clone()),
        FilterOp::Regex => ("|re", filter.value.clone()),
        FilterOp::Eq | FilterOp::Neq | FilterOp::In | FilterOp::Nin => ("", filter.value.clone()),
    };
    entry(&format!("{}{modifier}", filter.path), of_json(&escaped_value(&value)))
}

fn escaped_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(escaped(text)),
        Value::Array(values) => Value::Array(values.iter().map(escaped_value).collect()),
        other => other.clone(),
    }
}

/// Text as a value of a rule that means just this text.
fn escaped(text: &str) -> String {
    text.chars().flat_map(|c| matches!(c, '*' | '?' | '\\').then_some('\\').into_iter().chain([c])).collect()
}

/// A pattern of Python's `re` for one of these texts.
fn one_of<'a>(texts: impl IntoIterator<Item = &'a str>, flags: &str) -> String {
    let escape = |text: &str| -> String {
        let special = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_';
        text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
    };
    let texts: Vec<String> = texts.into_iter().map(escape).collect();
    format!(r"{flags}^(?:{})\Z", texts.join("|"))
}

/// Conditions that some value of the item does not match.
fn unless_matches(pattern: &str) -> Vec<Entry> {
    let parts = vec![entry("cond", text("all")), entry("pattern", text(pattern))];
    vec![
        conditions_entry("detection_item_conditions", vec![condition("match_string", parts)]),
        entry("detection_item_cond_not", boolean(true)),
    ]
}

fn group_conditions(group: &Group) -> Vec<Entry> {
    let states: Vec<Entry> = group
        .routes
        .iter()
        .enumerate()
        .map(|(at, name)| entry(&format!("route_{at}"), state_is(name)))
        .collect();
    let names: Vec<String> = states.iter().map(|(key, _)| key.value.clone()).collect();
    let mut expression = names.join(" or ");
    let mut named = states;
    if let Some(narrower) = &group.logsource {
        named.push(entry("logsource", logsource(narrower)));
        expression = format!("logsource and ({expression})");
    }
    joined(named, &expression)
}

fn item(id: &str, kind: &str, own: Vec<Entry>, conditions: Vec<Entry>) -> Node {
    let head = [entry("id", text(id)), entry("type", text(kind))];
    map(head.into_iter().chain(own).chain(conditions).collect())
}

fn message(message: &str) -> Entry {
    entry("message", text(message))
}

fn state(value: &str) -> Vec<Entry> {
    vec![entry("key", text(ROUTE)), entry("val", text(value))]
}

fn state_is(value: &str) -> Node {
    condition("processing_state", state(value))
}

fn logsource(tokens: &Tokens) -> Node {
    let parts = [("category", &tokens.category), ("product", &tokens.product), ("service", &tokens.service)];
    let named = parts.into_iter().filter_map(|(key, part)| Some(entry(key, text(part.as_deref()?))));
    condition("logsource", named.collect())
}

fn condition(kind: &str, parts: Vec<Entry>) -> Node {
    map([entry("type", text(kind))].into_iter().chain(parts).collect())
}

fn conditions_entry(key: &str, conditions: Vec<Node>) -> Entry {
    entry(key, list(conditions))
}

fn field_names<'a>(fields: impl IntoIterator<Item = &'a SigmaField>) -> Entry {
    let fields = texts(fields.into_iter().map(|field| field.0.as_str()));
    conditions_entry(
        "field_name_conditions",
        vec![condition("include_fields", vec![entry("fields", fields)])],
    )
}
