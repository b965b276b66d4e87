//! YAML and SQL to roles, with syntect's grammars; its themes are not used.
//!
//! Loading the grammars and parsing take too long for the thread that draws: [`Highlighter`] lives on a worker, and
//! [`Highlights`] is what the screen keeps of its results.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use syntect::parsing::{ParseState, ScopeStack, SyntaxSet};

use super::theme::Role;

/// Bytes of a line that is still parsed. Longer ones are data, and grammars may take forever on them.
const LINE_LIMIT: usize = 4 * 1024;

/// Lines of a text that are parsed.
const LINES_LIMIT: usize = 5_000;

/// Texts that the screen remembers.
pub(crate) const REMEMBERED: usize = 64;

/// What most texts have of each language.
const SAMPLES: [(Language, &str); 2] = [
    (
        Language::Yaml,
        "# comment\ntitle: Text with words\nid: 5f0c9b1e-7a0e\nlogsource:\n    category: process_creation\ndetection:\n    \
         selection:\n        Image|endswith:\n            - '\\one.exe'\n            - \"two\"\n        Id: 1\n    \
         condition: selection and not 1 of filter_*\nlevel: high\n",
    ),
    (
        Language::Sql,
        "-- comment\nSELECT \"metadata.event_id\", count(*) FROM events\nWHERE (class_uid = 1 OR x IN (2, 3))\n  AND NOT \
         coalesce(contains(lower(\"a.b\"), 'text'), false)\nORDER BY \"time\"\n",
    ),
];

/// A language that is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// YAML.
    Yaml,
    /// SQL.
    Sql,
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            Self::Yaml => "YAML",
            Self::Sql => "SQL",
        }
    }

    /// The text as the grammar has to see it, byte for byte as long. DuckDB's strings have no escapes, the
    /// grammar's have: to it, a string that ends with a backslash would run on.
    fn as_read(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Yaml => Cow::Borrowed(text),
            Self::Sql => Cow::Owned(text.replace('\\', "_")),
        }
    }
}

/// One line: for each stretch, the byte where it ends and its role. What lies beyond the last is plain.
pub(crate) type LineRoles = Vec<(usize, Role)>;

/// A text's roles, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Highlighted {
    /// In what language it was read.
    pub language: Language,
    /// The text.
    pub text: Arc<str>,
    /// Its lines; those that are missing are plain.
    pub lines: Vec<LineRoles>,
}

/// Texts that have been coloured, newest first.
#[derive(Debug, Default)]
pub(crate) struct Highlights(VecDeque<Arc<Highlighted>>);

impl Highlights {
    /// The roles of `text`, where it has been coloured.
    pub(crate) fn get(&self, language: Language, text: &str) -> Option<&Arc<Highlighted>> {
        // Most texts are the same allocation, and need no look at their bytes.
        let is = |h: &Highlighted| std::ptr::eq(&*h.text, text) || *h.text == *text;
        self.0.iter().find(|h| h.language == language && is(h))
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Remembers one, and forgets the oldest.
    pub(crate) fn insert(&mut self, highlighted: Arc<Highlighted>) {
        self.0.push_front(highlighted);
        self.0.truncate(REMEMBERED);
    }
}

/// The grammars.
pub(crate) struct Highlighter {
    syntaxes: SyntaxSet,
}

impl Highlighter {
    /// Loads the grammars, and has them read a little: a pattern is compiled when it is first tried.
    pub(crate) fn load() -> Self {
        let highlighter = Self { syntaxes: SyntaxSet::load_defaults_newlines() };
        for (language, text) in SAMPLES {
            highlighter.highlight(language, text.into());
        }
        highlighter
    }

    /// Colours `text`. Where the grammar fails, the rest stays plain.
    pub(crate) fn highlight(&self, language: Language, text: Arc<str>) -> Highlighted {
        let mut lines = Vec::new();
        if let Some(syntax) = self.syntaxes.find_syntax_by_name(language.name()) {
            let mut state = (ParseState::new(syntax), ScopeStack::new());
            let read = language.as_read(&text);
            for line in read.split_inclusive('\n').take(LINES_LIMIT) {
                let Some(roles) = self.line(&mut state, line) else { break };
                lines.push(roles);
            }
        }
        Highlighted { language, text, lines }
    }

