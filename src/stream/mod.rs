//! Rules over events as they come: one event at a time, in order, by the interpreter backend
//! (specification, "streaming"; `docs/stream.md`).
//!
//! ```text
//! input ─► lines ─► event ─► Engine ─► detections ─► output
//!            │                 │                        │
//!            └── position ─────┴── windows ── length ───┴─► checkpoint
//! ```
//!
//! What the engine emits depends on the rules and the events alone, in their order, and on when the watermark moved. A
//! checkpoint names a place in the input, what correlations still hold there, and how long the output was: whoever
//! starts from it cuts the output there and goes on, so that nothing is lost or said twice.

mod asker;
mod checkpoint;
mod columns;
mod correlate;
mod counting;
mod engine;
mod event;
mod lines;
mod live;
mod output;
mod reading;
mod rules;
mod values;

pub use checkpoint::{Checkpoint, CheckpointError, EngineState, Lock};
pub use correlate::TooMuchHeld;
pub use engine::{Engine, Figures};
pub use event::{Clash, LiveEvent, Rejected};
pub use lines::{Input, Lines, Piece, Position};
pub(crate) use live::{Live, Step};
pub use output::Output;
pub use rules::{RuleSet, RuleSetInputs, Unusable};
