//! `--fail-on`: conditions that end a command with exit code 1, so that CI can hold a line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::CliError;
use crate::bridge::ReasonCode;
use crate::bundle::{self, RuleFacts};

/// Rules that a message names at most.
const NAMED: usize = 5;

pub(super) const FAIL_ON_HELP: &str = "\
Fail, with exit code 1, on a condition; may be given several times:
  non-executable>N     more than N rules are not executable (`non-executable`: any)
  REASON               a rule is not executable for this reason, such as unmapped_field
  fallback             a rule reads raw.*
  no-match             a rule ran and matched nothing
  new-since BUNDLE     a rule is not executable that is executable, or missing, in this bundle";

/// A condition that must not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// More than so many rules are not executable.
    NonExecutable(usize),
    /// A rule has this reason.
    Reason(ReasonCode),
    /// A rule reads `raw.*`.
    Fallback,
    /// A rule ran and matched nothing.
    NoMatch,
    /// A rule has become non-executable since the bundle at this path, or came so.
    NewSince(PathBuf),
}

/// Reads an argument of `--fail-on`.
pub(super) fn gate(text: &str) -> Result<Gate, String> {
    let text = text.trim();
    if let Some(bundle) = text.strip_prefix("new-since").and_then(|rest| rest.strip_prefix([' ', '='])) {
        return Ok(Gate::NewSince(PathBuf::from(bundle.trim())));
    }
    if let Some(number) = text.strip_prefix("non-executable>") {
        let number = number.trim();
        return number.parse().map(Gate::NonExecutable).map_err(|_| format!("`{number}` is not a number"));
    }
    match text {
        "non-executable" => Ok(Gate::NonExecutable(0)),
        "fallback" => Ok(Gate::Fallback),
        "no-match" => Ok(Gate::NoMatch),
        reason => ReasonCode::ALL
            .into_iter()
            .find(|code| code.as_str() == reason)
            .map(Gate::Reason)
            .ok_or_else(|| {
                let reasons = ReasonCode::ALL.map(ReasonCode::as_str).join(", ");
                format!("conditions are: non-executable>N, fallback, no-match, new-since BUNDLE, {reasons}")
            }),
    }
}

/// Gates, ready to hold: what they compare with is read.
pub(super) struct Gates(Vec<(Gate, BTreeMap<String, RuleFacts>)>);

impl Gates {
    /// Reads what the gates compare with, before a run can replace it; `with_events` is whether rules will run.
    pub(super) fn read(gates: &[Gate], with_events: bool) -> Result<Self, CliError> {
        let ready = gates.iter().map(|gate| {
            let before = match gate {
                Gate::NewSince(bundle) => {
                    bundle::rule_facts(bundle).map_err(|error| CliError::Data(error.to_string()))?
                }
                Gate::NoMatch if !with_events => {
                    let message = "`--fail-on no-match` needs events to run the rules on: --parquet PATH";
                    return Err(CliError::Configuration(message.to_owned()));
                }
                _ => BTreeMap::new(),
            };
            Ok((gate.clone(), before))
        });
        Ok(Self(ready.collect::<Result<_, _>>()?))
    }

    /// An error that names every gate that failed.
    pub(super) fn hold(&self, rules: &[RuleFacts]) -> Result<(), CliError> {
        let failed: Vec<String> =
            self.0.iter().filter_map(|(gate, before)| gate.failure(before, rules)).collect();
        if failed.is_empty() { Ok(()) } else { Err(CliError::Gate(failed.join("\n"))) }
    }
}

