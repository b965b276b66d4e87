//! Counting: how many events pass each step of a rule, in one scan, and of many rules in few.

use std::collections::BTreeMap;

use super::outline::Outline;
use crate::backend::duckdb_sql::{RELATION, pieces};
use crate::bridge::{ColumnType, Plan};
use crate::evaluate::{Cancel, EvalError, check_types};
use crate::ocsf::OcsfPath;
use crate::store::Store;

/// Rules in one statement; DuckDB takes no interrupt while it plans one.
const BATCH: usize = 16;

/// Predicates in one statement, unless one rule alone has more.
const BATCH_COLUMNS: usize = 400;

/// The events of a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ScopeNumbers {
    /// Of the classes.
    pub(super) class: u64,
    /// After each filter and those before it.
    pub(super) filters: Vec<u64>,
}

impl ScopeNumbers {
    pub(super) fn in_scope(&self) -> u64 {
        self.filters.last().copied().unwrap_or(self.class)
    }
}

/// How many events pass what, for one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbers {
    pub(super) scope: ScopeNumbers,
    /// For each node of the outline, the events in scope that satisfy it alone.
    pub(super) alone: Vec<u64>,
    /// For each conjunct of the outline, the events that satisfy it and all before it.
    pub(super) cumulative: Vec<u64>,
    /// For each predicate, by node, the events in scope that have something to look at.
    pub(super) filled: BTreeMap<usize, u64>,
}

impl Numbers {
    pub(super) fn matches(&self) -> u64 {
        self.alone.get(Outline::ROOT).copied().unwrap_or_default()
    }
}

/// An executable event rule, laid out.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) plan: &'a Plan,
    pub(super) outline: &'a Outline<'a>,
}

/// The numbers of one rule, in one scan.
pub(super) fn of_one(store: &mut Store, job: Job<'_>, cancel: &Cancel) -> Result<Numbers, EvalError> {
    check_types(store, &job.plan.columns)?;
    let passed = passed(job.plan);
    let mut statement = Statement::default();
    let scope = scope_counts(&mut statement, &passed);
    let slots = statement.add(job, passed.last());
    let found = statement.run(store, &job.plan.columns, &pieces::class_filter(job.plan), cancel)?;
    Ok(slots.read(&found, scope.read(&found)))
}

