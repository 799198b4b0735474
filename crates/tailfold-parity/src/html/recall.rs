//! Chart of both sides' recall against training images, with one arrow per class from the reference to the candidate.

use crate::page::{Text, printable};
use maud::{Markup, html};
use tailfold_spec::Group;

use super::banner::direction;
use super::numbers::{length, percent, signed, whole};
use super::scale::Scale;
use crate::{ClassComparison, Report};

/// Height in pixels, including [`ROOM`] at both ends.
const HEIGHT: f64 = 340.0;
const ROOM: f64 = 14.0;
/// Largest number of classes with names next to their points.
const NAMED: usize = 15;

/// The chart; empty without classes.
pub(super) fn chart(report: &Report) -> Markup {
    let counts = || report.classes.iter().map(|class| class.train_count);
    let (Some(fewest), Some(most)) = (counts().min(), counts().max()) else {
        return html! {};
    };
    let scale = Scale::counts(fewest, most);
    let recalls = recalls(report);
    let y = |recall: f64| down(recalls.at(recall));
    let dense = report.classes.len() > 100;
    let labels = labels(report, scale, recalls);
    let lost = report.classes.iter().filter(|c| delta(c) < 0.0).count();
    let gained = report.classes.iter().filter(|c| delta(c) > 0.0).count();
    let told = format!(
        "Recall of {} classes against their training images: the candidate is lower on {lost} and higher on {gained}. The table below has the numbers.",
        report.classes.len()
    );
    html! {
        div.recall {
            svg class=[dense.then_some("dense")] width="100%" height=(HEIGHT) role="img" aria-label=(told) {
                @for (group, from, to) in bands(report, scale) {
                    rect class={ "band " (group) } x=(length(from)) width=(length(to - from)) y="0" height=(HEIGHT) {}
                    text.band-name x=(length(f64::midpoint(from, to))) y="-8" text-anchor="middle" { (group) }
                }
                @for recall in recalls.ticks(6.0) {
                    line.grid x1="0" x2="100%" y1=(y(recall)) y2=(y(recall)) {}
                    text x="0" dx="-8" dy="4" y=(y(recall)) text-anchor="end" { (format!("{:.0} %", 100.0 * recall)) }
                }
                @for tick in scale.powers() {
                    @let x = length(scale.at(tick as f64));
                    line.tick x1=(x) x2=(x) y1=(HEIGHT) y2=(HEIGHT + 5.0) {}
                    text x=(x) y=(HEIGHT + 19.0) text-anchor="middle" { (whole(tick)) }
                }
                @for class in &report.classes { (arrow(class, scale, recalls)) }
                @for label in labels {
                    text.class-name x=(length(label.x)) dx=(label.dx) y=(format!("{:.1}", label.y + 4.0)) text-anchor=(label.anchor) {
                        (Text(&label.name))
                    }
                }
            }
            p.axis-title { "training images of the class, logarithmic" }
        }
        ul.legend {
            li { (sample("same", false)) "reference" }
            li { (sample("better", true)) "candidate, higher" }
            li { (sample("worse", true)) "candidate, lower" }
            li { (sample("same", true)) "candidate, equal" }
        }
    }
}

fn delta(class: &ClassComparison) -> f64 {
    100.0 * (class.candidate_recall - class.reference_recall)
}

/// An axis that covers all recalls, and is long enough that a few images do not look like a large difference.
fn recalls(report: &Report) -> Scale {
    let recalls = report
        .classes
        .iter()
        .flat_map(|class| [class.reference_recall, class.candidate_recall]);
    let (low, high) = recalls.fold((f64::MAX, f64::MIN), |(low, high), recall| {
        (low.min(recall), high.max(recall))
    });
    let room = (0.5 - (high - low)).max(0.0) / 2.0;
    Scale::linear((low - room).max(0.0), (high + room).min(1.0))
}

/// Position in pixels from the top, for a share of the axis.
fn down(share: f64) -> f64 {
    ROOM + (1.0 - share) * (HEIGHT - 2.0 * ROOM)
}

