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

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::correlation;
use super::findings::findings;
use super::paint::{self, PaneLine, paragraph, piece};
use super::trouble;
use crate::bridge::{Compilation, Diagnostic, FieldResolution, Resolution, RoutedScope, Severity};
use crate::ocsf::{Catalog, ClassUid};
use crate::pack::{FilterOp, RouteFilter};
use crate::tui::model::{Model, Pane, RuleEntry};
use crate::tui::text::{self, Piece};
use crate::tui::theme::Role;

pub(super) fn title(model: &Model) -> PaneLine {
    let theme = &model.theme;
    if model.pack.is_stale() {
        return vec![piece(theme, Role::Error, "stale")];
    }
    let mut pieces = Vec::new();
    if let Some(info) = &model.pack.info {
        pieces.push(piece(theme, Role::TextDim, &format!("{} {}", info.id, info.version)));
    }
    if !model.pack.warnings.is_empty() {
        let said = format!("  {} pack warnings", model.pack.warnings.len());
        pieces.push(piece(theme, Role::DiagnosticWarning, &said));
    }
    pieces
}

pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model) {
    let lines = lines(model, usize::from(body.width));
    paint::scrolled(buffer, body, &model.theme, &lines, model.offset(Pane::Route));
}

pub(super) fn lines(model: &Model, width: usize) -> Vec<PaneLine> {
    let mut lines = pack_errors(model, width);
    let Some(entry) = model.entry() else { return lines };
    lines.extend(refusal(model, entry, width));
    let shown = entry.last_good.as_ref().or(entry.compiled.as_ref());
    let readable = !entry.is_unreadable() || entry.last_good.is_some();
    if let Some(compiled) = shown.filter(|_| readable) {
        let compilation = &compiled.compilation;
        lines.extend(correlation::lines(model, compilation, width).unwrap_or_else(|| {
            let mut lines = routing(model, compilation, width);
            lines.extend(fields(model, compilation, width));
            lines
        }));
        if entry.last_good.is_some() {
            fade(&mut lines, model);
        }
    }
    lines.extend(pack_warnings(model, width));
    lines
}

/// Dims what belongs to the last text that could be read.
fn fade(lines: &mut [PaneLine], model: &Model) {
    let stale = model.theme.style(Role::Stale);
    let refusal = lines.iter().position(Vec::is_empty).unwrap_or(0);
    for piece in lines.iter_mut().skip(refusal).flatten() {
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
fn refusal(model: &Model, entry: &RuleEntry, width: usize) -> Vec<PaneLine> {
    let theme = &model.theme;
    let Some(code) = entry.compiled.as_ref().and_then(|c| c.compilation.refusal()) else {
        return Vec::new();
    };
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
    lines
}

fn routing(model: &Model, compilation: &Compilation, width: usize) -> Vec<PaneLine> {
    let mut lines = Vec::new();
    match &compilation.routing.scope {
        Some(scope) => lines.extend(scope_lines(model, scope, width)),
        None => lines.push(unrouted(model, compilation)),
    }
    for rejected in &compilation.routing.rejected {
        let said = format!("not {}: {}", rejected.logsource, rejected.why);
        lines.extend(paragraph(model, Role::TextDim, "   ", &said, width));
    }
    lines.push(Vec::new());
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
        FilterOp::Neq => "≠",
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

fn fields(model: &Model, compilation: &Compilation, width: usize) -> Vec<PaneLine> {
    if compilation.fields.is_empty() {
        return Vec::new();
    }
    if compilation.routing.scope.is_none() {
        let said = "its fields are looked up once the rule is routed";
        return paragraph(model, Role::TextDim, " ", said, width);
    }
    let columns = Columns::fitting(&compilation.fields, model.fills.is_some(), width);
    let (name, expr) = (text::pad("field", columns.name), text::pad("found in", columns.expr));
    let kind = if columns.kind >= 4 { "type" } else { "" };
    let filled = text::pad_left("filled", columns.filled);
    let heading = format!(" {name}  {expr}{filled}  {kind}");
    let mut lines = vec![vec![piece(&model.theme, Role::TableHeader, &heading)]];
    for field in &compilation.fields {
        lines.push(field_line(model, field, &columns));
        if !field.transforms.is_empty() {
            let indent = " ".repeat(columns.name + 3);
            lines.extend(paragraph(model, Role::TextDim, &indent, &field.transforms, width));
        }
    }
    lines
}

/// Role and place of a field's values.
fn found_in(field: &FieldResolution) -> (Role, String) {
    match field.resolution {
        Resolution::Mapped => (Role::Text, field.expr.clone()),
        Resolution::RawFallback => (Role::StatusFallback, format!("▲ {}", field.expr)),
        Resolution::Unmapped => (Role::StatusRefused, "✗ unmapped".to_owned()),
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
        Some((0, 1..)) => (Role::DiagnosticWarning, "! 0 %".to_owned()),
        Some((filled, in_scope @ 1..)) => (Role::Text, text::percent(*filled, in_scope)),
        // No event is in scope, or the field cannot be looked at.
        Some((_, 0)) | None => (Role::TextDim, "–".to_owned()),
    };
    (text::pad_left(&share, columns.filled), model.theme.style(role))
}

fn field_line(model: &Model, field: &FieldResolution, columns: &Columns) -> PaneLine {
    let theme = &model.theme;
    let linked =
        model.linked_line().is_some_and(|line| field.uses.iter().any(|use_| use_.touches_line(line)));
    let (mark, name) = if linked { ("▌", Role::Linked) } else { (" ", Role::Text) };
    let (role, place) = found_in(field);
    // The end of a path tells most.
    let place = text::fit_end(&place, columns.expr);
    vec![
        piece(theme, Role::Linked, mark),
        (text::pad(&field.field.0, columns.name), theme.style(name)),
        ("  ".to_owned(), theme.style(Role::Text)),
        (text::pad(&place, columns.expr), theme.style(role)),
        filled(model, field, columns),
        ("  ".to_owned(), theme.style(Role::Text)),
        (text::fit(&kind(field), columns.kind), theme.style(Role::TextDim)),
    ]
}
