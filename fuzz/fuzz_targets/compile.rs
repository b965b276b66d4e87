//! Any bytes as a rule file, compiled with the shipped pack and everything switched on: each rule has SQL, which
//! is one statement, or a reason, never both.
#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use sigma_ocsf_tui::backend;
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::pack::{self, DEFAULT_PACK, Pack, PackSource};
use sigma_ocsf_tui::sigma::{self, Capability};
use sqlparser::dialect::DuckDbDialect;
use sqlparser::parser::Parser;

static PACK: LazyLock<Pack> = LazyLock::new(|| {
    let source = PackSource::Embedded(DEFAULT_PACK.to_owned());
    pack::load(&source).expect("the shipped pack loads").pack
});

/// Deep conditions are SQL that nests as deep.
const RECURSION_LIMIT: usize = 10_000;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let rules: Vec<_> = sigma::parse(Path::new("fuzzed.yml"), &text).into_iter().map(Arc::new).collect();
    let settings = Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: true };
    let compiled = backend::compile(&rules, &PACK, &settings);
    assert_eq!(compiled.len(), rules.len());
    for rule in compiled {
        let reason = rule.compilation.reason();
        assert!(rule.sql.is_none() || reason.is_none(), "{reason:?} beside {:?}", rule.sql);
        let Some(sql) = rule.sql else { continue };
        assert!(!sql.text.contains(|c: char| c.is_control() && c != '\n'), "{:?}", sql.text);
        assert_eq!(sql.lines.len(), sql.text.lines().count(), "{}", sql.text);
        let statements = Parser::new(&DuckDbDialect {})
            .with_recursion_limit(RECURSION_LIMIT)
            .try_with_sql(&sql.text)
            .and_then(|mut parser| parser.parse_statements());
        assert_eq!(statements.map(|parsed| parsed.len()), Ok(1), "{}", sql.text);
    }
});
