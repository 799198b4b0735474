//! Proposes a policy from a measured run.

use std::fmt::Write as _;

use tailfold_spec::Group;

use super::{Grouping, Policy};
use crate::paired::quantile;
use crate::report::{Comparison, Report};

/// Probability that the candidate passes again on as many other images, at which the proposed margins aim.
const AGAIN: f64 = 0.9;

impl Policy {
    /// Proposes a policy file that the measured candidate meets, and would meet again on other images nine times in
    /// ten. A comment above each fitted number gives the measurement behind it. A margin is a promise to users, so
    /// the file says that it was fitted.
    ///
    /// No margin is below the smallest margin that the images can show. If the candidate does not retain the required
    /// share of the accuracy in a set, no margin can make it pass; a comment names the set.
    pub fn suggest(report: &Report) -> String {
        let mut text = String::from(
            "# Proposed from one measured run. These numbers fit the measurement; a policy is a promise.\n\
             # Lower a margin where your users need more, raise one only with a reason written here.\n",
        );
        let policy = &report.policy;
        let mut line = |line: String| {
            let _ = writeln!(text, "{line}");
        };
        if !report.model.is_empty() {
            line(format!("model = {}", quoted(&report.model)));
        }
        line(format!("level = {}", policy.level));
        let overall = &report.overall;
        line(measured("overall", overall));
        line(format!(
            "overall_margin_pp = {:.1}",
            margin(overall, policy.level)
        ));
        let defaults = super::GroupMargins::default();
        let margins: Vec<String> = Group::ALL
            .into_iter()
            .map(|group| {
                let of_group = report.groups.get(group);
                let margin =
                    of_group.map_or(defaults.get(group), |part| margin(part, policy.level));
                format!("{group} = {margin:.1}")
            })
            .collect();
        for (group, part) in report.groups.iter() {
            line(measured(group.as_str(), part));
        }
        line(format!("group_margin_pp = {{ {} }}", margins.join(", ")));
        line(format!("min_retained = {}", policy.min_retained));
        let images = report.images as f64;
        let tie_rate = report.ties.candidate as f64 / images;
        line(format!(
            "# measured: {} of {} images tie",
            report.ties.candidate, report.images
        ));
        // Three standard deviations of a share, in the unfavourable direction of a fresh sample.
        let deviation = |share: f64| 3.0 * (share * (1.0 - share) / images).sqrt();
        let ties = Policy::default()
            .max_tie_rate
            .max(up(tie_rate + deviation(tie_rate), 1e3));
        line(format!("max_tie_rate = {ties:.3}"));
        let agreement = report.agreement;
        line(format!(
            "# measured: {:.2} % top-1 agreement with the reference",
            100.0 * agreement
        ));
        let least = ((agreement - deviation(agreement)) * 1e3).floor() / 1e3;
        line(format!("min_agreement = {:.3}", least.max(0.0)));
        line("# Another number of images is an error: a half-empty folder cannot pass.".to_owned());
        line(format!("expected_images = {}", report.images));
        let counts: Vec<String> = report
            .groups
            .iter()
            .map(|(group, part)| format!("{group} = {}", part.images))
            .collect();
        line(format!(
            "expected_group_images = {{ {} }}",
            counts.join(", ")
        ));
        if policy.groups != Grouping::default() {
            let rule = match policy.groups.by {
                super::GroupRule::Counts => "counts",
                super::GroupRule::Thirds => "thirds",
            };
            line(format!(
                "groups = {{ by = \"{rule}\", many_above = {}, few_below = {} }}",
                policy.groups.many_above, policy.groups.few_below
            ));
        }
        text
    }
}

/// The smallest margin, in tenths of a point, that the candidate would pass with a chance of [`AGAIN`] on as many
/// other images.
fn margin(part: &Comparison, level: f64) -> f64 {
    let z = quantile(level);
    let half_width = part.delta_pp - part.lower_bound_pp;
    let again = -part.delta_pp + half_width * (1.0 + quantile(1.0 - AGAIN) / z);
    // A margin that this run itself would fail must not be proposed.
    up(again.max(part.smallest_margin_pp + 1e-6), 10.0).clamp(0.1, 100.0)
}

fn measured(name: &str, part: &Comparison) -> String {
    let share = if part.keeps_min_retained {
        String::new()
    } else {
        format!(
            "; only {:.1} % of the accuracy is retained, which no margin can allow",
            100.0 * part.retained.unwrap_or(1.0)
        )
    };
    format!(
        "# measured: {name} {:+.2} pp, lower bound {:+.2}, on {} images{share}",
        part.delta_pp, part.lower_bound_pp, part.images
    )
}

/// Rounds up to a multiple of `1 / parts`.
fn up(value: f64, parts: f64) -> f64 {
    (value * parts - 1e-9).ceil() / parts
}

/// Quotes `text` as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
