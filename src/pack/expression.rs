//! Computed expressions: the text of a pack to a [`Scalar`], of which only known forms are let through.
//!
//! The text goes no further than this file: a backend writes its own from the [`Scalar`].

use sqlparser::ast::{self, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Value};
use sqlparser::dialect::DuckDbDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

use super::{Case, CaseArm, CaseValues, Column, Scalar};
use crate::ocsf::FieldType;

/// Bytes of text; it bounds the depth of everything that follows, too.
const MAX_LENGTH: usize = 1000;
/// Nesting of calls and parentheses.
const MAX_DEPTH: usize = 16;

const FORMS: &str = "columns, string and integer literals, ||, lower, upper, coalesce, replace, split_part, \
                     CAST(x AS VARCHAR) and CASE WHEN column IN (…) THEN x ELSE y END";

/// Reads one scalar expression; `column` says what a path is, or why it is nothing.
pub(super) fn parse(
    text: &str,
    column: &mut dyn FnMut(&str) -> Result<Column, String>,
) -> Result<Scalar, String> {
    let scalar = Reader { column }.scalar(&syntax(text)?, 0)?;
    match scalar.columns().is_empty() {
        true => Err("an expression has to read a column".to_owned()),
        false => Ok(scalar),
    }
}

/// The type of a scalar's value, or the operand that does not fit.
pub(super) fn type_of(scalar: &Scalar) -> Result<FieldType, String> {
    match scalar {
        Scalar::Column(column) => return Ok(column.field_type),
        Scalar::Integer(_) => return Ok(FieldType::Integer),
        Scalar::Text(_) => {}
        Scalar::Concat(parts) => parts.iter().try_for_each(|part| text_operand("||", part))?,
        Scalar::Lower(part) => text_operand("lower", part)?,
        Scalar::Upper(part) => text_operand("upper", part)?,
        Scalar::Replace(part, ..) => text_operand("replace", part)?,
        Scalar::SplitPart(part, ..) => text_operand("split_part", part)?,
        Scalar::ToText(part) => drop(type_of(part)?),
        Scalar::Coalesce(parts) => return common_type("coalesce", parts),
        Scalar::Case(case) => {
            return common_type("CASE", case.arms.iter().map(|arm| &arm.then).chain(&case.otherwise));
        }
    }
    Ok(FieldType::String)
}

fn text_operand(operator: &str, part: &Scalar) -> Result<(), String> {
    match type_of(part)? {
        FieldType::String => Ok(()),
        other => {
            Err(format!("{operator} takes text, and this is {}: write CAST(x AS VARCHAR)", other.as_str()))
        }
    }
}

fn common_type<'s>(operator: &str, parts: impl IntoIterator<Item = &'s Scalar>) -> Result<FieldType, String> {
    let types = parts.into_iter().map(type_of).collect::<Result<Vec<_>, _>>()?;
    match types.split_first() {
        Some((first, rest)) if rest.iter().all(|other| other == first) => Ok(*first),
        _ => Err(format!("{operator} takes values of one type")),
    }
}

fn syntax(text: &str) -> Result<Expr, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("an expression has at most {MAX_LENGTH} bytes, and this has {}", text.len()));
    }
    let dialect = DuckDbDialect {};
    let tokens = Tokenizer::new(&dialect, text).tokenize().map_err(|error| error.to_string())?;
    if tokens.iter().any(is_comment) {
        return Err("an expression has no comments".to_owned());
    }
    let mut parser = Parser::new(&dialect).with_recursion_limit(MAX_DEPTH * 3).with_tokens(tokens);
    let expr = parser.parse_expr().map_err(|error| error.to_string())?;
    match parser.next_token().token {
        Token::EOF => Ok(expr),
        other => Err(format!("one expression is expected, and `{other}` follows it")),
    }
}

fn is_comment(token: &Token) -> bool {
    let comment = |space: &Whitespace| {
        matches!(space, Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_))
    };
    matches!(token, Token::Whitespace(space) if comment(space))
}

struct Reader<'a> {
    column: &'a mut dyn FnMut(&str) -> Result<Column, String>,
}

