//! Test results as JUnit XML, which build servers read.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::test::{against, shown};
use crate::authoring::{CaseResult, Failure, Suite, TestRun, Untested};
use crate::cli::text::one_line;
use crate::pack::PackPlace;

/// A suite for each pack, and one of what no case exercises, whose entries fail where all has to be tested.
pub(super) fn write(out: &mut impl Write, run: &TestRun, complete: bool) -> io::Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let mut writer = Writer::new_with_indent(&mut *out, b' ', 2);
    writer.create_element("testsuites").write_inner_content(|writer| {
        run.suites.iter().try_for_each(|suite| suite_element(writer, suite))?;
        match complete && !run.untested.is_empty() {
            true => not_tested(writer, &run.untested),
            false => Ok(()),
        }
    })?;
    writeln!(out)
}

fn suite_element<W: Write>(writer: &mut Writer<W>, suite: &Suite) -> io::Result<()> {
    let name = format!("{}{}", one_line(&suite.tests_of), against(suite));
    let (tests, failed) = (suite.cases.len().to_string(), suite.failed().to_string());
    let attributes = [("name", &*name), ("tests", &tests), ("failures", &failed)];
    let element = writer.create_element("testsuite").with_attributes(attributes);
    element.write_inner_content(|writer| {
        suite.cases.iter().try_for_each(|case| case_element(writer, case, &name))
    })?;
    Ok(())
}

fn case_element<W: Write>(writer: &mut Writer<W>, case: &CaseResult, suite: &str) -> io::Result<()> {
    let name = one_line(&case.name);
    let file = one_line(&case.place.path.display().to_string()).into_owned();
    let line = case.place.span.start.line.to_string();
    let attributes = [("classname", suite), ("name", &*name), ("file", &file), ("line", &line)];
    let element = writer.create_element("testcase").with_attributes(attributes);
    if case.failures.is_empty() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|writer| {
        case.failures.iter().try_for_each(|Failure { place, subject, expected, got }| {
            let (subject, expected, got) = (one_line(subject), one_line(expected), one_line(got));
            let message = format!("{subject}: expected {expected}, got {got}");
            failure(writer, &message, place)
        })
    })?;
    Ok(())
}

fn not_tested<W: Write>(writer: &mut Writer<W>, untested: &[Untested]) -> io::Result<()> {
    let number = untested.len().to_string();
    let attributes = [("name", "untested"), ("tests", &*number), ("failures", &number)];
    let element = writer.create_element("testsuite").with_attributes(attributes);
    element.write_inner_content(|writer| {
        untested.iter().try_for_each(|Untested { place, what }| {
            let what = one_line(what);
            let element = writer.create_element("testcase");
            let element = element.with_attributes([("classname", "untested"), ("name", &*what)]);
            let message = format!("no case exercises {what}");
            element.write_inner_content(|writer| failure(writer, &message, place)).map(drop)
        })
    })?;
    Ok(())
}

fn failure<W: Write>(writer: &mut Writer<W>, message: &str, place: &PackPlace) -> io::Result<()> {
    let element = writer.create_element("failure").with_attribute(("message", message));
    element.write_text_content(BytesText::new(&shown(place)))?;
    Ok(())
}
