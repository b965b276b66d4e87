//! `themes`: the themes of the screen, and where their files lie.

use std::io::{self, Write};

use clap::Args;
use serde_json::json;

use super::{CliError, Format, text};
use crate::tui::{self, ThemeListing};

#[derive(Debug, Args)]
pub(super) struct ThemesArgs {
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &ThemesArgs) -> Result<(), CliError> {
    let themes = tui::themes();
    let mut out = io::stdout().lock();
    match args.format {
        Format::Human => human(&mut out, &themes)?,
        Format::Json => {
            let themes: Vec<_> = themes.iter().map(as_json).collect();
            writeln!(out, "{:#}", json!({ "themes": themes }))?;
        }
    }
    Ok(())
}

fn human(out: &mut impl Write, themes: &[ThemeListing]) -> io::Result<()> {
    let widest = themes.iter().map(|theme| theme.name.chars().count()).max().unwrap_or(0);
    for theme in themes {
        let ground = ground(theme).unwrap_or("–");
        let (name, described) = (text::one_line(&theme.name), text::one_line(&theme.description));
        let file =
            theme.file.as_ref().map_or_else(|| "shipped".to_owned(), |file| file.display().to_string());
        writeln!(out, "{name:<widest$}  {ground:<5}  {described}  ({})", text::one_line(&file))?;
    }
    Ok(())
}

fn as_json(theme: &ThemeListing) -> serde_json::Value {
    json!({
        "name": theme.name,
        "background": ground(theme),
        "file": theme.file,
        "description": theme.description,
    })
}

fn ground(theme: &ThemeListing) -> Option<&'static str> {
    theme.dark.map(|dark| if dark { "dark" } else { "light" })
}
