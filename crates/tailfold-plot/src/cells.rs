//! Laguerre cells of classes in the plane, with bars of their masses and targets below.

mod bars;
mod colours;
mod geometry;

use plotters::prelude::*;
use plotters::style::text_anchor::VPos;

use crate::axis::{LETTERS, TITLE, WIDTH, centred, pixels};
use crate::{Canvas, Painted, Picture};
pub use colours::CLASS_COLOURS;
use colours::{dark, tint};
use geometry::{Frame, Point, cell, level_set};

/// Probabilities at which the colour of a soft cell gets stronger.
const LEVELS: [f64; 4] = [0.5, 0.7, 0.9, 0.99];

/// A class in the plane.
#[derive(Clone, Debug)]
pub struct ToyClass {
    /// Name of one or two letters.
    pub name: String,
    /// Position of the name.
    pub centre: [f64; 2],
    /// Points to draw.
    pub points: Vec<[f64; 2]>,
}

/// One decomposition of the plane.
#[derive(Clone, Debug)]
pub struct CellPanel {
    /// Title above the panel.
    pub title: String,
    /// Scores `a x + b y + c` of each class, `[C]`, with the offsets in `c`.
    pub heads: Vec<[f64; 3]>,
    /// With a temperature, shades mark where `softmax(scores / temperature)` reaches 0.5, 0.7, 0.9 and 0.99; `None`
    /// draws hard cells without shades.
    pub temperature: Option<f64>,
    /// Mass of each class as a share of 1, `[C]`, drawn as bars.
    pub mass: Vec<f64>,
    /// Target mass of each class, `[C]`, drawn as marks across the bars; empty for no marks.
    pub target: Vec<f64>,
}

/// Panels side by side, two per row.
#[derive(Clone, Debug)]
pub struct Cells<'a> {
    /// The classes. Colours repeat when there are more classes than [`CLASS_COLOURS`].
    pub classes: &'a [ToyClass],
    /// Lower left and upper right corner of the visible part of the plane.
    pub frame: [[f64; 2]; 2],
    /// The panels, row by row.
    pub panels: &'a [CellPanel],
}

/// Heights of a panel's title, cells and bars, pixels.
const PANEL: [i32; 3] = [52, 392, 204];

impl Picture for Cells<'_> {
    fn size(&self) -> (u32, u32) {
        let rows = u32::try_from(self.panels.len().div_ceil(2)).unwrap_or(1);
        (WIDTH, rows * PANEL.iter().sum::<i32>().unsigned_abs() + 16)
    }

    fn paint<B: DrawingBackend>(&self, canvas: &Canvas<B>) -> Painted<B> {
        canvas.fill(&WHITE)?;
        let half = WIDTH.cast_signed() / 2;
        let mut left_top = (0, 0);
        for (at, panel) in self.panels.iter().enumerate() {
            if at > 0 {
                left_top = if at % 2 == 1 {
                    (half, left_top.1)
                } else {
                    (0, left_top.1 + PANEL.iter().sum::<i32>())
                };
            }
            self.panel(canvas, panel, left_top)?;
        }
        Ok(())
    }
}

impl Cells<'_> {
    fn panel<B: DrawingBackend>(
        &self,
        canvas: &Canvas<B>,
        panel: &CellPanel,
        (left, top): (i32, i32),
    ) -> Painted<B> {
        let (left, right) = (left + 14, left + WIDTH.cast_signed() / 2 - 14);
        let [title, cells, bars] = PANEL;
        canvas.draw(&Text::new(
            panel.title.clone(),
            (i32::midpoint(left, right), top + title / 2 + 4),
            centred(TITLE, VPos::Center),
        ))?;
        let place = Place {
            frame: Frame {
                low: self.frame[0],
                high: self.frame[1],
            },
            low: (left, top + title + cells),
            high: (right, top + title),
        };
        self.cells(canvas, panel, &place)?;
        let low = (left, top + title + cells + bars);
        self.bars(canvas, panel, low, (right, top + title + cells))
    }

    fn cells<B: DrawingBackend>(
        &self,
        canvas: &Canvas<B>,
        panel: &CellPanel,
        place: &Place,
    ) -> Painted<B> {
        let fill = |polygon: &[Point], colour: RGBColor| {
            if polygon.is_empty() {
                return Ok(());
            }
            let corners: Vec<_> = polygon.iter().map(|&p| place.pixel(p)).collect();
            canvas.draw(&Polygon::new(corners, colour.filled()))
        };
        for class in 0..panel.heads.len() {
            let polygon = cell(&panel.heads, class, &place.frame);
            match panel.temperature {
                None => fill(&polygon, tint(class, 0.45))?,
                Some(temperature) => {
                    fill(&polygon, tint(class, 0.06))?;
                    for (level, strength) in LEVELS.into_iter().zip([0.14, 0.28, 0.45, 0.65]) {
                        let set = level_set(&panel.heads, class, temperature, level, &place.frame);
                        fill(&set, tint(class, strength))?;
                    }
                }
            }
        }
        for (class, toy) in self.classes.iter().enumerate() {
            let dots = toy.points.iter().filter(|&&p| place.holds(p));
            for &dot in dots {
                canvas.draw(&Circle::new(place.pixel(dot), 3, dark(class).filled()))?;
            }
        }
        for class in 0..panel.heads.len() {
            let polygon = cell(&panel.heads, class, &place.frame);
            if polygon.is_empty() {
                continue;
            }
            let mut edge: Vec<_> = polygon.iter().map(|&p| place.pixel(p)).collect();
            edge.extend(edge.first().copied());
            canvas.draw(&PathElement::new(
                edge,
                RGBColor(40, 40, 40).stroke_width(2),
            ))?;
        }
        for toy in self.classes {
            let (x, y) = place.pixel(toy.centre);
            canvas.draw(&Circle::new((x, y), 20, WHITE.filled()))?;
            let name = centred(LETTERS, VPos::Center);
            canvas.draw(&Text::new(toy.name.clone(), (x, y + 1), name))?;
        }
        Ok(())
    }
}

/// Maps a part of the plane to the canvas; `low` and `high` are the pixels of its lower left and upper right corner.
struct Place {
    frame: Frame,
    low: (i32, i32),
    high: (i32, i32),
}

impl Place {
    fn pixel(&self, p: Point) -> (i32, i32) {
        let along = |axis: usize, low: i32, high: i32| {
            let Frame {
                low: from,
                high: to,
            } = self.frame;
            let part = (p[axis] - from[axis]) / (to[axis] - from[axis]);
            low + pixels(part * f64::from(high - low))
        };
        (
            along(0, self.low.0, self.high.0),
            along(1, self.low.1, self.high.1),
        )
    }

    fn holds(&self, p: Point) -> bool {
        (0..2).all(|axis| (self.frame.low[axis]..self.frame.high[axis]).contains(&p[axis]))
    }
}

#[cfg(test)]
mod tests;
