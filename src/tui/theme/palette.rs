//! What colours are in numbers: contrast, and the nearest that a smaller palette has.

use ratatui::style::Color;

/// Red, green and blue.
pub(super) type Rgb = (u8, u8, u8);

/// The contrast that WCAG 2 asks of text, level AA (1.4.3).
pub(super) const TEXT: f64 = 4.5;

/// The first 16 colours as xterm has them out of the box. Terminals differ; these are what is reckoned with.
const XTERM: [Rgb; 16] = [
    (0, 0, 0),
    (205, 0, 0),
    (0, 205, 0),
    (205, 205, 0),
    (0, 0, 238),
    (205, 0, 205),
    (0, 205, 205),
    (229, 229, 229),
    (127, 127, 127),
    (255, 0, 0),
    (0, 255, 0),
    (255, 255, 0),
    (92, 92, 255),
    (255, 0, 255),
    (0, 255, 255),
    (255, 255, 255),
];

/// The difference of a colour's channels from which on it has a hue.
const HUED: u8 = 36;

/// The relative luminance that WCAG 2 defines, from 0 to 1.
fn luminance((r, g, b): Rgb) -> f64 {
    let linear = |channel: u8| {
        let channel = f64::from(channel) / 255.0;
        if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// The contrast of two colours by WCAG 2, from 1 to 21.
pub(super) fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Whether text on it is lighter than it.
pub(super) fn is_dark(background: Rgb) -> bool {
    contrast(background, (255, 255, 255)) > contrast(background, (0, 0, 0))
}

/// A colour of the 256 that do not depend on the terminal: a cube of 6 × 6 × 6 and 24 greys.
pub(super) fn of_256(index: u8) -> Rgb {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    match index {
        0..16 => XTERM.get(usize::from(index)).copied().unwrap_or_default(),
        16..232 => {
            let cube = index - 16;
            (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        _ => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}

/// The nearest of the 256 that do not depend on the terminal.
pub(super) fn nearest_of_256(colour: Rgb) -> u8 {
    let distance = |index: &u8| {
        let (r, g, b) = of_256(*index);
        let square = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        square(r, colour.0) + square(g, colour.1) + square(b, colour.2)
    };
    (16..=255).min_by_key(distance).unwrap_or(16)
}

/// The nearest of the 16 that can be read on a background as dark or light as `background`: the same hue, or a grey.
/// The terminal's own colour of text, where there is none.
pub(super) fn nearest_of_16(colour: Rgb, background: Rgb) -> Color {
    let ground = if is_dark(background) { 0 } else { 15 };
    let Some(wanted) = hue(colour) else { return grey_of_16(colour, background) };
    let named = [
        (9, Color::LightRed),
        (10, Color::LightGreen),
        (11, Color::LightYellow),
        (12, Color::LightBlue),
        (13, Color::LightMagenta),
        (14, Color::LightCyan),
        (1, Color::Red),
        (2, Color::Green),
        (3, Color::Yellow),
        (4, Color::Blue),
        (5, Color::Magenta),
        (6, Color::Cyan),
    ];
    let nearest = named
        .into_iter()
        .filter(|(index, _)| contrast(of_256(*index), of_256(ground)) >= TEXT)
        .filter_map(|(index, named)| Some((apart(hue(of_256(index))?, wanted), named)))
        .filter(|(apart, _)| *apart <= 45)
        .min_by_key(|(apart, _)| *apart);
    nearest.map_or(Color::Reset, |(_, named)| named)
}

/// Dim where it is dim, and can be read.
fn grey_of_16(colour: Rgb, background: Rgb) -> Color {
    let dim = contrast(colour, background) < 9.0;
    if dim && is_dark(background) { Color::DarkGray } else { Color::Reset }
}

/// In degrees; none for greys.
fn hue((r, g, b): Rgb) -> Option<i32> {
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    let spread = i32::from(most - least);
    if most - least < HUED {
        return None;
    }
    let sixth = |a: u8, b: u8| 60 * (i32::from(a) - i32::from(b)) / spread;
    Some(match most {
        _ if most == r => sixth(g, b).rem_euclid(360),
        _ if most == g => 120 + sixth(b, r),
        _ => 240 + sixth(r, g),
    })
}

fn apart(a: i32, b: i32) -> i32 {
    let apart = (a - b).rem_euclid(360);
    apart.min(360 - apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((contrast((0, 0, 0), (255, 255, 255)) - 21.0).abs() < 0.001);
        // A grey that is often quoted as the lightest that passes on white.
        assert!(contrast((118, 118, 118), (255, 255, 255)) > TEXT);
        assert!(contrast((119, 119, 119), (255, 255, 255)) < TEXT);
    }

    #[test]
    fn the_nearest_of_256_may_be_a_grey() {
        assert_eq!(nearest_of_256((255, 135, 0)), 208);
        assert_eq!(nearest_of_256((0x9a, 0x9d, 0x9f)), 247);
        assert_eq!((of_256(16), of_256(231), of_256(255)), ((0, 0, 0), (255, 255, 255), (238, 238, 238)));
    }

    #[test]
    fn the_nearest_of_16_keeps_the_hue_and_can_be_read() {
        let (night, day) = ((0, 0, 0), (255, 255, 255));
        assert_eq!(nearest_of_16((242, 139, 130), night), Color::LightRed);
        assert_eq!(nearest_of_16((179, 38, 30), day), Color::Red);
        assert_eq!(nearest_of_16((27, 107, 52), day), Color::Reset);
        assert_eq!(nearest_of_16((154, 161, 173), night), Color::DarkGray);
        assert_eq!(nearest_of_16((216, 219, 224), night), Color::Reset);
    }
}
