//! What is remembered comes back; what somebody else wrote does no harm.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::bridge::Settings;
use crate::tui::model::Border;
use crate::tui::theme::Theme;

struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["rules", "more", "run", "pack"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn places(&self) -> Places {
        Places { config: None, state: Some(self.path("state")) }
    }

    fn options(&self, rules: &[&str]) -> Options {
        Options {
            rules: rules.iter().map(|name| self.path(name)).collect(),
            dataset: Some(self.path("run")),
            range: crate::store::TimeRange::default(),
            pack: PackSource::Folder(self.path("pack")),
            settings: Settings::default(),
            threads: 1,
            theme: None,
            bell: false,
            title: false,
            cache: true,
        }
    }

    /// The one file that there is.
    fn file(&self) -> PathBuf {
        let files = fs::read_dir(self.path("state/workspaces")).unwrap();
        let files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1);
        files[0].clone()
    }

    fn recalled(&self) -> Model {
        let mut model = model();
        recall(&self.places(), &self.options(&["rules"]), &mut model);
        model
    }
}

fn model() -> Model {
    Model::new((120, 40), Theme::none())
}

fn left(home: &Home) -> Model {
    let mut model = model();
    model.panes.arrangement = Arrangement::Wide;
    model.panes.splits.put(Border::WideSql, 90, 120);
    model.zoomed = true;
    model.list.grouping = Grouping::Technique;
    model.list.order = Order::Changed;
    model.focus = Pane::Route;
    model.selected = Some(RuleKey { path: Arc::from(home.path("rules/a.yml")), document: 2 });
    model
}

#[test]
fn the_screen_comes_back_as_it_was_left() {
    let home = Home::new();
    let options = home.options(&["rules"]);
    let before = left(&home);
    keep(&home.places(), &options, &before).unwrap();
    let after = home.recalled();
    assert_eq!(after.panes, before.panes);
    assert!(after.zoomed && after.notices.is_empty());
    assert_eq!((after.list.grouping, after.list.order), (Grouping::Technique, Order::Changed));
    assert_eq!(after.focus, Pane::Route);
    assert_eq!(after.wanted, Some((home.path("rules/a.yml"), 2)));
}

#[test]
fn each_workspace_has_a_memory_of_its_own_however_its_paths_are_written() {
    let home = Home::new();
    keep(&home.places(), &home.options(&["rules", "more"]), &left(&home)).unwrap();
    let same = home.options(&["more/../more", "rules", "rules"]);
    keep(&home.places(), &same, &left(&home)).unwrap();
    home.file();
    let mut other = model();
    recall(&home.places(), &home.options(&["more"]), &mut other);
    assert_eq!((other.panes.arrangement, other.notices.len()), (Arrangement::Grid, 0));
}

#[test]
fn recent_workspaces_come_newest_first() {
    let home = Home::new();
    let places = home.places();
    assert_eq!(recent(&places), []);
    for rules in [["rules"], ["more"], ["rules"]] {
        keep(&places, &home.options(&rules), &model()).unwrap();
    }
    let embedded = Options { pack: PackSource::Embedded("own".to_owned()), ..home.options(&["more"]) };
    keep(&places, &embedded, &model()).unwrap();
    let recent = recent(&places);
    let names: Vec<_> = recent.iter().map(|recent| recent.rules[0].file_name().unwrap()).collect();
    assert_eq!(names, ["more", "rules", "more"]);
    assert_eq!(recent[0].pack, embedded.pack);
    assert_eq!(recent[1].pack, home.options(&[]).pack);
    assert_eq!(recent[1].dataset, Some(home.path("run")));
}

#[test]
fn nothing_is_remembered_of_nothing_and_without_a_place() {
    let home = Home::new();
    let nothing = Options { dataset: None, ..home.options(&[]) };
    keep(&home.places(), &nothing, &model()).unwrap();
    keep(&Places::default(), &home.options(&["rules"]), &model()).unwrap();
    let texts = Options { pack: PackSource::Texts(BTreeMap::new()), ..home.options(&["rules"]) };
    keep(&home.places(), &texts, &model()).unwrap();
    assert!(!home.path("state").exists());
}

#[test]
fn what_cannot_be_used_is_left_aside_with_a_notice() {
    let home = Home::new();
    keep(&home.places(), &home.options(&["rules"]), &left(&home)).unwrap();
    let (file, good) = (home.file(), fs::read_to_string(home.file()).unwrap());
    let bad: [(String, &str); 6] = [
        ("\u{1b}[2J: [".to_owned(), "not known"),
        (good.replace("version: 1", "version: 9"), "of version 9"),
        (good.replace("layout: wide", "layout: round"), "round"),
        (good.replace("/more", "/elsewhere").replace("/rules\n", "/etc\n"), "another workspace"),
        (good.replace("zoomed: true", "zoomed: true\n  run: rm"), "unknown field"),
        ("#".repeat(300_000), "longer than"),
    ];
    for (text, said) in bad {
        assert_ne!(text, good);
        fs::write(&file, &text).unwrap();
        let model = home.recalled();
        assert_eq!((model.panes.arrangement, model.notices.len()), (Arrangement::Grid, 1), "{text:.40}");
        assert!(model.notices[0].contains(said), "{said}: {}", model.notices[0]);
        assert_eq!(recent(&home.places()), [], "{said}");
    }
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(home.recalled().notices[0].contains("no file"));
}

#[test]
fn a_file_that_was_copied_to_another_name_is_no_recent_workspace() {
    let home = Home::new();
    keep(&home.places(), &home.options(&["rules"]), &left(&home)).unwrap();
    fs::copy(home.file(), home.path("state/workspaces/other.yaml")).unwrap();
    assert_eq!(recent(&home.places()).len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_file_does_harm(at in 0..800usize, with in "\\PC{0,12}") {
        let home = Home::new();
        keep(&home.places(), &home.options(&["rules"]), &left(&home)).unwrap();
        let mut text: Vec<char> = fs::read_to_string(home.file()).unwrap().chars().collect();
        let at = at.min(text.len());
        text.splice(at..(at + with.len()).min(text.len()), with.chars());
        fs::write(home.file(), text.into_iter().collect::<String>()).unwrap();
        let _ = (home.recalled(), recent(&home.places()));
    }
}
