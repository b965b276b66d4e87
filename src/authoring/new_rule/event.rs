//! A rule that matches an event: what the event holds, under the names that rules have for it.

use std::path::Path;
use std::sync::Arc;

use super::{Draft, DraftError, TELLING, aliases, logsource_name, node, rule_draft, string};
use crate::backend::interpreter::{Event, Field, Interpreter, Value};
use crate::backend::{self, CompiledRule};
use crate::bridge::Settings;
use crate::evaluate::WholeEvent;
use crate::ocsf::OcsfPath;
use crate::pack::{Pack, Target};
use crate::sigma::yaml::{Node, NodeKind};
use crate::sigma::{self, LogSource, text};

/// Fields that a drafted rule looks at.
const FIELDS: usize = 3;

/// The longest value that is taken over, in bytes.
const VALUE: usize = 1024;

/// A rule for the log source of `rule`, which matches the event by its most telling fields, then by those that `rule`
/// looks at, then by others.
pub(super) fn draft(rule: &CompiledRule, event: &WholeEvent, pack: &Pack) -> Result<Draft, DraftError> {
    let logsource = &rule.compilation.rule.logsource;
    let aliases = aliases(pack, logsource);
    let own = rule.compilation.fields.iter().map(|field| field.field.0.as_str());
    let all = aliases.keys().map(|field| field.0.as_str());
    let telling = TELLING.iter().copied().chain(own.chain(all).map(|name| (name, false)));
    let mut items: Vec<(String, Node)> = Vec::new();
    let mut paths: Vec<&OcsfPath> = Vec::new();
    let mut subject = None;
    for (name, by_end) in telling {
        let alias = aliases.iter().find(|(field, _)| field.0 == name).map(|(_, alias)| *alias);
        let Some(Target::Path(column)) = alias.map(|alias| &alias.target) else { continue };
        if column.path.is_raw() || paths.contains(&&column.path) {
            continue;
        }
        let Some((key, value)) = event.fields.get(&column.path).and_then(|field| item(name, by_end, field))
        else {
            continue;
        };
        let one = vec![(key.clone(), value.clone())];
        if holds(logsource, one, event, pack) {
            paths.push(&column.path);
            subject = subject.or_else(|| shown(&value));
            items.push((key, value));
        }
        // What tells little is taken only where nothing else tells anything.
        let telling = TELLING.iter().any(|(known, _)| *known == name);
        if items.len() == FIELDS || (!telling && !items.is_empty()) {
            break;
        }
    }
    if items.is_empty() {
        return Err(DraftError::Nothing);
    }
    let name = logsource_name(logsource);
    let title = match subject {
        Some(subject) => format!("{subject} in {name}"),
        None => format!("New Rule for {name}"),
    };
    Ok(rule_draft(&title, logsource, items))
}

/// What a rule would look for.
fn item(name: &str, by_end: bool, field: &Field) -> Option<(String, Node)> {
    match field {
        Field::One(Some(Value::Text(value))) if (1..=VALUE).contains(&value.len()) => {
            let end = value.rfind(['\\', '/']).filter(|at| by_end && at + 1 < value.len());
            match end.and_then(|at| value.get(at..)) {
                Some(end) => Some((format!("{name}|endswith"), string(&text::escaped(end)))),
                None => Some((name.to_owned(), string(&text::escaped(value)))),
            }
        }
        Field::One(Some(Value::Integer(number))) => Some((name.to_owned(), node(NodeKind::Integer(*number)))),
        Field::One(_) | Field::Many(_) => None,
    }
}

/// The end of a value, for a title.
fn shown(value: &Node) -> Option<String> {
    let text = value.as_str()?;
    let end = text.rsplit(['\\', '/']).find(|part| !part.is_empty())?;
    let plain = |c: &char| !c.is_control();
    let shown: String = end.chars().filter(plain).take(40).collect();
    (!shown.is_empty()).then_some(shown)
}

/// Whether a rule of these items alone matches the event.
fn holds(logsource: &LogSource, items: Vec<(String, Node)>, event: &WholeEvent, pack: &Pack) -> bool {
    let draft = rule_draft("Draft", logsource, items);
    let rules: Vec<_> = sigma::parse(Path::new("draft.yml"), &draft.text).into_iter().map(Arc::new).collect();
    let compiled = backend::compile(&rules, pack, &Settings::default());
    let plan = compiled.first().and_then(|rule| rule.compilation.plan.as_ref());
    let Some(interpreter) = plan.and_then(|plan| Interpreter::new(plan).ok()) else { return false };
    let fields = event.fields.iter().map(|(path, field)| (Arc::from(path.as_str()), field.clone()));
    interpreter.matches(&Event::of_fields(fields))
}
