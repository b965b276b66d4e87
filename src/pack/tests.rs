//! What loading says of packs: the shipped one, and small ones with one thing wrong.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::bridge::Diagnostic;
use crate::ocsf::{Catalog, FieldType};
use crate::sigma::SigmaField;

const MANIFEST: &str = "id: own\nversion: 1.0.0\nocsf_version: 1.7.0\nraw_fallback: {prefixes: [raw.]}\n";
const ROUTES: &str = "\
- logsource: {category: process_creation, product: windows}
  classes: [1007]
- logsource: {category: registry_event, product: windows}
  classes: [201001, 201002]
- logsource: {category: dns_query}
  classes: [4003]
";

/// A pack of these texts.
fn load_texts(manifest: &str, routes: &str, aliases: &[(&str, &str)]) -> Result<LoadedPack, PackError> {
    let own = [("pack.yaml".into(), manifest.to_owned()), ("routes.yaml".into(), routes.to_owned())];
    let aliases = aliases.iter().map(|(name, text)| (Path::new("aliases").join(name), (*text).to_owned()));
    load(&PackSource::Texts(own.into_iter().chain(aliases).collect()))
}

fn load_alias(field: &str) -> Result<LoadedPack, PackError> {
    load_texts(MANIFEST, ROUTES, &[("a.yaml", &format!("process_creation/windows:\n  F: {field}\n"))])
}

/// The one alias of field `F`.
fn alias(field: &str) -> Alias {
    let pack = load_alias(field).unwrap().pack;
    pack.aliases.values().next().unwrap()[&SigmaField("F".into())][0].clone()
}

fn places(findings: &[Diagnostic]) -> Vec<String> {
    let place = |finding: &Diagnostic| {
        let file = finding.path.file_name().unwrap().to_string_lossy().into_owned();
        format!("{file}:{} {}", finding.span.start, finding.code.name)
    };
    findings.iter().map(place).collect()
}

/// The errors of a pack, as `file:line:column code`.
fn errors(loaded: Result<LoadedPack, PackError>) -> Vec<String> {
    places(&loaded.unwrap_err().findings)
}

fn manifest_errors(manifest: &str) -> Vec<String> {
    errors(load_texts(manifest, ROUTES, &[]))
}

fn route_errors(routes: &str) -> Vec<String> {
    errors(load_texts(MANIFEST, routes, &[]))
}

fn filter_error(filter: &str) -> String {
    let routes = format!("- logsource: {{category: c}}\n  classes: [1007]\n  filters:\n    - {filter}\n");
    route_errors(&routes).join(" ")
}

fn alias_error(field: &str) -> String {
    errors(load_alias(field)).join(" ")
}

#[test]
fn the_shipped_pack_loads_without_a_finding() {
    let loaded = load(&PackSource::Embedded(DEFAULT_PACK.into())).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.pack.manifest.id, DEFAULT_PACK);
    assert_eq!(loaded.pack.sha256.len(), 64);
}

#[test]
fn every_route_of_the_shipped_pack_pins_its_producer() {
    let pack = load(&PackSource::Embedded(DEFAULT_PACK.into())).unwrap().pack;
    // What any producer may write. Their rules have no raw.* to fall back to.
    let any_producer = ["antivirus", "database", "dns", "firewall"];
    for route in &pack.routes {
        let pins = |filter: &RouteFilter| filter.path.as_str() == "metadata.source_type";
        let open = route.category.as_deref().is_some_and(|category| any_producer.contains(&category));
        assert_eq!(route.filters.iter().any(pins), !open, "{route:?}");
        assert!(route.filters.is_sorted_by_key(|filter| &filter.path), "{route:?}");
    }
}

#[test]
fn missing_and_unreadable_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let source = PackSource::Folder(folder.path().to_owned());
    assert_eq!(errors(load(&source)), ["pack.yaml:1:1 pack_unreadable", "routes.yaml:1:1 pack_unreadable"]);
    fs::write(folder.path().join("pack.yaml"), b"\xff\xfe").unwrap();
    fs::create_dir(folder.path().join("routes.yaml")).unwrap();
    assert_eq!(errors(load(&source)), ["pack.yaml:1:1 pack_unreadable", "routes.yaml:1:1 pack_unreadable"]);
    assert!(load(&PackSource::Embedded("none".into())).is_err());
}

