//! Reports on a bundle by the real binary: each form read back, the same twice, safe with hostile values, and posted.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod hostile;
mod post;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

const RULES: &str = "fixtures/rules";
const EVENTS: &str = "fixtures/run/normalized";

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command.env_remove("COLUMNS").env_remove("SIGMA_OCSF_SLACK_WEBHOOK");
    command
}

/// What it printed, and its exit code, which is `code`.
fn ended(code: i32, arguments: &[&str]) -> (String, String) {
    let output = program().args(arguments).output().unwrap();
    let (said, wrong) = said(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}{wrong}");
    (said, wrong)
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// A bundle of `rules` over the events at `events`.
fn bundle(folder: &Path, rules: &str, events: &str) -> String {
    let out = folder.join("bundle").to_str().unwrap().to_owned();
    let fixed = ["run", rules, "--parquet", events, "--out", &out, "--run-id", "fixtures"];
    let more = ["--enable", "correlation", "--raw-fallback", "--run-time", "2026-03-14T12:00:00Z"];
    ended(0, &[&fixed[..], &more].concat());
    out
}

/// What `coverage --attribute` says of the same run.
fn causes(folder: &Path) -> String {
    let fixed = ["coverage", RULES, "--parquet", EVENTS, "--attribute", "--format", "json"];
    let (json, _) = ended(0, &[&fixed[..], &["--enable", "correlation", "--raw-fallback"]].concat());
    let file = folder.join("causes.json");
    fs::write(&file, json).unwrap();
    file.to_str().unwrap().to_owned()
}

fn form(bundle: &str, form: &str, more: &[&str]) -> String {
    ended(0, &[&["report", bundle, "--format", form], more].concat()).0
}

/// The page is well-formed; how often it has each element, and each attribute as `@name`; texts and values unescaped.
fn parse(page: &str) -> (BTreeMap<String, usize>, Vec<String>) {
    let mut reader = Reader::from_str(page);
    reader.config_mut().check_end_names = true;
    let (mut elements, mut texts, mut open) = (BTreeMap::new(), Vec::new(), Vec::new());
    loop {
        let event = reader.read_event().unwrap();
        if let Event::Start(tag) | Event::Empty(tag) = &event {
            let name = String::from_utf8(tag.name().as_ref().to_vec()).unwrap();
            *elements.entry(name).or_default() += 1;
            for attribute in tag.attributes().map(Result::unwrap) {
                let name = format!("@{}", std::str::from_utf8(attribute.key.as_ref()).unwrap());
                let value = attribute.unescape_value().unwrap().into_owned();
                assert!(name != "@href" || value.starts_with('#'), "{value} leads out of the page");
                *elements.entry(name).or_default() += 1;
                texts.push(value);
            }
        }
        match event {
            Event::Start(tag) => open.push(tag.name().as_ref().to_vec()),
            Event::End(_) => drop(open.pop().unwrap()),
            Event::Text(text) => texts.push(text.decode().unwrap().into_owned()),
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    (elements, texts)
}

/// No element or attribute loads anything or runs anything.
fn assert_self_contained(page: &str) {
    let known = [
        "@aria-hidden",
        "@aria-label",
        "@aria-labelledby",
        "@charset",
        "@class",
        "@content",
        "@height",
        "@href",
        "@http-equiv",
        "@id",
        "@lang",
        "@name",
        "@role",
        "@scope",
        "@tabindex",
        "@text-anchor",
        "@viewBox",
        "@width",
        "@x",
        "@xmlns",
        "@y",
        "a",
        "body",
        "caption",
        "code",
        "desc",
        "details",
        "div",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "head",
        "header",
        "html",
        "li",
        "main",
        "meta",
        "nav",
        "p",
        "rect",
        "section",
        "span",
        "style",
        "summary",
        "svg",
        "table",
        "tbody",
        "td",
        "text",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
    ];
    let (elements, _) = parse(page);
    let foreign: Vec<&String> = elements.keys().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    let style = &page[page.find("<style>").unwrap()..page.find("</style>").unwrap()];
    assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
}

#[test]
fn markdown_of_the_fixtures() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path(), RULES, EVENTS);
    let causes = causes(folder.path());
    let markdown = form(&bundle, "markdown", &["--attribution", &causes]);
    assert_eq!(markdown, ended(0, &["report", &bundle, "--attribution", &causes]).0);
    insta::assert_snapshot!("markdown", markdown);
}

#[test]
fn html_of_the_fixtures() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path(), RULES, EVENTS);
    let page = form(&bundle, "html", &["--attribution", &causes(folder.path())]);
    assert_self_contained(&page);
    let (elements, _) = parse(&page);
    assert_eq!(elements["svg"], 5);
    assert_eq!(page.matches("role=\"img\"").count(), 5, "every chart has a role");
    assert_eq!((elements["desc"], elements["caption"]), (5, elements["table"]));
    insta::assert_snapshot!("html", page);
}

