//! How the selected rule was routed, and what became of each of its fields.
//!
//! ```text
//!  3 Route & aliases
//!  ✗ unmapped_field                                     (of a rule that is refused: why, and what would fix it)
//!    no alias for 'CallTrace' in process_access/windows
//!
//!  process_access/windows → 1007 Process Activity
//!    activity_id eq 3
//!    not process_access/*: less specific
//!
//!  field        found in                     filled  type
//!  Image        process.file.path              93 %  string
//!  CallTrace    ✗ unmapped
//! ```

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::findings::findings;
use super::link::{About, Link, link};
use super::paint::{self, PaneLine, Ranked, paragraph, piece};
use super::{Layout, correlation, edit, symbols, trouble};
use crate::bridge::{Compilation, Diagnostic, FieldResolution, Resolution, RoutedScope, Severity};
use crate::ocsf::{Catalog, ClassUid};
use crate::pack::{FilterOp, RouteFilter};
use crate::tui::model::{Model, Pane, RuleEntry};
use crate::tui::text::{self, Piece};
use crate::tui::theme::Role;

pub(super) fn title(model: &Model) -> Vec<Ranked> {
    let theme = &model.theme;
    if model.pack.is_stale() {
        return vec![(0, piece(theme, Role::Error, "stale"))];
    }
    let mut pieces = Vec::new();
    if model.unsaved.as_ref().is_some_and(|unsaved| unsaved.alias().is_some()) {
        pieces.push((0, piece(theme, Role::DiagnosticWarning, "unsaved  ")));
    }
    if let Some(info) = &model.pack.info {
        pieces.push((2, piece(theme, Role::TextDim, &format!("{} {}", info.id, info.version))));
    }
    if !model.pack.warnings.is_empty() {
        let said = format!("  {} pack warnings", model.pack.warnings.len());
        pieces.push((1, piece(theme, Role::DiagnosticWarning, &said)));
    }
    pieces
}

pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model) {
    let lines = lines(model, usize::from(body.width));
    paint::scrolled(buffer, body, &model.theme, &lines, model.offset(Pane::Route));
    paint::cursor(buffer, body, model, Pane::Route, model.route_cursor);
}

pub(super) fn lines(model: &Model, width: usize) -> Vec<PaneLine> {
    parts(model, width, &link(model)).into_iter().flat_map(|part| part.lines).collect()
}

/// What a line is about.
pub(super) fn about(model: &Model, width: usize, line: usize) -> About {
    let mut before = 0;
    let has = |part: &Part| {
        before += part.lines.len();
        line < before
    };
    // The marks do not move lines: any link will do.
    parts(model, width, &Link::default()).into_iter().find(has).map(|part| part.about).unwrap_or_default()
}

/// The first line that belongs to `link`.
pub(super) fn first_in(model: &Model, width: usize, link: &Link) -> Option<usize> {
    let parts = parts(model, width, &Link::default());
    let at = parts.iter().position(|part| link.has(&part.about))?;
    Some(parts.iter().take(at).map(|part| part.lines.len()).sum())
}

/// Lines that are about one thing.
pub(super) struct Part {
    pub about: About,
    pub lines: Vec<PaneLine>,
}

impl Part {
    pub(super) fn new(about: About, lines: Vec<PaneLine>) -> Self {
        Self { about, lines }
    }
}

fn parts(model: &Model, width: usize, link: &Link) -> Vec<Part> {
    let mut parts = vec![Part::new(About::Nothing, pack_errors(model, width))];
    let Some(entry) = model.entry() else { return parts };
    parts.extend(refusal(model, entry, width));
    let shown = entry.last_good.as_ref().or(entry.compiled.as_ref());
    let readable = !entry.is_unreadable() || entry.last_good.is_some();
    if let Some(compiled) = shown.filter(|_| readable) {
        let compilation = &compiled.compilation;
        let mut of_rule = correlation::parts(model, compilation, width, link).unwrap_or_else(|| {
            let routing = Part::new(About::Scope, routing(model, compilation, width, link));
            let rejected = Part::new(About::Scope, rejected(model, compilation, width));
            let fields = fields(model, compilation, width, link);
            match compilation.routing.scope {
                Some(_) => std::iter::once(routing).chain(fields).chain([rejected]).collect(),
                None => [routing, rejected].into_iter().chain(fields).collect(),
            }
        });
        if entry.last_good.is_some() {
            fade(&mut of_rule, model);
        }
        parts.extend(of_rule);
    }
    parts.push(Part::new(About::Nothing, pack_warnings(model, width)));
    parts
}

/// Dims what belongs to the last text that could be read.
fn fade(parts: &mut [Part], model: &Model) {
    let stale = model.theme.style(Role::Stale);
    for piece in parts.iter_mut().flat_map(|part| &mut part.lines).flatten() {
        piece.1 = stale;
    }
}

