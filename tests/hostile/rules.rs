//! Rule texts that are made to break a parser, a compiler, or the SQL.

use super::{INJECTIONS, Scene, escaped, ids, quoted, reason, rule};

#[test]
fn alias_bombs_are_refused() {
    let scene = Scene::new();
    let mut laughs = String::from("title: T\na0: &a0 [lol, lol]\n");
    for level in 1..40 {
        let before = level - 1;
        laughs += &format!("a{level}: &a{level} [*a{before}, *a{before}, *a{before}, *a{before}]\n");
    }
    laughs += "logsource: {category: process_creation, product: windows}\ndetection: {s: {A: *a39}, condition: s}\n";
    assert_eq!(reason(&scene.check_one(&laughs)), "backend_compile_error");
    let long = format!("title: T\na: &a {}\nb: [{}]\n", "x".repeat(100_000), vec!["*a"; 1000].join(", "));
    assert_eq!(reason(&scene.check_one(&long)), "backend_compile_error");
    let own = "title: T\ndetection: &d {s: *d, condition: s}\n";
    assert_eq!(reason(&scene.check_one(own)), "backend_compile_error");
    let merged = "base: &b {A: 1}\ntitle: T\ndetection: {s: {<<: *b}, condition: s}\n";
    assert_eq!(reason(&scene.check_one(merged)), "backend_compile_error");
}

#[test]
fn what_nests_too_deep_is_refused() {
    let scene = Scene::new();
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let deep = format!("title: T\nx:\n  {}1{}\n", open.repeat(50_000), close.repeat(50_000));
        assert_eq!(reason(&scene.check_one(&deep)), "backend_compile_error", "{open}");
    }
    let block: String = (0..2000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(reason(&scene.check_one(&block)), "backend_compile_error");
    let lists = format!("  s: {}{{CommandLine: a}}{}\n  condition: s", "[".repeat(40), "]".repeat(40));
    scene.check_one(&rule(&lists));
}

#[test]
fn long_and_deep_conditions_are_refused_or_run() {
    let scene = Scene::with_events(&["a", "b"]);
    let with = |condition: &str| {
        scene.check_one(&rule(&format!("  s: {{CommandLine: a}}\n  condition: {condition}")))
    };
    let parentheses = format!("{}s{}", "(".repeat(1000), ")".repeat(1000));
    assert_eq!(reason(&with(&parentheses)), "backend_compile_error");
    assert_eq!(reason(&with(&format!("{}s", "not ".repeat(1000)))), "backend_compile_error");
    assert_eq!(reason(&with(&vec!["s"; 200_000].join(" or "))), "backend_compile_error");
    assert_eq!(reason(&with(&"s".repeat(1 << 20))), "backend_compile_error");
    assert_eq!(reason(&with(&vec!["1 of s*"; 100_000].join(" and "))), "backend_compile_error");
    assert_eq!(ids(&with(&format!("{}s{}", "(".repeat(60), ")".repeat(60)))), ["e0"]);
    assert_eq!(ids(&with(&format!("{}s", "not ".repeat(60)))), ["e0"]);
    assert_eq!(ids(&with(&vec!["s"; 9_000].join(" or "))), ["e0"]);
    assert_eq!(ids(&with(&vec!["s"; 7_000].join(" and "))), ["e0"]);
    let nested = (0..60).fold("s".to_owned(), |inner, n| format!("({inner} {} not s)", ["or", "and"][n % 2]));
    with(&nested);
}

#[test]
fn ten_thousand_selections_are_refused_and_a_thousand_run() {
    let scene = Scene::with_events(&["value 999", "other"]);
    let selections = |count: usize| -> String {
        (0..count).map(|n| format!("  s{n}: {{CommandLine|contains: 'value {n}'}}\n")).collect()
    };
    let all = scene.check_one(&rule(&format!("{}  condition: 1 of them", selections(10_000))));
    assert_eq!(reason(&all), "backend_compile_error");
    let some = scene.check_one(&rule(&format!("{}  condition: 1 of them", selections(1000))));
    assert_eq!(ids(&some), ["e0"]);
}

#[test]
fn names_of_fields_stay_names() {
    let scene = Scene::with_events(&["a"]);
    let names = [
        "a\"; DROP TABLE x; --",
        "process.cmd_line",
        "\"process.cmd_line\"",
        "..",
        "",
        "a b",
        "CommandLine'",
    ];
    for name in names.into_iter().chain(INJECTIONS) {
        let found = scene.check_one(&rule(&format!("  s:\n    {}: a\n  condition: s", quoted(name))));
        let expected = if name.is_empty() { "" } else { "unmapped_field" };
        assert!(expected.is_empty() || reason(&found) == expected, "{name:?}: {found:#}");
    }
}

