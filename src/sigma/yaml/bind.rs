//! From a tree to a serde type, with errors that point into the text.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::Node;
use crate::sigma::problem::{Problem, ProblemKind};
use crate::sigma::span::Span;

/// A node as a serde type.
///
/// # Errors
/// What the type does not take, at the exact place: an unknown key at the key, a value of a wrong type at the
/// value, a missing field at the map that lacks it.
pub fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T, Problem> {
    serde_path_to_error::deserialize(node.to_value()).map_err(|error| {
        let message = error.inner().to_string();
        let span = place(node, error.path(), message.starts_with("unknown field"));
        let path = error.path().to_string();
        let message = if path == "." { message } else { format!("`{path}`: {message}") };
        Problem::new(ProblemKind::Parse, span, message)
    })
}

/// The node that a path leads to, or the last one on the way to it that exists.
fn place(node: &Node, path: &serde_path_to_error::Path, unknown_field: bool) -> Span {
    let mut node = node;
    let mut key = None;
    for segment in path {
        let next = match segment {
            Segment::Seq { index } => node.items().get(*index),
            Segment::Map { key: name } | Segment::Enum { variant: name } => {
                key = node.key(name).or(key);
                node.get(name)
            }
            Segment::Unknown => None,
        };
        match next {
            Some(next) => node = next,
            None => break,
        }
    }
    match key {
        Some(key) if unknown_field => key.span,
        _ => node.span,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::sigma::yaml::parse;

    #[derive(serde::Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(serde::Deserialize, Debug, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        size: u32,
    }

    fn refused(text: &str) -> (String, String) {
        let problem = from_node::<Outer>(&parse(text).unwrap()[0]).unwrap_err();
        (problem.span.slice(text).unwrap().to_owned(), problem.message)
    }

    #[test]
    fn values_reach_their_types() {
        let node = &parse("name: x\ninner:\n  - size: 0x10\n").unwrap()[0];
        assert_eq!(
            from_node::<Outer>(node).unwrap(),
            Outer { name: "x".into(), inner: vec![Inner { size: 16 }] }
        );
    }

    #[test]
    fn an_unknown_key_is_pointed_at() {
        let (place, message) = refused("name: x\ninner:\n  - size: 1\n  - size: 2\n    colour: 3\n");
        assert_eq!(place, "colour");
        assert!(message.contains("unknown field `colour`"), "{message}");
        assert_eq!(refused("name: x\ncolour: {a: 1}\n").0, "colour");
    }

    #[test]
    fn a_value_of_a_wrong_type_is_pointed_at() {
        let (place, message) = refused("name: x\ninner:\n  - size: 'big'\n");
        assert_eq!(place, "'big'");
        assert!(message.contains("inner[0].size"), "{message}");
        assert_eq!(refused("name: [x]\n").0, "[x]");
    }

    #[test]
    fn the_map_that_lacks_a_field_is_pointed_at() {
        let (place, message) = refused("name: x\ninner:\n  - {}\n");
        assert_eq!(place, "{}");
        assert!(message.contains("missing field `size`"), "{message}");
    }
}
