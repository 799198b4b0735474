//! The caller's description of a model with incomplete metadata: class names, training counts and preprocessing.

use tailfold_spec::{CardParts, ModelCard, Preprocess, Resize};

use super::{OpenOptions, Opened};
use crate::model::lengths;
use crate::proto::DataType;
use crate::{OnnxError, OnnxErrorKind};

/// The caller's description of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// Class names, in the order of the outputs.
    pub labels: Option<Vec<String>>,
    /// Number of training images per class, in the order of the outputs.
    pub counts: Option<Vec<u64>>,
    /// Mean on the 0..1 scale: one value per channel, or one for all channels.
    pub mean: Option<Vec<f32>>,
    /// Standard deviation on the 0..1 scale: one value per channel, or one for all channels.
    pub std: Option<Vec<f32>>,
    /// Resize before the centre crop.
    pub resize: Option<Resize>,
    /// Whether blue is the first channel.
    pub bgr: bool,
    /// Options of [`crate::open()`].
    pub options: OpenOptions,
}

/// Standard deviation that, with a mean of 0, keeps the bytes of an image: `(x / 255 - mean) / std` is `x`.
const BYTE: f32 = 1.0 / 255.0;

impl Description {
    /// Whether the description has neither classes nor preprocessing.
    fn is_empty(&self) -> bool {
        *self
            == Self {
                options: self.options.clone(),
                ..Self::default()
            }
    }

    /// Returns the card of a model: its own, or one made from its partial metadata and this description.
    ///
    /// # Errors
    /// [`OnnxError`] when a value is missing, contradictory or impossible.
    pub fn card(&self, opened: &Opened) -> Result<ModelCard, OnnxError> {
        let props = opened.model.props();
        if ModelCard::is_in(&props) {
            let card = opened.model.checked_card()?;
            if !self.is_empty() {
                self.agrees(&CardParts {
                    classes: Some(card.classes.clone()),
                    train_counts: Some(card.train_counts.clone()),
                    preprocess: Some(card.preprocess.clone()),
                    ..CardParts::default()
                })?;
            }
            return Ok(card);
        }
        let parts = self.parts(opened)?;
        let missing =
            |kind: OnnxErrorKind, key| kind.error(format!("the model has no metadata `{key}`"));
        let classes = parts
            .classes
            .ok_or_else(|| missing(OnnxErrorKind::NoClasses, "tailfold.classes"))?;
        let preprocess = parts
            .preprocess
            .ok_or_else(|| missing(OnnxErrorKind::NoPreprocessing, "tailfold.preprocess"))?;
        // Zero stands for an unknown count.
        let train_counts = parts.train_counts.unwrap_or_else(|| vec![0; classes.len()]);
        if train_counts.len() != classes.len() {
            return Err(OnnxErrorKind::Description.error(format!(
                "{} training counts for {} classes",
                train_counts.len(),
                classes.len()
            )));
        }
        Ok(ModelCard {
            name: String::new(),
            architecture: String::new(),
            train_counts,
            classes,
            preprocess,
            offsets: parts.offsets,
            checkpoint_sha256: String::new(),
            quantization: parts.quantization,
        })
    }

    /// Returns this description with the class names `classes`, if neither it nor the file has any.
    ///
    /// # Errors
    /// [`OnnxError`] when the metadata of the file is damaged.
    pub fn or_classes(&self, opened: &Opened, classes: &[String]) -> Result<Self, OnnxError> {
        let mut description = self.clone();
        let props = opened.model.props();
        let named = ModelCard::is_in(&props) || CardParts::from_props(&props)?.classes.is_some();
        if !named && description.labels.is_none() {
            description.labels = Some(classes.to_vec());
        }
        Ok(description)
    }

    /// Merges the metadata of a third-party model with this description.
    ///
    /// # Errors
    /// [`OnnxError`] when the two contradict each other or a value is impossible.
    pub fn parts(&self, opened: &Opened) -> Result<CardParts, OnnxError> {
        let mut parts = CardParts::from_props(&opened.model.props())?;
        self.agrees(&parts)?;
        parts.classes = parts.classes.or_else(|| self.labels.clone());
        parts.train_counts = parts.train_counts.or_else(|| self.counts.clone());
        if parts.preprocess.is_none() {
            parts.preprocess = self.preprocess(opened)?;
        }
        Ok(parts)
    }