/// Why the pack on disk does not load.
fn pack_errors(model: &Model, width: usize) -> Vec<PaneLine> {
    let mut lines = Vec::new();
    for error in &model.pack.errors {
        lines.extend(pack_finding(model, Role::Error, " ✗ ", error, width));
    }
    if !lines.is_empty() {
        lines.extend(trouble::no_pack(model, width));
        lines.push(Vec::new());
    }
    lines
}

fn pack_finding(model: &Model, role: Role, mark: &str, finding: &Diagnostic, width: usize) -> Vec<PaneLine> {
    let path = match model.pack.info {
        // Which pack is meant is in doubt as long as none is loaded.
        None => finding.path.as_os_str(),
        Some(_) => finding.path.file_name().unwrap_or_default(),
    };
    let file = path.to_string_lossy();
    let said = format!("pack {file}:{}: {}", finding.span.start, finding.message);
    let mut lines = paragraph(model, role, mark, &said, width);
    if let Some(help) = &finding.help {
        lines.extend(paragraph(model, Role::DiagnosticHelp, "   ", help, width));
    }
    lines
}

/// What else was found in the pack.
fn pack_warnings(model: &Model, width: usize) -> Vec<PaneLine> {
    if model.pack.warnings.is_empty() {
        return Vec::new();
    }
    let warnings = model.pack.warnings.iter();
    let lines = warnings.flat_map(|w| pack_finding(model, Role::DiagnosticWarning, " ! ", w, width));
    std::iter::once(Vec::new()).chain(lines).collect()
}

/// Why the rule is refused.
fn refusal(model: &Model, entry: &RuleEntry, width: usize) -> Option<Part> {
    let theme = &model.theme;
    let code = entry.compiled.as_ref()?.compilation.refusal()?;
    let mut lines = vec![vec![
        piece(theme, Role::DiagnosticError, " ✗ "),
        piece(theme, Role::StatusRefused, code.code.reason.map_or(code.code.name, |reason| reason.as_str())),
        piece(theme, Role::TextDim, &format!("  line {}", code.span.start.line)),
    ]];
    lines.extend(paragraph(model, Role::Text, "   ", &code.message, width));
    if let Some(help) = &code.help {
        lines.extend(paragraph(model, Role::DiagnosticHelp, "   ", help, width));
    }
    let more = findings(entry).iter().filter(|f| f.severity == Severity::Error).count() - 1;
    if more > 0 {
        lines.push(vec![piece(theme, Role::TextDim, &format!("   and {more} more, beside the source"))]);
    }
    lines.push(Vec::new());
    Some(Part::new(About::Parts(vec![code.span]), lines))
}

fn routing(model: &Model, compilation: &Compilation, width: usize, link: &Link) -> Vec<PaneLine> {
    let mut lines = Vec::new();
    match &compilation.routing.scope {
        Some(scope) => lines.extend(scope_lines(model, scope, width)),
        None => lines.push(unrouted(model, compilation)),
    }
    if let Some(first) = lines.first_mut().filter(|_| link.has(&About::Scope)) {
        paint::mark_linked(first, &model.theme);
    }
    // The routes that lost follow at once where none won.
    if compilation.routing.scope.is_some() || compilation.routing.rejected.is_empty() {
        lines.push(Vec::new());
    }
    lines
}

/// The routes that lost, and why: below what the rule has, above what it lacks.
fn rejected(model: &Model, compilation: &Compilation, width: usize) -> Vec<PaneLine> {
    let routed = compilation.routing.scope.is_some();
    let each = compilation.routing.rejected.iter().flat_map(|rejected| {
        let said = format!("not {}: {}", rejected.logsource, rejected.why);
        paragraph(model, Role::TextDim, if routed { " " } else { "   " }, &said, width)
    });
    let mut lines: Vec<PaneLine> = each.collect();
    if !lines.is_empty() {
        let at = if routed { 0 } else { lines.len() };
        lines.insert(at, PaneLine::new());
    }
    lines
}

fn unrouted(model: &Model, compilation: &Compilation) -> PaneLine {
    let source = &compilation.rule.logsource;
    let part = |part: &Option<crate::sigma::Spanned<String>>| {
        part.as_ref().map_or_else(|| "*".to_owned(), |part| part.value.clone())
    };
    let asked = format!(" {}/{}/{}", part(&source.category), part(&source.product), part(&source.service));
    let theme = &model.theme;
    vec![
        piece(theme, Role::Text, &asked),
        piece(theme, Role::TextDim, " → "),
        piece(theme, Role::Error, "no route"),
    ]
}

