//! Bars of the classes' masses, with marks at their targets.

use plotters::prelude::*;
use plotters::style::text_anchor::VPos;

use super::colours::tint;
use super::{CellPanel, Cells};
use crate::axis::{LETTERS, centred, pixels};
use crate::{Canvas, Painted};

impl Cells<'_> {
    /// Draws one bar per class, its target as a mark across the bar, and its mass in percent above both.
    pub(super) fn bars<B: DrawingBackend>(
        &self,
        canvas: &Canvas<B>,
        panel: &CellPanel,
        (left, bottom): (i32, i32),
        (right, top): (i32, i32),
    ) -> Painted<B> {
        let (ground, ceiling) = (bottom - 54, top + 46);
        let most = panel.mass.iter().chain(&panel.target);
        let most = most.copied().fold(0.0_f64, f64::max).max(1e-9);
        let height = |share: f64| ground - pixels(share / most * f64::from(ground - ceiling));
        let classes = i32::try_from(panel.mass.len()).unwrap_or(1).max(1);
        let step = (right - left) / classes;
        let mut x = left + (right - left - classes * step) / 2;
        for (class, &mass) in panel.mass.iter().enumerate() {
            let (from, to) = (x + step / 8, x + step - step / 8);
            x += step;
            let bar = [(from, height(mass)), (to, ground)];
            canvas.draw(&Rectangle::new(bar, tint(class, 0.8).filled()))?;
            let mut above = height(mass);
            if let Some(&target) = panel.target.get(class) {
                above = above.min(height(target));
                let mark = vec![(from - 5, height(target)), (to + 5, height(target))];
                canvas.draw(&PathElement::new(mark, BLACK.stroke_width(3)))?;
            }
            let share = Text::new(
                format!("{:.0}", 100.0 * mass),
                (i32::midpoint(from, to), above - 5),
                centred(LETTERS, VPos::Bottom),
            );
            canvas.draw(&share)?;
            let name = self.classes.get(class).map_or("", |c| c.name.as_str());
            let name = Text::new(
                name.to_owned(),
                (i32::midpoint(from, to), ground + 6),
                centred(LETTERS, VPos::Top),
            );
            canvas.draw(&name)?;
        }
        let axis = vec![(left, ground), (right, ground)];
        canvas.draw(&PathElement::new(axis, BLACK.mix(0.5).stroke_width(1)))
    }
}
