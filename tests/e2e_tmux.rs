//! The real binary in a real terminal: the screen opens, follows edits of a rule and of the pack, and gives the
//! terminal back. Needs tmux; CI has it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a thing may take to show. Generous: it bounds a hang, it measures nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// A tmux server of its own, with the screen in its one pane.
struct Session {
    socket: String,
    folder: tempfile::TempDir,
}

impl Session {
    /// Opens the screen over copies of the fixtures that a test may edit.
    fn open(name: &str, size: (u16, u16)) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            println!("skipped: no tmux");
            return None;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        copy(&root.join("fixtures/rules/windows/dns_query"), &folder.path().join("rules"));
        copy(&root.join("mapping_packs/windows-base"), &folder.path().join("windows-base"));
        copy(&root.join("mapping_packs/windows-sysmon"), &folder.path().join("pack"));
        copy(&root.join("fixtures/run"), &folder.path().join("run"));
        std::fs::write(folder.path().join("editor.sh"), "").expect("the editor is written");
        let session = Self { socket: format!("sigma-ocsf-tui-{name}-{}", std::process::id()), folder };
        let (columns, rows) = (size.0.to_string(), size.1.to_string());
        let screen = format!(
            "SIGMA_OCSF_CONFIG_DIR=config SIGMA_OCSF_STATE_DIR=state {} rules --pack pack --parquet run; echo left with $?; sleep 600",
            env!("CARGO_BIN_EXE_sigma-ocsf-tui")
        );
        let start = ["-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &rows];
        let folder = session.folder.path().display().to_string();
        session.tmux(
            &[
                &start[..],
                &["-c", &folder, "-e", "TERM=xterm-256color", "-e", "VISUAL=sh editor.sh", &screen],
            ]
            .concat(),
        );
        Some(session)
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        // Without a UTF-8 locale tmux tells other characters as `_`, whatever the machine that the test runs on is set to.
        let output = Command::new("tmux")
            .args(["-u", "-L", &self.socket])
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .output();
        let output = output.expect("tmux runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    fn capture(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the pane shows all of `wanted`, and gives what it shows then.
    fn wait_for(&self, wanted: &[&str]) -> String {
        self.wait_until(&format!("{wanted:?}"), |shown| wanted.iter().all(|text| shown.contains(text)))
    }

    fn wait_until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let shown = self.capture();
            if holds(&shown) {
                return shown;
            }
            assert!(Instant::now() < deadline, "never shown: {what}\n{shown}");
            std::thread::yield_now();
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn edit(&self, path: &str, change: impl Fn(String) -> String) {
        let path = self.path(path);
        let text = std::fs::read_to_string(&path).expect("the file is there");
        let changed = change(text.clone());
        assert_ne!(text, changed, "the edit changes the file");
        // As most editors save: a new file, moved over the old one.
        let beside = path.with_extension("saving");
        std::fs::write(&beside, changed).expect("the file is written");
        std::fs::rename(&beside, &path).expect("the file is moved");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("the fixtures are readable");
        let target = to.join(entry.path().strip_prefix(from).expect("it is below"));
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).expect("the folder is made");
        } else {
            std::fs::copy(entry.path(), target).expect("the file is copied");
        }
    }
}

#[test]
fn an_alias_added_to_the_pack_makes_a_refused_rule_match() {
    let Some(session) = Session::open("pack", (140, 40)) else { return };
    session.wait_for(&[
        "Answer in a Bad Address",
        "unmapped_field",
        "QueryResults",
        "5 rules",
        "2 executable",
    ]);
    session.edit("pack/aliases/network.yaml", |text| {
        text.replace("dns_query/windows:\n", "dns_query/windows:\n  QueryResults: answers.rdata\n")
    });
    let shown = session.wait_for(&["5 executable", "answers.rdata", "Matches  1 of"]);
    assert!(!shown.contains("unmapped_field"), "{shown}");
}

#[test]
fn an_alias_is_proposed_written_and_taken_back() {
    let Some(session) = Session::open("propose", (140, 40)) else { return };
    session.wait_for(&["Answer in a Bad Address", "unmapped_field", "2 executable"]);
    let file = session.folder.path().join("pack/aliases/network.yaml");
    let before = std::fs::read_to_string(&file).expect("the aliases are read");
    session.keys(&["a"]);
    session.wait_for(&["QueryResults in dns_query/windows", "answers.rdata", "+3 executable"]);
    session.keys(&["w"]);
    session.wait_for(&["5 executable", "executable +3", "written to network.yaml"]);
    let written = std::fs::read_to_string(&file).expect("the aliases are read");
    assert!(written.contains("  QueryResults: answers.rdata\n"), "{written}");
    session.keys(&["u"]);
    session.wait_for(&["2 executable", "network.yaml is as it was"]);
    assert_eq!(std::fs::read_to_string(&file).expect("the aliases are read"), before);
}

