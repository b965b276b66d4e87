//! Findings of the rule language as diagnostics: each kind of [`Problem`] with its code and reason.

use std::path::Path;

use super::diagnostic::{Code, Diagnostic, Severity};
use super::reason::ReasonCode;
use crate::sigma::{Problem, ProblemKind};

const COMPILE: Option<ReasonCode> = Some(ReasonCode::BackendCompileError);

static UNREADABLE_FILE: Code = Code {
    name: "unreadable_file",
    reason: COMPILE,
    severity: Severity::Error,
    summary: "the rule file could not be read",
    explanation: "The file is missing, is not a regular file, or may not be read. It stays in the list, so that \
no rule is lost without a word. Restore it, or mend its permissions.",
};

static PARSE_ERROR: Code = Code {
    name: "parse_error",
    reason: COMPILE,
    severity: Severity::Error,
    summary: "the text is not YAML, or not of the shape that a Sigma rule has",
    explanation: "A rule is YAML 1.2 with a `title`, a `logsource` and a `detection` that holds named \
selections and a `condition`. The condition's operators `and`, `or`, `not`, `1 of`, `any of`, `all of` are \
lower case. The message names the place; keys may not repeat, and selections may not be empty.",
};

static LIMIT_EXCEEDED: Code = Code {
    name: "limit_exceeded",
    reason: COMPILE,
    severity: Severity::Error,
    summary: "the rule exceeds a size limit",
    explanation: "Rules are untrusted input, so that file size, nesting, YAML aliases, the length and depth of a \
condition and the number of its expanded terms are limited. No rule in honest use comes near a limit; split one \
that does.",
};

static MISSING_IDENTIFIER: Code = Code {
    name: "missing_identifier",
    reason: COMPILE,
    severity: Severity::Error,
    summary: "the condition names a selection that the rule does not have",
    explanation: "Every name in the condition has to be a search identifier of the rule, and every pattern has to \
reach at least one. Identifiers compare with case. `them` and patterns pass over identifiers that begin with an \
underscore, unless the pattern does so itself. A term that reaches nothing is never dropped: the rule would \
mean something else.",
};

static UNKNOWN_MODIFIER: Code = Code {
    name: "unknown_modifier",
    reason: Some(ReasonCode::UnsupportedModifier),
    severity: Severity::Error,
    summary: "Sigma has no modifier of this name",
    explanation: "The text behind a `|` in a field name is a modifier, in lower case: contains, startswith, \
endswith, all, cased, neq, exists, lt, lte, gt, gte, re (i, m, s), cidr, windash, base64, base64offset, wide, \
utf16, utf16le, utf16be, fieldref, expand, minute, hour, day, week, month, year. This finding counts even in a \
selection that the condition does not reach.",
};

static ILLEGAL_MODIFIER_CHAIN: Code = Code {
    name: "illegal_modifier_chain",
    reason: Some(ReasonCode::UnsupportedModifier),
    severity: Severity::Error,
    summary: "these modifiers cannot stand together",
    explanation: "A chain has at most one way to compare (contains, startswith, endswith, re, cidr, exists, \
fieldref, a comparison, or a part of time), each modifier once, encodings before `contains`, and only those \
additions that the way to compare allows. What such a chain would mean is settled nowhere, so it is refused.",
};

static UNSUPPORTED_CONDITION: Code = Code {
    name: "unsupported_condition",
    reason: Some(ReasonCode::UnsupportedOperator),
    severity: Severity::Error,
    summary: "the condition uses an operator that single events cannot answer",
    explanation: "Pipes (`| count() by …`), `near`, `timeframe` and `N of` with a number other than 1 belong to \
aggregations over several events, in a form that Sigma has retired. Write a correlation rule instead.",
};

static BAD_VALUE: Code = Code {
    name: "bad_value",
    reason: Some(ReasonCode::UnsupportedValueType),
    severity: Severity::Error,
    summary: "a value of a kind that its place does not take",
    explanation: "A field takes a string, number, boolean or null, or a list of the first three; `exists` takes \
one boolean. A map, a list in a list, a null among others and an empty list have no meaning here, and a guess \
could never match.",
};

static RULE_COLLECTION: Code = Code {
    name: "rule_collection",
    reason: COMPILE,
    severity: Severity::Error,
    summary: "an `action:` document that cannot be carried out",
    explanation: "`action: global`, `reset` and `repeat` build the rules of a collection; `include` puts the rules of \
the file `filename` in its place, which lies in the folder that is loaded and does not include this file again. Any \
other action is refused: the documents it stands for would be missing in silence.",
};

static METADATA: Code = Code {
    name: "metadata",
    reason: None,
    severity: Severity::Warning,
    summary: "an odd value in the rule's metadata",
    explanation: "The rule runs all the same. Sigma's specification has a fixed form for this field: `id` a UUID, \
dates as YYYY-MM-DD, `status` and `level` from their lists, tags as `namespace.name`.",
};

static UNC_BACKSLASHES: Code = Code {
    name: "unc_backslashes",
    reason: None,
    severity: Severity::Warning,
    summary: "two backslashes at the start are one in Sigma",
    explanation: "In Sigma text `\\\\` is an escaped backslash, so that `\\\\host\\share` looks for \
`\\host\\share`. To mean a UNC path, write four: `\\\\\\\\host\\share`.",
};

/// The codes of this file.
pub(crate) static CODES: [&Code; 11] = [
    &UNREADABLE_FILE,
    &PARSE_ERROR,
    &LIMIT_EXCEEDED,
    &MISSING_IDENTIFIER,
    &UNKNOWN_MODIFIER,
    &ILLEGAL_MODIFIER_CHAIN,
    &UNSUPPORTED_CONDITION,
    &BAD_VALUE,
    &RULE_COLLECTION,
    &METADATA,
    &UNC_BACKSLASHES,
];

/// `problem` as a diagnostic. Those without a reason code of their own begin with their stable subcode.
pub(crate) fn diagnostic(problem: &Problem, path: &Path) -> Diagnostic {
    let (code, subcode) = match problem.kind {
        ProblemKind::Unreadable => (&UNREADABLE_FILE, "UNREADABLE: "),
        ProblemKind::Parse => (&PARSE_ERROR, "PARSE: "),
        ProblemKind::Limit => (&LIMIT_EXCEEDED, "LIMIT: "),
        ProblemKind::MissingIdentifier => (&MISSING_IDENTIFIER, "MISSING_IDENTIFIER: "),
        ProblemKind::Collection => (&RULE_COLLECTION, "COLLECTION: "),
        ProblemKind::UnknownModifier => (&UNKNOWN_MODIFIER, ""),
        ProblemKind::IllegalChain => (&ILLEGAL_MODIFIER_CHAIN, ""),
        ProblemKind::UnsupportedCondition => (&UNSUPPORTED_CONDITION, ""),
        ProblemKind::BadValue => (&BAD_VALUE, ""),
        ProblemKind::Metadata => (&METADATA, ""),
        ProblemKind::UncBackslashes => (&UNC_BACKSLASHES, ""),
    };
    Diagnostic {
        code,
        message: format!("{subcode}{}", problem.message),
        path: path.to_path_buf(),
        span: problem.span,
        help: problem.help.clone(),
    }
}

impl Code {
    /// Rank among a rule's findings, the lowest giving the rule its reason: what could not be read at all,
    /// then the order of [`ReasonCode`] (`sigma_semantics.md` 9).
    pub(crate) fn specificity(&self) -> (bool, Option<ReasonCode>) {
        let unread = [UNREADABLE_FILE.name, PARSE_ERROR.name].contains(&self.name);
        (!unread, self.reason)
    }
}
