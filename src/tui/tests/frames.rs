//! A walk through all of the screen, with the workers that the program has; and how long its frames take over the corpus,
//! which `./x bench frames` measures, in a release build.
//!
//! A frame is all that happens on the drawing thread between something that comes in and the last byte for the terminal:
//! update, drawing, comparing with the frame before, escape sequences. The terminal itself is left out.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::{fixtures, named};
use crate::bridge::Settings;
use crate::pack::{DEFAULT_PACK, PackSource};
use crate::sigma::Capability;
use crate::store::TimeRange;
use crate::tui::event::{Clicks, Event, action_for};
use crate::tui::model::Model;
use crate::tui::update::{Effect, refresh, start, update};
use crate::tui::worker::Workers;
use crate::tui::{Options, view};

/// The least time between two frames, as in the program.
const FRAME: Duration = Duration::from_millis(16);

/// The longest that is waited for an answer.
const PATIENCE: Duration = Duration::from_secs(900);

/// What is done at each size: what frames are counted as, keys, and whether each key's answers are waited for.
const WALK: &[(&str, &str, bool)] = &[
    ("rules: line by line", "1gjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjkkkkkkkkkk", false),
    ("rules: pages", "<pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn><pgdn>Gg<pgdn><pgup>", false),
    ("rules: groups", "tjjFjjFtjjFjjFtjjFjjFtjjFjjFtjjFjjFtjjFjjFt", false),
    ("rules: orders", "oooooo", false),
    ("filter", "/certutil download -proxy<enter>jjj<esc>", false),
    ("filter", "/level:high,crit matched path:windows", false),
    ("filter", "<backspace><backspace><backspace><backspace><backspace><backspace><esc>/x<esc>", false),
    ("filter", "/reason:unmapped -tag:t1059 field:callt<esc>", false),
    ("rules: most matches", ":sort_matches<enter>g", true),
    ("source", "2jjjjjjjjjjjjjjjjjjjjjjjjjjjjjjGglllhhh", false),
    ("route", "3jjjjjjjjjjGglh", false),
    ("SQL", "4jjjjjjjjjjjjjjjjjjjjGglllhhh", false),
    ("matches", "5jjjjjjjjjjjjjjjjjjjjjjjjjjjjjj<pgdn><pgdn><pgdn>llhh", false),
    ("matches: paging", "Gg<pgdn><pgdn>sSsS", true),
    ("event", "<enter>", true),
    ("event", "jjjjjjjjjjjjjjjjjjjjjjjjjGg-+/win<enter>nnn<esc>", false),
    ("why", "1jjwjjjjjjjjGg<esc>", true),
    ("alias", "ajj<esc>", true),
    ("coverage", "CjjjjjjjjjjjjjjjjjjjjjjjjjjjjjjGg<esc>", false),
    ("changes", "djj<esc>", false),
    ("palette", ":sort by matches<esc>:theme<esc>", false),
    ("help", "?jjjjjjjjjjjjjjj<pgdn>Gg<esc>", false),
    ("edit in place", "2jjjjjjjjjjiabc<backspace><esc><esc>", false),
    ("new rule", "1n<tab><esc>", true),
    ("export", "5xabc<esc>", false),
    ("layouts", "LLLzz<<>>", false),
    ("rules: by path", "1:sort_path<enter>g", true),
];

/// As keys that are held repeat: about 30 a second.
const HELD: Duration = Duration::from_millis(20);

/// Columns and rows of the walks.
const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (160, 50), (250, 70)];

/// Takes everything, and keeps how much.
#[derive(Default)]
struct Sink(u64);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Time of the clock, and of it what this thread had a processor for: other work on the machine is no part of a frame.
#[derive(Clone, Copy)]
struct Mark(Instant, Duration);

impl Mark {
    fn now() -> Self {
        Self(Instant::now(), on_processor())
    }

    fn passed(self) -> (Duration, Duration) {
        (self.0.elapsed(), on_processor() - self.1)
    }
}

/// Time that this thread has run; Linux alone tells.
fn on_processor() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(told.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or(0))
}

/// The beginning of what came in, as far as it tells what it was; a report may hold all rules.
#[derive(Default)]
struct Named(String);

