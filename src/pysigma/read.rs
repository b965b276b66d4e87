//! A pipeline read from YAML. What pySigma itself would refuse is an error; what a pack cannot say is not looked at.

use std::path::Path;

use super::expression::Expression;
use super::notes::{KEYWORDS, Notes, SYNTAX, TRANSFORMATION};
use super::pipeline::*;
use crate::sigma::yaml::{self, Node, NodeKind};
use crate::sigma::{Span, Spanned};

/// The memory that a pattern of `mode: re` may take when compiled, in bytes.
const MAX_PATTERN: usize = 1 << 20;
/// How deep `nest` may lie in `nest`.
const MAX_NESTING: usize = 8;

/// Reads a pipeline; `None` where it is none.
pub(super) fn read(text: &str, notes: &mut Notes) -> Option<Pipeline> {
    let documents = match yaml::parse(text) {
        Ok(documents) => documents,
        Err(problem) => {
            notes.raise(&SYNTAX, problem.span, problem.message);
            return None;
        }
    };
    let pipeline = match documents.as_slice() {
        [node] => Reader { notes, depth: 0 }.pipeline(node),
        _ => {
            notes.raise(&SYNTAX, Span::START, "a pipeline is one YAML document");
            return None;
        }
    };
    notes.is_sound().then_some(pipeline)
}

