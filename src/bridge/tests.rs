//! Rules against small packs: what would match nothing, or something else, in silence has to be refused.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Compilation, Settings, compile};
use crate::pack::{self, Pack, PackSource};
use crate::sigma::{self, Capability};

const MANIFEST: &str = "id: small\nversion: 1.0.0\nocsf_version: 1.7.0\nraw_fallback: {prefixes: [raw.]}\n";

fn pack(routes: &str, aliases: &str) -> Pack {
    let files = [("pack.yaml", MANIFEST), ("routes.yaml", routes), ("aliases/all.yaml", aliases)];
    let files = files.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    pack::load(&PackSource::Texts(BTreeMap::from(files))).unwrap().pack
}

fn compiled(pack: &Pack, logsource: &str, item: &str) -> Compilation {
    let text = format!(
        "title: t\nlogsource: {{{logsource}}}\ndetection:\n    selection:\n        {item}\n    condition: selection\n"
    );
    let rules: Vec<_> = sigma::parse(Path::new("t.yml"), &text).into_iter().map(Arc::new).collect();
    let settings = Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: false };
    compile(&rules, pack, &settings).pop().unwrap()
}

/// The code that refuses the rule; empty where none does.
fn refusal(pack: &Pack, item: &str) -> &'static str {
    compiled(pack, "category: c", item).refusal().map_or("", |found| found.code.name)
}

const PROCESS: &str = "- {logsource: {category: c}, classes: [1007]}\n";

#[test]
fn a_path_that_the_routed_class_lacks_is_unmapped_and_not_null() {
    let routes =
        "- {logsource: {category: c}, classes: [4003]}\n- {logsource: {category: d}, classes: [1007]}\n";
    let pack = pack(routes, "'*':\n  Image: process.file.path\n");
    assert_eq!(refusal(&pack, "Image: x"), "unmapped_field");
    assert!(compiled(&pack, "category: d", "Image: x").is_executable());
}

#[test]
fn translated_values_are_translated_whole_or_refused() {
    let pack = pack(PROCESS, "c:\n  Level: {path: process.integrity, values: {high: High, low: Low}}\n");
    assert_eq!(refusal(&pack, "Level: HIGH"), "");
    for item in ["Level: medium", "Level|contains: hi", "Level|re: hi", "Level: 'h*'", "Level|windash: '-h'"]
    {
        assert_eq!(refusal(&pack, item), "unlisted_value", "{item}");
    }
}

#[test]
fn aliases_that_read_literals_differently_are_ambiguous() {
    let aliases = "c:\n  Id: {path: activity_id, classes: [1007], literal: integer}\n\
                   '*':\n  Id: {path: activity_id}\n";
    let routes = "- {logsource: {category: c}, classes: [1007, 4003]}\n";
    assert_eq!(refusal(&pack(routes, aliases), "Id: '1'"), "ambiguous_field_alias");
}

#[test]
fn fields_that_are_translated_differently_are_not_compared() {
    let aliases = "c:\n  A: {path: process.integrity, values: {high: High}}\n  B: process.cmd_line\n";
    assert_eq!(refusal(&pack(PROCESS, aliases), "A|fieldref: B"), "unlisted_value");
}

#[test]
fn a_number_becomes_text_as_it_was_written() {
    let pack = pack(PROCESS, "c:\n  Code: {path: metadata.event_code, literal: string}\n");
    let compilation = compiled(&pack, "category: c", "Code: 0042");
    let plan = format!("{:?}", compilation.plan.unwrap().predicate);
    assert!(plan.contains("\"0042\""), "{plan}");
}

#[test]
fn the_most_specific_route_wins_and_a_tie_is_refused() {
    let routes = "- {logsource: {category: c}, classes: [1007]}\n\
                  - {logsource: {category: c, product: p}, classes: [4003]}\n\
                  - {logsource: {category: c, service: s}, classes: [1001]}\n";
    let pack = pack(routes, "'*':\n  Host: device.hostname\n");
    let classes = |logsource: &str| {
        let scope = compiled(&pack, logsource, "Host: x").routing.scope;
        scope.map(|scope| scope.class_uids.iter().map(|class| class.0).collect::<Vec<_>>())
    };
    assert_eq!(classes("category: C, product: ' P '"), Some(vec![4003]));
    assert_eq!(classes("category: c, product: other"), Some(vec![1007]));
    assert_eq!(classes("product: p"), None);
    let tied = compiled(&pack, "category: c, product: p, service: s", "Host: x");
    let found = tied.refusal().unwrap();
    assert_eq!(found.code.name, "ambiguous_routing");
    assert!(found.message.starts_with("Ambiguous routing:"), "{}", found.message);
}

#[test]
fn raw_fallback_wants_policy_prefix_and_producer() {
    let pinned = "- logsource: {category: c}\n  classes: [1007]\n  filters:\n    \
                  - {path: metadata.source_type, op: eq, value: s}\n";
    let aliases = "c:\n  Trace: raw.Trace\n";
    assert_eq!(refusal(&pack(pinned, aliases), "Trace: x"), "raw_fallback_disabled");
    let allowed = |routes: &str| {
        let mut pack = pack(routes, aliases);
        pack.manifest.raw_fallback.enabled = true;
        compiled(&pack, "category: c", "Trace: x")
    };
    assert!(allowed(pinned).fallback_used());
    assert_eq!(allowed(PROCESS).refusal().unwrap().code.name, "raw_fallback_disabled");
}

#[test]
fn a_choice_that_the_route_has_made_is_not_fallback() {
    let route = |service: &str, codes: &str| {
        format!(
            "- logsource: {{service: {service}}}\n  classes: [3002]\n  filters:\n    \
             - {{path: metadata.event_code, op: in, value: [{codes}]}}\n    \
             - {{path: metadata.source_type, op: eq, value: x}}\n"
        )
    };
    let routes = [route("one", "'4648'"), route("two", "'4624'"), route("both", "'4624', '4648'")].concat();
    let aliases = "'*':\n  User: {expr: CASE WHEN metadata.event_code = '4624' THEN raw.User ELSE user.name END}\n  \
                   Never: {expr: CASE WHEN metadata.event_code = '1' THEN user.name END}\n";
    let pack = pack(&routes, aliases);
    let of = |service: &str| compiled(&pack, &format!("service: {service}"), "User: x");
    let plain = of("one");
    assert!(plain.is_executable() && !plain.fallback_used());
    assert_eq!(&*plain.fields[0].expr, "user.name");
    for service in ["two", "both"] {
        assert_eq!(of(service).refusal().map(|found| found.code.name), Some("raw_fallback_disabled"));
    }
    let never = compiled(&pack, "service: one", "Never: x");
    assert_eq!(never.refusal().map(|found| found.code.name), Some("unmapped_field"));
}
