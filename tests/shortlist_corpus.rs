//! Over the larger run, rules that are run all at once match what each matches alone, which takes the long way.

mod support;

use sigma_ocsf_tui::backend::Sql;
use sigma_ocsf_tui::bridge::Plan;
use sigma_ocsf_tui::evaluate::{self, Cancel};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};
use support::equivalence::compile;

/// Of the rules that match nothing, one in so many is asked alone; of the others each is.
const SAMPLED: usize = 64;

#[test]
fn rules_at_once_match_what_each_does_alone() {
    let Some(corpus) = support::corpus() else { return };
    let rules = compile(&corpus.join("rules"));
    let dataset = Dataset::discover(&corpus.join("runs/mordor")).expect("the run is a dataset");
    let mut store = Store::open(dataset, SessionSettings::default()).expect("the dataset opens");
    let never = Cancel::never();
    let jobs: Vec<(&Plan, &Sql)> =
        rules.iter().filter_map(|rule| Some((rule.compilation.plan.as_ref()?, rule.sql.as_ref()?))).collect();
    let together = evaluate::matched(&mut store, &jobs, &never);
    let mut differences = Vec::new();
    let (mut matched, mut asked) = (0, 0);
    for (index, ((plan, sql), together)) in jobs.into_iter().zip(together).enumerate() {
        let Ok(together) = together else { continue };
        matched += usize::from(together.summary.matches > 0);
        if together.summary.matches == 0 && index % SAMPLED != 0 {
            continue;
        }
        asked += 1;
        let alone = evaluate::event_ids(&mut store, plan, sql, &never).expect("what ran at once runs alone");
        let known = together.events.map(|events| {
            let mut ids: Vec<String> = events.into_iter().map(|(id, _)| id).collect();
            ids.sort_unstable();
            ids
        });
        if together.summary.matches != alone.len() as u64 || known.is_some_and(|known| known != alone) {
            differences.push(format!("{}: {:?}, alone {}", sql.predicate, together.summary, alone.len()));
        }
    }
    println!("{matched} rules match, {asked} were asked alone, {} differ", differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(matched > 100, "only {matched} rules match, so little was compared");
}
