//! A model test: keys, mouse, sizes, file changes, and reports that come late, twice or out of order.
//!
//! Required of every state: it is drawn at any size; a pane shows what belongs to the selected rule and to the dataset
//! that answers, or says that it is stale; nothing grows without bound; and once all reports are in, nothing is under
//! way. `SIGMA_OCSF_STORM` is the number of steps of each run, for a longer one; the seeds are always the same.

use std::sync::Arc;

use crossterm::event::{
    Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::chaos::{is_consistent, is_safe};
use super::fixtures::{Screen, summary, table};
use super::{list, why};
use crate::store::Unfinished;
use crate::tui::action::{Action, Changed};
use crate::tui::command::COMMANDS;
use crate::tui::event::{Clicks, action_for};
use crate::tui::model::{DatasetChange, EventAnswer, INPUT_LIMIT, Model, Overlay, RuleKey};
use crate::tui::update::matches::ROWS;
use crate::tui::update::{Effect, editor_closed, refresh, update};
use crate::tui::view;
use crate::tui::worker::{Report, WholeEvent};

/// Steps of a run, unless more are asked for.
const STEPS: usize = 400;

/// Reports that wait at most; the oldest of more are delivered.
const WAITING: usize = 24;

/// What only reports say that nobody waits for any more.
const LATE: &str = "late-report";

/// Numbers that look random and are the same each time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.roll() % bound.max(1) as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn size(&mut self) -> (u16, u16) {
        let (columns, rows) = if self.below(3) == 0 { (12, 6) } else { (200, 60) };
        (self.below(columns) as u16, self.below(rows) as u16)
    }
}

/// A screen and what is on its way to it.
struct Storm {
    dice: Dice,
    screen: Screen,
    clicks: Clicks,
    waiting: Vec<Report>,
    /// What was done last, for the message.
    last: String,
    /// How often there was something to look at: a table, one that is stale, an event, why a rule matches, new matches.
    seen: [u32; 5],
}

impl Storm {
    fn new(seed: u64) -> Self {
        let screen = Screen::with((120, 36), list::foldered(), true);
        Self {
            dice: Dice(seed),
            screen,
            clicks: Clicks::default(),
            waiting: Vec::new(),
            last: String::new(),
            seen: [0; 5],
        }
    }

