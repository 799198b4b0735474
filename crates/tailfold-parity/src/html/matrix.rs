//! Matrix of flips, from the reference's class to the candidate's.

use std::cmp::{Ordering, Reverse};

use crate::page::{Text, scrolled};
use maud::{Markup, html};
use tailfold_spec::Group;

use super::names::{Names, name};
use super::numbers::{counted, whole};
use crate::Report;

/// Largest number of classes with a matrix per class.
const CLASSES: usize = 20;
/// Number of pairs listed next to a matrix per group.
const PAIRS: usize = 20;

/// Renders a matrix per class for few classes, and otherwise a matrix per group and the most frequent pairs.
pub(super) fn of(report: &Report, names: &Names<'_>) -> Markup {
    // With so few classes, the report has every pair.
    let few = report.classes.len() <= CLASSES;
    let shown = report.group_flips.iter().map(|flip| flip.images);
    let rest = report.flips - shown.sum::<usize>().min(report.flips);
    html! {
        h3 { "From the reference's class to the candidate's" }
        @if few { (by_class(report)) } @else { (by_group(report)) (pairs(report, names)) }
        @if rest > 0 {
            p.muted { "Without " (counted(rest, "flip", "flips")) " where a logit is NaN or infinite, so that one side gives no class." }
        }
    }
}

fn by_class(report: &Report) -> Markup {
    let mut classes: Vec<_> = report.classes.iter().collect();
    classes.sort_by_key(|class| (Reverse(class.train_count), class.class));
    let images = |from: usize, to: usize| -> usize {
        let pairs = report.flip_pairs.iter();
        pairs
            .filter(|pair| (pair.from, pair.to) == (from, to))
            .map(|pair| pair.images)
            .sum()
    };
    let heads: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
    let caption = "Images";
    let explained = "Classes go from the most frequent to the rarest: left of the diagonal, decisions moved to a more frequent class, right of it to a rarer one.";
    html! {
        p.muted { (explained) }
        (matrix(caption, &heads, |row, column| {
            (row != column).then(|| images(classes[row].class, classes[column].class))
        }))
    }
}

fn by_group(report: &Report) -> Markup {
    let heads: Vec<&str> = Group::ALL.iter().map(|group| group.as_str()).collect();
    let caption = "Images";
    matrix(caption, &heads, |row, column| {
        let of = (Group::ALL[row], Group::ALL[column]);
        let flips = report.group_flips.iter();
        let flips = flips.filter(|flip| (flip.from, flip.to) == of);
        Some(flips.map(|flip| flip.images).sum())
    })
}

/// A table whose cells are shaded by their numbers of images; a `None` cell cannot have images.
fn matrix(caption: &str, heads: &[&str], images: impl Fn(usize, usize) -> Option<usize>) -> Markup {
    let cells = |row: usize| (0..heads.len()).map(move |column| (row, column));
    let most = (0..heads.len())
        .flat_map(cells)
        .filter_map(|(row, column)| images(row, column))
        .max()
        .unwrap_or(0);
    let shade = |(row, column): (usize, usize), count: usize| {
        let towards = match column.cmp(&row) {
            Ordering::Less => "worse",
            Ordering::Equal => "muted",
            Ordering::Greater => "better",
        };
        let share = 0.08 + 0.34 * count as f64 / most.max(1) as f64;
        format!("background:rgb(var(--{towards}-rgb)/{share:.2})")
    };
    let table = html! {
        table.matrix {
            caption { (caption) }
            thead {
                tr {
                    td { span.muted { "from ↓ to →" } }
                    @for head in heads { th scope="col" { span { (name(head)) } } }
                }
            }
            tbody {
                @for (row, head) in heads.iter().enumerate() {
                    tr {
                        th scope="row" { (name(head)) }
                        @for cell in cells(row) {
                            @match images(cell.0, cell.1) {
                                None => { td.none { "·" } }
                                Some(0) => { td.nothing { "0" } }
                                Some(count) => {
                                    td style=(shade(cell, count)) title={ (Text(heads[cell.0])) " to " (Text(heads[cell.1])) } { (whole(count)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    scrolled("Matrix of flips", table)
}

fn pairs(report: &Report, names: &Names<'_>) -> Markup {
    let often = report.flip_pairs.iter().filter(|pair| pair.images > 1);
    let often: Vec<_> = often.take(PAIRS).collect();
    if often.is_empty() {
        return html! { p { "No decision moved between the same two classes more than once." } };
    }
    let table = html! {
        table {
            caption { "The pairs of classes between which most decisions moved, of those with more than one image." }
            thead { tr { th scope="col" { "From" } th scope="col" { "To" } th.number scope="col" { "Images" } } }
            tbody {
                @for pair in often {
                    tr {
                        td { (names.markup(pair.from)) " " span.muted { (pair.from_group) } }
                        td { (names.markup(pair.to)) " " span.muted { (pair.to_group) } }
                        td.number { (whole(pair.images)) }
                    }
                }
            }
        }
    };
    scrolled("Pairs of classes", table)
}
