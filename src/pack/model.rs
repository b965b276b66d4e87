//! A mapping pack as data: what its YAML files say, with the place of each statement.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::ocsf::{ClassUid, FieldType, OcsfPath};
use crate::sigma::{Capability, SigmaField, Span};

/// A loaded and validated mapping pack, together with what it extends.
#[derive(Clone, Debug, Default)]
pub struct Pack {
    /// What `pack.yaml` says.
    pub manifest: Manifest,
    /// The routes, in the order they stand in `routes.yaml`, after those of the extended packs.
    pub routes: Vec<Route>,
    /// Aliases by scope and field. More than one entry for a field means two answers at one scope.
    pub aliases: BTreeMap<AliasScope, Fields>,
    /// The packs that it is made of, each after those that it extends; itself last.
    pub components: Vec<Component>,
    /// SHA-256 over the pack's meaning, lower-case hexadecimal; that of what it extends is part of it.
    pub sha256: String,
}

/// The aliases of one scope.
pub type Fields = BTreeMap<SigmaField, Vec<Alias>>;

/// One of the packs that a pack is made of.
#[derive(Clone, Debug)]
pub struct Component {
    /// `id`
    pub id: String,
    /// `version`
    pub version: String,
    /// Its folder, as findings name it.
    pub root: PathBuf,
    /// What it says itself.
    pub(super) own: Arc<Pack>,
    /// Bundles alone ask for it.
    pub(super) sha256: OnceLock<String>,
}

/// What `pack.yaml` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Manifest {
    /// `id`
    pub id: String,
    /// `version`
    pub version: String,
    /// `ocsf_version`, equal to the pinned one.
    pub ocsf_version: String,
    /// `description`
    pub description: String,
    /// `extends`: the packs that this one builds on, as it names them. What they say is part of the rest.
    pub extends: Vec<String>,
    /// `raw_fallback`
    pub raw_fallback: RawFallback,
    /// `capabilities`
    pub capabilities: BTreeSet<Capability>,
    /// `placeholders`: the values that `expand` puts in the place of `%name%`.
    pub placeholders: BTreeMap<String, Vec<String>>,
    /// `keywords`, of all packs together; what a route looks at is [`Route::keywords`].
    pub keywords: Vec<Column>,
    /// `backend`: session settings that the pack asks for.
    pub backend: BackendDefaults,
}

/// The pack's policy on `raw.*` (specification, "Fallback policy").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawFallback {
    /// Whether rules may fall back without `--raw-fallback`.
    pub enabled: bool,
    /// The prefixes that fallback may reach, such as `raw.`.
    pub prefixes: Vec<String>,
}

/// Session settings that a pack asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendDefaults {
    /// Threads of the DuckDB session.
    pub threads: u32,
}

impl Default for BackendDefaults {
    fn default() -> Self {
        Self { threads: 1 }
    }
}

/// Where a statement of the pack stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackPlace {
    /// The file.
    pub path: Arc<Path>,
    /// The stretch of it.
    pub span: Span,
}

impl Default for PackPlace {
    fn default() -> Self {
        Self { path: Path::new("").into(), span: Span::default() }
    }
}

impl PackPlace {
    /// Whether both begin on the same line of the same file.
    #[must_use]
    pub fn is_on_line_of(&self, other: &Self) -> bool {
        self.path == other.path && self.span.start.line == other.span.start.line
    }
}

/// One entry of `routes.yaml` (specification, "Logsource router").
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// `logsource.category`, trimmed and in ASCII lower case.
    pub category: Option<String>,
    /// `logsource.product`, likewise.
    pub product: Option<String>,
    /// `logsource.service`, likewise.
    pub service: Option<String>,
    /// `when`: per field, the values (as text) of which every event that the rule matches must have one.
    pub when: BTreeMap<SigmaField, BTreeSet<String>>,
    /// `classes`, ascending.
    pub class_uids: Vec<ClassUid>,
    /// `filters`, in stored order.
    pub filters: Vec<RouteFilter>,
    /// The text columns that a search without a field looks at: those of the pack that states the route, of the packs
    /// that it extends and of those that extend it, by path. Empty for all of the routed classes.
    pub keywords: Vec<Column>,
    /// Where it stands.
    pub place: PackPlace,
}

