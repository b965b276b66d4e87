//! The thread that changes files: one change after the other, in the order that they were asked for.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::{NewAlias, Report, bench};
use crate::authoring::{FileEdit, NewFile};
use crate::pack::PackSource;
use crate::sigma::{self, ProblemKind};
use crate::tui::model::{FileOf, Written};

/// A change that is wanted.
#[derive(Debug)]
pub(crate) enum Writing {
    /// An alias.
    Alias(Arc<NewAlias>),
    /// Another text of a rule file, also one that cannot be read where that is wanted.
    Rule(Arc<FileEdit>, bool),
    /// A new rule file.
    New(NewFile),
    /// A change is taken back.
    Undo(Written),
    /// A change is made again.
    Redo(Written),
}

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// The rule could not be read as it would be.
    Broken(String),
    /// Anything else.
    Because(String),
}

/// Works until nobody can ask any more.
pub(super) fn run(
    writings: &Receiver<Writing>,
    pack: &PackSource,
    rules: &[PathBuf],
    report: &dyn Fn(Report),
) {
    for writing in writings {
        report(match writing {
            Writing::Alias(alias) => {
                let written = bench::write(pack, &alias).map(|edit| Written { edit, of: FileOf::Pack });
                Report::Written(written.map_err(Unwritten::Because))
            }
            Writing::Rule(edit, even_broken) => Report::Written(rule(&edit, even_broken)),
            Writing::New(file) => {
                let made = file.write(rules).map(|edit| Written { edit, of: FileOf::Rule });
                Report::Written(made.map_err(|error| Unwritten::Because(error.to_string())))
            }
            Writing::Undo(written) => {
                let undone = written.edit.undo().map_err(|error| error.to_string());
                Report::Undone(undone.map(|()| written))
            }
            Writing::Redo(written) => {
                let redone = written.edit.apply().map_err(|error| error.to_string());
                Report::Redone(redone.map(|()| written))
            }
        });
    }
}

fn rule(edit: &FileEdit, even_broken: bool) -> Result<Written, Unwritten> {
    if let Some(why) = broken(edit).filter(|_| !even_broken) {
        return Err(Unwritten::Broken(why));
    }
    edit.apply().map_err(|error| Unwritten::Because(error.to_string()))?;
    Ok(Written { edit: edit.clone(), of: FileOf::Rule })
}

/// Why the rules could not be read.
fn broken(edit: &FileEdit) -> Option<String> {
    let rules = sigma::parse(&edit.path, &edit.after);
    let mut problems = rules.iter().flat_map(|rule| &rule.problems);
    problems.find(|p| matches!(p.kind, ProblemKind::Parse | ProblemKind::Limit)).map(ToString::to_string)
}
