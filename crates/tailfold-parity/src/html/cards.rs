//! The worst flips as pictures, with the decisions of both sides.

use crate::page::Text;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

use super::Picture;
use super::names::Names;
use super::numbers::{counted, length, percent, whole};
use crate::{Flip, Report};

/// Largest side in pixels of an image that is enlarged pixel by pixel.
const TINY: usize = 96;

pub(super) fn of(report: &Report, names: &Names<'_>, pictures: &[Picture]) -> Markup {
    let shown = report.worst_flips.len();
    html! {
        h3 { @if shown < report.flips { "The " (shown) " worst of " (whole(report.flips)) } @else { (counted(shown, "flip", "flips")) } }
        p.muted { "Lost images come first, the rarest classes before others. The bar is the probability (softmax) of the given class." }
        ul.cards {
            @for flip in &report.worst_flips {
                @let picture = pictures.iter().find(|picture| picture.image == flip.image);
                li.card { (card(flip, names, picture)) }
            }
        }
    }
}

fn card(flip: &Flip, names: &Names<'_>, picture: Option<&Picture>) -> Markup {
    let (kind, mark) = if flip.is_lost() {
        ("lost", "worse")
    } else if flip.is_gained() {
        ("gained", "better")
    } else {
        ("wrong both times", "same")
    };
    html! {
        @match picture {
            Some(picture) => (image(flip, names, picture)),
            None => div.no-picture { "no picture" },
        }
        div.card-text {
            p.card-head { span class={ "tag " (mark) } { (kind) } span.muted { "image " (flip.image) } }
            p { strong { (names.markup(flip.label)) } " " span.muted { (flip.group) } }
            (guess("reference", flip.decisions.reference, flip.confidence.reference, flip, names))
            (guess("candidate", flip.decisions.candidate, flip.confidence.candidate, flip, names))
            p.muted {
                "true class: " (percent(flip.label_probability.reference)) " → " (percent(flip.label_probability.candidate))
            }
        }
    }
}

fn image(flip: &Flip, names: &Names<'_>, picture: &Picture) -> Markup {
    let tiny = picture.size.into_iter().max().unwrap_or(0) <= TINY;
    let told = format!("image {}, {}", flip.image, names.text(flip.label));
    html! {
        div.picture {
            img class=[tiny.then_some("pixels")] width=(picture.size[0]) height=(picture.size[1]) alt=(Text(&told)) title=(Text(&picture.name))
                src={ "data:image/png;base64," (STANDARD.encode(&picture.png)) };
        }
    }
}

fn guess(
    side: &str,
    class: Option<usize>,
    confidence: f64,
    flip: &Flip,
    names: &Names<'_>,
) -> Markup {
    let right = class == Some(flip.label);
    html! {
        div.guess {
            p {
                span.muted { (side) } " "
                @match class {
                    Some(class) => { (names.markup(class)) " " span aria-label=(if right { "right" } else { "wrong" }) role="img" { (if right { "✓" } else { "✗" }) } },
                    None => "no decision",
                }
                span.numbers { @if class.is_some() { (percent(confidence)) } @else { "–" } }
            }
            div.bar aria-hidden="true" { div class=(side) style={ "width:" (length(confidence)) } {} }
        }
    }
}
