//! Why a plan yielded nothing.

use crate::backend::interpreter::RegexRefused;
use crate::bridge::{ColumnType, Plan};
use crate::ocsf::OcsfPath;
use crate::store::{DatasetColumn, QueryError, Store, StoreError};

/// A plan that did not run to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// Nobody waits for the answer any more.
    #[error("cancelled")]
    Cancelled,
    /// The dataset holds a column as another type than the plan counts on. It is never converted: the
    /// comparison would mean something else.
    #[error(
        "the dataset has '{path}' as {}, but the rule counts on {}{}; normalise it to that type",
        found.stored_as, if expected.list { "a list of " } else { "" }, expected.field_type.as_str()
    )]
    ColumnType {
        /// The column.
        path: OcsfPath,
        /// What the plan counts on.
        expected: ColumnType,
        /// What the dataset has.
        found: DatasetColumn,
    },
    /// The interpreter cannot search for one of the plan's regular expressions.
    #[error(transparent)]
    Regex(#[from] RegexRefused),
    /// Spark refused the rule, or failed while it ran.
    #[error("Spark: {message}")]
    Spark {
        /// What it said.
        message: String,
        /// Whether it was refused before it ran.
        compile: bool,
    },
    /// DuckDB refused the statement, or failed while it ran.
    #[error("DuckDB: {message}")]
    DuckDb {
        /// What it said.
        message: String,
        /// Whether it was refused before it ran.
        compile: bool,
    },
}

impl EvalError {
    /// Whether the plan is at fault (`backend_compile_error`), and not its run (`backend_eval_error`).
    #[must_use]
    pub fn is_compile(&self) -> bool {
        match self {
            Self::Cancelled | Self::ColumnType { .. } => false,
            Self::Regex(_) => true,
            Self::DuckDb { compile, .. } | Self::Spark { compile, .. } => *compile,
        }
    }
}

impl From<QueryError> for EvalError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Cancelled => Self::Cancelled,
            QueryError::Prepare(message) => {
                // A file that has gone shows when the view is bound; the plan is not at fault.
                let compile = !message.starts_with("IO Error");
                Self::DuckDb { message, compile }
            }
            QueryError::Execute(message) => Self::DuckDb { message, compile: false },
        }
    }
}

impl From<StoreError> for EvalError {
    fn from(error: StoreError) -> Self {
        let message = match error {
            StoreError::DuckDb { message } => message,
            other => other.to_string(),
        };
        Self::DuckDb { message, compile: false }
    }
}

/// Refuses a plan that counts on another type than the dataset has.
pub(super) fn check_columns(store: &Store, plan: &Plan) -> Result<(), EvalError> {
    check_types(store, &plan.columns)
}

/// Refuses columns that the dataset has as another type than is counted on.
pub(crate) fn check_types<'c>(
    store: &Store,
    columns: impl IntoIterator<Item = (&'c OcsfPath, &'c ColumnType)>,
) -> Result<(), EvalError> {
    for (path, expected) in columns {
        if let Some(found) = store.schema().column(path)
            && !found.satisfies(*expected)
        {
            return Err(EvalError::ColumnType {
                path: path.clone(),
                expected: *expected,
                found: found.clone(),
            });
        }
    }
    Ok(())
}
