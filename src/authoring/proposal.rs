//! What a field could be in OCSF: candidates for an alias, ranked, each with where it comes from, what the dataset
//! says for it, and why the rejected ones were rejected.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::evidence::{Evidence, Survey};
use super::gap::Gap;
use super::likeness::likeness;
use crate::ocsf::{Catalog, ClassUid, FieldType, OcsfPath};
use crate::pack::{Alias, Pack, Target, alias_yaml};

/// Objects down that the catalog is searched: as far as `process.parent_process.file.path`.
const DEPTH: usize = 3;

/// A name this alike, of 1000, is worth showing without any other ground.
const ALIKE: u32 = 500;

/// A place where a field's values may be found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proposal {
    /// What would stand behind the field in an alias file: YAML on one line.
    pub target: String,
    /// The target as the route pane shows it: a path or an expression.
    pub shown: String,
    /// The type of its values.
    pub field_type: FieldType,
    /// Whether one event may have several.
    pub list: bool,
    /// Where the idea comes from; never empty.
    pub origins: BTreeSet<Origin>,
    /// How alike field and path are by their words, of 1000.
    pub likeness: u32,
    /// What the dataset says; `None` without one, or where no event of the scope fills it.
    pub evidence: Option<Evidence>,
    /// Why it is not offered; `None` where it is.
    pub rejected: Option<Rejection>,
}

/// Where a proposal comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The catalog has an attribute of this name.
    Catalog,
    /// The field has this alias elsewhere.
    Alias {
        /// The pack.
        pack: String,
        /// The scope there.
        scope: String,
    },
    /// The dataset has a column of this name, or one that holds the rules' literals.
    Dataset,
}

/// Why a proposal is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// No routed class has it.
    NotInClass,
    /// The rules' literals are of another type than its values.
    Type,
    /// No event of the scope fills it.
    Empty,
    /// It is filled, and holds none of the rules' literals.
    NoLiteral,
}

impl Rejection {
    /// In a few words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotInClass => "no routed class has it",
            Self::Type => "its values are of another type",
            Self::Empty => "empty in this scope",
            Self::NoLiteral => "filled, holds none of the rules' values",
        }
    }
}

/// Candidates for an alias of the gap's field, the best first; rejected ones last.
///
/// `pack` is the one in use, `others` those that may know the field as well. `survey` is what an open dataset
/// says about the gap's scopes.
#[must_use]
pub fn proposals(gap: &Gap, pack: &Pack, others: &[&Pack], survey: Option<&Survey>) -> Vec<Proposal> {
    let mut found = Candidates { gap, survey, classes: classes(gap), by_target: BTreeMap::new() };
    for pack in std::iter::once(pack).chain(others.iter().copied()) {
        found.of_aliases(pack);
    }
    found.of_catalog();
    found.of_dataset();
    let mut proposals: Vec<Proposal> = found.by_target.into_values().collect();
    let holds = |p: &Proposal| p.evidence.as_ref().is_some_and(|evidence| evidence.holds > 0);
    let some_hold = proposals.iter().any(holds);
    for proposal in &mut proposals {
        proposal.rejected = rejection(proposal, gap, survey, some_hold);
    }
    proposals.sort_by_cached_key(|p| {
        (p.rejected.is_some(), std::cmp::Reverse(merit(p, survey)), p.target.len(), p.target.clone())
    });
    proposals
}

fn classes(gap: &Gap) -> BTreeSet<ClassUid> {
    gap.routed.iter().flat_map(|scope| scope.class_uids.iter().copied()).collect()
}

struct Candidates<'a> {
    gap: &'a Gap,
    survey: Option<&'a Survey>,
    classes: BTreeSet<ClassUid>,
    by_target: BTreeMap<String, Proposal>,
}

