//! Documents as JSON, for other programs.

use std::io::{self, Write};

use serde::Serialize;

/// Writes a document, and the end of its last line.
pub(super) fn write_json(out: &mut impl Write, document: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}
