//! The real binary in a real terminal: the screen opens, follows edits of a rule and of the pack, and gives the
//! terminal back. Needs tmux; CI has it.

mod tmux;

use tmux::Tmux as Session;

impl Session {
    /// Opens the screen over copies of the fixtures that a test may edit.
    fn open(name: &str, size: (u16, u16)) -> Option<Self> {
        let session = Self::new(
            name,
            &[
                ("fixtures/rules/windows/dns_query", "rules"),
                ("mapping_packs/windows-base", "windows-base"),
                ("mapping_packs/windows-sysmon", "pack"),
                ("fixtures/run", "run"),
            ],
        )?;
        std::fs::write(session.path("editor.sh"), "").expect("the editor is written");
        let screen = format!(
            "SIGMA_OCSF_CONFIG_DIR=config SIGMA_OCSF_STATE_DIR=state {} rules --pack pack --parquet run; echo left with $?; sleep 600",
            env!("CARGO_BIN_EXE_sigma-ocsf-tui")
        );
        session.start(size, &["VISUAL=sh editor.sh"], &screen);
        Some(session)
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
    let file = session.path("pack/aliases/network.yaml");
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
    std::fs::write(session.path("config/keys.yaml"), "next_layout: [F6]\nwhy: [F7]\nquit: []\n")
        .expect("the keys are written");
    session.wait_for(&["F7 why", "keys.yaml:3:1: everywhere no key would leave"]);
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
