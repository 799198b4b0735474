//! The report of a re-targeted export as text.

use std::fmt::Write as _;

use tailfold_export::{Expected, MassMeasure, Retarget, Weighing};
use tailfold_spec::Mean;

const NOT_MEASURED: &str = "expected accuracy: not measured (give --evaluate SPEC)";

/// Returns the table in percent, the expected accuracy or the reason why it is missing, and the warnings.
pub(super) fn table(report: &Retarget) -> String {
    let MassMeasure {
        weighing,
        temperature,
    } = report.sample.measure;
    let weighing = match weighing {
        Weighing::Prior => "each class is weighted by its prior mass",
        Weighing::Balanced => "each class weighs the same",
    };
    let mass = if temperature > 0.0 {
        format!("its mean probability at temperature {temperature}")
    } else {
        "the share of images with it as top-1".to_owned()
    };
    let mut text = format!(
        "prior: {}\nsolved on: {}, {} images, {weighing}\nmass of a class: {mass}; before: a plain export's offsets ({})\nshares in percent, offsets in logits\n\n",
        report.prior, report.sample.name, report.sample.images, report.before,
    );
    let names = report.classes.iter().map(|row| row.name.chars().count());
    let width = names.max().unwrap_or(0).max(5);
    let blank = "";
    let mut heads = [
        format!("{blank:width$}  {blank:6} {blank:>7} {blank:>7} {blank:>7} | mass           "),
        format!(
            "{:width$}  {:6} {:>7} {:>7} {:>7} |  before   after",
            "class", "group", "train", "sample", "prior"
        ),
    ];
    let answered = " | answered       ";
    let columns = " |  before   after";
    if temperature > 0.0 {
        heads[0] += answered;
        heads[1] += columns;
    }
    heads[0] += &format!(" | {blank:>8}");
    heads[1] += " |   offset";
    if report.expected.is_some() {
        heads[0] += " | held   ";
        heads[0] += answered;
        heads[0] += " | recall         ";
        heads[1] += " |     out";
        heads[1] += columns;
        heads[1] += columns;
    }
    text += &heads.join("\n");
    let pair = |text: &mut String, before: f64, after: f64| {
        let _ = write!(text, " | {:>7.2} {:>7.2}", 100.0 * before, 100.0 * after);
    };
    for (at, row) in report.classes.iter().enumerate() {
        let _ = write!(
            text,
            "\n{:width$}  {:<6} {:>7} {:>7} {:>7.2}",
            row.name,
            row.group
                .map_or_else(|| "-".to_owned(), |group| group.to_string()),
            row.train_count
                .map_or_else(|| "-".to_owned(), |count| count.to_string()),
            row.sample_images,
            100.0 * row.prior,
        );
        pair(&mut text, row.mass_before, row.mass_after);
        if temperature > 0.0 {
            pair(&mut text, row.answered_before, row.answered_after);
        }
        let _ = write!(text, " | {:>+8.3}", row.offset_after - row.offset_before);
        if let Some(expected) = &report.expected {
            let class = &expected.classes[at];
            let _ = write!(text, " | {:>7}", class.images);
            pair(&mut text, class.answered_before, class.answered_after);
            pair(&mut text, class.recall_before, class.recall_after);
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

/// Returns a share in percent.
fn show(share: Mean, signed: bool) -> String {
    share.times(100.0).show(signed)
}