impl Gate {
    /// Why it fails; `None` where it holds.
    fn failure(&self, before: &BTreeMap<String, RuleFacts>, rules: &[RuleFacts]) -> Option<String> {
        let (allowed, what) = match self {
            Self::NonExecutable(allowed) => (*allowed, "not executable".to_owned()),
            Self::Reason(reason) => (0, reason.to_string()),
            Self::Fallback => (0, "with fallback".to_owned()),
            Self::NoMatch => (0, "without a match".to_owned()),
            Self::NewSince(path) => (0, format!("newly not executable since '{}'", path.display())),
        };
        let found: Vec<&RuleFacts> = rules.iter().filter(|rule| self.is_about(rule, before)).collect();
        (found.len() > allowed).then(|| message(&found, allowed, &what))
    }

    fn is_about(&self, rule: &RuleFacts, before: &BTreeMap<String, RuleFacts>) -> bool {
        match self {
            Self::NonExecutable(_) => rule.reason.is_some(),
            Self::Reason(reason) => rule.reason == Some(*reason),
            Self::Fallback => rule.fallback_used,
            Self::NoMatch => rule.matches == Some(0),
            Self::NewSince(_) => is_newly_refused(rule, before),
        }
    }
}

fn is_newly_refused(rule: &RuleFacts, before: &BTreeMap<String, RuleFacts>) -> bool {
    let refused_before = before.get(&rule.name).is_some_and(|earlier| earlier.reason.is_some());
    rule.reason.is_some() && !refused_before
}

fn message(found: &[&RuleFacts], allowed: usize, what: &str) -> String {
    let names: Vec<String> =
        found.iter().take(NAMED).map(|rule| format!("{} ({})", rule.title, rule.name)).collect();
    let more = if found.len() > NAMED { ", …" } else { "" };
    let rules = if found.len() == 1 { "rule" } else { "rules" };
    let allowed = if allowed > 0 { format!(", and {allowed} allowed") } else { String::new() };
    format!("gate failed: {} {rules} {what}{allowed}: {}{more}", found.len(), names.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn rule(name: &str, reason: Option<ReasonCode>, fallback_used: bool, matches: Option<u64>) -> RuleFacts {
        RuleFacts { name: name.to_owned(), title: name.to_uppercase(), reason, fallback_used, matches }
    }

    fn failure(gate_text: &str, rules: &[RuleFacts]) -> Option<String> {
        match Gates::read(&[gate(gate_text).unwrap()], true).unwrap().hold(rules) {
            Ok(()) => None,
            Err(CliError::Gate(message)) => Some(message),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn arguments_are_read() {
        assert_eq!(gate("non-executable>3"), Ok(Gate::NonExecutable(3)));
        assert_eq!(gate(" non-executable"), Ok(Gate::NonExecutable(0)));
        assert_eq!(gate("unmapped_field"), Ok(Gate::Reason(ReasonCode::UnmappedField)));
        assert_eq!(gate("new-since runs/6"), Ok(Gate::NewSince("runs/6".into())));
        assert_eq!(gate("new-since=runs/6"), Ok(Gate::NewSince("runs/6".into())));
        for text in ["non-executable>x", "non-executable>-1", "new-since", "", "match"] {
            assert!(gate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_gate_fails_on_its_condition_and_on_nothing_else() {
        let rules = [
            rule("a", None, true, Some(3)),
            rule("b", None, false, Some(0)),
            rule("c", Some(ReasonCode::UnmappedField), false, None),
        ];
        assert_eq!(failure("non-executable>1", &rules), None);
        assert_eq!(
            failure("non-executable", &rules).as_deref(),
            Some("gate failed: 1 rule not executable: C (c)")
        );
        assert_eq!(failure("unsupported_regex", &rules), None);
        assert!(failure("unmapped_field", &rules).unwrap().contains("unmapped_field: C (c)"));
        assert!(failure("fallback", &rules).unwrap().contains("with fallback: A (a)"));
        assert!(failure("no-match", &rules).unwrap().contains("without a match: B (b)"));
        assert_eq!(failure("no-match", &rules[..1]), None);
        assert!(matches!(Gates::read(&[Gate::NoMatch], false), Err(CliError::Configuration(_))));
    }
}
