//! What a report says, before it is Markdown or HTML: sections of sentences, charts and tables.

use super::model::{Finding, Report, Technique};
use super::text::counted;
use crate::attribution::Cause;
use crate::bundle::Totals;
use crate::figures;
use crate::sigma::Level;

/// Findings that are listed.
const FINDINGS: usize = 25;

/// One subject.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) words: Vec<String>,
    pub(super) chart: Option<Chart>,
    pub(super) tables: Vec<Table>,
}

/// Bars of parts. The table beside it has the same numbers.
pub(super) struct Chart {
    pub(super) title: &'static str,
    /// What the parts are, in the order in which they stand in a bar; at most three.
    pub(super) parts: Vec<&'static str>,
    pub(super) bars: Vec<(String, Vec<u64>)>,
}

/// Rows under heads.
pub(super) struct Table {
    pub(super) title: &'static str,
    pub(super) heads: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Cell>>,
}

/// A cell.
#[derive(Clone, Debug)]
pub(super) enum Cell {
    /// Words.
    Text(String),
    /// A name: of a field, a host, a technique.
    Name(String),
    Number(u64),
    Nothing,
}

impl Report {
    /// The heading.
    pub(super) fn title(&self) -> String {
        format!("Run {}", self.contents.run_id)
    }

    /// What ran, in one line.
    pub(super) fn head(&self) -> String {
        let run = &self.contents;
        let time = run.run_time.as_ref().map(|time| format!("{time} · ")).unwrap_or_default();
        format!(
            "{time}pack {} {} · OCSF {} · DuckDB {} · {}",
            run.pack_id,
            run.pack_version,
            run.ocsf_version,
            run.duckdb_version,
            counted(run.events, "event", "events"),
        )
    }

    pub(super) fn sections(&self) -> Vec<Section> {
        let mut sections =
            vec![self.totals(), self.categories(), self.reasons(), self.gaps(), self.techniques()];
        sections.extend(self.causes());
        sections.push(self.findings());
        sections
    }

    fn totals(&self) -> Section {
        let totals = &self.contents.coverage.totals;
        let rows = [
            ("rules", totals.rules),
            ("executable", totals.executable),
            ("– matched", totals.matched),
            ("– no match", totals.no_match),
            ("– not reported by themselves", totals.not_reported),
            ("not executable", totals.non_executable),
            ("with fallback to raw.*", totals.fallback_used),
        ];
        let mut rows: Vec<Vec<Cell>> =
            rows.map(|(what, rules)| vec![Cell::Text(what.to_owned()), Cell::Number(rules as u64)]).into();
        rows.push(vec![Cell::Text("detections".to_owned()), Cell::Number(totals.detections)]);
        Section {
            title: "Rules",
            words: Vec::new(),
            chart: Some(outcome_chart("Rules by outcome", vec![("all rules".to_owned(), totals)])),
            tables: vec![Table { title: "Totals", heads: vec!["", "count"], rows }],
        }
    }

    fn categories(&self) -> Section {
        let mut categories: Vec<_> = self.contents.coverage.by_category.iter().collect();
        // Stable: what ties keeps the bundle's order.
        categories.sort_by_key(|category| std::cmp::Reverse(category.totals.rules));
        let no_category = || "no category".to_owned();
        let rows = categories.iter().map(|category| {
            let totals = &category.totals;
            let counts = [totals.rules, totals.executable, totals.matched, totals.non_executable];
            let counts = counts.into_iter().map(|count| Cell::Number(count as u64));
            let name = category.category.clone().map_or_else(|| Cell::Text(no_category()), Cell::Name);
            [name].into_iter().chain(counts).collect()
        });
        let table = Table {
            title: "Rules by category of the log source",
            heads: vec!["category", "rules", "executable", "matched", "not executable"],
            rows: rows.collect(),
        };
        let bars = categories
            .iter()
            .map(|category| (category.category.clone().unwrap_or_else(no_category), &category.totals));
        Section {
            title: "Coverage by category",
            words: Vec::new(),
            chart: Some(outcome_chart("Coverage by category", bars.collect())),
            tables: vec![table],
        }
    }

    fn reasons(&self) -> Section {
        let reasons = self.contents.coverage.reasons.iter();
        let mut reasons: Vec<(String, u64)> =
            reasons.map(|(reason, rules)| (reason.as_str().to_owned(), *rules as u64)).collect();
        reasons.sort_by_key(|(_, rules)| std::cmp::Reverse(*rules));
        let words = match reasons.is_empty() {
            true => "Every rule is executable.",
            false => "A rule counts for one reason. The command sigma-ocsf-tui reason CODE explains it.",
        };
        Section {
            title: "Why rules cannot run",
            words: vec![words.to_owned()],
            chart: ranking_chart("Rules by reason", &reasons),
            tables: ranking_table("Rules by reason", "reason", reasons).into_iter().collect(),
        }
    }

