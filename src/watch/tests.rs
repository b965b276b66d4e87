//! Every way of saving is seen, within a deadline.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use notify::event::ModifyKind;

use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

/// A folder with `rules/a.yml`, `pack/pack.yaml` and `data/p.parquet`, watched.
struct Scene {
    folder: TempDir,
    changes: Receiver<Changes>,
    watcher: Watcher,
}

impl Scene {
    /// Followed.
    fn new() -> Self {
        let scene = Self::looked_at();
        scene.follow();
        scene
    }

    /// Looked at, and not yet followed.
    fn looked_at() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["rules/a.yml", "pack/pack.yaml", "data/p.parquet"] {
            write(&folder.path().join(file), "one");
        }
        let inputs = Inputs {
            rules: vec![folder.path().join("rules")],
            pack: vec![folder.path().join("pack")],
            dataset: Some(folder.path().join("data")),
            extra: vec![folder.path().join("later/deep/config.toml")],
        };
        Self::looking(folder, inputs)
    }

    fn looking(folder: TempDir, inputs: Inputs) -> Self {
        let (sender, changes) = channel();
        let watcher = Watcher::start(inputs, move |change| drop(sender.send(change))).unwrap();
        watcher.looked();
        Self { folder, changes, watcher }
    }

    fn watching(folder: TempDir, inputs: Inputs) -> Self {
        let scene = Self::looking(folder, inputs);
        scene.follow();
        scene
    }

    /// Returns once the inputs are watched, when an event that was made up is heard of.
    fn follow(&self) {
        self.watcher.follow();
        let lost = Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan);
        self.watcher.messages.send(Message::Event(Ok(lost))).unwrap();
        self.wait_for(|change| {
            assert_eq!(change.notice, None);
            *change == Changes::everything()
        });
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits for a change that satisfies `wanted`.
    fn wait_for(&self, wanted: impl Fn(&Changes) -> bool) -> Changes {
        let started = Instant::now();
        let mut seen = Vec::new();
        while let Some(left) = DEADLINE.checked_sub(started.elapsed()) {
            match self.changes.recv_timeout(left) {
                Ok(change) if wanted(&change) => return change,
                Ok(change) => seen.push(change),
                Err(_) => break,
            }
        }
        panic!("not seen; but: {seen:?}")
    }

    /// Waits until whoever looks at a rule when told to has read that. A folder that comes or goes may be told more than
    /// once, and an edit that it has as soon as it is back with it.
    fn wait_until_read(&self, name: &str, text: &str) {
        let path = self.path(name);
        self.wait_for(|change| {
            let looks = change.rescan || change.rules.contains(&path);
            looks && fs::read(&path).is_ok_and(|read| read == text.as_bytes())
        });
    }

    fn wait_for_rule(&self, name: &str) -> Changes {
        let path = self.path(name);
        self.wait_for(|change| change.rules.contains(&path))
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn saving_by_truncation_and_by_rename_is_seen_again_and_again() {
    let scene = Scene::new();
    for round in 0..3 {
        write(&scene.path("rules/a.yml"), &format!("truncated {round}"));
        let change = scene.wait_for_rule("rules/a.yml");
        assert!(!change.pack && !change.dataset && !change.extra, "{change:?}");
        write(&scene.path("rules/.a.yml.tmp"), &format!("renamed {round}"));
        fs::rename(scene.path("rules/.a.yml.tmp"), scene.path("rules/a.yml")).unwrap();
        scene.wait_for_rule("rules/a.yml");
    }
}

#[test]
fn files_that_come_and_go_are_seen() {
    let scene = Scene::new();
    write(&scene.path("rules/sub/deeper/b.yaml"), "new");
    scene.wait_for(|change| change.rescan);
    write(&scene.path("rules/c.yml"), "new");
    scene.wait_for_rule("rules/c.yml");
    fs::remove_file(scene.path("rules/c.yml")).unwrap();
    scene.wait_for_rule("rules/c.yml");
    write(&scene.path("pack/aliases/x.yaml"), "new");
    scene.wait_for(|change| change.pack);
    write(&scene.path("data/q.parquet"), "new");
    scene.wait_for(|change| change.dataset);
}

#[test]
fn a_folder_that_is_deleted_and_made_again_is_watched_again() {
    let scene = Scene::new();
    for round in 0..3 {
        fs::remove_dir_all(scene.path("rules")).unwrap();
        if round % 2 == 0 {
            scene.wait_for(|change| change.rescan);
        }
        for text in ["back", &format!("edited {round}")] {
            write(&scene.path("rules/a.yml"), text);
            scene.wait_until_read("rules/a.yml", text);
        }
    }
}

type Happens = fn(&Scene);
type IsTold = fn(&Scene, &Changes) -> bool;

/// Each thing that can happen to the inputs before they are followed, and the change that tells of it.
const BEFORE: [(Happens, IsTold); 7] = [
    (|scene| write(&scene.path("rules/a.yml"), "two"), |scene, change| is_a(scene, change)),
    (
        |scene| {
            write(&scene.path("rules/.a.tmp"), "two");
            fs::rename(scene.path("rules/.a.tmp"), scene.path("rules/a.yml")).unwrap();
        },
        |scene, change| is_a(scene, change),
    ),
    (|scene| fs::remove_file(scene.path("rules/a.yml")).unwrap(), |scene, change| is_a(scene, change)),
    (|scene| write(&scene.path("rules/new/b.yml"), "new"), |_, change| change.rescan),
    (
        |scene| {
            fs::remove_dir_all(scene.path("rules")).unwrap();
            write(&scene.path("rules/a.yml"), "one");
        },
        |scene, change| change.rescan || is_a(scene, change),
    ),
    (|scene| write(&scene.path("pack/aliases/x.yaml"), "new"), |_, change| change.pack),
    (|scene| write(&scene.path("data/p.parquet"), "two"), |_, change| change.dataset),
];

fn is_a(scene: &Scene, change: &Changes) -> bool {
    change.rules.contains(&scene.path("rules/a.yml"))
}

#[test]
fn what_changes_before_it_is_followed_is_told_once_it_is() {
    for (happens, is_told) in BEFORE {
        let scene = Scene::looked_at();
        happens(&scene);
        scene.watcher.follow();
        scene.wait_for(|change| is_told(&scene, change));
    }
}

#[test]
fn what_has_not_changed_until_it_is_followed_is_not_told() {
    let scene = Scene::looked_at();
    fs::read(scene.path("rules/a.yml")).unwrap();
    scene.watcher.follow();
    write(&scene.path("pack/pack.yaml"), "two");
    let change = scene.changes.recv_timeout(DEADLINE).unwrap();
    assert_eq!(change, Changes { pack: true, ..Changes::default() });
}

#[test]
fn a_folder_that_is_made_again_while_it_begins_to_be_followed_is_followed() {
    for round in 0..20 {
        let scene = Scene::looked_at();
        let rule = scene.path("rules/a.yml");
        scene.watcher.follow();
        Dice(round).pause();
        fs::remove_dir_all(scene.path("rules")).unwrap();
        write(&rule, "back");
        for text in ["first", "second", "third"] {
            write(&rule, text);
            scene.wait_until_read("rules/a.yml", text);
        }
    }
}

#[test]
fn what_goes_on_beside_the_inputs_holds_up_no_save() {
    let inbox = |paths: &[&str]| {
        let (messages, inbox) = channel();
        for path in paths {
            let written = EventKind::Modify(ModifyKind::Data(notify::event::DataChange::Any));
            messages.send(Message::Event(Ok(Event::new(written).add_path(path.into())))).unwrap();
        }
        inbox
    };
    let inputs = Inputs { rules: vec!["/x/rules".into()], pack: vec!["/x/pack".into()], ..Inputs::default() };
    let inputs = WatchedInputs::new(inputs);
    let saved = EventKind::Modify(ModifyKind::Name(notify::event::RenameMode::To));
    let gathered = |paths: &[&str]| {
        let first = Ok(Event::new(saved).add_path("/x/rules/a.yml".into()));
        settle::gather(first, &inbox(paths), |event| inputs.concern(event)).events.len()
    };
    assert_eq!(gathered(&["/x/log.txt", "/x/rules/.a.yml.swp", "/elsewhere", "/x/rules/notes.md"]), 1);
    assert_eq!(gathered(&["/x/rules/b.yml", "/x/rules", "/x", "/x/pack/any.thing", "/x/rules/folder"]), 6);
}

#[test]
fn a_path_that_does_not_exist_yet_is_waited_for() {
    let scene = Scene::new();
    write(&scene.path("later/deep/config.toml"), "one");
    scene.wait_for(|change| change.extra);
    write(&scene.path("later/deep/config.toml"), "two");
    scene.wait_for(|change| change.extra);
}

#[test]
fn a_single_file_is_watched_through_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let rule = folder.path().join("only.yml");
    write(&rule, "one");
    let scene = Scene::watching(folder, Inputs { rules: vec![rule.clone()], ..Inputs::default() });
    for text in ["two", "three"] {
        write(&scene.path("next.tmp"), text);
        fs::rename(scene.path("next.tmp"), &rule).unwrap();
        scene.wait_for_rule("only.yml");
    }
    fs::remove_file(&rule).unwrap();
    scene.wait_for_rule("only.yml");
}

