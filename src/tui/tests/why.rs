//! The Why view: what it says, how it is linked with the source, and when it asks anew.

use std::sync::Arc;

use super::fixtures::{self, DOWNLOAD, Screen, at};
use super::{drawn, press};
use crate::attribution::{
    Attribution, Broad, Cause, Difference, EventName, Evidence, Failure, Finding, FunnelRow, MatchReason,
    Miss, NearMiss, Place, RowKind, Stop, ValueCount,
};
use crate::authoring::Fills;
use crate::backend::CompiledRule;
use crate::bridge::{ReasonCode, Resolution};
use crate::ocsf::ClassUid;
use crate::tui::action::Action;
use crate::tui::model::{Overlay, Pane, RuleKey, WhyView};
use crate::tui::update::{Effect, update};
use crate::tui::worker::Report;

/// A rule that matches nothing.
pub(super) const BITS: &str = r"title: Bits job to a public folder
logsource:
    category: process_creation
    product: windows
detection:
    selection_image:
        Image|endswith: '\bitsadmin.exe'
    selection_folder:
        CommandLine|contains:
            - '\Users\Public\'
            - '%Public%'
    condition: all of selection_*
level: medium
";

const SIZE: (u16, u16) = (120, 36);

/// Every field is filled in most events but one that none fills.
pub(super) fn fills(rule: &CompiledRule) -> Fills {
    let mapped = rule.compilation.fields.iter().filter(|field| field.resolution != Resolution::Unmapped);
    let count = |name: &str| if name == "OriginalFileName" { 0 } else { 2_027 };
    let fields = mapped.map(|field| (field.field.clone(), count(&field.field.0))).collect();
    Fills { in_scope: 2_180, fields }
}

fn row(text: &str, kind: RowKind, at_text: &str, label: &str, events: u64) -> FunnelRow {
    let step = kind != RowKind::Predicate;
    let of_rule = !matches!(kind, RowKind::Class | RowKind::Filter);
    FunnelRow {
        kind,
        depth: usize::from(!step),
        label: label.to_owned(),
        place: of_rule.then(|| Place::of(at(text, at_text))).flatten(),
        events,
        cumulative: step,
        alone: of_rule.then_some(events),
        filled: (!step).then_some(2_027),
        common: Vec::new(),
    }
}

fn finding(cause: Cause, explanation: &str, matches: u64) -> Finding {
    Finding {
        cause,
        explanation: explanation.to_owned(),
        reason_code: None,
        class_uids: vec![ClassUid(1007)],
        class_events: 254_974,
        scope_events: 2_180,
        matches,
        empty_fields: Vec::new(),
        fallback_fields: Vec::new(),
        stopped_at: None,
        broad: None,
    }
}

fn name() -> EventName {
    EventName {
        id: "018f0001-7c1e-7d3b-a6f0-9f0b5c0d1e2f".to_owned(),
        time: Some(1_591_757_454_000),
        host: Some("work\u{1b}station6".to_owned()),
    }
}

/// Why each of the rules did or did not match.
pub(super) fn attribution(rule: &RuleKey) -> Attribution {
    let path = rule.path.display().to_string();
    let mut attribution = Attribution {
        rule_id: None,
        title: path.clone(),
        finding: finding(Cause::BridgeGap, "the rule is not executable", 0),
        funnel: Vec::new(),
        nearest: Vec::new(),
        matches: Vec::new(),
        correlation: None,
        event: None,
        path,
    };
    match attribution.path.as_str() {
        "rules/a_certutil.yml" => matched(&mut attribution),
        "rules/b_lsass.yml" => {
            attribution.finding.reason_code = Some(ReasonCode::UnmappedField);
            attribution.finding.class_uids.clear();
        }
        "rules/e_bits.yml" => unmatched(&mut attribution),
        _ => {}
    }
    attribution
}

