//! A tmux server for one test: its pane is a terminal that the test types into and reads.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a thing may take to show. Generous: it bounds a hang, it measures nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A tmux server of its own, with one pane, and a folder for what runs in it.
pub struct Tmux {
    socket: String,
    folder: tempfile::TempDir,
}

impl Tmux {
    /// A server that nothing runs in yet, with these folders of the repository copied to its own; `None`, and said so,
    /// without tmux.
    pub fn new(name: &str, folders: &[(&str, &str)]) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            println!("skipped: no tmux");
            return None;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (from, to) in folders {
            copy(&root.join(from), &folder.path().join(to));
        }
        Some(Self { socket: format!("sigma-ocsf-tui-{name}-{}", std::process::id()), folder })
    }

    pub fn tmux(&self, arguments: &[&str]) -> String {
        // Without a UTF-8 locale tmux tells other characters as `_`, whatever the machine that the test runs on is set to.
        let output = Command::new("tmux")
            .args(["-u", "-L", &self.socket])
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .output();
        String::from_utf8_lossy(&output.expect("tmux runs").stdout).into_owned()
    }

    /// Runs `command` in a pane of so many columns and rows, in the folder.
    pub fn start(&self, size: (u16, u16), variables: &[&str], command: &str) {
        let (columns, rows) = (size.0.to_string(), size.1.to_string());
        let folder = self.folder.path().display().to_string();
        let mut arguments =
            vec!["-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &rows, "-c", &folder];
        for variable in [&["TERM=xterm-256color"], variables].concat() {
            arguments.extend(["-e", variable]);
        }
        arguments.push(command);
        self.tmux(&arguments);
    }

    pub fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    pub fn capture(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until the pane shows all of `wanted`, and gives what it shows then.
    pub fn wait_for(&self, wanted: &[&str]) -> String {
        self.wait_until(&format!("{wanted:?}"), |shown| wanted.iter().all(|text| shown.contains(text)))
    }

    pub fn wait_until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        wait(what, || self.capture(), holds)
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// Looks until it is as wanted, and gives what it is then.
pub fn wait(what: &str, look: impl Fn() -> String, holds: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = look();
        if holds(&found) {
            return found;
        }
        assert!(Instant::now() < deadline, "never: {what}\n{found}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("the fixtures are readable");
        let target = to.join(entry.path().strip_prefix(from).expect("it is below"));
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(target).expect("the folder is made");
        } else {
            std::fs::copy(entry.path(), target).expect("the file is copied");
        }
    }
}
