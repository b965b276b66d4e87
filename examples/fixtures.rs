//! Writes the fixture run: `fixtures/events.yaml`, in the words of the Windows event log, to Parquet in both layouts.
//!
//! `./x fixtures` runs it. The same source gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;

use duckdb::Connection;
use serde::Deserialize;
use serde_yaml::Value as Yaml;

/// 2026-03-14T00:00:00Z, the day of the story.
const DAY: i64 = 1_773_446_400_000;

/// One event of the source file.
#[derive(Deserialize)]
struct Event {
    id: u32,
    at: String,
    host: String,
    log: Log,
    code: u32,
    #[serde(flatten)]
    fields: BTreeMap<String, Yaml>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Log {
    Sysmon,
    Security,
    Powershell,
    System,
}

/// What an event code is in OCSF.
struct Kind {
    log: Log,
    code: u32,
    class_uid: i64,
    activity_id: i64,
    fields: &'static [(&'static str, Home)],
}

/// Where a field of the source goes, with the paths or path prefixes that it fills.
#[derive(Clone, Copy)]
enum Home {
    Text(&'static [&'static str]),
    Number(&'static [&'static str]),
    /// `.path` and `.name`
    File(&'static [&'static str]),
    /// `.path`, `.name` and `.parent_folder`
    FileInFolder(&'static str),
    /// `.domain` and `.name`
    User(&'static [&'static str]),
    Hashes(&'static str),
    Answers,
    RegistryValue,
    Direction,
    LogonType,
    Integrity,
    SignatureState,
    AccessMask,
}

use Home::{
    AccessMask, Answers, Direction, File, FileInFolder, Hashes, Integrity, LogonType, Number, RegistryValue,
    SignatureState, Text, User,
};

const ACTOR: &[(&str, Home)] = &[
    ("Image", File(&["actor.process.file"])),
    ("ProcessId", Number(&["actor.process.pid"])),
    ("ProcessGuid", Text(&["actor.process.uid"])),
    ("User", User(&["actor.user"])),
    ("SubjectUserName", Text(&["actor.user.name"])),
    ("SubjectDomainName", Text(&["actor.user.domain"])),
    ("SubjectLogonId", Text(&["actor.session.uid"])),
];

const LOGON: &[(&str, Home)] = &[
    ("TargetUserName", Text(&["user.name", "actor.user.name"])),
    ("TargetDomainName", Text(&["user.domain", "actor.user.domain"])),
    ("TargetLogonId", Text(&["session.uid"])),
    ("LogonType", LogonType),
    ("IpAddress", Text(&["src_endpoint.ip"])),
    ("IpPort", Number(&["src_endpoint.port"])),
    ("WorkstationName", Text(&["src_endpoint.hostname"])),
    ("AuthenticationPackageName", Text(&["auth_protocol"])),
    ("LogonProcessName", Text(&["logon_process.name"])),
    ("ProcessName", File(&["actor.process.file"])),
    ("Status", Text(&["status_code"])),
    ("SubStatus", Text(&["status_detail"])),
];

