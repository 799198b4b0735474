//! The report of a re-targeted export as text.

use std::fmt::Write as _;

use super::report::{Expected, Retarget};
use super::sample::Weighing;
use crate::statistics::Mean;

const NOT_MEASURED: &str = "expected accuracy: not measured (give --evaluate SPEC)";

/// The table, percent; the expected accuracy or why there is none; the warnings.
pub(super) fn table(report: &Retarget) -> String {
    let weighing = match report.sample.weighing {
        Weighing::Prior => "each class weighs what the prior gives it",
        Weighing::Balanced => "each class weighs the same",
    };
    let mut text = format!(
        "prior: {}\nsolved on: {}, {} images, {weighing}\nbefore: a plain export's offsets ({}); masses and recalls in percent\n\n",
        report.prior, report.sample.name, report.sample.images, report.before,
    );
    let widest = report.classes.iter().map(|row| row.name.chars().count());
    let width = widest.max().unwrap_or(0).max(5);
    let _ = write!(
        text,
        "{:width$}  group    train  sample   prior  before   after   offset",
        "class"
    );
    if report.expected.is_some() {
        text += " | held out  before   after  recall  before   after";
    }
    for (at, row) in report.classes.iter().enumerate() {
        let percent = |share: f64| 100.0 * share;
        let _ = write!(
            text,
            "\n{:width$}  {:<6} {:>7} {:>7} {:>7.2} {:>7.2} {:>7.2} {:>+8.3}",
            row.name,
            row.group,
            row.train_count,
            row.sample_images,
            percent(row.prior),
            percent(row.mass_before),
            percent(row.mass_after),
            row.offset_after - row.offset_before,
        );
        if let Some(expected) = &report.expected {
            let class = &expected.classes[at];
            let _ = write!(
                text,
                " | {:>8} {:>7.2} {:>7.2}         {:>7.2} {:>7.2}",
                class.images,
                percent(class.mass_before),
                percent(class.mass_after),
                percent(class.recall_before),
                percent(class.recall_after),
            );
        }
    }
    text += "\n\n";
    match &report.expected {
        Some(expected) => text += &accuracy(expected),
        None => text += NOT_MEASURED,
    }
    for told in &report.warnings {
        let _ = write!(text, "\nwarning: {}", told.text);
    }
    text
}

fn accuracy(expected: &Expected) -> String {
    format!(
        "expected accuracy under the prior, from {} images of {} ({:.0} effective): before {}, after {}, difference {} points",
        expected.images,
        expected.data,
        expected.effective_images,
        show(expected.before, false),
        show(expected.after, false),
        show(expected.difference, true),
    )
}

/// A share in percent.
fn show(share: Mean, signed: bool) -> String {
    share.times(100.0).show(signed)
}
