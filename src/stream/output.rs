//! Where detections go: standard output, or a file whose length is known at any time.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Stdout, Write};
use std::path::Path;

/// Where detections go, a line each.
#[derive(Debug)]
pub enum Output {
    /// Standard output.
    Standard(BufWriter<Stdout>),
    /// A file.
    File {
        /// It.
        file: BufWriter<File>,
        /// Its length in bytes, with what is still buffered.
        length: u64,
    },
}

impl Output {
    /// Standard output.
    #[must_use]
    pub fn standard() -> Self {
        Self::Standard(BufWriter::new(io::stdout()))
    }

    /// The file at `path`, cut to `length` bytes; what a stream wrote beyond its checkpoint, it writes again.
    ///
    /// # Errors
    /// The file system refuses; the file is shorter than that.
    pub fn file(path: &Path, length: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        let there = file.metadata()?.len();
        if there < length {
            let what = format!(
                "{there} bytes are there, and the checkpoint knows of {length}: it was cut or replaced"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        file.set_len(length)?;
        file.seek(SeekFrom::Start(length))?;
        Ok(Self::File { file: BufWriter::new(file), length })
    }

    /// Writes a line, its end not among `line`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn line(&mut self, line: &[u8]) -> io::Result<()> {
        let writer: &mut dyn Write = match self {
            Self::Standard(out) => out,
            Self::File { file, length } => {
                *length += line.len() as u64 + 1;
                file
            }
        };
        writer.write_all(line)?;
        writer.write_all(b"\n")
    }

    /// Hands on what is buffered.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::File { file, .. } => file.flush(),
        }
    }

    /// Sees to it that what was written outlives the machine, and gives the length.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn sync(&mut self) -> io::Result<u64> {
        self.flush()?;
        match self {
            Self::Standard(_) => Ok(0),
            Self::File { file, length } => file.get_ref().sync_data().map(|()| *length),
        }
    }
}
