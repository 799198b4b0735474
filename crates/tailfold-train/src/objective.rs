//! What a step minimises: the classifier's loss and the contrastive one beside it.

use burn::prelude::*;

use crate::loss::{ot_dynamic_softmax, supervised_contrastive};
use crate::run::Run;

/// The terms of one batch, all in the autodiff graph.
pub(crate) struct Objective {
    /// The weighted sum, `[1]`.
    pub(crate) loss: Tensor<1>,
    /// The classifier's loss, `[1]`.
    pub(crate) classifier: Tensor<1>,
    /// The contrastive loss before its weight, `[1]`.
    pub(crate) contrastive: Option<Tensor<1>>,
    /// Features of the classifier's views, `[n * views, dim]`, view-major.
    pub(crate) classified: Tensor<2>,
    /// Raw scores of the classifier's views, `[n * views, classes]`, without offsets.
    pub(crate) scores: Tensor<2>,
}

impl Run<'_> {
    /// The objective on `features`, `[n * all views, dim]`, view-major, of images with `labels`, `[n]`.
    pub(crate) fn objective(&self, features: Tensor<2>, labels: &[i32]) -> Objective {
        let views = &self.config.views;
        let [all, dim] = features.dims();
        let rows = labels.len() * views.classifier;
        let repeated = |views: usize| {
            let repeated: Vec<i32> = std::iter::repeat_n(labels, views)
                .flatten()
                .copied()
                .collect();
            Tensor::<1, Int>::from_ints(repeated.as_slice(), self.device)
        };
        let classified = features.clone().slice([0..rows, 0..dim]);
        let scores = self.network.head.forward(classified.clone());
        let shift = match &self.offsets {
            Some(offsets) => offsets.shift(),
            None => vec![0.0; self.manifest.classes.len()],
        };
        let shift = Tensor::<1>::from_floats(shift.as_slice(), self.device);
        let classifier = ot_dynamic_softmax(scores.clone(), shift, repeated(views.classifier));
        let contrastive = match (&self.config.contrastive, &self.network.projection) {
            (Some(contrastive), Some(projection)) => {
                let (points, count) = if views.contrastive == 0 {
                    (classified.clone(), views.classifier)
                } else {
                    (features.slice([rows..all, 0..dim]), views.contrastive)
                };
                let loss = supervised_contrastive(
                    projection.forward(points),
                    repeated(count),
                    contrastive.temperature,
                );
                Some((loss, contrastive.weight))
            }
            _ => None,
        };
        let loss = match &contrastive {
            Some((loss, weight)) => classifier.clone() + loss.clone().mul_scalar(*weight),
            None => classifier.clone(),
        };
        Objective {
            loss,
            classifier,
            contrastive: contrastive.map(|(loss, _)| loss),
            classified,
            scores,
        }
    }
}
