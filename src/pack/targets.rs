//! Targets of aliases: YAML to [`Target`], typed and checked.

use std::collections::BTreeMap;

use super::aliases::{BAD_ALIAS, UNUSED_SCOPE};
use super::file::TargetFile;
use super::load::PACK_SYNTAX;
use super::paths::AMBIGUOUS_TYPE;
use super::report::{Report, span_of};
use super::{Column, Computed, Scalar, Target, expression, paths, routes};
use crate::bridge::{Code, Severity};
use crate::ocsf::{Catalog, ClassUid, FieldType, OcsfPath};
use crate::sigma::Span;
use crate::sigma::yaml::{self, Node, NodeKind};

pub(crate) static RAW_PREFIX: Code = Code {
    name: "pack_raw_prefix",
    reason: None,
    severity: Severity::Error,
    summary: "an alias to raw.* outside the pack's fallback prefixes",
    explanation: "`raw_fallback.prefixes` in pack.yaml lists what fallback may reach at all. An alias beyond it could \
                  never be used, whether fallback is permitted or not.",
};

pub(crate) static BAD_EXPRESSION: Code = Code {
    name: "pack_bad_expression",
    reason: None,
    severity: Severity::Error,
    summary: "a computed expression that is not one of the allowed forms",
    explanation: "An expression is one scalar over columns: 'text' and whole numbers, ||, lower, upper, coalesce, \
                  replace(x, 'from', 'to'), split_part(x, 'separator', n), CAST(x AS VARCHAR) and CASE WHEN \
                  column IN ('a', 'b') THEN x ELSE y END. Its text never becomes SQL. Operands are \
                  text; a number has to be CAST. Columns that hold several values have to come from the same list; the expression is then computed for each element.",
};

/// What an alias or one of its parts says about its target.
pub(super) struct Form {
    pub(super) path: Option<String>,
    pub(super) expr: Option<String>,
    pub(super) any_of: bool,
    pub(super) per_class: bool,
}

/// Reads targets that are for some classes.
pub(super) struct Targets<'a> {
    /// The classes of the rules that use them; never empty.
    pub(super) classes: &'a [ClassUid],
    /// What fallback may reach.
    pub(super) prefixes: &'a [String],
    pub(super) report: &'a mut Report,
}

