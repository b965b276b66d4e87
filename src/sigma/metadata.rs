//! Everything of a rule but its logic. An odd value here is a warning and never refuses a rule.

use super::problem::{Problem, ProblemKind};
use super::rule::{Level, LogSource, Metadata, Related, RuleId, Status};
use super::span::Spanned;
use super::yaml::{Node, NodeKind};

/// The characters that a title may have.
const MAX_TITLE: usize = 256;

/// The keys of a document that are read elsewhere.
const LOGIC: [&str; 5] = ["logsource", "detection", "correlation", "filter", "action"];

/// What `related.type` may say; the old specification had `obsoletes`.
const RELATIONS: [&str; 6] = ["derived", "obsolete", "obsoletes", "merged", "renamed", "similar"];

/// Reads the metadata of a document.
pub(super) fn metadata(document: &Node, problems: &mut Vec<Problem>) -> Metadata {
    let mut metadata = Metadata::default();
    for (key, node) in document.entries() {
        let mut reader = Reader { key, node, problems };
        reader.read(&mut metadata);
    }
    metadata
}

/// Reads one key of a document.
struct Reader<'a> {
    key: &'a Spanned<String>,
    node: &'a Node,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn read(&mut self, metadata: &mut Metadata) {
        match self.key.value.as_str() {
            "title" => metadata.title = self.title(),
            "id" => metadata.id = self.id(),
            "name" => metadata.name = self.text(),
            "related" => metadata.related = self.related(),
            "taxonomy" => metadata.taxonomy = self.text(),
            "status" => metadata.status = self.status(),
            "description" => metadata.description = self.text(),
            "license" => metadata.license = self.text(),
            "author" => metadata.author = self.text(),
            "references" => metadata.references = self.texts(),
            "date" => metadata.date = self.date(),
            "modified" => metadata.modified = self.date(),
            "fields" => metadata.fields = self.texts(),
            "falsepositives" => metadata.falsepositives = self.texts(),
            "level" => metadata.level = self.level(),
            "tags" => metadata.tags = self.tags(),
            "scope" => metadata.scope = self.texts(),
            key if LOGIC.contains(&key) => {}
            key => {
                metadata.custom.insert(key.to_owned(), self.node.clone());
            }
        }
    }

    fn warn(&mut self, node: &Node, message: String, help: &str) {
        self.problems.push(Problem::new(ProblemKind::Metadata, node.span, message).with_help(help));
    }

    fn text(&mut self) -> Option<Spanned<String>> {
        self.text_of(self.node)
    }

    /// The text of a scalar; nothing for null.
    fn text_of(&mut self, node: &Node) -> Option<Spanned<String>> {
        if !matches!(node.kind, NodeKind::Sequence(_) | NodeKind::Mapping(_)) {
            return node.scalar_text().map(|text| Spanned::new(text, node.span));
        }
        let message = format!("`{}` takes text, not {}", self.key.value, node.type_name());
        self.warn(node, message, "write it as text");
        None
    }

    /// The texts of a list, or the one text that stands in its place.
    fn texts(&mut self) -> Vec<Spanned<String>> {
        match &self.node.kind {
            NodeKind::Sequence(items) => items.iter().filter_map(|item| self.text_of(item)).collect(),
            _ => self.text().into_iter().collect(),
        }
    }

    fn title(&mut self) -> Option<Spanned<String>> {
        let title = self.text().filter(|title| !title.value.trim().is_empty())?;
        let length = title.value.chars().count();
        if length > MAX_TITLE {
            let message = format!("the title has {length} characters, more than {MAX_TITLE}");
            self.warn(self.node, message, "shorten it; the description has room");
        }
        Some(title)
    }

    fn id(&mut self) -> Option<Spanned<RuleId>> {
        let id = self.text()?;
        if !is_uuid(&id.value) {
            let message = format!("`{}` is not a UUID", id.value);
            self.warn(self.node, message, "give the rule a random UUID (version 4)");
        }
        Some(id.map(RuleId))
    }

    fn status(&mut self) -> Option<Spanned<Status>> {
        let text = self.text()?;
        let status = match text.value.to_ascii_lowercase().as_str() {
            "stable" => Status::Stable,
            "test" | "testing" => Status::Test,
            "experimental" => Status::Experimental,
            "deprecated" => Status::Deprecated,
            "unsupported" => Status::Unsupported,
            _ => {
                let message = format!("`{}` is not a status", text.value);
                self.warn(self.node, message, "one of: stable, test, experimental, deprecated, unsupported");
                return None;
            }
        };
        Some(Spanned::new(status, text.span))
    }

    fn level(&mut self) -> Option<Spanned<Level>> {
        let text = self.text()?;
        let level = match text.value.to_ascii_lowercase().as_str() {
            "informational" => Level::Informational,
            "low" => Level::Low,
            "medium" => Level::Medium,
            "high" => Level::High,
            "critical" => Level::Critical,
            _ => {
                let message = format!("`{}` is not a level", text.value);
                self.warn(self.node, message, "one of: informational, low, medium, high, critical");
                return None;
            }
        };
        Some(Spanned::new(level, text.span))
    }

    fn date(&mut self) -> Option<Spanned<String>> {
        let date = self.text()?;
        if !is_date(&date.value) {
            let message = format!("`{}` is not a date", date.value);
            self.warn(self.node, message, "write it as YYYY-MM-DD");
        }
        Some(date)
    }

    fn tags(&mut self) -> Vec<Spanned<String>> {
        let tags = self.texts();
        for tag in &tags {
            if !tag.value.split_once('.').is_some_and(|(space, name)| !space.is_empty() && !name.is_empty()) {
                let message = format!("the tag `{}` has no namespace", tag.value);
                let problem = Problem::new(ProblemKind::Metadata, tag.span, message);
                self.problems.push(problem.with_help("put one before it and a dot, such as `attack.`"));
            }
        }
        tags
    }

    fn related(&mut self) -> Vec<Related> {
        let entries = match &self.node.kind {
            NodeKind::Sequence(items) => items.as_slice(),
            NodeKind::Null => &[],
            _ => std::slice::from_ref(self.node),
        };
        entries.iter().filter_map(|entry| self.relation(entry)).collect()
    }

    fn relation(&mut self, entry: &Node) -> Option<Related> {
        let part = |key| entry.get(key).and_then(|node| Some(Spanned::new(node.scalar_text()?, node.span)));
        let (Some(id), Some(kind)) = (part("id"), part("type")) else {
            let message = "an entry of `related` takes an `id` and a `type`".to_owned();
            self.warn(entry, message, "write `- id: …` and `type: …` below it");
            return None;
        };
        if !RELATIONS.contains(&kind.value.to_ascii_lowercase().as_str()) {
            let message = format!("`{}` is not a relation between rules", kind.value);
            let problem = Problem::new(ProblemKind::Metadata, kind.span, message);
            self.problems.push(problem.with_help("one of: derived, obsolete, merged, renamed, similar"));
        }
        Some(Related { id: id.map(RuleId), kind })
    }
}

