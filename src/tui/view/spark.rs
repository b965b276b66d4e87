//! How a run on Spark shows: a mark for each rule, and what it means for the selected one.

use super::paint::piece;
use super::symbols::{self, Symbol};
use crate::bundle::Agreement;
use crate::tui::model::{Model, RuleEntry};
use crate::tui::text::{self, Piece, count};
use crate::tui::theme::{Role, Theme};

/// What the list says of a rule, once rules ran on Spark; nothing before.
pub(super) fn column(model: &Model, entry: &RuleEntry) -> Piece {
    match model.agreement(entry) {
        Some(agreement) => {
            let symbol = mark(agreement);
            piece(&model.theme, symbol.role, &format!(" {}", symbol.glyph))
        }
        None => piece(&model.theme, Role::Text, ""),
    }
}

fn mark(agreement: &Agreement) -> Symbol {
    match agreement {
        Agreement::Same(_) => symbols::AS_DUCKDB,
        Agreement::Other { .. } | Agreement::Failed(_) => symbols::NOT_AS_DUCKDB,
        Agreement::Refused(_) => symbols::NOT_IN_SPARK,
    }
}

/// The same in words, behind a title.
pub(super) fn told(theme: &Theme, agreement: &Agreement) -> Piece {
    let symbol = mark(agreement);
    let words = match agreement {
        Agreement::Same(number) => format!("Spark finds the same {}", count(*number)),
        Agreement::Other { job, duckdb } => {
            format!("Spark finds {}, DuckDB {}", count(*job), count(*duckdb))
        }
        Agreement::Refused(reason) => format!("Spark refuses: {}", reason.as_str()),
        Agreement::Failed(message) => format!("failed: {}", text::fit(message, 60)),
    };
    piece(theme, symbol.role, &format!("  {} {words}", symbol.glyph))
}
