//! Sigma rules over OCSF events. One way through the house: text → rule → plan → SQL → rows → screen.
//!
//! | room | what it owns |
//! |---|---|
//! | [`sigma`] | the rule language: positioned YAML, rules, values, modifiers, conditions |
//! | [`ocsf`] | the pinned schema: classes, paths, types |
//! | [`pack`] | a mapping pack on disk: routes, aliases, fallback policy, hash |
//! | [`bridge`] | rule + pack → plan: route, resolve, check capabilities, lower; diagnostics |
//! | [`backend`] | plan → text for an engine |
//! | [`store`] | a dataset: discovery, the dotted view, the DuckDB session |
//! | [`evaluate`] | plans over a store |
//! | [`stream`] | plans over events as they come: windows, late events, checkpoints |
//! | [`attribution`] | why a rule did or did not match |
//! | [`bundle`] | the run bundle: canonical JSON, hashes, the contract files |
//! | [`report`] | a bundle for people: Markdown, HTML, an ATT&CK Navigator layer, a Slack message |
//! | [`authoring`] | the pack author's bench: tests, evidence, proposals, effect of an edit |
//! | [`pysigma`] | mapping packs from and to pySigma's processing pipelines |
//! | [`tui`] | the terminal screen: model, update, view; one file a pane |
//! | [`cli`] | the command line: one file a subcommand |
//! | [`watch`] | file changes → a set of changed inputs |

pub mod attribution;
pub mod authoring;
pub mod backend;
pub mod bridge;
pub mod bundle;
pub mod cli;
pub mod evaluate;
mod figures;
pub mod ocsf;
pub mod pack;
pub mod pysigma;
pub mod report;
pub mod sigma;
pub mod store;
pub mod stream;
pub mod tui;
pub mod watch;
