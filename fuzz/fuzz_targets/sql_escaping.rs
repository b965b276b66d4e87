//! Any text as a literal of a rule: the SQL is one statement of the shape that a harmless literal gives, and what
//! it compares with is the literal, folded as the backend folds.
#![no_main]

use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use sigma_ocsf_tui::backend::{self, CompiledRule};
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::pack::{self, DEFAULT_PACK, Pack, PackSource};
use sigma_ocsf_tui::sigma;
use sqlparser::ast::{BinaryOperator, Expr, FunctionArguments, Value, VisitMut, VisitorMut};
use sqlparser::dialect::DuckDbDialect;
use sqlparser::parser::Parser;

static PACK: LazyLock<Pack> = LazyLock::new(|| {
    let source = PackSource::Embedded(DEFAULT_PACK.to_owned());
    pack::load(&source).expect("the shipped pack loads").pack
});

/// What each modifier makes of a harmless literal, the literal itself taken out.
static SHAPES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let shape = |modifier: &&str| shape(&sql(modifier, "harmless").expect("it compiles")).0;
    MODIFIERS.iter().map(shape).collect()
});

const MODIFIERS: [&str; 5] = ["", "|contains", "|startswith", "|endswith", "|cased"];

fuzz_target!(|bytes: &[u8]| {
    let literal = String::from_utf8_lossy(bytes);
    for (modifier, expected) in MODIFIERS.iter().zip(SHAPES.iter()) {
        let Some(sql) = sql(modifier, &literal) else { continue };
        assert!(!sql.contains(|c: char| c.is_control() && c != '\n'), "{sql:?}");
        let (shape, texts) = shape(&sql);
        assert_eq!(&shape, expected, "{sql}");
        let compared = if *modifier == "|cased" { literal.to_string() } else { sigma::text::fold(&literal) };
        assert!(texts.contains(&compared), "{sql}\n{texts:?} without {compared:?}");
    }
});

/// The statement for a rule that looks for the literal.
fn sql(modifier: &str, literal: &str) -> Option<String> {
    let text = format!(
        "title: t\nlogsource: {{category: process_creation, product: windows}}\ndetection:\n  s:\n    \
         CommandLine{modifier}: {}\n  condition: s\n",
        quoted(literal)
    );
    let rules: Vec<_> = sigma::parse(Path::new("fuzzed.yml"), &text).into_iter().map(Arc::new).collect();
    let compiled = backend::compile(&rules, &PACK, &Settings::default());
    compiled.into_iter().find_map(|CompiledRule { sql, .. }| sql).map(|sql| sql.text)
}

/// The literal in YAML and in Sigma, whatever it holds.
fn quoted(literal: &str) -> String {
    let mut quoted = String::from("\"");
    for c in literal.chars() {
        match c {
            '*' | '?' | '\\' => write!(quoted, "\\\\\\x{:02x}", u32::from(c)),
            ' '..='~' if c != '"' => write!(quoted, "{c}"),
            _ => write!(quoted, "\\U{:08x}", u32::from(c)),
        }
        .expect("a string takes any text");
    }
    quoted + "\""
}

/// The one statement, every text in it replaced by a mark; and the texts, those put together by `||` and `chr`
/// as one.
fn shape(sql: &str) -> (String, Vec<String>) {
    let statements = Parser::parse_sql(&DuckDbDialect {}, sql).expect("the SQL is SQL");
    let [mut statement] = <[_; 1]>::try_from(statements).expect("one statement");
    let mut texts = Texts::default();
    let _ = statement.visit(&mut texts);
    (statement.to_string().replace("(?)", "?"), texts.0)
}

/// Takes the texts out of a statement. What a text is put together from is not met by itself.
#[derive(Default)]
struct Texts(Vec<String>);

impl VisitorMut for Texts {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some(text) = text_of(expr) {
            self.0.push(text);
            *expr = Expr::value(Value::Placeholder("?".to_owned()));
        }
        ControlFlow::Continue(())
    }
}

/// The text that an expression is without reading any column.
fn text_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Nested(inner) => text_of(inner),
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) => Some(text.clone()),
            _ => None,
        },
        Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
            Some(text_of(left)? + &text_of(right)?)
        }
        Expr::Function(function) if function.name.to_string() == "chr" => {
            let FunctionArguments::List(list) = &function.args else { return None };
            let number = list.args.first()?.to_string().parse().ok()?;
            char::from_u32(number).map(String::from)
        }
        _ => None,
    }
}
