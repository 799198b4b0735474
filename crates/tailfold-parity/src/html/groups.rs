//! The groups: a chart of intervals, and a table of numbers.

use crate::page::scrolled;
use maud::{Markup, html};

use super::banner::direction;
use super::intervals;
use super::numbers::{percent, plain, signed, whole};
use crate::Report;
use crate::render::p_value;
use crate::sentence::trimmed;

pub(super) fn section(report: &Report) -> Markup {
    let confidence = trimmed(100.0 * (1.0 - report.policy.level));
    html! {
        figure {
            (intervals::chart(report))
            figcaption.muted {
                "Difference of accuracy, candidate minus reference. The bar is exact: each of its ends is a one-sided "
                (confidence) " % bound. A set passes while its left end is right of the margin, and fails once its right end is left of it. "
                "The thin line below shows the bounds by resampling, which have no influence on the verdict."
            }
        }
        (scrolled("Table of the groups", table(report, &confidence)))
    }
}

fn table(report: &Report, confidence: &str) -> Markup {
    html! {
        table.sets {
            caption { "Accuracy of a group is the mean of its classes' recalls; bounds are one-sided, " (confidence) " %." }
            thead {
                tr {
                    th scope="col" { "Set" }
                    @for head in ["Images", "Reference", "Candidate", "Difference, pp", "Bounds", "Resampled", "Margin", "Passes from", "Kept", "Lost", "Gained", "p margin", "p McNemar"] {
                        th.number scope="col" { (head) }
                    }
                }
            }
            tbody {
                @for (name, part) in report.parts() {
                    tr {
                        th scope="row" { (name) }
                        td.number { (whole(part.images)) }
                        td.number { (percent(part.reference_top1)) }
                        td.number { (percent(part.candidate_top1)) }
                        td.number { span class=(direction(part.delta_pp)) { (signed(part.delta_pp)) } }
                        td.number { (signed(part.lower_bound_pp)) " to " (signed(part.upper_bound_pp)) }
                        td.number { (signed(part.bootstrap.lower_bound_pp)) " to " (signed(part.bootstrap.upper_bound_pp)) }
                        td.number { (plain(part.margin_pp)) }
                        td.number { (plain(part.smallest_margin_pp)) }
                        td.number {
                            @match part.retained {
                                Some(share) => { (percent(share)) @if !part.keeps_min_retained { " ✗" } }
                                None => { "–" }
                            }
                        }
                        td.number { (whole(part.lost)) }
                        td.number { (whole(part.gained)) }
                        td.number { (p_value(part.margin_p)) }
                        td.number { (p_value(part.mcnemar_p)) }
                    }
                }
            }
        }
    }
}