    fn gaps(&self) -> Section {
        let coverage = &self.contents.coverage;
        let field = |field: &crate::bundle::FieldCount| (field.field.clone(), field.rules as u64);
        let fields: Vec<_> = coverage.unmapped_fields.top.iter().map(field).collect();
        let fallback: Vec<_> = coverage.fallback.fields.top.iter().map(field).collect();
        let sources = coverage.unrouted_logsources.top.iter().map(|source| {
            let parts = ["category", "product", "service"].map(|key| source.logsource.get(key));
            let parts = parts.map(|part| part.map_or("*", String::as_str));
            (parts.join("/"), source.rules as u64)
        });
        let sources: Vec<_> = sources.collect();
        let words = format!(
            "{}, {}. {} with fallback to raw.*.",
            counted(coverage.unmapped_fields.distinct as u64, "unmapped field", "unmapped fields"),
            counted(
                coverage.unrouted_logsources.distinct as u64,
                "unrouted log source",
                "unrouted log sources"
            ),
            counted(coverage.fallback.rules as u64, "rule runs", "rules run"),
        );
        let tables = [
            ranking_table("Unmapped fields", "field", fields),
            ranking_table("Unrouted log sources", "category/product/service", sources),
            ranking_table("Fields read from raw.*", "field", fallback),
        ];
        Section {
            title: "Gaps",
            words: vec![words],
            chart: None,
            tables: tables.into_iter().flatten().collect(),
        }
    }

    fn techniques(&self) -> Section {
        let of = |holds: &dyn Fn(Technique) -> bool| {
            let mut found: Vec<_> = self.techniques.iter().filter(|(_, counts)| holds(**counts)).collect();
            found.sort_by_key(|(_, counts)| std::cmp::Reverse((counts.detections, counts.executable)));
            found
        };
        let (hit, silent) = (of(&Technique::is_hit), of(&Technique::is_silent));
        let idle = of(&|technique| technique.executable == 0 && technique.fired == 0);
        let hits = hit.iter().map(|(id, counts)| {
            let counts = [counts.fired, counts.executable, counts.tagged, counts.detections];
            [Cell::Name((*id).clone())].into_iter().chain(counts.map(Cell::Number)).collect()
        });
        let others = |rows: &[(&String, &Technique)]| -> Vec<Vec<Cell>> {
            let row = |(id, counts): &(&String, &Technique)| {
                vec![Cell::Name((*id).clone()), Cell::Number(counts.executable), Cell::Number(counts.tagged)]
            };
            rows.iter().map(row).collect()
        };
        let tables = [
            Table {
                title: "Hit: a rule of the technique fired",
                heads: vec!["technique", "fired", "executable", "tagged", "detections"],
                rows: hits.collect(),
            },
            Table {
                title: "Silent: rules of the technique run here, and none fired",
                heads: vec!["technique", "executable", "tagged"],
                rows: others(&silent),
            },
            Table {
                title: "Not covered: no rule of the technique runs here",
                heads: vec!["technique", "executable", "tagged"],
                rows: others(&idle),
            },
        ];
        let counts = [&hit, &silent, &idle].map(|found| found.len() as u64);
        let words = format!(
            "{}: {} hit, {} silent, {} without a rule that runs here. A rule counts for each technique among its tags.",
            counted(self.techniques.len() as u64, "technique", "techniques"),
            counts[0],
            counts[1],
            counts[2],
        );
        let chart = Chart {
            title: "ATT&CK techniques",
            parts: vec!["hit", "silent", "not covered"],
            bars: vec![("techniques".to_owned(), counts.to_vec())],
        };
        Section {
            title: "ATT&CK techniques",
            words: vec![words],
            chart: (!self.techniques.is_empty()).then_some(chart),
            tables: tables.into_iter().filter(|table| !table.rows.is_empty()).collect(),
        }
    }