#[test]
fn names_of_modifiers_stay_names() {
    let scene = Scene::with_events(&["a"]);
    for name in INJECTIONS.into_iter().filter(|name| !name.contains('|')) {
        let found = scene.check_one(&rule(&format!(
            "  s:\n    {}: a\n  condition: s",
            quoted(&format!("CommandLine|{name}"))
        )));
        assert_eq!(reason(&found), "unsupported_modifier", "{name:?}");
    }
    let many = format!("  s:\n    CommandLine{}: a\n  condition: s", "|contains".repeat(100));
    assert_eq!(reason(&scene.check_one(&rule(&many))), "unsupported_modifier");
}

/// The name stands in a comment of the SQL, which it must not end.
#[test]
fn names_of_selections_cannot_leave_their_comment() {
    let scene = Scene::with_events(&["a", "b"]);
    let names =
        ["x\n OR true --", "x */ OR true", "-- x", "x\r\nOR true", "x\u{2028}OR true", "x\u{85}OR true"];
    for name in names.into_iter().chain(INJECTIONS) {
        let detection = format!("  {}: {{CommandLine: a}}\n  condition: 1 of them", quoted(name));
        let found = scene.check_one(&rule(&detection));
        if !name.starts_with('_') {
            assert_eq!(ids(&found), ["e0"], "{name:?}");
        }
        scene.run(&["sql", "rules"]);
    }
}

#[test]
fn log_sources_and_metadata_stay_text() {
    let scene = Scene::with_events(&["a"]);
    for text in INJECTIONS {
        let text = quoted(text);
        let foreign = format!(
            "title: {text}\nlogsource: {{category: {text}}}\ndetection: {{s: {{A: b}}, condition: s}}\n"
        );
        let found = scene.check_one(&foreign);
        assert!(["unrouted_logsource", "unmapped_field", "backend_compile_error"].contains(&reason(&found)));
        let keys = ["id", "status", "level", "author", "date", "references", "license", "name"];
        let odd: String = keys.iter().map(|key| format!("{key}: {text}\n")).collect();
        let found = scene.check_one(&format!(
            "{odd}tags: [{text}]\n{text}: {text}\n{}",
            rule("  s: {CommandLine: a}\n  condition: s")
        ));
        assert!(found["executable"] == true || reason(&found) == "backend_compile_error", "{found:#}");
    }
}

#[test]
fn values_of_odd_modifiers_are_refused_or_run() {
    let scene = Scene::with_events(&["a", "1"]);
    let chains = [
        "re",
        "re|i|m|s",
        "cidr",
        "windash|contains",
        "base64",
        "base64offset|contains",
        "utf16le|base64",
        "expand",
        "fieldref",
        "exists",
        "lt",
        "gte",
        "minute",
        "year",
        "neq",
        "contains|all",
        "wide|base64offset|contains",
    ];
    let values = [
        "~",
        "true",
        "1",
        "-0.0",
        ".nan",
        ".inf",
        "1e400",
        "99999999999999999999999",
        "[]",
        "{}",
        "''",
        "[[a]]",
    ];
    for chain in chains {
        let mut detection = String::new();
        for (index, value) in values.iter().enumerate() {
            detection += &format!("  v{index}: {{'CommandLine|{chain}': {value}}}\n");
        }
        for (index, value) in INJECTIONS.iter().enumerate() {
            detection += &format!("  i{index}: {{'CommandLine|{chain}': {}}}\n", quoted(&escaped(value)));
        }
        let names =
            (0..values.len()).map(|n| format!("v{n}")).chain((0..INJECTIONS.len()).map(|n| format!("i{n}")));
        for name in names {
            scene.write(format!("rules/{name}.yml"), rule(&format!("{detection}  condition: {name}")));
        }
        scene.check();
    }
}

#[test]
fn regular_expressions_are_bounded() {
    let scene = Scene::with_events(&["a", &"a".repeat(1 << 20)]);
    let patterns = [
        "(a+)+$".to_owned(),
        "(a|a)*b".to_owned(),
        "((a{1000}){1000}){1000}".to_owned(),
        "(?:a{999}b{999}){999}".to_owned(),
        ".{1000}".repeat(60),
        "x".repeat(1 << 20),
        "(".repeat(10_000),
        "[".repeat(10_000),
        "\\x{110000}\\Qa".to_owned(),
        "a\0b".to_owned(),
    ];
    for pattern in patterns {
        let text = rule(&format!("  s:\n    CommandLine|re: {}\n  condition: s", quoted(&pattern)));
        let found = scene.check_one(&text);
        assert!(found["executable"] == true || reason(&found) == "unsupported_regex", "{found:#}");
    }
}

#[test]
fn wildcards_are_bounded() {
    let scene = Scene::with_events(&[&"a".repeat(1 << 16)]);
    let many = "a*".repeat(300);
    let found =
        |end: &str| scene.check_one(&rule(&format!("  s: {{CommandLine: '{many}{end}'}}\n  condition: s")));
    assert_eq!(ids(&found("a")), ["e0"]);
    assert_eq!(ids(&found("b")), [""; 0]);
}
