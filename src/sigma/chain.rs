//! Which chains of modifiers Sigma allows:
//!
//! ```text
//! field [transform…] [match] [cased] [neq] [all]
//! ```
//!
//! Each modifier stands at most once; `cased`, `neq` and `all` stand anywhere, and so do `windash` and `expand`
//! beside a comparison of text.

use super::modifier::{Chain, Comparison, Modifier, Operator, TextMatch, TimePart, Transform};
use super::problem::{Problem, ProblemKind};
use super::span::{Span, Spanned};

/// What a modifier does in a chain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    /// One of the operators: of these a chain has one at most.
    Operator(Operator),
    /// `i`, `m`, `s`.
    Flag,
    Transform(Transform),
    Cased,
    Neq,
    All,
}

fn slot(modifier: Modifier) -> Slot {
    use Modifier as M;
    let regex = Operator::Regex { ignore_case: false, multiline: false, dot_all: false };
    match modifier {
        M::Contains => Slot::Operator(Operator::Match(TextMatch::Contains)),
        M::StartsWith => Slot::Operator(Operator::Match(TextMatch::StartsWith)),
        M::EndsWith => Slot::Operator(Operator::Match(TextMatch::EndsWith)),
        M::Exists => Slot::Operator(Operator::Exists),
        M::Re => Slot::Operator(regex),
        M::Cidr => Slot::Operator(Operator::Cidr),
        M::FieldRef => Slot::Operator(Operator::FieldRef(TextMatch::Equals)),
        M::Lt => Slot::Operator(Operator::Compare(Comparison::Lt)),
        M::Lte => Slot::Operator(Operator::Compare(Comparison::Lte)),
        M::Gt => Slot::Operator(Operator::Compare(Comparison::Gt)),
        M::Gte => Slot::Operator(Operator::Compare(Comparison::Gte)),
        M::Minute => Slot::Operator(Operator::TimePart(TimePart::Minute)),
        M::Hour => Slot::Operator(Operator::TimePart(TimePart::Hour)),
        M::Day => Slot::Operator(Operator::TimePart(TimePart::Day)),
        M::Week => Slot::Operator(Operator::TimePart(TimePart::Week)),
        M::Month => Slot::Operator(Operator::TimePart(TimePart::Month)),
        M::Year => Slot::Operator(Operator::TimePart(TimePart::Year)),
        M::IgnoreCase | M::Multiline | M::DotAll => Slot::Flag,
        M::Windash => Slot::Transform(Transform::Windash),
        M::Expand => Slot::Transform(Transform::Expand),
        M::Base64 => Slot::Transform(Transform::Base64),
        M::Base64Offset => Slot::Transform(Transform::Base64Offset),
        M::Wide | M::Utf16Le => Slot::Transform(Transform::Utf16Le),
        M::Utf16 => Slot::Transform(Transform::Utf16),
        M::Utf16Be => Slot::Transform(Transform::Utf16Be),
        M::Cased => Slot::Cased,
        M::Neq => Slot::Neq,
        M::All => Slot::All,
    }
}

/// A chain that is being read, left to right.
struct Building {
    chain: Chain,
    /// The modifier that set the operator, and the one behind `fieldref`.
    operators: Vec<Modifier>,
    transforms: Vec<(Modifier, Transform)>,
    key_span: Span,
}

impl Chain {
    /// What a chain of modifiers says.
    ///
    /// # Errors
    /// The first pair that cannot stand together or in this order, as a [`ProblemKind::IllegalChain`].
    pub fn new(modifiers: &[Spanned<Modifier>], key_span: Span) -> Result<Self, Problem> {
        let operator = Operator::Match(TextMatch::Equals);
        let chain = Self { transforms: Vec::new(), operator, cased: false, negated: false, all: false };
        let mut building = Building { chain, operators: Vec::new(), transforms: Vec::new(), key_span };
        for (index, modifier) in modifiers.iter().enumerate() {
            let before = modifiers.get(..index).unwrap_or_default();
            if before.iter().any(|earlier| earlier.value == modifier.value) {
                let message = format!("`{}` stands twice in this chain", modifier.value.name());
                return Err(illegal(message, modifier.span).with_help("remove one of them"));
            }
            building.add(modifier.value, modifier.span)?;
        }
        building.finish()
    }
}

impl Building {
    fn add(&mut self, modifier: Modifier, span: Span) -> Result<(), Problem> {
        match slot(modifier) {
            Slot::Operator(operator) => self.operator(modifier, operator, span)?,
            Slot::Flag => self.flag(modifier, span)?,
            Slot::Transform(transform) => self.transform(modifier, transform, span)?,
            Slot::Cased => self.chain.cased = true,
            Slot::Neq => self.chain.negated = true,
            Slot::All => self.chain.all = true,
        }
        Ok(())
    }

