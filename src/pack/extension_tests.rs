//! Packs that extend others.

use std::fs;
use std::path::Path;

use super::*;
use crate::bridge::Diagnostic;
use crate::sigma::SigmaField;

/// A folder of packs.
struct Packs(tempfile::TempDir);

const ROUTE: &str = "- {logsource: {category: c}, classes: [1007]}\n";

impl Packs {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A pack with these lines in its manifest, and with routes and aliases where there are any.
    fn with(self, name: &str, manifest: &str, routes: &str, aliases: &str) -> Self {
        let folder = self.0.path().join(name);
        fs::create_dir_all(folder.join("aliases")).unwrap();
        let id = name.rsplit('/').next().unwrap();
        let manifest = format!("id: {id}\nversion: 1.0.0\nocsf_version: 1.7.0\n{manifest}\n");
        fs::write(folder.join("pack.yaml"), manifest).unwrap();
        if !routes.is_empty() {
            fs::write(folder.join("routes.yaml"), routes).unwrap();
        }
        if !aliases.is_empty() {
            fs::write(folder.join("aliases/a.yaml"), aliases).unwrap();
        }
        self
    }

    fn source(&self, name: &str) -> PackSource {
        PackSource::Folder(self.0.path().join(name))
    }

    fn load(&self, name: &str) -> LoadedPack {
        load(&self.source(name)).unwrap()
    }

    /// The errors of a pack, or else its warnings, as `pack/file:line:column code`.
    fn findings(&self, name: &str) -> Vec<String> {
        let found = match load(&self.source(name)) {
            Ok(loaded) => loaded.warnings,
            Err(error) => [error.findings, error.warnings].concat(),
        };
        let place = |path: &Path| path.strip_prefix(self.0.path()).unwrap().display().to_string();
        let text = |d: &Diagnostic| format!("{}:{} {}", place(&d.path), d.span.start, d.code.name);
        found.iter().map(text).collect()
    }
}

fn targets(pack: &Pack, field: &str) -> Vec<String> {
    let aliases = pack.aliases.values().filter_map(|fields| fields.get(&SigmaField(field.into())));
    aliases.flatten().map(|alias| alias.target.to_string()).collect()
}

#[test]
fn what_a_pack_says_wins_over_what_it_extends() {
    let base = "capabilities: [regex]\nplaceholders: {a: [x], b: [y]}\nkeywords: [message]\n\
                raw_fallback: {enabled: true, prefixes: [raw.a.]}";
    let own = "extends: [base]\ncapabilities: [cidr]\nplaceholders: {a: [z]}\nkeywords: [process.cmd_line]\n\
               raw_fallback: {prefixes: [raw.b.]}";
    let routes =
        "- {logsource: {category: C}, classes: [1001]}\n- {logsource: {category: d}, classes: [1007]}\n";
    let packs = Packs::new().with("base", base, ROUTE, "c: {F: process.name, G: process.cmd_line}\n").with(
        "own",
        own,
        routes,
        "c: {F: file.path, H: raw.a.x}\n",
    );
    let LoadedPack { pack, warnings } = packs.load("own");
    assert_eq!(warnings, []);
    assert_eq!(targets(&pack, "F"), ["file.path"]);
    assert_eq!(targets(&pack, "G"), ["process.cmd_line"]);
    assert_eq!(targets(&pack, "H"), ["raw.a.x"]);
    let routes: Vec<_> = pack.routes.iter().map(|route| route.class_uids[0].0).collect();
    assert_eq!(routes, [1001, 1007]);
    let Manifest { id, capabilities, placeholders, keywords, raw_fallback, extends, .. } = pack.manifest;
    assert_eq!((id.as_str(), extends, capabilities.len()), ("own", vec!["base".to_owned()], 2));
    assert_eq!((&placeholders["a"], &placeholders["b"]), (&vec!["z".to_owned()], &vec!["y".to_owned()]));
    let keywords: Vec<_> = keywords.iter().map(|column| column.path.as_str()).collect();
    assert_eq!(keywords, ["message", "process.cmd_line"]);
    assert_eq!((raw_fallback.enabled, raw_fallback.prefixes.len()), (false, 2));
    let ids: Vec<_> = pack.components.iter().map(|component| component.id.as_str()).collect();
    assert_eq!(ids, ["base", "own"]);
    assert_eq!(pack.components[0].sha256(), packs.load("base").pack.sha256);
}

