//! The report as Markdown (CommonMark with tables).

use crate::figures;
use std::fmt::Write as _;

use super::Report;
use super::sections::{Cell, Table};
use super::text::clean;

/// Rows of a table that are shown.
const ROWS: usize = 25;

/// The report as Markdown. Values of rules and events cannot become markup, links or HTML.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = format!("# {}\n\n{}\n", escape(&report.title()), escape(&report.head()));
    for section in report.sections() {
        // Writing to a String does not fail.
        let _ = write!(out, "\n## {}\n", escape(section.title));
        for words in &section.words {
            let _ = write!(out, "\n{}\n", escape(words));
        }
        for table in &section.tables {
            write_table(&mut out, table);
        }
    }
    out
}

fn write_table(out: &mut String, table: &Table) {
    let _ = write!(out, "\n**{}**\n\n|", escape(table.title));
    for head in &table.heads {
        let _ = write!(out, " {} |", escape(head));
    }
    out.push_str("\n|");
    for at in 0..table.heads.len() {
        let numbers = table.rows.iter().any(|row| matches!(row.get(at), Some(Cell::Number(_))));
        out.push_str(if numbers { "---:|" } else { "---|" });
    }
    out.push('\n');
    for row in table.rows.iter().take(ROWS) {
        out.push('|');
        for cell in row {
            let _ = write!(out, " {} |", cell_text(cell));
        }
        out.push('\n');
    }
    let more = table.rows.len().saturating_sub(ROWS);
    if more > 0 {
        let _ = write!(out, "\nand {} more\n", figures::count(more as u64));
    }
}

fn cell_text(cell: &Cell) -> String {
    match cell {
        Cell::Name(name) => code(name),
        other => escape(&other.plain()),
    }
}

/// Text in which nothing is markup. Of addresses the part is escaped by which GitHub knows them.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let text = clean(text);
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let markup = matches!(
            c,
            '\\' | '`'
                | '*'
                | '_'
                | '{'
                | '}'
                | '['
                | ']'
                | '<'
                | '>'
                | '#'
                | '!'
                | '|'
                | '~'
                | '$'
                | '@'
                | '&'
        );
        let address = (c == ':' && after.starts_with('/')) || (c == '.' && escaped.ends_with("www"));
        if markup || address {
            escaped.push('\\');
        }
        escaped.push(c);
        rest = after;
    }
    escaped
}

/// A code span. In a table `|` is escaped even there.
fn code(text: &str) -> String {
    let text = clean(text).replace('|', "\\|");
    if text.trim().is_empty() {
        return "–".to_owned();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_values() {
        assert_eq!(escape("<b>*x*</b> [a](http://e.x)"), "\\<b\\>\\*x\\*\\</b\\> \\[a\\](http\\://e.x)");
        assert_eq!(escape("a | b\n# c"), "a \\| b\u{fffd}\\# c");
        assert_eq!(escape("www.e.x & @all"), "www\\.e.x \\& \\@all");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("`` x"), "``` `` x ```");
        assert_eq!(code(" "), "–");
    }
}
