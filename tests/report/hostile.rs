//! Rules and events that would like to be markup.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{assert_self_contained, bundle, form, parse};

const TITLE: &str =
    "<script>alert(1)</script> | [x](javascript:x) <!channel> `a` *b* \"'& ]]> --> http://e.example @here";
const HOST: &str = "\"><img src=x onerror=alert(1)>|`\u{1b}[2J";

/// A rule and an event that it matches, both hostile; the bundle of them.
fn hostile(folder: &Path) -> String {
    let title = serde_json::to_string(TITLE).unwrap();
    let (rules, events) = (folder.join("rules"), folder.join("events"));
    fs::create_dir(&rules).unwrap();
    fs::create_dir(&events).unwrap();
    let rule = |source: &str, field: &str| {
        format!(
            "title: {title}\nlevel: high\ntags: [attack.t1059.001, attack.t9999, attack.tx, attack.execution]\n\
             logsource: {{category: {source}, product: windows}}\n\
             detection: {{s: {{'{field}|endswith': 'cmd.exe'}}, condition: s}}\n"
        )
    };
    fs::write(rules.join("match.yml"), rule("process_creation", "Image")).unwrap();
    fs::write(rules.join("field.yml"), rule("process_creation", "<b>`field`")).unwrap();
    fs::write(rules.join("source.yml"), rule("'</td><b>|*'", "Image")).unwrap();
    let silent = "title: silent\ntags: [attack.t1218]\nlogsource: {category: process_creation, product: windows}\n\
                  detection: {s: {Image|endswith: 'nothing.exe'}, condition: s}\n";
    fs::write(rules.join("silent.yml"), silent).unwrap();
    let file = events.join("events.parquet").display().to_string();
    let host = HOST.replace('\'', "''").replace('\u{1b}', "' || chr(27) || '");
    let connection = duckdb::Connection::open_in_memory().unwrap();
    let event = format!(
        "SELECT 1007::INTEGER AS class_uid, 1::INTEGER AS activity_id, 1773478800000::BIGINT AS \"time\", \
         'windows-sysmon' AS \"metadata.source_type\", '1.7.0' AS \"metadata.version\", 'e' AS \"metadata.event_id\", \
         'C:\\cmd.exe' AS \"process.file.path\", '{host}' AS \"device.hostname\""
    );
    connection.execute_batch(&format!("COPY ({event}) TO '{file}' (FORMAT parquet)")).unwrap();
    bundle(folder, rules.to_str().unwrap(), events.to_str().unwrap())
}

#[test]
fn a_page_holds_them_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let page = form(&hostile(folder.path()), "html", &[]);
    for markup in ["<script", "<img", "<b>", "\u{1b}"] {
        assert!(!page.contains(markup), "{markup}");
    }
    let (elements, texts) = parse(&page);
    assert!(!elements.contains_key("script") && !elements.contains_key("img") && !elements.contains_key("b"));
    assert!(texts.iter().all(|text| !text.contains('\u{1b}')));
    for shown in
        ["&lt;script&gt;alert(1)", "onerror=alert(1)&gt;|`\u{fffd}[2J", "&lt;b&gt;`field`", "&lt;/td&gt;"]
    {
        assert!(page.contains(shown), "{shown}");
    }
    assert_self_contained(&page);
}

#[test]
fn markdown_holds_them_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let markdown = form(&hostile(folder.path()), "markdown", &[]);
    let row = markdown.lines().find(|line| line.contains("alert\\(1\\)") || line.contains("script")).unwrap();
    let expected = "\\<script\\>alert(1)\\</script\\> \\| \\[x\\](javascript:x) \\<\\!channel\\> \\`a\\` \\*b\\* \
                    \"'\\& \\]\\]\\> --\\> http\\://e.example \\@here";
    assert!(row.contains(expected), "{row}");
    assert!(row.contains("``\"><img src=x onerror=alert(1)>\\|`\u{fffd}[2J``"), "{row}");
    assert!(!markdown.contains('\u{1b}'));
}

#[test]
fn a_technique_whose_rules_run_and_match_nothing_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let markdown = form(&hostile(folder.path()), "markdown", &[]);
    assert!(markdown.contains("\n3 techniques: 2 hit, 1 silent, 0 without"), "{markdown}");
    let (_, silent) = markdown.split_once("**Silent").unwrap();
    assert!(silent.contains("\n| `T1218` | 1 | 1 |\n"), "{silent}");
}

#[test]
fn slack_and_navigator_take_them_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = hostile(folder.path());
    let message: Value = serde_json::from_str(&form(&bundle, "slack", &[])).unwrap();
    let blocks = message["blocks"].as_array().unwrap();
    let texts = blocks.iter().map(|block| block.get("text").unwrap_or(&block["elements"][0]));
    assert!(texts.into_iter().all(|text| text["type"] == "plain_text"));
    let finding = blocks.last().unwrap()["text"]["text"].as_str().unwrap();
    assert!(finding.starts_with("high · <script>alert(1)</script>"), "{finding}");
    assert!(finding.contains("\n1 match · \"><img"), "{finding}");
    assert!(!finding.contains('\u{1b}'));
    let layers: Value = serde_json::from_str(&form(&bundle, "navigator", &[])).unwrap();
    let ids = layers[0]["techniques"].as_array().unwrap().iter().map(|t| t["techniqueID"].as_str().unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), ["T1059.001", "T1218", "T9999"]);
}
