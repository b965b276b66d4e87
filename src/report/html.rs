//! The report as one HTML page: no script, nothing from a network, light and dark, charts with the tables behind them.

use super::Report;
use super::page::{Attribute, Page};
use super::sections::{Cell, Chart, Section, Table};
use super::text::clip;
use crate::figures;

const STYLE: &str = include_str!("report.css");

/// Nothing is loaded, whatever a value should manage to say.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Rows above which a table is folded.
const LONG: usize = 15;

/// Bars of a chart; the table has the rest.
const BARS: usize = 15;

/// Columns of a chart, in units of its drawing.
const WIDTH: u64 = 760;
const LABEL: u64 = 190;
const BAR: u64 = 490;
const ROW: u64 = 26;

/// The report as a page that needs nothing beside it.
#[must_use]
pub fn html(report: &Report) -> String {
    let mut page = Page::default();
    let title = report.title();
    page.own("<!DOCTYPE html>\n");
    page.element("html", &[("lang", "en")], |page| {
        page.element("head", &[], |page| {
            page.empty("meta", &[("charset", "utf-8")]);
            page.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", POLICY)]);
            page.empty("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
            page.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
            page.words("title", &[], &title);
            page.element("style", &[], |page| page.own(STYLE));
        });
        page.element("body", &[], |page| {
            page.element("header", &[], |page| {
                page.words("h1", &[], &title);
                page.words("p", &[("class", "quiet")], &report.head());
            });
            let sections = report.sections();
            page.element("nav", &[("aria-label", "Sections")], |page| contents(page, &sections));
            page.element("main", &[], |page| {
                for (at, section) in sections.iter().enumerate() {
                    write_section(page, at, section);
                }
            });
        });
    });
    page.finish()
}

fn contents(page: &mut Page, sections: &[Section]) {
    page.element("ul", &[], |page| {
        for (at, section) in sections.iter().enumerate() {
            page.element("li", &[], |page| page.words("a", &[("href", &format!("#s{at}"))], section.title));
        }
    });
}

fn write_section(page: &mut Page, at: usize, section: &Section) {
    let id = format!("s{at}");
    page.element("section", &[("aria-labelledby", &id)], |page| {
        page.words("h2", &[("id", &id)], section.title);
        for words in &section.words {
            page.words("p", &[], words);
        }
        if let Some(chart) = &section.chart {
            write_chart(page, &id, chart);
        }
        for table in &section.tables {
            if table.rows.len() > LONG {
                page.element("details", &[], |page| {
                    let summary = format!("{} ({})", table.title, figures::count(table.rows.len() as u64));
                    page.words("summary", &[], &summary);
                    write_table(page, table);
                });
            } else {
                write_table(page, table);
            }
        }
    });
}

/// What is wider than the page scrolls, also by keyboard.
fn scrolling(title: &'static str) -> [Attribute<'static>; 4] {
    [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", title)]
}

fn write_table(page: &mut Page, table: &Table) {
    page.element("div", &scrolling(table.title), |page| {
        page.element("table", &[], |page| {
            page.words("caption", &[], table.title);
            page.element("thead", &[], |page| {
                page.element("tr", &[], |page| {
                    for (at, head) in table.heads.iter().enumerate() {
                        let numbers =
                            table.rows.iter().any(|row| matches!(row.get(at), Some(Cell::Number(_))));
                        let class = if numbers { "number" } else { "words" };
                        page.words("th", &[("scope", "col"), ("class", class)], head);
                    }
                });
            });
            page.element("tbody", &[], |page| {
                for row in &table.rows {
                    page.element("tr", &[], |page| row.iter().for_each(|cell| write_cell(page, cell)));
                }
            });
        });
    });
}

fn write_cell(page: &mut Page, cell: &Cell) {
    match cell {
        Cell::Text(text) => page.words("td", &[], text),
        Cell::Name(name) => page.element("td", &[], |page| page.words("code", &[], name)),
        Cell::Number(_) => page.words("td", &[("class", "number")], &cell.plain()),
        Cell::Nothing => page.words("td", &[("class", "quiet")], &cell.plain()),
    }
}

fn write_chart(page: &mut Page, id: &str, chart: &Chart) {
    let shown = chart.bars.len().min(BARS);
    let longest = chart.bars.iter().map(|(_, parts)| parts.iter().sum()).max().unwrap_or(0);
    let height = ROW * shown as u64 + 6;
    let (title, description) = (format!("{id}t"), format!("{id}d"));
    page.element("figure", &[], |page| {
        page.element("figcaption", &[], |page| {
            page.text(chart.title);
            if chart.parts.len() > 1 {
                legend(page, &chart.parts);
            }
        });
        let labelled = format!("{title} {description}");
        let frame = format!("0 0 {WIDTH} {height}");
        let attributes = [
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("role", "img"),
            ("aria-labelledby", labelled.as_str()),
            ("viewBox", frame.as_str()),
        ];
        // What does not fit a narrow page scrolls, so that its text can be read.
        page.element("div", &scrolling(chart.title), |page| {
            page.element("svg", &attributes, |page| {
                page.words("title", &[("id", &title)], chart.title);
                page.words("desc", &[("id", &description)], &alternative(chart));
                for (at, (label, parts)) in chart.bars.iter().take(BARS).enumerate() {
                    write_bar(page, ROW * at as u64 + 4, label, parts, longest);
                }
            });
        });
        if chart.bars.len() > shown {
            let more = format!(
                "The {shown} longest; the table has all {}.",
                figures::count(chart.bars.len() as u64)
            );
            page.words("p", &[("class", "quiet")], &more);
        }
    });
}

fn legend(page: &mut Page, parts: &[&'static str]) {
    page.element("ul", &[("class", "legend")], |page| {
        for (at, part) in parts.iter().enumerate() {
            page.element("li", &[], |page| {
                let class = format!("key part{at}");
                page.element("span", &[("class", &class), ("aria-hidden", "true")], |_| {});
                page.text(part);
            });
        }
    });
}

/// The longest bars in words, for those who do not see them.
fn alternative(chart: &Chart) -> String {
    let bars = chart.bars.iter().take(BARS).map(|(label, parts)| {
        let parts = parts.iter().zip(&chart.parts).map(|(count, part)| format!("{count} {part}"));
        format!("{}: {}", clip(label, 40), parts.collect::<Vec<_>>().join(", "))
    });
    // Beyond what is kept of a text, the table speaks.
    bars.collect::<Vec<_>>().join("; ")
}

fn write_bar(page: &mut Page, top: u64, label: &str, parts: &[u64], longest: u64) {
    let middle = (top + 14).to_string();
    let end = (LABEL - 10).to_string();
    let text = [("x", end.as_str()), ("y", middle.as_str()), ("text-anchor", "end")];
    page.words("text", &text, &clip(label, 26));
    let total: u64 = parts.iter().sum();
    let mut before = 0;
    for (at, part) in parts.iter().enumerate().filter(|(_, part)| **part > 0) {
        let (from, to) = (scaled(before, longest), scaled(before + part, longest));
        before += part;
        let [x, y] = [LABEL + from, top].map(|at| at.to_string());
        let width = (to - from).max(1).to_string();
        let class = format!("part{at}");
        let attributes = [
            ("class", class.as_str()),
            ("x", x.as_str()),
            ("y", y.as_str()),
            ("width", width.as_str()),
            ("height", "18"),
        ];
        page.empty("rect", &attributes);
    }
    let after = (LABEL + scaled(total, longest) + 8).to_string();
    page.words("text", &[("x", &after), ("y", &middle), ("class", "count")], &figures::count(total));
}

/// `count` in units of the drawing, where `longest` is as long as a bar can be.
fn scaled(count: u64, longest: u64) -> u64 {
    let scaled = u128::from(count) * u128::from(BAR) / u128::from(longest.max(1));
    u64::try_from(scaled).unwrap_or(BAR).min(BAR)
}
