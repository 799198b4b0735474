//! A chart and a table of all classes; a script makes the table sortable.

use crate::page::scrolled;
use maud::{Markup, html};

use super::banner::direction;
use super::names::name;
use super::numbers::{counted, percent, signed, whole};
use super::recall;
use crate::render::p_value;
use crate::{ClassComparison, Report};

/// Largest number of classes whose table is open at first.
const OPEN: usize = 30;

pub(super) fn section(report: &Report) -> Markup {
    let number = report.classes.len();
    html! {
        figure { (recall::chart(report)) }
        details open[number <= OPEN] {
            summary { "Table of " (counted(number, "class", "classes")) }
            (scrolled("Table of the classes", table(report)))
        }
    }
}

fn table(report: &Report) -> Markup {
    html! {
        table.sortable {
            caption { "Recall of each class. A class has too few images for a verdict: a small p (McNemar, one-sided, after Holm) is only a warning." }
            thead {
                tr {
                    th scope="col" { "Class" }
                    th scope="col" { "Group" }
                    @for head in ["Trained on", "Images", "Reference", "Candidate", "Difference, pp", "Lost", "Gained", "p (Holm)", "Given by reference", "By candidate"] {
                        th.number scope="col" { (head) }
                    }
                }
            }
            tbody { @for class in &report.classes { (row(class)) } }
        }
    }
}

fn row(class: &ClassComparison) -> Markup {
    let delta = 100.0 * (class.candidate_recall - class.reference_recall);
    html! {
        tr {
            th scope="row" { (name(&class.name)) }
            td { (class.group) }
            td.number data-value=(class.train_count) { (whole(class.train_count)) }
            td.number data-value=(class.images) { (whole(class.images)) }
            td.number data-value=(class.reference_recall) { (percent(class.reference_recall)) }
            td.number data-value=(class.candidate_recall) { (percent(class.candidate_recall)) }
            td.number data-value=(delta) { span class=(direction(delta)) { (signed(delta)) } }
            td.number data-value=(class.lost) { (whole(class.lost)) }
            td.number data-value=(class.gained) { (whole(class.gained)) }
            td.number data-value=(class.loss_p_holm) { (p_value(class.loss_p_holm)) }
            td.number data-value=(class.reference_decisions) { (whole(class.reference_decisions)) }
            td.number data-value=(class.candidate_decisions) { (whole(class.candidate_decisions)) }
        }
    }
}