fn scope_lines(model: &Model, scope: &RoutedScope, width: usize) -> Vec<PaneLine> {
    let theme = &model.theme;
    let classes: Vec<_> = scope.class_uids.iter().map(|class| class_label(*class)).collect();
    let widest = classes.iter().map(|class| text::width(class)).max().unwrap_or(0);
    let mut lines = vec![vec![piece(theme, Role::Text, &format!(" {}", scope.logsource))]];
    let beside = text::width(&scope.logsource) + widest + 4 <= width;
    for (at, class) in classes.iter().enumerate() {
        let arrow = if at == 0 || !beside { " → " } else { "   " };
        let target = [piece(theme, Role::TextDim, arrow), piece(theme, Role::PaneTitle, class)];
        match lines.last_mut() {
            Some(line) if at == 0 && beside => line.extend(target),
            _ if beside => {
                let indent = " ".repeat(text::width(&scope.logsource) + 1);
                lines.push([vec![piece(theme, Role::Text, &indent)], target.to_vec()].concat());
            }
            _ => lines.push(target.to_vec()),
        }
    }
    for filter in &scope.filters {
        lines.extend(paragraph(model, Role::Text, "   ", &filter_text(filter), width));
    }
    lines
}

fn class_label(class: ClassUid) -> String {
    match Catalog::pinned().class_name(class) {
        Some(name) => format!("{class} {name}"),
        None => class.to_string(),
    }
}

