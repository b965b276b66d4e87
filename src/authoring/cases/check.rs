//! What a case asks for: a rule for each statement of it, and what has to come of the rule.

use serde_json::{Map, Value};

use super::dataset::{self, Answer, Answers};
use super::twin::twin;
use super::{CaseResult, CasesError, Failure, coverage, rules};
use crate::backend::CompiledRule;
use crate::bridge::{Compilation, Plan, ReasonCode};
use crate::ocsf::ClassUid;
use crate::pack::{CaseCheck, Expected, FieldCase, FieldExpected, Pack, PackPlace, TestCase};
use crate::sigma::yaml::Node;

/// A rule that has a plan, and what has to come of an event.
struct Probe {
    /// The index of its case.
    case: usize,
    place: PackPlace,
    subject: String,
    plan: Plan,
    event: Map<String, Value>,
    matches: bool,
    /// What has to be, in words.
    expected: String,
    /// What it exercises if it matches.
    exercises: Vec<PackPlace>,
}

/// Collects the checks of cases, so that the events of all of them are looked at together.
pub(super) struct Checker<'p> {
    pack: &'p Pack,
    cases: Vec<CaseResult>,
    probes: Vec<Probe>,
}

/// What a check is about.
#[derive(Clone, Copy)]
struct Subject<'c> {
    case: &'c TestCase,
    place: &'c PackPlace,
    name: &'c str,
}

impl<'p> Checker<'p> {
    pub(super) fn new(pack: &'p Pack) -> Self {
        Self { pack, cases: Vec::new(), probes: Vec::new() }
    }

    /// Adds the checks of a case.
    pub(super) fn case(&mut self, case: &TestCase) {
        let (name, place) = (case.name.clone(), case.place.clone());
        self.cases.push(CaseResult { name, place, checks: 0, failures: Vec::new() });
        match &case.check {
            CaseCheck::Rule { rule, expected } => {
                let subject = Subject { case, place: &case.place, name: "rule" };
                self.rule(subject, rules::compiled(self.pack, case, rule), *expected);
            }
            CaseCheck::Fields { logsource, when, fields } => {
                for field in fields {
                    self.field(case, logsource, when.as_ref(), field);
                }
            }
        }
    }

    fn rule(&mut self, subject: Subject<'_>, rule: Option<CompiledRule>, expected: Expected) {
        match expected {
            Expected::Refused(reason) => self.refused(subject, rule, reason),
            Expected::Match => self.probe(subject, rule.as_ref(), true, "match".to_owned(), None),
            Expected::NoMatch => self.probe(subject, rule.as_ref(), false, "no_match".to_owned(), None),
        }
    }

    fn field(&mut self, case: &TestCase, logsource: &Node, when: Option<&Node>, field: &FieldCase) {
        let compiled = |value: &Node| rules::of_field(self.pack, case, logsource, when, field, value);
        let subject = Subject { case, place: &field.place, name: &field.field.0 };
        let rule = compiled(&field.value);
        let (not, path) = match &field.expected {
            FieldExpected::Refused(reason) => return self.refused(subject, rule, reason),
            FieldExpected::Match { not, path } => (not, path),
        };
        let other = not.as_ref().map(|value| (compiled(value), rules::shown(field, value)));
        let expected = format!("{} matches", rules::shown(field, &field.value));
        self.probe(subject, rule.as_ref(), true, expected, None);
        if let Some((other, shown)) = other {
            self.probe(subject, other.as_ref(), false, format!("{shown} does not match"), None);
        }
        // What has no plan has failed above.
        let Some(rule) = rule.filter(|rule| rule.compilation.plan.is_some()) else { return };
        let class = class_of(case, &rule.compilation);
        let alias = coverage::alias(self.pack, &rule.compilation, class, &field.field);
        if let Some(path) = path {
            let resolved = rule.compilation.fields.iter().find(|found| found.field == field.field);
            let shown = resolved.map(|found| &*found.expr).unwrap_or_default();
            let stated = alias.map(|alias| alias.target.to_string());
            let holds = shown == path || stated.as_deref() == Some(path);
            self.check(subject, holds, format!("it is read from `{path}`"), format!("`{shown}`"));
        }
        if let Some(twin) = alias.and_then(|alias| twin(case, field, alias, &rule)) {
            let expected = format!("no match once {} is NULL", twin.removed.join(", "));
            self.probe(subject, Some(&rule), false, expected, Some(twin.event));
        }
    }

    fn refused(&mut self, subject: Subject<'_>, rule: Option<CompiledRule>, reason: &str) {
        let compilation = rule.as_ref().map(|rule| &rule.compilation);
        let holds = compilation.is_some_and(|compilation| is_refused_as(compilation, reason));
        let got = compilation.map(outcome).unwrap_or_default();
        self.check(subject, holds, format!("refused as {reason}"), got);
    }

