//! What each fixture rule compiles to: its SQL, or its findings. One snapshot a rule, to be read in review.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use sigma_ocsf_tui::backend::{self, CompiledRule};
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::pack::{self, DEFAULT_PACK, PackSource};
use sigma_ocsf_tui::sigma::{self, Capability, Rule};

fn compile(settings: &Settings) -> Vec<CompiledRule> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules: Vec<Arc<Rule>> =
        sigma::load(&[root.join("fixtures/rules")]).into_iter().map(Arc::new).collect();
    let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).expect("the shipped pack loads");
    backend::compile(&rules, &pack.pack, settings)
}

fn relative(path: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules");
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}

/// Route, fields, findings and SQL of a rule, as one text.
fn rendered(compiled: &CompiledRule) -> String {
    let compilation = &compiled.compilation;
    let mut text = format!("{}\n", compilation.rule.title());
    if let Some(scope) = &compilation.routing.scope {
        writeln!(
            text,
            "route {} {:?}",
            scope.logsource,
            scope.class_uids.iter().map(|c| c.0).collect::<Vec<_>>()
        )
        .expect("a String takes it");
    }
    for field in &compilation.fields {
        writeln!(text, "field {} {:?} {} {}", field.field, field.resolution, field.expr, field.transforms)
            .expect("a String takes it");
    }
    for found in &compilation.diagnostics {
        let reason = found.code.reason.map_or("-", |reason| reason.as_str());
        writeln!(text, "{} {reason} {}: {}", found.span.start, found.code.name, found.message)
            .expect("a String takes it");
        writeln!(text, "    help: {}", found.help.as_deref().unwrap_or("-")).expect("a String takes it");
    }
    if let Some(sql) = &compiled.sql {
        text.push('\n');
        for (line, origin) in sql.text.lines().zip(&sql.lines) {
            let origin = origin.map_or(String::new(), |span| span.start.line.to_string());
            writeln!(text, "{origin:>4} │ {line}").expect("a String takes it");
        }
    }
    text.replace(env!("CARGO_MANIFEST_DIR"), "")
}

#[test]
fn fixture_rules_compile_to() {
    for compiled in compile(&Settings { raw_fallback: true, ..Settings::default() }) {
        let rule = &compiled.compilation.rule;
        let name = format!("{}#{}", relative(&rule.path).replace(['/', '\\'], "."), rule.document);
        insta::with_settings!({ snapshot_path => "snapshots/fixtures", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, rendered(&compiled));
        });
    }
}

/// Correlations, and the rules that filters narrow, with both switched on.
#[test]
fn correlations_and_filtered_rules_compile_to() {
    let capabilities = [Capability::Correlation, Capability::Filters].into();
    for compiled in compile(&Settings { raw_fallback: true, capabilities }) {
        let name = relative(&compiled.compilation.rule.path).replace(['/', '\\'], ".");
        let is_filtered = ["refused.filter", "refused.unsupported_operator_filter", "refused.unknown_rule"];
        let is_correlated = name.starts_with("correlation.") || name.starts_with("refused.correlation_");
        if is_correlated || is_filtered.iter().any(|prefix| name.starts_with(prefix)) {
            insta::with_settings!({ snapshot_path => "snapshots/correlations", prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(name, rendered(&compiled));
            });
        }
    }
}

#[test]
fn compiling_twice_gives_the_same() {
    let render = || compile(&Settings::default()).iter().map(rendered).collect::<Vec<_>>();
    assert_eq!(render(), render());
}
