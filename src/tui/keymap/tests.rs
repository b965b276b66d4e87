//! What a `keys.yaml` does, and what none can do.

use proptest::prelude::*;

use super::*;
use crate::tui::command::Context;

fn read(text: &str) -> (Keymap, Vec<String>) {
    let (keymap, findings) = parse(text);
    (keymap.unwrap_or_default(), findings.iter().map(ToString::to_string).collect())
}

fn keys(keymap: &Keymap, name: &str) -> String {
    let command = COMMANDS.iter().find(|command| command.name == name);
    command.map_or_else(String::new, |command| keymap.all_shown(command))
}

#[test]
fn a_command_has_the_keys_of_the_file_and_no_others() {
    let (keymap, said) = read("down: [j, Ctrl-n]\nexport: F5\nmark: []\nrules: [1, 'Alt-1']\n");
    assert_eq!(said, Vec::<String>::new());
    assert_eq!(keys(&keymap, "down"), "j Ctrl-n");
    assert_eq!(keys(&keymap, "export"), "F5");
    assert_eq!(keys(&keymap, "mark"), "");
    assert_eq!(keys(&keymap, "rules"), "1 Alt-1");
    assert_eq!(keys(&keymap, "up"), "k ↑");
}

#[test]
fn nothing_in_the_file_changes_nothing() {
    for text in ["", "# only a comment\n", "---\n", "{}"] {
        assert_eq!(read(text), (Keymap::default(), Vec::new()), "{text:?}");
    }
}

