//! Diagnostics next to the verdict: ties, NaN and infinite logits, calibration, distances, masses.

use crate::page::scrolled;
use maud::{Markup, html};

use super::numbers::{counted, percent, whole};
use crate::Report;

pub(super) fn section(report: &Report) -> Markup {
    html! {
        p.muted { "A NaN or infinite logit fails. The policy limits ties, and can limit the largest difference of a logit. The other numbers have no influence on the verdict." }
        div.pair {
            (scrolled("Table of the counts of each side", sides(report)))
            (scrolled("Table of the distances of logits", distances(report)))
        }
        (scrolled("Table of the masses", masses(report)))
    }
}

fn sides(report: &Report) -> Markup {
    let of = |count: usize| format!("{} of {}", whole(count), whole(report.images));
    let error = report.calibration_error;
    html! {
        table {
            caption { "Counted on each side." }
            thead { tr { th scope="col" { "Count" } th.number scope="col" { "Reference" } th.number scope="col" { "Candidate" } } }
            tbody {
                tr {
                    th scope="row" { "Images with a tie at the top; the lowest class wins" }
                    td.number { (of(report.ties.reference)) }
                    td.number { (of(report.ties.candidate)) }
                }
                @for (name, part) in report.parts().filter(|(_, part)| part.ties.images > 0) {
                    tr {
                        th scope="row" { (name) ": accuracy if ties were broken otherwise" }
                        td.number { "–" }
                        td.number { (percent(part.ties.least_top1)) " to " (percent(part.ties.most_top1)) }
                    }
                }
                tr {
                    th scope="row" { "Images with a NaN or infinite logit; they count as wrong" }
                    td.number { (of(report.non_finite.reference)) }
                    td.number { (of(report.non_finite.candidate)) }
                }
                tr {
                    th scope="row" { "Expected calibration error, 15 bins" }
                    td.number { (two(error.reference)) }
                    td.number { (two(error.candidate)) }
                }
            }
        }
    }
}

fn two(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

fn distances(report: &Report) -> Markup {
    let row = |name: &str, value: Option<String>| {
        let value = value.unwrap_or_else(|| "not a number".to_owned());
        html! { tr { th scope="row" { (name) } td.number { (value) } } }
    };
    let distance = report.logit_distance;
    let noise = distance.map(|d| match d.signal_to_noise_db {
        Some(db) => format!("{db:.1} dB"),
        None => "no noise: they are equal".to_owned(),
    });
    html! {
        table {
            caption { "How far the candidate's logits lie from the reference's, over " (counted(report.images, "image", "images")) "." }
            thead { tr { th scope="col" { "Distance" } th.number scope="col" { "Value" } } }
            tbody {
                (row("Largest difference of a logit", report.max_abs_logit_diff.map(|d| format!("{d:.3e}"))))
                (row("Root of the mean squared difference", distance.map(|d| format!("{:.3e}", d.rms))))
                (row("Signal to noise", noise))
                (row("Mean divergence (Kullback-Leibler) of the probabilities, nats", distance.map(|d| format!("{:.2e}", d.mean_kl))))
            }
        }
    }
}

fn masses(report: &Report) -> Markup {
    html! {
        table {
            caption { "How the decisions and the probability of each side are distributed over the groups, as shares of all images. A loss of the rare classes shows here first." }
            thead {
                tr {
                    th scope="col" { "Group" }
                    @for head in ["Labels", "Decisions, reference", "Candidate", "Probability, reference", "Candidate"] {
                        th.number scope="col" { (head) }
                    }
                }
            }
            tbody {
                @for (group, mass) in report.masses.iter().rev() {
                    tr {
                        th scope="row" { (group) }
                        @for share in [mass.labels, mass.decisions.reference, mass.decisions.candidate, mass.probability.reference, mass.probability.candidate] {
                            td.number { (two(share)) }
                        }
                    }
                }
            }
        }
    }
}
