//! Compiling what a change reaches gives what compiling everything gives, whatever is edited: rules, filters,
//! correlations, ids and names, the settings, the pack.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use sigma_ocsf_tui::backend::{self, CompiledRule, Incremental};
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::pack::{self, AliasScope, DEFAULT_PACK, Fields, Pack, PackSource};
use sigma_ocsf_tui::sigma::{self, Capability, Rule, SigmaField};

/// The shipped pack, and others that differ from it: in all aliases of a scope, in one field's, in where one stands, in
/// the case of a field's name, in a policy, in a route.
static PACKS: LazyLock<Vec<Arc<Pack>>> = LazyLock::new(|| {
    let loaded = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).expect("the shipped pack loads");
    let scope = AliasScope::parse("process_creation/windows").expect("a scope");
    let field = |name: &str| SigmaField(name.to_owned());
    let with = |change: &dyn Fn(&mut Pack)| {
        let mut other = loaded.pack.clone();
        change(&mut other);
        Arc::new(other)
    };
    let in_scope = |change: &dyn Fn(&mut Fields)| {
        with(&|pack| change(pack.aliases.get_mut(&scope).expect("the shipped pack has aliases for it")))
    };
    vec![
        Arc::new(loaded.pack.clone()),
        with(&|pack| drop(pack.aliases.remove(&scope))),
        in_scope(&|fields| {
            let other = fields.get(&field("CommandLine")).cloned().expect("an alias");
            fields.insert(field("Image"), other);
        }),
        in_scope(&|fields| drop(fields.remove(&field("Image")))),
        in_scope(&|fields| {
            let aliases = fields.remove(&field("Image")).expect("an alias");
            fields.insert(field("IMAGE"), aliases);
        }),
        in_scope(&|fields| {
            let aliases = fields.get_mut(&field("CommandLine")).expect("an alias");
            aliases.iter_mut().for_each(|alias| alias.place.path = alias.place.path.join("elsewhere").into());
        }),
        with(&|pack| pack.manifest.raw_fallback.enabled ^= true),
        with(&|pack| drop(pack.routes.pop())),
    ]
});

/// The ids and names that rules have, and by which they call each other: few, so that they meet.
const IDS: [&str; 3] = ["11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222", "x"];
const NAMES: [&str; 3] = ["one", "two", "three"];

fn called() -> impl Strategy<Value = String> {
    let id = prop::option::weighted(0.6, select(&IDS[..]));
    let name = prop::option::weighted(0.4, select(&NAMES[..]));
    (id, name).prop_map(|(id, name)| {
        let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        let name = name.map(|name| format!("name: {name}\n")).unwrap_or_default();
        format!("title: T\n{id}{name}")
    })
}

fn references() -> impl Strategy<Value = String> {
    let one = prop_oneof![select(&IDS[..]), select(&NAMES[..]), Just("nobody")];
    prop::collection::vec(one, 1..4).prop_map(|names| format!("[{}]", names.join(", ")))
}

fn text() -> impl Strategy<Value = String> {
    let category = || select(vec!["process_creation", "image_load", "nowhere"]);
    let field = || select(vec!["Image", "CommandLine", "Unmapped"]);
    let by = select(vec!["|contains", "|endswith", "", "|fieldref: CommandLine", "|fieldref: Image"]);
    let values = (field(), by, 0..3);
    let event =
        (called(), category(), field(), values).prop_map(|(called, category, field, (other, by, value))| {
            // A field in place of the value.
            let (by, value) =
                by.split_once(": ").map_or((by, format!("v{value}")), |(by, other)| (by, other.to_owned()));
            format!(
                "{called}logsource: {{category: {category}, product: windows}}\n\
             detection: {{s: {{{field}{by}: {value}}}, unreached: {{{other}: x}}, condition: s}}\n"
            )
        });
    let named = prop_oneof![3 => references(), 1 => Just("any".to_owned())];
    let filter = (category(), field(), named, any::<bool>()).prop_map(|(category, field, rules, not)| {
        let not = if not { "not " } else { "" };
        format!(
            "title: F\nlogsource: {{category: {category}, product: windows}}\n\
             filter: {{rules: {rules}, s: {{{field}: x}}, condition: {not}s}}\n"
        )
    });
    let correlation = (called(), references(), any::<bool>()).prop_map(|(called, rules, generate)| {
        format!(
            "{called}correlation: {{type: temporal, rules: {rules}, timespan: 5m, generate: {generate}}}\n"
        )
    });
    let condition = (called(), select(&NAMES[..]), select(&NAMES[..])).prop_map(|(called, one, other)| {
        format!("{called}correlation: {{type: temporal, timespan: 5m, condition: {one} and {other}}}\n")
    });
    let broken = Just("title: [\n".to_owned());
    prop_oneof![6 => event, 2 => filter, 2 => correlation, 1 => condition, 1 => broken]
}

/// What someone does between two compilations.
#[derive(Clone, Debug)]
enum Edit {
    Write(Index, String),
    Add(String),
    Remove(Index),
    /// Reads the same text anew.
    Touch(Index),
    Move(Index, Index),
    Settings(bool, bool),
    Pack(usize),
    Nothing,
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        6 => (at(), text()).prop_map(|(at, text)| Edit::Write(at, text)),
        2 => text().prop_map(Edit::Add),
        1 => at().prop_map(Edit::Remove),
        1 => at().prop_map(Edit::Touch),
        1 => (at(), at()).prop_map(|(from, to)| Edit::Move(from, to)),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(all, raw)| Edit::Settings(all, raw)),
        3 => (0..PACKS.len()).prop_map(Edit::Pack),
        1 => Just(Edit::Nothing),
    ]
}

struct Scene {
    rules: Vec<Arc<Rule>>,
    settings: Settings,
    pack: usize,
    files: usize,
}

