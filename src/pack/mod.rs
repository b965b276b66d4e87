//! A mapping pack: routes, aliases, fallback policy, and the hash that names its meaning.

mod model;

pub use model::*;
