//! Rule and pack to plan: route, resolve, check capabilities, lower. Pure; knows no dataset and no DuckDB.

mod codes;
mod compile;
mod correlate;
mod diagnostic;
mod filters;
pub mod ir;
mod language;
mod literal;
mod lower;
mod plan;
mod reach;
mod reason;
mod references;
mod required;
mod resolve;
mod route;
mod settings;
#[cfg(test)]
mod tests;
mod tied;

pub use codes::codes;
pub use compile::compile;
pub(crate) use correlate::settle_reports;
pub use correlate::{
    CorrelatedRule, CorrelationInput, CorrelationPlan, CorrelationStep, GroupKey, InputValue, Measure, Seen,
    Source, WindowTest,
};
pub use diagnostic::{Code, Diagnostic, Severity};
pub use plan::*;
pub use reach::PackChange;
pub use reason::ReasonCode;
pub(crate) use resolve::{ResolvedField, Resolver, UNMAPPED_FIELD};
pub(crate) use route::Tokens;
pub use settings::Settings;
pub use tied::{narrowing, tied};
