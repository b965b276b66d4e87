//! The newest findings as a Slack message in Block Kit. All that is untrusted stands in `plain_text`, in which Slack
//! knows no mention, link or markup.

use crate::figures;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Report;
use super::model::Finding;
use super::text::{clip, counted};

/// Findings in a message.
const FINDINGS: usize = 5;

/// Characters that Slack takes in a header.
const HEADER: usize = 150;

/// Characters of one value; a line of four stays far below the 3000 that Slack takes in a section.
const VALUE: usize = 200;

/// The message: the five newest findings, the most severe first, each with rule, count, host and technique.
#[must_use]
pub fn slack(report: &Report) -> Value {
    let totals = &report.contents.coverage.totals;
    let summary = format!(
        "{} of {} matched · {}{}",
        figures::count(totals.matched as u64),
        counted(totals.executable as u64, "executable rule", "executable rules"),
        counted(totals.detections, "detection", "detections"),
        severities(report),
    );
    let title = clip(&report.title(), HEADER);
    let mut blocks = vec![
        json!({"type": "header", "text": plain(&title)}),
        json!({"type": "context", "elements": [plain(&summary)]}),
    ];
    let newest = report.newest(FINDINGS);
    if newest.is_empty() {
        blocks.push(section("No rule matched."));
    }
    blocks.extend(newest.iter().map(|finding| section(&line(finding))));
    // For notifications, where Slack reads markup.
    json!({"text": escape(&format!("{title}: {summary}")), "blocks": blocks})
}

/// How many findings there are of each severity, so that none is hidden by newer ones.
fn severities(report: &Report) -> String {
    let mut counts = BTreeMap::<_, (&str, u64)>::new();
    for finding in report.newest(usize::MAX) {
        let (_, count) = counts.entry(Reverse(finding.rule.level)).or_insert((finding.severity(), 0));
        *count += 1;
    }
    let counts: Vec<_> = counts
        .into_values()
        .map(|(severity, count)| format!("{} {severity}", figures::count(count)))
        .collect();
    match counts.is_empty() {
        true => String::new(),
        false => format!(" · findings: {}", counts.join(", ")),
    }
}

fn line(finding: &Finding<'_>) -> String {
    let techniques = finding.techniques();
    let mut facts = vec![counted(finding.sighting.count, "match", "matches")];
    facts.push(finding.sighting.host.as_ref().map_or("no host".to_owned(), |host| clip(host, VALUE)));
    facts.push(if techniques.is_empty() { "no technique".to_owned() } else { clip(&techniques, VALUE) });
    facts.extend(finding.last_seen());
    format!("{} · {}\n{}", finding.severity(), clip(&finding.rule.title, VALUE), facts.join(" · "))
}

fn section(text: &str) -> Value {
    json!({"type": "section", "text": plain(text)})
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}

/// The three characters that Slack's markup needs for mentions and links.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
