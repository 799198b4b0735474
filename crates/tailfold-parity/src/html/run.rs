//! The run: files, sizes, hashes, back ends, kernels, times, seeds, and the command to repeat it.

use crate::page::{Text, printable, scrolled};
use maud::{Markup, html};

use super::numbers::{counted, whole};
use crate::bootstrap::{DRAWS, SEED};
use crate::report::{Run, RunSide};
use crate::{Report, Sides};

pub(super) fn section(report: &Report) -> Markup {
    html! {
        (scrolled("Table of the two models", table(report)))
        dl.facts {
            @if let Some(run) = &report.run {
                (fact("Images", &run.data))
                (fact("Machine", &run.machine))
                (fact("tailfold", &run.version))
            }
            (fact("Resampling", &format!("{} draws, ChaCha8, seed {SEED}", whole(DRAWS))))
        }
        @if let Some(run) = &report.run { (command(run)) }
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { @if !value.is_empty() { div { dt { (name) } dd { (Text(value)) } } } }
}

fn table(report: &Report) -> Markup {
    let run = report.run.as_ref().map(|run| &run.sides);
    let row = |name: &str, cells: [Markup; 2]| html! { tr { th scope="row" { (name) } @for cell in cells { td { (cell) } } } };
    html! {
        table.run {
            caption { "The two models of this run." }
            thead { tr { th scope="col" { "Property" } th scope="col" { "Reference" } th scope="col" { "Candidate" } } }
            tbody {
                @if let Some(Sides { reference, candidate }) = run {
                    (row("File", [reference, candidate].map(|side| html! { (Text(&side.file)) })))
                    (row("Size", [size(reference, reference), size(candidate, reference)]))
                }
                (row("SHA-256", [&report.model_sha256.reference, &report.model_sha256.candidate].map(|hash| html! { code { (or_dash(hash)) } })))
                (row("Back end", [&report.backends.reference, &report.backends.candidate].map(|name| html! { (or_dash(name)) })))
                @if let Some(Sides { reference, candidate }) = run {
                    (row("Nodes per kernel", [reference, candidate].map(nodes)))
                    (row("Time per image", [latency(reference), latency(candidate)]))
                }
            }
        }
    }
}

fn or_dash(text: &str) -> Markup {
    html! { @if text.is_empty() { "–" } @else { (Text(text)) } }
}

fn size(side: &RunSide, reference: &RunSide) -> Markup {
    let share = side.bytes as f64 / reference.bytes.max(1) as f64;
    html! {
        (whole(side.bytes)) " bytes"
        @if side.bytes != reference.bytes { span.muted { " (" (format!("{:.1} %", 100.0 * share)) " of the reference)" } }
    }
}

fn nodes(side: &RunSide) -> Markup {
    html! {
        @if side.nodes.is_empty() { span.muted { "not reported by the back end" } }
        @else { ul.plain { @for (kernel, number) in &side.nodes { li { (Text(kernel)) ": " (whole(*number)) } } } }
    }
}

fn latency(side: &RunSide) -> Markup {
    match side.latency {
        None => html! { span.muted { "not measured" } },
        Some(time) => html! {
            (format!("{:.3} ms median, {:.3} ms for 95 %", time.p50_ms, time.p95_ms))
            span.muted { ", " (counted(time.images, "image", "images")) ", one thread" }
        },
    }
}

/// Renders the command in a text field, where the keyboard can select it, and as text for print, where a field would
/// be cut off.
fn command(run: &Run) -> Markup {
    let command = printable(&run.command);
    if command.is_empty() {
        return html! {};
    }
    html! {
        h3 #again-title { "Command to repeat" }
        // A wide screen shows about a hundred letters per line.
        textarea.command readonly rows=(command.chars().count().div_ceil(90).clamp(2, 12)) aria-labelledby="again-title" spellcheck="false" { (command) }
        pre.on-paper { (command) }
    }
}
