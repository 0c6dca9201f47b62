//! The accent colour: one colour of the operator's choice, made readable on light and on dark (WCAG 2.2 §1.4.3, AA).

/// Red, green and blue.
type Colour = [u8; 3];

const DEFAULT: Colour = [0x0d, 0x5e, 0x73];
/// The darkest surface of the light pages and the lightest of the dark ones: what is readable there is readable everywhere.
const LIGHT_SURFACE: Colour = [0xf3, 0xf4, 0xf2];
const DARK_SURFACE: Colour = [0x23, 0x2a, 0x2f];
/// The contrast that AA demands of text, with a little to spare for rounding.
const READABLE: f64 = 4.6;
const READABLE_ON_DARK: f64 = 5.5;

/// The stylesheet `/assets/theme.css`: the accent as configured, moved towards black or white until text in it is readable.
/// Anything but `#rgb` and `#rrggbb` gives the built-in accent, so nothing else ever reaches the stylesheet.
pub fn theme_css(accent: Option<&str>) -> String {
    let accent = accent.and_then(parse).unwrap_or(DEFAULT);
    format!(
        ":root{{--accent-on-light:{};--accent-on-dark:{}}}\n",
        hex(on_light(accent)),
        hex(on_dark(accent))
    )
}

/// The built-in mark, a town gate, as an SVG image in the accent's colour; it has no script and no style.
pub fn mark_svg(accent: Option<&str>) -> String {
    let accent = accent.and_then(parse).unwrap_or(DEFAULT);
    MARK.replace("#0d5e73", &hex(on_light(accent)))
}

const MARK: &str = include_str!("../../templates/assets/mark.svg");

fn parse(text: &str) -> Option<Colour> {
    let digits: Option<Vec<u8>> = text
        .strip_prefix('#')?
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| digit.try_into().ok()))
        .collect();
    match *digits?.as_slice() {
        [red, green, blue] => Some([red * 17, green * 17, blue * 17]),
        [r1, r2, g1, g2, b1, b2] => Some([r1 * 16 + r2, g1 * 16 + g2, b1 * 16 + b2]),
        _ => None,
    }
}

fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The colour nearest to `accent`, on the way to black, that text may have on a light surface.
fn on_light(accent: Colour) -> Colour {
    towards(accent, [0; 3]).find(|colour| contrast(*colour, LIGHT_SURFACE) >= READABLE).unwrap_or([0; 3])
}

/// The colour nearest to `accent` that text may have on a dark surface; on the way to white it passes its own brightest
/// shade, so that it keeps its hue.
fn on_dark(accent: Colour) -> Colour {
    let brightest = accent.into_iter().max().unwrap_or_default().max(1);
    let shade =
        accent.map(|part| u8::try_from(u16::from(part) * 255 / u16::from(brightest)).unwrap_or(u8::MAX));
    let pastel = mix(shade, [255; 3], 50);
    towards(accent, pastel)
        .chain(towards(pastel, [255; 3]))
        .find(|colour| contrast(*colour, DARK_SURFACE) >= READABLE_ON_DARK)
        .unwrap_or([255; 3])
}

fn towards(from: Colour, to: Colour) -> impl Iterator<Item = Colour> {
    (0..=100).map(move |percent| mix(from, to, percent))
}

fn mix(from: Colour, to: Colour, percent: u16) -> Colour {
    let part = |from: u8, to: u8| {
        u8::try_from((u16::from(from) * (100 - percent) + u16::from(to) * percent) / 100).unwrap_or(to)
    };
    [part(from[0], to[0]), part(from[1], to[1]), part(from[2], to[2])]
}

/// WCAG 2.2, "contrast ratio".
fn contrast(left: Colour, right: Colour) -> f64 {
    let (left, right) = (luminance(left), luminance(right));
    (left.max(right) + 0.05) / (left.min(right) + 0.05)
}

/// WCAG 2.2, "relative luminance".
fn luminance([red, green, blue]: Colour) -> f64 {
    let linear = |channel: u8| {
        let channel = f64::from(channel) / 255.0;
        if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    // threat 188
    #[test]
    fn only_a_hex_colour_reaches_the_stylesheet() {
        let built_in = theme_css(None);
        for accent in
            ["", "#", "red", "#12", "#12345", "#1234567", "#ggg", "#0a5}", "#0a5;x:url(//e)", "0a5", "#١٢٣"]
        {
            assert_eq!(theme_css(Some(accent)), built_in, "{accent:?}");
            assert_eq!(mark_svg(Some(accent)), mark_svg(None), "{accent:?}");
        }
        assert_eq!(theme_css(Some("#0a5")), theme_css(Some("#00AA55")));
        assert_ne!(theme_css(Some("#0a5")), built_in);
    }

    // WCAG 2.2 §1.4.3
    #[test]
    fn every_accent_is_readable_on_light_and_on_dark() {
        for accent in ["#000", "#fff", "#ff0", "#0a5", "#f00", "#00f", "#888", "#0d5e73", "#ffc0cb"] {
            let accent = parse(accent).unwrap();
            let (light, dark) = (on_light(accent), on_dark(accent));
            assert!(contrast(light, LIGHT_SURFACE) >= 4.5 && contrast(light, [255; 3]) >= 4.5);
            assert!(contrast(dark, DARK_SURFACE) >= 4.5);
        }
    }

    #[test]
    fn the_stylesheet_s_own_accent_is_the_built_in_one() {
        let css = theme_css(None);
        let accent = css.trim().trim_start_matches(":root{").trim_end_matches('}');
        for declaration in accent.split(';') {
            assert!(
                super::super::assets::STYLESHEET.replace(": ", ":").contains(declaration),
                "{declaration}"
            );
        }
        assert!(MARK.contains("#0d5e73"));
    }
}
