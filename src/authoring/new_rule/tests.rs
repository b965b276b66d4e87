//! New rules from templates, matches and other rules.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;
use crate::backend;
use crate::backend::interpreter::{Event, Field, Interpreter, Value};
use crate::bridge::Settings;
use crate::ocsf::OcsfPath;
use crate::pack::{self, DEFAULT_PACK, PackSource};
use crate::sigma::{self, Body, Capability, Rule, text};

const RULE: &str = "# kept\ntitle: 'Odd: Download'\nid: 6f1b9c0e-2b7a-4f57-9a51-0d2f0f0c1a11 # kept\nstatus: test\nlogsource:\n    \
                    category: process_creation\n    product: windows\ndetection:\n    selection:\n        Image|endswith: \
                    '\\certutil.exe'\n    condition: selection\nlevel: high\n";

static PACK: LazyLock<Pack> =
    LazyLock::new(|| pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack);

fn compiled(text: &str) -> CompiledRule {
    let rules: Vec<_> = sigma::parse(Path::new("rules/a.yml"), text).into_iter().map(Arc::new).collect();
    backend::compile(&rules, &PACK, &Settings::default()).remove(0)
}

fn drafted(template: Template, rule: &str) -> Result<Draft, DraftError> {
    draft(template, &compiled(rule), None, &PACK)
}

/// The draft as a rule without findings, compiled with the one that it is about.
fn sound(draft: &Draft) -> (Rule, CompiledRule) {
    let rules = [RULE, &draft.text].map(|text| sigma::parse(Path::new("a.yml"), text));
    let rules: Vec<_> = rules.into_iter().flatten().map(Arc::new).collect();
    assert_eq!(rules.len(), 2, "{}", draft.text);
    assert_eq!(rules[1].problems, [], "{}", draft.text);
    let settings = Settings { capabilities: Capability::ALL.into(), ..Settings::default() };
    let mut compiled = backend::compile(&rules, &PACK, &settings);
    ((*rules[1]).clone(), compiled.remove(1))
}

fn event(image: &str, command_line: &str) -> WholeEvent {
    let text = |value: &str| Field::One(Some(Value::Text(value.to_owned())));
    let number = |value| Field::One(Some(Value::Integer(value)));
    let fields = [
        ("class_uid", number(1007)),
        ("activity_id", number(1)),
        ("time", number(1_700_000_000_000)),
        ("metadata.source_type", text("windows-sysmon")),
        ("process.file.path", text(image)),
        ("process.cmd_line", text(command_line)),
        ("device.hostname", text("host-1")),
    ];
    let fields = fields.into_iter().map(|(path, field)| (OcsfPath(path.to_owned()), field)).collect();
    WholeEvent { event_id: "e-1".to_owned(), fields }
}

#[test]
fn each_template_gives_a_rule_that_runs() {
    for template in [Template::LogSource, Template::Copy, Template::Correlation, Template::Filter] {
        let draft = drafted(template, RULE).unwrap();
        let (rule, compiled) = sound(&draft);
        assert_eq!(rule.id().unwrap().0, NO_ID);
        assert!(
            compiled.compilation.is_executable(),
            "{}\n{:?}",
            draft.text,
            compiled.compilation.diagnostics
        );
        let kind = match rule.body {
            Body::Event(_) => "event",
            Body::Correlation(_) => "correlation",
            Body::Filter(_) => "filter",
            Body::Unreadable => "unreadable",
        };
        let wanted = match template {
            Template::Correlation => "correlation",
            Template::Filter => "filter",
            _ => "event",
        };
        assert_eq!(kind, wanted);
    }
    let nameless = RULE.replace("id: 6f1b9c0e-2b7a-4f57-9a51-0d2f0f0c1a11 # kept\n", "");
    assert_eq!(drafted(Template::Filter, &nameless), Err(DraftError::Nameless));
    assert_eq!(drafted(Template::Event, RULE), Err(DraftError::NoEvent));
}

#[test]
fn a_copy_is_the_rule_letter_by_letter_with_an_id_of_its_own() {
    let related = "related:\n    - id: 6f1b9c0e-2b7a-4f57-9a51-0d2f0f0c1a11\n      type: derived\n";
    let copy = drafted(Template::Copy, RULE).unwrap();
    assert_eq!(copy.stem, "a_copy");
    let id = "id: 6f1b9c0e-2b7a-4f57-9a51-0d2f0f0c1a11 # kept\n";
    let wanted = RULE.replace("'Odd: Download'", "'Odd: Download (Copy)'");
    let wanted = wanted.replace(id, &format!("id: {NO_ID} # kept\n{related}"));
    assert_eq!(copy.text, wanted);
    // What it was derived from itself stays.
    let again =
        drafted(Template::Copy, &wanted.replace(NO_ID, "11111111-0000-0000-0000-000000000000")).unwrap();
    let both =
        "related:\n    - id: 11111111-0000-0000-0000-000000000000\n      type: derived\n    - id: 6f1b";
    assert!(again.text.contains(both), "{}", again.text);
    let crlf = drafted(Template::Copy, &RULE.replace('\n', "\r\n")).unwrap();
    assert_eq!(crlf.text, copy.text.replace('\n', "\r\n"));
}

