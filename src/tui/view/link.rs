//! What on the screen belongs together: what the cursor of one pane is on, the others mark.
//!
//! All goes by the places of the source: a line of the route, of the SQL and of the funnel each knows the part of the rule
//! that it comes from. Where the rule looks (its log source, the route, the filters by class) is one such part too.

use crate::sigma::yaml::Node;
use crate::sigma::{Body, Detection, Expression, Item, Search, Span};
use crate::tui::model::{Model, Overlay, Pane, RuleEntry};

use super::{Layout, route, sql};

/// What a line of a pane is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum About {
    /// Nothing of the rule.
    #[default]
    Nothing,
    /// Where the rule looks.
    Scope,
    /// These parts of the rule.
    Parts(Vec<Span>),
}

/// The part of the rule that the cursor is on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    /// Stretches of lines of the source, each with its first and its last, from 1.
    lines: Vec<(u32, u32)>,
    /// Where the rule looks is among it.
    scope: bool,
}

impl Link {
    fn of(about: &About, entry: &RuleEntry) -> Self {
        match about {
            About::Nothing => Self::default(),
            About::Scope => Self { lines: vec![lines(entry.rule.logsource.span)], scope: true },
            About::Parts(spans) => Self { lines: spans.iter().copied().map(lines).collect(), scope: false },
        }
    }

    /// Whether it has a line of the source.
    pub(crate) fn has_line(&self, line: u32) -> bool {
        self.lines.iter().any(|(first, last)| (*first..=*last).contains(&line))
    }

    /// Whether a part of the rule is in it, be it only partly.
    pub(crate) fn touches(&self, span: Span) -> bool {
        self.lines.iter().any(|(first, last)| *first <= span.end.line && span.start.line <= *last)
    }

    /// Whether something about these parts is in it.
    pub(super) fn has(&self, about: &About) -> bool {
        match about {
            About::Nothing => false,
            About::Scope => self.scope,
            About::Parts(spans) => spans.iter().any(|span| self.touches(*span)),
        }
    }

    /// Whether one of these parts lies in it whole.
    pub(super) fn covers(&self, about: &About) -> bool {
        let within = |span: &Span| {
            let (start, end) = lines(*span);
            self.lines.iter().any(|(first, last)| *first <= start && end <= *last)
        };
        match about {
            About::Parts(spans) => spans.iter().any(within),
            other => self.has(other),
        }
    }

    /// Its first line of the source.
    pub(crate) fn first_line(&self) -> Option<u32> {
        self.lines.iter().map(|(first, _)| *first).min()
    }
}

fn lines(span: Span) -> (u32, u32) {
    // What ends at the start of a line has nothing on it.
    let last = if span.end.column == 1 { span.end.line.saturating_sub(1) } else { span.end.line };
    (span.start.line, last.max(span.start.line))
}

/// What the cursor is on, in the pane that has the keys.
pub(crate) fn link(model: &Model) -> Link {
    let Some(entry) = model.entry() else { return Link::default() };
    if matches!(model.overlay, Some(Overlay::Why(_))) {
        return of_source(entry, model.cursor_line);
    }
    let width = |pane| usize::from(Layout::of(model).body(pane).width);
    match model.focus {
        Pane::Rules => Link::default(),
        Pane::Source => of_source(entry, model.cursor_line),
        Pane::Route => Link::of(&route::about(model, width(Pane::Route), model.route_cursor), entry),
        Pane::Sql => Link::of(&sql::about(model, model.sql_cursor), entry),
        Pane::Matches => of_match(model, entry),
    }
}

/// The first line of the route, and of the SQL, that belongs to `link`; none where the cursor there is on such a line.
pub(crate) fn first_lines(model: &Model, link: &Link) -> (Option<usize>, Option<usize>) {
    let width = usize::from(Layout::of(model).body(Pane::Route).width);
    let on_route = || link.has(&route::about(model, width, model.route_cursor));
    // What belongs to a line alone comes before what the line is part of.
    let best = sql::first_in(model, |about| link.covers(about));
    let covered = best.is_some();
    let on_sql = || {
        let about = sql::about(model, model.sql_cursor);
        if covered { link.covers(&about) } else { link.has(&about) }
    };
    (
        route::first_in(model, width, link).filter(|_| !on_route()),
        best.or_else(|| sql::first_in(model, |about| link.has(about))).filter(|_| !on_sql()),
    )
}

/// A line of the source: all of what it begins, and what a condition on it names.
fn of_source(entry: &RuleEntry, line: u32) -> Link {
    let rule = &entry.rule;
    let mut link = Link { lines: vec![(line, line)], scope: false };
    match &rule.body {
        Body::Event(detection) => {
            let stated = rule.logsource.span != rule.span && rule.logsource.span.touches_line(line);
            link.scope = stated || is_key(&rule.text, line, "logsource:");
            link.lines.extend(begun_on(detection, line).into_iter().map(lines));
        }
        Body::Filter(filter) => link.lines.extend(begun_on(&filter.detection, line).into_iter().map(lines)),
        Body::Correlation(correlation) => link.lines.extend(entries_on(&correlation.node, line).map(lines)),
        Body::Unreadable => {}
    }
    link
}

/// Whether a line is that of a key of the document; its place is kept nowhere.
fn is_key(text: &str, line: u32, key: &str) -> bool {
    let at = line.saturating_sub(1) as usize;
    text.lines().nth(at).is_some_and(|line| line.starts_with(key))
}

/// The values of the entries of a map whose keys stand on a line.
fn entries_on(node: &Node, line: u32) -> impl Iterator<Item = Span> {
    let here = node.entries().iter().filter(move |(key, _)| key.span.start.line == line);
    here.map(|(_, value)| value.span)
}

/// What stands on a line by its name alone: a selection, a field above its values, the selections of a condition.
fn begun_on(detection: &Detection, line: u32) -> Vec<Span> {
    let named = |selection: &&crate::sigma::Selection| selection.name.span.start.line == line;
    let mut spans: Vec<_> =
        detection.selections.iter().filter(named).map(|selection| selection.span).collect();
    let items = detection.selections.iter().flat_map(|selection| items(&selection.search));
    spans.extend(items.filter(|item| item.key_span.start.line == line).map(|item| item.span));
    for condition in detection.conditions.iter().filter(|condition| condition.text.span.touches_line(line)) {
        let on_one_line = condition.text.span.start.line == condition.text.span.end.line;
        for leaf in condition.expression.iter().flat_map(Expression::leaves) {
            let (Expression::Identifier(name) | Expression::Quantified(_, name)) = leaf else { continue };
            if !on_one_line && !name.span.touches_line(line) {
                continue;
            }
            match leaf {
                Expression::Identifier(_) => spans.extend(detection.selection(&name.value).map(|s| s.span)),
                _ => spans.extend(detection.reached_by(&name.value).iter().map(|s| s.span)),
            }
        }
    }
    spans
}

fn items(search: &Search) -> Vec<&Item> {
    match search {
        Search::AllOf(items, _) => items.iter().collect(),
        Search::AnyOf(parts, _) => parts.iter().flat_map(items).collect(),
        Search::Keywords(..) => Vec::new(),
    }
}

/// The tests that the match under the cursor satisfies, as far as its columns show; all of a correlation.
fn of_match(model: &Model, entry: &RuleEntry) -> Link {
    if let Body::Correlation(correlation) = &entry.rule.body {
        return Link::of(&About::Parts(vec![correlation.node.span]), entry);
    }
    let places = model.matches.satisfied.as_ref().map(|satisfied| satisfied.places.clone());
    Link::of(&About::Parts(places.unwrap_or_default()), entry)
}
