//! The user's editor: `$VISUAL`, else `$EDITOR`, told the line in the way that it understands.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

use super::update::EditorPlace;

/// Editors that take `file:line`, some after an option.
const COLON: [(&str, Option<&str>); 9] = [
    ("code", Some("-g")),
    ("code-insiders", Some("-g")),
    ("codium", Some("-g")),
    ("cursor", Some("-g")),
    ("windsurf", Some("-g")),
    ("subl", None),
    ("zed", None),
    ("hx", None),
    ("helix", None),
];

/// The command that opens the editor there.
///
/// # Errors
/// No editor is named, or its name is not a command line.
pub(super) fn command(place: &EditorPlace) -> Result<Command, String> {
    let named = ["VISUAL", "EDITOR"].into_iter().filter_map(std::env::var_os).find(|name| !name.is_empty());
    let named = named.ok_or("no editor: set VISUAL or EDITOR, as in EDITOR=vim")?;
    let line = named.to_str().and_then(shlex::split).filter(|words| !words.is_empty());
    let words =
        line.ok_or_else(|| format!("{} is no command line; mend VISUAL or EDITOR", named.display()))?;
    let path = std::path::absolute(&place.path).unwrap_or_else(|_| place.path.clone());
    let (program, arguments) = words.split_first().ok_or("no editor")?;
    let mut command = Command::new(program);
    command.args(arguments).args(place_arguments(program, arguments, &path, place.line));
    Ok(command)
}

fn place_arguments(program: &str, arguments: &[String], path: &Path, line: u32) -> Vec<OsString> {
    let stem = Path::new(program).file_stem().and_then(OsStr::to_str).unwrap_or(program);
    match COLON.iter().find(|(name, _)| *name == stem) {
        Some((_, option)) => {
            let mut place = path.as_os_str().to_owned();
            place.push(format!(":{line}"));
            let missing = option.filter(|option| !arguments.iter().any(|a| a == option || a == "--goto"));
            missing.map(OsString::from).into_iter().chain([place]).collect()
        }
        None => vec![format!("+{line}").into(), path.as_os_str().to_owned()],
    }
}

/// Runs it to its end.
///
/// # Errors
/// It cannot be started, or says that it failed.
pub(super) fn run(mut command: Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} ended with {status}")),
        Err(error) => Err(format!("{program} cannot be started: {error}; mend VISUAL or EDITOR")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(editor: &str) -> Vec<String> {
        let words: Vec<_> = editor.split(' ').map(str::to_owned).collect();
        let told = place_arguments(&words[0], &words[1..], Path::new("/r/a b.yml"), 7);
        told.into_iter().map(|word| word.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn every_editor_is_told_the_line_in_its_way() {
        for editor in ["vim", "/usr/bin/nvim -p", "nano", "emacsclient -t", "kak"] {
            assert_eq!(told(editor), ["+7", "/r/a b.yml"], "{editor}");
        }
        assert_eq!(told("code --wait"), ["-g", "/r/a b.yml:7"]);
        assert_eq!(told("code -g"), ["/r/a b.yml:7"]);
        assert_eq!(told("/opt/hx"), ["/r/a b.yml:7"]);
    }
}
