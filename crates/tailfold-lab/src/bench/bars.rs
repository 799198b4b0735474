//! Charts of a benchmark: horizontal bars with whiskers, in groups.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::report::{Report, Row};
use tailfold_plot::{COLOURS, Canvas, Painted, Picture};

/// A bar chart over one axis that begins at 0.
pub(super) struct Bars {
    pub(super) title: String,
    /// Text below the axis, which explains bars and whiskers and names the unit.
    pub(super) axis: String,
    pub(super) groups: Vec<Group>,
    /// Whether to draw a line at 1.
    pub(super) unity: bool,
}

/// A group of bars, with an optional heading.
pub(super) struct Group {
    pub(super) heading: Option<String>,
    pub(super) bars: Vec<Bar>,
}

/// A bar with a whisker, with its name on the left and its label on the right.
pub(super) struct Bar {
    pub(super) name: String,
    /// Length of the bar, in units of the axis.
    pub(super) value: f64,
    /// Lower end of the whisker.
    pub(super) low: f64,
    /// Upper end of the whisker.
    pub(super) high: f64,
    pub(super) label: String,
}

/// Width of the chart, and edges of the column of bars between names and labels, in pixels.
const WIDTH: i32 = 960;
const LEFT: i32 = 236;
const RIGHT: i32 = 748;

/// Heights in pixels.
const TOP: i32 = 54;
const ROW: i32 = 24;
const HEADING: i32 = 32;
const BOTTOM: i32 = 62;

impl Bars {
    /// The contenders of one model, in milliseconds per image.
    pub(super) fn of_model(model: &str, report: &Report) -> Self {
        let bar = |row: &Row| Bar {
            name: row.title(),
            value: row.wall_ms.median,
            low: row.wall_ms.min,
            high: row.wall_ms.p95,
            label: format!("{} ms   {:.2} x", digits(row.wall_ms.median), row.ratio),
        };
        Self {
            title: format!(
                "{model}: time per image on {} ({}, {})",
                report.threads(),
                report.machine,
                report.rows[0].kernel
            ),
            axis: format!(
                "wall milliseconds, median; whiskers: minimum to 95th percentile; {} interleaved rounds",
                report.rounds
            ),
            groups: vec![Group {
                heading: None,
                bars: report.rows.iter().map(bar).collect(),
            }],
            unity: false,
        }
    }

    fn height(&self) -> i32 {
        let group = |group: &Group| {
            let rows = i32::try_from(group.bars.len()).unwrap_or(100);
            ROW * rows + group.heading.as_ref().map_or(0, |_| HEADING)
        };
        TOP + BOTTOM + self.groups.iter().map(group).sum::<i32>()
    }

    /// The end of the axis. Whiskers beyond it are cut, so that one bad round does not shrink every bar.
    fn end(&self) -> f64 {
        let bars = || self.groups.iter().flat_map(|g| &g.bars);
        let longest = bars().map(|b| b.value).fold(0.0, f64::max);
        let whisker = bars().map(|b| b.high).fold(longest, f64::max);
        (1.04 * whisker).min(1.35 * longest).max(f64::MIN_POSITIVE)
    }
}

impl Picture for Bars {
    fn size(&self) -> (u32, u32) {
        (WIDTH.unsigned_abs(), self.height().unsigned_abs())
    }

    fn paint<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Painted<B> {
        canvas.fill(&WHITE)?;
        let text = |text: &str, at: (i32, i32), size: i32, h: HPos| {
            let style = ("sans-serif", size).into_font().color(&BLACK);
            canvas.draw(&Text::new(
                text.to_owned(),
                at,
                style.pos(Pos::new(h, VPos::Center)),
            ))
        };
        text(&self.title, (WIDTH / 2, 24), 17, HPos::Center)?;
        let end = self.end();
        let bottom = self.height() - BOTTOM + 6;
        let step = tick(end);
        let multiples = (0..).map(|i| f64::from(i) * step);
        let ticks: Vec<f64> = multiples.take_while(|at| *at <= end).collect();
        for at in &ticks {
            // Products of a power of ten are rarely whole in binary.
            let label = (at * 1e6).round() / 1e6;
            let x = place(*at, end);
            text(&label.to_string(), (x, bottom + 12), 13, HPos::Center)?;
        }
        text(&self.axis, (WIDTH / 2, bottom + 36), 13, HPos::Center)?;
        let mut y = TOP;
        for group in &self.groups {
            if let Some(heading) = &group.heading {
                text(heading, (14, y + HEADING / 2 + 2), 15, HPos::Left)?;
                y += HEADING;
            }
            // The grid lines of a group do not cross its heading.
            let below = y + ROW * i32::try_from(group.bars.len()).unwrap_or(100) + 2;
            let above = y - 2;
            for at in &ticks {
                let x = place(*at, end);
                canvas.draw(&PathElement::new([(x, above), (x, below)], BLACK.mix(0.12)))?;
            }
            for bar in &group.bars {
                let middle = y + ROW / 2;
                let colour = colour(&bar.name);
                canvas.draw(&Rectangle::new(
                    [(LEFT, middle - 8), (place(bar.value, end), middle + 8)],
                    colour.filled(),
                ))?;
                let [low, high] = [bar.low, bar.high].map(|v| place(v, end));
                let ink = BLACK.mix(0.7);
                canvas.draw(&PathElement::new([(low, middle), (high, middle)], ink))?;
                // A cut whisker has no end mark.
                for x in [low, high].into_iter().filter(|x| *x < RIGHT) {
                    canvas.draw(&PathElement::new([(x, middle - 4), (x, middle + 4)], ink))?;
                }
                text(&bar.name, (LEFT - 10, middle), 14, HPos::Right)?;
                text(&bar.label, (RIGHT + 12, middle), 14, HPos::Left)?;
                y += ROW;
            }
            if self.unity {
                let x = place(1.0, end);
                let line = COLOURS[1].stroke_width(2);
                canvas.draw(&PathElement::new([(x, above), (x, below)], line))?;
            }
        }
        Ok(())
    }
}

/// Horizontal position of a value in pixels. Values beyond `end` lie at the end of the axis.
#[expect(clippy::cast_possible_truncation, reason = "between LEFT and RIGHT")]
fn place(value: f64, end: f64) -> i32 {
    LEFT + (f64::from(RIGHT - LEFT) * (value / end).clamp(0.0, 1.0)).round() as i32
}

/// Distance between ticks: 1, 2 or 5 times a power of ten, so that the axis has about six ticks.
fn tick(end: f64) -> f64 {
    let power = 10_f64.powf((end / 6.0).log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|step| step * power);
    let fits = steps.into_iter().find(|step| end / step <= 6.0);
    fits.unwrap_or(10.0 * power)
}

/// Formats a value with three significant digits or, below 1, with three decimals.
pub(super) fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

/// The colour of a contender: one per runtime, paler for a float model.
fn colour(name: &str) -> RGBAColor {
    let index = match name.split(',').next() {
        Some("tailfold") => 1,
        Some("ONNX Runtime") => 2,
        Some("rten") => 3,
        _ => 0,
    };
    let strength = if name.ends_with("float") { 0.45 } else { 0.9 };
    COLOURS[index].mix(strength)
}

#[cfg(test)]
mod tests;