impl std::fmt::Write for Named {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.extend(text.chars().filter(|c| !c.is_control()));
        if self.0.len() < 24 { Ok(()) } else { Err(std::fmt::Error) }
    }
}

struct Walker {
    model: Model,
    workers: Workers,
    events: Receiver<Event>,
    terminal: Terminal<CrosstermBackend<Sink>>,
    drawn: (u16, u16),
    clicks: Clicks,
    last: Instant,
    /// How long the next key is waited for.
    pause: Duration,
    /// By what they were of: clock, processor, and what came in.
    frames: BTreeMap<&'static str, Vec<(Duration, Duration, String)>>,
}

fn terminal((columns, rows): (u16, u16)) -> Terminal<CrosstermBackend<Sink>> {
    let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
    Terminal::with_options(CrosstermBackend::new(Sink::default()), TerminalOptions { viewport }).unwrap()
}

impl Walker {
    fn new(rules: PathBuf, dataset: PathBuf, pause: Duration) -> Self {
        let options = Options {
            rules: vec![rules],
            dataset: Some(dataset),
            range: TimeRange::default(),
            pack: PackSource::Embedded(DEFAULT_PACK.to_owned()),
            settings: Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: true },
            threads: 1,
            theme: Some("dark".to_owned()),
            bell: false,
            title: false,
            cache: true,
        };
        let (sender, events) = mpsc::channel();
        let workers =
            Workers::start(options.clone(), &crate::tui::places::Places::default(), &sender).unwrap();
        let mut model = Model::new(SIZES[0], fixtures::theme("dark"));
        model.open(&options);
        let drawn = SIZES[0];
        let mut walker = Self {
            model,
            workers,
            events,
            terminal: terminal(drawn),
            drawn,
            clicks: Clicks::default(),
            last: Instant::now(),
            pause,
            frames: BTreeMap::new(),
        };
        let effects = start(&mut walker.model);
        walker.perform(effects);
        walker
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        effects.into_iter().for_each(|effect| self.workers.perform(effect));
    }

    fn handle(&mut self, event: Event) -> String {
        let action = match event {
            Event::Input(input) => action_for(&self.model, &mut self.clicks, input),
            Event::Report(report) => Some(crate::tui::action::Action::Worker(report)),
            other => panic!("{other:?}"),
        };
        let Some(action) = action else { return String::new() };
        let mut told = Named::default();
        // Ends with an error once there is enough.
        let _ = write!(told, "{action:?}");
        let effects = update(&mut self.model, action);
        self.perform(effects);
        told.0
    }

    /// What follows from one event, drawn; and all that comes in until the next frame is due, if it may.
    fn frame(&mut self, kind: &'static str, first: Event) {
        // Naming what came in is no part of the frame, and is little beside it.
        let mark = Mark::now();
        let told = self.handle(first);
        let (mut clock, mut processor) = mark.passed();
        while let Some(left) = FRAME.checked_sub(self.last.elapsed())
            && let Ok(event) = self.events.recv_timeout(left)
        {
            let mark = Mark::now();
            self.handle(event);
            let more = mark.passed();
            (clock, processor) = (clock + more.0, processor + more.1);
        }
        let mark = Mark::now();
        let effects = refresh(&mut self.model);
        self.perform(effects);
        if self.drawn != self.model.size {
            self.drawn = self.model.size;
            self.terminal = terminal(self.drawn);
        }
        let Self { terminal, model, .. } = self;
        terminal.draw(|frame| view::draw(frame, model)).unwrap();
        let more = mark.passed();
        self.last = Instant::now();
        let size = self.drawn;
        let told = format!("{told} at {}×{}", size.0, size.1);
        self.frames.entry(kind).or_default().push((clock + more.0, processor + more.1, told));
    }

    /// Takes in answers until nothing is under way.
    fn rest(&mut self) {
        let begun = Instant::now();
        while self.model.work.is_under_way() {
            assert!(begun.elapsed() < PATIENCE, "never at rest: {:?}", self.model.work);
            if let Ok(event) = self.events.recv_timeout(Duration::from_millis(100)) {
                self.frame("answers of the workers", event);
            }
        }
    }

    fn keys(&mut self, kind: &'static str, keys: &str, waits: bool) {
        let mut rest = keys;
        while let Some(c) = rest.chars().next() {
            let (code, length) = named(rest).unwrap_or((KeyCode::Char(c), c.len_utf8()));
            rest = &rest[length..];
            self.frame(kind, Event::Input(Input::Key(KeyEvent::new(code, KeyModifiers::NONE))));
            while let Ok(event) = self.events.recv_timeout(self.pause) {
                self.frame("answers of the workers", event);
                if self.last.elapsed() > FRAME {
                    break;
                }
            }
            if waits {
                self.rest();
            }
        }
    }

    fn print(&self) {
        println!("| frames of | number | p50 | p99 | max | p99, processor | max, processor | the worst |");
        println!("|---|---:|---:|---:|---:|---:|---:|---|");
        for (kind, frames) in &self.frames {
            print(kind, frames);
        }
        let all: Vec<_> = self.frames.values().flatten().cloned().collect();
        print("all", &all);
    }

    fn resize(&mut self, kind: &'static str, (columns, rows): (u16, u16)) {
        self.frame(kind, Event::Input(Input::Resize(columns, rows)));
    }
}

