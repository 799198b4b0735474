//! Renders a report as one self-contained HTML page, which can be read without scripts and sends no requests.

use crate::page::{Page, Text};
use maud::{Markup, html};

use crate::{Report, Unchecked, Verdict};

mod banner;
mod baseline;
mod cards;
mod classes;
mod diagnostics;
mod flips;
mod groups;
mod intervals;
mod matrix;
mod names;
mod numbers;
mod policy;
mod recall;
mod run;
mod scale;

const STYLE: &str = include_str!("html/parity.css");
const SCRIPT: &str = include_str!("html/parity.js");

/// An image of the comparison, shown with its flip.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Picture {
    /// Index of the image, as in [`crate::Flip::image`].
    pub image: usize,
    /// File name of the image, or another name for readers.
    pub name: String,
    /// Columns and rows.
    pub size: [usize; 2],
    /// The image as PNG bytes.
    pub png: Vec<u8>,
}

impl Picture {
    /// Creates the picture of the image with index `image`: `png` is a PNG of `size` (columns, rows), and `name` is
    /// the image's name for readers.
    pub fn new(image: usize, name: String, size: [usize; 2], png: Vec<u8>) -> Self {
        Self {
            image,
            name,
            size,
            png,
        }
    }
}

impl Report {
    /// Renders the page. It shows the `pictures` whose images are among the worst flips.
    pub fn to_html(&self, pictures: &[Picture]) -> String {
        let sections: [(&str, &str, Markup); 7] = [
            ("groups", "Groups", groups::section(self)),
            ("rules", "Rules", policy::rules(self)),
            ("classes", "Classes", classes::section(self)),
            ("flips", "Flips", flips::section(self, pictures)),
            ("diagnostics", "Diagnostics", diagnostics::section(self)),
            ("policy", "Policy", policy::section(&self.policy)),
            ("run", "Run", run::section(self)),
        ];
        let title = format!("{}: parity of {}", self.verdict, subject(&self.model));
        let page = Page {
            title: &title,
            style: STYLE,
            script: SCRIPT,
            header: html! {
                header {
                    p.brand { "tailfold parity" }
                    h1 { (Text(subject(&self.model))) }
                    nav aria-label="Sections" {
                        ul { @for (id, name, _) in &sections { li { a href={ "#" (id) } { (name) } } } }
                    }
                }
            },
            main: html! {
                (banner::of(self))
                @for (id, name, inside) in &sections {
                    section aria-labelledby=(id) {
                        h2 id=(id) { (name) }
                        (inside)
                    }
                }
                footer.muted {
                    p { "Schema " code { (Text(&self.schema)) } ". A difference is the candidate minus the reference, in percentage points (pp): below zero the candidate is worse." }
                }
            },
        };
        page.into_string()
    }
}

impl Unchecked {
    /// Renders the page for a comparison that could not be made.
    pub fn to_html(&self) -> String {
        let page = Page {
            title: "error: parity was not checked",
            style: STYLE,
            script: "",
            header: html! {
                header {
                    p.brand { "tailfold parity" }
                    h1 { "Not checked" }
                }
            },
            main: html! {
                (banner::unchecked(&self.reasons))
                footer.muted { p { "Schema " code { (self.schema) } "." } }
            },
        };
        page.into_string()
    }
}

/// The model's name, or a placeholder for an empty name.
fn subject(model: &str) -> &str {
    if model.is_empty() {
        "the candidate"
    } else {
        model
    }
}

/// Renders a verdict as a word with a symbol, so that colour is not its only sign.
fn pill(verdict: Verdict) -> Markup {
    html! {
        span class={ "pill " (verdict) } {
            span aria-hidden="true" { (mark(verdict)) " " } (verdict)
        }
    }
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✗",
        Verdict::Inconclusive => "?",
        Verdict::Error => "!",
    }
}

#[cfg(test)]
mod tests;