    fn act(&mut self, action: Action) {
        self.last = format!("{action:?}").chars().take(200).collect();
        let effects = update(&mut self.screen.model, action);
        self.perform(effects);
        let effects = refresh(&mut self.screen.model);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::OpenEditor(_) => {
                    let size = self.screen.model.size;
                    editor_closed(&mut self.screen.model, size, Err("the editor failed".to_owned()));
                }
                effect => {
                    self.waiting.retain(|report| !is_replaced(report, &effect));
                    for answer in self.screen.answer(effect) {
                        let answer = self.tagged(answer);
                        self.waiting.push(answer);
                    }
                }
            }
        }
        while self.waiting.len() > WAITING {
            let report = self.waiting.remove(0);
            self.act(Action::Worker(report));
        }
    }

    /// Now and then the dataset does not open. Tables say which rule they are of, and as of which opening of the dataset they were asked for.
    fn tagged(&mut self, report: Report) -> Report {
        match report {
            Report::Dataset { generation, .. } if self.dice.below(6) == 0 => Report::Dataset {
                generation,
                opened: Err("the disk is gone".to_owned()),
                change: DatasetChange::Other,
                unfinished: Vec::new(),
            },
            Report::Matches { generation, rule, table } => {
                let tag = tag(&rule, self.screen.model.dataset.opened);
                let table = table.map(|mut table| {
                    table.rows.iter_mut().for_each(|row| row.host = Some(tag.clone()));
                    table
                });
                Report::Matches { generation, rule, table }
            }
            other => other,
        }
    }

    fn step(&mut self) {
        match self.dice.below(20) {
            0..6 => self.key(),
            6 => self.mouse(),
            7 => self.resize(),
            8 => self.files(),
            9 => self.late(),
            10 => self.act(Action::MentionWork),
            11 => {
                let texts = ["new", "level:high ", "x\u{1b}[2J\u{202e}", "matched ", "*.csv", "漢字e\u{301}"];
                let text = self.dice.one_of(&texts).repeat(1 + self.dice.below(3) * 400);
                self.input(Input::Paste(text));
            }
            17 => self.look(),
            _ if self.waiting.is_empty() => self.key(),
            12..16 => {
                let at = self.dice.below(self.waiting.len());
                let report = self.waiting.remove(at);
                self.act(Action::Worker(report));
            }
            16 => {
                let at = self.dice.below(self.waiting.len());
                // Lost: its request was replaced before it was taken up. Only what a newer one replaces can be.
                if matches!(self.waiting[at], Report::Highlighted(_) | Report::Notice(_)) {
                    drop(self.waiting.remove(at));
                }
            }
            _ => {
                let report = self.waiting.remove(0);
                self.act(Action::Worker(report));
            }
        }
    }

    fn input(&mut self, input: Input) {
        if let Some(action) = action_for(&self.screen.model, &mut self.clicks, input) {
            self.act(action);
        }
    }

    fn key(&mut self) {
        let bound: Vec<_> = COMMANDS.iter().flat_map(|command| command.keys).collect();
        let key = match self.dice.below(6) {
            0 => KeyEvent::new(
                KeyCode::Char(self.dice.one_of(&['ä', '漢', '\u{7f}', '9'])),
                KeyModifiers::NONE,
            ),
            1 => KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE),
            _ => {
                let key = self.dice.one_of(&bound);
                let modifiers = if key.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
                KeyEvent::new(key.code, modifiers)
            }
        };
        self.input(Input::Key(key));
    }

    /// Looks at something as a user would: a rule that matches, then an event of it or why.
    fn look(&mut self) {
        for _ in 0..4 {
            self.input(Input::Key(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE)));
        }
        let keys = self.dice.one_of(&["1gj5\n", "5\n", "w", "1g5jj\n"]);
        for key in keys.chars() {
            let code = if key == '\n' { KeyCode::Enter } else { KeyCode::Char(key) };
            self.input(Input::Key(KeyEvent::new(code, KeyModifiers::NONE)));
            if self.dice.below(3) > 0 {
                self.calm();
            }
        }
    }

    fn mouse(&mut self) {
        let kinds = [
            MouseEventKind::Down(MouseButton::Left),
            MouseEventKind::Down(MouseButton::Left),
            MouseEventKind::Up(MouseButton::Left),
            MouseEventKind::Drag(MouseButton::Left),
            MouseEventKind::ScrollDown,
            MouseEventKind::ScrollUp,
            MouseEventKind::ScrollLeft,
            MouseEventKind::Moved,
        ];
        let kind = self.dice.one_of(&kinds);
        let (column, row) = (self.dice.below(220) as u16, self.dice.below(70) as u16);
        self.input(Input::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
    }

    fn resize(&mut self) {
        let (columns, rows) = self.dice.size();
        self.input(Input::Resize(columns, rows));
    }

    fn files(&mut self) {
        let bits = self.dice.roll();
        if bits & 1 == 1 {
            self.screen.arrived = (self.screen.arrived + self.dice.below(700)) % 5_000;
        }
        let kept = |at: usize| bits >> (8 + at) & 3 != 0;
        let rules = list::foldered().into_iter().enumerate().filter(|(at, _)| kept(*at));
        self.screen.set_rules(rules.map(|(_, rule)| rule).collect());
        let changed = Changed {
            rescan: bits & 2 != 0,
            pack: bits & 4 != 0,
            dataset: bits & 9 != 0,
            ..Changed::default()
        };
        self.act(Action::FilesChanged(changed));
    }

    /// Answers to requests that newer ones have replaced.
    fn late(&mut self) {
        let model = &self.screen.model;
        let newest = model.generations;
        let Some(rule) = model.rules.get(self.dice.below(model.rules.len())).map(|rule| rule.key.clone())
        else {
            return;
        };
        let mut late = table(3, 3);
        late.rows.iter_mut().for_each(|row| row.host = Some(LATE.to_owned()));
        let said = || LATE.to_owned();
        let back = 1 + self.dice.below(3) as u64;
        let before = |generation: u64| generation.wrapping_sub(back);
        let path = why::attribution(&rule);
        let reports = [
            Report::Matches {
                generation: before(newest.matches),
                rule: rule.clone(),
                table: Ok(late.clone()),
            },
            Report::Matches { generation: before(newest.matches), rule: rule.clone(), table: Err(said()) },
            Report::Rows {
                generation: before(newest.rows),
                slice: crate::evaluate::Slice::first(3),
                rows: Ok(late.rows),
            },
            Report::Arrived { generation: before(newest.matches), ids: [LATE.to_owned()].into() },
            Report::Event {
                generation: before(newest.event),
                event: Ok(WholeEvent {
                    event_id: LATE.to_owned(),
                    fields: serde_json::json!({ LATE: LATE }),
                    parts: Default::default(),
                }),
            },
            Report::Summary { generation: before(newest.summaries), rule, summary: Ok(summary(987_654_321)) },
            Report::SummariesDone { generation: before(newest.summaries) },
            Report::Explained { generation: before(newest.why), found: Ok(Arc::new(path)) },
            Report::Filled { generation: before(newest.fills), fills: None },
            Report::Tried { generation: before(newest.bench), outcome: Err(said()) },
            Report::Proposed { generation: before(newest.bench), bench: Err(said()) },
            Report::Dataset {
                generation: before(newest.dataset),
                opened: Err(said()),
                change: DatasetChange::Other,
                unfinished: vec![Unfinished { path: LATE.into(), why: LATE.to_owned() }],
            },
            Report::Compiled {
                generation: before(newest.compile),
                rules: Vec::new(),
                pack: Default::default(),
                gone: vec![LATE.into()],
                refused: None,
            },
        ];
        let at = self.dice.below(reports.len());
        if let Some(report) = reports.into_iter().nth(at) {
            self.act(Action::Worker(report));
        }
    }

    /// Delivers all that is on its way.
    fn calm(&mut self) {
        for _ in 0..10_000 {
            if self.waiting.is_empty() {
                return;
            }
            let report = self.waiting.remove(0);
            self.act(Action::Worker(report));
        }
        panic!("the screen asks for ever");
    }

    fn check(&mut self) {
        let size = self.dice.size();
        let model = &self.screen.model;
        // The model hears of a new size after the terminal has it.
        let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).unwrap();
        terminal.draw(|frame| view::draw(frame, model)).unwrap();
        assert!(is_safe(model), "unsafe text");
        assert!(is_consistent(model), "the list and its cursor");
        belongs(model);
        bounded(model);
        let event = matches!(&model.overlay, Some(Overlay::Event(open)) if open.event().is_some());
        let seen = [
            model.table().is_some(),
            model.table().is_some() && model.matches.stale,
            event,
            model.why.known().is_some(),
            model.list.totals.arrived > 0,
        ];
        self.seen.iter_mut().zip(seen).for_each(|(times, seen)| *times += u32::from(seen));
    }
}