#[test]
fn navigator_layers_of_the_fixtures() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path(), RULES, EVENTS);
    let layers = form(&bundle, "navigator", &[]);
    let document: Value = serde_json::from_str(&layers).unwrap();
    let scores = |layer: usize| -> BTreeMap<&str, u64> {
        let techniques = document[layer]["techniques"].as_array().unwrap().iter();
        techniques.map(|t| (t["techniqueID"].as_str().unwrap(), t["score"].as_u64().unwrap())).collect()
    };
    let [tagged, executable, fired] = [0, 1, 2].map(scores);
    assert!(tagged.keys().eq(executable.keys()) && tagged.keys().eq(fired.keys()));
    for (id, score) in &tagged {
        assert!(*score >= executable[id] && executable[id] >= fired[id], "{id}");
    }
    assert!(tagged.values().sum::<u64>() > executable.values().sum() && fired.values().any(|n| *n > 0));
    for layer in document.as_array().unwrap() {
        assert_eq!(
            (&layer["versions"]["layer"], &layer["domain"]),
            (&"4.5".into(), &"enterprise-attack".into())
        );
        assert!(layer["gradient"]["maxValue"].as_u64() > layer["gradient"]["minValue"].as_u64());
    }
    insta::assert_snapshot!("navigator", layers);
}

#[test]
fn slack_message_of_the_fixtures() {
    let folder = tempfile::tempdir().unwrap();
    let message = form(&bundle(folder.path(), RULES, EVENTS), "slack", &[]);
    insta::assert_snapshot!("slack", message);
}

#[test]
fn files_are_the_printed_forms_and_the_same_twice() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path(), RULES, EVENTS);
    let out = folder.path().join("out/report");
    let names = ["report.md", "report.html", "navigator.json", "slack.json"];
    let read = || names.map(|name| fs::read_to_string(out.join(name)).unwrap());
    ended(0, &["report", &bundle, "--out", out.to_str().unwrap()]);
    let first = read();
    ended(0, &["report", &bundle, "--out", out.to_str().unwrap()]);
    assert_eq!(first, read());
    let printed = ["markdown", "html", "navigator", "slack"].map(|name| form(&bundle, name, &[]));
    assert_eq!(first, printed);
    assert_eq!(fs::read_dir(&out).unwrap().count(), names.len(), "nothing else is left there");
}

#[test]
fn causes_of_another_run_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path(), RULES, EVENTS);
    let other = folder.path().join("other.json");
    let written = |more: &[&str]| {
        let fixed = ["coverage", RULES, "--parquet", EVENTS, "--format", "json"];
        fs::write(&other, ended(0, &[&fixed[..], more].concat()).0).unwrap();
        ended(2, &["report", &bundle, "--attribution", other.to_str().unwrap()]).1
    };
    assert!(written(&[]).contains("has no causes"));
    assert!(written(&["--attribute"]).contains("is not of this run"));
    fs::write(&other, "{}").unwrap();
    let (_, wrong) = ended(3, &["report", &bundle, "--attribution", other.to_str().unwrap()]);
    assert!(wrong.contains("--attribute --format json"), "{wrong}");
}

#[test]
fn what_is_no_bundle_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let (_, wrong) = ended(3, &["report", folder.path().to_str().unwrap()]);
    assert!(wrong.contains("bundle.json"), "{wrong}");
    let bundle = PathBuf::from(bundle(folder.path(), RULES, EVENTS));
    let detections = bundle.join("detections/detections.jsonl");
    fs::write(&detections, "{\"plan\":\"nobody\",\"host\":null,\"last_seen_utc\":null}\n").unwrap();
    let (_, wrong) = ended(3, &["report", bundle.to_str().unwrap()]);
    assert!(wrong.contains("'nobody', which has no plan"), "{wrong}");
}
