//! `action: include`: a file with the rules of the files that it includes, which all lie in its rule folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::collection::parse_with;
use super::load::read_text;
use super::problem::{Problem, ProblemKind};
use super::rule::Rule;
use super::span::Spanned;

/// Files that one file may include, directly and through others, each time counted.
const MAX_FILES: usize = 64;

/// A rule file as loaded.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Its rules, and those of the files that it includes, in place.
    pub rules: Vec<Rule>,
    /// Every file that it includes, directly and through others, links followed.
    pub includes: BTreeSet<PathBuf>,
}

impl RuleFile {
    /// The file itself, links followed; as named where that cannot be done.
    pub(super) fn real(&self) -> PathBuf {
        follow(&self.path)
    }
}

fn follow(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// Loads a file of the rule folder `folder`.
pub(super) fn load(path: &Path, folder: &Path) -> RuleFile {
    let mut including = Including { folder, path, open: Vec::new(), includes: BTreeSet::new(), files: 0 };
    let rules = including.rules(path);
    RuleFile { path: path.to_path_buf(), rules, includes: including.includes }
}

struct Including<'a> {
    folder: &'a Path,
    /// The outermost file.
    path: &'a Path,
    /// The files that are being read within it, the innermost last, links followed.
    open: Vec<PathBuf>,
    includes: BTreeSet<PathBuf>,
    files: usize,
}

impl Including<'_> {
    fn rules(&mut self, path: &Path) -> Vec<Rule> {
        match read_text(path) {
            Ok(text) => parse_with(path, &text, &mut |filename| self.include(path, filename)),
            Err(unreadable) => vec![*unreadable],
        }
    }

    /// The rules of the file that `includer` calls `filename`.
    fn include(&mut self, includer: &Path, filename: &Spanned<String>) -> Result<Vec<Rule>, Problem> {
        let (real, shown) = self.locate(includer, filename)?;
        self.includes.insert(real.clone());
        if self.open.contains(&real) || follow(self.path) == real {
            let message = format!("`{}` includes this file again", filename.value);
            return Err(problem(filename, message, "remove one of the includes"));
        }
        self.files += 1;
        if self.files > MAX_FILES {
            let message = format!("more than {MAX_FILES} files are included");
            let problem = Problem::new(ProblemKind::Limit, filename.span, message);
            return Err(problem.with_help("name the files among the rules instead"));
        }
        self.open.push(real);
        let rules = self.rules(&shown);
        self.open.pop();
        Ok(rules)
    }

    /// The file with links followed, and under the name that the rule folder gives it.
    fn locate(&self, includer: &Path, filename: &Spanned<String>) -> Result<(PathBuf, PathBuf), Problem> {
        let named = includer.parent().unwrap_or(self.folder).join(&filename.value);
        let missing = |error: std::io::Error| {
            let message = format!("`{}` cannot be included: {error}", filename.value);
            problem(filename, message, "name a file relative to this one")
        };
        let folder = self.folder.canonicalize().map_err(missing)?;
        let real = named.canonicalize();
        // Outside, a file that exists and one that does not are told the same.
        let inside = real.as_ref().map_or(!leaves(&filename.value), |real| real.starts_with(&folder));
        if !inside {
            let message = format!("`{}` lies outside the rule folder", filename.value);
            return Err(problem(filename, message, "include only files below the folder that is loaded"));
        }
        let real = real.map_err(missing)?;
        let below = real.strip_prefix(&folder).unwrap_or(&real);
        let shown = self.folder.join(below);
        Ok((real, shown))
    }
}

/// Whether a name points away from the folder it is named in.
fn leaves(filename: &str) -> bool {
    Path::new(filename).components().any(|part| {
        use std::path::Component;
        !matches!(part, Component::Normal(_) | Component::CurDir)
    })
}