fn is_uuid(text: &str) -> bool {
    let groups = text.as_bytes().split(|byte| *byte == b'-');
    groups.clone().map(<[u8]>::len).eq([8, 4, 4, 4, 12]) && groups.flatten().all(u8::is_ascii_hexdigit)
}

/// `YYYY-MM-DD`, or `YYYY/MM/DD` as older rules have it.
fn is_date(text: &str) -> bool {
    let separator = if text.contains('/') { '/' } else { '-' };
    let mut parts = text.split(separator);
    let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let well_formed =
        [(year, 4), (month, 2), (day, 2)].iter().all(|(text, n)| text.len() == *n && digits(text));
    let date = (year.parse(), month.parse(), day.parse());
    well_formed
        && matches!(date, (Ok(year), Ok(month), Ok(day)) if jiff::civil::Date::new(year, month, day).is_ok())
}

/// Reads a `logsource` block. Its shape decides the routing, so a wrong one is an error.
pub(super) fn logsource(node: &Node, problems: &mut Vec<Problem>) -> LogSource {
    let mut logsource = LogSource { span: node.span, ..LogSource::default() };
    if !matches!(node.kind, NodeKind::Mapping(_)) {
        let message = format!("`logsource` takes a map, not {}", node.type_name());
        problems.push(
            Problem::new(ProblemKind::Parse, node.span, message)
                .with_help("give it `category`, `product` or `service`"),
        );
    }
    for (key, value) in node.entries() {
        let slot = match key.value.as_str() {
            "category" => &mut logsource.category,
            "product" => &mut logsource.product,
            "service" => &mut logsource.service,
            "definition" => &mut logsource.definition,
            custom => {
                logsource.custom.insert(custom.to_owned(), flat_text(value));
                continue;
            }
        };
        *slot = value.scalar_text().map(|text| Spanned::new(text, value.span));
        if slot.is_none() && !value.is_null() && key.value != "definition" {
            let message = format!("`{}` takes text, not {}", key.value, value.type_name());
            problems.push(Problem::new(ProblemKind::Parse, value.span, message));
        }
    }
    logsource
}

