//! The name under which a rule has its plan. Ids are the rule authors', and a name must not leave its folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::canonical;
use crate::sigma::Rule;

/// The longest id that is a file name as it is, in bytes.
const MAX_ID: usize = 120;

/// The names of a set's plans, in its order: `<rule id>`, where the rule has one that is safe as a file name.
///
/// Any other rule is `no-id~` and a hash of its place, so that its name holds as long as the rule stays where it is.
/// Of rules with one id, letters compared without case, the second is `<rule id>~2`, and so on. No id can have a `~`,
/// so that these cannot be taken.
#[must_use]
pub fn plan_names(rules: &[&Rule], roots: &RuleRoots) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut named = |rule: &&Rule| {
        let name = match rule.id() {
            Some(id) if is_safe(&id.0) => id.0.clone(),
            _ => unnamed(rule, roots),
        };
        let count = seen.entry(name.to_ascii_lowercase()).or_default();
        *count += 1;
        if *count == 1 { name } else { format!("{name}~{count}") }
    };
    rules.iter().map(&mut named).collect()
}

fn unnamed(rule: &Rule, roots: &RuleRoots) -> String {
    let place = format!("{}\0{}", roots.relative(&rule.path), rule.document);
    let digest = canonical::sha256(place.as_bytes());
    format!("no-id~{}", digest.get(..16).unwrap_or(&digest))
}

fn is_safe(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    id.len() <= MAX_ID
        && id.bytes().all(plain)
        && id.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

/// The files and folders that the user named, from which rules are told by relative paths: a bundle does not say
/// where on the machine they lay.
#[derive(Clone, Debug, Default)]
pub struct RuleRoots(Vec<PathBuf>);

impl RuleRoots {
    /// The roots that `paths` name.
    #[must_use]
    pub fn new(paths: &[PathBuf]) -> Self {
        // Files that are included are found with links followed.
        let real = paths.iter().filter_map(|path| path.canonicalize().ok());
        Self(paths.iter().cloned().chain(real).collect())
    }

    /// `path` below the root that it lies in, with `/` between names; as it is where it lies in none.
    #[must_use]
    pub fn relative(&self, path: &Path) -> String {
        let below = |root: &PathBuf| {
            let rest = path.strip_prefix(root).ok()?;
            if rest.as_os_str().is_empty() { path.file_name().map(Path::new) } else { Some(rest) }
        };
        let shown = self.0.iter().find_map(below).unwrap_or(path);
        shown.to_string_lossy().replace('\\', "/")
    }

    /// Whether a text names any of the roots, and so maybe a file below.
    pub(super) fn occurs_in(&self, text: &str) -> bool {
        self.0.iter().any(|root| text.contains(&*root.to_string_lossy()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::sigma;

    fn names(ids: &[&str]) -> Vec<String> {
        let text: Vec<String> = ids.iter().map(|id| format!("title: t\nid: {id:?}\n")).collect();
        let rules = sigma::parse(Path::new("rules/r.yml"), &text.join("---\n"));
        assert_eq!(rules.len(), ids.len());
        let rules: Vec<&Rule> = rules.iter().collect();
        plan_names(&rules, &RuleRoots::new(&[PathBuf::from("rules")]))
    }

    #[test]
    fn a_plain_id_is_its_own_name_and_others_of_it_are_counted() {
        let id = "5f1abf38-2d1d-4d4c-8d4a-0a5c1f3c2a11";
        assert_eq!(names(&[id, "B.x", "b.X", "b.X"]), [id, "B.x", "b.X~2", "b.X~3"]);
    }

    #[test]
    fn no_id_leads_out_of_the_folder_or_onto_another_plan() {
        let long = "a".repeat(200);
        let hostile =
            ["../../etc/passwd", "/abs", "a/b", "..", ".", "", "a~2", "no-id~x", "é", "a\nb", "a\0b", &long];
        let found = names(&hostile);
        for name in &found {
            assert!(name.starts_with("no-id~") && is_safe(&name.replace('~', "")), "{name}");
        }
        let distinct: std::collections::BTreeSet<_> = found.iter().collect();
        assert_eq!(distinct.len(), hostile.len());
        assert_eq!(found, names(&hostile));
    }

    #[test]
    fn paths_are_told_from_what_the_user_named() {
        let roots = RuleRoots::new(&[PathBuf::from("/r/rules"), PathBuf::from("/x/one.yml")]);
        assert_eq!(roots.relative(Path::new("/r/rules/a/b.yml")), "a/b.yml");
        assert_eq!(roots.relative(Path::new("/x/one.yml")), "one.yml");
        assert_eq!(roots.relative(Path::new("/elsewhere/c.yml")), "/elsewhere/c.yml");
    }
}
