//! Answers as bytes: a line that says what follows, with its SHA-256, then JSON.
//!
//! What another build of the program wrote is not read: it may have had other ideas of what a statement means.

use std::collections::{BTreeSet, HashMap};
use std::env;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Answer, Answers, Question, Summary};
use crate::store::{FileId, Identified};

/// The form of the bytes.
const FORMAT: u8 = 1;

/// Files in all sets together that are written; of more sets, the newest.
const FILES: usize = 32 * 1024;

/// Why bytes are no answers that this program can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it was not written by this build of the program, or not in full")]
pub(crate) struct Unusable;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    sets: Vec<Vec<String>>,
    answers: Vec<Line>,
}

/// Question, set, matches, first and last time.
type Line = (String, usize, u64, Option<i64>, Option<i64>);

impl Answers {
    /// As bytes for [`Self::read`]; `None` where this build of the program cannot be told from others.
    pub(crate) fn written(&self) -> Option<Vec<u8>> {
        let mut room = FILES;
        let fits = |set: &&BTreeSet<FileId>| {
            let fits = set.len() <= room;
            room -= set.len().min(room);
            fits
        };
        let kept = self.sets.iter().rev().take_while(fits).count();
        let dropped = self.sets.len() - kept;
        let set = |set: &BTreeSet<FileId>| set.iter().map(|FileId(id)| STANDARD_NO_PAD.encode(id)).collect();
        let mut answers: Vec<Line> = self
            .known
            .iter()
            .filter_map(|(Question(question), answer)| {
                let Summary { matches, first_seen, last_seen } = answer.summary;
                let set = answer.set.checked_sub(dropped)?;
                Some((STANDARD_NO_PAD.encode(question), set, matches, first_seen, last_seen))
            })
            .collect();
        answers.sort_unstable();
        let written = Written { sets: self.sets.iter().skip(dropped).map(set).collect(), answers };
        let body = serde_json::to_vec(&written).ok()?;
        let mut bytes = header(&body)?.into_bytes();
        bytes.extend(body);
        Some(bytes)
    }

    /// The answers that bytes are.
    ///
    /// # Errors
    /// They are none, not whole, or those of another build of the program.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Unusable> {
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(Unusable)?;
        let (said, body) = bytes.split_at_checked(end + 1).ok_or(Unusable)?;
        if header(body).is_none_or(|header| header.as_bytes() != said) {
            return Err(Unusable);
        }
        let Written { sets, answers } = serde_json::from_slice(body).map_err(|_| Unusable)?;
        let ids = |set: Vec<String>| set.iter().map(|id| digest(id).map(FileId)).collect();
        let sets: Vec<BTreeSet<FileId>> = sets.into_iter().map(ids).collect::<Result<_, _>>()?;
        let mut known = HashMap::new();
        for (question, set, matches, first_seen, last_seen) in answers {
            if set >= sets.len() {
                return Err(Unusable);
            }
            let summary = Summary { matches, first_seen, last_seen };
            known.insert(Question(digest(&question)?), Answer { set, summary, used: false });
        }
        Ok(Self { sets, known, unsaved: 0 })
    }

    /// Counts from here on what is not written.
    pub(crate) fn saved(&mut self) {
        self.unsaved = 0;
    }
}

fn digest(text: &str) -> Result<[u8; 32], Unusable> {
    let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| Unusable)?;
    bytes.try_into().map_err(|_| Unusable)
}

fn header(body: &[u8]) -> Option<String> {
    let build = STANDARD_NO_PAD.encode(build()?.0);
    let hash = STANDARD_NO_PAD.encode(Sha256::digest(body));
    Some(format!("sigma-ocsf-tui answers {FORMAT} {build} {hash}\n"))
}

/// The file of the program that runs.
fn build() -> Option<FileId> {
    let path = env::current_exe().ok()?;
    Some(Identified::at(&path)?.id)
}
