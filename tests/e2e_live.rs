//! The real binary in a real terminal, over data that grows and under signals. Needs tmux; CI has it.

mod tmux;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use tmux::{Tmux as Terminal, wait};

/// Parts that the fixture events are cut into.
const PARTS: u32 = 3;

impl Terminal {
    /// A shell.
    fn open(name: &str) -> Option<Self> {
        let terminal = Self::new(
            name,
            &[
                ("fixtures/rules/windows/dns_query", "rules"),
                ("mapping_packs/windows-base", "windows-base"),
                ("mapping_packs/windows-sysmon", "pack"),
            ],
        )?;
        let events = "fixtures/run/normalized/ocsf_events/part-0000.parquet";
        cut(&Path::new(env!("CARGO_MANIFEST_DIR")).join(events), &terminal.path("parts"));
        std::fs::create_dir(terminal.path("run")).expect("a folder is made");
        let here = terminal.path("").display().to_string();
        let config = format!("SIGMA_OCSF_CONFIG_DIR={here}/config");
        let state = format!("SIGMA_OCSF_STATE_DIR={here}/state");
        terminal.start((140, 40), &[&config, &state], "bash --norc --noprofile -i");
        terminal.wait_for(&["bash"]);
        terminal.line("PS1='ready> '; clear");
        terminal.wait_for(&["ready>"]);
        Some(terminal)
    }

    /// Starts the screen, and gives its process.
    fn screen(&self, options: &str) -> String {
        self.screen_over("run", options)
    }

    fn screen_over(&self, dataset: &str, options: &str) -> String {
        let program = env!("CARGO_BIN_EXE_sigma-ocsf-tui");
        let arguments = format!("rules --pack pack --parquet {dataset} {options}");
        self.line(&format!("sh -c 'echo $$ > pid; exec {program} {arguments}'; echo left with $?"));
        self.wait_for(&["? help"]);
        std::fs::read_to_string(self.path("pid")).expect("the process is told").trim().to_owned()
    }

    fn line(&self, line: &str) {
        self.keys(&["-l", line]);
        self.keys(&["Enter"]);
    }

    fn title(&self) -> String {
        self.tmux(&["display-message", "-p", "#{pane_title}"])
    }

    /// Puts a part of the events where the screen looks, or the first half of it.
    fn arrive(&self, part: u32, whole: bool) {
        let name = format!("part-{part}.parquet");
        let bytes = std::fs::read(self.path("parts").join(&name)).expect("the part is there");
        let end = if whole { bytes.len() } else { bytes.len() / 2 };
        std::fs::write(self.path("run").join(name), &bytes[..end]).expect("the part is written");
    }
}

/// The lines of a part.
fn lines_of(part: &Path) -> String {
    let connection = duckdb::Connection::open_in_memory().expect("DuckDB runs");
    let sql = format!(
        "SELECT string_agg(CAST(to_json(event) AS VARCHAR) || chr(10), '' ORDER BY \"time\")
         FROM read_parquet('{}') AS event",
        part.display()
    );
    connection.query_row(&sql, [], |row| row.get(0)).expect("the part is read")
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
    terminal.screen("");
    terminal.wait_for(&["5 rules"]);
    terminal.line("/Marsh");
    terminal.wait_for(&["Query for a Marsh Feed", " of ", "in scope"]);
    terminal.arrive(1, false);
    terminal.wait_for(&["not read yet: part-1.parquet: it has no footer yet", "in scope"]);
    terminal.arrive(1, true);
    terminal.arrive(2, true);
    let shown = terminal.wait_for(&["3 of", " new  "]);
    assert!(!shown.contains("not read yet"), "{shown}");
    wait("new matches in the title", || terminal.title(), |now| now.contains("new · sigma-ocsf-tui"));
    terminal.keys(&["5"]);
    terminal.wait_for(&["│»"]);
    terminal.keys(&["q"]);
    terminal.wait_for(&["left with 0"]);
    wait("the title as it was", || terminal.title(), |now| now == title);
}

#[test]
fn a_folder_that_fills_by_itself_is_followed_to_its_end() {
    let Some(terminal) = Terminal::open("grow") else { return };
    terminal.screen("--no-title --bell");
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
fn lines_that_come_are_counted_and_shown_and_a_rule_that_is_saved_sees_them_all() {
    let Some(terminal) = Terminal::open("lines") else { return };
    let parts: Vec<String> = (0..PARTS)
        .map(|part| lines_of(&terminal.path("parts").join(format!("part-{part}.parquet"))))
        .collect();
    let events = terminal.path("events.jsonl");
    let append = |text: &str| {
        let mut file = OpenOptions::new().create(true).append(true).open(&events).expect("the file opens");
        file.write_all(text.as_bytes()).expect("lines are written");
    };
    append(&parts[0]);
    terminal.screen_over("events.jsonl", "");
    terminal.wait_for(&["5 rules", "2 executable"]);
    terminal.line("/Marsh");
    terminal.wait_for(&["Query for a Marsh Feed", " of ", "in scope"]);
    let (half, rest) = parts[1].split_at(parts[1].len() - 40);
    append(half);
    append(rest);
    append(&parts[2]);
    terminal.wait_for(&["3 of", " new  "]);
    terminal.keys(&["5"]);
    terminal.wait_for(&["│»"]);
    let rule = std::fs::read_dir(terminal.path("rules"))
        .expect("there are rules")
        .map(|entry| entry.expect("it is read").path());
    let rule = rule
        .into_iter()
        .find(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains("Marsh Feed")));
    let rule = rule.expect("the rule is there");
    let text = std::fs::read_to_string(&rule).expect("it is read");
    std::fs::write(&rule, text.replace("condition: selection", "condition: not selection"))
        .expect("it is written");
    let (matched, all) =
        (3, parts.iter().map(|part| part.matches("\"class_uid\":4003").count()).sum::<usize>());
    terminal.wait_for(&[&format!("{} of", all - matched)]);
    terminal.keys(&["q"]);
    terminal.wait_for(&["left with 0"]);
}

#[test]
fn ctrl_z_stops_it_and_fg_brings_it_back() {
    let Some(terminal) = Terminal::open("stop") else { return };
    terminal.arrive(0, true);
    terminal.screen("");
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
    let process = terminal.screen("");
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
    let process = terminal.screen("");
    terminal.wait_for(&["5 rules"]);
    terminal.tmux(&["kill-server"]);
    wait("the process gone", || is_running(&process).to_string(), |running| running == "false");
}

#[test]
fn a_storm_of_sizes_and_a_pasted_megabyte_are_survived() {
    let Some(terminal) = Terminal::open("sizes") else { return };
    terminal.arrive(0, true);
    terminal.screen("");
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
