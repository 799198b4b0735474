//! Describes the result on one set of classes in a sentence, and formats numbers for reports.

use crate::report::Comparison;
use crate::{Policy, Verdict};

/// Describes the result on one set of classes in a sentence.
pub(crate) fn sentence(name: &str, part: &Comparison, policy: &Policy) -> String {
    let confidence = trimmed(100.0 * (1.0 - policy.level));
    let against = format!(
        "{:.1} % against {:.1} %",
        100.0 * part.candidate_top1,
        100.0 * part.reference_top1
    );
    let delta = signed(part.delta_pp);
    let (lower, upper) = (plain(part.lower_bound_pp), plain(part.upper_bound_pp));
    let margin = plain(part.margin_pp);
    let share = format!(
        "{name} keeps {:.1} % of the reference's accuracy, {} % is required",
        100.0 * part.retained.unwrap_or(1.0),
        trimmed(100.0 * policy.min_retained)
    );
    let open = match part.images_needed {
        Some(needed) if needed > part.images => format!(
            "{} images are too few to decide, about {} more are needed at these flip rates",
            part.images,
            needed - part.images
        ),
        _ => format!("{} images are too few to decide", part.images),
    };
    let below = part.upper_bound_pp < -part.margin_pp;
    match part.verdict {
        Verdict::Fail if below => {
            format!(
                "{name}: {against} ({delta} pp, {confidence} % upper bound {upper}, margin {margin})"
            )
        }
        Verdict::Fail => {
            format!("{share}: {against} ({delta} pp, {confidence} % upper bound {upper})")
        }
        Verdict::Inconclusive if !part.keeps_min_retained => {
            format!("{share}: {against} ({delta} pp, {confidence} % upper bound {upper}); {open}")
        }
        Verdict::Inconclusive => {
            format!(
                "{name}: {against} ({delta} pp, {confidence} % lower bound {lower}, margin {margin}); {open}"
            )
        }
        _ => format!(
            "{name}: {against} ({delta} pp, {confidence} % lower bound {lower}, margin {margin})"
        ),
    }
}

/// Formats with two decimals and a sign, without a minus for zero.
pub(crate) fn signed(value: f64) -> String {
    format!("{:+.2}", rounded(value))
}

/// Formats with two decimals, without a minus for zero.
pub(crate) fn plain(value: f64) -> String {
    format!("{:.2}", rounded(value))
}

fn rounded(value: f64) -> f64 {
    // Adding a positive zero turns a negative zero into a positive one.
    (value * 100.0).round() / 100.0 + 0.0
}

/// Formats with up to four decimals, without trailing zeros.
pub(crate) fn trimmed(value: f64) -> String {
    format!("{value:.4}")
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}
