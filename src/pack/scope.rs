//! Which rules an alias is for.

use std::fmt;

use super::AliasScope;

/// A scope that is not `category/product/service`, or a beginning of it, or `*`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope: write category/product/service, with fewer parts or `*` for any")]
pub struct InvalidScope(String);

impl AliasScope {
    /// Reads `category/product/service`; parts may be left out from the end, and `*` is any.
    ///
    /// # Errors
    /// A part is empty, or there are more than three.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        let mut parts = text.split('/').map(str::trim);
        let mut part = || parts.next().map_or(Ok(None), token);
        let scope = (part(), part(), part());
        match (scope, parts.next()) {
            ((Ok(category), Ok(product), Ok(service)), None) => Ok(Self { category, product, service }),
            _ => Err(InvalidScope(text.to_owned())),
        }
    }

    /// Whether the alias is for rules of this log source, whose parts are trimmed and in ASCII lower case.
    #[must_use]
    pub fn applies(&self, category: Option<&str>, product: Option<&str>, service: Option<&str>) -> bool {
        let named = |own: &Option<String>, other: Option<&str>| own.is_none() || own.as_deref() == other;
        named(&self.category, category) && named(&self.product, product) && named(&self.service, service)
    }
}

/// One part of a scope: `None` for `*`.
fn token(part: &str) -> Result<Option<String>, ()> {
    match part {
        "" => Err(()),
        "*" => Ok(None),
        _ => Ok(Some(part.to_ascii_lowercase())),
    }
}

impl fmt::Display for AliasScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = vec![&self.category, &self.product, &self.service];
        while parts.len() > 1 && parts.last().is_some_and(|part| part.is_none()) {
            parts.pop();
        }
        let parts: Vec<_> = parts.into_iter().map(|part| part.as_deref().unwrap_or("*")).collect();
        f.write_str(&parts.join("/"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_and_write_alike() {
        for text in ["*", "a", "a/b", "a/b/c", "*/b", "*/b/c", "*/*/c", "a/*/c"] {
            assert_eq!(AliasScope::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            AliasScope::parse(" Process_Creation / WINDOWS ").unwrap().to_string(),
            "process_creation/windows"
        );
        assert_eq!(AliasScope::parse("a/*").unwrap().to_string(), "a");
    }

    #[test]
    fn what_is_no_scope_is_refused() {
        for text in ["", "/", "a/", "/b", "a//c", "a/b/c/d", "a/b/c/"] {
            assert!(AliasScope::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_part_that_the_rule_lacks_is_never_assumed() {
        let applies = |scope: &str, rule: [Option<&str>; 3]| {
            AliasScope::parse(scope).unwrap().applies(rule[0], rule[1], rule[2])
        };
        let sysmon = [Some("process_creation"), Some("windows"), Some("sysmon")];
        for scope in ["*", "process_creation", "process_creation/windows", "*/windows", "*/windows/sysmon"] {
            assert!(applies(scope, sysmon), "{scope}");
        }
        assert!(!applies("process_creation/linux", sysmon));
        assert!(!applies("process_creation/windows", [Some("process_creation"), None, None]));
        assert!(applies("*/windows/security", [None, Some("windows"), Some("security")]));
        assert!(!applies("dns_query", [None, Some("windows"), Some("security")]));
    }
}