    /// Asks a rule of the case's event, or of another one, once all events are known.
    fn probe(
        &mut self,
        subject: Subject<'_>,
        rule: Option<&CompiledRule>,
        matches: bool,
        expected: String,
        event: Option<Map<String, Value>>,
    ) {
        let Some(rule) = rule else { return self.check(subject, false, expected, "no rule".to_owned()) };
        let Some(plan) = &rule.compilation.plan else {
            return self.check(subject, false, expected, outcome(&rule.compilation));
        };
        let class = class_of(subject.case, &rule.compilation);
        let mut event = event.unwrap_or_else(|| subject.case.event.clone());
        event.entry("class_uid").or_insert_with(|| class.0.into());
        let exercises =
            if matches { coverage::exercised(self.pack, &rule.compilation, class) } else { Vec::new() };
        self.probes.push(Probe {
            case: self.cases.len() - 1,
            place: subject.place.clone(),
            subject: subject.name.to_owned(),
            plan: plan.clone(),
            event,
            matches,
            expected,
            exercises,
        });
    }

    fn check(&mut self, subject: Subject<'_>, holds: bool, expected: String, got: String) {
        let Some(case) = self.cases.last_mut() else { return };
        case.checks += 1;
        if !holds {
            let (place, subject) = (subject.place.clone(), subject.name.to_owned());
            case.failures.push(Failure { place, subject, expected, got });
        }
    }

    /// Looks at the events. Gives the cases, and what the rules that matched exercise.
    pub(super) fn finish(
        mut self,
        known: &mut Answers,
    ) -> Result<(Vec<CaseResult>, Vec<PackPlace>), CasesError> {
        let questions: Vec<_> = self.probes.iter().map(|probe| (&probe.plan, &probe.event)).collect();
        let answers = known.ask(&questions)?;
        let out_of_scope = out_of_scope(&self.probes, &answers, known)?;
        let mut exercised = Vec::new();
        for ((probe, answer), outside) in self.probes.into_iter().zip(answers).zip(out_of_scope) {
            let Some(case) = self.cases.get_mut(probe.case) else { continue };
            case.checks += 1;
            let got = match answer {
                Answer::Matches(matches) if matches == probe.matches => {
                    exercised.extend(probe.exercises);
                    continue;
                }
                Answer::Matches(true) => "match".to_owned(),
                Answer::Matches(false) if outside => {
                    format!("the route of {} does not take the event", probe.plan.scope.logsource)
                }
                Answer::Matches(false) => "no match".to_owned(),
                Answer::Disagree(true) => "a match by duckdb_sql, and none by interpreter".to_owned(),
                Answer::Disagree(false) => "a match by interpreter, and none by duckdb_sql".to_owned(),
                Answer::Failed(error) => error,
            };
            let Probe { place, subject, expected, .. } = probe;
            case.failures.push(Failure { place, subject, expected, got });
        }
        for case in &mut self.cases {
            case.failures.sort_by_key(|failure| failure.place.span.start);
        }
        Ok((self.cases, exercised))
    }
}

/// For each probe that should match and does not: whether its route leaves the event out.
fn out_of_scope(probes: &[Probe], answers: &[Answer], known: &mut Answers) -> Result<Vec<bool>, CasesError> {
    let missed = |(probe, answer): (&Probe, &Answer)| probe.matches && *answer == Answer::Matches(false);
    let missed: Vec<bool> = probes.iter().zip(answers).map(missed).collect();
    let mut plans = Vec::new();
    for probe in probes.iter().zip(&missed).filter(|(_, missed)| **missed).map(|(probe, _)| probe) {
        plans.push((dataset::scope_only(&probe.plan), &probe.event));
    }
    let questions: Vec<_> = plans.iter().map(|(plan, event)| (plan, *event)).collect();
    let mut answers = known.ask(&questions)?.into_iter();
    Ok(missed.into_iter().map(|missed| missed && answers.next() == Some(Answer::Matches(false))).collect())
}

/// The class of a case's event: its own, else the first that the rule is routed to.
fn class_of(case: &TestCase, compilation: &Compilation) -> ClassUid {
    let own = case.event.get("class_uid").and_then(Value::as_u64).and_then(|uid| u32::try_from(uid).ok());
    let routed = || compilation.routing.scope.as_ref().and_then(|scope| scope.class_uids.first().copied());
    own.map(ClassUid).or_else(routed).unwrap_or(ClassUid(0))
}

fn is_refused_as(compilation: &Compilation, code: &str) -> bool {
    let reason = compilation.reason().map(ReasonCode::as_str);
    reason == Some(code) || compilation.refusal().is_some_and(|finding| finding.code.name == code)
}

/// What became of a rule that was only compiled.
fn outcome(compilation: &Compilation) -> String {
    match compilation.refusal() {
        Some(finding) => format!("refused as {}: {}", finding.code.name, finding.message),
        None if compilation.plan.is_some() => "it can be run".to_owned(),
        None => "it is no rule about single events".to_owned(),
    }
}