/// The numbers of many rules, each told as it comes, with its place in `jobs`; each exactly once. Rules of one scope
/// share scans, and the scope itself is counted once.
pub(super) fn of_many(
    store: &mut Store,
    jobs: &[Job<'_>],
    cancel: &Cancel,
    on_result: &mut dyn FnMut(usize, Result<Numbers, EvalError>),
) {
    let mut scopes: BTreeMap<String, Vec<Batch<'_>>> = BTreeMap::new();
    for (index, job) in jobs.iter().enumerate() {
        if let Err(error) = check_types(store, &job.plan.columns) {
            on_result(index, Err(error));
            continue;
        }
        let batches = scopes.entry(where_scope(job.plan)).or_default();
        if !batches.last().is_some_and(|batch| batch.takes(job)) {
            batches.push(Batch::default());
        }
        if let Some(batch) = batches.last_mut() {
            batch.add(index, *job);
        }
    }
    for (scope, batches) in &scopes {
        let counted = batches.first().map_or(Ok(ScopeNumbers::default()), |batch| batch.scope(store, cancel));
        for batch in batches {
            match &counted {
                Ok(counted) => batch.run(store, scope, counted, cancel, on_result),
                Err(error) => batch.jobs.iter().for_each(|(index, _)| on_result(*index, Err(error.clone()))),
            }
        }
    }
}

/// The part of a statement that routes.
pub(super) fn where_scope(plan: &Plan) -> String {
    let filters = plan.scope.filters.iter().map(pieces::route_filter);
    [pieces::class_filter(plan)].into_iter().chain(filters).collect::<Vec<_>>().join(" AND ")
}

/// For each filter, that an event of the class passes it and those before it.
fn passed(plan: &Plan) -> Vec<String> {
    let mut so_far = Vec::new();
    let mut passed = Vec::new();
    for filter in &plan.scope.filters {
        so_far.push(format!("coalesce({}, false)", pieces::route_filter(filter)));
        passed.push(format!("({})", so_far.join(" AND ")));
    }
    passed
}

/// Rules of one scope that agree on the types of their columns.
#[derive(Default)]
struct Batch<'a> {
    jobs: Vec<(usize, Job<'a>)>,
    columns: BTreeMap<OcsfPath, ColumnType>,
    predicates: usize,
}

impl<'a> Batch<'a> {
    fn takes(&self, job: &Job<'_>) -> bool {
        let agrees = |(path, t)| self.columns.get(path).is_none_or(|other| other == t);
        self.jobs.len() < BATCH
            && self.predicates + job.outline.nodes.len() <= BATCH_COLUMNS
            && job.plan.columns.iter().all(agrees)
    }

    fn add(&mut self, index: usize, job: Job<'a>) {
        self.columns.extend(job.plan.columns.iter().map(|(path, t)| (path.clone(), *t)));
        self.predicates += job.outline.nodes.len();
        self.jobs.push((index, job));
    }

    fn scope(&self, store: &mut Store, cancel: &Cancel) -> Result<ScopeNumbers, EvalError> {
        let Some((_, job)) = self.jobs.first() else { return Ok(ScopeNumbers::default()) };
        let mut statement = Statement::default();
        let slots = scope_counts(&mut statement, &passed(job.plan));
        let found = statement.run(store, &job.plan.columns, &pieces::class_filter(job.plan), cancel)?;
        Ok(slots.read(&found))
    }

    fn run(
        &self,
        store: &mut Store,
        scope: &str,
        counted: &ScopeNumbers,
        cancel: &Cancel,
        on_result: &mut dyn FnMut(usize, Result<Numbers, EvalError>),
    ) {
        if counted.in_scope() == 0 {
            for (index, job) in &self.jobs {
                on_result(*index, Ok(no_events(job.outline, counted)));
            }
            return;
        }
        match self.scan(store, scope, &self.jobs, counted, cancel) {
            Ok(found) => {
                self.jobs.iter().zip(found).for_each(|((index, _), numbers)| on_result(*index, Ok(numbers)));
            }
            Err(error) if self.jobs.len() == 1 || error == EvalError::Cancelled => {
                self.jobs.iter().for_each(|(index, _)| on_result(*index, Err(error.clone())));
            }
            // Alone, so that only those at fault have an error.
            Err(_) => {
                for job in &self.jobs {
                    let alone = self.scan(store, scope, std::slice::from_ref(job), counted, cancel);
                    on_result(job.0, alone.map(|found| found.into_iter().next().unwrap_or_default()));
                }
            }
        }
    }

    fn scan(
        &self,
        store: &mut Store,
        scope: &str,
        jobs: &[(usize, Job<'_>)],
        counted: &ScopeNumbers,
        cancel: &Cancel,
    ) -> Result<Vec<Numbers>, EvalError> {
        let mut statement = Statement::default();
        let slots: Vec<Slots> = jobs.iter().map(|(_, job)| statement.add(*job, None)).collect();
        let found = statement.run(store, &self.columns, scope, cancel)?;
        Ok(slots.iter().map(|slots| slots.read(&found, counted.clone())).collect())
    }
}

/// What a rule counts where there is nothing to count.
fn no_events(outline: &Outline<'_>, scope: &ScopeNumbers) -> Numbers {
    Numbers {
        scope: scope.clone(),
        alone: vec![0; outline.nodes.len()],
        cumulative: vec![0; outline.conjuncts.len()],
        filled: outline.predicates().map(|(at, _)| (at, 0)).collect(),
    }
}

/// Counts over columns of truth values, each written once however many rules ask for it.
#[derive(Default)]
struct Statement {
    columns: Vec<String>,
    by_text: BTreeMap<String, usize>,
    counts: Vec<String>,
    by_count: BTreeMap<String, usize>,
}

impl Statement {
    /// The name of a column that holds `sql`.
    fn column(&mut self, sql: String) -> String {
        let next = self.columns.len();
        let place = *self.by_text.entry(sql.clone()).or_insert(next);
        if place == next {
            self.columns.push(sql);
        }
        format!("c{place}")
    }

    /// The place of the number of rows for which `condition`, over columns, is true.
    fn count(&mut self, condition: String) -> usize {
        let next = self.counts.len();
        let place = *self.by_count.entry(condition.clone()).or_insert(next);
        if place == next {
            self.counts.push(condition);
        }
        place
    }

    /// Everything that is counted of a rule; `within` narrows the rows down to its scope, where the statement does
    /// not do so itself.
    fn add(&mut self, job: Job<'_>, within: Option<&String>) -> Slots {
        let guarded = |sql: String| match within {
            Some(scope) => format!("CASE WHEN {scope} THEN {sql} END"),
            None => sql,
        };
        let mut names: BTreeMap<usize, String> = BTreeMap::new();
        let mut filled = Vec::new();
        for (at, predicate) in job.outline.predicates() {
            names.insert(at, self.column(guarded(pieces::predicate(predicate))));
            let column = self.column(guarded(pieces::filled(predicate)));
            filled.push((at, self.count(column)));
        }
        let name = |at: usize| names.get(&at).cloned().unwrap_or_else(|| "NULL".to_owned());
        let alone = (0..job.outline.nodes.len()).map(|at| self.count(job.outline.sql(at, &name))).collect();
        let steps: Vec<String> = job.outline.conjuncts.iter().map(|at| job.outline.sql(*at, &name)).collect();
        let cumulative = (1..=steps.len())
            .map(|length| self.count(steps.get(..length).unwrap_or_default().join(" AND ")))
            .collect();
        Slots { alone, cumulative, filled }
    }

    fn run(
        self,
        store: &mut Store,
        read: &BTreeMap<OcsfPath, ColumnType>,
        scope: &str,
        cancel: &Cancel,
    ) -> Result<Vec<u64>, EvalError> {
        let columns: Vec<String> =
            self.columns.iter().enumerate().map(|(at, sql)| format!("{sql} AS c{at}")).collect();
        let counts: Vec<String> =
            self.counts.iter().map(|condition| format!("count(CASE WHEN {condition} THEN 1 END)")).collect();
        // A dataset may be asked for its classes alone, which needs no column.
        let columns = if columns.is_empty() { vec!["true AS c0".to_owned()] } else { columns };
        let sql = format!(
            "SELECT\n  {}\nFROM (SELECT\n  {}\nFROM {RELATION}\nWHERE {scope})",
            counts.join(",\n  "),
            columns.join(",\n  ")
        );
        let count = self.counts.len();
        let rows = store.of_kept(scope, read, |store| -> Result<Vec<Vec<u64>>, EvalError> {
            Ok(store.select(&sql, cancel, |row| (0..count).map(|at| row.get(at)).collect())?)
        })?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }
}

/// Where a rule's numbers stand in the answer.
struct Slots {
    alone: Vec<usize>,
    cumulative: Vec<usize>,
    filled: Vec<(usize, usize)>,
}

impl Slots {
    fn read(&self, found: &[u64], scope: ScopeNumbers) -> Numbers {
        let at = |place: &usize| found.get(*place).copied().unwrap_or_default();
        Numbers {
            scope,
            alone: self.alone.iter().map(at).collect(),
            cumulative: self.cumulative.iter().map(at).collect(),
            filled: self.filled.iter().map(|(node, place)| (*node, at(place))).collect(),
        }
    }
}

/// Where the numbers of a scope stand.
struct ScopeSlots {
    class: usize,
    filters: Vec<usize>,
}

impl ScopeSlots {
    fn read(&self, found: &[u64]) -> ScopeNumbers {
        let at = |place: usize| found.get(place).copied().unwrap_or_default();
        ScopeNumbers { class: at(self.class), filters: self.filters.iter().map(|place| at(*place)).collect() }
    }
}

fn scope_counts(statement: &mut Statement, passed: &[String]) -> ScopeSlots {
    let class = statement.count("true".to_owned());
    let filters = passed
        .iter()
        .map(|condition| {
            let column = statement.column(condition.clone());
            statement.count(column)
        })
        .collect();
    ScopeSlots { class, filters }
}
