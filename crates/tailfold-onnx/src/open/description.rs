//! What a caller says of a model that does not say it itself: class names, and how images are prepared.

use tailfold_spec::{CardError, CardParts, ModelCard, Preprocess, PreprocessError, Resize};

use super::{OpenOptions, Opened};
use crate::OnnxError;
use crate::proto::DataType;

/// What a caller says of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// Class names, in the order of the outputs.
    pub labels: Option<Vec<String>>,
    /// Training images of each class, in the same order.
    pub counts: Option<Vec<u64>>,
    /// One value for each channel, on the 0..1 scale.
    pub mean: Option<Vec<f32>>,
    /// One value for each channel, on the 0..1 scale.
    pub std: Option<Vec<f32>>,
    /// Resize before the centre crop.
    pub resize: Option<Resize>,
    /// Whether blue is the first channel.
    pub bgr: bool,
    /// How the file is opened.
    pub options: OpenOptions,
}

/// A model of which too little is known, or of which two things are said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptionError {
    /// Neither the file nor the caller says it.
    #[error("the model has no metadata `{missing}`: give {flags}")]
    Missing {
        /// Key of the metadata.
        missing: &'static str,
        /// What would say it.
        flags: &'static str,
    },
    /// The caller says something else than the file.
    #[error("the model's metadata says {field} {file}, the command line {caller}")]
    Contradiction {
        /// What is meant.
        field: &'static str,
        /// In the file.
        file: String,
        /// On the command line.
        caller: String,
    },
    /// A normalisation outside and inside.
    #[error(
        "node `{node}` of the graph normalises the image already, so mean {mean:?} and std {std:?} would do it twice: give --mean 0 and --std 1 for a graph that expects 0..1, or --std 0.00392157 for one that expects 0..255"
    )]
    Twice {
        /// The node.
        node: String,
        /// As given.
        mean: Vec<f32>,
        /// As given.
        std: Vec<f32>,
    },
    /// A normalisation of bytes.
    #[error(
        "the model's input is uint8: it takes the bytes of the image as they are, but mean {mean:?} and std {std:?} were given"
    )]
    Bytes {
        /// As given.
        mean: Vec<f32>,
        /// As given.
        std: Vec<f32>,
    },
    /// A mean or standard deviation on another scale.
    #[error("mean {mean:?} is not on the 0..1 scale: divide mean and std by 255")]
    Scale {
        /// As given.
        mean: Vec<f32>,
    },
    /// Training counts that do not fit the class names.
    #[error("{counts} training counts for {classes} classes")]
    Counts {
        /// Counts given.
        counts: usize,
        /// Class names.
        classes: usize,
    },
    /// An input whose size is not fixed.
    #[error("the size of an image is not fixed: the input has the shape {0:?}")]
    Size([Option<usize>; 4]),
    /// A preparation that cannot be carried out.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// The model's own metadata.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The model's ports, or metadata that does not fit them.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
}

/// One over the largest byte: with a mean of 0, images keep their bytes.
const BYTE: f32 = 1.0 / 255.0;

impl Description {
    /// Whether the caller says nothing of classes or images.
    fn is_empty(&self) -> bool {
        *self
            == Self {
                options: self.options.clone(),
                ..Self::default()
            }
    }

