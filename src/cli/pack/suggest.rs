//! `pack suggest`: what the fields that the pack does not know could be, with evidence and effect.

use super::super::json::write_json;
use std::io::{self, Write};

use clap::Args;
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::authoring::{self, Effect, Gap, Proposal, Survey};
use crate::cli::text::one_line;
use crate::cli::workspace::{Workspace, findings};
use crate::cli::{CliError, Format, Inputs};
use crate::evaluate::Cancel;
use crate::ocsf::OcsfPath;
use crate::pack::AliasScope;
use crate::store::Store;
use crate::tui::text::{count, percent};

#[derive(Debug, Args)]
pub(in crate::cli) struct SuggestArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// Only this Sigma field.
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,
    /// Only this alias scope, such as process_access/windows.
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// Gaps to show, those that unlock most rules first.
    #[arg(long, value_name = "N", default_value_t = 10)]
    gaps: usize,
    /// Proposals to show for each.
    #[arg(long, value_name = "N", default_value_t = 5)]
    proposals: usize,
    /// Write this alias into the pack's folder: a path, or YAML as alias files have it. Needs --field and --scope.
    #[arg(long, value_name = "TARGET", requires = "field", requires = "scope")]
    write: Option<String>,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Report {
    gaps: usize,
    shown: Vec<GapReport>,
}

#[derive(Serialize)]
struct GapReport {
    field: String,
    scope: String,
    class_uids: Vec<u32>,
    rules: usize,
    unlocks: usize,
    raw_alias: bool,
    in_scope: Option<u64>,
    literals: usize,
    proposals: Vec<Proposed>,
}

#[derive(Serialize)]
struct Proposed {
    #[serde(flatten)]
    proposal: Proposal,
    #[serde(serialize_with = "counts")]
    effect: Option<Effect>,
}

/// An effect in JSON: how many rules, as indices mean nothing outside.
fn counts<S: Serializer>(effect: &Option<Effect>, serializer: S) -> Result<S::Ok, S::Error> {
    let counts = effect.as_ref().map(|effect| {
        json!({
            "unlocked": effect.unlocked.len(),
            "with_fallback": effect.with_fallback,
            "refused": effect.refused.len(),
            "changed": effect.changed.len(),
        })
    });
    counts.serialize(serializer)
}

pub(super) fn run(args: &SuggestArgs) -> Result<(), CliError> {
    let workspace = args.inputs.compile()?;
    let mut gaps = authoring::gaps(&workspace.compiled);
    let scope = args.scope.as_deref().map(AliasScope::parse).transpose();
    let scope = scope.map_err(|error| CliError::Configuration(error.to_string()))?;
    gaps.retain(|gap| {
        args.field.as_ref().is_none_or(|field| gap.field.0 == *field)
            && scope.as_ref().is_none_or(|scope| gap.scope == *scope)
    });
    if let Some(target) = &args.write {
        return write(args, &workspace, &gaps, target);
    }
    let mut store = args.inputs.open_store(workspace.threads)?;
    let shown: Result<Vec<_>, CliError> =
        gaps.iter().take(args.gaps).map(|gap| gap_report(gap, &workspace, store.as_mut(), args)).collect();
    let report = Report { gaps: gaps.len(), shown: shown? };
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Json => {
            write_json(&mut out, &report)?;
        }
        Format::Human => human(&mut out, &report)?,
    }
    Ok(out.flush()?)
}

