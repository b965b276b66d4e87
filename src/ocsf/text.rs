//! Reads the embedded catalog, whose form `generate.py` describes.

use std::collections::BTreeMap;

use super::catalog::{Catalog, Class, Kind, Member, Members};
use super::{ClassUid, FieldType};

/// The catalog that `text` spells out; the offending line where it is not of that form.
pub(super) fn parse(text: &'static str) -> Result<Catalog, &'static str> {
    let mut catalog = Catalog { classes: BTreeMap::new(), objects: BTreeMap::new() };
    let mut owner = Owner::Nobody;
    for line in text.lines() {
        owner = statement(&mut catalog, owner, line).ok_or(line)?;
    }
    Ok(catalog)
}

/// What the attribute lines that follow belong to.
#[derive(Clone, Copy)]
enum Owner {
    Nobody,
    Class(ClassUid),
    Object(&'static str),
}

fn statement(catalog: &mut Catalog, owner: Owner, line: &'static str) -> Option<Owner> {
    if let Some(attribute) = line.strip_prefix(' ') {
        let (name, kind) = attribute.split_once(' ')?;
        let members = match owner {
            Owner::Nobody => return None,
            Owner::Class(uid) => &mut catalog.classes.get_mut(&uid)?.members,
            Owner::Object(object) => catalog.objects.get_mut(object)?,
        };
        members.insert(name, member(kind)?);
        return Some(owner);
    }
    match line.split_once(' ')? {
        ("ocsf", super::OCSF_VERSION) => Some(Owner::Nobody),
        ("class", rest) => {
            let (uid, name) = rest.split_once(' ')?;
            let uid = ClassUid(uid.parse().ok()?);
            catalog.classes.insert(uid, Class { name, members: Members::new() });
            Some(Owner::Class(uid))
        }
        ("object", name) => {
            catalog.objects.insert(name, Members::new());
            Some(Owner::Object(name))
        }
        _ => None,
    }
}

fn member(text: &'static str) -> Option<Member> {
    let (text, deprecated) = strip(text, "!");
    let (text, list) = strip(text, "[]");
    let kind = match text.strip_prefix('@') {
        Some(object) => Kind::Object(object),
        None => Kind::Leaf(leaf_type(text)?),
    };
    Some(Member { kind, list, deprecated })
}

fn strip<'a>(text: &'a str, mark: &str) -> (&'a str, bool) {
    match text.strip_suffix(mark) {
        Some(rest) => (rest, true),
        None => (text, false),
    }
}

/// JSON is text: Parquet holds it as VARCHAR, and the row contract says so of `reg_value.data`.
fn leaf_type(letter: &str) -> Option<FieldType> {
    Some(match letter {
        "s" | "j" => FieldType::String,
        "i" => FieldType::Integer,
        "f" => FieldType::Float,
        "b" => FieldType::Boolean,
        "t" => FieldType::Timestamp,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_lines_are_named() {
        for line in ["ocsf 0.9", " orphan s", "class x y", "nonsense"] {
            assert_eq!(parse(line).err(), Some(line));
        }
        assert_eq!(parse("object o\n a q").err(), Some(" a q"));
    }

    #[test]
    fn marks_are_read_from_the_end() {
        let catalog = parse("object o\n a @p[]!\n b i").ok();
        let members = catalog.as_ref().and_then(|c| c.objects.get("o"));
        let a = members.and_then(|m| m.get("a")).copied();
        assert_eq!(a, Some(Member { kind: Kind::Object("p"), list: true, deprecated: true }));
        let b = members.and_then(|m| m.get("b")).copied();
        let integer = Kind::Leaf(FieldType::Integer);
        assert_eq!(b, Some(Member { kind: integer, list: false, deprecated: false }));
    }
}
