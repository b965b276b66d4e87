//! The report as layers of the ATT&CK Navigator, layer format 4.5: three in one file, as the Navigator itself saves open
//! layers.

use serde_json::{Value, json};

use super::Report;
use super::model::Technique;
use super::text::clean;

/// The version of the layer format, and the Navigator that it came with.
const LAYER: &str = "4.5";
const NAVIGATOR: &str = "4.9.0";

/// A score that techniques have.
struct Score {
    name: &'static str,
    meaning: &'static str,
    of: fn(&Technique) -> u64,
    /// From none to the highest.
    colors: [&'static str; 2],
}

const SCORES: [Score; 3] = [
    Score {
        name: "tagged",
        meaning: "Rules that are tagged with the technique.",
        of: |technique| technique.tagged,
        colors: ["#f2f2f2", "#8a8f98"],
    },
    Score {
        name: "executable here",
        meaning: "Rules of the technique that run with this mapping pack and report by themselves.",
        of: |technique| technique.executable,
        colors: ["#f2f2f2", "#4a9bd4"],
    },
    Score {
        name: "fired on this data",
        meaning: "Rules of the technique that matched these events.",
        of: |technique| technique.fired,
        colors: ["#f2f2f2", "#d9534f"],
    },
];

/// The three layers as one JSON document: rules tagged, executable here, fired on this data. A technique that is tagged has
/// all three numbers in its metadata, whichever layer is looked at.
#[must_use]
pub fn navigator(report: &Report) -> Value {
    SCORES.iter().map(|score| layer(report, score)).collect()
}

fn layer(report: &Report, score: &Score) -> Value {
    let highest = report.techniques.values().map(score.of).max().unwrap_or(0).max(1);
    let techniques: Value = report
        .techniques
        .iter()
        .map(|(id, counts)| {
            json!({"techniqueID": id, "score": (score.of)(counts), "metadata": metadata(counts)})
        })
        .collect();
    let run = &report.contents;
    json!({
        "name": clean(&format!("{} · {}", score.name, run.run_id)),
        "versions": {"navigator": NAVIGATOR, "layer": LAYER},
        "domain": "enterprise-attack",
        "description": clean(&format!("{} Pack {} {}.", score.meaning, run.pack_id, run.pack_version)),
        "layout": {"layout": "side", "showID": true, "showName": true, "expandedSubtechniques": "annotated"},
        "techniques": techniques,
        "gradient": {"colors": score.colors, "minValue": 0, "maxValue": highest},
    })
}

fn metadata(counts: &Technique) -> Value {
    let scores = SCORES.iter().map(|score| (score.name, (score.of)(counts)));
    let scores = scores.chain([("detections", counts.detections)]);
    scores.map(|(name, count)| json!({"name": name, "value": count.to_string()})).collect()
}
