//! The golden-equivalence gate: every rule of a set gives the same event ids by both backends.

use std::path::Path;
use std::sync::Arc;

use sigma_ocsf_tui::backend::{self, CompiledRule, Sql};
use sigma_ocsf_tui::bridge::{Plan, Settings};
use sigma_ocsf_tui::evaluate::{self, Cancel, EvalError, Matched};
use sigma_ocsf_tui::pack::{self, DEFAULT_PACK, PackSource};
use sigma_ocsf_tui::sigma::{self, Capability, Rule};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};

/// What came of a comparison.
#[derive(Debug, Default)]
pub struct Compared {
    /// Rules that have a plan.
    pub rules: usize,
    /// Rules that both backends refuse to run on this dataset.
    pub refused: usize,
    /// Matches of all rules, by either backend.
    pub matches: u64,
    /// A line for each rule on which the backends differ.
    pub differences: Vec<String>,
}

/// Every rule under `rules`, with all that can be switched on, by the shipped pack.
pub fn compile(rules: &Path) -> Vec<CompiledRule> {
    let rules: Vec<Arc<Rule>> = sigma::load(&[rules.to_path_buf()]).into_iter().map(Arc::new).collect();
    let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).expect("the shipped pack loads");
    let settings = Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: true };
    backend::compile(&rules, &pack.pack, &settings)
}

/// Runs every executable rule on the dataset at `run` by both backends: counts and times of all at once, and the
/// event ids of those that match anything, also by the statement of the rule alone.
pub fn compare(rules: &[CompiledRule], run: &Path) -> Compared {
    let dataset = Dataset::discover(run).expect("the run is a dataset");
    let mut store = Store::open(dataset, SessionSettings::default()).expect("the dataset opens");
    let rules: Vec<(&CompiledRule, &Plan, &Sql)> = rules
        .iter()
        .filter_map(|rule| Some((rule, rule.compilation.plan.as_ref()?, rule.sql.as_ref()?)))
        .collect();
    let jobs: Vec<_> = rules.iter().map(|(_, plan, sql)| (*plan, *sql)).collect();
    let plans: Vec<_> = rules.iter().map(|(_, plan, _)| *plan).collect();
    let by_sql = evaluate::matched(&mut store, &jobs, &Cancel::never());
    let interpreted = evaluate::interpreted_summaries(&store, &plans, &Cancel::never());
    let mut compared = Compared { rules: rules.len(), ..Compared::default() };
    for ((rule, plan, sql), summaries) in rules.iter().zip(by_sql.iter().zip(&interpreted)) {
        match summaries {
            (Ok(by_sql), Ok(interpreted)) if by_sql.summary == *interpreted => {
                compared.matches += interpreted.matches;
                if interpreted.matches > 0 {
                    compare_ids((rule, plan, sql), by_sql, &mut store, &mut compared);
                }
            }
            (Err(EvalError::ColumnType { .. }), Err(EvalError::ColumnType { .. })) => compared.refused += 1,
            different => compared.differences.push(line(rule, &format!("{different:?}"))),
        }
    }
    compared
}

fn compare_ids(
    (rule, plan, sql): (&CompiledRule, &Plan, &Sql),
    found: &Matched,
    store: &mut Store,
    compared: &mut Compared,
) {
    let by_sql = evaluate::event_ids(store, plan, sql, &Cancel::never());
    let interpreted = evaluate::interpreted_event_ids(store, plan, &Cancel::never());
    let known = found.events.as_ref().map(|events| {
        let mut ids: Vec<String> = events.iter().map(|(id, _)| id.clone()).collect();
        ids.sort_unstable();
        ids
    });
    let agrees = |ids: &Vec<String>| known.as_ref().is_none_or(|known| known == ids);
    if !by_sql.as_ref().is_ok_and(agrees) || by_sql != interpreted {
        compared.differences.push(line(rule, &format!("{by_sql:?} / {interpreted:?} / {known:?}")));
    }
}

fn line(rule: &CompiledRule, difference: &str) -> String {
    let rule = &rule.compilation.rule;
    format!("{} ({}): {difference}", rule.path.display(), rule.title())
}