impl Candidates<'_> {
    /// Aliases of the same field, case aside, wherever a pack has one.
    fn of_aliases(&mut self, pack: &Pack) {
        let field = self.gap.field.0.to_lowercase();
        for (scope, aliases) in &pack.aliases {
            let alike = aliases.iter().filter(|(name, _)| name.0.to_lowercase() == field);
            for alias in alike.flat_map(|(_, aliases)| aliases) {
                let origin = Origin::Alias { pack: pack.manifest.id.clone(), scope: scope.to_string() };
                self.add_alias(alias, origin);
            }
        }
    }

    fn add_alias(&mut self, alias: &Alias, origin: Origin) {
        let shown = alias.target.to_string();
        let rejected = !self.is_in_some_class(&alias.target);
        let (field_type, list) = (alias.target.field_type(), alias.target.list());
        let proposal = self.proposal(alias_yaml(alias), shown, field_type, list);
        proposal.origins.insert(origin);
        if rejected {
            proposal.rejected = Some(Rejection::NotInClass);
        }
    }

    fn is_in_some_class(&self, target: &Target) -> bool {
        let has = |class: &ClassUid, path: &OcsfPath| {
            path.is_raw() || Catalog::pinned().resolve(*class, path).is_some()
        };
        self.classes.iter().any(|class| target.columns().iter().all(|column| has(class, &column.path)))
    }

    /// Attributes of the routed classes whose names say what the field's says.
    fn of_catalog(&mut self) {
        let leaves: BTreeMap<OcsfPath, (FieldType, bool)> = self
            .classes
            .iter()
            .flat_map(|class| Catalog::pinned().leaves(*class, DEPTH))
            .map(|(path, attribute)| (path, (attribute.field_type, attribute.list)))
            .collect();
        for (path, (field_type, list)) in leaves {
            if likeness(&self.gap.field.0, path.as_str()) >= ALIKE {
                let target = path.0.clone();
                self.proposal(target, path.0, field_type, list).origins.insert(Origin::Catalog);
            }
        }
    }

    /// The source's own field of this name, and columns that hold what the rules look for.
    fn of_dataset(&mut self) {
        let Some(survey) = self.survey else { return };
        for (path, evidence) in &survey.columns {
            let alike = likeness(&self.gap.field.0, path.as_str());
            let speaks = path.is_raw() && alike >= ALIKE || evidence.holds > 0;
            let kinds = self.classes.iter().filter_map(|class| Catalog::pinned().resolve(*class, path));
            let kind = kinds.map(|attribute| (attribute.field_type, attribute.list)).next();
            let kind = kind.or_else(|| path.is_raw().then(|| (raw_type(evidence), false)));
            if let (true, Some((field_type, list))) = (speaks, kind) {
                let target = match field_type {
                    FieldType::String => path.0.clone(),
                    _ if path.is_raw() => format!("{{path: {path}, type: {}}}", field_type.as_str()),
                    _ => path.0.clone(),
                };
                self.proposal(target, path.0.clone(), field_type, list).origins.insert(Origin::Dataset);
            }
        }
    }

    fn proposal(
        &mut self,
        target: String,
        shown: String,
        field_type: FieldType,
        list: bool,
    ) -> &mut Proposal {
        let evidence = self.survey.and_then(|survey| survey.columns.get(&OcsfPath(shown.clone()))).cloned();
        let likeness = likeness(&self.gap.field.0, &shown);
        self.by_target.entry(target.clone()).or_insert_with(|| Proposal {
            target,
            shown,
            field_type,
            list,
            origins: BTreeSet::new(),
            likeness,
            evidence,
            rejected: None,
        })
    }
}

fn raw_type(evidence: &Evidence) -> FieldType {
    match evidence.stored_as.as_str() {
        "TINYINT" | "SMALLINT" | "INTEGER" | "BIGINT" => FieldType::Integer,
        "DOUBLE" | "FLOAT" => FieldType::Float,
        "BOOLEAN" => FieldType::Boolean,
        _ => FieldType::String,
    }
}

/// `some_hold`: whether any proposal holds what the rules look for, which makes those that do not suspect.
fn rejection(proposal: &Proposal, gap: &Gap, survey: Option<&Survey>, some_hold: bool) -> Option<Rejection> {
    if proposal.rejected.is_some() {
        return proposal.rejected;
    }
    let is_number = |text: &str| text.parse::<f64>().is_ok();
    let clash = match proposal.field_type {
        FieldType::Integer | FieldType::Float => gap.literals.iter().any(|l| !is_number(&l.text)),
        FieldType::Boolean => gap.literals.iter().any(|l| l.text.parse::<bool>().is_err()),
        FieldType::Timestamp => !gap.literals.is_empty(),
        FieldType::String => false,
    };
    // An alias that translates literals takes texts for whatever it stores.
    if clash && !proposal.target.contains("values:") {
        return Some(Rejection::Type);
    }
    survey.filter(|survey| survey.in_scope > 0)?;
    let single = !proposal.target.contains("expr:")
        && !proposal.target.contains("any_of:")
        && !proposal.target.contains("per_class:");
    match &proposal.evidence {
        None if single => Some(Rejection::Empty),
        Some(evidence) if evidence.holds == 0 && some_hold => Some(Rejection::NoLiteral),
        _ => None,
    }
}

/// How good a proposal is: literals that it holds, then known aliases, then its name.
fn merit(proposal: &Proposal, survey: Option<&Survey>) -> u32 {
    let literals = survey.map_or(0, |survey| survey.literals);
    let holds = proposal.evidence.as_ref().map_or(0, |evidence| evidence.holds);
    let held = (holds * 1000).checked_div(literals).unwrap_or(0);
    let known = proposal.origins.iter().any(|origin| matches!(origin, Origin::Alias { .. }));
    let ocsf = !proposal.shown.starts_with("raw");
    u32::try_from(held).unwrap_or(1000) + 600 * u32::from(known) + proposal.likeness + 200 * u32::from(ocsf)
}