fn problem(filename: &Spanned<String>, message: String, help: &str) -> Problem {
    Problem::new(ProblemKind::Collection, filename.span, message).with_help(help)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::fs;

    use super::*;
    use crate::sigma;

    fn rule(title: &str) -> String {
        format!("title: {title}\nlogsource: {{category: c}}\ndetection: {{s: {{A: x}}, condition: s}}\n")
    }

    fn include(filename: &str) -> String {
        format!("action: include\nfilename: {filename}\n")
    }

    fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    /// Title and first error of each rule, in order.
    fn loaded(paths: &[PathBuf]) -> Vec<(String, Option<String>)> {
        let error = |rule: &Rule| rule.problems.first().map(|problem| problem.message.clone());
        sigma::load(paths).iter().map(|rule| (rule.title(), error(rule))).collect()
    }

    fn titles(folder: &tempfile::TempDir) -> Vec<String> {
        loaded(&[folder.path().to_path_buf()]).into_iter().map(|(title, _)| title).collect()
    }

    #[test]
    fn rules_of_another_file_stand_in_place_and_once() {
        let a = format!("{}---\n{}---\n{}", rule("first"), include("sub/b.yml"), rule("last"));
        let folder = folder(&[("a.yml", a), ("sub/b.yml", rule("middle")), ("sub/c.yml", rule("other"))]);
        assert_eq!(titles(&folder), ["first", "middle", "last", "other"]);
        let rules = sigma::load(&[folder.path().to_path_buf()]);
        assert_eq!(&*rules[1].path, folder.path().join("sub/b.yml"));
        assert!(rules[1].text.contains("middle"));
    }

    #[test]
    fn what_is_global_stays_in_its_file() {
        let a = format!("action: global\nlevel: high\n---\n{}---\n{}", include("b.yml"), rule("own"));
        let folder = folder(&[("a.yml", a), ("b.yml", rule("included"))]);
        let rules = sigma::load(&[folder.path().to_path_buf()]);
        let levels: Vec<bool> = rules.iter().map(|rule| rule.metadata.level.is_some()).collect();
        assert_eq!(levels, [false, true]);
    }

    #[test]
    fn a_file_of_a_sub_folder_may_climb_within_the_rule_folder() {
        let folder = folder(&[("sub/a.yml", include("../b.yml")), ("b.yml", rule("b"))]);
        assert_eq!(titles(&folder), ["b"]);
        let alone = loaded(&[folder.path().join("sub/a.yml")]);
        assert!(alone[0].1.as_ref().unwrap().contains("outside the rule folder"), "{alone:?}");
    }

    #[test]
    fn files_outside_cannot_be_included_nor_told_apart() {
        let outside = folder(&[("secret.yml", rule("secret"))]);
        let secret = outside.path().join("secret.yml").display().to_string();
        for name in [secret.as_str(), "/nowhere/at/all.yml", "../../../../../../etc/passwd", "../none.yml"] {
            let folder = folder(&[("a.yml", include(name))]);
            let found = loaded(&[folder.path().to_path_buf()]);
            assert_eq!(found.len(), 1);
            assert!(found[0].1.as_ref().unwrap().ends_with("lies outside the rule folder"), "{found:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_outside() {
        let outside = folder(&[("secret.yml", rule("secret"))]);
        let folder = folder(&[("a.yml", include("link.txt"))]);
        std::os::unix::fs::symlink(outside.path().join("secret.yml"), folder.path().join("link.txt"))
            .unwrap();
        let found = loaded(&[folder.path().join("a.yml")]);
        assert!(found[0].1.as_ref().unwrap().contains("outside"), "{found:?}");
    }

    #[test]
    fn circles_and_missing_files_are_named_at_their_line() {
        let folder =
            folder(&[("a.yml", include("b.yml")), ("b.yml", include("a.yml")), ("c.yml", include("d.yml"))]);
        let rules = sigma::load(&[folder.path().to_path_buf()]);
        assert_eq!(rules.len(), 3, "{rules:?}");
        for rule in &rules {
            assert_eq!(rule.problems[0].kind, ProblemKind::Collection);
            assert_eq!(rule.problems[0].span.start.line, 2);
        }
    }

    #[test]
    fn the_number_of_included_files_is_limited() {
        let twice = |name: &str| format!("{}---\n{}", include(name), include(name));
        let mut files: Vec<(String, String)> =
            (0..12).map(|n| (format!("f{n:02}.yml"), twice(&format!("f{:02}.yml", n + 1)))).collect();
        files.push(("f12.yml".to_owned(), rule("leaf")));
        let files: Vec<(&str, String)> =
            files.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
        let folder = folder(&files);
        let found = sigma::load_file(&folder.path().join("f00.yml"));
        assert!(found.len() < 200);
        assert!(found.iter().any(|rule| rule.problems.iter().any(|p| p.kind == ProblemKind::Limit)));
    }
}