/// A value that nothing depends on, as text.
fn flat_text(node: &Node) -> String {
    let texts = node.items().iter().filter_map(Node::scalar_text);
    node.scalar_text().unwrap_or_else(|| texts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::sigma::yaml;

    fn read(text: &str) -> (Metadata, Vec<Problem>) {
        let mut problems = Vec::new();
        let metadata = metadata(&yaml::parse(text).unwrap()[0], &mut problems);
        (metadata, problems)
    }

    #[test]
    fn every_field_is_read() {
        let text = "title: T\nid: 7aa7009a-28b9-4344-8c1f-159489a390df\nname: short\nrelated:\n  - id: x\n    \
                    type: obsoletes\ntaxonomy: sigma\nstatus: testing\ndescription: |\n  D\nlicense: MIT\n\
                    author: A\nreferences: https://example.org\ndate: 2024-01-31\nmodified: 2024/02/29\n\
                    fields: [F, G]\nfalsepositives: [None known]\nlevel: critical\ntags: [attack.t1059]\n\
                    scope: server\nlogsource: {}\ndetection: {}\nrun_book: {a: 1}\n";
        let (metadata, problems) = read(text);
        assert_eq!(problems, []);
        assert_eq!(metadata.title.unwrap().value, "T");
        assert_eq!(metadata.name.unwrap().value, "short");
        assert_eq!(metadata.related[0].kind.value, "obsoletes");
        assert_eq!(metadata.status.unwrap().value, Status::Test);
        assert_eq!(metadata.description.unwrap().value, "D\n");
        assert_eq!(metadata.references[0].value, "https://example.org");
        assert_eq!(metadata.date.unwrap().value, "2024-01-31");
        assert_eq!(metadata.fields.len(), 2);
        assert_eq!(metadata.level.unwrap().value, Level::Critical);
        assert_eq!(metadata.scope[0].value, "server");
        assert_eq!(metadata.custom.keys().collect::<Vec<_>>(), ["run_book"]);
    }

    #[test]
    fn an_odd_value_is_a_warning_at_the_value() {
        let long = format!("title: {}", "é".repeat(257));
        for (text, place) in [
            ("id: 5", "5"),
            ("id: 7aa7009a-28b9-4344-8c1f-159489a390dg", "7aa7009a-28b9-4344-8c1f-159489a390dg"),
            ("status: stabil", "stabil"),
            ("level: '9'", "'9'"),
            ("date: 31.01.2024", "31.01.2024"),
            ("date: 2023-02-29", "2023-02-29"),
            ("modified: 2024-1-1", "2024-1-1"),
            ("tags: [attack.t1059, oops]", "oops"),
            ("tags: [.x]", ".x"),
            ("related: [{id: x, type: cousin}]", "cousin"),
            ("related: [{id: x}]", "{id: x}"),
            ("related: x", "x"),
            ("author: [A, B]", "[A, B]"),
            (&long, &long[7..]),
        ] {
            let (_, problems) = read(text);
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
            assert_eq!(problems[0].kind, ProblemKind::Metadata, "{text}");
            assert_eq!(problems[0].span.slice(text), Some(place), "{text}");
            assert!(problems[0].help.is_some(), "{text}");
        }
        assert_eq!(read("title:\nfalsepositives:\nrelated:\n").1, []);
    }

    #[test]
    fn a_log_source_keeps_what_it_says() {
        let node = yaml::parse("category: c\nproduct: 5\nservice:\ndefinition: d\nvendor: [a, b]\n")
            .unwrap()
            .remove(0);
        let mut problems = Vec::new();
        let source = logsource(&node, &mut problems);
        assert_eq!(problems, []);
        assert_eq!(source.category.unwrap().value, "c");
        assert_eq!(source.product.unwrap().value, "5");
        assert_eq!(source.service, None);
        assert_eq!(source.custom["vendor"], "a, b");
        for text in ["category: [a]", "- a", "text"] {
            let mut problems = Vec::new();
            logsource(&yaml::parse(text).unwrap()[0], &mut problems);
            assert_eq!(problems.len(), 1, "{text}");
            assert_eq!(problems[0].kind, ProblemKind::Parse);
        }
    }
}
