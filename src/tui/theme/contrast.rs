//! That every shipped theme can be read, on every kind of terminal, also by eyes that tell colours apart less well.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ratatui::style::{Color, Modifier, Style};

use super::palette::{self, Rgb, TEXT};
use super::shelf::{NONE, listed};
use super::{Background, Depth, Role, Shelf, Surroundings, Theme};

/// What WCAG 2 asks of what is no text (1.4.11).
const NO_TEXT: f64 = 3.0;

/// Roles whose style is laid over a whole row of other roles.
const ROWS: [Role; 2] = [Role::SelectionUnfocused, Role::Cursor];

fn shipped() -> Vec<String> {
    listed(&[]).into_iter().map(|theme| theme.name).filter(|name| name != NONE).collect()
}

fn theme(name: &str, depth: Depth) -> Theme {
    let around = Surroundings { no_color: false, depth, background: Background::Dark };
    Shelf::open(Some(name), Vec::new(), around).1
}

/// The colours of a terminal that a theme is drawn on.
struct Terminal {
    text: Rgb,
    ground: Rgb,
}

impl Terminal {
    /// For 16 colours, black or white with the other on it; else what the theme is made for.
    fn of(theme: &Theme, depth: Depth) -> Self {
        let text = if palette::is_dark(theme.background) { palette::of_256(7) } else { (0, 0, 0) };
        let ground = match depth {
            Depth::Sixteen if palette::is_dark(theme.background) => (0, 0, 0),
            Depth::Sixteen => (255, 255, 255),
            Depth::Truecolor | Depth::Palette => theme.background,
        };
        Self { text, ground }
    }

    fn rgb(&self, colour: Option<Color>, otherwise: Rgb) -> Rgb {
        let named = [
            Color::Black,
            Color::Red,
            Color::Green,
            Color::Yellow,
            Color::Blue,
            Color::Magenta,
            Color::Cyan,
            Color::Gray,
            Color::DarkGray,
            Color::LightRed,
            Color::LightGreen,
            Color::LightYellow,
            Color::LightBlue,
            Color::LightMagenta,
            Color::LightCyan,
            Color::White,
        ];
        match colour {
            None | Some(Color::Reset) => otherwise,
            Some(Color::Rgb(r, g, b)) => (r, g, b),
            Some(Color::Indexed(index)) => palette::of_256(index),
            Some(colour) => palette::of_256(named.iter().position(|named| *named == colour).unwrap() as u8),
        }
    }

    /// Colour of text and of its ground, as a cell of that style has them.
    fn cell(&self, style: Style, text: Rgb, ground: Rgb) -> (Rgb, Rgb) {
        let drawn = (self.rgb(style.fg, text), self.rgb(style.bg, ground));
        if style.add_modifier.contains(Modifier::REVERSED) { (drawn.1, drawn.0) } else { drawn }
    }
}

/// What is drawn of a theme, and the contrast that it has.
fn contrasts(theme: &Theme, depth: Depth) -> Vec<(String, f64, f64)> {
    let terminal = Terminal::of(theme, depth);
    let (text, ground) = terminal.cell(theme.style(Role::Text), terminal.text, terminal.ground);
    let mut drawn = Vec::new();
    for role in Role::ALL {
        let least = if role == Role::PaneBorder { NO_TEXT } else { TEXT };
        let style = theme.style(role);
        let (own_text, own_ground) = terminal.cell(style, text, ground);
        drawn.push((role.name().to_owned(), palette::contrast(own_text, own_ground), least));
        // Borders stand between rows, never on one.
        for row in ROWS.into_iter().filter(|_| style.bg.is_none() && role != Role::PaneBorder) {
            let laid = style.patch(theme.style(row));
            let (own_text, own_ground) = terminal.cell(laid, text, ground);
            drawn.push((
                format!("{} on {}", role.name(), row.name()),
                palette::contrast(own_text, own_ground),
                least,
            ));
        }
    }
    drawn
}