impl Targets<'_> {
    /// The target of an alias, of which `node` is the whole.
    pub(super) fn read(&mut self, form: Form, stated: Option<FieldType>, node: &Node) -> Option<Target> {
        let target = match form {
            Form { path: Some(path), expr: None, any_of: false, per_class: false } => {
                Target::Path(self.column(path, stated, span_of(node, &["path"]))?)
            }
            Form { path: None, expr: Some(expr), any_of: false, per_class: false } => {
                Target::Expr(self.computed(expr, span_of(node, &["expr"]))?)
            }
            Form { path: None, expr: None, any_of: true, per_class: false } => {
                self.any_of(node.get("any_of")?, stated)?
            }
            Form { path: None, expr: None, any_of: false, per_class: true } => {
                self.per_class(node.get("per_class")?, stated)?
            }
            _ => {
                let message =
                    "exactly one of `path`, `any_of`, `expr` and `per_class` is expected".to_owned();
                return self.report.refuse(&BAD_ALIAS, node.span, message, None);
            }
        };
        match stated {
            Some(stated) if stated != target.field_type() => {
                let message =
                    format!("the target is {}, not {}", target.field_type().as_str(), stated.as_str());
                let help = "`type` is for raw.* paths, which no catalog knows".to_owned();
                self.report.refuse(&BAD_ALIAS, span_of(node, &["type"]), message, help)
            }
            _ => Some(target),
        }
    }

    /// A target within another: a path, or a form without options.
    fn part(&mut self, node: &Node, stated: Option<FieldType>) -> Option<Target> {
        let file = match &node.kind {
            NodeKind::String(path) => TargetFile { path: Some(path.clone()), ..TargetFile::default() },
            _ => self.report.accept(&PACK_SYNTAX, yaml::from_node(node))?,
        };
        let form = Form { path: file.path, expr: file.expr, any_of: file.any_of.is_some(), per_class: false };
        // What is not raw has its own type, which is compared with the other parts'.
        let raw = form.path.as_ref().is_some_and(|path| OcsfPath(path.clone()).is_raw());
        self.read(form, stated.filter(|_| raw), node)
    }

    fn any_of(&mut self, node: &Node, stated: Option<FieldType>) -> Option<Target> {
        let NodeKind::Sequence(entries) = &node.kind else {
            return self.report.refuse(
                &PACK_SYNTAX,
                node.span,
                "`any_of` is a list of targets".to_owned(),
                None,
            );
        };
        if entries.len() < 2 {
            let message = "`any_of` has two targets or more".to_owned();
            return self.report.refuse(&BAD_ALIAS, node.span, message, None);
        }
        if let Some(nested) = entries.iter().find(|entry| entry.get("any_of").is_some()) {
            return self.report.refuse(&BAD_ALIAS, nested.span, "`any_of` within `any_of`".to_owned(), None);
        }
        let targets: Vec<_> = entries.iter().map(|entry| self.part(entry, stated)).collect();
        let targets = targets.into_iter().collect::<Option<Vec<_>>>()?;
        self.of_one_type(targets.iter(), node.span)?;
        Some(Target::AnyOf(targets))
    }

    fn per_class(&mut self, node: &Node, stated: Option<FieldType>) -> Option<Target> {
        let NodeKind::Mapping(entries) = &node.kind else {
            let message = "`per_class` maps classes to targets".to_owned();
            return self.report.refuse(&PACK_SYNTAX, node.span, message, None);
        };
        if entries.is_empty() {
            return self.report.refuse(&BAD_ALIAS, node.span, "`per_class` has no class".to_owned(), None);
        }
        let mut targets = BTreeMap::new();
        for (key, entry) in entries {
            let class = self.class(&key.value, key.span)?;
            let mut only = Targets { classes: &[class], prefixes: self.prefixes, report: &mut *self.report };
            targets.insert(class, only.part(entry, stated)?);
        }
        self.of_one_type(targets.values(), node.span)?;
        Some(Target::PerClass(targets))
    }

    fn class(&mut self, key: &str, span: Span) -> Option<ClassUid> {
        let Ok(uid) = key.parse() else {
            let message = format!("`{key}` is not a class uid");
            return self.report.refuse(&routes::UNKNOWN_CLASS, span, message, None);
        };
        let class = *routes::known_classes(&[uid], span, self.report)?.first()?;
        if !self.classes.contains(&class) {
            let message = format!("no route of this scope leads to {}", paths::list(&[class]));
            self.report.raise(&UNUSED_SCOPE, span, message, None);
        }
        Some(class)
    }

    fn of_one_type<'t>(&mut self, targets: impl Iterator<Item = &'t Target>, span: Span) -> Option<()> {
        let mut types: Vec<_> = targets.map(|target| target.field_type().as_str()).collect();
        types.dedup();
        match types.len() {
            0 | 1 => Some(()),
            _ => {
                let message = format!("the targets are of differing types: {}", types.join(", "));
                self.report.refuse(&AMBIGUOUS_TYPE, span, message, None)
            }
        }
    }

    fn column(&mut self, path: String, stated: Option<FieldType>, span: Span) -> Option<Column> {
        let path = OcsfPath(path);
        if !path.is_raw() {
            return paths::column(path, self.classes, span, self.report);
        }
        if !self.permits(&path) {
            let message = format!("`{path}` is outside the pack's fallback prefixes");
            let help = format!("raw_fallback.prefixes has: {}", self.prefixes.join(", "));
            return self.report.refuse(&RAW_PREFIX, span, message, help);
        }
        paths::raw(path, stated.unwrap_or(FieldType::String), span, self.report)
    }

    fn permits(&self, path: &OcsfPath) -> bool {
        self.prefixes.iter().any(|prefix| path.as_str().starts_with(prefix) && path.as_str() != prefix)
    }

    fn computed(&mut self, text: String, span: Span) -> Option<Computed> {
        let findings = self.report.findings.len();
        let mut column = |path: &str| {
            self.column(path.to_owned(), None, span).ok_or_else(|| format!("`{path}` is no column"))
        };
        let scalar = expression::parse(&text, &mut column);
        // A path that is none has its own finding, which says more.
        if self.report.findings.len() > findings {
            return None;
        }
        let typed = scalar.and_then(|scalar| {
            let field_type = expression::type_of(&scalar)?;
            self.same_elements(&scalar)?;
            Ok((scalar, field_type))
        });
        match typed {
            Ok((scalar, field_type)) => {
                let list = scalar.columns().iter().any(|column| column.list);
                Some(Computed { text, scalar, field_type, list })
            }
            Err(message) => self.report.refuse(&BAD_EXPRESSION, span, message, None),
        }
    }

    /// Whether some class has all columns, and in each such class those that are LISTs are of one and the same.
    fn same_elements(&self, scalar: &Scalar) -> Result<(), String> {
        let catalog = Catalog::pinned();
        let columns = scalar.columns();
        let has = |class: &&ClassUid| {
            columns
                .iter()
                .all(|column| column.path.is_raw() || catalog.resolve(**class, &column.path).is_some())
        };
        let mut classes = self.classes.iter().filter(has).peekable();
        if classes.peek().is_none() {
            return Err(format!("none of {} has all columns", paths::list(self.classes)));
        }
        for class in classes {
            let mut lists: Vec<_> = scalar
                .list_paths()
                .into_iter()
                .filter_map(|path| catalog.list_prefix(*class, path))
                .collect();
            lists.dedup();
            if lists.len() > 1 {
                return Err(format!("columns of different lists cannot be paired: {}", lists.join(", ")));
            }
        }
        Ok(())
    }
}
