//! Formulas over literals that an event holds or not.

/// A literal at a place in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AtomId(pub(crate) usize);

/// What an event must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Nothing that is known.
    Nothing,
    /// What no event of the dataset holds.
    Impossible,
    /// A literal.
    Atom(AtomId),
    /// Not this literal, as far as it is sure that it is held.
    Without(AtomId),
    /// All of these; two or more.
    All(Vec<Need>),
    /// Any of these; two or more.
    Any(Vec<Need>),
}

pub(crate) fn all(parts: impl IntoIterator<Item = Need>) -> Need {
    let mut needs = Vec::new();
    for part in parts {
        match part {
            Need::Nothing => {}
            Need::Impossible => return Need::Impossible,
            need => needs.push(need),
        }
    }
    joined(needs, Need::Nothing, Need::All)
}

pub(crate) fn any(parts: impl IntoIterator<Item = Need>) -> Need {
    let mut needs = Vec::new();
    for part in parts {
        match part {
            Need::Nothing => return Need::Nothing,
            Need::Impossible => {}
            need => needs.push(need),
        }
    }
    joined(needs, Need::Impossible, Need::Any)
}

fn joined(mut needs: Vec<Need>, none: Need, several: fn(Vec<Need>) -> Need) -> Need {
    match needs.len() {
        0 => none,
        1 => needs.swap_remove(0),
        _ => several(needs),
    }
}

impl Need {
    /// Whether an event may be meant that holds the atoms for which `holds` is true, and surely those of `surely`.
    pub(crate) fn is_met(&self, holds: &impl Fn(AtomId) -> bool, surely: &impl Fn(AtomId) -> bool) -> bool {
        match self {
            Self::Nothing => true,
            Self::Impossible => false,
            Self::Atom(atom) => holds(*atom),
            Self::Without(atom) => !surely(*atom),
            Self::All(parts) => parts.iter().all(|part| part.is_met(holds, surely)),
            Self::Any(parts) => parts.iter().any(|part| part.is_met(holds, surely)),
        }
    }

    /// Atoms of which an event must hold one, and the length of the shortest of their literals: of several such
    /// choices the one whose shortest is longest, as long literals are rare. `None` where there is no choice.
    pub(crate) fn cover(&self, lengths: &[usize]) -> Option<(usize, Vec<AtomId>)> {
        match self {
            Self::Nothing | Self::Without(_) => None,
            Self::Impossible => Some((usize::MAX, Vec::new())),
            Self::Atom(atom) => Some((lengths.get(atom.0).copied().unwrap_or(0), vec![*atom])),
            Self::All(parts) => {
                parts.iter().filter_map(|part| part.cover(lengths)).max_by_key(|(length, _)| *length)
            }
            Self::Any(parts) => {
                let covers: Vec<_> = parts.iter().map(|part| part.cover(lengths)).collect::<Option<_>>()?;
                let shortest = covers.iter().map(|(length, _)| *length).min().unwrap_or(0);
                Some((shortest, covers.into_iter().flat_map(|(_, atoms)| atoms).collect()))
            }
        }
    }
}
