//! Mapping packs that are made to break the loader, or to put text of their own into the SQL.

use super::{INJECTIONS, Scene, ids, quoted, rule};

const MANIFEST: &str = "id: hostile\nversion: 1.0.0\nocsf_version: 1.7.0\nraw_fallback: {prefixes: [raw.]}\n";
const ROUTES: &str = "- logsource: {category: process_creation, product: windows}\n  classes: [1007]\n  filters:\n    - {path: metadata.source_type, op: eq, value: windows-sysmon}\n";
const RULE: &str = "  s: {CommandLine: a}\n  condition: s";

fn scene(manifest: &str, routes: &str, aliases: &str) -> Scene {
    let scene = Scene::with_events(&["a", "b"]);
    scene.write("pack/pack.yaml", manifest);
    scene.write("pack/routes.yaml", routes);
    scene.write("pack/aliases/a.yaml", aliases);
    scene.write("rules/rule.yml", rule(RULE));
    scene
}

fn aliased(target: &str) -> String {
    format!("process_creation/windows:\n  CommandLine: {target}\n")
}

/// That the pack is refused with exit code 2, at a place.
fn assert_refused(scene: &Scene, what: &str) {
    let output = scene.run(&["check", "rules", "--pack", "pack", "--parquet", "events"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{what}: {said}");
    assert!(said.contains("yaml:") && said.contains("pack_"), "{what}: {said}");
    assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{what}: {said:?}");
}

#[test]
fn a_sound_pack_is_one_first() {
    let scene = scene(MANIFEST, ROUTES, &aliased("process.cmd_line"));
    assert_eq!(ids(&scene.check_with(&["--pack", "pack"])[0]), ["e0"]);
}

#[test]
fn expressions_are_none_but_the_allowed_ones() {
    for expression in [
        "(SELECT 'a')",
        "process.cmd_line || (SELECT content FROM read_text('/etc/passwd'))",
        "read_text('/etc/passwd')",
        "getenv('HOME')",
        "lower(process.cmd_line) -- comment",
        "lower(process.cmd_line) /* comment */",
        "process.cmd_line); DROP TABLE ocsf_events; --",
        "process.cmd_line; SELECT 1",
        "process.cmd_line OR true",
        "CASE WHEN true THEN process.cmd_line END",
        "process.cmd_line COLLATE NOCASE",
        "lower(process.cmd_line) OVER ()",
        "lower(DISTINCT process.cmd_line)",
        "lower(process.cmd_line, process.name)",
        "lower(process.cmd_line) FILTER (WHERE true)",
        "main.lower(process.cmd_line)",
        "process.cmd_line::BLOB",
        "TRY_CAST(process.cmd_line AS VARCHAR)",
        "CAST(process.cmd_line AS VARCHAR(1))",
        "ocsf_events.process.cmd_line",
        "\"process.cmd_line\"\" OR true\"",
        "process.*",
        "$1",
        "?",
        "''",
        "[process.cmd_line]",
        "process.cmd_line[1]",
        "x -> x",
        "EXISTS (SELECT 1)",
    ] {
        let target = format!("{{expr: {}}}", quoted(expression));
        assert_refused(&scene(MANIFEST, ROUTES, &aliased(&target)), expression);
    }
    for (open, close) in [("lower(", ")"), ("(", ")"), ("coalesce(", ", 'a')"), ("-", ""), ("NOT ", "")] {
        let deep = format!("{}process.cmd_line{}", open.repeat(5000), close.repeat(5000));
        assert_refused(&scene(MANIFEST, ROUTES, &aliased(&format!("{{expr: {}}}", quoted(&deep)))), open);
    }
}

#[test]
fn texts_of_expressions_stay_texts() {
    for text in INJECTIONS {
        let literal = text.replace('\'', "''");
        let target = format!("{{expr: {}}}", quoted(&format!("process.cmd_line || '{literal}'")));
        let scene = scene(MANIFEST, ROUTES, &aliased(&target));
        let detection =
            format!("  s: {{CommandLine: {}}}\n  condition: s", quoted(&super::escaped(&format!("a{text}"))));
        scene.write("rules/rule.yml", rule(&detection));
        let output = scene.run(&["check", "rules", "--pack", "pack"]);
        if output.status.code() == Some(0) {
            assert_eq!(ids(&scene.check_with(&["--pack", "pack"])[0]), ["e0"], "{text:?}");
        } else {
            assert_refused(&scene, text);
        }
    }
}

#[test]
fn paths_and_values_and_filters_stay_themselves() {
    for text in INJECTIONS {
        let text = quoted(text);
        assert_refused(&scene(MANIFEST, ROUTES, &aliased(&text)), &text);
        let mapped =
            aliased(&format!("{{path: process.cmd_line, values: {{a: {text}, b: a}}, otherwise: keep}}"));
        let filtered = format!("{ROUTES}    - {{path: metadata.source_type, op: neq, value: {text}}}\n");
        let scene = scene(MANIFEST, &filtered, &mapped);
        assert_eq!(ids(&scene.check_with(&["--pack", "pack"])[0]), [""; 0], "{text}");
    }
}

/// `raw.*` is what no catalog knows, so that anything could stand there.
#[test]
fn raw_paths_are_quoted_or_refused() {
    for text in INJECTIONS {
        let target = format!("{{path: {}, type: string}}", quoted(&format!("raw.{text}")));
        let scene = scene(MANIFEST, ROUTES, &aliased(&target));
        let arguments = ["sql", "rules", "--pack", "pack", "--raw-fallback"];
        let output = scene.run(&arguments);
        if output.status.code() == Some(2) {
            assert_refused(&scene, text);
            continue;
        }
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}: {printed:?}");
        assert_eq!(ids(&scene.check_with(&["--pack", "pack"])[0]), [""; 0], "{text:?}");
    }
}

#[test]
fn names_in_packs_stay_names() {
    for text in INJECTIONS {
        let text = quoted(text);
        let manifest = MANIFEST.replace("id: hostile", &format!("id: {text}"));
        let routes = format!(
            "{ROUTES}- logsource: {{category: {text}}}\n  classes: [1007]\n  when: {{{text}: {text}}}\n"
        );
        let aliases =
            format!("{}  {text}: process.name\n{text}:\n  A: process.name\n", aliased("process.cmd_line"));
        let scene = scene(&manifest, &routes, &aliases);
        let output = scene.run(&["check", "rules", "--pack", "pack", "--parquet", "events"]);
        assert!([Some(0), Some(2)].contains(&output.status.code()), "{text}");
        for said in [output.stdout, output.stderr] {
            let said = String::from_utf8(said).unwrap();
            assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{text}: {said:?}");
        }
    }
}

#[test]
fn packs_that_are_too_much_are_refused() {
    let mut laughs = String::from("a0: &a0 [lol, lol]\n");
    for level in 1..40 {
        let before = level - 1;
        laughs += &format!("a{level}: &a{level} [*a{before}, *a{before}, *a{before}, *a{before}]\n");
    }
    let deep = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    for text in [laughs.as_str(), &deep, "[", "- a\n- b\n", "\0", "a: b\n---\nc: d\n"] {
        assert_refused(&scene(&format!("{MANIFEST}{text}"), ROUTES, ""), text.get(..9).unwrap_or(text));
        assert_refused(&scene(MANIFEST, text, ""), text.get(..9).unwrap_or(text));
        assert_refused(&scene(MANIFEST, ROUTES, text), text.get(..9).unwrap_or(text));
    }
    let nested = (0..40)
        .fold("process.cmd_line".to_owned(), |inner, _| format!("{{any_of: [process.name, {inner}]}}"));
    assert_refused(&scene(MANIFEST, ROUTES, &aliased(&nested)), "any_of");
    let binary = scene(MANIFEST, ROUTES, "");
    binary.write("pack/aliases/b.yaml", b"\xff\xfe\0");
    assert_refused(&binary, "not UTF-8");
    binary.write("pack/aliases/b.yaml", vec![b'#'; 5 << 20]);
    assert_refused(&binary, "too large");
}
