//! Edits in place and new rules: what keys do to them, and what is asked for.

use super::fixtures::Screen;
use super::{drawn, press};
use crate::authoring::FileEdit;
use crate::tui::action::Action;
use crate::tui::model::{CHANGES, FileOf, History, Overlay, Stroke, Trial, Written};
use crate::tui::update::{Effect, update};
use crate::tui::worker::{Report, Unwritten, Writing};

/// The source of the first rule, its cursor on `- Image|endswith: '\\certutil.exe'`.
const AT_IMAGE: &str = "2jjjjjjjjj";

fn screen() -> Screen {
    let mut screen = Screen::new((120, 36));
    press(&mut screen, AT_IMAGE);
    screen
}

fn failed(screen: &Screen) -> Option<&str> {
    match &screen.model.overlay {
        Some(Overlay::Edit(edit)) => edit.failed.as_deref(),
        other => panic!("{other:?}"),
    }
}

fn notice(screen: &Screen) -> &str {
    screen.model.notices.last().map_or("", String::as_str)
}

fn text(screen: &Screen) -> String {
    drawn(&screen.model).content.iter().map(|cell| cell.symbol()).collect()
}

fn source(screen: &Screen) -> String {
    screen.model.entry().unwrap().rule.text.to_string()
}

#[test]
fn a_value_is_tried_written_taken_back_and_made_again() {
    let mut screen = screen();
    let before = source(&screen);
    press(&mut screen, "i");
    screen.act(Action::Stroke(Stroke::EraseToStart));
    press(&mut screen, "it's <enter>");
    assert!(screen.model.overlay.is_none());
    let wanted = before.replace("'\\certutil.exe'", "'it''s '");
    assert_eq!(source(&screen), wanted);
    assert!(screen.model.unsaved.as_ref().unwrap().effect.starts_with("matches"));
    screen.act(Action::SaveEdit);
    assert!(screen.model.unsaved.is_none());
    let written = screen.model.history.done.last().unwrap().clone();
    assert_eq!(written.edit.before.as_deref(), Some(before.as_str()));
    assert_eq!((written.edit.after.as_str(), written.edit.line), (wanted.as_str(), 10));
    press(&mut screen, "u");
    assert_eq!(screen.model.history.undone.last(), Some(&written));
    screen.act(Action::Redo);
    assert_eq!(screen.model.history.done, [written]);
}

#[test]
fn parts_of_a_line_are_gone_through_and_what_is_typed_stays() {
    let mut screen = screen();
    let before = source(&screen);
    press(&mut screen, "ix<tab>");
    // Behind the last part, the whole line, comes the key.
    let said = |screen: &mut Screen| screen.model.input_mut().unwrap().text().to_owned();
    assert_eq!(said(&mut screen), r"        - Image|endswith: '\certutil.exex'");
    press(&mut screen, "<tab>");
    assert_eq!(said(&mut screen), "Image|endswith");
    screen.act(Action::Stroke(Stroke::EraseWord));
    press(&mut screen, "ParentImage|contains<enter>");
    let wanted =
        before.replace("- Image|endswith: '\\certutil.exe'", "- ParentImage|contains: '\\certutil.exex'");
    assert_eq!(source(&screen), wanted);
}

#[test]
fn escape_drops_what_is_typed_and_then_what_is_tried() {
    let mut screen = screen();
    let before = source(&screen);
    press(&mut screen, "ix<enter>iy<esc>");
    assert!(screen.model.overlay.is_none() && source(&screen).contains("certutil.exex'"));
    press(&mut screen, "<esc>");
    assert_eq!(source(&screen), before);
    assert!(screen.model.unsaved.is_none() && screen.model.history.done.is_empty());
    // Typed back to what is there, nothing is tried.
    press(&mut screen, "ix<enter>i<backspace><enter>");
    assert!(screen.model.unsaved.is_none());
    assert_eq!(source(&screen), before);
}