fn filter_text(filter: &RouteFilter) -> String {
    let op = match filter.op {
        FilterOp::Eq => "=",
        FilterOp::Neq => symbols::UNEQUAL.glyph,
        FilterOp::In => "in",
        FilterOp::Nin => "not in",
        FilterOp::Exists => "exists",
        FilterOp::Contains => "contains",
        FilterOp::Prefix => "begins with",
        FilterOp::Suffix => "ends with",
        FilterOp::Regex => "matches",
    };
    match &filter.value {
        serde_json::Value::Null => format!("{} {op}", filter.path),
        serde_json::Value::String(value) => format!("{} {op} {value}", filter.path),
        serde_json::Value::Array(values) => {
            let values: Vec<_> = values.iter().map(plain).collect();
            format!("{} {op} {}", filter.path, values.join(", "))
        }
        value => format!("{} {op} {value}", filter.path),
    }
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Columns of the share of events that fill a field.
const FILLED: usize = 7;

/// How wide the columns of the fields are.
struct Columns {
    name: usize,
    expr: usize,
    /// None where it is not known how often fields are filled.
    filled: usize,
    /// None where the expressions need the room.
    kind: usize,
}

impl Columns {
    fn fitting(fields: &[FieldResolution], filled: bool, width: usize) -> Self {
        let widest = |of: fn(&FieldResolution) -> String| {
            fields.iter().map(|field| text::width(&of(field))).max().unwrap_or(0)
        };
        let name = widest(|field| field.field.0.clone()).clamp(5, (width * 2 / 5).max(5));
        let (expr, kind) = (widest(|field| found_in(field).1).max(8), widest(kind));
        let filled = if filled { FILLED } else { 0 };
        let room = width.saturating_sub(name + 4 + filled);
        match expr + 2 + kind <= room {
            true => Self { name, expr, filled, kind },
            false => Self { name, expr: expr.min(room + 1), filled, kind: 0 },
        }
    }
}

fn fields(model: &Model, compilation: &Compilation, width: usize, link: &Link) -> Vec<Part> {
    if compilation.fields.is_empty() {
        return Vec::new();
    }
    if compilation.routing.scope.is_none() {
        let said = "its fields are looked up once the rule is routed";
        return vec![Part::new(About::Nothing, paragraph(model, Role::TextDim, " ", said, width))];
    }
    let columns = Columns::fitting(&compilation.fields, model.fills.is_some(), width);
    let (name, expr) = (text::pad("field", columns.name), text::pad("found in", columns.expr));
    let kind = if columns.kind >= 4 { "type" } else { "" };
    let filled = text::pad_left("filled", columns.filled);
    let heading = format!(" {name}  {expr}{filled}  {kind}");
    let heading = vec![vec![piece(&model.theme, Role::TableHeader, &heading)]];
    let mut parts = vec![Part::new(About::Nothing, heading)];
    for field in &compilation.fields {
        let lines = field_lines(model, field, &columns, width, link);
        parts.push(Part::new(About::Parts(field.uses.clone()), lines));
    }
    parts
}

/// A field, its transforms, and what is said of an edit of its alias.
fn field_lines(
    model: &Model,
    field: &FieldResolution,
    columns: &Columns,
    width: usize,
    link: &Link,
) -> Vec<PaneLine> {
    let edited = model.edited_alias().filter(|(_, alias)| alias.field == field.field);
    let indent = " ".repeat(columns.name + 3);
    if let Some((typed, _)) = edited {
        let mut line = name_pieces(model, field, columns, link);
        let room = width.saturating_sub(paint::width(&line));
        line.extend(paint::input(&model.theme, &typed.input, room));
        let notes = edit::said(model, typed, width.saturating_sub(2));
        return std::iter::once(line).chain(notes.into_iter().map(|note| indented(model, note))).collect();
    }
    let mut lines = vec![field_line(model, field, columns, link)];
    if !field.transforms.is_empty() {
        lines.extend(paragraph(model, Role::TextDim, &indent, &field.transforms, width));
    }
    if let Some(unsaved) = &model.unsaved
        && unsaved.alias().is_some_and(|alias| alias.field == field.field)
    {
        let notes = edit::effect(model, &unsaved.effect, width.saturating_sub(2));
        lines.extend(notes.into_iter().map(|note| indented(model, note)));
    }
    lines
}

fn indented(model: &Model, note: Piece) -> PaneLine {
    vec![piece(&model.theme, Role::Text, "  "), note]
}

/// The row of the field whose alias is being edited.
pub(crate) fn edited_alias_row(model: &Model) -> Option<usize> {
    let (_, alias) = model.edited_alias()?;
    let fields = &model.entry()?.compiled.as_ref()?.compilation.fields;
    let field = fields.iter().find(|field| field.field == alias.field)?;
    let width = usize::from(Layout::of(model).body(Pane::Route).width);
    let about = About::Parts(field.uses.clone());
    let parts = parts(model, width, &link(model));
    let at = parts.iter().position(|part| part.about == about)?;
    Some(parts.iter().take(at).map(|part| part.lines.len()).sum())
}

/// The rows of the field at a row of the pane, from that row on: what is said of its alias as well.
pub(crate) fn rows_of_field(model: &Model, body: Rect, row: usize) -> Option<Range<usize>> {
    let mut first = 0;
    for part in parts(model, usize::from(body.width), &Link::default()) {
        let behind = first + part.lines.len();
        if (first..behind).contains(&row) {
            return matches!(part.about, About::Parts(_)).then_some(row..behind);
        }
        first = behind;
    }
    None
}

/// Role and place of a field's values.
fn found_in(field: &FieldResolution) -> (Role, String) {
    match field.resolution {
        Resolution::Mapped => (Role::Text, field.expr.to_string()),
        Resolution::RawFallback => {
            (Role::StatusFallback, format!("{} {}", symbols::FALLBACK.glyph, field.expr))
        }
        Resolution::Unmapped => (Role::StatusRefused, format!("{} unmapped", symbols::REFUSED.glyph)),
    }
}

fn kind(field: &FieldResolution) -> String {
    let list = if field.list { "[]" } else { "" };
    field.field_type.map_or_else(String::new, |kind| format!("{}{list}", kind.as_str()))
}

/// The share of the events in scope that have a value in the field; none of them is marked.
fn filled(model: &Model, field: &FieldResolution, columns: &Columns) -> Piece {
    let counted =
        model.fills.as_ref().and_then(|fills| Some((fills.fields.get(&field.field)?, fills.in_scope)));
    let (role, share) = match counted {
        Some((0, 1..)) => (Role::DiagnosticWarning, format!("{} 0 %", symbols::WARNING.glyph)),
        Some((filled, in_scope @ 1..)) => (Role::Text, text::percent(*filled, in_scope)),
        // No event is in scope, or the field cannot be looked at.
        Some((_, 0)) | None => (Role::TextDim, symbols::NOTHING.glyph.to_owned()),
    };
    (text::pad_left(&share, columns.filled), model.theme.style(role))
}

fn name_pieces(model: &Model, field: &FieldResolution, columns: &Columns, link: &Link) -> PaneLine {
    let theme = &model.theme;
    let linked = field.uses.iter().any(|use_| link.touches(*use_));
    let style = theme.style(if linked { Role::Linked } else { Role::Text });
    let [name, blanks] = paint::padded(theme, &field.field.0, columns.name, style);
    vec![paint::link_mark(theme, linked), name, blanks, ("  ".to_owned(), theme.style(Role::Text))]
}

fn field_line(model: &Model, field: &FieldResolution, columns: &Columns, link: &Link) -> PaneLine {
    let theme = &model.theme;
    let (role, place) = found_in(field);
    // The end of a path tells most.
    let place = text::fit_end(&place, columns.expr);
    let mut line = name_pieces(model, field, columns, link);
    line.extend([
        (text::pad(&place, columns.expr), theme.style(role)),
        filled(model, field, columns),
        ("  ".to_owned(), theme.style(Role::Text)),
        (text::fit(&kind(field), columns.kind), theme.style(Role::TextDim)),
    ]);
    line
}