    /// The card of a model: its own, or one made of what its metadata and the caller say.
    ///
    /// # Errors
    /// [`DescriptionError`].
    pub fn card(&self, opened: &Opened) -> Result<ModelCard, DescriptionError> {
        let props = opened.model.props();
        if ModelCard::is_in(&props) {
            let card = opened.model.checked_card()?;
            if !self.is_empty() {
                self.agrees(&CardParts {
                    classes: Some(card.classes.clone()),
                    train_counts: Some(card.train_counts.clone()),
                    preprocess: Some(card.preprocess.clone()),
                    quantization: None,
                })?;
            }
            return Ok(card);
        }
        let parts = self.parts(opened)?;
        let missing = |missing, flags| DescriptionError::Missing { missing, flags };
        let classes = parts
            .classes
            .ok_or_else(|| missing("tailfold.classes", "--labels"))?;
        let preprocess = parts
            .preprocess
            .ok_or_else(|| missing("tailfold.preprocess", "--mean and --std"))?;
        // Zero stands for counts that nobody knows.
        let train_counts = parts.train_counts.unwrap_or_else(|| vec![0; classes.len()]);
        if train_counts.len() != classes.len() {
            return Err(DescriptionError::Counts {
                counts: train_counts.len(),
                classes: classes.len(),
            });
        }
        Ok(ModelCard {
            name: String::new(),
            architecture: String::new(),
            train_counts,
            classes,
            preprocess,
            offsets: None,
            checkpoint_sha256: String::new(),
            quantization: parts.quantization,
        })
    }

    /// What the metadata of a model of other tools and the caller say together.
    ///
    /// # Errors
    /// [`DescriptionError`].
    pub fn parts(&self, opened: &Opened) -> Result<CardParts, DescriptionError> {
        let mut parts = CardParts::from_props(&opened.model.props())?;
        self.agrees(&parts)?;
        parts.classes = parts.classes.or_else(|| self.labels.clone());
        parts.train_counts = parts.train_counts.or_else(|| self.counts.clone());
        if parts.preprocess.is_none() {
            parts.preprocess = self.preprocess(opened)?;
        }
        Ok(parts)
    }

    /// Checks that the caller says nothing else than the file.
    fn agrees(&self, file: &CardParts) -> Result<(), DescriptionError> {
        fn same<T: PartialEq + std::fmt::Debug>(
            field: &'static str,
            file: Option<&T>,
            caller: Option<&T>,
        ) -> Result<(), DescriptionError> {
            match (file, caller) {
                (Some(file), Some(caller)) if file != caller => {
                    Err(DescriptionError::Contradiction {
                        field,
                        file: format!("{file:?}"),
                        caller: format!("{caller:?}"),
                    })
                }
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
        let each = |values: &Vec<f32>| spread(values, preprocess.channels);
        same(
            "mean",
            Some(&preprocess.mean),
            self.mean.as_ref().map(each).as_ref(),
        )?;
        same(
            "std",
            Some(&preprocess.std),
            self.std.as_ref().map(each).as_ref(),
        )?;
        if self.resize.is_some() {
            same("resize", Some(&preprocess.resize), Some(&self.resize))?;
        }
        same("bgr", Some(&preprocess.bgr), self.bgr.then_some(&true))
    }

    /// How images are prepared, by the caller's word; `None` when that is not enough. Bytes are fed as they are.
    fn preprocess(&self, opened: &Opened) -> Result<Option<Preprocess>, DescriptionError> {
        let found = opened.model.input_shape()?;
        let [_, Some(channels), Some(height), Some(width)] = found else {
            return Err(DescriptionError::Size(found));
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
                    return Err(DescriptionError::Bytes { mean, std });
                }
                (mean, vec![BYTE; channels])
            }
            (_, None) if self.resize.is_some() || self.bgr => {
                return Err(DescriptionError::Missing {
                    missing: "tailfold.preprocess",
                    flags: "--mean and --std",
                });
            }
            (_, None) => return Ok(None),
            (_, Some((mean, std))) => {
                if mean.iter().any(|m| m.abs() > 4.0) {
                    return Err(DescriptionError::Scale { mean });
                }
                let plain = mean.iter().all(|m| m.abs() < f32::MIN_POSITIVE)
                    && std
                        .iter()
                        .all(|s| (s - 1.0).abs() < 1e-6 || (s - BYTE).abs() < 1e-6);
                if let Some(node) = input.normalised_by.clone().filter(|_| !plain) {
                    return Err(DescriptionError::Twice { node, mean, std });
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

/// One value serves all channels.
fn spread(values: &[f32], channels: usize) -> Vec<f32> {
    match values {
        &[one] => vec![one; channels],
        _ => values.to_vec(),
    }
}

#[cfg(test)]
mod tests;
