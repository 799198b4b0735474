//! Mixed precision: the fewest float layers with which every group passes the policy.

use std::collections::BTreeSet;

use serde::Serialize;
use tailfold_parity::{Comparison, Report};
use tailfold_spec::Group;

use crate::draft::Draft;
use crate::error::{QuantError, QuantErrorKind};

mod judge;
mod table;

pub use judge::Judge;

/// Effect of one layer on the few-shot classes, or on all classes if there are no few-shot classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerEffect {
    /// Name of the layer.
    pub layer: String,
    /// Bytes that its weights take in float, minus their bytes in int8.
    pub extra_bytes: usize,
    /// Top-1 agreement with the float model when this layer alone is quantized, 0 to 1.
    pub agreement_alone: f64,
    /// Mean squared error of the logits against the float model when this layer alone is quantized.
    pub logit_error_alone: f64,
    /// Mean squared error of the logits against the float model when all layers but this one are quantized.
    pub logit_error_without: f64,
    /// Whether the search keeps it in float.
    pub kept: bool,
}

/// Result of a search for mixed precision.
#[derive(Clone, Debug, Serialize)]
pub struct Search {
    /// The group of the images that the effects are measured on; `None` for all images.
    pub group: Option<Group>,
    /// Number of images of that group.
    pub images: usize,
    /// Mean squared error of the logits on these images, with every layer quantized.
    pub logit_error: f64,
    /// Every layer, in graph order.
    pub layers: Vec<LayerEffect>,
    /// Layers to keep in float.
    pub kept: BTreeSet<String>,
    /// Whether every group is within its margin when the layers `kept` stay in float.
    pub passes: bool,
    /// Comparison of the model with all layers quantized against the float model.
    pub before: Report,
    /// Comparison of the model with `kept` in float against the float model.
    pub after: Report,
}

/// Returns whether every measured difference is within its margin. This does not prove parity, which a few
/// hundred images seldom can; `tailfold parity` tests it.
fn within_margins(report: &Report) -> bool {
    let within = |c: &Comparison| c.delta_pp >= -c.margin_pp && c.keeps_min_retained;
    let mut groups = Group::ALL.into_iter().filter_map(|g| report.groups.get(g));
    within(&report.overall) && groups.all(within) && report.non_finite.candidate == 0
}

/// Ranks the layers by the effect of their quantization on the few-shot classes, keeps the worst ones in
/// float until every group is within its margin, and then quantizes each layer that turns out not to be
/// needed in float. `progress` is called once per layer.
///
/// # Errors
/// [`QuantError`].
pub fn search(
    draft: &Draft<'_>,
    judge: &Judge<'_>,
    progress: &dyn Fn(),
) -> Result<Search, QuantError> {
    let none = BTreeSet::new();
    let all = draft.model(&none)?;
    let before = judge.compare(&all)?;
    let (_, logit_error) = judge.difference(&all)?;
    let mut layers = Vec::with_capacity(draft.layers().len());
    for (layer, bytes) in draft.layers().iter().zip(draft.weight_bytes()) {
        let (agreement_alone, logit_error_alone) = judge.difference(&draft.alone(layer)?)?;
        let (_, logit_error_without) = match draft.model(&BTreeSet::from([layer.clone()])) {
            Ok(model) => judge.difference(&model)?,
            // The model has a single layer.
            Err(error) if error.kind() == QuantErrorKind::NothingToQuantize => (1.0, 0.0),
            Err(error) => return Err(error),
        };
        layers.push(LayerEffect {
            layer: layer.clone(),
            extra_bytes: bytes - bytes / 4,
            agreement_alone,
            logit_error_alone,
            logit_error_without,
            kept: false,
        });
        progress();
    }
    let mut ranked: Vec<&LayerEffect> = layers.iter().collect();
    // The largest gain comes first; between equal gains, the first in the graph.
    ranked.sort_by(|a, b| a.logit_error_without.total_cmp(&b.logit_error_without));
    let mut after = before.clone();
    let mut kept: Vec<String> = Vec::new();
    for effect in &ranked {
        if within_margins(&after) || kept.len() + 1 == layers.len() {
            break;
        }
        kept.push(effect.layer.clone());
        after = judge.compare(&draft.model(&kept.iter().cloned().collect())?)?;
    }
    for layer in kept.clone().into_iter().rev().skip(1) {
        let fewer: BTreeSet<String> = kept.iter().filter(|k| **k != layer).cloned().collect();
        let report = judge.compare(&draft.model(&fewer)?)?;
        if within_margins(&after) && within_margins(&report) {
            kept.retain(|k| *k != layer);
            after = report;
        }
    }
    let kept: BTreeSet<String> = kept.into_iter().collect();
    layers
        .iter_mut()
        .for_each(|effect| effect.kept = kept.contains(&effect.layer));
    Ok(Search {
        group: judge.group,
        images: judge.ranked.len(),
        logit_error,
        layers,
        kept,
        passes: within_margins(&after),
        before,
        after,
    })
}
