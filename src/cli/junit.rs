//! Test results as JUnit XML, which build servers read.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::BytesText;

/// Cases under one heading. All texts are as they should stand: one line each.
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) cases: Vec<Case>,
}

/// A case.
pub(super) struct Case {
    pub(super) name: String,
    /// The file and line that it stands at.
    pub(super) place: Option<(String, u32)>,
    pub(super) failures: Vec<Failure>,
    /// Why it was not run.
    pub(super) skipped: Option<String>,
}

/// What a case found wrong.
pub(super) struct Failure {
    pub(super) message: String,
    /// Where that is asked for.
    pub(super) place: String,
}

/// Writes the suites.
pub(super) fn write(out: &mut impl Write, suites: &[Suite]) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let mut writer = Writer::new_with_indent(&mut *out, b' ', 2);
    writer
        .create_element("testsuites")
        .write_inner_content(|writer| suites.iter().try_for_each(|suite| suite_element(writer, suite)))?;
    writeln!(out)
}

fn suite_element<W: Write>(writer: &mut Writer<W>, suite: &Suite) -> io::Result<()> {
    let count = |is: fn(&Case) -> bool| suite.cases.iter().filter(|case| is(case)).count();
    let failed = count(|case| !case.failures.is_empty()).to_string();
    let (tests, skipped) = (suite.cases.len().to_string(), count(|case| case.skipped.is_some()));
    let attributes = [("name", &*suite.name), ("tests", &tests), ("failures", &failed)];
    let mut element = writer.create_element("testsuite").with_attributes(attributes);
    if skipped > 0 {
        element = element.with_attribute(("skipped", &*skipped.to_string()));
    }
    element.write_inner_content(|writer| {
        suite.cases.iter().try_for_each(|case| case_element(writer, case, &suite.name))
    })?;
    Ok(())
}

fn case_element<W: Write>(writer: &mut Writer<W>, case: &Case, suite: &str) -> io::Result<()> {
    let element = writer.create_element("testcase");
    let mut element = element.with_attributes([("classname", suite), ("name", &*case.name)]);
    if let Some((file, line)) = &case.place {
        element = element.with_attributes([("file", &**file), ("line", &*line.to_string())]);
    }
    if case.failures.is_empty() && case.skipped.is_none() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|writer| {
        if let Some(why) = &case.skipped {
            writer.create_element("skipped").with_attribute(("message", &**why)).write_empty()?;
        }
        case.failures.iter().try_for_each(|failure| {
            let element = writer.create_element("failure").with_attribute(("message", &*failure.message));
            element.write_text_content(BytesText::new(&failure.place)).map(drop)
        })
    })?;
    Ok(())
}