#[cfg(unix)]
#[test]
fn paths_are_spelled_as_given() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("real/rules/a.yml"), "one");
    std::os::unix::fs::symlink(folder.path().join("real"), folder.path().join("link")).unwrap();
    let inputs = Inputs { rules: vec![folder.path().join("link/rules")], ..Inputs::default() };
    let scene = Scene::watching(folder, inputs);
    write(&scene.path("real/rules/a.yml"), "two");
    scene.wait_for_rule("link/rules/a.yml");
}

#[test]
fn reading_is_no_change_and_a_dropped_watcher_is_silent() {
    let scene = Scene::new();
    for _ in 0..10 {
        fs::read(scene.path("rules/a.yml")).unwrap();
    }
    write(&scene.path("pack/pack.yaml"), "two");
    let change = scene.wait_for(|change| change.pack);
    assert_eq!(change, Changes { pack: true, ..Changes::default() });
    drop(scene.watcher);
    write(&scene.folder.path().join("pack/pack.yaml"), "three");
    assert!(scene.changes.iter().all(|change| change.rules.is_empty()), "the channel has ended");
}

#[test]
fn a_file_that_an_editor_tries_out_is_no_lost_folder() {
    let scene = Scene::new();
    for _ in 0..3 {
        fs::write(scene.path("rules/4913"), "").unwrap();
        fs::remove_file(scene.path("rules/4913")).unwrap();
    }
    write(&scene.path("rules/a.yml"), "two");
    let path = scene.path("rules/a.yml");
    scene.wait_for(|change| {
        assert!(!change.rescan, "{change:?}");
        change.rules.contains(&path)
    });
}

