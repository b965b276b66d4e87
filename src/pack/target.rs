//! What can be asked of an alias's target.

use std::fmt;

use super::{Column, Target};
use crate::ocsf::{Catalog, ClassUid, FieldType, OcsfPath};

impl Target {
    /// Every column that it reads, in the order in which the pack writes them.
    #[must_use]
    pub fn columns(&self) -> Vec<&Column> {
        match self {
            Self::Path(column) => vec![column],
            Self::AnyOf(targets) => targets.iter().flat_map(Self::columns).collect(),
            Self::Expr(computed) => computed.scalar.columns(),
            Self::PerClass(targets) => targets.values().flat_map(Self::columns).collect(),
        }
    }

    /// Whether it reads any `raw.*`.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.columns().iter().any(|column| column.path.is_raw())
    }

    /// Whether events of a class can have a value of it.
    pub(super) fn is_in(&self, class: ClassUid) -> bool {
        let has = |path: &OcsfPath| path.is_raw() || Catalog::pinned().resolve(class, path).is_some();
        match self {
            Self::Path(column) => has(&column.path),
            Self::AnyOf(targets) => targets.iter().any(|target| target.is_in(class)),
            Self::Expr(computed) => {
                !computed.scalar.is_null() && computed.scalar.columns().iter().all(|column| has(&column.path))
            }
            Self::PerClass(targets) => targets.get(&class).is_some_and(|target| target.is_in(class)),
        }
    }

    /// The type of its values, which all its parts have in common.
    #[must_use]
    pub fn field_type(&self) -> FieldType {
        match self {
            Self::Path(column) => column.field_type,
            Self::AnyOf(targets) => targets.first().map_or(FieldType::String, Self::field_type),
            Self::Expr(computed) => computed.field_type,
            Self::PerClass(targets) => targets.values().next().map_or(FieldType::String, Self::field_type),
        }
    }

    /// Whether one event may have several values.
    #[must_use]
    pub fn list(&self) -> bool {
        match self {
            Self::Path(column) => column.list,
            Self::AnyOf(targets) => targets.iter().any(Self::list),
            Self::Expr(computed) => computed.list,
            Self::PerClass(targets) => targets.values().any(Self::list),
        }
    }
}

impl fmt::Display for Target {
    /// As an alias is shown: the path, the paths, the expression.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(column) => column.path.fmt(f),
            Self::AnyOf(targets) => {
                let targets: Vec<_> = targets.iter().map(ToString::to_string).collect();
                write!(f, "any of {}", targets.join(", "))
            }
            Self::Expr(computed) => f.write_str(&computed.text),
            Self::PerClass(targets) => {
                let targets: Vec<_> =
                    targets.iter().map(|(class, target)| format!("{class}: {target}")).collect();
                f.write_str(&targets.join("; "))
            }
        }
    }
}
