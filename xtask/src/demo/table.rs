//! The demo's table: mean and standard error over seeds, stage by stage.

use tailfold_spec::Mean;

use super::stages::{Accuracies, Seed};

/// Name of the row with the gain of SDOT.
pub(super) const GAIN: &str = "SDOT - cross-entropy";
/// Name of the row with the loss of INT8.
pub(super) const LOSS: &str = "INT8 - float";

/// A row of the table: a stage, or the difference of two stages.
pub(super) struct Row {
    name: &'static str,
    signed: bool,
    /// Overall, many, medium and few, in percent.
    cells: [Mean; 4],
}

fn columns(a: &Accuracies) -> [f64; 4] {
    [a.overall, a.groups[0], a.groups[1], a.groups[2]].map(|share| 100.0 * share)
}

impl Row {
    /// Mean of the few-shot column.
    pub(super) fn few(&self) -> f64 {
        self.cells[3].mean
    }

    /// Whether every difference in this row is at least minus its margin, in percentage points.
    pub(super) fn loses_at_most(&self, margins: [f64; 4]) -> bool {
        self.cells
            .iter()
            .zip(margins)
            .all(|(cell, margin)| cell.mean >= -margin)
    }

    /// The row of differences called `name`.
    pub(super) fn find<'a>(rows: &'a [Self], name: &str) -> Option<&'a Self> {
        rows.iter().find(|row| row.name == name)
    }

    /// The rows for all seeds. Differences are computed per seed and then averaged.
    pub(super) fn of_seeds(seeds: &[Seed]) -> Vec<Self> {
        let row = |name, signed, of: &dyn Fn(&Seed) -> [f64; 4]| {
            let rows: Vec<[f64; 4]> = seeds.iter().map(of).collect();
            let column = |c: usize| rows.iter().map(|r| r[c]).collect::<Vec<_>>();
            let none = Mean {
                mean: f64::NAN,
                standard_error: None,
            };
            let cells = [0, 1, 2, 3].map(|c| Mean::of(&column(c)).unwrap_or(none));
            Self {
                name,
                signed,
                cells,
            }
        };
        let minus = |a: [f64; 4], b: [f64; 4]| [0, 1, 2, 3].map(|c| a[c] - b[c]);
        vec![
            row("cross-entropy, float", false, &|s| columns(&s.ce)),
            row("SDOT, float, folded", false, &|s| columns(&s.sdot)),
            row("SDOT, INT8", false, &|s| columns(&s.int8)),
            row(GAIN, true, &|s| minus(columns(&s.sdot), columns(&s.ce))),
            row(LOSS, true, &|s| minus(columns(&s.int8), columns(&s.sdot))),
        ]
    }
}

/// The table as text: accuracies in percent, differences in percentage points, each `+-` one standard error.
pub(super) fn render(rows: &[Row]) -> String {
    let mut text = format!(
        "{:<22}{:>16}{:>16}{:>16}{:>16}",
        "top-1 on 3,000 images", "overall", "many", "medium", "few"
    );
    for row in rows {
        text += &format!("\n{:<22}", row.name);
        for cell in row.cells {
            text += &format!("{:>16}", cell.show(row.signed));
        }
    }
    text
}