    fn causes(&self) -> Option<Section> {
        let attribution = self.attribution.as_ref()?;
        let words = |cause: &str| {
            let known = Cause::ALL.into_iter().find(|known| known.as_str() == cause);
            known.map_or_else(|| cause.to_owned(), |known| known.words().to_owned())
        };
        let mut causes: Vec<(String, u64)> =
            attribution.causes.iter().map(|(cause, rules)| (words(cause), *rules)).collect();
        causes.sort_by_key(|(_, rules)| std::cmp::Reverse(*rules));
        let empty = attribution.empty_fields.iter().map(|field| (field.field.clone(), field.rules)).collect();
        let rows = attribution.unmatched.iter().map(|rule| {
            let explanation = Cell::Text(rule.finding.explanation.clone());
            vec![Cell::Text(words(&rule.finding.cause)), Cell::Text(rule.title.clone()), explanation]
        });
        let mut rows: Vec<Vec<Cell>> = rows.collect();
        rows.sort_by_key(|row| row.first().map(Cell::plain));
        let rules = Table { title: "Each of them", heads: vec!["cause", "rule", "why"], rows };
        let count = counted(attribution.unmatched.len() as u64, "executable rule", "executable rules");
        let tables = [
            ranking_table("Rules by cause", "cause", causes.clone()),
            ranking_table("Fields needed and empty", "field", empty),
            Some(rules).filter(|table| !table.rows.is_empty()),
        ];
        Some(Section {
            title: "Why rules matched nothing",
            words: vec![format!("{count} matched nothing.")],
            chart: ranking_chart("Rules by cause", &causes),
            tables: tables.into_iter().flatten().collect(),
        })
    }

    fn findings(&self) -> Section {
        let newest = self.newest(FINDINGS);
        let words = match (newest.len(), self.contents.sightings.len()) {
            (0, _) => "No rule matched.".to_owned(),
            (shown, all) if shown < all => format!(
                "The {shown} newest of {}, the most severe first. A finding is what one rule matched on one host.",
                counted(all as u64, "finding", "findings")
            ),
            _ => "The most severe first. A finding is what one rule matched on one host.".to_owned(),
        };
        let table = Table {
            title: "Findings",
            heads: vec!["severity", "rule", "matches", "host", "technique", "last seen"],
            rows: newest.iter().map(Finding::cells).collect(),
        };
        Section {
            title: "Newest findings",
            words: vec![words],
            chart: None,
            tables: Some(table).filter(|table| !table.rows.is_empty()).into_iter().collect(),
        }
    }
}

impl Finding<'_> {
    fn cells(&self) -> Vec<Cell> {
        let techniques = self.techniques();
        vec![
            Cell::Text(self.severity().to_owned()),
            Cell::Text(self.rule.title.clone()),
            Cell::Number(self.sighting.count),
            self.sighting.host.clone().map_or(Cell::Nothing, Cell::Name),
            if techniques.is_empty() { Cell::Nothing } else { Cell::Text(techniques) },
            self.last_seen().map_or(Cell::Nothing, Cell::Text),
        ]
    }

    pub(super) fn severity(&self) -> &'static str {
        self.rule.level.map_or("no level", Level::as_str)
    }

    /// The technique ids, with commas between them.
    pub(super) fn techniques(&self) -> String {
        self.rule.technique_ids.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    /// RFC 3339; the number of milliseconds where no calendar reaches.
    pub(super) fn last_seen(&self) -> Option<String> {
        let time = |milliseconds| {
            jiff::Timestamp::from_millisecond(milliseconds)
                .map_or_else(|_| milliseconds.to_string(), |time| format!("{time:.3}"))
        };
        self.sighting.last_seen.map(time)
    }
}

impl Cell {
    /// Its text, as it is.
    pub(super) fn plain(&self) -> String {
        match self {
            Self::Text(text) | Self::Name(text) => text.clone(),
            Self::Number(number) => figures::count(*number),
            Self::Nothing => "–".to_owned(),
        }
    }
}

fn outcome_chart(title: &'static str, bars: Vec<(String, &Totals)>) -> Chart {
    let bar = |(name, totals): (String, &Totals)| {
        let quiet = totals.executable - totals.matched;
        (name, [totals.matched, quiet, totals.non_executable].map(|count| count as u64).to_vec())
    };
    let parts = vec!["matched", "executable, no detection", "not executable"];
    Chart { title, parts, bars: bars.into_iter().map(bar).collect() }
}

fn ranking_chart(title: &'static str, entries: &[(String, u64)]) -> Option<Chart> {
    let bars: Vec<_> = entries.iter().map(|(name, count)| (name.clone(), vec![*count])).collect();
    (!bars.is_empty()).then_some(Chart { title, parts: vec!["rules"], bars })
}

fn ranking_table(title: &'static str, head: &'static str, entries: Vec<(String, u64)>) -> Option<Table> {
    let row = |(name, rules)| vec![Cell::Name(name), Cell::Number(rules)];
    let rows: Vec<_> = entries.into_iter().map(row).collect();
    (!rows.is_empty()).then_some(Table { title, heads: vec![head, "rules"], rows })
}
