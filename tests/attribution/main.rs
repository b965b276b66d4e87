//! Attribution over small datasets, one for each cause; over the fixtures, against the interpreter; and the documents.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod causes;
mod corpus;
mod correlations;
mod documents;
mod fills;
mod fixtures;
mod world;
