//! The comparison as Markdown.

use tailfold_console::markdown::table;
use tailfold_export::{ArmReport, PriorReport, PriorsReport};
use tailfold_spec::Mean;

/// Returns the comparison as Markdown.
pub(super) fn markdown(report: &PriorsReport) -> String {
    let samples = report.samples.iter().map(|sample| {
        let [least, most] = sample.per_class;
        format!(
            "{} ({} images, {least} to {most} per class)",
            sample.name, sample.images
        )
    });
    let mut text = format!(
        "# {}: one model, three priors\n\n\
             Test images: `{}` ({}). Offsets were solved on: {}. *expected*: top-1 accuracy in percent under the prior, from all \
             test images, with each class weighted by its prior, +- one standard error of the images within the classes. \
             *drawn*: accuracy on {} test sets of {} images with the prior's counts, drawn without repeats with seeds 0 to {}, \
             +- one standard error over the sets; the sets share images, so this error covers the draw only. *many*, *medium* \
             and *few*: mean recall of the group's classes. *misplaced*: percentage of answers that would have to move for \
             every class to be answered as often as it occurs. {} Every offset was fixed before the test images were opened.\n",
        report.run,
        report.evaluate,
        report.test_images,
        samples.collect::<Vec<_>>().join("; "),
        report.drawn.seeds,
        report.drawn.images,
        report.drawn.seeds - 1,
        report.note,
    );
    for prior in &report.priors {
        text += &section(prior);
    }
    text
}

fn section(prior: &PriorReport) -> String {
    let most = prior.masses.iter().copied().fold(0.0, f64::max);
    let least = prior.masses.iter().copied().fold(1.0, f64::min);
    let rows: Vec<Vec<String>> = prior.arms.iter().map(row).collect();
    let heads = [
        "offsets",
        "expected",
        "drawn",
        "many",
        "medium",
        "few",
        "misplaced",
    ];
    let mut text = format!(
        "\n## Prior {}: {:.2} to {:.2} % per class, {:.0} effective images\n\n{}",
        prior.prior,
        100.0 * least,
        100.0 * most,
        prior.effective_images,
        table(&heads, &rows),
    );
    let rows: Vec<Vec<String>> = prior
        .differences
        .iter()
        .map(|d| {
            vec![
                format!("{} - {}", d.arm, d.minus),
                d.expected.show(true),
                drawn(d.drawn, true),
                verdict(d.expected).to_owned(),
            ]
        })
        .collect();
    text += "\n";
    text += &table(
        &[
            "difference, points, image by image",
            "expected",
            "drawn",
            "beyond two standard errors",
        ],
        &rows,
    );
    text
}

fn row(arm: &ArmReport) -> Vec<String> {
    let percent = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.2}"));
    let stopped = match arm.stop.as_deref() {
        None | Some("converged") => String::new(),
        Some(why) => format!(", {why}"),
    };
    vec![
        format!("`{}`: {}{stopped}", arm.name, arm.title),
        arm.expected.show(false),
        drawn(arm.drawn, false),
        percent(arm.many),
        percent(arm.medium),
        percent(arm.few),
        format!("{:.2}", arm.misplaced),
    ]
}

fn drawn(mean: Option<Mean>, signed: bool) -> String {
    mean.map_or("-".to_owned(), |mean| mean.show(signed))
}

/// Returns the direction of a difference of more than two standard errors.
fn verdict(difference: Mean) -> &'static str {
    match difference.standard_error {
        Some(error) if difference.mean > 2.0 * error => "better",
        Some(error) if difference.mean < -2.0 * error => "worse",
        Some(_) => "no",
        None => "-",
    }
}
