//! Lines of an input that may still grow, with the place where each ends.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use memchr::{memchr, memchr_iter, memrchr};
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
    pub(super) offset: u64,
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
    /// Whole lines, each with its end; the last of a rotated file may lack it.
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
    End {
        /// A last line without its end, or nothing. Whoever comes back finds it whole, perhaps, and so it is never
        /// passed.
        last: Vec<u8>,
    },
}

/// An input, read line by line.
#[derive(Debug)]
pub struct Lines {
    source: Source,
    /// What is read and not handed out; a line without its end, between two calls.
    rest: Vec<u8>,
    /// How much of that is known to have no end of a line.
    searched: usize,
    /// Whether the line being read is too long already.
    too_long: bool,
    position: Position,
    /// Whether there was nothing more to read the last time.
    at_end: bool,
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
        let (rest, at_end, replaced) = (Vec::new(), false, false);
        Ok(Self { source, rest, searched: 0, too_long: false, position, at_end, replaced, known })
    }

    /// What comes next. Blocks only on standard input.
    ///
    /// # Errors
    /// The input cannot be read.
    pub fn next_piece(&mut self) -> io::Result<Piece> {
        if std::mem::take(&mut self.replaced) {
            return Ok(Piece::Replaced { end: self.position.clone() });
        }
        if self.searched < self.rest.len() {
            return Ok(self.whole_lines());
        }
        let from = self.rest.len();
        self.rest.resize(from + CHUNK, 0);
        let read = match self.rest.get_mut(from..) {
            Some(room) => self.source.read(room),
            None => Ok(0),
        };
        self.rest.truncate(from + read.as_ref().map_or(0, |read| *read));
        self.at_end = matches!(read, Ok(0));
        match read {
            Ok(0) => self.at_end(),
            Ok(_) => Ok(self.whole_lines()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Piece::Waiting),
            Err(error) => Err(error),
        }
    }

    /// Whether there was nothing more to read the last time.
    pub(super) fn is_at_end(&self) -> bool {
        self.at_end
    }

    /// A last line that lacks its end and is a whole object all the same; of what follows, its end is a line of nothing.
    pub(super) fn unended(&mut self) -> Option<Piece> {
        let is_whole = self.at_end
            && !self.too_long
            && self.rest.trim_ascii_end().ends_with(b"}")
            && serde_json::from_slice::<serde::de::IgnoredAny>(&self.rest).is_ok();
        if !is_whole {
            return None;
        }
        self.searched = 0;
        let text = std::mem::take(&mut self.rest);
        Some(self.handed_out(text))
    }

    /// The whole lines of what is read.
    fn whole_lines(&mut self) -> Piece {
        let unsearched = self.rest.get(self.searched..).unwrap_or_default();
        if self.too_long {
            return self.end_of_too_long(memchr(b'\n', unsearched));
        }
        match memrchr(b'\n', unsearched) {
            Some(last) => {
                let rest = self.rest.split_off(self.searched + last + 1);
                let text = std::mem::replace(&mut self.rest, rest);
                self.searched = self.rest.len();
                self.handed_out(text)
            }
            None if self.rest.len() > MAX_LINE => self.end_of_too_long(None),
            None => {
                self.searched = self.rest.len();
                Piece::Waiting
            }
        }
    }

    /// Passes over the rest of a line that is too long; its end is that far into what is read.
    fn end_of_too_long(&mut self, end: Option<usize>) -> Piece {
        self.too_long = end.is_none();
        let passed = end.map_or(self.rest.len(), |end| end + 1);
        self.rest = self.rest.split_off(passed);
        self.searched = 0;
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
            let end = memchr(b'\n', &text).map_or(text.len(), |end| end + 1);
            text.drain(..end);
            self.known -= 1;
            self.position.lines += 1;
        }
        if text.is_empty() {
            return Piece::Waiting;
        }
        let before = self.position.lines;
        let ends = memchr_iter(b'\n', &text).count() as u64;
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
            (self.searched, self.too_long) = (0, false);
            let lines = (!last.is_empty()).then(|| self.handed_out(last));
            self.position.file = FileId::of(&metadata);
            self.position.offset = 0;
            self.replaced = lines.is_some();
            return Ok(lines.unwrap_or_else(|| Piece::Replaced { end: self.position.clone() }));
        }
        Ok(Piece::End { last: std::mem::take(&mut self.rest) })
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::io::Write;

    use super::*;

    fn read_all(lines: &mut Lines) -> Vec<Piece> {
        let mut pieces = Vec::new();
        loop {
            match lines.next_piece().unwrap() {
                Piece::Waiting => {}
                end @ Piece::End { .. } => {
                    pieces.push(end);
                    return pieces;
                }
                piece => pieces.push(piece),
            }
        }
    }

    fn whole(path: &std::path::Path) -> Input {
        Input::File { path: path.to_owned(), follow: false }
    }

    #[test]
    fn lines_around_one_that_is_too_long_are_kept_and_counted() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "a\n{}\nb\nc", "x".repeat(MAX_LINE + 2 * CHUNK)).unwrap();
        let mut lines = Lines::open(&whole(file.path()), None).unwrap();
        let pieces = read_all(&mut lines);
        let [
            Piece::Lines { text: a, before: 0, .. },
            Piece::TooLong { number: 2, .. },
            Piece::Lines { text: b, before: 2, end },
            Piece::End { last },
        ] = pieces.as_slice()
        else {
            panic!("{} pieces", pieces.len());
        };
        assert_eq!((a.as_slice(), b.as_slice(), last.as_slice()), (&b"a\n"[..], &b"b\n"[..], &b"c"[..]));
        assert_eq!(end.lines, 3);
    }

    #[test]
    fn reading_goes_on_at_a_position() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"a\nb\nhalf").unwrap();
        let mut lines = Lines::open(&whole(file.path()), None).unwrap();
        let Piece::Lines { end, .. } = lines.next_piece().unwrap() else { panic!("there are lines") };
        file.write_all(b" and half\n").unwrap();
        let mut lines = Lines::open(&whole(file.path()), Some(end.clone())).unwrap();
        let Piece::Lines { text, before, .. } = lines.next_piece().unwrap() else {
            panic!("there is a line")
        };
        assert_eq!((text.as_slice(), before), (&b"half and half\n"[..], 2));
        let other = tempfile::NamedTempFile::new().unwrap();
        assert!(Lines::open(&whole(other.path()), Some(end)).is_err(), "it is a place in another file");
    }
}