    fn operator(&mut self, modifier: Modifier, operator: Operator, span: Span) -> Result<(), Problem> {
        self.chain.operator = match (self.operators.last().copied(), self.chain.operator, operator) {
            (None, ..) => operator,
            (_, Operator::FieldRef(TextMatch::Equals), Operator::Match(text)) => Operator::FieldRef(text),
            (Some(other), Operator::Match(_), Operator::FieldRef(_)) => {
                return Err(
                    conflict(other, modifier, span).with_help(format!("write `fieldref|{}`", other.name()))
                );
            }
            (Some(other), ..) => {
                let help = "a chain has one of them; write a second item for the other";
                return Err(conflict(other, modifier, span).with_help(help));
            }
        };
        self.operators.push(modifier);
        Ok(())
    }

    fn flag(&mut self, modifier: Modifier, span: Span) -> Result<(), Problem> {
        let Operator::Regex { ignore_case, multiline, dot_all } = &mut self.chain.operator else {
            let message = format!("`{}` is a flag of `re` and stands behind it", modifier.name());
            return Err(illegal(message, span).with_help(format!("write `re|{}`", modifier.name())));
        };
        match modifier {
            Modifier::IgnoreCase => *ignore_case = true,
            Modifier::Multiline => *multiline = true,
            _ => *dot_all = true,
        }
        Ok(())
    }

    fn transform(&mut self, modifier: Modifier, transform: Transform, span: Span) -> Result<(), Problem> {
        if let Some((other, earlier)) = self.transforms.last().copied()
            && !(is_utf16(earlier) && is_base64(transform))
        {
            let problem = conflict(other, modifier, span);
            let reversed = is_base64(earlier) && is_utf16(transform);
            return Err(if reversed {
                problem.with_help(format!("write `{}|{}`", modifier.name(), other.name()))
            } else {
                problem.with_help("a chain has one of them")
            });
        }
        let encodes = is_utf16(transform) || is_base64(transform);
        if let Some(operator) = self.operators.last().filter(|_| encodes && self.is_match()) {
            let problem = conflict(*operator, modifier, span);
            return Err(problem.with_help(format!("write `{}|{}`", modifier.name(), operator.name())));
        }
        self.transforms.push((modifier, transform));
        self.chain.transforms.push(transform);
        Ok(())
    }

    fn is_match(&self) -> bool {
        matches!(self.chain.operator, Operator::Match(_))
    }

    /// The rules that only a whole chain can break.
    fn finish(self) -> Result<Chain, Problem> {
        if let Some(operator) = self.operators.first().copied().filter(|_| !self.is_match()) {
            self.check_alone(operator)?;
        }
        match self.transforms.last() {
            Some((modifier, transform)) if is_utf16(*transform) => {
                let message = format!("`{}` needs `base64` or `base64offset` behind it", modifier.name());
                Err(illegal(message, self.key_span).with_help(format!("write `{}|base64`", modifier.name())))
            }
            Some((_, Transform::Base64Offset))
                if self.chain.operator != Operator::Match(TextMatch::Contains) =>
            {
                let message = "`base64offset` needs `contains` behind it";
                Err(illegal(message, self.key_span).with_help("write `base64offset|contains`"))
            }
            _ => Ok(self.chain),
        }
    }

    /// An operator that is no comparison of text takes few others beside it.
    fn check_alone(&self, operator: Modifier) -> Result<(), Problem> {
        let chain = &self.chain;
        let other = if let Some((transform, _)) = self.transforms.first() {
            Some(*transform)
        } else if chain.cased && !matches!(chain.operator, Operator::FieldRef(_)) {
            Some(Modifier::Cased)
        } else if chain.operator == Operator::Exists && (chain.negated || chain.all) {
            Some(if chain.negated { Modifier::Neq } else { Modifier::All })
        } else {
            None
        };
        match other {
            Some(other) => {
                Err(conflict(operator, other, self.key_span).with_help(format!("remove `{}`", other.name())))
            }
            None => Ok(()),
        }
    }
}

fn is_base64(transform: Transform) -> bool {
    matches!(transform, Transform::Base64 | Transform::Base64Offset)
}

fn is_utf16(transform: Transform) -> bool {
    matches!(transform, Transform::Utf16 | Transform::Utf16Le | Transform::Utf16Be)
}

