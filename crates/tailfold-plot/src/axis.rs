//! Parts that all charts share: logarithmic axes that end at powers of ten, and letters that are legible on a phone.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::{Canvas, Painted};

/// Width of a picture, pixels.
pub(crate) const WIDTH: u32 = 1000;

/// Line height of the letters in a picture of [`WIDTH`]. It gives a font of 25 pixels, which is 10 pixels where the
/// picture is shown 390 pixels wide.
pub(crate) const LETTERS: i32 = 31;

/// Line height of a title, pixels.
pub(crate) const TITLE: i32 = 34;

/// Room for a title above a chart, pixels.
pub(crate) const TITLE_ROOM: i32 = 80;

/// Draws `text` above a chart that leaves [`TITLE_ROOM`].
pub(crate) fn title<B: DrawingBackend>(canvas: &Canvas<B>, text: &str) -> Painted<B> {
    let middle = (WIDTH.cast_signed() / 2, 34);
    canvas.draw(&Text::new(
        text.to_owned(),
        middle,
        centred(TITLE, VPos::Center),
    ))
}

/// Text style with line height `size`, centred horizontally on its position; `vertical` sets the vertical anchor.
pub(crate) fn centred(size: i32, vertical: VPos) -> TextStyle<'static> {
    ("sans-serif", size)
        .into_font()
        .color(&BLACK)
        .pos(Pos::new(HPos::Center, vertical))
}

/// Rounds a length on a canvas to pixels.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a length on a canvas; NaN becomes 0"
)]
pub(crate) fn pixels(value: f64) -> i32 {
    value.round() as i32
}

/// Rounds a colour component to a byte.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a mean of two bytes"
)]
pub(crate) fn byte(value: f64) -> u8 {
    value.round() as u8
}

/// The narrowest range of powers of ten around all positive `values`, at least one decade; 1 to 10 without positive
/// values.
pub(crate) fn decades(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .filter(|v| v.is_normal() && *v > 0.0)
        .fold((f64::INFINITY, 0.0_f64), |(low, high), v| {
            (low.min(v), high.max(v))
        });
    if high <= 0.0 {
        return (1.0, 10.0);
    }
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    // The range is slightly wider, so that rounding does not drop the labels of the powers at its ends.
    let (low, high) = (10.0_f64.powf(low), 10.0_f64.powf(high.max(low + 1.0)));
    (low * (1.0 - 1e-9), high * (1.0 + 1e-9))
}

/// The label of a logarithmic axis: `10⁻³` for a power of ten, empty for other values.
pub(crate) fn power(value: f64) -> String {
    match exponent(value).as_deref() {
        None => String::new(),
        Some("0" | "-0") => "1".to_owned(),
        Some("1") => "10".to_owned(),
        Some(digits) => "10".chars().chain(digits.chars().map(raised)).collect(),
    }
}

/// The label of an axis of shares: `0.1 %` for a power of ten, empty for other values.
pub(crate) fn percent(share: f64) -> String {
    exponent(share).map_or_else(String::new, |_| {
        // `Display` prints the shortest digits once the rounding error of the power is removed.
        format!("{} %", (1e14 * share).round() / 1e12)
    })
}

fn exponent(value: f64) -> Option<String> {
    let exponent = value.log10();
    ((exponent - exponent.round()).abs() < 1e-6).then(|| format!("{exponent:.0}"))
}

fn raised(digit: char) -> char {
    match digit {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_powers_of_ten() {
        let check = |values: &[f64], expect: (f64, f64)| {
            let (low, high) = decades(values.iter().copied());
            assert!((low / expect.0 - 1.0).abs() < 1e-8, "{values:?}: {low}");
            assert!((high / expect.1 - 1.0).abs() < 1e-8, "{values:?}: {high}");
        };
        check(&[0.02, 300.0], (0.01, 1000.0));
        check(&[5.0], (1.0, 10.0));
        check(&[10.0], (10.0, 100.0));
        check(&[0.0, -1.0, f64::NAN, f64::INFINITY], (1.0, 10.0));
    }

    #[test]
    fn only_powers_of_ten_have_labels() {
        let powers = [1e-12, 1e-3, 1.0, 10.0, 1e6, 2e6].map(power);
        assert_eq!(powers, ["10⁻¹²", "10⁻³", "1", "10", "10⁶", ""]);
        let shares = [1e-5, 1e-3, 0.01, 0.1, 1.0, 0.05].map(percent);
        assert_eq!(shares, ["0.001 %", "0.1 %", "1 %", "10 %", "100 %", ""]);
    }
}
