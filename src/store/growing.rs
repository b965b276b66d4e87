//! A dataset that is still being written: which of its files are complete.
//!
//! For a screen that follows a running collection, and for commands that are told to leave files out. Others open all
//! files or none.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::{Dataset, Format, SessionSettings, Store, StoreError, TimeRange};

/// What a Parquet file begins and ends with; `PARE` where its footer is encrypted.
const MAGIC: [&[u8; 4]; 2] = [b"PAR1", b"PARE"];

/// How far back the beginning of a last line is looked for; DuckDB reads none that is longer.
const LONGEST_LINE: u64 = 16 << 20;

/// Bytes of a Parquet file without anything in it: two magics and the length of the footer.
const LEAST: u64 = 12;

/// A file that is not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

/// What came to a dataset later than something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Later {
    /// Files of Parquet.
    Files(Vec<PathBuf>),
    /// Lines, from this row of the one file on; the first is 0.
    Row(u64),
}

impl Later {
    /// Whether nothing came.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Files(files) if files.is_empty())
    }
}

/// By what a file is known to be as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
}

impl Stamp {
    /// That of a file as it is now.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let metadata = path.metadata()?;
        Ok(Self { modified: metadata.modified().ok(), length: metadata.len() })
    }
}

impl Dataset {
    /// As [`Self::discover`], without the files that are not complete yet, which are named beside it. There may be
    /// none that is.
    ///
    /// # Errors
    /// Nothing is there, or no event file; the file system refuses.
    pub(crate) fn discover_complete(root: &Path) -> Result<(Self, Vec<Unfinished>), StoreError> {
        let mut dataset = Self::find(root)?;
        let mut unfinished = Vec::new();
        let format = dataset.format;
        dataset.files.retain(|path| match missing(path, format) {
            None => true,
            Some(why) => {
                unfinished.push(Unfinished { path: path.clone(), why });
                false
            }
        });
        Ok((dataset, unfinished))
    }
}

impl Store {
    /// Opens the events at `root` without the files that cannot be read, which [`Self::left_out`] names.
    ///
    /// # Errors
    /// As for [`Dataset::discover`] and [`Self::open`]; no file can be read.
    pub fn open_leaving_out(
        root: &Path,
        range: TimeRange,
        settings: SessionSettings,
    ) -> Result<Self, StoreError> {
        let (dataset, mut left_out) = Dataset::discover_complete(root)?;
        if let (true, Some(first)) = (dataset.files.is_empty(), left_out.first()) {
            return Err(StoreError::Unfinished { path: first.path.clone(), why: first.why.clone() });
        }
        let (mut store, unreadable) = Self::open_readable(dataset.within(range), settings)?;
        left_out.extend(unreadable);
        left_out.sort_by(|a, b| a.path.cmp(&b.path));
        store.left_out = left_out;
        Ok(store)
    }

    /// As [`Self::open`], without the files that DuckDB cannot read, which are named beside it.
    ///
    /// # Errors
    /// As for [`Self::open`]; no file can be read.
    pub(crate) fn open_readable(
        mut dataset: Dataset,
        settings: SessionSettings,
    ) -> Result<(Self, Vec<Unfinished>), StoreError> {
        let error = match Self::open(dataset.clone(), settings) {
            Ok(store) => return Ok((store, Vec::new())),
            Err(error) => error,
        };
        let mut unreadable = Vec::new();
        if matches!(error, StoreError::DuckDb { .. }) && dataset.files.len() > 1 {
            dataset.files.retain(|path| match Self::check_readable(path, dataset.format) {
                Ok(()) => true,
                Err(error) => {
                    unreadable.push(Unfinished { path: path.clone(), why: error.to_string() });
                    false
                }
            });
        }
        if unreadable.is_empty() || dataset.files.is_empty() {
            return Err(error);
        }
        Ok((Self::open(dataset, settings)?, unreadable))
    }
}

/// What a file lacks to be complete. It may change while it is looked at: then it is looked at again.
fn missing(path: &Path, format: Format) -> Option<String> {
    let looked = File::open(path).and_then(|file| match format {
        Format::Parquet => lacking(file),
        Format::JsonLines => unended(file),
    });
    match looked {
        Ok(lack) => lack.map(str::to_owned),
        Err(error) => Some(error.to_string()),
    }
}

