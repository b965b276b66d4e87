//! How alike a Sigma field and an OCSF path are, by the words in them.

/// Words of Sigma fields and what OCSF calls the same.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("account", &["user", "account"]),
    ("address", &["ip", "addr"]),
    ("application", &["app", "process"]),
    ("client", &["src", "client"]),
    ("command", &["cmd"]),
    ("computer", &["device", "host", "hostname"]),
    ("current", &["working"]),
    ("dest", &["dst"]),
    ("destination", &["dst"]),
    ("details", &["data"]),
    ("filename", &["file", "path", "name"]),
    ("guid", &["uid", "uuid"]),
    ("hashes", &["hashes", "value"]),
    ("host", &["device", "hostname", "host"]),
    ("image", &["file", "path", "process"]),
    ("loaded", &["module", "loaded"]),
    ("logon", &["logon", "session"]),
    ("method", &["method", "http"]),
    ("object", &["object", "resource", "reg", "key"]),
    ("operation", &["operation", "api"]),
    ("provider", &["provider", "log"]),
    ("query", &["query", "hostname"]),
    ("referer", &["referrer"]),
    ("sid", &["uid"]),
    ("source", &["src", "actor"]),
    ("status", &["status", "code"]),
    ("subject", &["actor"]),
    ("target", &["target", "dst", "user"]),
    ("task", &["job"]),
    ("url", &["url", "string"]),
    ("user", &["user", "name"]),
];

/// From 0 (nothing in common) to 1000 (every word of the one is in the other).
pub(super) fn likeness(field: &str, path: &str) -> u32 {
    let (field, path) = (words(field), words(path));
    if field.is_empty() || path.is_empty() {
        return 0;
    }
    let in_path = field.iter().filter(|word| path.iter().any(|other| is_like(word, other))).count();
    let in_field = path.iter().filter(|word| field.iter().any(|other| is_like(other, word))).count();
    let share = (in_path + in_field) * 1000 / (field.len() + path.len());
    u32::try_from(share).unwrap_or(1000)
}

/// Whether a word of a field means a word of a path.
fn is_like(field: &str, path: &str) -> bool {
    let synonym = || SYNONYMS.iter().any(|(word, others)| *word == field && others.contains(&path));
    field == path || synonym() || strsim::normalized_damerau_levenshtein(field, path) >= 0.8
}

/// The words of a name in lower case: `ParentCommandLine`, `parent_process.cmd_line`, `c-uri-query`.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut before: Option<char> = None;
    for c in name.chars() {
        let boundary =
            !c.is_alphanumeric() || (c.is_uppercase() && before.is_some_and(|before| before.is_lowercase()));
        if boundary && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words.retain(|word| word != "raw");
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_every_spelling() {
        assert_eq!(words("ParentCommandLine"), ["parent", "command", "line"]);
        assert_eq!(words("process.parent_process.cmd_line"), ["process", "parent", "process", "cmd", "line"]);
        assert_eq!(words("c-uri-query"), ["c", "uri", "query"]);
        assert_eq!(words("raw.CallTrace"), ["call", "trace"]);
        assert_eq!(words(""), Vec::<String>::new());
    }

    #[test]
    fn the_right_path_is_more_alike_than_its_neighbours() {
        let best = |field: &str, paths: &[&'static str]| {
            paths.iter().copied().max_by_key(|path| likeness(field, path)).unwrap_or_default()
        };
        let process =
            ["process.cmd_line", "process.pid", "process.file.path", "process.parent_process.cmd_line"];
        assert_eq!(best("CommandLine", &process), "process.cmd_line");
        assert_eq!(best("ParentCommandLine", &process), "process.parent_process.cmd_line");
        assert_eq!(best("Image", &process), "process.file.path");
        let network = ["src_endpoint.ip", "dst_endpoint.ip", "dst_endpoint.port"];
        assert_eq!(best("DestinationIp", &network), "dst_endpoint.ip");
        assert_eq!(best("SourceIp", &network), "src_endpoint.ip");
        assert_eq!(likeness("CallTrace", "raw.CallTrace"), 1000);
        assert_eq!(likeness("CallTrace", "severity_id"), 0);
    }
}