fn illegal(message: impl Into<String>, span: Span) -> Problem {
    Problem::new(ProblemKind::IllegalChain, span, message)
}

fn conflict(one: Modifier, other: Modifier, span: Span) -> Problem {
    illegal(format!("`{}` and `{}` cannot stand together in this order", one.name(), other.name()), span)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn chain(text: &str) -> Result<Chain, Problem> {
        let modifiers: Vec<_> = text
            .split('|')
            .filter(|name| !name.is_empty())
            .map(|name| Spanned::new(Modifier::from_name(name).unwrap(), Span::START))
            .collect();
        Chain::new(&modifiers, Span::START)
    }

    #[test]
    fn legal_chains() {
        for text in [
            "",
            "contains",
            "contains|all",
            "all|contains",
            "cased|contains",
            "contains|cased",
            "neq",
            "neq|all",
            "contains|windash",
            "windash|contains",
            "windash",
            "contains|all|windash",
            "contains|windash|all",
            "expand",
            "contains|expand",
            "expand|contains|all",
            "base64",
            "base64|contains",
            "base64|startswith",
            "base64offset|contains",
            "wide|base64offset|contains",
            "utf16|base64",
            "utf16be|base64|cased",
            "utf16le|base64|contains|all",
            "re",
            "re|i",
            "re|i|m|s",
            "re|s|i",
            "re|all",
            "re|neq",
            "re|all|i",
            "re|ignorecase|multiline|dotall",
            "cidr",
            "cidr|all",
            "cidr|neq",
            "exists",
            "fieldref",
            "fieldref|contains",
            "fieldref|startswith|cased",
            "fieldref|neq",
            "lt",
            "gte|all",
            "gte|neq",
            "hour",
            "week|neq",
            "minute|all",
        ] {
            assert!(chain(text).is_ok(), "{text}: {:?}", chain(text));
        }
    }

    #[test]
    fn illegal_chains() {
        for text in [
            "contains|startswith",
            "startswith|endswith",
            "hour|minute",
            "base64|base64offset|contains",
            "wide|utf16|base64",
            "wide|utf16le|base64",
            "wide",
            "utf16",
            "wide|contains",
            "base64|wide",
            "base64offset",
            "base64offset|endswith",
            "contains|base64",
            "contains|base64offset",
            "contains|wide|base64",
            "contains|fieldref",
            "re|contains",
            "contains|re",
            "re|cased",
            "cased|re",
            "re|windash",
            "windash|re",
            "expand|re",
            "base64|re",
            "windash|cidr",
            "windash|exists",
            "expand|lt",
            "windash|hour",
            "expand|fieldref",
            "fieldref|windash",
            "i",
            "m|contains",
            "i|re",
            "s",
            "exists|cased",
            "exists|all",
            "exists|neq",
            "exists|contains",
            "contains|exists",
            "cidr|cased",
            "cidr|contains",
            "hour|gte",
            "gte|hour",
            "lt|gt",
            "gt|cased",
            "hour|cased",
            "contains|contains",
            "all|all",
            "re|i|ignorecase",
            "windash|expand",
            "windash|base64",
            "base64|windash",
            "expand|base64",
            "fieldref|contains|startswith",
            "fieldref|re",
            "fieldref|fieldref",
        ] {
            let problem = chain(text).unwrap_err();
            assert_eq!(problem.kind, ProblemKind::IllegalChain, "{text}");
            assert!(problem.help.is_some(), "{text}");
        }
    }

    #[test]
    fn a_chain_says_what_its_modifiers_say() {
        let legal = chain("wide|base64offset|contains|cased|neq|all").unwrap();
        assert_eq!(legal.transforms, [Transform::Utf16Le, Transform::Base64Offset]);
        assert_eq!(legal.operator, Operator::Match(TextMatch::Contains));
        assert!(legal.cased && legal.negated && legal.all);
        let regex = Operator::Regex { ignore_case: true, multiline: false, dot_all: true };
        assert_eq!(chain("re|i|s").unwrap().operator, regex);
        assert_eq!(chain("fieldref|endswith").unwrap().operator, Operator::FieldRef(TextMatch::EndsWith));
    }

    #[test]
    fn the_message_names_the_pair_and_the_way_out() {
        let problem = chain("contains|base64").unwrap_err();
        assert!(problem.message.contains("`contains` and `base64`"), "{}", problem.message);
        assert_eq!(problem.help.as_deref(), Some("write `base64|contains`"));
        assert_eq!(
            chain("contains|fieldref").unwrap_err().help.as_deref(),
            Some("write `fieldref|contains`")
        );
    }
}