impl Reader<'_> {
    fn scalar(&mut self, expr: &Expr, depth: usize) -> Result<Scalar, String> {
        if depth > MAX_DEPTH {
            return Err(format!("an expression nests at most {MAX_DEPTH} deep"));
        }
        match expr {
            Expr::Nested(inner) => self.scalar(inner, depth + 1),
            Expr::Identifier(name) => self.path(std::slice::from_ref(name)),
            Expr::CompoundIdentifier(names) => self.path(names),
            Expr::Value(value) => literal(&value.value),
            Expr::BinaryOp { op: ast::BinaryOperator::StringConcat, .. } => self.concat(expr, depth),
            Expr::Function(function) => self.call(function, depth + 1),
            Expr::Cast {
                kind: ast::CastKind::Cast,
                expr,
                data_type: ast::DataType::Varchar(None),
                format: None,
                ..
            } => Ok(Scalar::ToText(Box::new(self.scalar(expr, depth + 1)?))),
            Expr::Case { operand: None, conditions, else_result, .. } => {
                self.case(conditions, else_result.as_deref(), depth + 1)
            }
            other => Err(refusal(other)),
        }
    }

    /// A chain of `||`, which leans to the left and may be long.
    fn concat(&mut self, mut expr: &Expr, depth: usize) -> Result<Scalar, String> {
        let mut parts = Vec::new();
        while let Expr::BinaryOp { left, op: ast::BinaryOperator::StringConcat, right } = expr {
            parts.push(self.scalar(right, depth + 1)?);
            expr = left;
        }
        parts.push(self.scalar(expr, depth + 1)?);
        parts.reverse();
        Ok(Scalar::Concat(parts))
    }

    fn case(
        &mut self,
        conditions: &[ast::CaseWhen],
        otherwise: Option<&Expr>,
        depth: usize,
    ) -> Result<Scalar, String> {
        let mut column: Option<Column> = None;
        let mut arms = Vec::new();
        for ast::CaseWhen { condition, result } in conditions {
            let (tested, literals) = membership(condition).ok_or_else(|| refusal_of_when(condition))?;
            let Scalar::Column(tested) = self.scalar(tested, depth)? else {
                return Err(refusal_of_when(condition));
            };
            if column.as_ref().is_some_and(|first| *first != tested) {
                return Err("the arms of a CASE look at one and the same column".to_owned());
            }
            arms.push(CaseArm {
                values: case_values(&tested, &literals)?,
                then: self.scalar(result, depth)?,
            });
            column = Some(tested);
        }
        let otherwise = otherwise.map(|expr| self.scalar(expr, depth)).transpose()?;
        let column = column.ok_or_else(|| "a CASE has an arm".to_owned())?;
        let scalar = Scalar::Case(Box::new(Case { column, arms, otherwise }));
        match scalar.list_paths().first() {
            Some(path) => Err(format!("a CASE reads columns of one value, and `{path}` has several")),
            None => Ok(scalar),
        }
    }

    fn path(&mut self, names: &[ast::Ident]) -> Result<Scalar, String> {
        let names: Vec<_> = names.iter().map(|name| name.value.as_str()).collect();
        (self.column)(&names.join(".")).map(Scalar::Column)
    }

    fn call(&mut self, function: &ast::Function, depth: usize) -> Result<Scalar, String> {
        let (name, operands) = plain_call(function).ok_or_else(|| refusal_of_call(function))?;
        let mut operand = |operand: &Expr| self.scalar(operand, depth + 1).map(Box::new);
        match (name.as_str(), operands.as_slice()) {
            ("lower", [part]) => Ok(Scalar::Lower(operand(part)?)),
            ("upper", [part]) => Ok(Scalar::Upper(operand(part)?)),
            ("coalesce", [_, _, ..]) => {
                let parts =
                    operands.iter().map(|part| self.scalar(part, depth + 1)).collect::<Result<_, _>>()?;
                Ok(Scalar::Coalesce(parts))
            }
            ("replace", [part, from, to]) => Ok(Scalar::Replace(operand(part)?, text(from)?, text(to)?)),
            ("split_part", [part, separator, index]) => {
                Ok(Scalar::SplitPart(operand(part)?, text(separator)?, ordinal(index)?))
            }
            ("lower" | "upper" | "coalesce" | "replace" | "split_part", _) => {
                Err(format!("{name} does not take {} operands", operands.len()))
            }
            _ => Err(refusal_of_call(function)),
        }
    }
}