const KINDS: &[Kind] = &[
    Kind {
        log: Log::Sysmon,
        code: 1,
        class_uid: 1007,
        activity_id: 1,
        fields: &[
            ("Image", File(&["process.file"])),
            ("CommandLine", Text(&["process.cmd_line"])),
            ("CurrentDirectory", Text(&["process.working_directory"])),
            ("Company", Text(&["process.file.company_name"])),
            ("Description", Text(&["process.file.desc"])),
            ("Hashes", Hashes("process.file.hashes")),
            ("IntegrityLevel", Integrity),
            ("LogonId", Text(&["process.session.uid"])),
            ("OriginalFileName", Text(&["process.file.internal_name"])),
            ("ParentCommandLine", Text(&["process.parent_process.cmd_line", "actor.process.cmd_line"])),
            ("ParentImage", File(&["process.parent_process.file", "actor.process.file"])),
            ("ParentProcessId", Number(&["process.parent_process.pid", "actor.process.pid"])),
            ("ParentUser", User(&["process.parent_process.user"])),
            ("ProcessGuid", Text(&["process.uid"])),
            ("ProcessId", Number(&["process.pid"])),
            ("Product", Text(&["process.file.product.name"])),
            ("User", User(&["actor.user", "process.user"])),
        ],
    },
    Kind {
        log: Log::Sysmon,
        code: 3,
        class_uid: 4001,
        activity_id: 1,
        fields: &[
            ("DestinationHostname", Text(&["dst_endpoint.hostname"])),
            ("DestinationIp", Text(&["dst_endpoint.ip"])),
            ("DestinationPort", Number(&["dst_endpoint.port"])),
            ("Initiated", Direction),
            ("Protocol", Text(&["connection_info.protocol_name"])),
            ("SourceIp", Text(&["src_endpoint.ip"])),
            ("SourcePort", Number(&["src_endpoint.port"])),
        ],
    },
    Kind {
        log: Log::Sysmon,
        code: 5,
        class_uid: 1007,
        activity_id: 2,
        fields: &[
            ("Image", File(&["process.file"])),
            ("ProcessId", Number(&["process.pid"])),
            ("User", User(&["actor.user", "process.user"])),
        ],
    },
    Kind {
        log: Log::Sysmon,
        code: 7,
        class_uid: 1005,
        activity_id: 1,
        fields: &[
            ("Hashes", Hashes("module.file.hashes")),
            ("ImageLoaded", File(&["module.file"])),
            ("OriginalFileName", Text(&["module.file.internal_name"])),
            ("Signature", Text(&["module.file.signature.certificate.subject"])),
            ("SignatureStatus", SignatureState),
        ],
    },
    Kind {
        log: Log::Sysmon,
        code: 10,
        class_uid: 1007,
        activity_id: 3,
        fields: &[
            ("GrantedAccess", AccessMask),
            ("SourceImage", File(&["actor.process.file"])),
            ("SourceProcessId", Number(&["actor.process.pid"])),
            ("SourceUser", User(&["actor.user"])),
            ("TargetImage", File(&["process.file"])),
            ("TargetProcessId", Number(&["process.pid"])),
            ("TargetUser", User(&["process.user"])),
        ],
    },
    Kind {
        log: Log::Sysmon,
        code: 11,
        class_uid: 1001,
        activity_id: 1,
        fields: &[("TargetFilename", FileInFolder("file"))],
    },
    Kind {
        log: Log::Sysmon,
        code: 13,
        class_uid: 201_002,
        activity_id: 2,
        fields: &[("Details", Text(&["reg_value.data"])), ("TargetObject", RegistryValue)],
    },
    Kind {
        log: Log::Sysmon,
        code: 22,
        class_uid: 4003,
        activity_id: 1,
        fields: &[("QueryName", Text(&["query.hostname"])), ("QueryResults", Answers)],
    },
    Kind {
        log: Log::Powershell,
        code: 4104,
        class_uid: 1009,
        activity_id: 1,
        fields: &[
            ("Path", File(&["script.file"])),
            ("ScriptBlockId", Text(&["script.uid"])),
            ("ScriptBlockText", Text(&["script.script_content.value"])),
        ],
    },
    Kind { log: Log::Security, code: 1102, class_uid: 1008, activity_id: 1, fields: &[] },
    Kind { log: Log::Security, code: 4624, class_uid: 3002, activity_id: 1, fields: LOGON },
    Kind { log: Log::Security, code: 4625, class_uid: 3002, activity_id: 1, fields: LOGON },
    Kind {
        log: Log::Security,
        code: 4688,
        class_uid: 1007,
        activity_id: 1,
        fields: &[
            ("CommandLine", Text(&["process.cmd_line"])),
            ("NewProcessId", Number(&["process.pid"])),
            ("NewProcessName", File(&["process.file"])),
            ("ParentProcessName", File(&["process.parent_process.file", "actor.process.file"])),
            ("ProcessId", Number(&["process.parent_process.pid", "actor.process.pid"])),
        ],
    },
    Kind {
        log: Log::System,
        code: 7045,
        class_uid: 201_004,
        activity_id: 1,
        fields: &[
            ("AccountName", Text(&["win_service.service_start_name"])),
            ("ImagePath", Text(&["win_service.cmd_line"])),
            ("ServiceName", Text(&["win_service.name"])),
            ("StartType", Text(&["win_service.service_start_type"])),
        ],
    },
];

/// A cell as a SQL literal.
type Row = BTreeMap<String, String>;

