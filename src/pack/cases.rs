//! `tests/*.yaml`: what a pack says of itself by example, read and checked; `authoring` runs it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::case_event;
use super::file::LogsourceFile;
use super::files::Place;
use super::load::{PACK_SYNTAX, PackError, document, finish};
use super::report::{Report, span_of};
use super::{Pack, PackPlace, PackSource, extends};
use crate::bridge::{self, Code, ReasonCode, Severity};
use crate::sigma::yaml::{self, Node, NodeKind};
use crate::sigma::{SigmaField, Span};

pub(crate) static BAD_TEST: Code = Code {
    name: "pack_bad_test",
    reason: None,
    severity: Severity::Error,
    summary: "a test of a pack that cannot be run as it is written",
    explanation: "A case has a name that no other case of the pack has, an event, and either `logsource` with `fields` \
                  or `rule` with `verdict`. The event holds what its class has in the pinned OCSF version, each value \
                  of its type; raw.* may hold anything.",
};

/// A test of a pack: an event, and what has to hold of it.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// Its name, which no other case of the pack has.
    pub name: String,
    /// Where it stands.
    pub place: PackPlace,
    /// The event, its keys dotted paths. Only below lists are there objects.
    pub event: serde_json::Map<String, Value>,
    /// What has to hold.
    pub check: CaseCheck,
}

/// What has to hold of a case's event.
#[derive(Clone, Debug)]
pub enum CaseCheck {
    /// Fields of a log source are found in it.
    Fields {
        /// `logsource`, as a rule writes it.
        logsource: Node,
        /// `when`: what the rules look for besides, so that they are routed; a map of fields to values.
        when: Option<Node>,
        /// The fields, in source order.
        fields: Vec<FieldCase>,
    },
    /// A whole rule says this of it.
    Rule {
        /// The rule, without what names it among others.
        rule: Node,
        /// `verdict`
        expected: Expected,
    },
}

/// What has to hold of one field.
#[derive(Clone, Debug)]
pub struct FieldCase {
    /// The field.
    pub field: SigmaField,
    /// Where it stands.
    pub place: PackPlace,
    /// `value`: what a rule looks for, as the rule writes it.
    pub value: Node,
    /// `modifier`: the modifiers behind the field's name, such as `contains|all`; empty for none.
    pub modifiers: String,
    /// What has to become of the rule.
    pub expected: FieldExpected,
}