#[test]
fn a_pack_that_only_extends_has_no_routes_of_its_own() {
    let packs =
        Packs::new().with("base", "", ROUTE, "c: {F: process.name}\n").with("own", "extends: [base]", "", "");
    assert_eq!(packs.findings("own"), [""; 0]);
    assert_eq!(packs.load("own").pack.routes.len(), 1);
    let alone = Packs::new().with("own", "extends: []", "", "");
    assert_eq!(alone.findings("own"), ["own/routes.yaml:1:1 pack_unreadable"]);
}

#[test]
fn a_pack_for_others_to_extend_has_aliases_alone() {
    let aliases = "c: {F: process.name}\n'*/p': {G: time}\n";
    let packs = Packs::new().with("base", "", "", aliases).with("own", "extends: [base]", ROUTE, "");
    assert_eq!(packs.findings("base"), [""; 0]);
    assert_eq!(packs.findings("own"), [""; 0]);
    assert_eq!(targets(&packs.load("own").pack, "F"), ["process.name"]);
    let wrong = Packs::new().with("base", "", "", "c: {F: process.nam}\n");
    assert_eq!(wrong.findings("base"), ["base/aliases/a.yaml:1:8 pack_unknown_path"]);
}

#[test]
fn a_base_of_two_is_read_once_and_what_extends_it_wins() {
    let packs = Packs::new()
        .with("base", "", ROUTE, "c: {F: process.name, G: process.cmd_line}\nd: {F: time}\n")
        .with("one", "extends: [base]", "", "c: {F: process.cmd_line}\n")
        .with("two", "extends: [../base]", "", "")
        .with("own", "extends: [one, two]", "", "");
    assert_eq!(packs.findings("own"), ["base/aliases/a.yaml:2:1 pack_unused_scope"]);
    let pack = packs.load("own").pack;
    assert_eq!(targets(&pack, "F"), ["process.cmd_line", "time"]);
    let ids: Vec<_> = pack.components.iter().map(|component| component.id.as_str()).collect();
    assert_eq!(ids, ["base", "one", "two", "own"]);
}

#[test]
fn packs_side_by_side_agree_or_there_is_a_finding() {
    let packs = Packs::new()
        .with("one", "placeholders: {p: [a]}", ROUTE, "c: {F: process.name, G: {path: process.name}}\n")
        .with("two", "placeholders: {p: [a]}", ROUTE, "c:\n  F: process.cmd_line\n  G: process.name\n")
        .with("three", "placeholders: {p: [b]}", "- {logsource: {category: c}, classes: [1001]}\n", "")
        .with("own", "extends: [one, two]", "", "")
        .with("stated", "extends: [one, two]", "", "c: {F: process.pid}\n")
        .with("torn", "extends: [one, three]", "", "");
    assert_eq!(packs.findings("own"), ["two/aliases/a.yaml:2:6 pack_duplicate_alias"]);
    let warning = &packs.load("own").warnings[0].message;
    assert!(warning.contains("one/aliases/a.yaml:1:8"), "{warning}");
    assert_eq!(targets(&packs.load("own").pack, "F").len(), 2);
    assert_eq!(targets(&packs.load("own").pack, "G").len(), 1);
    assert_eq!(packs.load("own").pack.routes.len(), 1);
    assert_eq!(packs.findings("stated"), [""; 0]);
    assert_eq!(
        packs.findings("torn"),
        ["three/routes.yaml:1:3 pack_duplicate_route", "torn/pack.yaml:1:1 pack_extends_conflict"]
    );
}

