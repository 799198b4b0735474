//! Warnings about conditions that no rule covers.

use std::collections::HashSet;

use crate::report::{ClassComparison, parts};
use crate::rules::Facts;
use crate::{Policy, Report};

/// Returns warnings about conditions that a reader should know about and that no rule covers.
pub(crate) fn warnings(facts: &Facts<'_>, policy: &Policy) -> Vec<String> {
    let mut warnings = Vec::new();
    let chance = 1.0 / facts.classes.len() as f64;
    if facts.overall.reference_top1 <= chance {
        warnings.push(format!(
            "the reference is right on {:.1} % of the images, no better than chance: check labels and preprocessing",
            100.0 * facts.overall.reference_top1
        ));
    }
    for (name, part) in parts(facts.overall, facts.groups) {
        if name != "overall" && part.reference_top1 <= 0.0 {
            warnings.push(format!(
                "{name}: the reference gets no image right, so nothing can be lost"
            ));
        }
        // If the numbers of images are far from equal, the bounds assume that classes with few images flip as often
        // as the other classes.
        if part.effective_images < 0.9 * part.images as f64 {
            warnings.push(format!(
                "{name}: its classes have unequal numbers of images, so {} count as {:.0} and its bounds are approximate",
                part.images, part.effective_images
            ));
        }
        if name != "overall" && part.unseen_classes > 0 {
            let all = part.classes + part.unseen_classes;
            warnings.push(format!(
                "{name}: {} of {all} classes have no image and are left out",
                part.unseen_classes
            ));
        }
    }
    for class in facts.classes {
        if class.loss_p_holm <= policy.level {
            warnings.push(format!(
                "class {} {}: recall {:.1} % against {:.1} %, more lost than gained (p {:.1e}, of {} classes by Holm)",
                class.class,
                class.name,
                100.0 * class.candidate_recall,
                100.0 * class.reference_recall,
                class.loss_p_holm,
                facts.classes.len()
            ));
        }
        warnings.extend(never_given(class));
    }
    if facts.ties.reference > 0 {
        let (ties, images) = (facts.ties.reference, facts.images);
        warnings.push(format!(
            "{ties} of {images} images have a tie at the top of the reference's logits"
        ));
    }
    warnings
}

/// The warning for a class that the reference gives and the candidate never gives.
fn never_given(class: &ClassComparison) -> Option<String> {
    (class.candidate_decisions == 0 && class.reference_decisions > 0).then(|| {
        format!(
            "class {} {}: the candidate never gives this class, the reference gives it {} times",
            class.class, class.name, class.reference_decisions
        )
    })
}

/// Number of classes that one line names.
const NAMED: usize = 5;

impl Report {
    /// Returns the warnings for a terminal, with one line for all classes that the candidate never gives.
    pub(crate) fn short_warnings(&self) -> Vec<String> {
        let mut lines = self.warnings.clone();
        let lost = self.classes.iter();
        let lost: Vec<(String, &str)> = lost
            .filter_map(|class| Some((never_given(class)?, class.name.as_str())))
            .collect();
        let [(first, _), _, ..] = &lost[..] else {
            return lines;
        };
        let names: Vec<&str> = lost.iter().take(NAMED).map(|(_, name)| *name).collect();
        let more = if lost.len() > NAMED { ", ..." } else { "" };
        let line = format!(
            "{} classes that the reference gives are never given by the candidate: {}{more}",
            lost.len(),
            names.join(", ")
        );
        if let Some(place) = lines.iter().position(|warning| warning == first) {
            lines[place] = line;
        }
        let others: HashSet<&str> = lost.iter().map(|(warning, _)| warning.as_str()).collect();
        lines.retain(|warning| !others.contains(warning.as_str()));
        lines
    }
}
