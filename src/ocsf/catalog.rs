//! The pinned catalog: which paths a class has, and of what type.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{Attribute, ClassUid, FieldType, OcsfPath, text};

/// Paths that every row has by contract, beside those of OCSF. All are text.
const ROW_CONTRACT: [&str; 4] =
    ["metadata.event_id", "metadata.run_id", "metadata.scenario_id", "metadata.source_type"];

/// How alike a segment has to be to be offered instead of one that does not exist, from 0 to 1.
const LIKENESS: f64 = 0.6;

/// How many objects down [`Catalog::text_leaves`] goes: as far as `process.file.path`.
const TEXT_DEPTH: usize = 2;

/// The classes and objects of one OCSF version.
#[derive(Debug)]
pub struct Catalog {
    pub(super) classes: BTreeMap<ClassUid, Class>,
    pub(super) objects: BTreeMap<&'static str, Members>,
}

pub(super) type Members = BTreeMap<&'static str, Member>;

#[derive(Debug)]
pub(super) struct Class {
    pub(super) name: &'static str,
    /// Those that differ from the attributes of the base event, class 0.
    pub(super) members: Members,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) kind: Kind,
    pub(super) list: bool,
    pub(super) deprecated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Leaf(FieldType),
    Object(&'static str),
}

/// Where a walk down a path has come to.
#[derive(Clone, Copy)]
enum Level<'a> {
    Class(&'a Class),
    Object(&'a Members),
}

impl Catalog {
    /// The embedded catalog, of the version [`OCSF_VERSION`](super::OCSF_VERSION).
    #[must_use]
    pub fn pinned() -> &'static Self {
        static PINNED: LazyLock<Catalog> = LazyLock::new(|| {
            text::parse(include_str!("ocsf-1.7.0.txt"))
                .expect("the embedded catalog is as generate.py wrote it")
        });
        &PINNED
    }

    /// What `path` is in events of `class`; `None` where the class does not have it, where it names an object and
    /// not a value, and for `raw.*`. JSON values are text. The paths that the row contract adds are in every class.
    #[must_use]
    pub fn resolve(&self, class: ClassUid, path: &OcsfPath) -> Option<Attribute> {
        let (mut list, mut deprecated, mut last) = (false, false, None);
        for step in self.steps(class, path.as_str())? {
            let step = step?;
            (list, deprecated, last) = (list || step.list, deprecated || step.deprecated, Some(step.kind));
        }
        match last {
            Some(Kind::Leaf(field_type)) => Some(Attribute { field_type, list, deprecated }),
            Some(Kind::Object(_)) => None,
            // Of the row contract.
            None => Some(Attribute { field_type: FieldType::String, list: false, deprecated: false }),
        }
    }

    /// The part of `path` up to and with its last LIST; `None` where it has none, or the class does not have it.
    /// Values whose paths share it come from the same elements.
    #[must_use]
    pub fn list_prefix(&self, class: ClassUid, path: &OcsfPath) -> Option<String> {
        let steps: Vec<Member> = self.steps(class, path.as_str())?.collect::<Option<_>>()?;
        let last = steps.iter().rposition(|step| step.list)?;
        Some(path.as_str().split('.').take(last + 1).collect::<Vec<_>>().join("."))
    }

    /// The name of a class, such as `process_activity`.
    #[must_use]
    pub fn class_name(&self, class: ClassUid) -> Option<&str> {
        self.classes.get(&class).map(|class| class.name)
    }

    /// Whether there is a class with this uid.
    #[must_use]
    pub fn has_class(&self, class: ClassUid) -> bool {
        self.classes.contains_key(&class)
    }

    /// All classes with their names, ascending by uid.
    pub fn classes(&self) -> impl Iterator<Item = (ClassUid, &str)> {
        self.classes.iter().map(|(uid, class)| (*uid, class.name))
    }

    /// The texts of a class, and whether each lies in a LIST: those at most two objects down, since
    /// objects hold each other without end. Deprecated ones and the text forms of timestamps are left out.
    #[must_use]
    pub fn text_leaves(&self, class: ClassUid) -> Vec<(OcsfPath, bool)> {
        let texts = self.leaves(class, TEXT_DEPTH).into_iter();
        texts
            .filter(|(path, attribute)| {
                attribute.field_type == FieldType::String && !path.as_str().ends_with("_dt")
            })
            .map(|(path, attribute)| (path, attribute.list))
            .collect()
    }

    /// The values of a class that lie at most `depth` objects down, by path. Deprecated ones are left out.
    #[must_use]
    pub fn leaves(&self, class: ClassUid, depth: usize) -> Vec<(OcsfPath, Attribute)> {
        let mut leaves = Vec::new();
        if let Some(class) = self.classes.get(&class) {
            self.collect_leaves(Level::Class(class), "", false, depth, &mut leaves);
        }
        leaves.sort_by(|(one, _), (other, _)| one.cmp(other));
        leaves
    }

    fn collect_leaves(
        &self,
        level: Level<'_>,
        prefix: &str,
        list: bool,
        depth: usize,
        leaves: &mut Vec<(OcsfPath, Attribute)>,
    ) {
        for (name, member) in self.members(level).filter(|(_, member)| !member.deprecated) {
            let (path, list) = (format!("{prefix}{name}"), list || member.list);
            match member.kind {
                Kind::Leaf(field_type) => {
                    leaves.push((OcsfPath(path), Attribute { field_type, list, deprecated: false }));
                }
                Kind::Object(_) if depth == 0 => {}
                Kind::Object(_) => {
                    if let Some(below) = self.below(member) {
                        self.collect_leaves(below, &format!("{path}."), list, depth - 1, leaves);
                    }
                }
            }
        }
    }

    /// The path of any of `classes` that is most like `path`, for "did you mean"; `None` where nothing is like it.
    #[must_use]
    pub fn nearest(&self, classes: &[ClassUid], path: &OcsfPath) -> Option<OcsfPath> {
        let candidates = classes.iter().filter_map(|class| self.nearest_in(*class, path));
        // Among equals the first class wins, so the answer does not depend on anything but the order given.
        let best = candidates.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(_, path)| path)
    }

    fn nearest_in(&self, class: ClassUid, path: &OcsfPath) -> Option<(f64, OcsfPath)> {
        let mut level = Some(Level::Class(self.classes.get(&class)?));
        let mut score = 1.0;
        let mut found: Vec<&str> = Vec::new();
        let mut last = None;
        for segment in path.as_str().split('.') {
            let (likeness, name, member) = self.most_like(level?, segment)?;
            score *= likeness;
            found.push(name);
            level = self.below(member);
            last = Some(member);
        }
        let leaf = last.is_some_and(|member| matches!(member.kind, Kind::Leaf(_)));
        leaf.then(|| (score, OcsfPath(found.join("."))))
    }

    fn most_like(&self, level: Level<'_>, segment: &str) -> Option<(f64, &'static str, Member)> {
        if let Some((name, member)) = self.member(level, segment) {
            return Some((1.0, name, member));
        }
        let rated = self
            .members(level)
            .map(|(name, member)| (strsim::normalized_damerau_levenshtein(name, segment), name, member));
        rated.filter(|(likeness, ..)| *likeness >= LIKENESS).reduce(
            |best, next| {
                if next.0 > best.0 { next } else { best }
            },
        )
    }

    /// Every step of a path, `None` for one that does not exist; no steps for a path of the row contract. `None` where
    /// there is no such class.
    fn steps<'a>(
        &'a self,
        class: ClassUid,
        path: &'a str,
    ) -> Option<impl Iterator<Item = Option<Member>> + 'a> {
        let mut level = Some(Level::Class(self.classes.get(&class)?));
        let segments = (!ROW_CONTRACT.contains(&path)).then(|| path.split('.'));
        Some(segments.into_iter().flatten().map(move |segment| {
            let (_, member) = self.member(level?, segment)?;
            level = self.below(member);
            Some(member)
        }))
    }

    fn below(&self, member: Member) -> Option<Level<'_>> {
        match member.kind {
            Kind::Leaf(_) => None,
            Kind::Object(name) => self.objects.get(name).map(Level::Object),
        }
    }

    fn member(&self, level: Level<'_>, name: &str) -> Option<(&'static str, Member)> {
        let found = match level {
            Level::Object(members) => members.get_key_value(name),
            Level::Class(class) => {
                class.members.get_key_value(name).or_else(|| self.common()?.get_key_value(name))
            }
        };
        found.map(|(name, member)| (*name, *member))
    }

    fn members<'a>(&'a self, level: Level<'a>) -> impl Iterator<Item = (&'static str, Member)> + 'a {
        let (own, common) = match level {
            Level::Object(members) => (members, None),
            Level::Class(class) => (&class.members, self.common()),
        };
        own.iter().chain(common.into_iter().flatten()).map(|(name, member)| (*name, *member))
    }

    fn common(&self) -> Option<&Members> {
        self.classes.get(&ClassUid(0)).map(|base| &base.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROCESS: ClassUid = ClassUid(1007);

    fn resolve(class: u32, path: &str) -> Option<Attribute> {
        Catalog::pinned().resolve(ClassUid(class), &OcsfPath(path.into()))
    }

    fn kind(class: u32, path: &str) -> Option<(FieldType, bool)> {
        resolve(class, path).map(|attribute| (attribute.field_type, attribute.list))
    }

    fn nearest(classes: &[u32], path: &str) -> Option<String> {
        let classes: Vec<_> = classes.iter().map(|uid| ClassUid(*uid)).collect();
        Catalog::pinned().nearest(&classes, &OcsfPath(path.into())).map(|path| path.0)
    }

    #[test]
    fn the_catalog_is_whole() {
        let catalog = Catalog::pinned();
        assert_eq!(catalog.classes().count(), 83);
        assert_eq!(catalog.objects.len(), 170);
        assert_eq!(catalog.class_name(PROCESS), Some("process_activity"));
        assert!(catalog.has_class(ClassUid(201_001)) && !catalog.has_class(ClassUid(7)));
        let members = catalog.classes.values().map(|class| &class.members).chain(catalog.objects.values());
        for member in members.flat_map(Members::values) {
            assert!(matches!(member.kind, Kind::Leaf(_)) || catalog.below(*member).is_some());
        }
    }

    #[test]
    fn well_known_paths_have_their_types() {
        let string = Some((FieldType::String, false));
        let integer = Some((FieldType::Integer, false));
        assert_eq!(kind(1007, "process.cmd_line"), string);
        assert_eq!(kind(1007, "device.hostname"), string);
        assert_eq!(kind(1007, "process.pid"), integer);
        assert_eq!(kind(1007, "class_uid"), integer);
        assert_eq!(kind(1007, "time"), Some((FieldType::Timestamp, false)));
        assert_eq!(kind(3002, "is_remote"), Some((FieldType::Boolean, false)));
        assert_eq!(kind(4003, "answers.rdata"), Some((FieldType::String, true)));
        assert_eq!(kind(1007, "process.parent_process.file.hashes.value"), Some((FieldType::String, true)));
        assert_eq!(kind(201_002, "reg_value.data"), string);
    }

    #[test]
    fn objects_that_contain_themselves_go_as_deep_as_the_path() {
        let path = format!("process{}.pid", ".parent_process".repeat(50));
        assert_eq!(kind(1007, &path), Some((FieldType::Integer, false)));
    }

    #[test]
    fn what_is_not_a_value_of_the_class_does_not_resolve() {
        for path in
            ["process", "process.nope", "process.pid.x", "raw.CallTrace", "raw_json", "", ".", "process."]
        {
            assert_eq!(resolve(1007, path), None, "{path}");
        }
        assert_eq!(resolve(4001, "process.pid"), None);
        assert_eq!(resolve(7, "time"), None);
    }

    #[test]
    fn the_row_contract_holds_in_every_class() {
        for (class, _) in Catalog::pinned().classes() {
            assert_eq!(kind(class.0, "metadata.source_type"), Some((FieldType::String, false)));
            assert!(resolve(class.0, "metadata.event_code").is_some());
        }
        assert_eq!(resolve(7, "metadata.event_id"), None);
    }

    #[test]
    fn a_class_may_redefine_an_attribute_of_the_base_event() {
        assert!(resolve(3001, "policy.name").is_some_and(|policy| policy.deprecated));
        assert!(resolve(3002, "policy.name").is_some_and(|policy| !policy.deprecated));
    }

    #[test]
    fn list_prefix_ends_with_the_last_list() {
        let prefix = |path: &str| Catalog::pinned().list_prefix(PROCESS, &OcsfPath(path.into()));
        assert_eq!(prefix("process.file.hashes.value").as_deref(), Some("process.file.hashes"));
        assert_eq!(prefix("process.file.hashes.algorithm").as_deref(), Some("process.file.hashes"));
        assert_eq!(prefix("process.loaded_modules").as_deref(), Some("process.loaded_modules"));
        assert_eq!(prefix("process.pid"), None);
        assert_eq!(prefix("metadata.event_id"), None);
    }

    #[test]
    fn the_nearest_path_is_found_segment_by_segment() {
        assert_eq!(nearest(&[1007], "process.cmdline").as_deref(), Some("process.cmd_line"));
        assert_eq!(nearest(&[1007], "proces.fil.path").as_deref(), Some("process.file.path"));
        assert_eq!(nearest(&[4001, 1007], "process.cmd_lin").as_deref(), Some("process.cmd_line"));
        assert_eq!(nearest(&[1007], "process.parent.pid"), None);
        assert_eq!(nearest(&[1007], "process.fil"), None);
        assert_eq!(nearest(&[1007], "zzz"), None);
        assert_eq!(nearest(&[], "time"), None);
    }
}
