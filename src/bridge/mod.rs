//! Rule and pack to plan: route, resolve, check capabilities, lower. Pure; knows no dataset and no DuckDB.

mod diagnostic;
pub mod ir;
mod plan;
mod reason;
mod settings;

pub use diagnostic::{Code, Diagnostic, Severity};
pub use plan::*;
pub use reason::ReasonCode;
pub use settings::Settings;

impl Code {
    /// Rank among a rule's findings; the lowest gives the rule its reason (`sigma_semantics.md` 9).
    pub(crate) fn specificity(&self) -> (u8, Option<ReasonCode>) {
        let parse = self.name == "parse_error" || self.name == "unreadable_file";
        (u8::from(!parse), self.reason)
    }
}