#[test]
fn one_thing_is_tried_at_a_time() {
    let mut screen = screen();
    press(&mut screen, "ix<enter>3i");
    assert!(screen.model.overlay.is_none() && notice(&screen).contains("is unsaved"));
    press(&mut screen, "u");
    assert!(notice(&screen).contains("is unsaved"));
    press(&mut screen, "1j2i");
    assert!(screen.model.overlay.is_none());
}

#[test]
fn leaving_with_something_unsaved_is_asked_for_twice() {
    let mut screen = screen();
    press(&mut screen, "ix<enter>");
    assert!(update(&mut screen.model, Action::Quit).is_empty());
    assert!(notice(&screen).contains("leaving again drops it"));
    assert!(matches!(update(&mut screen.model, Action::Quit)[..], [Effect::Quit]));
}

#[test]
fn a_rule_that_cannot_be_read_is_written_only_when_asked_for_twice() {
    let mut screen = screen();
    press(&mut screen, "i<tab>: [<enter>");
    let asked = |screen: &mut Screen| match update(&mut screen.model, Action::SaveEdit).pop() {
        Some(Effect::Write(writing)) => match *writing {
            Writing::Rule(_, even_broken) => even_broken,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert!(!asked(&mut screen));
    // Nothing more is asked for while that is under way.
    assert!(update(&mut screen.model, Action::SaveEdit).is_empty());
    let broken = Err(Unwritten::Broken("10:34: no".to_owned()));
    screen.act(Action::Worker(Report::Written(broken)));
    assert!(notice(&screen).contains("writes it all the same") && screen.model.unsaved.is_some());
    assert!(asked(&mut screen));
}

#[test]
fn a_write_that_fails_keeps_what_is_tried() {
    let mut screen = screen();
    press(&mut screen, "ix<enter>");
    let effects = update(&mut screen.model, Action::SaveEdit);
    assert!(matches!(effects[..], [Effect::Write(_)]));
    let failed = Err(Unwritten::Because("a.yml has changed since; look at it first".to_owned()));
    screen.act(Action::Worker(Report::Written(failed)));
    assert!(notice(&screen).contains("has changed since"));
    assert!(screen.model.unsaved.as_ref().is_some_and(|unsaved| !unsaved.writing));
}

#[test]
fn an_alias_is_tried_on_all_rules_and_written_into_the_pack() {
    let mut screen = screen();
    press(&mut screen, "3i<enter>");
    assert!(failed(&screen).unwrap().contains("write a path"));
    press(&mut screen, "nowhere<enter>");
    assert_eq!(failed(&screen), Some("no class has `nowhere`"));
    assert!(screen.model.unsaved.is_none());
    screen.act(Action::Stroke(Stroke::EraseToStart));
    press(&mut screen, "process.name<enter>");
    let unsaved = screen.model.unsaved.as_ref().unwrap();
    assert!(matches!(&unsaved.trial, Trial::Alias(alias) if alias.target == "process.name"));
    assert!(unsaved.effect.contains("executable"), "{}", unsaved.effect);
    screen.act(Action::SaveEdit);
    assert!(screen.model.unsaved.is_none());
    assert!(matches!(&screen.model.history.done[..], [Written { of: FileOf::Pack, .. }]));
}

#[test]
fn a_pack_in_the_program_says_what_to_do() {
    let mut screen = screen();
    press(&mut screen, "3iprocess.name<enter>");
    update(&mut screen.model, Action::SaveEdit);
    let why = crate::authoring::EditError::NotOnDisk("ocsf-1.7.0".to_owned()).to_string();
    screen.act(Action::Worker(Report::Written(Err(Unwritten::Because(why)))));
    assert!(notice(&screen).contains("pack new my-pack --extends ocsf-1.7.0"));
}

#[test]
fn a_new_rule_is_named_by_its_template_until_the_user_names_it() {
    let mut screen = Screen::new((120, 36));
    press(&mut screen, "n");
    let open = |screen: &Screen| match &screen.model.overlay {
        Some(Overlay::NewRule(open)) => open.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(open(&screen).name.text(), "new_rule.yml");
    press(&mut screen, "<tab><tab>");
    assert_eq!(open(&screen).name.text(), "a_certutil_copy.yml");
    screen.act(Action::Stroke(Stroke::EraseToStart));
    press(&mut screen, "q.yml<tab><backtab>");
    assert_eq!(open(&screen).name.text(), "q.yml");
    let effects = update(&mut screen.model, Action::CreateRule);
    let [Effect::Write(writing)] = &effects[..] else { panic!("{effects:?}") };
    let Writing::New(file) = &**writing else { panic!("{writing:?}") };
    assert_eq!((file.folder.to_str(), file.name.as_str()), (Some("rules"), "q.yml"));
    let taken = Err(Unwritten::Because("rules/q.yml is there already".to_owned()));
    screen.act(Action::Worker(Report::Written(taken)));
    assert_eq!(open(&screen).failed.as_deref(), Some("rules/q.yml is there already"));
    press(&mut screen, "<esc>");
    assert!(screen.model.overlay.is_none());
}

#[test]
fn among_the_matches_a_new_rule_is_made_of_one() {
    let mut screen = Screen::new((120, 36));
    press(&mut screen, "5n");
    let Some(Overlay::NewRule(open)) = &screen.model.overlay else { panic!() };
    assert_eq!(open.name.text(), "certutil_exe.yml");
    // What cannot be drafted is not written.
    press(&mut screen, "<backtab><backtab>");
    press(&mut screen, "<tab><tab><tab><tab><tab><tab>");
    assert!(update(&mut screen.model, Action::CreateRule).is_empty());
}

#[test]
fn changes_are_kept_up_to_a_number_and_a_size() {
    let written = |name: usize, bytes: usize| {
        let edit =
            FileEdit { path: format!("{name}.yml").into(), before: None, after: "x".repeat(bytes), line: 1 };
        Written { edit, of: FileOf::Rule }
    };
    let mut history = History::default();
    for name in 0..CHANGES + 5 {
        history.made(written(name, 10));
    }
    assert_eq!((history.done.len(), &history.done[0]), (CHANGES, &written(5, 10)));
    for name in 0..3 {
        history.undone(written(name, 20 << 20));
    }
    assert_eq!((history.undone.len(), history.undone[0].edit.path.to_str()), (1, Some("2.yml")));
    history.made(written(7, 100 << 20));
    assert_eq!(
        (history.done.len(), history.undone.len()),
        (1, 0),
        "the last one can be taken back in any case"
    );
}

#[test]
fn a_new_rule_that_is_wanted_before_its_draft_is_there_is_written_when_it_comes() {
    let mut screen = Screen::new((120, 36));
    let asked = update(&mut screen.model, Action::NewRule);
    press(&mut screen, "<enter>");
    let shown = text(&screen);
    assert!(shown.contains("drafting …; it is written as soon as it is there"), "{shown}");
    let draft = asked.into_iter().find(|effect| matches!(effect, Effect::Draft { .. })).unwrap();
    let [report] = <[Report; 1]>::try_from(screen.answer(draft)).unwrap();
    let effects = update(&mut screen.model, Action::Worker(report));
    let [Effect::Write(writing)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(matches!(&**writing, Writing::New(file) if file.name == "new_rule.yml"), "{writing:?}");
}

#[test]
fn who_looks_at_another_template_wants_the_first_no_longer() {
    let mut screen = Screen::new((120, 36));
    let asked = update(&mut screen.model, Action::NewRule);
    press(&mut screen, "<enter><tab>");
    for report in asked.into_iter().flat_map(|effect| screen.answer(effect)).collect::<Vec<_>>() {
        assert!(update(&mut screen.model, Action::Worker(report)).is_empty());
    }
}