fn gap_report(
    gap: &Gap,
    workspace: &Workspace,
    store: Option<&mut Store>,
    args: &SuggestArgs,
) -> Result<GapReport, CliError> {
    let data = |error: crate::evaluate::EvalError| CliError::Data(error.to_string());
    let (pack, cancel) = (&workspace.pack.pack, Cancel::never());
    let mut proposals;
    let mut survey: Option<Survey> = None;
    match store {
        Some(store) => {
            let mut found = authoring::survey(store, &gap.routed, &gap.literals, &cancel).map_err(data)?;
            proposals = authoring::proposals(gap, pack, &[], Some(&found));
            proposals.truncate(args.proposals);
            for proposal in &mut proposals {
                let path = OcsfPath(proposal.shown.clone());
                found.sample(store, &gap.routed, &path, &cancel).map_err(data)?;
                proposal.evidence = found.columns.get(&path).cloned();
            }
            survey = Some(found);
        }
        None => {
            proposals = authoring::proposals(gap, pack, &[], None);
            proposals.truncate(args.proposals);
        }
    }
    let effect = |proposal: &Proposal| {
        let offered = proposal.rejected.is_none();
        let effect = offered.then(|| {
            authoring::try_on_gap(&workspace.compiled, pack, &workspace.settings, gap, &proposal.target)
        });
        effect.and_then(Result::ok).map(|trial| trial.effect)
    };
    let mut class_uids: Vec<u32> =
        gap.routed.iter().flat_map(|scope| scope.class_uids.iter().map(|class| class.0)).collect();
    class_uids.sort_unstable();
    class_uids.dedup();
    Ok(GapReport {
        field: gap.field.0.clone(),
        scope: gap.scope.to_string(),
        class_uids,
        rules: gap.rules.len(),
        unlocks: gap.unlocks.len(),
        raw_alias: gap.raw,
        in_scope: survey.as_ref().map(|survey| survey.in_scope),
        literals: survey.as_ref().map_or(gap.literals.len(), |survey| survey.literals),
        proposals: proposals
            .into_iter()
            .map(|proposal| Proposed { effect: effect(&proposal), proposal })
            .collect(),
    })
}

fn write(args: &SuggestArgs, workspace: &Workspace, gaps: &[Gap], target: &str) -> Result<(), CliError> {
    let Some(gap) = gaps.first() else {
        return Err(CliError::Configuration(
            "no rule names this field at this scope without an alias".to_owned(),
        ));
    };
    let pack = &workspace.pack.pack;
    let trial = authoring::try_on_all(&workspace.compiled, pack, &workspace.settings, gap, target)
        .map_err(|error| CliError::Configuration(findings(&error.findings)))?;
    let edit = authoring::plan_edit(&args.inputs.pack_source()?, pack, &gap.scope, &gap.field, target)
        .and_then(|edit| Ok(edit.apply().map(|()| edit)?))
        .map_err(|error| CliError::Configuration(error.to_string()))?;
    let mut out = io::stdout().lock();
    let path = edit.path.display().to_string();
    writeln!(out, "{}:{}: written; {}", one_line(&path), edit.line, trial.effect)?;
    Ok(())
}

fn human(out: &mut impl Write, report: &Report) -> io::Result<()> {
    if report.gaps == 0 {
        return writeln!(out, "every field that a routed rule names has an alias");
    }
    for gap in &report.shown {
        human_gap(out, gap)?;
    }
    let hidden = report.gaps - report.shown.len();
    if hidden > 0 {
        writeln!(out, "{hidden} more; --gaps {} shows all", report.gaps)?;
    }
    Ok(())
}

fn human_gap(out: &mut impl Write, gap: &GapReport) -> io::Result<()> {
    let scope = gap.in_scope.map_or(String::new(), |events| format!(" · {} events in scope", count(events)));
    writeln!(
        out,
        "{} in {} · {} rules use it, {} wait for it alone{scope}",
        one_line(&gap.field),
        one_line(&gap.scope),
        gap.rules,
        gap.unlocks
    )?;
    for Proposed { proposal, effect } in &gap.proposals {
        let target = one_line(&proposal.target).into_owned();
        let mut facts = vec![proposal.field_type.as_str().to_owned()];
        if let (Some(evidence), Some(in_scope)) = (&proposal.evidence, gap.in_scope) {
            facts.push(format!("filled in {}", percent(evidence.filled, in_scope)));
            facts.push(format!("holds {} of {} values", evidence.holds, gap.literals));
        }
        facts.extend(proposal.rejected.map(|why| why.as_str().to_owned()));
        facts.extend(effect.as_ref().map(Effect::to_string));
        writeln!(out, "  {target:<44} {}", facts.join(" · "))?;
        let samples = proposal.evidence.iter().flat_map(|evidence| &evidence.samples);
        for sample in samples {
            writeln!(out, "      {:>8} × {}", count(sample.events), one_line(&sample.value))?;
        }
    }
    writeln!(out)
}