#[test]
fn every_role_can_be_read_where_it_is_drawn() {
    for name in shipped() {
        for depth in [Depth::Truecolor, Depth::Palette, Depth::Sixteen] {
            let least = |least: f64| if name == "contrast" && least == TEXT { 7.0 } else { least };
            let drawn = contrasts(&theme(&name, depth), depth);
            let weak: Vec<_> = drawn
                .into_iter()
                .filter(|(_, contrast, wanted)| {
                    *contrast < if depth == Depth::Truecolor { least(*wanted) } else { *wanted }
                })
                .map(|(what, contrast, _)| format!("{what}: {contrast:.2}"))
                .collect();
            assert!(weak.is_empty(), "{name} in {depth:?}: {weak:#?}");
        }
    }
}

#[test]
fn the_check_sees_what_cannot_be_read() {
    let text =
        "background: '#202020'\nstyles: { text: '#dddddd', text.dim: '#606060', cursor: 'on #888888' }";
    let theme = super::parse::parse(text, "t.yaml", Depth::Truecolor).unwrap().theme;
    let weak = |what: &str| {
        let drawn = contrasts(&theme, Depth::Truecolor);
        drawn.iter().any(|(name, contrast, least)| name == what && contrast < least)
    };
    assert!(weak("text.dim") && weak("text on cursor") && !weak("text"));
}

#[test]
fn selections_and_the_cursor_stand_out_at_every_depth() {
    for name in shipped() {
        for depth in [Depth::Truecolor, Depth::Palette, Depth::Sixteen] {
            let theme = theme(&name, depth);
            for role in [Role::Selection, Role::SelectionUnfocused, Role::Cursor, Role::PaneTitleFocused] {
                assert_ne!(theme.style(role), theme.style(Role::Text), "{name} in {depth:?}: {role:?}");
                assert_ne!(theme.style(role), Style::new(), "{name} in {depth:?}: {role:?}");
            }
        }
    }
}

/// A colour as eyes without one kind of cone see it: Viénot, Brettel and Mollon 1999, on linear light.
fn simulated(colour: Rgb, matrix: [[f64; 3]; 3]) -> [f64; 3] {
    let linear = |channel: u8| (f64::from(channel) / 255.0).powf(2.2);
    let light = [linear(colour.0), linear(colour.1), linear(colour.2)];
    matrix.map(|row| row.iter().zip(light).map(|(share, light)| share * light).sum::<f64>().clamp(0.0, 1.0))
}

/// CIE L*a*b* of linear sRGB under D65.
fn lab([r, g, b]: [f64; 3]) -> [f64; 3] {
    let f = |t: f64| if t > 0.008_856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
    let x = f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505);
    let y = f(0.2126 * r + 0.7152 * g + 0.0722 * b);
    let z = f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

const PROTANOPIA: [[f64; 3]; 3] =
    [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]];
const DEUTERANOPIA: [[f64; 3]; 3] =
    [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]];
const FULL: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// The least distance (ΔE of 1976) between the colours of two verdicts, for eyes of that kind.
fn nearest_verdicts(theme: &Theme, eyes: [[f64; 3]; 3]) -> f64 {
    let verdicts = [
        Role::StatusMatched,
        Role::StatusNoMatch,
        Role::StatusRefused,
        Role::StatusFallback,
        Role::StatusParseError,
    ];
    let terminal = Terminal::of(theme, Depth::Truecolor);
    let seen = verdicts.map(|role| lab(simulated(terminal.rgb(theme.style(role).fg, terminal.text), eyes)));
    let distance =
        |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let pairs = (0..seen.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
    pairs.map(|(a, b)| distance(seen[a], seen[b])).fold(f64::MAX, f64::min)
}

#[test]
fn verdicts_of_signal_differ_for_every_eye() {
    let theme = theme("signal", Depth::Truecolor);
    for (kind, eyes) in [("full", FULL), ("protanopia", PROTANOPIA), ("deuteranopia", DEUTERANOPIA)] {
        let nearest = nearest_verdicts(&theme, eyes);
        assert!(nearest > 20.0, "{kind}: {nearest:.1}");
    }
    assert!(
        nearest_verdicts(&self::theme("dark", Depth::Truecolor), DEUTERANOPIA) < 20.0,
        "the check tells nothing"
    );
}