fn arrow(class: &ClassComparison, scale: Scale, recalls: Scale) -> Markup {
    let x = length(scale.at(class.train_count as f64));
    let [from, to] =
        [class.reference_recall, class.candidate_recall].map(|recall| down(recalls.at(recall)));
    let px = |y: f64| format!("{y:.1}");
    let told = format!(
        "{}: {} -> {} ({} pp), {} training images, {} images here",
        printable(&class.name),
        percent(class.reference_recall),
        percent(class.candidate_recall),
        signed(delta(class)),
        whole(class.train_count),
        whole(class.images),
    );
    html! {
        g class=(direction(delta(class))) {
            title { (told) }
            line.stem x1=(x) x2=(x) y1=(px(from)) y2=(px(to)) {}
            circle.from cx=(x) cy=(px(from)) r="5.5" {}
            circle.to cx=(x) cy=(px(to)) r="4" {}
        }
    }
}

/// A name next to a point.
struct Label {
    /// Position of the point, as a share of the width.
    x: f64,
    /// Middle of the text, in pixels from the top.
    y: f64,
    /// Offset of the text to the side, in pixels.
    dx: f64,
    anchor: &'static str,
    /// Left and right end of the text, as shares of the width.
    across: [f64; 2],
    name: String,
}

/// Places the names without overlaps: right of their point, left of it, below or above.
fn labels(report: &Report, scale: Scale, recalls: Scale) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    if report.classes.len() > NAMED {
        return labels;
    }
    for class in &report.classes {
        let (x, y) = (
            scale.at(class.train_count as f64),
            down(recalls.at(class.candidate_recall)),
        );
        let name: String = class.name.chars().take(14).collect();
        // On a screen that shows names, a letter takes less than a hundredth of the width.
        let wide = 0.009 * name.chars().count() as f64;
        let place = |y, dx, anchor, from: f64| Label {
            x,
            y,
            dx,
            anchor,
            across: [from, from + wide],
            name: name.clone(),
        };
        let places = [
            place(y, 10.0, "start", x + 0.01),
            place(y, -10.0, "end", x - 0.01 - wide),
            place(y + 15.0, 0.0, "middle", x - wide / 2.0),
            place(y - 15.0, 0.0, "middle", x - wide / 2.0),
        ];
        labels.extend(places.into_iter().find(|new| {
            new.across[0] > 0.0
                && new.across[1] < 1.0
                && labels.iter().all(|old| new.is_clear_of(old))
        }));
    }
    labels
}

impl Label {
    fn is_clear_of(&self, other: &Self) -> bool {
        let ([from, to], [other_from, other_to]) = (self.across, other.across);
        to < other_from || other_to < from || (self.y - other.y).abs() > 14.0
    }
}

/// The groups along the axis as name, begin and end; empty if their ranges of training images overlap.
fn bands(report: &Report, scale: Scale) -> Vec<(&'static str, f64, f64)> {
    let span = |group: Group| {
        let counts = report.classes.iter().filter(|c| c.group == group);
        let counts: Vec<u64> = counts.map(|c| c.train_count).collect();
        Some((group.as_str(), *counts.iter().min()?, *counts.iter().max()?))
    };
    let spans: Vec<_> = Group::ALL.into_iter().rev().filter_map(span).collect();
    if spans.windows(2).any(|pair| pair[0].2 >= pair[1].1) {
        return Vec::new();
    }
    // The border is halfway on the axis between the last class of a group and the first class of the next.
    let border = |a: u64, b: u64| f64::midpoint(scale.at(a as f64), scale.at(b as f64));
    let mut bands = Vec::new();
    let mut from = 0.0;
    for (i, (name, _, most)) in spans.iter().enumerate() {
        let to = spans.get(i + 1).map_or(1.0, |next| border(*most, next.1));
        bands.push((*name, from, to));
        from = to;
    }
    bands
}

/// A sample point for the legend.
fn sample(class: &str, filled: bool) -> Markup {
    html! {
        svg width="16" height="16" aria-hidden="true" {
            g class=(class) {
                @if filled { circle.to cx="8" cy="8" r="4" {} } @else { circle.from cx="8" cy="8" r="5.5" {} }
            }
        }
    }
}