#[test]
fn a_key_is_taken_from_the_command_that_had_it_and_only_in_its_context() {
    let (keymap, said) = read("zoom: [e, z]\nedit: [Ctrl-e]\n");
    assert_eq!((keys(&keymap, "zoom"), keys(&keymap, "edit")), ("e z".to_owned(), "Ctrl-e".to_owned()));
    assert_eq!(said, Vec::<String>::new());
    assert_eq!(keys(&keymap, "coverage_executable"), "e");
    let (keymap, said) = read("zoom: [z, e]\n");
    assert_eq!(keys(&keymap, "edit"), "");
    assert_eq!(
        said,
        ["keys.yaml:1:11: 'e' was the only key of 'edit'; give that another, or write 'edit: []'"]
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_the_rest_holds() {
    let text = "dwon: [j]\nexprot: [x]\nzzz: a\nup: [Entr, k]\nleft: {a: b}\nlast: [[1]]\nzoom: Shift-z\nfirst: [h]\n\
                why: [h]\nerase: [x, Ctrl-x]\n";
    let (keymap, said) = read(text);
    let wanted = [
        "keys.yaml:1:1: no command is called 'dwon'; did you mean 'down'?",
        "keys.yaml:2:1: no command is called 'exprot'; did you mean 'export'?",
        "keys.yaml:3:1: no command is called 'zzz'; `sigma-ocsf-tui keys` lists them",
        "keys.yaml:4:6: no key is called 'Entr'; did you mean 'Enter'?",
        "keys.yaml:5:7: write the keys of 'left' as a list, such as [j, Down]; [] for none",
        "keys.yaml:6:8: write the keys of 'last' as a list, such as [j, Down]; [] for none",
        "keys.yaml:7:7: Shift shows in the character: write 'Z'",
        "keys.yaml:9:7: 'h' is already 'first' everywhere; it stays so, give 'why' another",
        "keys.yaml:10:9: 'x' is text where 'erase' is available; take one with Ctrl or Alt, or one that types nothing",
    ];
    assert_eq!(said, wanted);
    assert_eq!(keys(&keymap, "up"), "k");
    assert_eq!(keys(&keymap, "zoom"), "z");
    assert_eq!(keys(&keymap, "first"), "h");
    assert_eq!(keys(&keymap, "left"), "←");
    assert_eq!(keys(&keymap, "erase"), "Ctrl-x");
}

#[test]
fn what_is_no_yaml_leaves_the_keys_as_they_are() {
    let (keymap, findings) = parse("down: [j\nup: k: k\n");
    assert_eq!((keymap, findings.len()), (None, 1));
    assert!(matches!(findings[0].fault, Fault::Unreadable(_)) && findings[0].at.line > 0);
    let (_, said) = read("- down\n");
    assert_eq!(said, ["keys.yaml:1:1: write a command and its keys on each line, such as 'down: [j, Down]'"]);
}

#[test]
fn there_is_always_a_way_out() {
    let (keymap, said) = read("quit: []\n");
    assert_eq!(keys(&keymap, "quit"), "q Ctrl-c");
    let wanted = "keys.yaml:1:1: everywhere no key would leave the program: 'quit' has its own back; give it others, but \
                  some";
    assert_eq!(said, [wanted]);
    // Taken by another, here and in a pane that is asked first.
    let (keymap, said) = read("zoom: [q]\nwhy: [Ctrl-c]\nquit: [o]\n");
    assert_eq!((keys(&keymap, "quit"), keys(&keymap, "zoom")), ("o q Ctrl-c".to_owned(), String::new()));
    assert!(said.iter().any(|said| said.starts_with("keys.yaml:3:1: in the rule list no key")), "{said:?}");
    let (keymap, said) = read("drop_filter: []\nevent_close: Ctrl-c\nevent_quit: Esc\n");
    assert_eq!((keys(&keymap, "drop_filter"), said.len()), ("Esc".to_owned(), 1));
    assert_eq!(
        (keys(&keymap, "event_close"), keys(&keymap, "event_quit")),
        ("Ctrl-c".to_owned(), "Esc".to_owned())
    );
}

#[test]
fn what_is_printed_reads_as_the_same_keymap() {
    let places = Places { config: Some("/home/o'neil".into()), state: None };
    let changed = read("down: ['\"', '\\', '#', Ctrl-↑]\nmark: []\n").0;
    for keymap in [Keymap::default(), changed] {
        let text = print(&keymap, &places);
        assert!(text.contains("# /home/o'neil/keys.yaml\n"));
        assert_eq!(read(&text), (keymap, Vec::new()));
    }
}

/// Whether some key of a way out means it, in every context.
fn has_ways_out(keymap: &Keymap) -> bool {
    use crate::tui::action::Action;
    Context::ALL.into_iter().all(|context| {
        let of = || {
            context.chain().iter().flat_map(|context| COMMANDS.iter().filter(move |c| c.context == *context))
        };
        let reached = |command: &&Command| {
            keymap.keys(command).iter().any(|key| {
                of().find(|c| keymap.keys(c).contains(key)).is_some_and(|first| first.name == command.name)
            })
        };
        let closes =
            |c: &&Command| !c.is_named() && matches!((c.action)(), Action::Clear | Action::ToggleHelp);
        let leaves = of().filter(reached).any(|c| matches!((c.action)(), Action::Quit));
        leaves && (!of().any(|c| closes(&c)) || of().filter(reached).any(|c| closes(&c)))
    })
}

fn a_key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["q", "Esc", "Ctrl-c", "?", "a", "w", "d", "C", "F1", "Enter", "x"])
}

/// A file that means to lock the user out.
fn hostile() -> impl Strategy<Value = String> {
    let ways: Vec<_> = COMMANDS.iter().map(|command| command.name).collect();
    let entry = (prop::sample::select(ways), prop::collection::vec(a_key(), 0..4));
    prop::collection::btree_map(entry.0, entry.1, 0..60).prop_map(|entries| {
        entries.iter().map(|(name, keys)| format!("{name}: [{}]\n", keys.join(", "))).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_harm(text in "\\PC{0,200}") {
        prop_assert!(has_ways_out(&read(&text).0));
    }

    #[test]
    fn nearly_a_keymap_is_read_without_harm(text in "((down|up|quit|erase|zz): ?\\[?(j|Ctrl-|Esc|'|,| |\\[|\\]){0,6}\\n){0,8}") {
        prop_assert!(has_ways_out(&read(&text).0));
    }

    #[test]
    fn no_file_locks_the_user_out_or_gives_a_key_two_meanings(text in hostile()) {
        let (keymap, _) = read(&text);
        prop_assert!(has_ways_out(&keymap), "{}", text);
        for context in Context::ALL {
            let mut seen = std::collections::HashSet::new();
            let of_context = COMMANDS.iter().filter(|c| c.context == context);
            for key in of_context.flat_map(|c| keymap.keys(c)) {
                prop_assert!(seen.insert(*key), "{} twice in {:?}:\n{}", key, context, text);
            }
        }
    }
}
