//! Lines of an input that may still grow, with the place where each ends.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The longest line, in bytes: what an event of any sense stays far below.
pub(super) const MAX_LINE: usize = 16 << 20;

/// Bytes that are read at once.
const CHUNK: usize = 256 << 10;

/// Where lines come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Standard,
    /// A file.
    File {
        /// It.
        path: PathBuf,
        /// Whether to wait at its end for more, through rotation and truncation.
        follow: bool,
    },
}

/// A place between two lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Which file it is, where the system can tell.
    file: Option<FileId>,
    /// Bytes before it in the file.
    offset: u64,
    /// Lines before it, those of earlier files of a rotation among them.
    pub lines: u64,
}

/// A file, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self { device: metadata.dev(), inode: metadata.ino() })
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Option<Self> {
        None
    }
}

/// What an input gives next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Whole lines, each with its end; the last of a file may lack it.
    Lines {
        /// Their bytes.
        text: Vec<u8>,
        /// How many lines lie before them.
        before: u64,
        /// Where they end.
        end: Position,
    },
    /// A line that is too long, and was not kept.
    TooLong {
        /// Its number, from 1.
        number: u64,
        /// Where it ends.
        end: Position,
    },
    /// The file has another beginning now: rotated or cut. Its new lines come next.
    Replaced {
        /// That beginning.
        end: Position,
    },
    /// Nothing for now.
    Waiting,
    /// Nothing any more.
    End,
}

/// An input, read line by line.
#[derive(Debug)]
pub struct Lines {
    source: Source,
    /// What is read and not handed out; a line without its end, between two calls.
    rest: Vec<u8>,
    /// Whether the line being read is too long already.
    too_long: bool,
    position: Position,
    /// Whether [`Piece::Replaced`] is still to be told.
    replaced: bool,
    /// Lines to pass over, which an earlier process has read.
    known: u64,
}

#[derive(Debug)]
enum Source {
    Standard(io::Stdin),
    File { file: File, path: PathBuf, follow: bool },
}

impl Lines {
    /// Opens an input behind `from`, where an earlier process has come to. Standard input has to begin where it began
    /// then: its first lines are passed over.
    ///
    /// # Errors
    /// The file cannot be read; it is another one than `from` is a place of, or shorter.
    pub fn open(input: &Input, from: Option<Position>) -> io::Result<Self> {
        let mut position = from.clone().unwrap_or_default();
        let (source, known) = match input {
            Input::Standard => {
                position = Position { file: None, offset: 0, lines: 0 };
                (Source::Standard(io::stdin()), from.map_or(0, |from| from.lines))
            }
            Input::File { path, follow } => {
                let mut file = File::open(path)?;
                let metadata = file.metadata()?;
                if from.is_some() {
                    check(&position, &metadata)?;
                }
                position.file = FileId::of(&metadata);
                file.seek(SeekFrom::Start(position.offset))?;
                (Source::File { file, path: path.clone(), follow: *follow }, 0)
            }
        };
        Ok(Self { source, rest: Vec::new(), too_long: false, position, replaced: false, known })
    }

    /// What comes next. Blocks only on standard input.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn next_piece(&mut self) -> io::Result<Piece> {
        if std::mem::take(&mut self.replaced) {
            return Ok(Piece::Replaced { end: self.position.clone() });
        }
        let from = self.rest.len();
        self.rest.resize(from + CHUNK, 0);
        let read = match self.rest.get_mut(from..) {
            Some(room) => self.source.read(room),
            None => Ok(0),
        };
        self.rest.truncate(from + read.as_ref().map_or(0, |read| *read));
        match read {
            Ok(0) => self.at_end(),
            Ok(_) => Ok(self.whole_lines(from)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Piece::Waiting),
            Err(error) => Err(error),
        }
    }

    /// The whole lines of what is read; `searched` bytes are known to have no end of line.
    fn whole_lines(&mut self, searched: usize) -> Piece {
        let read = self.rest.get(searched..).unwrap_or_default();
        if self.too_long {
            return self.end_of_too_long(read.iter().position(|byte| *byte == b'\n'));
        }
        match read.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => {
                let rest = self.rest.split_off(searched + last + 1);
                let text = std::mem::replace(&mut self.rest, rest);
                self.handed_out(text)
            }
            None if self.rest.len() > MAX_LINE => self.end_of_too_long(None),
            None => Piece::Waiting,
        }
    }

    /// Passes over the rest of a line that is too long; its end is that far into what is read.
    fn end_of_too_long(&mut self, end: Option<usize>) -> Piece {
        self.too_long = end.is_none();
        let passed = end.map_or(self.rest.len(), |end| end + 1);
        let rest = self.rest.split_off(passed);
        self.rest = rest;
        self.position.offset += passed as u64;
        if self.too_long {
            return Piece::Waiting;
        }
        self.position.lines += 1;
        match self.known.checked_sub(1) {
            Some(known) => {
                self.known = known;
                Piece::Waiting
            }
            None => Piece::TooLong { number: self.position.lines, end: self.position.clone() },
        }
    }

    fn handed_out(&mut self, mut text: Vec<u8>) -> Piece {
        self.position.offset += text.len() as u64;
        while self.known > 0 && !text.is_empty() {
            let end = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1);
            text.drain(..end);
            self.known -= 1;
            self.position.lines += 1;
        }
        if text.is_empty() {
            return Piece::Waiting;
        }
        let before = self.position.lines;
        let ends = text.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.position.lines += ends + u64::from(!text.ends_with(b"\n"));
        Piece::Lines { text, before, end: self.position.clone() }
    }

    fn at_end(&mut self) -> io::Result<Piece> {
        if let Source::File { file, path, follow: true } = &mut self.source {
            // While it is being rotated there may be none.
            let Ok(there) = File::open(&*path) else { return Ok(Piece::Waiting) };
            let metadata = there.metadata()?;
            let replaced = FileId::of(&metadata) != self.position.file;
            if !replaced && metadata.len() >= self.position.offset + self.rest.len() as u64 {
                return Ok(Piece::Waiting);
            }
            *file = there;
            // Of a line that was cut, what is there is no event; of the last one of a rotated file, its end was.
            let last = std::mem::take(&mut self.rest);
            self.too_long = false;
            let lines = (!last.is_empty()).then(|| self.handed_out(last));
            self.position.file = FileId::of(&metadata);
            self.position.offset = 0;
            self.replaced = lines.is_some();
            return Ok(lines.unwrap_or_else(|| Piece::Replaced { end: self.position.clone() }));
        }
        if self.too_long {
            return Ok(self.end_of_too_long(Some(self.rest.len().saturating_sub(1))));
        }
        let rest = std::mem::take(&mut self.rest);
        Ok(if rest.is_empty() { Piece::End } else { self.handed_out(rest) })
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Standard(stdin) => stdin.read(buffer),
            Self::File { file, .. } => file.read(buffer),
        }
    }
}

fn check(position: &Position, metadata: &Metadata) -> io::Result<()> {
    let what = if FileId::of(metadata) != position.file {
        "it is another file than the checkpoint was made with; finish that one under its new name, or start with a new checkpoint"
    } else if metadata.len() < position.offset {
        "it is shorter than the checkpoint knows it: it was cut; start with a new checkpoint"
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::InvalidData, what))
}