/// A last line without its end may be whole all the same.
fn unended(mut file: File) -> io::Result<Option<&'static str>> {
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(Some("it is empty"));
    }
    let mut last = Vec::new();
    for back in [1, 64 << 10, LONGEST_LINE] {
        last.clear();
        file.seek(SeekFrom::Start(length.saturating_sub(back)))?;
        (&mut file).take(back.min(length)).read_to_end(&mut last)?;
        if last.ends_with(b"\n") {
            return Ok(None);
        }
        if let Some(end) = last.iter().rposition(|byte| *byte == b'\n') {
            last.drain(..=end);
            break;
        }
    }
    let is_whole = serde_json::from_slice::<serde::de::IgnoredAny>(&last).is_ok();
    Ok((!is_whole).then_some("its last line is not complete yet"))
}

fn lacking(mut file: File) -> io::Result<Option<&'static str>> {
    let length = file.metadata()?.len();
    if length < LEAST {
        return Ok(Some(if length == 0 { "it is empty" } else { "it has no footer yet" }));
    }
    let mut tail = [0; 8];
    file.seek(SeekFrom::End(-8))?;
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    if !MAGIC.contains(&&magic) {
        return Ok(Some("it has no footer yet"));
    }
    let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
    Ok((footer + LEAST > length).then_some("its footer is cut off"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::fs;

    use super::*;

    const PART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/run/normalized/ocsf_events");

    fn parts() -> Vec<PathBuf> {
        let mut parts = Dataset::discover(Path::new(PART)).unwrap().files;
        parts.sort();
        parts
    }

    #[test]
    fn files_that_are_being_written_are_named_and_left_out() {
        let root = tempfile::tempdir().unwrap();
        let whole = fs::read(&parts()[0]).unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(root.path().join(name), bytes).unwrap();
        write("a.parquet", &whole);
        write("b.parquet", b"");
        write("c.parquet", &whole[..whole.len() / 2]);
        write("d.parquet", b"PAR1\xff\xff\0\0PAR1");
        assert!(Dataset::discover(root.path()).is_err(), "commands open all files or none");
        let (dataset, unfinished) = Dataset::discover_complete(root.path()).unwrap();
        assert_eq!(dataset.files, [root.path().join("a.parquet")]);
        let said: Vec<_> = unfinished.iter().map(|file| file.why.as_str()).collect();
        assert_eq!(said, ["it is empty", "it has no footer yet", "its footer is cut off"]);
        assert!(Store::open_readable(dataset, SessionSettings::default()).unwrap().1.is_empty());
    }

    #[test]
    fn a_line_that_is_being_written_makes_its_file_incomplete() {
        let root = tempfile::tempdir().unwrap();
        let lines = root.path().join("ocsf_events.jsonl");
        let long = format!("{{\"class_uid\": 1, \"time\": 1, \"message\": \"{}\"}}", "x".repeat(100_000));
        for (text, lack) in [
            (String::new(), Some("it is empty")),
            (format!("{long}\n"), None),
            (format!("{long}\n{long}"), None),
            (long.clone(), None),
            (format!("{long}\n{}", &long[..90_000]), Some("its last line is not complete yet")),
            (format!("{long}\n{{\"cl"), Some("its last line is not complete yet")),
        ] {
            fs::write(&lines, text).unwrap();
            let (_, unfinished) = Dataset::discover_complete(&lines).unwrap();
            assert_eq!(unfinished.first().map(|file| file.why.as_str()), lack);
        }
    }

    #[test]
    fn a_file_with_a_footer_that_says_nothing_is_left_out() {
        let root = tempfile::tempdir().unwrap();
        fs::copy(&parts()[0], root.path().join("a.parquet")).unwrap();
        fs::write(root.path().join("b.parquet"), b"PAR1\xff\xff\xff\xff\x04\0\0\0PAR1").unwrap();
        let (dataset, unfinished) = Dataset::discover_complete(root.path()).unwrap();
        assert_eq!((dataset.files.len(), unfinished.len()), (2, 0));
        let (store, unreadable) = Store::open_readable(dataset, SessionSettings::default()).unwrap();
        assert_eq!(store.dataset().files, [root.path().join("a.parquet")]);
        assert_eq!(unreadable[0].path, root.path().join("b.parquet"));
    }
}
