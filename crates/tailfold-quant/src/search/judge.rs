//! Compares quantized models with the float model during a search.

use tailfold_onnx::Model;
use tailfold_parity::{ComparedModel, Policy, Report, compare};
use tailfold_spec::{Group, Logits};

use crate::error::{QuantError, QuantErrorKind};
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::logits::{difference, logits};

/// Labelled images to compare on, which should be neither calibration nor evaluation images.
#[derive(Clone, Debug)]
pub struct Judge<'a> {
    images: &'a CalibrationSet,
    labels: Vec<usize>,
    card: ComparedModel,
    policy: &'a Policy,
    float: Logits,
    pub(super) group: Option<Group>,
    /// Images of that group, or all images.
    pub(super) ranked: Vec<usize>,
}

impl<'a> Judge<'a> {
    /// Prepares the comparison of quantized forms of `float` on `images`, which must have labels, by
    /// `policy`.
    ///
    /// # Errors
    /// [`QuantErrorKind::Classes`] when the model lacks training counts or the images lack labels, or the
    /// error of the float network.
    pub fn new(
        float: &FloatModel,
        images: &'a CalibrationSet,
        policy: &'a Policy,
    ) -> Result<Self, QuantError> {
        let (card, data) = float
            .card()
            .zip(images.data())
            .ok_or(QuantErrorKind::Classes.error(
                "a search needs training counts in the model's metadata, and labelled \
                 images: without them there are no groups",
            ))?;
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
            card: card.into(),
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

    pub(super) fn compare(&self, model: &Model) -> Result<Report, QuantError> {
        let candidate = self.logits(model)?;
        Ok(compare(
            &self.float,
            &candidate,
            &self.labels,
            &self.card,
            self.policy,
        )?)
    }

    /// Returns the top-1 agreement of `model` with the float network on the ranked images, and the mean
    /// squared error of the logits.
    pub(super) fn difference(&self, model: &Model) -> Result<(f64, f64), QuantError> {
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
                .map(|(a, b)| difference(*a, *b).powi(2))
                .sum::<f64>();
        }
        let images = self.ranked.len() as f64;
        Ok((
            same as f64 / images,
            square / images / self.float.num_classes() as f64,
        ))
    }
}