/// The value below which so many of a thousand lie.
fn at(sorted: &[Duration], of_thousand: usize) -> Duration {
    sorted
        .get((sorted.len() * of_thousand / 1000).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

fn print(kind: &str, frames: &[(Duration, Duration, String)]) {
    let sorted = |of: fn(&(Duration, Duration, String)) -> Duration| {
        let mut times: Vec<_> = frames.iter().map(of).collect();
        times.sort_unstable();
        times
    };
    let (clock, processor) = (sorted(|frame| frame.0), sorted(|frame| frame.1));
    let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
    let worst = frames.iter().max_by_key(|frame| frame.1).map_or("", |frame| frame.2.as_str());
    let figures =
        [at(&clock, 500), at(&clock, 990), at(&clock, 1000), at(&processor, 990), at(&processor, 1000)];
    let figures = figures.map(ms).join(" | ");
    println!("| {kind} | {} | {figures} | {worst} |", frames.len());
}

/// The folder of the fixtures' rules, the one of their events, and the sizes of the walks.
fn of_fixtures() -> (PathBuf, PathBuf, &'static [(u16, u16)]) {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    (fixtures.join("rules"), fixtures.join("run/normalized"), &SIZES[1..2])
}

fn of_corpus() -> (PathBuf, PathBuf, &'static [(u16, u16)]) {
    let corpus = std::env::var_os("SIGMA_OCSF_CORPUS").map(PathBuf::from);
    let corpus = corpus.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"));
    (corpus.join("rules"), corpus.join("runs/mordor"), &SIZES)
}

/// Over the fixtures, or, as a measurement of minutes, over the corpus: `./x bench frames`.
#[test]
fn a_walk_through_all_of_the_screen_leads_back_to_the_panes() {
    let measured = std::env::var_os("SIGMA_OCSF_FRAMES").is_some();
    let (rules, events, sizes) = if measured { of_corpus() } else { of_fixtures() };
    let mut walker = Walker::new(rules, events, if measured { HELD } else { Duration::ZERO });
    walker.rest();
    let (rules, events) =
        (walker.model.rules.len(), walker.model.dataset.info.as_ref().map_or(0, |info| info.events));
    assert!(rules > 50 && events > 0, "nothing to walk through");
    for size in sizes {
        walker.resize("resize", *size);
        for (kind, keys, waits) in WALK {
            walker.keys(kind, keys, *waits);
        }
        walker.rest();
        assert!(
            walker.model.overlay.is_none() && !walker.model.filter.is_active(),
            "{size:?} ends elsewhere"
        );
    }
    for step in 0..=40 {
        walker.resize("resize", (80 + step * 170 / 40, 24 + step * 46 / 40));
    }
    walker.keys("reload", "r", true);
    walker.rest();
    assert_eq!(walker.model.rules.len(), rules);
    if measured {
        println!("{rules} rules, {events} events");
        walker.print();
    }
}