#[test]
fn looking_every_second_sees_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    write(&rules.join("a.yml"), "one");
    let (messages, inbox) = channel();
    let inputs = WatchedInputs::new(Inputs { rules: vec![rules.clone()], ..Inputs::default() });
    let backend = Backend::Looking(inputs.snapshot());
    let (sender, changes) = channel();
    let on_change = Box::new(move |change| drop(sender.send(change)));
    let mut session = Session { inputs, backend, on_change };
    let thread = std::thread::spawn(move || session.run(&inbox));
    let (_, looking) = channel();
    let watcher = Watcher { messages, looking, thread: Some(thread) };
    let scene = Scene { folder, changes, watcher };
    write(&rules.join("a.yml"), "two");
    scene.wait_for_rule("rules/a.yml");
    fs::remove_dir_all(&rules).unwrap();
    scene.wait_for(|change| change.rescan);
    write(&rules.join("a.yml"), "back");
    scene.wait_for(|change| change.rescan);
    write(&rules.join("a.yml"), "edited once it was back");
    scene.wait_for_rule("rules/a.yml");
}

#[test]
fn a_reached_limit_degrades_to_looking_and_says_so() {
    let error = notify::Error::new(notify::ErrorKind::MaxFilesWatch);
    assert!(notice(&error).to_string().contains("raise fs.inotify.max_user_watches"));
    let (messages, _inbox) = channel();
    let inputs = WatchedInputs::new(Inputs::default());
    let backend = Backend::System(SystemWatcher::start(messages, &inputs.wanted()).unwrap());
    let mut session = Session { inputs, backend, on_change: Box::new(drop) };
    let changes = session.after_errors(&[error]);
    assert!(matches!(session.backend, Backend::Looking(_)) && changes.rescan);
    assert_eq!(changes.notice, Some(WatchNotice::TooManyWatches));
}