/// What has to become of a rule about one field.
#[derive(Clone, Debug)]
pub enum FieldExpected {
    /// It matches.
    Match {
        /// `not`: a value with which it does not match.
        not: Option<Node>,
        /// `path`: what the field resolves to.
        path: Option<String>,
    },
    /// It is refused, with this reason code or this code of its finding.
    Refused(&'static str),
}

/// What has to become of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It matches.
    Match,
    /// It runs, and does not match.
    NoMatch,
    /// It is refused, with this reason code or this code of its finding.
    Refused(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    name: String,
    #[serde(rename = "event")]
    _event: IgnoredAny,
    #[serde(default)]
    logsource: Option<LogsourceFile>,
    #[serde(default)]
    when: Option<BTreeMap<String, IgnoredAny>>,
    #[serde(default)]
    fields: Option<BTreeMap<String, IgnoredAny>>,
    #[serde(default)]
    rule: Option<IgnoredAny>,
    #[serde(default)]
    verdict: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFile {
    #[serde(default, rename = "value")]
    _value: IgnoredAny,
    #[serde(default)]
    modifier: String,
    #[serde(default)]
    not: Option<IgnoredAny>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    reason: Option<String>,
}

/// The tests of a pack, in byte order of their files' names and then as written; those of the packs that it extends
/// are not among them.
///
/// # Errors
/// A file cannot be read, is not of the form that it has to have, or holds a case that cannot be run. Every error is
/// found, not only the first.
pub fn cases(source: &PackSource) -> Result<Vec<TestCase>, PackError> {
    let mut report = Report::default();
    let cases = Place::of(source, &mut report).map(|place| cases_at(&place, &mut report));
    sound(cases.unwrap_or_default(), report)
}

/// A pack by itself, with its own tests.
#[derive(Clone, Debug)]
pub struct TestedPack {
    /// The pack, with what it extends.
    pub pack: Pack,
    /// The folder that its places begin with.
    pub root: PathBuf,
    /// Its tests.
    pub cases: Vec<TestCase>,
}

/// A pack and all that it extends, each with its tests and after those that it extends; itself last.
///
/// # Errors
/// As for [`load`](super::load()) and [`cases`], of any of the packs.
pub fn tested(source: &PackSource) -> Result<Vec<TestedPack>, PackError> {
    let mut report = Report::default();
    let place = Place::of(source, &mut report);
    // What is wrong here, each pack says by itself below.
    let layers = place.map(|place| extends::read(place, &mut Report::default())).unwrap_or_default();
    let mut packs = Vec::new();
    for layer in layers {
        let pack = finish(Some(layer.place.clone()), Report::default())?.pack;
        let cases = cases_at(&layer.place, &mut report);
        packs.push(TestedPack { pack, root: layer.place.root(), cases });
    }
    sound(packs, report)
}

fn sound<T>(value: T, report: Report) -> Result<T, PackError> {
    match report.findings.is_empty() {
        true => Ok(value),
        false => Err(PackError { findings: report.findings, warnings: Vec::new() }),
    }
}

fn cases_at(place: &Place, report: &mut Report) -> Vec<TestCase> {
    let mut cases = Vec::new();
    for file in place.yaml_files("tests", report) {
        if let Some(node) = document(place, &file, report) {
            read(&node, &file, &mut cases, report);
        }
    }
    cases
}

fn read(node: &Node, file: &Path, cases: &mut Vec<TestCase>, report: &mut Report) {
    if !matches!(node.kind, NodeKind::Sequence(_) | NodeKind::Null) {
        let message = format!("{} is a list of cases", file.display());
        return report.raise(&PACK_SYNTAX, node.span, message, None);
    }
    for entry in node.items() {
        let Some(case) = case(entry, report) else { continue };
        if let Some(first) = cases.iter().find(|other| other.name == case.name) {
            let place = &first.place;
            let message = format!(
                "`{}` is also the name of the case at {}:{}",
                case.name,
                place.path.display(),
                place.span.start
            );
            report.raise(&BAD_TEST, span_of(entry, &["name"]), message, None);
        }
        cases.push(case);
    }
}

fn case(node: &Node, report: &mut Report) -> Option<TestCase> {
    let file: CaseFile = report.accept(&PACK_SYNTAX, yaml::from_node(node))?;
    let event = case_event::read(node.get("event")?, report);
    let check = match (&file.rule, &file.fields) {
        (Some(_), None) => rule(node, &file, report),
        (None, Some(_)) => fields(node, &file, report),
        _ => {
            let message = "a case has either `rule` or `fields`".to_owned();
            report.refuse(&BAD_TEST, node.span.head(), message, None)
        }
    };
    Some(TestCase { name: file.name, place: report.place(node.span), event: event?, check: check? })
}

fn rule(node: &Node, file: &CaseFile, report: &mut Report) -> Option<CaseCheck> {
    let mut rule = node.get("rule")?.clone();
    if file.logsource.is_some() || file.when.is_some() {
        let message = "the log source of a rule stands in the rule; `when` goes with `fields`".to_owned();
        return report.refuse(&BAD_TEST, node.span.head(), message, None);
    }
    if rule.get("detection").is_none() {
        let message = "`rule` is a rule with a `detection`".to_owned();
        return report.refuse(&BAD_TEST, rule.span, message, None);
    }
    // What names a rule among others means nothing here.
    if let NodeKind::Mapping(entries) = &mut rule.kind {
        entries.retain(|(key, _)| !matches!(key.value.as_str(), "id" | "name" | "related"));
    }
    let expected = match file.verdict.as_deref() {
        Some("match") => Expected::Match,
        Some("no_match") => Expected::NoMatch,
        Some(reason) => Expected::Refused(reason_code(reason, span_of(node, &["verdict"]), report)?),
        None => {
            let message = "a case with a `rule` has a `verdict`".to_owned();
            let help = "it is `match`, `no_match` or a reason code".to_owned();
            return report.refuse(&BAD_TEST, node.span.head(), message, help);
        }
    };
    Some(CaseCheck::Rule { rule, expected })
}

fn fields(node: &Node, file: &CaseFile, report: &mut Report) -> Option<CaseCheck> {
    let Some(logsource) = node.get("logsource").filter(|_| file.logsource.is_some()) else {
        let message = "a case with `fields` has a `logsource`".to_owned();
        return report.refuse(&BAD_TEST, node.span.head(), message, None);
    };
    if file.verdict.is_some() {
        let message = "`verdict` goes with `rule`".to_owned();
        return report.refuse(&BAD_TEST, span_of(node, &["verdict"]), message, None);
    }
    let entries = node.get("fields")?.entries();
    let fields: Vec<_> =
        entries.iter().map(|(name, entry)| field(&name.value, name.span, entry, report)).collect();
    let fields = fields.into_iter().collect::<Option<Vec<_>>>()?;
    Some(CaseCheck::Fields { logsource: logsource.clone(), when: node.get("when").cloned(), fields })
}

fn field(name: &str, span: Span, node: &Node, report: &mut Report) -> Option<FieldCase> {
    let mut case = FieldCase {
        field: SigmaField(name.to_owned()),
        place: report.place(span),
        value: node.clone(),
        modifiers: String::new(),
        expected: FieldExpected::Match { not: None, path: None },
    };
    if !matches!(node.kind, NodeKind::Mapping(_)) {
        return Some(case);
    }
    let file: FieldFile = report.accept(&PACK_SYNTAX, yaml::from_node(node))?;
    if let Some(value) = node.get("value") {
        case.value.clone_from(value);
    } else if file.reason.is_some() {
        // Whatever a rule looks for, it is refused.
        case.value.kind = NodeKind::String("x".to_owned());
    } else {
        let message = format!("`{name}` has neither a `value` nor a `reason`");
        return report.refuse(&BAD_TEST, node.span, message, None);
    }
    case.modifiers = file.modifier;
    case.expected = match &file.reason {
        None => FieldExpected::Match { not: node.get("not").cloned(), path: file.path },
        Some(_) if file.path.is_some() || file.not.is_some() => {
            let message = "what is refused has no `path`, and no value that it does not match".to_owned();
            return report.refuse(&BAD_TEST, node.span, message, None);
        }
        Some(reason) => FieldExpected::Refused(reason_code(reason, span_of(node, &["reason"]), report)?),
    };
    Some(case)
}

/// A reason code, or the more precise code of a finding that gives a rule one.
fn reason_code(name: &str, span: Span, report: &mut Report) -> Option<&'static str> {
    let reasons = ReasonCode::ALL.into_iter().map(ReasonCode::as_str);
    let precise = bridge::codes().into_iter().filter(|code| code.reason.is_some()).map(|code| code.name);
    let found = reasons.chain(precise).find(|known| *known == name);
    if found.is_none() {
        let message = format!("there is no reason code `{name}`");
        let help = "`sigma-ocsf-tui reason` lists the codes".to_owned();
        report.raise(&BAD_TEST, span, message, Some(help));
    }
    found
}