/// Whether a report never comes once something else is asked: as the queue of the session drops what is replaced.
fn is_replaced(report: &Report, by: &Effect) -> bool {
    use Report::{Arrived, Explained, Filled, Matches, Proposed, Rows, SummariesDone, Summary, Tried};
    match by {
        Effect::OpenDataset { .. } => matches!(
            report,
            Matches { .. }
                | Rows { .. }
                | Arrived { .. }
                | Summary { .. }
                | SummariesDone { .. }
                | Explained { .. }
                | Filled { .. }
        ),
        Effect::Match { .. } => matches!(report, Matches { .. } | Rows { .. } | Arrived { .. }),
        Effect::Summarize { .. } => matches!(report, Summary { .. } | SummariesDone { .. }),
        Effect::Explain { .. } => matches!(report, Explained { .. }),
        Effect::Fill { .. } => matches!(report, Filled { .. }),
        Effect::Bench { .. } => matches!(report, Proposed { .. } | Tried { .. }),
        _ => false,
    }
}

fn tag(rule: &RuleKey, opened: u64) -> String {
    format!("{}#{opened}", rule.path.display())
}

/// What is shown is of the selected rule, and of the dataset that answers, or marked stale.
fn belongs(model: &Model) {
    if let (Some(table), Some(rule)) = (model.table(), &model.selected) {
        for row in &table.rows {
            let of = row.host.as_deref().unwrap_or_default();
            assert_ne!(of, LATE, "a late table");
            // Rows that were asked for later carry no tag.
            if let Some((path, opened)) = of.split_once('#') {
                assert_eq!(path, rule.path.display().to_string(), "a table of another rule");
                let old = opened.parse::<u64>().unwrap() < model.dataset.opened;
                assert!(!old || model.matches.stale, "a table of old data that is not marked");
            }
        }
        assert!(table.first + table.rows.len() <= table.summary.matches as usize, "rows behind the last");
    }
    assert!(!model.matches.arrived.contains(LATE) && model.matches.error.as_deref() != Some(LATE));
    if let (Some(why), Some(rule)) = (model.why.known(), &model.selected) {
        assert_eq!(why.path, rule.path.display().to_string(), "why another rule matches");
    }
    if let Some(Overlay::Event(open)) = &model.overlay
        && let EventAnswer::Ready(event) = &open.answer
    {
        assert_eq!(event.event_id, open.event_id, "another event");
    }
    let late = |entry: &&crate::tui::model::RuleEntry| {
        entry.verdict() == crate::tui::model::Verdict::Matched(987_654_321)
    };
    assert!(!model.rules.iter().any(|entry| late(&entry)), "a late count");
    assert!(
        model.gone.is_empty()
            && model.dataset.error.as_deref() != Some(LATE)
            && model.dataset.unfinished.is_none()
    );
    let matches = model.table().map_or(0, |table| table.summary.matches as usize);
    assert!(model.matches.cursor < matches.max(1), "the cursor behind the last row");
}

