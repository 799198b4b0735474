//! Mixed precision: the fewest layers kept in float with which every group passes the policy.

use std::collections::BTreeSet;

use serde::Serialize;
use tailfold_onnx::Model;
use tailfold_parity::{ComparedModel, Comparison, Policy, Report, compare};
use tailfold_spec::{Group, Logits};

use crate::draft::Draft;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::logits::logits;

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

impl Search {
    /// The layers as a table, the worst first, and what keeping some of them brings.
    pub fn to_table(&self) -> String {
        let of = self.group.map_or("all", Group::as_str);
        let mut text = format!(
            "each layer on {} images ({of}); logit error with every layer quantized {:.3e}\n{:32} {:>9} {:>12} {:>12} {:>10}\n",
            self.images,
            self.logit_error,
            "layer",
            "agreement",
            "error alone",
            "error without",
            "bytes",
        );
        let mut layers: Vec<&LayerEffect> = self.layers.iter().collect();
        layers.sort_by(|a, b| b.logit_error_alone.total_cmp(&a.logit_error_alone));
        for effect in layers {
            let kept = if effect.kept { "  kept in float" } else { "" };
            text += &format!(
                "{:32} {:8.2}% {:12.3e} {:12.3e} {:+10}{kept}\n",
                effect.layer,
                100.0 * effect.agreement_alone,
                effect.logit_error_alone,
                effect.logit_error_without,
                effect.extra_bytes,
            );
        }
        let verdict = if self.passes { "within" } else { "not within" };
        text + &format!(
            "{} of {} layers stay in float: every group is {verdict} its margin\n",
            self.kept.len(),
            self.layers.len()
        )
    }
}

/// Labelled images that a search judges by: not those that ranges were observed on, and not those of an evaluation.
#[derive(Clone, Debug)]
pub struct Judge<'a> {
    images: &'a CalibrationSet,
    labels: Vec<usize>,
    card: ComparedModel,
    policy: &'a Policy,
    float: Logits,
    group: Option<Group>,
    /// Images of that group, or all.
    ranked: Vec<usize>,
}

impl<'a> Judge<'a> {
    /// Judges quantizations of `float` on `images`, which must have labels, by `policy`.
    ///
    /// # Errors
    /// [`QuantError::NoGroups`] when the model or the images do not say what belongs to which group, or as the float network fails.
    pub fn new(
        float: &FloatModel,
        images: &'a CalibrationSet,
        policy: &'a Policy,
    ) -> Result<Self, QuantError> {
        let (card, data) = float
            .card()
            .zip(images.data())
            .ok_or(QuantError::NoGroups)?;
        let labels = data.labels().to_vec();
        let groups = card.groups();
        let of_group = |group: Group| -> Vec<usize> {
            (0..labels.len())
                .filter(|&i| groups.get(labels[i]) == Some(group))
                .collect()
        };
        let few = of_group(Group::Few);
        let (group, ranked) = if few.is_empty() {
            (None, (0..labels.len()).collect())
        } else {
            (Some(Group::Few), few)
        };
        Ok(Self {
            float: logits(&float.model, &float.name, images, &|| {})?,
            card: ComparedModel {
                classes: card.classes.clone(),
                train_counts: card.train_counts.clone(),
            },
            images,
            labels,
            policy,
            group,
            ranked,
        })
    }

    fn logits(&self, model: &Model) -> Result<Logits, QuantError> {
        logits(model, "the quantized model", self.images, &|| {})
    }

    fn compare(&self, model: &Model) -> Result<Report, QuantError> {
        let candidate = self.logits(model)?;
        Ok(compare(
            &self.float,
            &candidate,
            &self.labels,
            &self.card,
            self.policy,
        )?)
    }

    /// Share of the ranked images that `model` decides as the float network, and the mean square difference of their logits.
    fn difference(&self, model: &Model) -> Result<(f64, f64), QuantError> {
        let candidate = self.logits(model)?;
        let rows: Vec<(&[f32], &[f32])> = self.float.rows().zip(candidate.rows()).collect();
        let (mut same, mut square) = (0_usize, 0.0_f64);
        for &image in &self.ranked {
            let (before, after) = rows[image];
            same +=
                usize::from(Logits::top1(before).map(|t| t.0) == Logits::top1(after).map(|t| t.0));
            square += before
                .iter()
                .zip(after)
                .map(|(a, b)| f64::from(a - b).powi(2))
                .sum::<f64>();
        }
        let images = self.ranked.len() as f64;
        Ok((
            same as f64 / images,
            square / images / self.float.num_classes() as f64,
        ))
    }
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
    let all = draft.model(&none, None)?;
    let before = judge.compare(&all)?;
    let (_, logit_error) = judge.difference(&all)?;
    let mut layers = Vec::with_capacity(draft.layers().len());
    for (layer, bytes) in draft.layers().iter().zip(draft.weight_bytes()) {
        let (agreement_alone, logit_error_alone) = judge.difference(&draft.alone(layer)?)?;
        let (_, logit_error_without) = match draft.model(&BTreeSet::from([layer.clone()]), None) {
            Ok(model) => judge.difference(&model)?,
            // The only layer there is.
            Err(QuantError::NothingToQuantize) => (1.0, 0.0),
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
        after = judge.compare(&draft.model(&kept.iter().cloned().collect(), None)?)?;
    }
    for layer in kept.clone().into_iter().rev().skip(1) {
        let fewer: BTreeSet<String> = kept.iter().filter(|k| **k != layer).cloned().collect();
        let report = judge.compare(&draft.model(&fewer, None)?)?;
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
