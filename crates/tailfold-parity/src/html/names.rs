//! What classes are called; a name keeps its direction of writing to itself.

use std::collections::BTreeMap;

use crate::page::Text;
use maud::{Markup, html};

use crate::Report;

/// Names of the classes that have images.
pub(super) struct Names<'a>(BTreeMap<usize, &'a str>);

impl<'a> Names<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let classes = report.classes.iter();
        Self(classes.map(|c| (c.class, c.name.as_str())).collect())
    }

    /// A class that has no image has no name in a report.
    pub(super) fn text(&self, class: usize) -> String {
        match self.0.get(&class) {
            Some(name) => (*name).to_owned(),
            None => format!("class {class}"),
        }
    }

    pub(super) fn markup(&self, class: usize) -> Markup {
        name(&self.text(class))
    }
}

/// A name from outside.
pub(super) fn name(name: &str) -> Markup {
    html! { bdi { (Text(name)) } }
}