impl Log {
    /// `metadata.source_type`, channel, provider.
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Sysmon => {
                ("windows-sysmon", "Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon")
            }
            Self::Security => ("windows-security", "Security", "Microsoft-Windows-Security-Auditing"),
            Self::Powershell => (
                "windows-powershell",
                "Microsoft-Windows-PowerShell/Operational",
                "Microsoft-Windows-PowerShell",
            ),
            Self::System => ("windows-system", "System", "Service Control Manager"),
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn put_text(row: &mut Row, path: impl Into<String>, text: &str) {
    row.insert(path.into(), quoted(text));
}

fn put_number(row: &mut Row, path: impl Into<String>, number: i64) {
    row.insert(path.into(), number.to_string());
}

/// The text of a scalar; `None` for null, which fills nothing.
fn scalar(value: &Yaml) -> Result<Option<String>, Box<dyn Error>> {
    Ok(match value {
        Yaml::Null => None,
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Bool(flag) => Some(flag.to_string()),
        _ => return Err("a scalar is wanted".into()),
    })
}

fn put_file(row: &mut Row, prefix: &str, path: &str) {
    put_text(row, format!("{prefix}.path"), path);
    put_text(row, format!("{prefix}.name"), path.rsplit('\\').next().unwrap_or(path));
}

fn put_user(row: &mut Row, prefix: &str, text: &str) {
    let (domain, name) = text.split_once('\\').map_or((None, text), |(domain, name)| (Some(domain), name));
    if let Some(domain) = domain {
        put_text(row, format!("{prefix}.domain"), domain);
    }
    put_text(row, format!("{prefix}.name"), name);
}

fn put_number_and_caption(row: &mut Row, paths: [&str; 2], number: i64, caption: &str) {
    put_number(row, paths[0], number);
    put_text(row, paths[1], caption);
}

fn hashes(text: &str) -> String {
    let element = |(key, value): (&str, &str)| {
        let (id, caption) = match key {
            "MD5" => (1, "MD5"),
            "SHA1" => (2, "SHA-1"),
            "SHA256" => (3, "SHA-256"),
            other => (99, other),
        };
        let [caption, value] = [quoted(caption), quoted(value)];
        format!("{{'algorithm_id': {id}, 'algorithm': {caption}, 'value': {value}}}")
    };
    let elements: Vec<_> = text.split(',').filter_map(|pair| pair.split_once('=')).map(element).collect();
    format!("[{}]", elements.join(", "))
}

fn answers(value: &Yaml) -> Result<String, Box<dyn Error>> {
    let list = value.as_sequence().ok_or("QueryResults is a list")?;
    let element = |answer: &Yaml| {
        let text = answer.as_str().ok_or("an answer is text")?;
        let (kind, data) = match text.strip_prefix("type:  5 ") {
            Some(name) => ("CNAME", name),
            None if text.contains(':') => ("AAAA", text),
            None => ("A", text),
        };
        Ok(format!("{{'rdata': {}, 'type': {}}}", quoted(data), quoted(kind)))
    };
    let elements: Vec<_> = list.iter().map(element).collect::<Result<_, Box<dyn Error>>>()?;
    Ok(format!("[{}]", elements.join(", ")))
}

fn integrity(label: &str) -> i64 {
    ["Untrusted", "Low", "Medium", "High", "System"]
        .iter()
        .position(|l| *l == label)
        .map_or(99, |i| i as i64 + 1)
}

fn logon_caption(number: i64) -> &'static str {
    match number {
        2 => "Interactive",
        3 => "Network",
        5 => "OS Service",
        10 => "Remote Interactive",
        _ => "Other",
    }
}

fn put(row: &mut Row, field: &str, home: Home, value: &Yaml) -> Result<(), Box<dyn Error>> {
    if let Answers = home {
        row.insert("answers".into(), answers(value)?);
        return Ok(());
    }
    let Some(text) = scalar(value)? else { return Ok(()) };
    match home {
        Text(paths) => paths.iter().for_each(|path| put_text(row, *path, &text)),
        Number(paths) => {
            let number = text.parse()?;
            paths.iter().for_each(|path| put_number(row, *path, number));
        }
        File(prefixes) => prefixes.iter().for_each(|prefix| put_file(row, prefix, &text)),
        FileInFolder(prefix) => {
            put_file(row, prefix, &text);
            if let Some((folder, _)) = text.rsplit_once('\\') {
                put_text(row, format!("{prefix}.parent_folder"), folder);
            }
        }
        User(prefixes) => prefixes.iter().for_each(|prefix| put_user(row, prefix, &text)),
        Hashes(path) => {
            row.insert(path.into(), hashes(&text));
        }
        RegistryValue => {
            let (key, name) = text.rsplit_once('\\').ok_or("TargetObject has a backslash")?;
            put_text(row, "reg_value.path", key);
            put_text(row, "reg_value.name", name);
            put_text(row, "raw.TargetObject", &text);
        }
        Direction => {
            let (number, caption) = if text == "true" { (2, "Outbound") } else { (1, "Inbound") };
            let paths = ["connection_info.direction_id", "connection_info.direction"];
            put_number_and_caption(row, paths, number, caption);
        }
        LogonType => {
            let number = text.parse()?;
            put_number_and_caption(row, ["logon_type_id", "logon_type"], number, logon_caption(number));
        }
        Integrity => {
            let paths = ["process.integrity_id", "process.integrity"];
            put_number_and_caption(row, paths, integrity(&text), &text);
        }
        SignatureState => {
            let paths = ["module.file.signature.state_id", "module.file.signature.state"];
            put_number_and_caption(row, paths, if text == "Valid" { 1 } else { 99 }, &text);
        }
        AccessMask => {
            let digits = text.strip_prefix("0x").ok_or_else(|| format!("{field} is hexadecimal"))?;
            put_number(row, "actual_permissions", i64::from_str_radix(digits, 16)?);
            put_text(row, "raw.GrantedAccess", &text);
        }
        Answers => {}
    }
    Ok(())
}

