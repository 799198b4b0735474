//! Names of classes, each isolated so that its writing direction does not affect the text around it.

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

    /// The name of a class, or its index: a report has no names for classes without images.
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

/// Markup for a third-party name.
pub(super) fn name(name: &str) -> Markup {
    html! { bdi { (Text(name)) } }
}