/// `column = literal` and `column IN (literals)`.
fn membership(condition: &Expr) -> Option<(&Expr, Vec<&Expr>)> {
    match condition {
        Expr::Nested(inner) => membership(inner),
        Expr::BinaryOp { left, op: ast::BinaryOperator::Eq, right } => Some((left, vec![right])),
        Expr::InList { expr, list, negated: false } if !list.is_empty() => {
            Some((expr, list.iter().collect()))
        }
        _ => None,
    }
}

fn case_values(column: &Column, literals: &[&Expr]) -> Result<CaseValues, String> {
    let literals = literals.iter().map(|expr| match expr {
        Expr::Value(value) => literal(&value.value),
        other => Err(format!("`{other}` has to be a literal")),
    });
    let literals = literals.collect::<Result<Vec<_>, _>>()?;
    let values = match column.field_type {
        FieldType::String => {
            let texts = literals.into_iter().map(|value| match value {
                Scalar::Text(text) => Some(text),
                _ => None,
            });
            texts.collect::<Option<_>>().map(CaseValues::Texts)
        }
        FieldType::Integer => {
            let integers = literals.into_iter().map(|value| match value {
                Scalar::Integer(number) => Some(number),
                _ => None,
            });
            integers.collect::<Option<_>>().map(CaseValues::Integers)
        }
        other => return Err(format!("a CASE is by text or whole numbers, and this is {}", other.as_str())),
    };
    values.ok_or_else(|| format!("`{}` is {}, and a literal is not", column.path, column.field_type.as_str()))
}

fn refusal_of_when(condition: &Expr) -> String {
    format!("`WHEN {condition}` is not allowed: only column = literal, and column IN (literals)")
}

/// Name and operands of a call that has nothing else: no schema, filter, window, order or DISTINCT.
fn plain_call(function: &ast::Function) -> Option<(String, Vec<&Expr>)> {
    let bare = function.filter.is_none()
        && function.over.is_none()
        && function.null_treatment.is_none()
        && function.within_group.is_empty()
        && !function.uses_odbc_syntax
        && matches!(function.parameters, FunctionArguments::None);
    let FunctionArguments::List(list) = &function.args else { return None };
    let [ast::ObjectNamePart::Identifier(name)] = function.name.0.as_slice() else { return None };
    if !bare || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return None;
    }
    let operand = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Some(expr),
        _ => None,
    };
    let operands = list.args.iter().map(operand).collect::<Option<_>>()?;
    Some((name.value.to_ascii_lowercase(), operands))
}

fn literal(value: &Value) -> Result<Scalar, String> {
    match value {
        Value::SingleQuotedString(text) => Ok(Scalar::Text(text.clone())),
        Value::Number(digits, false) => digits
            .parse()
            .map(Scalar::Integer)
            .map_err(|_| format!("`{digits}` is not a whole number of 64 bits")),
        other => Err(format!("`{other}` is not a literal that packs may use: only 'text' and whole numbers")),
    }
}

fn text(expr: &Expr) -> Result<String, String> {
    match expr {
        Expr::Value(value) => match literal(&value.value)? {
            Scalar::Text(text) => Ok(text),
            _ => Err(format!("`{expr}` has to be 'text'")),
        },
        _ => Err(format!("`{expr}` has to be a literal 'text'")),
    }
}

fn ordinal(expr: &Expr) -> Result<i64, String> {
    match expr {
        Expr::Value(value) => match literal(&value.value)? {
            Scalar::Integer(index) if index > 0 => Ok(index),
            _ => Err(format!("`{expr}` has to be a whole number from 1")),
        },
        _ => Err(format!("`{expr}` has to be a literal whole number from 1")),
    }
}

fn refusal(expr: &Expr) -> String {
    format!("`{expr}` is not allowed in an expression: only {FORMS}")
}