/// A producer predicate (specification, "Producer predicates").
#[derive(Clone, Debug, PartialEq)]
pub struct RouteFilter {
    /// The attribute.
    pub path: OcsfPath,
    /// Its type, and whether a LIST lies on the way.
    pub field_type: FieldType,
    /// Whether a LIST lies on the way.
    pub list: bool,
    /// The operator.
    pub op: FilterOp,
    /// The value; an array for `in` and `nin`; null where `exists` has none.
    pub value: serde_json::Value,
    /// `notes`
    pub notes: Option<String>,
}

/// The operators of producer predicates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the specification's")]
pub enum FilterOp {
    Eq,
    Neq,
    In,
    Nin,
    Exists,
    Contains,
    Prefix,
    Suffix,
    Regex,
}

/// Which rules an alias is for. `None` is `*`, any.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AliasScope {
    /// `logsource.category`, lower case.
    pub category: Option<String>,
    /// `logsource.product`
    pub product: Option<String>,
    /// `logsource.service`
    pub service: Option<String>,
}

/// What a Sigma field is in OCSF.
#[derive(Clone, Debug)]
pub struct Alias {
    /// Where its values come from.
    pub target: Target,
    /// `values`: the rule's literal (as text, compared without case) to what is stored.
    pub values: BTreeMap<String, serde_json::Value>,
    /// `otherwise`: what becomes of a literal that `values` does not name.
    pub otherwise: Otherwise,
    /// `literal`: the type that the rule's literals are converted to at compile time.
    pub literal: Option<FieldType>,
    /// `classes`: the classes it is for; empty for all.
    pub class_uids: Vec<ClassUid>,
    /// Where it stands.
    pub place: PackPlace,
}

impl Alias {
    /// Whether both say the same on the same line of the same file.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let Self { target, values, otherwise, literal, class_uids, place } = self;
        (target, values, otherwise) == (&other.target, &other.values, &other.otherwise)
            && (literal, class_uids) == (&other.literal, &other.class_uids)
            && place.is_on_line_of(&other.place)
    }
}

/// What becomes of a literal that a value map does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Otherwise {
    /// The rule is `unsupported_value_type`.
    #[default]
    Refuse,
    /// It is compared as it is.
    Keep,
}

/// Where an alias finds its values.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// One attribute.
    Path(Column),
    /// Several attributes, any of which may match.
    AnyOf(Vec<Target>),
    /// A computed scalar; element by element where its columns share a LIST.
    Expr(Computed),
    /// A target for each class.
    PerClass(BTreeMap<ClassUid, Target>),
}

/// A column of the dotted view, with the type that comparisons see.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Column {
    /// The path, which is the column's name.
    pub path: OcsfPath,
    /// The type of its values.
    pub field_type: FieldType,
    /// Whether it is a LIST of them.
    pub list: bool,
}

/// A computed expression of a pack, parsed and typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Computed {
    /// As the pack writes it.
    pub text: String,
    /// What it says.
    pub scalar: Scalar,
    /// The type of its value.
    pub field_type: FieldType,
    /// Whether it is computed for each element of a LIST that its columns share.
    pub list: bool,
}

/// The scalar expressions that a pack may compute with. NULL in, NULL out, but for `coalesce`.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// A column.
    Column(Column),
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// `a || b || …`: text joined; NULL where any part is.
    Concat(Vec<Scalar>),
    /// `lower(x)`
    Lower(Box<Scalar>),
    /// `upper(x)`
    Upper(Box<Scalar>),
    /// `coalesce(a, b, …)`
    Coalesce(Vec<Scalar>),
    /// `replace(x, 'from', 'to')`
    Replace(Box<Scalar>, String, String),
    /// `split_part(x, 'separator', n)`, n from 1.
    SplitPart(Box<Scalar>, String, i64),
    /// `CAST(x AS VARCHAR)`
    ToText(Box<Scalar>),
    /// `CASE WHEN column IN (…) THEN x … ELSE y END`; NULL without arm and `ELSE`.
    Case(Box<Case>),
}

/// A choice by the value of one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The column: text or whole numbers, one value.
    pub column: Column,
    /// The first arm that has the column's value is taken.
    pub arms: Vec<CaseArm>,
    /// `ELSE`; NULL without.
    pub otherwise: Option<Scalar>,
}

/// An arm of a [`Case`].
#[derive(Clone, Debug, PartialEq)]
pub struct CaseArm {
    /// What the column has to be one of, compared exactly.
    pub values: CaseValues,
    /// The value then.
    pub then: Scalar,
}

/// The values that an arm of a [`Case`] is for, of the column's type. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseValues {
    /// Texts.
    Texts(BTreeSet<String>),
    /// Whole numbers.
    Integers(BTreeSet<i64>),
}