#[test]
fn only_alias_files_are_read() {
    let aliases =
        [(".#a.yaml", "["), ("notes.txt", "["), ("a.yml", "dns_query: {F: time}"), ("a.yaml~", "[")];
    assert_eq!(load_texts(MANIFEST, ROUTES, &aliases).unwrap().pack.aliases.len(), 1);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("pack.yaml"), MANIFEST).unwrap();
    fs::write(folder.path().join("routes.yaml"), ROUTES).unwrap();
    fs::write(folder.path().join("aliases"), "").unwrap();
    let source = PackSource::Folder(folder.path().to_owned());
    assert_eq!(errors(load(&source)), ["aliases:1:1 pack_unreadable"]);
}

/// The YAML examples of the format's description, in order.
fn described() -> Vec<String> {
    let text = include_str!("../../mapping_packs/README.md");
    let blocks = text.split("```yaml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_described_forms_load() {
    let blocks = described();
    let [manifest, routes, aliases @ .., tests] = blocks.as_slice() else { panic!("examples") };
    let under = |(index, block): (usize, &String)| match block.starts_with(' ') {
        true => format!("registry_event/{index}:\n{block}"),
        false => block.clone(),
    };
    let files: Vec<_> = aliases.iter().enumerate().map(under).collect();
    for file in &files {
        load_texts(manifest, routes, &[("a.yaml", file)]).unwrap();
    }
    assert_eq!(files.len(), 5);
    let tests = BTreeMap::from([("tests/t.yaml".into(), tests.clone())]);
    assert_eq!(cases(&PackSource::Texts(tests)).unwrap().len(), 2);
}

#[test]
fn the_manifest_is_checked() {
    let with = |line: &str| manifest_errors(&format!("{MANIFEST}{line}\n"));
    assert_eq!(with("colour: red"), ["pack.yaml:5:1 pack_syntax"]);
    assert_eq!(with("capabilities: [regex, magic]"), ["pack.yaml:5:15 pack_value"]);
    assert_eq!(with("backend: {threads: 0}"), ["pack.yaml:5:20 pack_value"]);
    assert_eq!(with("backend: {threads: many}"), ["pack.yaml:5:20 pack_syntax"]);
    assert_eq!(with("id: again"), ["pack.yaml:5:1 pack_syntax"]);
    assert_eq!(manifest_errors(&MANIFEST.replace("1.7.0", "1.6.0")), ["pack.yaml:3:15 pack_ocsf_version"]);
    assert_eq!(manifest_errors(&MANIFEST.replace("[raw.]", "['']")), ["pack.yaml:4:26 pack_value"]);
    assert_eq!(manifest_errors(&MANIFEST.replace("own", "''")), ["pack.yaml:1:5 pack_value"]);
    assert_eq!(manifest_errors("id: a\nversion: b\n"), ["pack.yaml:1:1 pack_syntax"]);
    assert_eq!(manifest_errors(""), ["pack.yaml:1:1 pack_syntax"]);
    assert_eq!(manifest_errors(&format!("{MANIFEST}---\na: b\n")), ["pack.yaml:6:1 pack_syntax"]);
    assert_eq!(manifest_errors("a: [\n"), ["pack.yaml:2:1 pack_syntax"]);
}

#[test]
fn routes_are_checked() {
    assert_eq!(route_errors("a: b"), ["routes.yaml:1:1 pack_syntax"]);
    assert_eq!(
        route_errors("- {logsource: {category: c}, classes: [7]}"),
        ["routes.yaml:1:39 pack_unknown_class"]
    );
    assert_eq!(
        route_errors("- {logsource: {category: c}, classes: []}"),
        ["routes.yaml:1:39 pack_bad_route"]
    );
    assert_eq!(
        route_errors("- {logsource: {product: p}, classes: [0]}"),
        ["routes.yaml:1:15 pack_bad_route"]
    );
    assert_eq!(
        route_errors("- {logsource: {category: ' '}, classes: [0]}"),
        ["routes.yaml:1:15 pack_bad_route"]
    );
    assert_eq!(route_errors("- {logsource: {categroy: c}, classes: [0]}"), ["routes.yaml:1:16 pack_syntax"]);
    let twice = "- {logsource: {service: s}, when: {A: [1, 2]}, classes: [0]}\n\
                 - {logsource: {service: s}, when: {A: [1]}, classes: [0]}\n\
                 - {logsource: {service: S}, when: {A: ['2', 1]}, classes: [1007]}\n";
    assert_eq!(route_errors(twice), ["routes.yaml:3:3 pack_duplicate_route"]);
    let empty = "- {logsource: {service: s}, when: {A: []}, classes: [0]}";
    assert_eq!(route_errors(empty), ["routes.yaml:1:39 pack_bad_route"]);
}

#[test]
fn filters_are_checked() {
    let bad = |filter: &str| assert!(filter_error(filter).ends_with("pack_bad_filter"), "{filter}");
    bad("{path: activity_id, op: eq, value: '1'}");
    bad("{path: activity_id, op: eq}");
    bad("{path: activity_id, op: eq, value: [1]}");
    bad("{path: activity_id, op: in, value: 1}");
    bad("{path: activity_id, op: in, value: []}");
    bad("{path: activity_id, op: in, value: [1, true]}");
    bad("{path: activity_id, op: exists, value: 1}");
    bad("{path: activity_id, op: contains, value: 1}");
    bad("{path: process.name, op: prefix, value: 1}");
    bad("{path: process.file.hashes.value, op: eq, value: x}");
    bad("{path: raw.event_id, op: eq, value: '1'}");
    assert_eq!(
        filter_error("{path: raw.event_id, op: eq, value: 1}"),
        "routes.yaml:4:14 pack_unpinned_filter"
    );
    let unsupported = filter_error("{path: process.name, op: regex, value: a}");
    assert_eq!(unsupported, "routes.yaml:4:32 pack_unsupported_filter");
    assert_eq!(filter_error("{path: process.nam, op: exists}"), "routes.yaml:4:14 pack_unknown_path");
    assert_eq!(filter_error("{path: time, op: like, value: 1}"), "routes.yaml:4:24 pack_syntax");
}

#[test]
fn filters_are_typed() {
    let routes = "- logsource: {category: c}\n  classes: [1007]\n  filters:\n    \
                  - {path: raw.event_id, op: eq, value: 1}\n    \
                  - {path: raw.channel, op: in, value: [a, b], notes: why}\n    \
                  - {path: process.file.hashes.value, op: in, value: [x]}\n    \
                  - {path: is_alert, op: exists, value: false}\n    \
                  - {path: metadata.source_type, op: in, value: [x]}\n";
    let pack = load_texts(MANIFEST, routes, &[]).unwrap().pack;
    let kinds: Vec<_> =
        pack.routes[0].filters.iter().map(|filter| (filter.field_type, filter.list)).collect();
    let string = FieldType::String;
    assert_eq!(
        kinds,
        [
            (FieldType::Integer, false),
            (string, false),
            (string, true),
            (FieldType::Boolean, false),
            (string, false)
        ]
    );
}

#[test]
fn every_alias_form_is_read() {
    assert_eq!(alias("process.name").target.to_string(), "process.name");
    assert_eq!(alias("{path: process.pid, literal: integer}").literal, Some(FieldType::Integer));
    let any = alias("{any_of: [process.name, {expr: lower(process.cmd_line)}]}").target;
    assert_eq!(any.to_string(), "any of process.name, lower(process.cmd_line)");
    assert_eq!(any.columns().len(), 2);
    let raw = alias("{path: raw.Count, type: integer}").target;
    assert!(raw.is_raw() && raw.field_type() == FieldType::Integer);
    let map = alias("{path: process.integrity_id, values: {High: 4}, otherwise: refuse}");
    assert_eq!(map.values["High"], serde_json::json!(4));
    let class = alias("{per_class: {1007: process.name}, classes: [1007]}");
    assert_eq!(class.target.to_string(), "1007: process.name");
    let hashes =
        alias("{expr: \"process.file.hashes.algorithm || '=' || process.file.hashes.value\"}").target;
    assert!(hashes.list());
}

#[test]
fn aliases_are_checked() {
    let place = |code: &str, column: u32| format!("a.yaml:2:{column} {code}");
    assert_eq!(alias_error("process.cmdline"), place("pack_unknown_path", 6));
    assert_eq!(alias_error("process"), place("pack_unknown_path", 6));
    assert_eq!(alias_error("1"), place("pack_syntax", 6));
    assert_eq!(alias_error("{}"), place("pack_bad_alias", 6));
    assert_eq!(alias_error("{path: time, expr: time}"), place("pack_bad_alias", 6));
    assert_eq!(alias_error("{pth: time}"), place("pack_syntax", 7));
    assert_eq!(alias_error("{path: process.pid, type: string}"), place("pack_bad_alias", 32));
    assert_eq!(alias_error("{path: process.pid, literal: string}"), place("pack_bad_alias", 35));
    assert_eq!(alias_error("{path: process.pid, otherwise: keep}"), place("pack_bad_alias", 37));
    assert_eq!(alias_error("{path: process.pid, values: {a: x}}"), place("pack_bad_values", 38));
    assert_eq!(alias_error("{path: process.pid, values: {a: 1, A: 2}}"), place("pack_bad_values", 38));
    assert_eq!(alias_error("{path: raw_json}"), place("pack_raw_prefix", 13));
    assert_eq!(alias_error("{path: raw.}"), place("pack_raw_prefix", 13));
    assert_eq!(alias_error("{any_of: [process.name]}"), place("pack_bad_alias", 15));
    assert_eq!(alias_error("{any_of: [process.name, process.pid]}"), place("pack_ambiguous_type", 15));
    assert_eq!(alias_error("{any_of: [{any_of: [time, time]}, time]}"), place("pack_bad_alias", 16));
    assert_eq!(alias_error("{per_class: {}}"), place("pack_bad_alias", 18));
    assert_eq!(alias_error("{per_class: {x: time}}"), place("pack_unknown_class", 19));
    assert_eq!(alias_error("{per_class: {1007: query.hostname}}"), place("pack_unknown_path", 25));
    assert_eq!(alias_error("{path: time, classes: [7]}"), place("pack_unknown_class", 28));
}

#[test]
fn expressions_are_checked() {
    let place = |code: &str| format!("a.yaml:2:13 {code}");
    assert_eq!(alias_error("{expr: read_csv(process.name)}"), place("pack_bad_expression"));
    assert_eq!(alias_error("{expr: lower(process.nam)}"), place("pack_unknown_path"));
    assert_eq!(alias_error("{expr: process.pid || process.name}"), place("pack_bad_expression"));
    let lists = "{expr: \"process.file.hashes.value || process.parent_process.file.hashes.value\"}";
    assert_eq!(alias_error(lists), place("pack_bad_expression"));
    let one_list = "{expr: \"process.name || process.file.hashes.value\"}";
    assert!(alias(one_list).target.list());
}

#[test]
fn a_misspelt_path_is_answered_with_the_right_one() {
    let error = load_alias("process.cmdline").unwrap_err();
    assert_eq!(error.findings[0].help.as_deref(), Some("did you mean `process.cmd_line`?"));
    assert!(
        error.to_string().ends_with("there is no value `process.cmdline` in class 1007 process_activity")
    );
}

#[test]
fn columns_of_different_classes_cannot_be_computed_together() {
    let aliases = "registry_event/windows:\n  F: {expr: 'reg_key.path || reg_value.name'}\n";
    assert_eq!(
        errors(load_texts(MANIFEST, ROUTES, &[("a.yaml", aliases)])),
        ["a.yaml:2:13 pack_bad_expression"]
    );
}

#[test]
fn scopes_are_checked() {
    let found = |aliases: &str| load_texts(MANIFEST, ROUTES, &[("a.yaml", aliases)]);
    assert_eq!(errors(found("a/b/c/d: {F: time}")), ["a.yaml:1:1 pack_bad_scope"]);
    assert_eq!(errors(found("[]")), ["a.yaml:1:1 pack_syntax"]);
    assert_eq!(errors(found("x: []")), ["a.yaml:1:4 pack_syntax"]);
    assert_eq!(places(&found("dns_qeury: {F: time}").unwrap().warnings), ["a.yaml:1:1 pack_unused_scope"]);
    let limited = found("dns_query: {F: {path: time, classes: [1007]}}").unwrap();
    assert_eq!(places(&limited.warnings), ["a.yaml:1:38 pack_unused_scope"]);
    let by_service = "- {logsource: {product: windows, service: security}, classes: [3002]}\n";
    let misspelt =
        load_texts(MANIFEST, by_service, &[("a.yaml", "proces/windows: {F: process.name}")]).unwrap();
    assert_eq!(places(&misspelt.warnings), ["a.yaml:1:1 pack_unused_scope"]);
    assert_eq!(found("# nothing yet\n").unwrap().warnings, []);
    assert_eq!(
        found(
            "'*/windows': {F: {path: process.name, classes: [1007]}}\ndns_query/linux: {G: query.hostname}"
        )
        .unwrap()
        .warnings,
        []
    );
}

#[test]
fn a_second_alias_is_kept_and_warned_of() {
    let one = ("a.yaml", "dns_query:\n  F: time\n");
    let two = ("b.yaml", "dns_query:\n  F: query.hostname\n");
    let loaded = load_texts(MANIFEST, ROUTES, &[two, one]).unwrap();
    assert_eq!(places(&loaded.warnings), ["b.yaml:2:6 pack_duplicate_alias"]);
    assert_eq!(loaded.pack.aliases.values().next().unwrap()[&SigmaField("F".into())].len(), 2);
}

#[test]
fn the_hash_is_of_the_meaning() {
    let hash =
        |manifest: &str, aliases: &[(&str, &str)]| load_texts(manifest, ROUTES, aliases).unwrap().pack.sha256;
    let whole = hash(MANIFEST, &[("a.yaml", "dns_query: {F: query.hostname, G: time}\n")]);
    let split = [
        ("x.yaml", "dns_query:\n  G: time # text\n"),
        ("y.yaml", "DNS_query: {F: {path: query.hostname}}\n"),
    ];
    assert_eq!(whole, hash(MANIFEST, &split));
    assert_eq!(whole, hash(&format!("{MANIFEST}description: prose\n"), &split));
    assert_ne!(whole, hash(MANIFEST, &[("a.yaml", "dns_query: {F: query.hostname}\n")]));
    assert_ne!(whole, hash(&MANIFEST.replace("1.0.0", "1.0.1"), &split));
    assert_ne!(whole, hash(&format!("{MANIFEST}capabilities: [regex]\n"), &split));
}

#[test]
fn codes_are_told_apart_by_name() {
    let mut names: Vec<_> = CODES.iter().map(|code| code.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CODES.len());
    assert!(CODES.iter().all(|code| code.reason.is_none()));
}

#[test]
fn placeholders_have_lists_of_text() {
    let load = |line: &str| load_texts(&format!("{MANIFEST}{line}\n"), ROUTES, &[]);
    let manifest = load("placeholders: {admins: [root, 'svc-*'], none: []}").unwrap().pack.manifest;
    assert_eq!(manifest.placeholders["admins"], ["root", "svc-*"]);
    assert_eq!(manifest.placeholders["none"], [""; 0]);
    assert_eq!(errors(load("placeholders: {a: root}")), ["pack.yaml:5:19 pack_syntax"]);
    assert_eq!(errors(load("placeholders: {a: [5]}")), ["pack.yaml:5:20 pack_syntax"]);
    assert_eq!(errors(load("placeholders: [a]")), ["pack.yaml:5:15 pack_syntax"]);
}

#[test]
fn keywords_are_texts_of_some_class() {
    let load = |line: &str| load_texts(&format!("{MANIFEST}{line}\n"), ROUTES, &[]);
    let keywords = load("keywords: [message, answers.rdata]").unwrap().pack.manifest.keywords;
    let columns: Vec<_> = keywords.iter().map(|column| (column.path.as_str(), column.list)).collect();
    assert_eq!(columns, [("message", false), ("answers.rdata", true)]);
    for path in ["process.cmdline", "process.pid", "process", "raw.x", "''"] {
        assert_eq!(errors(load(&format!("keywords: [{path}]"))), ["pack.yaml:5:11 pack_value"], "{path}");
    }
    assert_eq!(errors(load("keywords: message")), ["pack.yaml:5:11 pack_syntax"]);
}

#[test]
fn every_routed_class_has_keyword_columns() {
    let pack = load(&PackSource::Embedded(DEFAULT_PACK.into())).unwrap().pack;
    let catalog = Catalog::pinned();
    for class in pack.routes.iter().flat_map(|route| &route.class_uids) {
        let has = |column: &&Column| catalog.resolve(*class, &column.path).is_some();
        assert!(pack.manifest.keywords.iter().filter(has).count() > 1, "{class}");
    }
    assert!(pack.manifest.keywords.is_sorted_by_key(|column| &column.path));
}

/// One of the shipped texts with a stretch replaced.
fn mutated() -> impl Strategy<Value = (usize, String)> {
    let texts = [
        include_str!("../../mapping_packs/ocsf-1.7.0/pack.yaml"),
        include_str!("../../mapping_packs/windows-sysmon/routes.yaml"),
        include_str!("../../mapping_packs/windows-sysmon/aliases/process.yaml"),
    ];
    let noise = prop_oneof!["\\PC{0,8}", "[\\[\\]{}:,'\"|&*#\\-\n ]{1,6}", Just(String::new())];
    (0..3_usize, any::<prop::sample::Index>(), 0..40_usize, noise).prop_map(
        move |(which, at, length, noise)| {
            let mut characters: Vec<char> = texts[which].chars().collect();
            let start = at.index(characters.len());
            let end = (start + length).min(characters.len());
            characters.splice(start..end, noise.chars());
            (which, characters.into_iter().collect())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn loading_never_panics(mutation in mutated(), text in "\\PC{0,40}") {
        let (which, mutant) = mutation;
        let aliases = [("a.yaml", if which == 2 { mutant.as_str() } else { "" }), ("b.yaml", text.as_str())];
        let manifest = if which == 0 { mutant.as_str() } else { MANIFEST };
        let routes = if which == 1 { mutant.as_str() } else { ROUTES };
        let _ = load_texts(manifest, routes, &aliases);
    }
}

/// The warnings about a pack of these routes and aliases.
fn warnings(routes: &str, aliases: &str) -> Vec<String> {
    places(&load_texts(MANIFEST, routes, &[("a.yaml", aliases)]).unwrap().warnings)
}

#[test]
fn every_route_that_an_alias_is_for_has_its_target() {
    let of = |aliases: &str| warnings(ROUTES, aliases);
    let lacking = ["a.yaml:1:18 pack_not_in_route"];
    assert_eq!(of("'*/windows': {F: process.name}"), lacking);
    let loaded = load_texts(MANIFEST, ROUTES, &[("a.yaml", "'*': {F: process.name}")]).unwrap();
    assert_eq!(
        loaded.warnings[0].message,
        "`F` is `process.name`, which route `registry_event/windows` to classes 201001 registry_key_activity, \
         201002 registry_value_activity does not have, and 1 more"
    );
    let none = [""; 0];
    assert_eq!(of("'*/windows': {F: process.name}\nregistry_event/windows: {F: reg_key.path}"), none);
    assert_eq!(of("'*/windows': {F: {path: process.name, classes: [1007]}}"), none);
    assert_eq!(of("'*/windows': {F: {any_of: [process.name, reg_key.path]}}"), none);
    assert_eq!(of("'*/windows': {F: raw.x}"), none);
    let registry = "registry_event/windows: {F: reg_key.path}";
    assert_eq!(of(&format!("'*/windows': {{F: {{per_class: {{1007: process.name}}}}}}\n{registry}")), none);
}

#[test]
fn an_alias_that_is_never_asked_is_shadowed() {
    let of = |aliases: &str| warnings(ROUTES, aliases);
    let windows = "process_creation/windows: {F: time}\nregistry_event/windows: {F: time}\n";
    // The route for dns_query takes rules for Windows, too.
    assert_eq!(of(&format!("{windows}'*/windows': {{F: time}}")), [""; 0]);
    let all = format!("{windows}dns_query: {{F: time}}\n");
    assert_eq!(of(&format!("{all}'*/windows': {{F: time}}")), ["a.yaml:4:18 pack_shadowed_alias"]);
    assert_eq!(of(&format!("{all}'*': {{F: time}}")), ["a.yaml:4:10 pack_shadowed_alias"]);
    assert_eq!(of("process_creation/windows: {F: time}\n'*/windows': {F: time}"), [""; 0]);
    // A rule may name the service, or not.
    assert_eq!(of("dns_query: {F: time}\ndns_query/linux/dns: {F: time}"), [""; 0]);
    let limited = "process_creation/windows: {F: {path: time, classes: [1007]}}\nprocess_creation: {F: time}";
    assert_eq!(of(limited), ["a.yaml:2:23 pack_shadowed_alias"]);
}

#[test]
fn routes_that_can_take_one_rule_tie() {
    let of = |routes: &[&str]| {
        let routes: Vec<_> =
            routes.iter().map(|route| format!("- {{logsource: {{{route}, classes: [1007]}}\n")).collect();
        warnings(&routes.concat(), "")
    };
    let tie = ["routes.yaml:2:3 pack_routes_tie"];
    assert_eq!(of(&["category: c, product: p}", "category: c, service: s}"]), tie);
    assert_eq!(of(&["service: s}, when: {A: [1, 2]}", "service: s}, when: {A: [2, 3]}"]), tie);
    assert_eq!(of(&["service: s}, when: {A: 1}", "service: s}, when: {B: 1}"]), tie);
    assert_eq!(of(&["service: s}, when: {A: 1}", "product: p, service: s}"]), tie);
    for apart in [
        ["category: c}", "category: c, product: p}"],
        ["category: c}", "service: s}"],
        ["category: c, product: p}", "category: c, product: q}"],
        ["service: s}, when: {A: 1}", "service: s}, when: {A: 2}"],
    ] {
        assert_eq!(of(&apart), [""; 0], "{apart:?}");
    }
}

#[test]
fn value_maps_say_what_becomes_of_other_literals() {
    let of = |alias: &str| warnings(ROUTES, &format!("process_creation/windows:\n  F: {alias}"));
    assert_eq!(of("{path: process.pid, values: {a: 1}}"), ["a.yaml:2:34 pack_open_values"]);
    assert_eq!(of("{path: process.pid, values: {a: 1}, otherwise: refuse}"), [""; 0]);
    assert_eq!(of("{path: is_alert, values: {a: true, b: false}}"), [""; 0]);
    assert_eq!(of("{path: process.pid, values: {'1': 1}, otherwise: keep}"), ["a.yaml:2:40 pack_no_effect"]);
    assert_eq!(of("{path: process.name, values: {a: A}, otherwise: refuse}"), [""; 0]);
    assert_eq!(of("{any_of: [process.name, process.name]}"), ["a.yaml:2:15 pack_no_effect"]);
}

#[test]
fn warnings_are_kept_where_there_are_errors() {
    let aliases = "dns_query: {F: tiem, G: {path: time, values: {a: 1}}}\nnowhere: {F: time}\n";
    let error = load_texts(MANIFEST, ROUTES, &[("a.yaml", aliases)]).unwrap_err();
    assert_eq!(places(&error.findings), ["a.yaml:1:16 pack_unknown_path"]);
    assert_eq!(places(&error.warnings), ["a.yaml:1:46 pack_open_values", "a.yaml:2:1 pack_unused_scope"]);
    // What seems unused may be for a route that was not understood.
    let error = load_texts(MANIFEST, "- {logsource: {category: c}}", &[("a.yaml", aliases)]).unwrap_err();
    assert_eq!(places(&error.warnings), ["a.yaml:1:46 pack_open_values"]);
}
