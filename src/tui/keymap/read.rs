//! The text of `keys.yaml` to a keymap.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Fault, Finding, Keymap, LONGEST, guard};
use crate::sigma::yaml::{self, Node, NodeKind};
use crate::sigma::{Position, Spanned};
use crate::tui::command::{COMMANDS, Command, Context};
use crate::tui::key::Key;

/// The text of the file; `None` where there is none.
pub(super) fn text(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    file.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::other(format!("it is longer than {LONGEST} bytes")));
    }
    Ok(Some(text))
}

/// What the file says of one command.
struct Entry {
    command: &'static Command,
    at: Position,
    keys: Vec<(Key, Position)>,
}

/// The keys as `text` has them, and what is wrong in it, in its order; `None` where it is no YAML.
pub(crate) fn parse(text: &str) -> (Option<Keymap>, Vec<Finding>) {
    let documents = match yaml::parse(text) {
        Ok(documents) => documents,
        Err(problem) => {
            let fault = Fault::Unreadable(problem.message);
            return (None, vec![Finding { at: problem.span.start, fault }]);
        }
    };
    let mut findings = Vec::new();
    let mut entries = Vec::new();
    for document in documents.iter().filter(|document| !document.is_null()) {
        if !matches!(document.kind, NodeKind::Mapping(_)) {
            findings.push(Finding { at: document.span.start, fault: Fault::NoMap });
        }
        let read =
            document.entries().iter().filter_map(|(name, value)| entry(text, name, value, &mut findings));
        entries.extend(read);
    }
    let mut keymap = Keymap::default();
    assign(&mut keymap, &entries, &mut findings);
    let places = entries.iter().map(|entry| (entry.command.name, entry.at)).collect();
    guard::keep_ways_out(&mut keymap, &places, &mut findings);
    findings.sort_by_key(|finding| finding.at);
    (Some(keymap), findings)
}

/// `None` where nothing can be made of it: then the command keeps its keys.
fn entry(text: &str, name: &Spanned<String>, value: &Node, findings: &mut Vec<Finding>) -> Option<Entry> {
    let at = name.span.start;
    let Some(command) = COMMANDS.iter().find(|command| command.name == name.value) else {
        let hint = nearest(&name.value);
        findings.push(Finding { at, fault: Fault::NoCommand { name: name.value.clone(), hint } });
        return None;
    };
    let one = std::slice::from_ref(value);
    let items = if matches!(value.kind, NodeKind::Sequence(_)) { value.items() } else { one };
    let mut keys = Vec::new();
    for item in items {
        let at = item.span.start;
        match written(text, item).map(str::parse::<Key>) {
            None => findings.push(Finding { at, fault: Fault::NoKeys(name.value.clone()) }),
            Some(Err(error)) => findings.push(Finding { at, fault: error.into() }),
            Some(Ok(key)) if key.typed().is_some() && command.context.takes_text() => {
                findings.push(Finding { at, fault: Fault::Typed { key, command: command.name } });
            }
            Some(Ok(key)) => keys.push((key, at)),
        }
    }
    let unbinds = items.is_empty();
    (unbinds || !keys.is_empty()).then_some(Entry { command, at, keys })
}

/// A scalar as it stands in the file: `1` and `~` are keys too.
fn written<'a>(text: &'a str, node: &'a Node) -> Option<&'a str> {
    match &node.kind {
        NodeKind::String(text) => Some(text),
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => None,
        _ => node.span.slice(text).filter(|written| !written.is_empty()),
    }
}

fn nearest(name: &str) -> String {
    let likeness = |command: &Command| (strsim::jaro_winkler(name, command.name), command.name);
    let nearest = COMMANDS.iter().map(likeness).max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((score, command)) if score > 0.8 => format!("; did you mean '{command}'?"),
        _ => "; `sigma-ocsf-tui keys` lists them".to_owned(),
    }
}

/// Gives the commands of the file their keys, and takes these from the others.
fn assign(keymap: &mut Keymap, entries: &[Entry], findings: &mut Vec<Finding>) {
    let mut taken: HashMap<(Context, Key), &'static str> = HashMap::new();
    let mut given: BTreeMap<&'static str, Vec<Key>> = BTreeMap::new();
    for Entry { command, keys, .. } in entries {
        let own = given.entry(command.name).or_default();
        for (key, at) in keys {
            let first = *taken.entry((command.context, *key)).or_insert(command.name);
            if first != command.name {
                let place = command.context.place();
                let fault = Fault::Twice { key: *key, first, second: command.name, place };
                findings.push(Finding { at: *at, fault });
            } else if !own.contains(key) {
                own.push(*key);
            }
        }
    }
    for Entry { command, keys, .. } in entries {
        let others = COMMANDS.iter().filter(|other| other.context == command.context);
        for other in others.filter(|other| !given.contains_key(other.name)) {
            for (key, at) in
                keys.iter().filter(|(key, _)| keymap.keys(other).contains(key)).copied().collect::<Vec<_>>()
            {
                keymap.take_away(other.name, key);
                if keymap.keys(other).is_empty() {
                    findings.push(Finding { at, fault: Fault::Lost { key, loser: other.name } });
                }
            }
        }
    }
    keymap.keys.extend(given);
}