#[test]
fn all_four_panes_follow_an_edit_of_the_rule() {
    let Some(session) = Session::open("rule", (240, 50)) else { return };
    session.wait_for(&["5 rules", "Query for a Marsh Feed"]);
    session.keys(&["/"]);
    session.keys(&["-l", "Marsh"]);
    session.keys(&["Enter"]);
    session.wait_for(&[
        "endswith: .marsh-feed.example",
        "query.hostname",
        "'.marsh-feed.example'",
        "Matches  3 of",
    ]);
    session.edit("rules/marsh_feed_name.yml", |text| text.replace(".marsh-feed.", ".heron-post."));
    session.wait_until("the new literal alone in source and SQL, and no match", |shown| {
        shown.matches(".heron-post.").count() >= 2
            && shown.contains("Matches  0 of")
            && !shown.contains(".marsh-feed.")
    });
}

#[test]
fn a_half_written_rule_keeps_its_last_good_state() {
    let Some(session) = Session::open("half", (160, 40)) else { return };
    session.wait_for(&["5 rules"]);
    session.keys(&["/"]);
    session.keys(&["-l", "Marsh"]);
    session.keys(&["Enter"]);
    session.wait_for(&["Matches  3 of"]);
    let rule = session.path("rules/marsh_feed_name.yml");
    let whole = std::fs::read_to_string(&rule).expect("the rule is there");
    // As an editor that truncates and is then interrupted.
    std::fs::write(&rule, "title: Query for a Marsh Feed Name\ndetection: [\n").expect("the rule is written");
    session.wait_for(&["PARSE:", "stale"]);
    std::fs::write(&rule, whole).expect("the rule is written");
    session.wait_until("the rule as it was", |shown| {
        shown.contains("Matches  3 of") && !shown.contains("stale") && !shown.contains("PARSE:")
    });
}

#[test]
fn the_terminal_is_given_back() {
    let Some(session) = Session::open("quit", (80, 24)) else { return };
    session.wait_for(&["? help"]);
    session.keys(&["?"]);
    session.wait_for(&["half_page_down"]);
    session.keys(&["Escape"]);
    session.wait_until("the help gone", |shown| !shown.contains("half_page_down"));
    session.keys(&["q"]);
    session.wait_for(&["left with 0"]);
}

#[test]
fn the_editor_gets_the_terminal_and_gives_it_back() {
    let Some(session) = Session::open("editor", (140, 40)) else { return };
    session.edit("editor.sh", |_| {
        "#!/bin/sh\necho \"editing $*\"\nread answer\nsed -i \"s/Marsh Feed Name/$answer/\" \"$2\"\n"
            .to_owned()
    });
    session.wait_for(&["5 rules"]);
    session.keys(&["-l", "/Marsh"]);
    session.keys(&["Enter"]);
    session.wait_for(&["Query for a Marsh Feed Name", "Matches  3 of"]);
    session.keys(&["2", "j", "e"]);
    // What is typed now is the editor's, to the last key.
    session.wait_for(&["editing +2", "marsh_feed_name.yml"]);
    session.keys(&["-l", "Quiet Heron q"]);
    session.keys(&["Enter"]);
    let shown = session.wait_for(&["Query for a Quiet Heron q", "Matches  3 of", "2 Source"]);
    assert!(!shown.contains("editing +2") && !shown.contains("left with"), "{shown}");
    session.keys(&["?"]);
    session.wait_for(&["half_page_down"]);
}

#[test]
fn an_event_is_opened_copied_and_exported() {
    let Some(session) = Session::open("matches", (140, 40)) else { return };
    session.wait_for(&["5 rules"]);
    session.keys(&["-l", "/Marsh"]);
    session.keys(&["Enter"]);
    session.wait_for(&["Matches  3 of"]);
    session.keys(&["5", "Enter"]);
    session.wait_for(&["Event  ", "hostname", "▌"]);
    session.keys(&["y", "i"]);
    session.wait_for(&["copied the event id"]);
    let id = session.tmux(&["show-buffer"]);
    assert!(!id.trim().is_empty() && session.capture().contains(id.trim()), "{id}");
    session.keys(&["Escape"]);
    // A key on the heels of Escape is Alt and that key, to a terminal.
    session.wait_until("the event closed", |shown| !shown.contains("Event  "));
    session.keys(&["x", "Enter"]);
    session.wait_for(&["wrote 3 matches to marsh_feed_name.csv"]);
    let written = std::fs::read_to_string(session.path("marsh_feed_name.csv")).expect("the file is there");
    assert_eq!(written.lines().count(), 4, "{written}");
    session.keys(&["x", "Enter"]);
    session.wait_for(&["exists; choose another name"]);
}