    /// Checks that this description does not contradict the metadata `file`.
    fn agrees(&self, file: &CardParts) -> Result<(), OnnxError> {
        fn same<T: PartialEq + std::fmt::Debug>(
            field: &'static str,
            file: Option<&T>,
            caller: Option<&T>,
        ) -> Result<(), OnnxError> {
            match (file, caller) {
                (Some(file), Some(caller)) if file != caller => Err(OnnxErrorKind::Description
                    .error(format!(
                        "the model's metadata says {field} {file:?}, but {caller:?} was given"
                    ))),
                _ => Ok(()),
            }
        }
        same("classes", file.classes.as_ref(), self.labels.as_ref())?;
        same(
            "training counts",
            file.train_counts.as_ref(),
            self.counts.as_ref(),
        )?;
        let Some(preprocess) = &file.preprocess else {
            return Ok(());
        };
        for (field, file, caller) in [
            ("mean", &preprocess.mean, &self.mean),
            ("std", &preprocess.std, &self.std),
        ] {
            let caller = caller.as_ref().map(|c| spread(c, preprocess.channels));
            let caller = caller.filter(|caller| !close(file, caller));
            same(field, Some(file), caller.as_ref())?;
        }
        if self.resize.is_some() {
            same("resize", Some(&preprocess.resize), Some(&self.resize))?;
        }
        same("bgr", Some(&preprocess.bgr), self.bgr.then_some(&true))
    }

    /// Preprocessing by this description; `None` without mean and std. A uint8 input takes the bytes of the image.
    fn preprocess(&self, opened: &Opened) -> Result<Option<Preprocess>, OnnxError> {
        let found = opened.model.input_shape()?;
        let [_, Some(channels), Some(height), Some(width)] = found else {
            return Err(OnnxErrorKind::Ports.error(format!(
                "the size of an image is not fixed: the input has the shape {}",
                lengths(&found)
            )));
        };
        let input = &opened.ports.input;
        let each = |values: &Vec<f32>| spread(values, channels);
        let given = self
            .mean
            .as_ref()
            .map(each)
            .zip(self.std.as_ref().map(each));
        let (mean, std) = match (input.element, given) {
            (DataType::Uint8, None) => (vec![0.0; channels], vec![BYTE; channels]),
            (DataType::Uint8, Some((mean, std))) => {
                let bytes = mean.iter().all(|m| m.abs() < f32::MIN_POSITIVE)
                    && std.iter().all(|s| (s - BYTE).abs() < 1e-6);
                if !bytes {
                    return Err(OnnxErrorKind::Description.error(format!(
                        "the model's input is uint8: it takes the bytes of the image as they are, \
                         but mean {mean:?} and std {std:?} were given"
                    )));
                }
                (mean, vec![BYTE; channels])
            }
            (_, None) if self.resize.is_some() || self.bgr => {
                return Err(OnnxErrorKind::NoPreprocessing
                    .error("the model has no metadata `tailfold.preprocess`"));
            }
            (_, None) => return Ok(None),
            (_, Some((mean, std))) => {
                if mean.iter().any(|m| m.abs() > 4.0) {
                    return Err(OnnxErrorKind::Description.error(format!(
                        "mean {mean:?} is not on the 0..1 scale: divide mean and std by 255"
                    )));
                }
                let plain = mean.iter().all(|m| m.abs() < f32::MIN_POSITIVE)
                    && std
                        .iter()
                        .all(|s| (s - 1.0).abs() < 1e-6 || (s - BYTE).abs() < 1e-6);
                if let Some(node) = input.normalised_by.clone().filter(|_| !plain) {
                    return Err(OnnxErrorKind::Normalised.error(format!(
                        "node `{node}` of the graph normalises the image already, so mean {mean:?} \
                         and std {std:?} would do it twice"
                    )));
                }
                (mean, std)
            }
        };
        let preprocess = Preprocess {
            channels,
            height,
            width,
            resize: self.resize,
            bgr: self.bgr,
            mean,
            std,
        };
        preprocess.validate()?;
        Ok(Some(preprocess))
    }
}

/// Repeats a single value for all channels.
fn spread(values: &[f32], channels: usize) -> Vec<f32> {
    match values {
        &[one] => vec![one; channels],
        _ => values.to_vec(),
    }
}

/// Whether two lists agree to about six digits: 1/255 is written as 0.00392157.
fn close(a: &[f32], b: &[f32]) -> bool {
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-6 * a.abs().max(b.abs());
    a.len() == b.len() && a.iter().zip(b).all(near)
}

#[cfg(test)]
mod tests;
