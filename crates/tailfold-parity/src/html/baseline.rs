//! Changes since an accepted run.

use crate::page::{Text, scrolled};
use maud::{Markup, html};

use super::banner::direction;
use super::names::name;
use super::numbers::{percent, signed};
use super::pill;
use crate::Diff;

pub(super) fn of(diff: &Diff) -> Markup {
    html! {
        h3 { "Since the baseline" }
        @if diff.regressions.is_empty() { p { "No regression against the accepted run." } }
        @else { ul { @for regression in &diff.regressions { li { (Text(regression)) } } } }
        (scrolled("Table of changes since the baseline", table(diff)))
        @if !diff.others.is_empty() {
            p.muted { "Other differences:" }
            ul { @for other in &diff.others { li { (Text(other)) } } }
        }
    }
}

fn table(diff: &Diff) -> Markup {
    html! {
        table {
            caption { "The candidate's accuracy in the accepted run and in this run, for each set and for the classes that changed most." }
            thead {
                tr {
                    th scope="col" { "Set" }
                    th.number scope="col" { "Accepted" }
                    th.number scope="col" { "Now" }
                    th.number scope="col" { "Change, pp" }
                    th scope="col" { "Verdict, accepted" }
                    th scope="col" { "Now" }
                }
            }
            tbody {
                @for part in &diff.parts {
                    tr {
                        th scope="row" { (name(&part.name)) }
                        (change(part.candidate_top1, part.change_pp))
                        @for verdict in part.verdict { td { (pill(verdict)) } }
                    }
                }
                @for class in &diff.classes {
                    tr {
                        th scope="row" { (name(&class.name)) }
                        (change(class.candidate_recall, class.change_pp))
                        td {} td {}
                    }
                }
            }
        }
    }
}

fn change(accuracy: [f64; 2], points: f64) -> Markup {
    html! {
        @for share in accuracy { td.number { (percent(share)) } }
        td.number { span class=(direction(points)) { (signed(points)) } }
    }
}
