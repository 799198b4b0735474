//! Mixed precision: the fewest layers kept in float with which every group passes the policy.

use std::collections::BTreeSet;

use serde::Serialize;
use tailfold_parity::{Comparison, Report};
use tailfold_spec::Group;

use crate::draft::Draft;
use crate::error::{QuantError, QuantErrorKind};

mod judge;
mod table;

pub use judge::Judge;

/// What one layer does to the few-shot classes, or to all where there are none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerEffect {
    /// Name of the layer.
    pub layer: String,
    /// Bytes that its weights take in float beyond those in codes.
    pub extra_bytes: usize,
    /// Share of images decided as by the float model when this layer alone is quantized.
    pub agreement_alone: f64,
    /// Mean square difference of the logits to the float model's when this layer alone is quantized.
    pub logit_error_alone: f64,
    /// The same difference when all layers but this one are quantized.
    pub logit_error_without: f64,
    /// Whether the search keeps it in float.
    pub kept: bool,
}

/// What a search found.
#[derive(Clone, Debug, Serialize)]
pub struct Search {
    /// The group that the effects are of; `None` for all images.
    pub group: Option<Group>,
    /// Images of that group.
    pub images: usize,
    /// Mean square difference of the logits, with every layer quantized, on these images.
    pub logit_error: f64,
    /// Every layer, in graph order.
    pub layers: Vec<LayerEffect>,
    /// Layers to keep in float.
    pub kept: BTreeSet<String>,
    /// Whether every group is within its margin with these.
    pub passes: bool,
    /// All layers quantized against float.
    pub before: Report,
    /// All but the kept ones.
    pub after: Report,
}

/// Whether no measured difference is beyond its margin. That a few hundred images can prove it is not asked: `tailfold parity` does.
fn within_margins(report: &Report) -> bool {
    let within = |c: &Comparison| c.delta_pp >= -c.margin_pp && c.keeps_min_retained;
    let mut groups = Group::ALL.into_iter().filter_map(|g| report.groups.get(g));
    within(&report.overall) && groups.all(within) && report.non_finite.candidate == 0
}

/// Ranks the layers by what quantizing them does to the few-shot classes, keeps the worst ones in float until every group is within
/// its margin, and gives back each that turns out not to be needed. `progress` is called once a layer.
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
            // The only layer there is.
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
    // The largest gain first; of equal ones, the first in the graph.
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