    fn line(&self, (parser, scopes): &mut (ParseState, ScopeStack), line: &str) -> Option<LineRoles> {
        if line.len() > LINE_LIMIT {
            return Some(Vec::new());
        }
        let changes = parser.parse_line(line, &self.syntaxes).ok()?;
        let length = line.trim_end_matches(['\r', '\n']).len();
        let mut roles = LineRoles::new();
        for (at, change) in changes {
            extend(&mut roles, at.min(length), role(scopes));
            scopes.apply(&change).ok()?;
        }
        extend(&mut roles, length, role(scopes));
        Some(roles)
    }
}

fn extend(roles: &mut LineRoles, end: usize, role: Role) {
    let start = roles.last().map_or(0, |(end, _)| *end);
    match roles.last_mut() {
        _ if end <= start => {}
        Some(last) if last.1 == role => last.0 = end,
        _ => roles.push((end, role)),
    }
}

/// The role of the innermost scope that has one.
fn role(scopes: &ScopeStack) -> Role {
    let names = scopes.as_slice().iter().rev().map(|scope| scope.build_string());
    // Quotes and comment marks look like what they enclose or begin.
    let mut telling = names.filter(|name| !name.starts_with("punctuation.definition."));
    telling.find_map(|name| role_of(&name)).unwrap_or(Role::Text)
}

/// The first entry whose prefix a scope has.
const SCOPES: &[(&str, Role)] = &[
    ("entity.name.tag", Role::SyntaxKey),
    ("comment", Role::SyntaxComment),
    ("string.unquoted", Role::Text),
    // A quoted identifier.
    ("string.quoted.double.sql", Role::Text),
    ("string", Role::SyntaxString),
    ("constant.numeric", Role::SyntaxNumber),
    ("constant", Role::SyntaxConstant),
    ("keyword.operator", Role::SyntaxPunctuation),
    ("keyword", Role::SyntaxKeyword),
    ("storage", Role::SyntaxKeyword),
    ("support.function", Role::SyntaxFunction),
    ("entity.name.function", Role::SyntaxFunction),
    ("punctuation", Role::SyntaxPunctuation),
];

fn role_of(scope: &str) -> Option<Role> {
    SCOPES.iter().find(|(prefix, _)| scope.starts_with(prefix)).map(|(_, role)| *role)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(language: Language, text: &str) -> Vec<Vec<(String, Role)>> {
        let highlighted = Highlighter::load().highlight(language, text.into());
        let mut lines = Vec::new();
        for (line, roles) in text.lines().zip(highlighted.lines) {
            let mut start = 0;
            let mut parts = Vec::new();
            for (end, role) in roles {
                parts.push((line.get(start..end).unwrap_or("?").to_owned(), role));
                start = end;
            }
            lines.push(parts);
        }
        lines
    }

    #[test]
    fn yaml_keys_strings_and_comments_have_their_roles() {
        let lines = roles(Language::Yaml, "title: 'x' # c\nn: 4\n");
        let line: Vec<_> = lines[0].iter().filter(|(text, _)| !text.trim().is_empty()).collect();
        assert_eq!(line[0], &("title".to_owned(), Role::SyntaxKey));
        assert!(line.contains(&&("'x'".to_owned(), Role::SyntaxString)));
        assert!(line.iter().any(|(text, role)| text == "# c" && *role == Role::SyntaxComment));
        assert!(lines[1].contains(&("4".to_owned(), Role::SyntaxNumber)));
    }

    #[test]
    fn sql_keywords_and_strings_have_their_roles() {
        let lines = roles(Language::Sql, "SELECT \"a\" FROM t WHERE b = 'x' -- c\n");
        assert!(lines[0].contains(&("SELECT".to_owned(), Role::SyntaxKeyword)));
        assert!(lines[0].contains(&("'x'".to_owned(), Role::SyntaxString)));
        assert!(lines[0].contains(&("-- c".to_owned(), Role::SyntaxComment)));
        assert!(lines[0].contains(&(" \"a\" ".to_owned(), Role::Text)));
    }

    #[test]
    fn a_backslash_ends_no_string_in_sql() {
        let lines = roles(Language::Sql, "WHERE a = 'C:\\' AND b = 1\n");
        assert!(lines[0].contains(&("'C:\\'".to_owned(), Role::SyntaxString)));
        assert!(lines[0].contains(&("1".to_owned(), Role::SyntaxNumber)));
    }

    #[test]
    fn long_lines_are_left_plain() {
        let lines = roles(Language::Yaml, &format!("a: {}\nb: 1\n", "'".repeat(1 << 20)));
        assert_eq!(lines[0], []);
        assert!(!lines[1].is_empty());
    }
}
