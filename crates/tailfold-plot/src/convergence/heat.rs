//! Temperatures as colours from cold to hot, and their scale.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::axis::{LETTERS, WIDTH, byte, decades, pixels, power};
use crate::{Canvas, Painted};

/// Colours from cold to hot. Lightness increases along the ramp, so that it distinguishes the temperatures on its
/// own.
const RAMP: [[f64; 3]; 4] = [
    [60.0, 20.0, 120.0],
    [180.0, 40.0, 110.0],
    [240.0, 110.0, 40.0],
    [250.0, 200.0, 60.0],
];

/// Colour of steps with hard cells, which have no temperature.
const HARD: RGBColor = RGBColor(0, 0, 0);

/// Range of temperatures in a picture, in score units, widened to whole decades; `None` without soft steps.
pub(super) struct Heat(Option<(f64, f64)>);

impl Heat {
    /// The range that covers all of `epsilons`; a value of 0 belongs to a step with hard cells and is left out.
    pub(super) fn of(epsilons: impl Iterator<Item = f64>) -> Self {
        let mut soft = epsilons.filter(|e| *e > 0.0).peekable();
        Self(soft.peek().is_some().then_some(()).map(|()| decades(soft)))
    }

    /// The colour of a step at the temperature `epsilon`.
    pub(super) fn colour(&self, epsilon: f64) -> RGBColor {
        match self.0 {
            Some((cold, hot)) if epsilon > 0.0 => {
                ramp((epsilon / cold).log10() / (hot / cold).log10())
            }
            _ => HARD,
        }
    }

    /// Draws the scale at the right edge of `canvas`, with the colour of hard steps below.
    pub(super) fn scale<B: DrawingBackend>(
        &self,
        canvas: &Canvas<B>,
        top: i32,
        bottom: i32,
    ) -> Painted<B> {
        let Some((cold, hot)) = self.0 else {
            return Ok(());
        };
        let (left, right) = (WIDTH.cast_signed() - 122, WIDTH.cast_signed() - 94);
        let style = ("sans-serif", LETTERS).into_font().color(&BLACK);
        let beside = style.pos(Pos::new(HPos::Left, VPos::Center));
        canvas.draw(&Text::new("ε", (left + 8, top - 30), beside.clone()))?;
        let bottom = bottom - 56;
        for y in (top..bottom).step_by(4) {
            let part = f64::from(bottom - y) / f64::from(bottom - top);
            // Each strip reaches down to the end: strips that only touch show seams when the picture is scaled down.
            let strip = [(left, y), (right, bottom)];
            canvas.draw(&Rectangle::new(strip, ramp(part).filled()))?;
        }
        let span = (hot / cold).log10().round();
        // At most six labels fit.
        let every = (span / 5.0).ceil().max(1.0);
        let mut decade = 0.0;
        while decade <= span {
            let y = f64::from(bottom) - decade / span * f64::from(bottom - top);
            let label = power(cold * 10.0_f64.powf(decade));
            let at = (right + 10, pixels(y));
            canvas.draw(&Text::new(label, at, beside.clone()))?;
            decade += every;
        }
        let hard = [(left, bottom + 26), (right, bottom + 54)];
        canvas.draw(&Rectangle::new(hard, HARD.filled()))?;
        canvas.draw(&Text::new("0", (right + 10, bottom + 40), beside))
    }
}

/// The colour at `part` of the way from cold (0) to hot (1).
fn ramp(part: f64) -> RGBColor {
    let at = part.clamp(0.0, 1.0) * 3.0;
    let below = [2, 1, 0].into_iter().find(|&i| at >= f64::from(i));
    let from = usize::try_from(below.unwrap_or(0)).unwrap_or(0);
    let rest = at - from as f64;
    let mix = |i: usize| byte((1.0 - rest) * RAMP[from][i] + rest * RAMP[from + 1][i]);
    RGBColor(mix(0), mix(1), mix(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hotter_steps_are_lighter_and_hard_steps_are_black() {
        let heat = Heat::of([0.02, 0.0, 5.0].into_iter());
        let light = |epsilon| {
            let RGBColor(r, g, b) = heat.colour(epsilon);
            0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b)
        };
        let lights = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0].map(light);
        assert!(lights.is_sorted_by(|a, b| a < b), "{lights:?}");
        assert_eq!(heat.colour(0.0), RGBColor(0, 0, 0));
        assert_eq!(Heat::of([0.0].into_iter()).colour(0.0), HARD);
        assert!(light(0.01) > 20.0, "not black: {}", light(0.01));
    }
}