/// What the pipeline is called where it has no name: the file.
pub(super) fn file_name(path: &Path) -> String {
    path.file_stem().map_or_else(|| "pipeline".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

struct Reader<'n> {
    notes: &'n mut Notes,
    depth: usize,
}

impl Reader<'_> {
    fn refuse(&mut self, span: Span, message: impl Into<String>) {
        self.notes.raise(&SYNTAX, span, message);
    }

    fn pipeline(&mut self, node: &Node) -> Pipeline {
        if !matches!(node.kind, NodeKind::Mapping(_)) {
            self.refuse(node.span, format!("a pipeline is a map, and this is {}", node.type_name()));
        }
        let mut pipeline = Pipeline::default();
        for (key, value) in node.entries() {
            match key.value.as_str() {
                "name" => pipeline.name = value.scalar_text(),
                "vars" => pipeline.vars = self.vars(value),
                "transformations" => pipeline.items = self.items(value),
                "priority" | "allowed_backends" => {}
                "postprocessing" | "finalizers" => {
                    if !value.items().is_empty() {
                        let message = format!("`{}` shapes queries of pySigma; a pack has none", key.value);
                        self.notes.raise(&TRANSFORMATION, key.span, message);
                    }
                }
                other => self.refuse(key.span, format!("a pipeline has no key `{other}`")),
            }
        }
        pipeline
    }

    fn vars(&mut self, node: &Node) -> Vec<(Spanned<String>, Vec<String>)> {
        let values = |node: &Node| match &node.kind {
            NodeKind::Sequence(items) => items.iter().map(Node::scalar_text).collect::<Option<Vec<_>>>(),
            _ => node.scalar_text().map(|text| vec![text]),
        };
        let mut vars = Vec::new();
        for (name, value) in node.entries() {
            match values(value) {
                Some(values) => vars.push((name.clone(), values)),
                None => {
                    let message = format!("the variable `{}` is no text and no list of texts", name.value);
                    self.notes.raise(&TRANSFORMATION, value.span, message);
                }
            }
        }
        vars
    }

    fn items(&mut self, node: &Node) -> Vec<Item> {
        if !matches!(node.kind, NodeKind::Sequence(_) | NodeKind::Null) {
            self.refuse(node.span, format!("expected a list of items, and this is {}", node.type_name()));
        }
        node.items().iter().filter_map(|item| self.item(item)).collect()
    }

    fn item(&mut self, node: &Node) -> Option<Item> {
        let Some(kind) = node.get("type").and_then(Node::as_str) else {
            self.refuse(node.span, "an item is a map with a `type`");
            return None;
        };
        let transformation = self.transformation(kind, node)?;
        let rule = self.group(node, "rule_cond", "rule_conditions", Self::rule_condition);
        let field = self.group(node, "field_name_cond", "field_name_conditions", Self::field_condition);
        Some(Item {
            id: node.get("id").and_then(Node::scalar_text),
            span: node.get("type").map_or(node.span, |kind| kind.span),
            kind: kind.to_owned(),
            transformation,
            rule,
            field,
            values: value_conditions(node),
        })
    }

    fn transformation(&mut self, kind: &str, node: &Node) -> Option<Transformation> {
        Some(match kind {
            "field_name_mapping" => Transformation::Mapping(self.names(node, "mapping")?),
            "field_name_prefix_mapping" => Transformation::PrefixMapping(self.names(node, "mapping")?),
            "field_name_prefix" => Transformation::Prefix(self.text(node, "prefix")?),
            "field_name_suffix" => Transformation::Suffix(self.text(node, "suffix")?),
            "add_condition" => Transformation::AddCondition {
                conditions: node.get("conditions").map(|node| node.entries().to_vec()).unwrap_or_default(),
                negated: is_true(node.get("negated")),
                template: is_true(node.get("template")),
            },
            "change_logsource" => Transformation::ChangeLogSource(logsource(node)),
            "set_state" => {
                Transformation::SetState(self.text(node, "key")?, node.get("val").and_then(Node::scalar_text))
            }
            "map_string" => Transformation::MapString(self.required(node, "mapping")?.entries().to_vec()),
            "convert_type" => match self.text(node, "target_type")?.as_str() {
                "num" => Transformation::Convert(Conversion::Number),
                _ => Transformation::Convert(Conversion::Text),
            },
            "value_placeholders" => {
                let names = |key| node.get(key).filter(|node| !node.is_null()).map(texts);
                Transformation::Placeholders {
                    include: names("include"),
                    exclude: names("exclude").unwrap_or_default(),
                }
            }
            "rule_failure" => Transformation::RuleFailure,
            "detection_item_failure" => Transformation::ItemFailure,
            "strict_field_mapping_failure" => Transformation::AsPacksDo,
            // Sigma's comparisons leave case aside, with the stored value as with the keys of a value map.
            "case" if node.get("method").and_then(Node::as_str) != Some("snake_case") => {
                Transformation::AsPacksDo
            }
            "nest" => self.nest(node)?,
            "drop_detection_item"
            | "hashes_fields"
            | "extract_fields"
            | "replace_string"
            | "regex"
            | "set_value"
            | "case"
            | "field_name_transform" => Transformation::ChangesRules,
            "wildcard_placeholders"
            | "query_expression_placeholders"
            | "file_placeholders"
            | "http_placeholders"
            | "command_placeholders" => Transformation::ChangesPlaceholders,
            "add_field" | "remove_field" | "set_field" | "set_custom_attribute" => {
                Transformation::ChangesOutput
            }
            other => {
                let span = node.get("type").map_or(node.span, |kind| kind.span);
                self.refuse(span, format!("pySigma has no transformation `{other}`"));
                return None;
            }
        })
    }

    fn nest(&mut self, node: &Node) -> Option<Transformation> {
        if self.depth == MAX_NESTING {
            self.refuse(node.span, format!("`nest` lies in `nest` more than {MAX_NESTING} times"));
            return None;
        }
        let items = self.required(node, "items")?;
        self.depth += 1;
        let items = self.items(items);
        self.depth -= 1;
        Some(Transformation::Nest(items))
    }

    fn required<'n>(&mut self, node: &'n Node, key: &str) -> Option<&'n Node> {
        let value = node.get(key);
        if value.is_none() {
            self.refuse(node.span, format!("the item has no `{key}`"));
        }
        value
    }

    fn text(&mut self, node: &Node, key: &str) -> Option<String> {
        let value = self.required(node, key)?;
        let text = value.scalar_text();
        if text.is_none() {
            self.refuse(value.span, format!("`{key}` is text, and this is {}", value.type_name()));
        }
        text
    }

    /// Names to names: each to one or to several.
    fn names(&mut self, node: &Node, key: &str) -> Option<Vec<(Spanned<String>, Vec<String>)>> {
        let node = self.required(node, key)?;
        let mut names = Vec::new();
        for (name, target) in node.entries() {
            if matches!(name.value.as_str(), "null" | "~" | "") {
                self.notes.raise(&KEYWORDS, name.span, "searches without a field are mapped here");
                continue;
            }
            match &target.kind {
                NodeKind::Null => {}
                NodeKind::Sequence(_) => names.push((name.clone(), texts(target))),
                NodeKind::String(text) => names.push((name.clone(), vec![text.clone()])),
                _ => self.refuse(target.span, format!("a field's name, and this is {}", target.type_name())),
            }
        }
        Some(names)
    }

    /// Conditions under `key`, joined as the keys with `prefix` say.
    fn group<C>(
        &mut self,
        node: &Node,
        prefix: &str,
        key: &str,
        read: impl Fn(&mut Self, &str, &Node) -> Option<C>,
    ) -> Group<C> {
        let all = node.get(key);
        let named: Vec<(String, &Node)> = match all.map(|node| &node.kind) {
            None => Vec::new(),
            Some(NodeKind::Mapping(entries)) => {
                entries.iter().map(|(name, node)| (name.value.clone(), node)).collect()
            }
            Some(NodeKind::Sequence(items)) => items.iter().map(|node| (String::new(), node)).collect(),
            Some(_) => {
                self.refuse(node.span, format!("`{key}` is a list or a map of conditions"));
                Vec::new()
            }
        };
        let mut conditions = Vec::new();
        for (name, node) in named {
            match node.get("type").and_then(Node::as_str) {
                Some(kind) => conditions.extend(read(self, kind, node).map(|condition| (name, condition))),
                None => self.refuse(node.span, "a condition is a map with a `type`"),
            }
        }
        let link = self.link(node, prefix, &conditions);
        let negated = is_true(node.get(&format!("{prefix}_not")));
        Group { conditions, link, negated, span: all.map_or(node.span, |node| node.span) }
    }

    fn link<C>(&mut self, node: &Node, prefix: &str, conditions: &[(String, C)]) -> Link {
        if let Some(node) = node.get(&format!("{prefix}_expr")).filter(|node| !node.is_null()) {
            match Expression::parse(node.as_str().unwrap_or_default()) {
                Ok(expression) => {
                    let unknown = expression
                        .names()
                        .into_iter()
                        .find(|name| conditions.iter().all(|(own, _)| own != name));
                    if let Some(name) = unknown {
                        self.refuse(node.span, format!("there is no condition `{name}`"));
                    }
                    return Link::Expression(expression);
                }
                Err(message) => self.refuse(node.span, message),
            }
        }
        match node.get(&format!("{prefix}_op")).and_then(Node::as_str) {
            Some("or") => Link::Any,
            _ => Link::All,
        }
    }

    fn rule_condition(&mut self, kind: &str, node: &Node) -> Option<RuleCondition> {
        Some(match kind {
            "logsource" => RuleCondition::LogSource(logsource(node)),
            "processing_item_applied" => RuleCondition::Applied(self.text(node, "processing_item_id")?),
            "processing_state" => RuleCondition::State(self.state(node)?),
            "is_sigma_rule" => RuleCondition::Constant(true),
            "is_sigma_correlation_rule" => RuleCondition::Constant(false),
            "contains_field" | "contains_detection_item" => RuleCondition::Uses(self.text(node, "field")?),
            "tag" | "rule_attribute" => RuleCondition::Content,
            other => {
                self.refuse(node.span, format!("pySigma has no condition `{other}` on rules"));
                return None;
            }
        })
    }

    fn field_condition(&mut self, kind: &str, node: &Node) -> Option<FieldCondition> {
        Some(match kind {
            "include_fields" | "exclude_fields" => {
                let fields = texts(self.required(node, "fields")?);
                let negated = kind == "exclude_fields";
                if node.get("mode").and_then(Node::as_str) == Some("re") {
                    let patterns = fields.iter().map(|pattern| pattern_of(pattern)).collect();
                    return Some(FieldCondition::Matched { patterns, negated });
                }
                FieldCondition::Named { fields, negated }
            }
            "processing_item_applied" => FieldCondition::Applied(self.text(node, "processing_item_id")?),
            "processing_state" => FieldCondition::State(self.state(node)?),
            other => {
                self.refuse(node.span, format!("pySigma has no condition `{other}` on field names"));
                return None;
            }
        })
    }

    fn state(&mut self, node: &Node) -> Option<StateTest> {
        Some(StateTest {
            key: self.text(node, "key")?,
            value: node.get("val").and_then(Node::scalar_text),
            op: node.get("op").and_then(Node::as_str).unwrap_or("eq").to_owned(),
        })
    }
}

