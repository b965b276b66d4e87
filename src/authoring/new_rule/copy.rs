//! A copy of a rule, letter by letter where that can be: with an id of its own, and the other one as related.

use super::{Draft, DraftError, NO_ID};
use crate::sigma::yaml::{self, Node, NodeKind};
use crate::sigma::{self, Body, Related, Rule, RuleId, Span, Spanned};

pub(super) fn draft(rule: &Rule) -> Result<Draft, DraftError> {
    if matches!(rule.body, Body::Unreadable) {
        return Err(DraftError::Unreadable);
    }
    let text = as_written(rule).filter(|text| is_copy(text, rule)).unwrap_or_else(|| anew(rule));
    let stem = rule.path.file_stem().unwrap_or_default().to_string_lossy();
    let stem: String = stem.chars().filter(|c| !c.is_control()).collect();
    Ok(Draft { stem: format!("{stem}_copy"), text })
}

fn title(rule: &Rule) -> String {
    format!("{} (Copy)", rule.title())
}

/// The text of its document, changed in place.
fn as_written(rule: &Rule) -> Option<String> {
    let text = replaced(&alone(rule)?, "title", &title(rule))?;
    let Some(id) = rule.id() else {
        let end = line_end(&text, root(&text)?.get("title")?.span);
        return Some(inserted(&text, end, &["id: ".to_owned() + NO_ID]));
    };
    let text = replaced(&text, "id", NO_ID)?;
    let id = match yaml::parse(&id.0).as_deref() {
        Ok([Node { kind: NodeKind::String(read), .. }]) if *read == id.0 => id.0.clone(),
        _ => yaml::write(&super::string(&id.0)),
    };
    let document = root(&text)?;
    let (at, indent) = match document.get("related").map(Node::items) {
        Some([first, ..]) => {
            let start = text.get(..first.span.start.offset)?.rfind('\n')? + 1;
            let lead: String = text.get(start..)?.chars().take_while(|c| *c == ' ').collect();
            (start, lead)
        }
        Some([]) => return None,
        None => (line_end(&text, document.get("id")?.span), "    ".to_owned()),
    };
    let mut lines = vec![format!("{indent}- id: {}", id.trim_end()), format!("{indent}  type: derived")];
    if document.get("related").is_none() {
        lines.insert(0, "related:".to_owned());
    }
    Some(inserted(&text, at, &lines))
}

/// The text of its document; of its file, comments before and behind it included, where it is all that stands there.
fn alone(rule: &Rule) -> Option<String> {
    if yaml::parse(&rule.text).ok()?.len() == 1 {
        return Some(rule.text.to_string());
    }
    let text = rule.span.slice(&rule.text)?;
    Some(if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") })
}

fn root(text: &str) -> Option<Node> {
    yaml::parse(text).ok()?.into_iter().next()
}

/// The text with another value for a key of its map.
fn replaced(text: &str, key: &str, value: &str) -> Option<String> {
    let span = root(text)?.get(key)?.span;
    let token = yaml::tokens(text, &(0..text.len())).into_iter().find(|token| token.span == span)?;
    yaml::replace(text, &token, value).ok()
}

/// The start of the line behind the one that a place ends on.
fn line_end(text: &str, span: Span) -> usize {
    let rest = text.get(span.end.offset..).unwrap_or_default();
    rest.find('\n').map_or(text.len(), |at| span.end.offset + at + 1)
}

fn inserted(text: &str, at: usize, lines: &[String]) -> String {
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let (head, tail) = text.split_at(at);
    let gap = if head.is_empty() || head.ends_with('\n') { "" } else { ending };
    let lines: String = lines.iter().map(|line| format!("{line}{ending}")).collect();
    format!("{head}{gap}{lines}{tail}")
}

/// Whether the text is the rule by itself, with its new id: a document of a collection may not be.
fn is_copy(text: &str, rule: &Rule) -> bool {
    let rules = sigma::parse(&rule.path, text);
    let [copy] = rules.as_slice() else { return false };
    let related = rule.metadata.related.len() + usize::from(rule.id().is_some());
    let mut back = copy.clone();
    (back.metadata.title, back.metadata.id) = (rule.metadata.title.clone(), rule.metadata.id.clone());
    back.metadata.related.clone_from(&rule.metadata.related);
    copy.id().is_some_and(|id| id.0 == NO_ID)
        && copy.metadata.related.len() == related
        && sigma::write(&back) == sigma::write(rule)
}

/// The rule written anew.
fn anew(rule: &Rule) -> String {
    let mut copy = rule.clone();
    let spanned = |text: String| Spanned::new(text, Span::START);
    copy.metadata.title = Some(spanned(title(rule)));
    if let Some(id) = rule.metadata.id.clone() {
        copy.metadata.related.push(Related { id, kind: spanned("derived".to_owned()) });
    }
    copy.metadata.id = Some(Spanned::new(RuleId(NO_ID.to_owned()), Span::START));
    sigma::write(&copy)
}
