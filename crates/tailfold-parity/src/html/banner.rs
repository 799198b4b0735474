//! The verdict, and a summary of each set.

use crate::page::Text;
use maud::{Markup, html};

use super::numbers::{counted, percent, signed};
use super::{mark, pill};
use crate::{Report, Verdict};

/// Renders the verdict, its reasons, and the sets.
pub(super) fn of(report: &Report) -> Markup {
    html! {
        (verdict(report.verdict, &report.reasons))
        ul.tiles aria-label="Accuracy of each set" {
            @for (name, part) in report.parts() {
                li.tile {
                    p.tile-head { strong { (name) } (pill(part.verdict)) }
                    p.tile-number { (percent(part.candidate_top1)) }
                    p.muted {
                        "reference " (percent(part.reference_top1)) ", "
                        span class=(direction(part.delta_pp)) { (signed(part.delta_pp)) " pp" }
                    }
                    p.muted {
                        (counted(part.images, "image", "images")) ", " (counted(part.classes, "class", "classes"))
                    }
                }
            }
        }
        @if !report.warnings.is_empty() {
            (warnings(&report.warnings))
        }
    }
}

/// Renders the banner for a comparison that could not be made.
pub(super) fn unchecked(reasons: &[String]) -> Markup {
    verdict(Verdict::Error, reasons)
}

fn verdict(verdict: Verdict, reasons: &[String]) -> Markup {
    let said = match verdict {
        Verdict::Pass => "The candidate meets the policy, over all images and in every group.",
        Verdict::Fail => "The candidate does not meet the policy.",
        Verdict::Inconclusive => {
            "These images are too few to decide whether the candidate meets the policy."
        }
        Verdict::Error => "Nothing was compared, so there is no result for the candidate.",
    };
    let which = match verdict {
        Verdict::Pass => "Nearest to its margin: ",
        Verdict::Error => "",
        _ => "Decided by ",
    };
    html! {
        div class={ "banner " (verdict) } {
            p.stamp { span aria-hidden="true" { (mark(verdict)) } " " (verdict) }
            div {
                p.said { (said) }
                @if let Some(first) = reasons.first() {
                    p { (which) strong { (Text(first)) } }
                }
                @if reasons.len() > 1 {
                    ul { @for reason in &reasons[1..] { li { (Text(reason)) } } }
                }
                p.code { "Exit code " (verdict.exit_code()) }
            }
        }
    }
}

/// Shows a few warnings, and folds the others.
fn warnings(warnings: &[String]) -> Markup {
    let (first, rest) = warnings.split_at(warnings.len().min(6));
    html! {
        section.warnings aria-labelledby="warnings" {
            h2 #warnings { "Warnings" }
            p.muted { "Warnings have no influence on the verdict." }
            ul { @for warning in first { li { (Text(warning)) } } }
            @if !rest.is_empty() {
                details {
                    summary { (counted(rest.len(), "more warning", "more warnings")) }
                    ul { @for warning in rest { li { (Text(warning)) } } }
                }
            }
        }
    }
}

/// CSS class for the colour of a difference; the sign shows the same.
pub(super) fn direction(delta: f64) -> &'static str {
    if delta < -0.005 {
        "worse"
    } else if delta > 0.005 {
        "better"
    } else {
        "same"
    }
}