/// A pattern as Python's `re.match` takes it: from the start.
fn pattern_of(pattern: &str) -> Option<regex::Regex> {
    regex::RegexBuilder::new(&format!(r"\A(?:{pattern})")).size_limit(MAX_PATTERN).build().ok()
}

fn value_conditions(node: &Node) -> Option<ValueConditions> {
    let conditions = node.get("detection_item_conditions")?;
    let all: Vec<&Node> = match conditions.entries() {
        [] => conditions.items().iter().collect(),
        entries => entries.iter().map(|(_, one)| one).collect(),
    };
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let negated = is_true(node.get("detection_item_cond_not"));
    let of_one = |only: &Node| {
        let [kind, cond, pattern] = ["type", "cond", "pattern"].map(|key| text(only, key));
        match (kind.as_deref(), cond.as_deref(), pattern.as_deref()) {
            (Some("is_null"), ..) if !negated => ValueConditions::Null,
            (Some("match_string"), Some("all"), Some(NUMBER)) if negated => ValueConditions::NoNumber,
            _ => ValueConditions::Others,
        }
    };
    match all.as_slice() {
        [] => None,
        [only] if node.get("detection_item_cond_expr").is_none() => Some(of_one(only)),
        _ => Some(ValueConditions::Others),
    }
}

fn is_true(node: Option<&Node>) -> bool {
    node.is_some_and(|node| node.kind == NodeKind::Boolean(true))
}

fn texts(node: &Node) -> Vec<String> {
    match node.scalar_text() {
        Some(text) => vec![text],
        None => node.items().iter().filter_map(Node::scalar_text).collect(),
    }
}

fn logsource(node: &Node) -> LogSource {
    ["category", "product", "service"]
        .map(|key| node.get(key).and_then(Node::scalar_text).map(|text| text.trim().to_ascii_lowercase()))
}