/// Numbers that look random and are the same each time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// Mostly no time at all, now and then about as long as files are waited for.
    fn pause(&mut self) {
        let microseconds = match self.below(4) {
            0 => 0,
            1 => self.below(500),
            2 => self.below(8_000),
            _ => 1_000 * self.below(12),
        };
        std::thread::sleep(Duration::from_micros(microseconds));
    }
}

/// What the last bytes of a complete part are.
const END: &[u8] = b"end";

/// Parts of one writer.
const PARTS: u64 = 30;

/// Writes parts in every way that they arrive in: moved into place, grown piece by piece, copied over themselves, in
/// folders that are made for them and moved into place with them.
fn write_parts(data: &Path, beside: &Path, seed: u64) {
    let mut dice = Dice(seed);
    let whole = [b"begin ".repeat(200).as_slice(), END].concat();
    for at in 0..PARTS {
        let part = data.join(format!("{seed}-{at}.parquet"));
        let temporary = beside.join(format!("{seed}-{at}.tmp"));
        match dice.below(5) {
            0 => {
                let hidden = data.join(format!(".{seed}-{at}.tmp"));
                fs::write(&hidden, &whole).unwrap();
                dice.pause();
                fs::rename(hidden, part).unwrap();
            }
            1 => {
                let mut file = fs::File::create(part).unwrap();
                for piece in whole.chunks(400) {
                    std::io::Write::write_all(&mut file, piece).unwrap();
                    dice.pause();
                }
            }
            2 => {
                fs::write(&part, &whole[..300]).unwrap();
                dice.pause();
                fs::write(part, &whole).unwrap();
            }
            3 => {
                fs::write(&temporary, &whole).unwrap();
                let folder = data.join(format!("day={at}/{seed}"));
                fs::create_dir_all(&folder).unwrap();
                dice.pause();
                fs::rename(temporary, folder.join("part.parquet")).unwrap();
            }
            _ => {
                fs::create_dir_all(&temporary).unwrap();
                fs::write(temporary.join("part.parquet"), &whole).unwrap();
                fs::rename(temporary, data.join(format!("{seed}-{at}"))).unwrap();
            }
        }
        dice.pause();
    }
}

fn complete(data: &Path) -> u64 {
    let files = walkdir::WalkDir::new(data).into_iter().filter_map(Result::ok);
    let is_part = |path: &Path| path.extension().is_some_and(|end| end == "parquet");
    let is_whole = |path: &Path| fs::read(path).is_ok_and(|bytes| bytes.ends_with(END));
    files.filter(|entry| is_part(entry.path()) && is_whole(entry.path())).count() as u64
}

#[test]
fn who_looks_only_when_told_to_finds_the_last_part() {
    for seed in [1, 3, 5, 7, 9, 11] {
        let scene = Scene::looked_at();
        let data = scene.path("data");
        let writers = [seed, seed + 1].map(|seed| {
            let (data, beside) = (data.clone(), scene.path(&format!("beside-{seed}")));
            fs::create_dir(&beside).unwrap();
            std::thread::spawn(move || write_parts(&data, &beside, seed))
        });
        let mut dice = Dice(seed);
        (0..seed).for_each(|_| dice.pause());
        scene.watcher.follow();
        let wanted = writers.len() as u64 * PARTS;
        scene.wait_for(|change| change.dataset && complete(&data) == wanted);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    }
}

#[test]
fn who_writes_without_end_is_looked_at_now_and_then() {
    let scene = Scene::new();
    let log = scene.path("data/log.jsonl");
    let (stop, stopped) = channel::<()>();
    let writer = std::thread::spawn(move || {
        let mut file = fs::File::create(log).unwrap();
        while stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected) {
            std::io::Write::write_all(&mut file, b"line\n").unwrap();
        }
    });
    for _ in 0..3 {
        scene.wait_for(|change| change.dataset);
    }
    drop(stop);
    writer.join().unwrap();
}