fn matched(attribution: &mut Attribution) {
    let row = |kind, at_text, label, events| row(DOWNLOAD, kind, at_text, label, events);
    attribution.finding = finding(Cause::Matched, "1,212 of 2,180 events in scope match", 1_212);
    let urlcache = at(DOWNLOAD, "'urlcache '");
    attribution.finding.broad = Some(Broad {
        share: 0.55,
        lets_in: "CommandLine contains 'urlcache '".to_owned(),
        place: Place::of(urlcache),
        events: 1_900,
    });
    attribution.funnel = vec![
        row(RowKind::Class, "title", "class 1007 (process_activity)", 254_974),
        row(RowKind::Filter, "title", "activity_id eq 1", 2_180),
        row(RowKind::Selection, "selection_image", "selection_image", 1_300),
        row(RowKind::Predicate, "Image|endswith", r"Image ends with '\certutil.exe'", 1_300),
        row(RowKind::Predicate, "OriginalFileName", "OriginalFileName is 'certutil.exe'", 7),
        row(RowKind::Selection, "selection_flags", "selection_flags", 1_212),
        row(RowKind::Predicate, "'urlcache '", "CommandLine contains 'urlcache '", 1_900),
        row(RowKind::Predicate, "'verifyctl '", "CommandLine contains 'verifyctl '", 0),
    ];
    let value = format!("{} -urlcache -f http://198.51.100.7/\u{1b}[31m", "certutil.exe ".repeat(20));
    let start = value.find("urlcache").unwrap();
    let reason = MatchReason {
        event: name(),
        evidence: vec![Evidence {
            selection: Some("selection_flags".to_owned()),
            predicate: "CommandLine contains 'urlcache '".to_owned(),
            place: Place::of(urlcache),
            value: Some(value),
            found: Some((start, start + 9)),
        }],
    };
    attribution.matches = vec![reason.clone(), reason];
}

fn unmatched(attribution: &mut Attribution) {
    let row = |kind, at_text, label, events| row(BITS, kind, at_text, label, events);
    let said =
        "what the rule needs is filled, and no event satisfies selection_folder: 4 were left before it";
    attribution.finding = finding(Cause::RuleLogic, said, 0);
    let place = Place::of(at(BITS, "selection_folder"));
    attribution.finding.stopped_at = Some(Stop { label: "selection_folder".to_owned(), before: 4, place });
    attribution.funnel = vec![
        row(RowKind::Class, "title", "class 1007 (process_activity)", 254_974),
        row(RowKind::Filter, "title", "activity_id eq 1", 2_180),
        row(RowKind::Selection, "selection_image", "selection_image", 4),
        row(RowKind::Predicate, "Image|endswith", r"Image ends with '\bitsadmin.exe'", 4),
        row(RowKind::Selection, "selection_folder", "selection_folder", 0),
        row(RowKind::Predicate, r"'\Users\Public\'", r"CommandLine contains '\users\public\'", 0),
        row(RowKind::Predicate, "'%Public%'", "CommandLine contains '%public%'", 0),
    ];
    let value = |value: &str, events| ValueCount { value: value.to_owned(), events };
    for row in attribution.funnel.iter_mut().skip(5) {
        row.common = vec![value("whoami", 1_200), value("cmd /c \u{1b}[31mdir", 7)];
    }
    attribution.nearest = vec![NearMiss {
        event: name(),
        distance: 1,
        failed: vec![Failure {
            selection: Some("selection_folder".to_owned()),
            predicate: r"CommandLine contains '\users\public\'".to_owned(),
            place: Place::of(at(BITS, r"'\Users\Public\'")),
            value: Some(r"bitsadmin /transfer C:\ProgramData\x.exe".to_owned()),
            difference: Difference {
                miss: Miss::Other,
                text: r"is 'bitsadmin /transfer C:\ProgramData\x.exe'".to_owned(),
            },
            alternatives: 1,
        }],
    }];
}

fn text(screen: &Screen) -> String {
    let buffer = drawn(&screen.model);
    let rows = buffer.content.chunks(usize::from(buffer.area.width));
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>() + "\n").collect()
}

fn open(screen: &Screen) -> WhyView {
    match screen.model.overlay {
        Some(Overlay::Why(open)) => open,
        _ => panic!("the Why view is not open"),
    }
}

#[test]
fn it_opens_where_the_rule_stops_and_moves_the_source_along() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "jjjjw");
    assert_eq!((open(&screen).cursor, screen.model.cursor_line), (4, 8));
    let shown = text(&screen);
    assert!(shown.contains("← stops") && shown.contains("rule logic"), "{shown}");
    // The commonest values of what stands under the step.
    assert!(shown.contains("commonest values of CommandLine") && shown.contains("whoami"), "{shown}");
    press(&mut screen, "j");
    assert_eq!((open(&screen).cursor, screen.model.cursor_line), (5, 10));
    press(&mut screen, "kkk");
    assert_eq!(screen.model.cursor_line, 6);
}

#[test]
fn the_cursor_of_the_source_leads_the_funnel() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "jjjj2jjjjjjw");
    assert_eq!((screen.model.cursor_line, open(&screen).cursor), (7, 3));
    press(&mut screen, "<tab>jjj");
    assert_eq!((screen.model.cursor_line, open(&screen).cursor), (10, 5));
    // A line that no row belongs to leaves it where it was.
    press(&mut screen, "jj");
    assert_eq!((screen.model.cursor_line, open(&screen).cursor), (12, 6));
    press(&mut screen, "<enter>");
    assert_eq!((screen.model.focus, screen.model.overlay.is_none()), (Pane::Source, true));
}