#[test]
fn a_rule_of_a_collection_is_written_out() {
    let collection = format!("action: global\nlevel: low\n---\n{}", RULE.replace("level: high\n", ""));
    let copy = drafted(Template::Copy, &collection).unwrap();
    let (rule, _) = sound(&copy);
    assert_eq!(rule.metadata.level.unwrap().value.as_str(), "low");
    assert_eq!(rule.metadata.related.len(), 1);
}

#[test]
fn a_rule_from_an_event_looks_for_what_tells_most() {
    let event = event(r"C:\Windows\System32\certutil.exe", "certutil -urlcache *");
    let draft = draft(Template::Event, &compiled(RULE), Some(&event), &PACK).unwrap();
    let wanted = format!(
        "title: certutil.exe in process creation\nid: {NO_ID}\nstatus: experimental\nlogsource:\n    category: \
         process_creation\n    product: windows\ndetection:\n    selection:\n        Image|endswith: \
         '\\certutil.exe'\n        CommandLine: certutil -urlcache \\*\n    condition: selection\nlevel: medium\n"
    );
    assert_eq!(draft.text, wanted);
    assert_eq!(draft.stem, "certutil_exe_in_process_creation");
    let bare = WholeEvent { fields: BTreeMap::new(), ..event };
    let none = super::draft(Template::Event, &compiled(RULE), Some(&bare), &PACK);
    assert_eq!(none, Err(DraftError::Nothing));
}

fn file(folder: &Path, name: &str) -> NewFile {
    let text = drafted(Template::LogSource, RULE).unwrap().text;
    NewFile { folder: folder.to_path_buf(), name: name.to_owned(), text }
}

#[test]
fn a_new_file_goes_beside_the_others_with_an_id_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    fs::create_dir_all(rules.join("a")).unwrap();
    let roots = [rules.clone()];
    let ids = ["a.yml", "b.yml", "../x.yaml"].map(|name| {
        let edit = file(&rules.join("a"), name).write(&roots).unwrap();
        assert!(edit.path.starts_with(&rules) && !edit.path.to_string_lossy().contains(".."));
        let text = fs::read_to_string(&edit.path).unwrap();
        let rule = sigma::parse(&edit.path, &text).remove(0);
        assert_eq!(rule.problems, []);
        rule.id().unwrap().0.clone()
    });
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != NO_ID);
    assert_eq!(ids[0].len(), 36);
    assert!(matches!(file(&rules, "a/a.yml").write(&roots), Err(NewFileError::Taken(_))));
}

#[test]
fn a_name_leads_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    fs::create_dir_all(&rules).unwrap();
    let roots = [rules.clone()];
    let write = |name: &str| file(&rules, name).write(&roots);
    for name in ["", " ", "x", "x.txt", ".x.yml", "x.test.yml", "..", "../..", "/"] {
        assert!(matches!(write(name), Err(NewFileError::Name)), "{name:?}");
    }
    assert!(matches!(write("a\u{1b}.yml"), Err(NewFileError::Control)));
    assert!(matches!(write("../x.yml"), Err(NewFileError::Elsewhere(_))));
    assert!(matches!(write("/x.yml"), Err(NewFileError::Elsewhere(_))));
    assert!(matches!(write("none/x.yml"), Err(NewFileError::File(_))));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path(), rules.join("out")).unwrap();
        assert!(matches!(write("out/x.yml"), Err(NewFileError::Elsewhere(_))));
        std::os::unix::fs::symlink("/nowhere", rules.join("dangling.yml")).unwrap();
        assert!(matches!(write("dangling.yml"), Err(NewFileError::Taken(_))));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_escaped_is_read_back(literal in "[a-z*?\\\\]{0,12}") {
        prop_assert_eq!(text::literal(&text::escaped(&literal)), Some(literal));
    }

    #[test]
    fn a_hostile_event_gives_a_rule_that_matches_it(image in "\\PC{1,20}", command_line in any::<String>()) {
        let event = event(&image, &command_line);
        let drafted = draft(Template::Event, &compiled(RULE), Some(&event), &PACK);
        let draft = drafted.unwrap();
        let (_, compiled) = sound(&draft);
        let plan = compiled.compilation.plan.unwrap();
        let fields = event.fields.iter().map(|(path, field)| (Arc::from(path.as_str()), field.clone()));
        prop_assert!(Interpreter::new(&plan).unwrap().matches(&Event::of_fields(fields)), "{}", draft.text);
    }
}