/// `HH:MM:SS.mmm` of the story's day, in milliseconds since 1970.
fn milliseconds(at: &str) -> Result<i64, Box<dyn Error>> {
    let (clock, fraction) = at.split_once('.').ok_or("at is HH:MM:SS.mmm")?;
    let seconds = clock.split(':').try_fold(0_i64, |sum, part| part.parse::<i64>().map(|n| sum * 60 + n))?;
    Ok(DAY + seconds * 1000 + fraction.parse::<i64>()?)
}

fn envelope(event: &Event, kind: &Kind) -> Result<Row, Box<dyn Error>> {
    let mut row = Row::new();
    let (source_type, channel, provider) = event.log.names();
    let uid = format!("pa:eid:v1:{:032}", event.id);
    for (path, number) in [
        ("time", milliseconds(&event.at)?),
        ("class_uid", kind.class_uid),
        ("category_uid", kind.class_uid % 100_000 / 1000),
        ("activity_id", kind.activity_id),
        ("type_uid", kind.class_uid * 100 + kind.activity_id),
        ("severity_id", 1),
        ("raw.event_id", i64::from(event.code)),
    ] {
        put_number(&mut row, path, number);
    }
    for (path, text) in [
        ("device.hostname", event.host.to_lowercase().as_str()),
        ("device.name", &event.host),
        ("metadata.event_code", &event.code.to_string()),
        ("metadata.event_id", &uid),
        ("metadata.log_name", channel),
        ("metadata.log_provider", provider),
        ("metadata.product.name", provider),
        ("metadata.run_id", "larkspur"),
        ("metadata.scenario_id", "larkspur-2026-03-14"),
        ("metadata.source_type", source_type),
        ("metadata.uid", &uid),
        ("metadata.version", "1.7.0"),
        ("raw.channel", channel),
        ("raw.provider", provider),
    ] {
        put_text(&mut row, path, text);
    }
    if event.log == Log::Security {
        let (number, caption) = if event.code == 4625 { (2, "Failure") } else { (1, "Success") };
        put_number_and_caption(&mut row, ["status_id", "status"], number, caption);
    }
    if event.log == Log::Powershell {
        put_number_and_caption(&mut row, ["script.type_id", "script.type"], 2, "PowerShell");
    }
    Ok(row)
}

fn normalize(event: &Event) -> Result<Row, Box<dyn Error>> {
    let kind = KINDS
        .iter()
        .find(|kind| kind.log == event.log && kind.code == event.code)
        .ok_or_else(|| format!("event {}: no kind for code {}", event.id, event.code))?;
    let mut row = envelope(event, kind)?;
    for (field, value) in &event.fields {
        let home = kind.fields.iter().chain(ACTOR).find(|(name, _)| name == field);
        match home {
            Some((_, home)) => {
                put(&mut row, field, *home, value)
                    .map_err(|e| format!("event {}, {field}: {e}", event.id))?;
            }
            None => {
                if let Some(text) = scalar(value)? {
                    put_text(&mut row, format!("raw.{field}"), &text);
                }
            }
        }
    }
    Ok(row)
}

fn sql_type(path: &str) -> &'static str {
    match path {
        "time" | "type_uid" | "actual_permissions" => "BIGINT",
        "answers" => "STRUCT(rdata VARCHAR, type VARCHAR)[]",
        _ if path.ends_with(".pid") => "BIGINT",
        _ if path.ends_with(".hashes") => "STRUCT(algorithm_id INTEGER, algorithm VARCHAR, value VARCHAR)[]",
        "class_uid" | "category_uid" | "activity_id" | "severity_id" | "status_id" | "logon_type_id" => {
            "INTEGER"
        }
        "raw.event_id" | "script.type_id" => "INTEGER",
        "connection_info.direction_id" | "process.integrity_id" | "module.file.signature.state_id" => {
            "INTEGER"
        }
        _ if path.ends_with(".port") => "INTEGER",
        _ => "VARCHAR",
    }
}