fn settings(all: bool, raw_fallback: bool) -> Settings {
    let capabilities = if all { Capability::ALL.into_iter().collect() } else { Default::default() };
    Settings { capabilities, raw_fallback }
}

impl Scene {
    fn new(texts: &[String]) -> Self {
        let mut scene = Self { rules: Vec::new(), settings: settings(true, true), pack: 0, files: 0 };
        scene.rules = texts.iter().map(|text| scene.read(text)).collect();
        scene
    }

    fn read(&mut self, text: &str) -> Arc<Rule> {
        self.files += 1;
        let path = format!("{}.yml", self.files);
        Arc::new(sigma::parse(Path::new(&path), text).remove(0))
    }

    fn apply(&mut self, edit: Edit) {
        let count = self.rules.len();
        match edit {
            Edit::Add(text) => {
                let rule = self.read(&text);
                self.rules.push(rule);
            }
            Edit::Write(at, text) if count > 0 => self.rules[at.index(count)] = self.read(&text),
            Edit::Remove(at) if count > 0 => drop(self.rules.remove(at.index(count))),
            Edit::Touch(at) if count > 0 => {
                let rule = &mut self.rules[at.index(count)];
                *rule = Arc::new(Rule::clone(rule));
            }
            Edit::Move(from, to) if count > 0 => self.rules.swap(from.index(count), to.index(count)),
            Edit::Settings(all, raw_fallback) => self.settings = settings(all, raw_fallback),
            Edit::Pack(pack) => self.pack = pack,
            Edit::Write(..) | Edit::Remove(_) | Edit::Touch(_) | Edit::Move(..) | Edit::Nothing => {}
        }
    }

    fn compile(&self, incremental: &mut Incremental) -> Vec<Arc<CompiledRule>> {
        incremental.compile(&self.rules, &PACKS[self.pack], &self.settings)
    }

    fn compile_anew(&self) -> Vec<Arc<CompiledRule>> {
        let compiled = backend::compile(&self.rules, &PACKS[self.pack], &self.settings);
        compiled.into_iter().map(Arc::new).collect()
    }
}

/// Everything that is said of a rule, as text.
fn shown(rules: &[Arc<CompiledRule>]) -> Vec<String> {
    rules.iter().map(|rule| format!("{rule:#?}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn it_says_what_compiling_everything_says(
        texts in prop::collection::vec(text(), 0..10),
        edits in prop::collection::vec(edit(), 1..8),
    ) {
        let mut scene = Scene::new(&texts);
        let mut incremental = Incremental::default();
        prop_assert_eq!(shown(&scene.compile(&mut incremental)), shown(&scene.compile_anew()));
        for edit in edits {
            scene.apply(edit);
            prop_assert_eq!(shown(&scene.compile(&mut incremental)), shown(&scene.compile_anew()));
        }
    }
}

fn event(id: &str, value: &str) -> String {
    format!(
        "title: T\nid: {id}\nlogsource: {{category: process_creation, product: windows}}\n\
         detection: {{s: {{Image: {value}}}, condition: s}}\n"
    )
}

#[test]
fn what_no_change_reaches_is_kept() {
    let mut scene = Scene::new(&[event("a", "x"), event("b", "x"), event("c", "x")]);
    let mut incremental = Incremental::default();
    let before = scene.compile(&mut incremental);
    scene.rules[1] = scene.read(&event("b", "y"));
    let after = scene.compile(&mut incremental);
    let kept: Vec<bool> = before.iter().zip(&after).map(|(one, other)| Arc::ptr_eq(one, other)).collect();
    assert_eq!(kept, [true, false, true]);
}

#[test]
fn an_alias_reaches_the_rules_that_name_its_field_in_its_scope() {
    let other_field = event("b", "x").replace("Image", "CommandLine");
    let elsewhere = event("c", "x").replace("process_creation", "image_load");
    let unreached =
        event("d", "x").replace("Image", "CommandLine").replace("condition", "u: {Image: x}, condition");
    let mut scene = Scene::new(&[event("a", "x"), other_field, elsewhere, unreached]);
    let mut incremental = Incremental::default();
    let before = scene.compile(&mut incremental);
    scene.pack = 3;
    let after = scene.compile(&mut incremental);
    let kept: Vec<bool> = before.iter().zip(&after).map(|(one, other)| Arc::ptr_eq(one, other)).collect();
    assert_eq!(kept, [false, true, true, false]);
    // A longer line before it leaves the others where they stand.
    let mut longer = Pack::clone(&PACKS[3]);
    for alias in longer.aliases.values_mut().flat_map(|fields| fields.values_mut().flatten()) {
        alias.place.span.start.offset += 1;
    }
    let again = incremental.compile(&scene.rules, &Arc::new(longer), &scene.settings);
    assert!(after.iter().zip(&again).all(|(one, other)| Arc::ptr_eq(one, other)));
}

#[test]
fn a_filter_reaches_the_rules_that_it_narrows_and_no_others() {
    let mut scene = Scene::new(&[event("a", "x"), event("b", "x").replace("process_creation", "image_load")]);
    let mut incremental = Incremental::default();
    let before = scene.compile(&mut incremental);
    let filter = "title: F\nlogsource: {category: process_creation}\n\
                  filter: {rules: any, s: {Image: z}, condition: not s}\n";
    let filter = scene.read(filter);
    scene.rules.push(filter);
    let after = scene.compile(&mut incremental);
    let kept: Vec<bool> = before.iter().zip(&after).map(|(one, other)| Arc::ptr_eq(one, other)).collect();
    assert_eq!(kept, [false, true]);
    scene.rules.pop();
    assert_eq!(shown(&scene.compile(&mut incremental)), shown(&before));
}