#[test]
fn entries_that_lead_nowhere_are_found_in_the_extending_pack() {
    let entries = "extends:\n  - base\n  - ../../x\n  - /etc\n  - bsae\n  - ''\n  - .\n";
    let packs = Packs::new()
        .with("base", "", ROUTE, "")
        .with("bad", entries, "", "")
        .with("selfish", "extends: [selfish]", ROUTE, "")
        .with("a", "extends: [b]", ROUTE, "")
        .with("b", "extends: [a]", ROUTE, "");
    assert_eq!(
        packs.findings("bad"),
        [
            "bad/pack.yaml:6:5 pack_bad_extends",
            "bad/pack.yaml:7:5 pack_bad_extends",
            "bad/pack.yaml:8:5 pack_not_found",
            "bad/pack.yaml:9:5 pack_bad_extends",
            "bad/pack.yaml:10:5 pack_bad_extends",
        ]
    );
    assert_eq!(packs.findings("selfish"), ["selfish/pack.yaml:4:11 pack_extends_cycle"]);
    assert_eq!(packs.findings("a"), ["b/pack.yaml:4:11 pack_extends_cycle"]);
}

#[test]
fn errors_of_an_extended_pack_stand_in_its_own_files() {
    let packs = Packs::new()
        .with("base", "", ROUTE, "c: {F: process.nam}\n")
        .with("one", "extends: [base]", "", "")
        .with("two", "extends: [base]", "", "")
        .with("own", "extends: [one, two]", "", "c: {F: process.nme}\n");
    assert_eq!(
        packs.findings("own"),
        ["base/aliases/a.yaml:1:8 pack_unknown_path", "own/aliases/a.yaml:1:8 pack_unknown_path"]
    );
}

#[test]
fn a_row_of_packs_ends_somewhere() {
    let mut packs = Packs::new().with("p0", "", ROUTE, "");
    for n in 1..9 {
        packs = packs.with(&format!("p{n}"), &format!("extends: [p{}]", n - 1), "", "");
    }
    assert_eq!(packs.findings("p7"), [""; 0]);
    assert_eq!(packs.findings("p8"), ["p1/pack.yaml:4:11 pack_bad_extends"]);
}

#[test]
fn the_hash_is_of_the_whole() {
    let own = "c: {F: process.name}\n";
    let hash = |base: &str| {
        let packs = Packs::new().with("base", "", ROUTE, base).with("own", "extends: [base]", "", own);
        packs.load("own").pack.sha256
    };
    let hidden = hash("c: {F: process.cmd_line}\n");
    assert_eq!(hidden, hash("c: {F: process.pid}\n"));
    assert_ne!(hidden, hash("c: {F: process.pid, G: time}\n"));
    let alone = Packs::new().with("own", "", ROUTE, own);
    assert_eq!(hidden, alone.load("own").pack.sha256);
}

#[test]
fn texts_extend_packs_of_the_binary() {
    let manifest = format!("id: own\nversion: 1.0.0\nocsf_version: 1.7.0\nextends: [{DEFAULT_PACK}]\n");
    let load = |manifest: String| load(&PackSource::Texts([("pack.yaml".into(), manifest)].into()));
    let pack = load(manifest.clone()).unwrap().pack;
    assert!(!pack.routes.is_empty() && pack.components.iter().any(|c| c.id == DEFAULT_PACK));
    let error = load(manifest.replace("ocsf-1.7.0", "ocsf-1.70")).unwrap_err();
    assert_eq!(error.findings[0].code.name, "pack_not_found");
    assert_eq!(error.findings[0].help.as_deref(), Some("did you mean `ocsf-1.7.0`?"));
}

#[test]
fn folders_are_those_of_all_packs_also_where_one_is_missing() {
    let packs = Packs::new()
        .with("base", "extends: [later, own]", ROUTE, "")
        .with("own", "extends: [base, './part']", "", "")
        .with("own/part", "", "[", "");
    let mut folders = folders(&packs.source("own"));
    folders.sort();
    let expected = ["base", "later", "own", "own/part"].map(|name| packs.0.path().join(name));
    assert_eq!(folders, expected);
    assert!(super::folders(&PackSource::Embedded(DEFAULT_PACK.into())).is_empty());
}
