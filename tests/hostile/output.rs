//! What reaches a terminal: no control character but the line break, and nothing that reorders text.

use super::{INJECTIONS, Scene, escaped, quoted, rule};

const TITLE: &str = "\u{1b}]0;owned\u{7} \u{9b}2J \u{202e}desrever\u{2066}\r\n\u{8}";

/// Whether a terminal only ever draws it.
fn assert_drawn(output: &std::process::Output, what: &str) {
    for bytes in [&output.stdout, &output.stderr] {
        let raw = bytes.iter().find(|byte| (**byte < 0x20 && **byte != b'\n') || **byte == 0x7f);
        assert_eq!(raw, None, "{what}: {}", String::from_utf8_lossy(bytes).escape_debug());
        let text = std::str::from_utf8(bytes).unwrap();
        let moves = |c: &char| matches!(c, '\u{80}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        assert_eq!(text.chars().find(moves), None, "{what}: {}", text.escape_debug());
    }
}

fn hostile() -> Scene {
    let values: Vec<String> = INJECTIONS.iter().map(|text| format!("a{text}")).collect();
    let scene = Scene::with_events(&values.iter().map(String::as_str).collect::<Vec<_>>());
    let title = quoted(TITLE);
    for (index, text) in INJECTIONS.iter().chain([&TITLE]).enumerate() {
        let (name, literal) = (quoted(text), quoted(&escaped(text)));
        for (kind, item) in [
            ("value", format!("CommandLine|contains: {literal}")),
            ("field", format!("{name}: {literal}")),
            ("modifier", format!("{}: {literal}", quoted(&format!("CommandLine|{text}")))),
            ("regex", format!("CommandLine|re: {literal}")),
            ("network", format!("CommandLine|cidr: {literal}")),
            ("number", format!("ProcessId: {literal}")),
        ] {
            let text =
                rule(&format!("  {name}:\n    {item}\n  condition: 1 of them")).replace("Hostile", &title);
            scene.write(
                format!("rules/{kind}{index}\u{1b}[2J.yml"),
                format!("{text}id: {name}\nlevel: {name}\ntags: [{name}]\n"),
            );
        }
        let condition =
            rule(&format!("  s: {{CommandLine: a}}\n  condition: {}", quoted(&format!("s and {text}"))));
        scene.write(format!("rules/condition{index}.yml"), condition.replace("Hostile", &title));
        let foreign = format!(
            "title: {title}\nlogsource: {{category: {name}, {name}: {name}}}\ndetection: {{s: {{A: b}}, condition: s}}\n"
        );
        scene.write(format!("rules/foreign{index}.yml"), foreign);
        scene.write(format!("rules/raw{index}.yml"), format!("title: {text}\n{text}: [{text}\n"));
    }
    scene
}

#[test]
fn check_and_sql_and_reason_only_draw() {
    let scene = hostile();
    let switched = [&[][..], &["--enable", "all", "--raw-fallback"]];
    for more in switched {
        let check = ["check", "rules", "--parquet", "events", "--event-ids"];
        let output = scene.run(&[&check[..], more].concat());
        assert_eq!(output.status.code(), Some(0));
        assert_drawn(&output, "check");
        let output = scene.run(&[&["sql", "rules"], more].concat());
        assert_eq!(output.status.code(), Some(0));
        assert_drawn(&output, "sql");
    }
    for text in INJECTIONS.into_iter().chain([TITLE]).filter(|text| !text.contains('\0')) {
        assert_drawn(&scene.run(&["reason", "--", text]), "reason");
        assert_drawn(&scene.run(&["check", "rules", "--pack", text]), "pack");
        assert_drawn(&scene.run(&["check", "rules", &format!("--parquet={text}")]), "parquet");
        assert_drawn(&scene.run(&["check", "rules", &format!("--enable={text}")]), "enable");
        assert_drawn(&scene.run(&["check", "rules", &format!("--threads={text}")]), "threads");
        assert_drawn(&scene.run(&["completions", "--", text]), "completions");
        assert_drawn(&scene.run(&[text, "--nonsense"]), "usage");
    }
}

#[test]
fn ids_of_events_are_drawn_too() {
    let scene = Scene::new();
    scene.write("rules/rule.yml", rule("  s: {CommandLine: a}\n  condition: s"));
    let file = scene.path("events/part.parquet");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let connection = duckdb::Connection::open_in_memory().unwrap();
    let select = "SELECT 1007 AS class_uid, 1 AS activity_id, 5::BIGINT AS \"time\", chr(27) || ']0;x' || chr(7) AS \"metadata.event_id\",
        'windows-sysmon' AS \"metadata.source_type\", 'a' AS \"process.cmd_line\"";
    connection.execute_batch(&format!("COPY ({select}) TO '{}' (FORMAT parquet)", file.display())).unwrap();
    let output = scene.run(&["check", "rules", "--parquet", "events", "--event-ids"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("● 1 matched"));
    assert_drawn(&output, "event id");
}