#[test]
fn a_value_is_edited_in_place_tried_written_and_taken_back() {
    let Some(session) = Session::open("edit", (200, 45)) else { return };
    session.wait_for(&["5 rules"]);
    session.keys(&["-l", "/Marsh"]);
    session.keys(&["Enter"]);
    session.wait_for(&["Matches  3 of"]);
    let rule = session.path("rules/marsh_feed_name.yml");
    let before = std::fs::read_to_string(&rule).expect("the rule is read");
    session.keys(&["2", "G", "k", "k", "k", "k", "i"]);
    session.wait_for(&[".marsh-feed.example▏", "value · Enter tries it"]);
    session.keys(&["C-u"]);
    session.keys(&["-l", "inbox: #a"]);
    session.keys(&["Enter"]);
    session.wait_for(&["unsaved: matches 3 → 0", "'inbox: #a'", "Matches  0 of"]);
    assert_eq!(std::fs::read_to_string(&rule).expect("the rule is read"), before);
    session.keys(&["C-s"]);
    session.wait_until("the rule written", |shown| {
        shown.contains("written to marsh_feed_name.yml:15") && !shown.contains("unsaved")
    });
    let written = std::fs::read_to_string(&rule).expect("the rule is read");
    assert_eq!(written, before.replace(".marsh-feed.example", "'inbox: #a'"));
    session.keys(&["u"]);
    session.wait_for(&["marsh_feed_name.yml is as it was", "Matches  3 of"]);
    assert_eq!(std::fs::read_to_string(&rule).expect("the rule is read"), before);
    // A rule of one of its matches finds that match.
    session.keys(&["5", "n"]);
    // The draft is there, and not only the source behind it.
    session.wait_for(&["New rule", "from the match under the cursor", "id: 00000000-"]);
    session.keys(&["C-u"]);
    session.keys(&["-l", "of_match.yml"]);
    session.keys(&["Enter"]);
    session.wait_for(&["written to of_match.yml", "6 rules", "of_match.yml"]);
    session
        .wait_until("its match", |shown| shown.contains("Matches  1 of") || shown.contains("Matches  2 of"));
}

#[test]
fn keys_follow_their_file_and_the_layout_is_remembered() {
    let Some(session) = Session::open("keys", (200, 50)) else { return };
    session.wait_for(&["5 rules", "w why"]);
    std::fs::create_dir(session.path("config")).expect("the folder is made");
    std::fs::write(session.path("config/keys.yaml"), "next_layout: [F6]\nwhy: [W]\nquit: []\n")
        .expect("the keys are written");
    session.wait_for(&["W why", "keys.yaml:3:1: everywhere no key would leave", "q quit"]);
    session.keys(&["F6"]);
    let beside = |shown: &str| shown.lines().next().is_some_and(|line| line.matches('│').count() == 4);
    let shown = session.wait_until("all panes side by side", beside);
    let border = |shown: &str| {
        let first = shown.lines().next().unwrap_or_default();
        first.chars().position(|c| c == '│').expect("there is a border") + 1
    };
    let from = border(&shown);
    // As a terminal tells that the mouse goes down, moves and comes up.
    for (kind, column, end) in [(0, from, 'M'), (32, 60, 'M'), (0, 60, 'm')] {
        session.keys(&["-l", &format!("\u{1b}[<{kind};{column};20{end}")]);
    }
    session.wait_until("the border at column 60", |shown| beside(shown) && border(shown) == 60);
    session.keys(&["j", "2", "q"]);
    session.wait_for(&["left with 0"]);
    session.tmux(&["respawn-pane", "-k"]);
    let shown = session.wait_until("the screen as it was left", |shown| {
        beside(shown) && border(shown) == 60 && shown.contains("▌2 Source") && shown.contains("5 rules")
    });
    let selected = shown.lines().nth(2).unwrap_or_default();
    assert!(selected.starts_with('›'), "{shown}");
}