#[test]
fn a_click_on_either_side_moves_both() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "jjjjw");
    assert!(text(&screen).contains("▁        Image|endswith"), "without room for a bar, its level");
    screen.act(Action::Click(45, 7));
    assert_eq!((screen.model.cursor_line, open(&screen).cursor), (7, 3));
    let rows = text(&screen);
    let row = rows.lines().position(|line| line.contains("'%public%'")).unwrap();
    screen.act(Action::Click(60, u16::try_from(row).unwrap()));
    assert_eq!((screen.model.cursor_line, open(&screen).cursor), (11, 6));
}

#[test]
fn bars_stay_beside_the_source_until_the_rule_changes() {
    let mut screen = Screen::new((160, 36));
    assert!(!text(&screen).contains("1,300"));
    press(&mut screen, "w<esc>");
    assert!(text(&screen).lines().any(|line| line.contains("selection_image:") && line.contains("1,300")));
    let mut rules = fixtures::rules();
    let edited = format!("{DOWNLOAD}# edited\n");
    let edited = fixtures::rule("rules/a_certutil.yml", &edited, None, fixtures::event());
    rules[0] = (Arc::clone(&edited), Some(fixtures::executable(&edited, false)));
    screen.rewrite(rules);
    assert!(!text(&screen).contains("1,300"), "numbers of another text do not stand beside this one");
}

#[test]
fn an_open_view_asks_anew_and_an_answer_to_an_older_question_is_dropped() {
    let mut screen = Screen::new(SIZE);
    press(&mut screen, "w");
    let old = screen.model.generations.why;
    screen.act(Action::Reload);
    assert!(screen.model.generations.why > old && !screen.model.why.stale);
    screen.act(Action::Worker(Report::Explained { generation: old, found: Err("late".to_owned()) }));
    assert!(screen.model.why.fresh().is_some());
    let effects = update(&mut screen.model, Action::Clear);
    assert!(effects.is_empty(), "nothing is under way that would have to be called off");
}

#[test]
fn closing_calls_off_what_is_under_way() {
    let mut screen = Screen::new(SIZE);
    let asked = update(&mut screen.model, Action::ShowWhy);
    assert!(matches!(asked[..], [Effect::Explain { rule: Some(_), .. }]));
    assert!(text(&screen).contains("counting …") && screen.model.work.is_under_way());
    let closed = update(&mut screen.model, Action::Clear);
    assert!(matches!(closed[..], [Effect::Explain { rule: None, .. }]) && !screen.model.work.is_under_way());
}

#[test]
fn what_was_found_is_highlighted_and_readable_without_colour() {
    let mut screen = Screen::new((120, 24));
    press(&mut screen, "wG");
    let shown = text(&screen);
    assert!(shown.contains("! matches 55 % of its scope"), "{shown}");
    assert!(shown.contains("PgDn"), "there is more than there is room for: {shown}");
    press(&mut screen, "<pgdn>");
    let shown = text(&screen);
    assert!(open(&screen).scroll > 0 && shown.contains("‹urlcache ›"), "{shown}");
}

#[test]
fn without_events_it_says_what_to_do() {
    let mut screen = Screen::with(SIZE, fixtures::rules(), false);
    press(&mut screen, "w");
    assert!(text(&screen).contains("no events: start with --parquet DIR"));
    assert!(screen.model.fills.is_none());
}

#[test]
fn fields_show_how_often_they_are_filled_and_the_empty_ones_are_marked() {
    let mut screen = Screen::new((250, 70));
    let shown = text(&screen);
    let line = |field: &str| shown.lines().find(|line| line.contains(field) && line.contains('%')).unwrap();
    assert!(line("CommandLine").contains("92 %"), "{shown}");
    assert!(line("OriginalFileName ").contains("! 0 %"), "{shown}");
    // A rule that is refused has them too, but for the field without an alias.
    press(&mut screen, "j");
    let shown = text(&screen);
    assert!(shown.lines().any(|line| line.contains("TargetImage") && line.contains("92 %")), "{shown}");
    assert!(shown.lines().any(|line| line.contains("✗ unmapped") && line.contains('–')), "{shown}");
    let old = screen.model.generations.fills;
    press(&mut screen, "k");
    let before = screen.model.fills.clone();
    screen.act(Action::Worker(Report::Filled { generation: old, fills: None }));
    assert_eq!(screen.model.fills, before, "an answer about another rule is dropped");
}