/// Nothing grows with time.
fn bounded(model: &Model) {
    assert!(model.notices.len() <= 32);
    assert!(model.filter.input.text().len() <= INPUT_LIMIT);
    assert!(model.table().is_none_or(|table| table.rows.len() <= ROWS));
    assert!(model.matches.arrived.len() <= 10_000);
    assert!(model.matches.marked.len() <= ROWS);
    assert!(model.visible.len() <= model.rules.len());
    assert!(model.highlights.len() <= crate::tui::highlight::REMEMBERED);
    match &model.overlay {
        Some(Overlay::Palette(open)) => assert!(open.typed.text().len() <= INPUT_LIMIT),
        Some(Overlay::Export(prompt)) => assert!(prompt.name.text().len() <= INPUT_LIMIT),
        Some(Overlay::Event(open)) => assert!(open.search.text().len() <= INPUT_LIMIT),
        _ => {}
    }
}

/// Weathers a storm, and gives how often there was something to look at.
fn run(seed: u64) -> [u32; 5] {
    let steps = std::env::var("SIGMA_OCSF_STORM").ok().and_then(|steps| steps.parse().ok()).unwrap_or(STEPS);
    let mut storm = Storm::new(seed);
    for at in 0..steps {
        storm.step();
        let last = storm.last.clone();
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| storm.check()));
        assert!(checked.is_ok(), "seed {seed}, step {at}, after {last}");
        if at % 50 == 49 {
            storm.calm();
            let work = storm.screen.model.work;
            assert!(!work.is_under_way(), "seed {seed}, step {at}: nothing is on its way, but {work:?}");
            storm.check();
        }
    }
    storm.seen
}

#[test]
fn a_storm_of_input_and_reports_is_weathered() {
    let seen: Vec<_> = (1..=3).map(run).collect();
    for what in 0..5 {
        assert!(seen.iter().any(|seen| seen[what] > 0), "a calm storm: {seen:?}");
    }
}
