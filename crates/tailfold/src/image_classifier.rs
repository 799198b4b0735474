//! Images in, names out.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use tailfold_data::{Pixels, decode, preprocess};
use tailfold_spec::{Classifier, Filter, ImageBatch, Logits, ModelCard, Preprocess, Resize};

use crate::{Backend, LoadedModel, Options, RuntimeError, RuntimeErrorKind, clock};

/// A class, and how likely the model finds it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Guess {
    /// Label.
    pub class: usize,
    /// Its name.
    pub name: String,
    /// Between 0 and 1: the softmax over all logits, or the sigmoid of the class's own logit for a model that ends in
    /// Sigmoid.
    pub probability: f64,
}

/// What a model says of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Most likely class first; the lowest among equals first.
    pub top: Vec<Guess>,
    /// `[num_classes]`, label order.
    pub logits: Vec<f32>,
    /// Preprocessing and network, without decoding; not a number in WebAssembly, which has no clock.
    pub latency_ms: f64,
}

/// A model with its preprocessing and its class names.
pub struct ImageClassifier {
    model: Arc<LoadedModel>,
    classifier: Box<dyn Classifier>,
    spec: Preprocess,
}

impl ImageClassifier {
    /// Reads the file `path` and prepares it for `backend`.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file.
    pub fn open(path: &Path, backend: Backend, options: &Options) -> Result<Self, RuntimeError> {
        Ok(LoadedModel::open(path, backend, options)?.into())
    }

    /// The same of a file's `bytes`; `name` stands for it in messages.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file.
    pub fn from_bytes(
        bytes: &[u8],
        name: &str,
        backend: Backend,
        options: &Options,
    ) -> Result<Self, RuntimeError> {
        Ok(LoadedModel::from_bytes(bytes, name, backend, options)?.into())
    }

    /// Resizes and crops images of any size to the network's, if the model's metadata has no resize.
    #[must_use]
    pub fn fitting(mut self) -> Self {
        if self.spec.resize.is_none() {
            let side = self.spec.height.max(self.spec.width);
            self.spec.resize = Some(Resize {
                short_side: u32::try_from(side).unwrap_or(u32::MAX),
                filter: Filter::Bilinear,
            });
        }
        self
    }

    /// Another over the same weights, for another thread.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            model: Arc::clone(&self.model),
            classifier: self.classifier.fork(),
            spec: self.spec.clone(),
        }
    }

    /// What the model says of itself.
    pub fn card(&self) -> &ModelCard {
        &self.model.card
    }

    /// The model.
    pub fn model(&self) -> &LoadedModel {
        &self.model
    }

    /// Returns the `top` most likely classes of an image file's `bytes`, in any format that [`decode`] reads; `name` is
    /// the file in messages.
    ///
    /// # Errors
    /// [`RuntimeErrorKind::Image`] for an image that cannot be decoded or prepared, [`RuntimeErrorKind::Run`] and
    /// [`RuntimeErrorKind::NotFinite`] for a network that does not answer.
    pub fn classify(
        &mut self,
        bytes: &[u8],
        name: &str,
        top: usize,
    ) -> Result<Answer, RuntimeError> {
        self.classify_pixels(&decode(bytes, Path::new(name))?, top)
    }

    /// The same of an image that is decoded already.
    ///
    /// # Errors
    /// As [`ImageClassifier::classify`].
    pub fn classify_pixels(&mut self, pixels: &Pixels, top: usize) -> Result<Answer, RuntimeError> {
        let (logits, latency_ms) = clock::timed(|| self.logits(pixels));
        let logits = logits?;
        if let Some(class) = logits.values().iter().position(|v| !v.is_finite()) {
            return Err(RuntimeErrorKind::NotFinite.error(format!(
                "the model's logit of class {class} is not a number"
            )));
        }
        Ok(Answer {
            top: self.named(logits.values(), top),
            logits: logits.values().to_vec(),
            latency_ms,
        })
    }

    fn logits(&mut self, pixels: &Pixels) -> Result<Logits, RuntimeError> {
        let values = preprocess(pixels, &self.spec)?;
        let [c, h, w] = [self.spec.channels, self.spec.height, self.spec.width];
        let batch = ImageBatch::new(values, [1, c, h, w])?;
        Ok(self.classifier.logits(&batch)?)
    }

    fn named(&self, logits: &[f32], top: usize) -> Vec<Guess> {
        let probabilities = self.model.score_kind().probabilities(logits);
        let mut classes: Vec<usize> = (0..probabilities.len()).collect();
        // A stable sort keeps the lowest class first among equals, as everywhere.
        classes.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
        classes
            .into_iter()
            .take(top)
            .map(|class| Guess {
                class,
                name: self.model.card.classes[class].clone(),
                probability: probabilities[class],
            })
            .collect()
    }
}

impl From<LoadedModel> for ImageClassifier {
    fn from(model: LoadedModel) -> Self {
        Self {
            spec: model.card.preprocess.clone(),
            classifier: model.classifier.fork(),
            model: Arc::new(model),
        }
    }
}
