//! Images for which the two models give different classes.

use maud::{Markup, html};

use super::names::Names;
use super::numbers::{counted, percent, whole};
use super::{Picture, cards, matrix};
use crate::Report;

pub(super) fn section(report: &Report, pictures: &[Picture]) -> Markup {
    let names = Names::of(report);
    let (frequent, rare) = (report.flips_toward_frequent, report.flips_toward_rare);
    let level = report.flips - (frequent + rare).min(report.flips);
    html! {
        p {
            strong { (counted(report.flips, "flip", "flips")) } " among " (counted(report.images, "image", "images"))
            ": both give the same class to " (percent_of(report.agreement)) ". "
            @if report.flips > 0 {
                (whole(frequent)) " went to a more frequent class, " (whole(rare)) " to a rarer one"
                @if level > 0 { ", " (whole(level)) " to an equally frequent class or to none" }
                "."
            }
        }
        @if report.flips > 0 {
            (matrix::of(report, &names))
            (cards::of(report, &names, pictures))
        }
    }
}

/// Formats the agreement; just below 100 % it has three decimals, so that it does not round to 100 %.
fn percent_of(agreement: f64) -> String {
    if agreement > 0.999 && agreement < 1.0 {
        format!("{:.3} %", 100.0 * agreement)
    } else {
        percent(agreement)
    }
}