fn refusal_of_call(function: &ast::Function) -> String {
    format!("the call `{function}` is not allowed in an expression: only {FORMS}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::ocsf::OcsfPath;

    fn column(path: &str) -> Column {
        let integer = path.ends_with("pid");
        let field_type = if integer { FieldType::Integer } else { FieldType::String };
        Column { path: OcsfPath(path.into()), field_type, list: path == "many" }
    }

    fn read(text: &str) -> Result<Scalar, String> {
        let scalar = parse(text, &mut |path| Ok(column(path)))?;
        type_of(&scalar).map(|_| scalar)
    }

    fn of(path: &str) -> Scalar {
        Scalar::Column(column(path))
    }

    #[test]
    fn every_allowed_form_is_read() {
        let domain_user = Scalar::Concat(vec![of("u.domain"), Scalar::Text("\\".into()), of("u.name")]);
        assert_eq!(read(r"u.domain || '\' || u.name"), Ok(domain_user.clone()));
        assert_eq!(read(r"(u.domain) || ('\') || u.name"), Ok(domain_user));
        assert_eq!(read("LOWER(a)"), Ok(Scalar::Lower(of("a").into())));
        assert_eq!(read("upper(a.b)"), Ok(Scalar::Upper(of("a.b").into())));
        assert_eq!(
            read("coalesce(a, b, '')"),
            Ok(Scalar::Coalesce(vec![of("a"), of("b"), Scalar::Text(String::new())]))
        );
        assert_eq!(
            read("replace(a, '/', 'it''s')"),
            Ok(Scalar::Replace(of("a").into(), "/".into(), "it's".into()))
        );
        assert_eq!(read("split_part(a, '@', 2)"), Ok(Scalar::SplitPart(of("a").into(), "@".into(), 2)));
        assert_eq!(read("CAST(p.pid AS VARCHAR)"), Ok(Scalar::ToText(of("p.pid").into())));
        assert_eq!(
            read("CASE WHEN (a) = 'x' THEN b WHEN a IN ('y', 'z') THEN lower(c) ELSE 'd' END"),
            Ok(Scalar::Case(Box::new(Case {
                column: column("a"),
                arms: vec![
                    CaseArm { values: CaseValues::Texts(["x".into()].into()), then: of("b") },
                    CaseArm {
                        values: CaseValues::Texts(["y".into(), "z".into()].into()),
                        then: Scalar::Lower(of("c").into())
                    },
                ],
                otherwise: Some(Scalar::Text("d".into())),
            })))
        );
        let Ok(Scalar::Case(case)) = read("CASE WHEN p.pid IN (4, 0) THEN p.pid END") else { panic!() };
        assert_eq!(case.arms[0].values, CaseValues::Integers([0, 4].into()));
        assert_eq!(case.otherwise, None);
        assert_eq!(read("coalesce(p.pid, 0)"), Ok(Scalar::Coalesce(vec![of("p.pid"), Scalar::Integer(0)])));
    }

    #[test]
    fn segments_that_are_keywords_are_paths() {
        for path in [
            "user.name",
            "query.hostname",
            "file.path",
            "process.user.domain",
            "session.uid",
            "time",
            "group.name",
        ] {
            assert_eq!(read(path), Ok(of(path)));
        }
        assert_eq!(read(r#"raw."Odd Name""#), Ok(of("raw.Odd Name")));
        let concat = read("SELECT||WITH.x").unwrap();
        assert_eq!(concat.to_string(), r#"("SELECT" || "WITH".x)"#);
        assert_eq!(read(&concat.to_string()), Ok(concat));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "   ",
            "'text'",
            "1",
            "a, b",
            "a b",
            "a;",
            "a; DROP TABLE x",
            "a -- comment",
            "a /* comment */",
            "a --",
            "(SELECT 1)",
            "(SELECT a FROM read_csv('/etc/passwd'))",
            "a IN (SELECT 1)",
            "EXISTS (SELECT 1)",
            "read_csv('/etc/passwd')",
            "read_text(a)",
            "getenv('HOME')",
            "system.lower(a)",
            "main.lower(a)",
            "lower(a) OVER ()",
            "lower(DISTINCT a)",
            "lower(a ORDER BY a)",
            "lower(a) FILTER (WHERE true)",
            "lower(a, b)",
            "lower()",
            "lower(*)",
            "coalesce(a)",
            "row_number() OVER (PARTITION BY a)",
            "count(a)",
            "a::VARCHAR",
            "TRY_CAST(a AS VARCHAR)",
            "CAST(a AS INTEGER)",
            "CAST(a AS VARCHAR(3))",
            "CAST(a AS BLOB)",
            "CASE WHEN a THEN b END",
            "CASE a WHEN 'x' THEN b END",
            "CASE WHEN a = b THEN c END",
            "CASE WHEN a <> 'x' THEN c END",
            "CASE WHEN a NOT IN ('x') THEN c END",
            "CASE WHEN a IN () THEN c END",
            "CASE WHEN a IN (SELECT 'x') THEN c END",
            "CASE WHEN a = 1 THEN c END",
            "CASE WHEN a IN ('x', 1) THEN c END",
            "CASE WHEN p.pid = '1' THEN c END",
            "CASE WHEN p.pid = 1.5 THEN c END",
            "CASE WHEN a = 'x' OR a = 'y' THEN c END",
            "CASE WHEN lower(a) = 'x' THEN c END",
            "CASE WHEN a = 'x' THEN b WHEN c = 'y' THEN d END",
            "CASE WHEN a = 'x' THEN b ELSE p.pid END",
            "CASE WHEN a = 'x' THEN b ELSE NULL END",
            "CASE WHEN a = 'x' THEN many END",
            "CASE WHEN many = 'x' THEN a END",
            "CASE END",
            "a + b",
            "a = b",
            "a AND b",
            "NOT a",
            "-a",
            "a[1]",
            "a.b[1].c",
            "a.*",
            "*",
            "{'k': a}",
            "[a]",
            "x -> lower(x)",
            "a LIKE 'b'",
            "a COLLATE NOCASE",
            "$1",
            "?",
            ":name",
            "@v",
            "E'\\x41'",
            "X'41'",
            "$$text$$ || a",
            "\u{2018}a\u{2019}",
            "\u{201c}a\u{201d}",
            "a || \u{2019}b\u{2019}",
            "'unclosed",
            "\"unclosed",
            "lower(a",
            "a || ",
            "|| a",
            "a || NULL",
            "a || true",
            "a || 1.5",
            "INTERVAL '1' DAY",
            "DATE '2020-01-01'",
            "CURRENT_USER()",
            "replace(a, b, c)",
            "split_part(a, '@', 0)",
            "split_part(a, '@', -1)",
            "split_part(a, '@', 99999999999999999999)",
            "{fn lower(a)}",
            "a\0b",
        ] {
            assert!(read(text).is_err(), "{text:?} gave {:?}", read(text));
        }
    }

    #[test]
    fn operands_have_to_be_of_the_type_that_the_form_takes() {
        assert!(read("p.pid || 'x'").unwrap_err().contains("CAST"));
        assert!(read("lower(p.pid)").is_err());
        assert!(read("coalesce(p.pid, a)").is_err());
        assert_eq!(type_of(&read("CAST(p.pid AS VARCHAR) || a").unwrap()), Ok(FieldType::String));
        assert_eq!(type_of(&read("p.pid").unwrap()), Ok(FieldType::Integer));
    }

    #[test]
    fn size_is_bounded() {
        assert!(read(&("a||".repeat(100) + "a")).is_ok());
        assert!(read(&("a||".repeat(400) + "a")).unwrap_err().contains("bytes"));
        assert!(read(&format!("{}a{}", "(".repeat(400), ")".repeat(400))).is_err());
        assert!(read(&format!("{}a{}", "lower(".repeat(20), ")".repeat(20))).is_err());
        for nest in [
            "(",
            "[",
            "+",
            "- ",
            "~",
            "NOT ",
            "{'k':",
            "CASE WHEN ",
            "lower(",
            "EXISTS(",
            "INTERVAL ",
            "a.",
            "(SELECT ",
        ] {
            assert!(read(&(nest.repeat(990 / nest.len()) + "a")).is_err() || nest == "a.", "{nest}");
        }
        for chain in ["::int", "[1]", " COLLATE x", " IS NULL", " AT TIME ZONE 'UTC'", "+a", " AND a"] {
            assert!(read(&("a".to_owned() + &chain.repeat(990 / chain.len()))).is_err(), "{chain}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn reading_never_panics(text in "((a|b\\.c|lower|replace|CASE|WHEN|=|IN|THEN|END|CAST|AS|VARCHAR|SELECT|OVER|'|\"|\\(|\\)|,|\\|\\||::|-|;|1|\\PC) ?){0,30}") {
            if let Ok(scalar) = read(&text) {
                proptest::prop_assert!(!scalar.columns().is_empty());
                proptest::prop_assert_eq!(read(&scalar.to_string()), Ok(scalar));
            }
        }
    }
}
