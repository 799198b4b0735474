//! Image classification: images in, class names and probabilities out.

use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use tailfold_data::{Pixels, decode, preprocess};
use tailfold_spec::{
    Classifier, Filter, ImageBatch, Logits, ModelCard, Preprocess, Resize, ScoreKind,
};

use crate::{Backend, LoadedModel, Options, RuntimeError, RuntimeErrorKind, clock};

/// A class and its probability; serialised as in the answers of `tailfold classify --json` and of the WebAssembly module.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Guess {
    /// Index of the class.
    pub class: usize,
    /// Name of the class.
    pub name: String,
    /// Between 0 and 1: the softmax over all logits, or the sigmoid of the class's own logit for a model that ends in
    /// Sigmoid.
    pub probability: f64,
}

/// The answer of a model for one image.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Answer {
    /// Most likely classes, in descending order; among equals, the lowest class first.
    pub top: Vec<Guess>,
    /// Logits in label order, `[num_classes]`.
    pub logits: Vec<f32>,
    /// Time of preprocessing and network in milliseconds, without decoding; NaN in WebAssembly, which has no clock.
    pub latency_ms: f64,
}

/// A model with its preprocessing and its class names.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tailfold::{Backend, ImageClassifier, Options};
///
/// # let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models");
/// # let file = models.join("fashion-lt/fashion-lt.int8.onnx");
/// # let png = tailfold::Dataset::open(&"embedded?split=test&limit=1".parse()?)?.image(0)?.to_png()?;
/// let mut classifier = ImageClassifier::open(&file, Backend::Integer, &Options::default())?;
/// let answer = classifier.classify(&png, "a photo", 3)?;
/// assert_eq!(answer.top.len(), 3);
/// assert!(answer.top[0].probability >= answer.top[1].probability);
/// assert_eq!(answer.top[0].name, classifier.card().classes[answer.top[0].class]);
/// // Another thread classifies with the same weights.
/// let other = std::thread::scope(|scope| {
///     let mut fork = classifier.fork();
///     let png = &png;
///     scope.spawn(move || fork.classify(png, "a photo", 3)).join()
/// });
/// assert_eq!(other.expect("no panic")?.logits, answer.logits);
/// # Ok(())
/// # }
/// ```
pub struct ImageClassifier {
    model: Arc<Facts>,
    classifier: Box<dyn Classifier>,
    spec: Preprocess,
}

/// Data that all forks share.
struct Facts {
    card: ModelCard,
    sha256: String,
    score_kind: ScoreKind,
}

impl ImageClassifier {
    /// Reads the file `path` and prepares it for `backend`.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file.
    pub fn open(path: &Path, backend: Backend, options: &Options) -> Result<Self, RuntimeError> {
        Ok(LoadedModel::open(path, backend, options)?.into())
    }

    /// As [`ImageClassifier::open`], for the `bytes` of a file; `name` is the file in messages.
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

    /// Makes the classifier resize and crop images of any size to the network's input size, if the model's metadata has
    /// no resize.
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

    /// Returns another classifier over the same weights, for another thread.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self {
            model: Arc::clone(&self.model),
            classifier: self.classifier.fork(),
            spec: self.spec.clone(),
        }
    }

    /// The model's metadata: class names, training counts, preprocessing, offsets, quantization.
    pub fn card(&self) -> &ModelCard {
        &self.model.card
    }

    /// SHA-256 of the model file.
    pub fn model_sha256(&self) -> &str {
        &self.model.sha256
    }

    /// Kind of the scores at the file's output.
    pub fn score_kind(&self) -> ScoreKind {
        self.model.score_kind
    }

    /// Name of the back end that runs the model.
    pub fn backend(&self) -> &'static str {
        self.classifier.name()
    }

    /// Returns the `top` most likely classes of an image file's `bytes`, in any format that [`decode`] reads; `name` is
    /// the file in messages.
    ///
    /// # Errors
    /// [`RuntimeErrorKind::Image`] for an image that cannot be decoded or prepared, [`RuntimeErrorKind::Run`] for
    /// a network that fails, and [`RuntimeErrorKind::NotFinite`] for a logit that is NaN or infinite.
    pub fn classify(
        &mut self,
        bytes: &[u8],
        name: &str,
        top: usize,
    ) -> Result<Answer, RuntimeError> {
        self.classify_pixels(&decode(bytes, Path::new(name))?, top)
    }

    /// As [`ImageClassifier::classify`], for an image that is already decoded.
    ///
    /// # Errors
    /// As [`ImageClassifier::classify`].
    pub fn classify_pixels(&mut self, pixels: &Pixels, top: usize) -> Result<Answer, RuntimeError> {
        let (logits, latency_ms) = clock::timed(|| self.logits(pixels));
        let logits = logits?;
        let Some(ranked) = Logits::ranked(logits.values()) else {
            let class = logits.values().iter().position(|v| !v.is_finite());
            let class = class.unwrap_or_default();
            return Err(RuntimeErrorKind::NotFinite.error(format!(
                "the model's logit of class {class} is NaN or infinite"
            )));
        };
        Ok(Answer {
            top: self.named(logits.values(), &ranked[..top.min(ranked.len())]),
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

    fn named(&self, logits: &[f32], classes: &[usize]) -> Vec<Guess> {
        let probabilities = self.model.score_kind.probabilities(logits);
        let guess = |&class: &usize| Guess {
            class,
            name: self.model.card.classes[class].clone(),
            probability: probabilities[class],
        };
        classes.iter().map(guess).collect()
    }
}

impl From<LoadedModel> for ImageClassifier {
    fn from(model: LoadedModel) -> Self {
        Self {
            spec: model.card.preprocess.clone(),
            model: Arc::new(Facts {
                score_kind: model.score_kind(),
                card: model.card,
                sha256: model.sha256,
            }),
            classifier: model.classifier,
        }
    }
}
