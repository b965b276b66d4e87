//! The real binary in a real terminal, over data that grows and under signals. Needs tmux; CI has it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a thing may take to show. Generous: it bounds a hang, it measures nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Parts that the fixture events are cut into.
const PARTS: u32 = 3;

/// A tmux server of its own, with a shell in its one pane.
struct Terminal {
    socket: String,
    folder: tempfile::TempDir,
}

impl Terminal {
    fn open(name: &str) -> Option<Self> {
        if Command::new("tmux").arg("-V").output().is_err() {
            println!("skipped: no tmux");
            return None;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (from, to) in [
            ("fixtures/rules/windows/dns_query", "rules"),
            ("mapping_packs/windows-base", "windows-base"),
            ("mapping_packs/windows-sysmon", "pack"),
        ] {
            copy(&root.join(from), &folder.path().join(to));
        }
        cut(
            &root.join("fixtures/run/normalized/ocsf_events/part-0000.parquet"),
            &folder.path().join("parts"),
        );
        let terminal = Self { socket: format!("sigma-ocsf-live-{name}-{}", std::process::id()), folder };
        std::fs::create_dir(terminal.path("run")).expect("a folder is made");
        let here = terminal.path("").display().to_string();
        let config = format!("SIGMA_OCSF_CONFIG_DIR={here}/config");
        let state = format!("SIGMA_OCSF_STATE_DIR={here}/state");
        let start = ["-f", "/dev/null", "new-session", "-d", "-x", "140", "-y", "40", "-c", &here];
        let around = ["-e", "TERM=xterm-256color", "-e", &config, "-e", &state];
        terminal.tmux(&[&start[..], &around[..], &["bash --norc --noprofile -i"]].concat());
        terminal.wait_for(&["bash"]);
        terminal.line("PS1='ready> '; clear");
        terminal.wait_for(&["ready>"]);
        Some(terminal)
    }

    /// Starts the screen, and gives its process.
    fn start(&self, options: &str) -> String {
        let program = env!("CARGO_BIN_EXE_sigma-ocsf-tui");
        let arguments = format!("rules --pack pack --parquet run {options}");
        self.line(&format!("sh -c 'echo $$ > pid; exec {program} {arguments}'; echo left with $?"));
        self.wait_for(&["? help"]);
        std::fs::read_to_string(self.path("pid")).expect("the process is told").trim().to_owned()
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        // Without a UTF-8 locale tmux tells other characters as `_`, whatever the machine that the test runs on is set to.
        let output = Command::new("tmux")
            .args(["-u", "-L", &self.socket])
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .output();
        String::from_utf8_lossy(&output.expect("tmux runs").stdout).into_owned()
    }

    fn keys(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    fn line(&self, line: &str) {
        self.keys(&["-l", line]);
        self.keys(&["Enter"]);
    }

    fn title(&self) -> String {
        self.tmux(&["display-message", "-p", "#{pane_title}"])
    }

    fn wait_for(&self, wanted: &[&str]) -> String {
        let shown = || self.tmux(&["capture-pane", "-p"]);
        wait(&format!("{wanted:?}"), shown, |shown| wanted.iter().all(|text| shown.contains(text)))
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Puts a part of the events where the screen looks, or the first half of it.
    fn arrive(&self, part: u32, whole: bool) {
        let name = format!("part-{part}.parquet");
        let bytes = std::fs::read(self.path("parts").join(&name)).expect("the part is there");
        let end = if whole { bytes.len() } else { bytes.len() / 2 };
        std::fs::write(self.path("run").join(name), &bytes[..end]).expect("the part is written");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// Looks until it is as wanted, and gives what it is then.
fn wait(what: &str, look: impl Fn() -> String, holds: impl Fn(&str) -> bool) -> String {
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

/// Cuts events into parts, every one with some of each kind.
fn cut(events: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder is made");
    let connection = duckdb::Connection::open_in_memory().expect("DuckDB runs");
    for part in 0..PARTS {
        let (events, to) = (events.display(), to.display());
        connection
            .execute_batch(&format!(
                "COPY (SELECT * FROM read_parquet('{events}', file_row_number = true)
                       WHERE file_row_number % {PARTS} = {part} ORDER BY \"time\")
                 TO '{to}/part-{part}.parquet' (FORMAT parquet)"
            ))
            .expect("a part is written");
    }
}

fn is_running(process: &str) -> bool {
    Command::new("kill").args(["-0", process]).output().is_ok_and(|done| done.status.success())
}

#[test]
fn new_parts_bring_new_matches_and_a_half_written_one_is_waited_for() {
    let Some(terminal) = Terminal::open("parts") else { return };
    let title = terminal.title();
    terminal.arrive(0, true);
    terminal.start("");
    terminal.wait_for(&["5 rules"]);
    terminal.line("/Marsh");
    terminal.wait_for(&["Query for a Marsh Feed", " of ", "in scope"]);
    terminal.arrive(1, false);
    terminal.wait_for(&["not read yet: part-1.parquet: it has no footer yet", "in scope"]);
    terminal.arrive(1, true);
    terminal.arrive(2, true);
    let shown = terminal.wait_for(&["3 of", " new  "]);
    assert!(!shown.contains("not read yet"), "{shown}");
    assert!(terminal.title().contains("new · sigma-ocsf-tui"), "{}", terminal.title());
    terminal.keys(&["5"]);
    terminal.wait_for(&["│»"]);
    terminal.keys(&["q"]);
    terminal.wait_for(&["left with 0"]);
    wait("the title as it was", || terminal.title(), |now| now == title);
}

#[test]
fn a_folder_that_fills_by_itself_is_followed_to_its_end() {
    let Some(terminal) = Terminal::open("grow") else { return };
    terminal.start("--no-title --bell");
    terminal.wait_for(&["5 rules", "no events"]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grow.sh");
    let grown = Command::new("sh")
        .arg(script)
        .arg(terminal.path("parts"))
        .arg(terminal.path("run"))
        .arg("0.2")
        .status();
    assert!(grown.expect("the script runs").success());
    terminal.line("/Marsh");
    terminal.wait_for(&["3 of"]);
    assert!(!terminal.title().contains("sigma-ocsf-tui"), "{}", terminal.title());
}

#[test]
fn ctrl_z_stops_it_and_fg_brings_it_back() {
    let Some(terminal) = Terminal::open("stop") else { return };
    terminal.arrive(0, true);
    terminal.start("");
    terminal.wait_for(&["5 rules", "2 executable"]);
    for _ in 0..2 {
        terminal.keys(&["C-z"]);
        let shown = terminal.wait_for(&["Stopped", "ready>"]);
        assert!(!shown.contains("5 rules"), "{shown}");
        terminal.line("echo still $((40 + 2))");
        terminal.wait_for(&["still 42"]);
        terminal.line("fg");
        terminal.wait_for(&["5 rules", "2 executable", "? help"]);
    }
    terminal.keys(&["?"]);
    terminal.wait_for(&["half_page_down"]);
    terminal.keys(&["C-c"]);
    let shown = terminal.wait_for(&["ready>"]);
    assert!(!shown.contains("half_page_down"), "{shown}");
}

#[test]
fn a_signal_to_end_gives_the_terminal_back() {
    let Some(terminal) = Terminal::open("term") else { return };
    terminal.arrive(0, true);
    let process = terminal.start("");
    terminal.wait_for(&["5 rules"]);
    Command::new("kill").args(["-TERM", &process]).status().expect("kill runs");
    let shown = terminal.wait_for(&["left with 143"]);
    assert!(!shown.contains("5 rules"), "{shown}");
    terminal.line("echo echoed $((40 + 2))");
    terminal.wait_for(&["echo echoed", "echoed 42"]);
}

#[test]
fn it_ends_with_its_terminal() {
    let Some(terminal) = Terminal::open("lost") else { return };
    terminal.arrive(0, true);
    let process = terminal.start("");
    terminal.wait_for(&["5 rules"]);
    terminal.tmux(&["kill-server"]);
    wait("the process gone", || is_running(&process).to_string(), |running| running == "false");
}

#[test]
fn a_storm_of_sizes_and_a_pasted_megabyte_are_survived() {
    let Some(terminal) = Terminal::open("sizes") else { return };
    terminal.arrive(0, true);
    terminal.start("");
    terminal.wait_for(&["5 rules"]);
    for at in 0..200_u32 {
        let (columns, rows) = (1 + at * 37 % 180, 1 + at * 13 % 60);
        terminal.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }
    terminal.tmux(&["resize-window", "-x", "1", "-y", "1"]);
    terminal.tmux(&["resize-window", "-x", "140", "-y", "40"]);
    terminal.wait_for(&["5 rules", "2 executable", "? help"]);
    let pasted = terminal.path("pasted");
    std::fs::write(&pasted, "x".repeat(1 << 20)).expect("the text is written");
    terminal.keys(&["/"]);
    terminal.tmux(&["load-buffer", &pasted.display().to_string()]);
    terminal.tmux(&["paste-buffer", "-p"]);
    terminal.wait_for(&["xxxxxxxx", "no rule passes the filter"]);
    terminal.keys(&["Escape"]);
    terminal.wait_for(&["Query for a Marsh Feed"]);
    terminal.keys(&["q"]);
    terminal.wait_for(&["left with 0"]);
}