/// The first columns of a run; the others follow by name.
const FIRST: [&str; 6] = ["time", "class_uid", "category_uid", "activity_id", "type_uid", "severity_id"];

fn columns(rows: &[Row]) -> Vec<String> {
    let all: BTreeSet<&String> = rows.iter().flat_map(Row::keys).collect();
    let rest = all.into_iter().filter(|path| !FIRST.contains(&path.as_str())).cloned();
    FIRST.iter().map(ToString::to_string).chain(rest).collect()
}

/// A level of the tree of paths: what each name holds at the next one. Nothing at a leaf.
#[derive(Default)]
struct Branch(BTreeMap<String, Branch>);

impl Branch {
    fn add(&mut self, path: &str) {
        let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
        let next = self.0.entry(head.to_owned()).or_default();
        if let Some(rest) = rest {
            next.add(rest);
        }
    }

    fn leaves(&self, at: &str) -> Vec<String> {
        if self.0.is_empty() {
            return vec![format!("\"{at}\"")];
        }
        self.0.iter().flat_map(|(name, next)| next.leaves(&format!("{at}.{name}"))).collect()
    }

    /// The STRUCT for `at`, NULL where nothing is in it; the column itself at a leaf.
    fn expression(&self, at: &str) -> String {
        if self.0.is_empty() {
            return format!("\"{at}\"");
        }
        let parts: Vec<_> = self
            .0
            .iter()
            .map(|(name, next)| format!("\"{name}\" := {}", next.expression(&format!("{at}.{name}"))))
            .collect();
        let empty: Vec<_> = self.leaves(at).iter().map(|leaf| format!("{leaf} IS NULL")).collect();
        format!("CASE WHEN {} THEN NULL ELSE struct_pack({}) END", empty.join(" AND "), parts.join(", "))
    }
}

fn nested(columns: &[String]) -> String {
    let mut root = Branch::default();
    columns.iter().for_each(|path| root.add(path));
    let heads = columns.iter().map(|path| path.split('.').next().unwrap_or(path));
    let mut seen = BTreeSet::new();
    let list: Vec<_> = heads
        .filter(|head| seen.insert(*head))
        .filter_map(|head| Some(format!("{} AS \"{head}\"", root.0.get(head)?.expression(head))))
        .collect();
    list.join(", ")
}

fn fill(connection: &Connection, rows: &[Row], columns: &[String]) -> Result<(), Box<dyn Error>> {
    let types: Vec<_> = columns.iter().map(|path| format!("\"{path}\" {}", sql_type(path))).collect();
    connection.execute_batch(&format!("CREATE TABLE events ({})", types.join(", ")))?;
    for row in rows {
        let cells: Vec<_> = columns.iter().map(|path| row.get(path).map_or("NULL", String::as_str)).collect();
        connection.execute_batch(&format!("INSERT INTO events VALUES ({})", cells.join(", ")))?;
    }
    Ok(())
}

fn write(connection: &Connection, select: &str, run: &Path) -> Result<(), Box<dyn Error>> {
    let folder = run.join("normalized/ocsf_events");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("part-0000.parquet");
    let target = quoted(file.to_str().ok_or("the path is UTF-8")?);
    connection.execute_batch(&format!(
        "COPY (SELECT {select} FROM events ORDER BY \"time\", \"metadata.event_id\") \
         TO {target} (FORMAT parquet, COMPRESSION zstd)"
    ))?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let source = std::fs::read_to_string(fixtures.join("events.yaml"))?;
    let events: Vec<Event> = serde_yaml::from_str(&source)?;
    let ids: BTreeSet<u32> = events.iter().map(|event| event.id).collect();
    if ids.len() != events.len() {
        return Err("two events have one id".into());
    }
    let rows: Vec<Row> = events.iter().map(normalize).collect::<Result<_, _>>()?;
    let columns = columns(&rows);
    let connection = Connection::open_in_memory()?;
    connection.execute_batch("SET threads = 1; SET TimeZone = 'UTC'")?;
    fill(&connection, &rows, &columns)?;
    let dotted: Vec<_> = columns.iter().map(|path| format!("\"{path}\"")).collect();
    write(&connection, &dotted.join(", "), &fixtures.join("run"))?;
    write(&connection, &nested(&columns), &fixtures.join("run-nested"))
}
