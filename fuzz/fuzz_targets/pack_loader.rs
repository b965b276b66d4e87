//! Three texts, NUL between them, as the files of a pack: it loads, or every error has a place and no control
//! character.
#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use sigma_ocsf_tui::pack::{self, PackSource};

const FILES: [&str; 3] = ["pack.yaml", "routes.yaml", "aliases/fuzzed.yaml"];

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let texts = FILES.iter().map(PathBuf::from).zip(text.splitn(3, '\0').map(str::to_owned));
    let loaded = pack::load(&PackSource::Texts(texts.collect()));
    let findings = match loaded {
        Ok(loaded) => {
            assert_eq!(loaded.pack.sha256.len(), 64);
            loaded.warnings
        }
        Err(error) => {
            assert!(!error.findings.is_empty());
            error.findings
        }
    };
    for finding in findings {
        assert!(!finding.message.contains(char::is_control), "{finding:?}");
    }
});
