//! Calibration images: a class-balanced draw from a data set, or images that somebody else prepared.

use rayon::prelude::*;
use tailfold_data::{DataError, Dataset, Overlap, Split, preprocess};
use tailfold_spec::Preprocess;

use crate::error::{QuantError, QuantErrorKind};
use crate::float::FloatModel;
use crate::prepared::PreparedImages;

/// Largest share of drawn images that may fail to decode.
const MOST_SKIPPED: f64 = 0.01;

/// How images are drawn from a data set.
#[derive(Clone, Copy, Debug)]
pub struct Draw<'a> {
    /// How an image becomes the network's input.
    pub preprocess: &'a Preprocess,
    /// Most images a class.
    pub per_class: usize,
    /// Seed of the draw.
    pub seed: u64,
    /// Accept classes without any image, and data that has fewer classes than a model that does not name its own.
    pub allow_missing: bool,
}

/// Calibration images, with what proves later which they were.
#[derive(Debug)]
pub struct CalibrationSet {
    source: Source,
    skipped: Vec<String>,
}

#[derive(Debug)]
enum Source {
    Drawn {
        data: Dataset,
        hashes: Vec<String>,
        preprocess: Preprocess,
        drawn: Box<Drawn>,
    },
    Prepared(PreparedImages),
}

/// What was drawn, whether it decodes or not, and how.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) images: Dataset,
    pub(crate) per_class: usize,
    pub(crate) seed: u64,
}

impl CalibrationSet {
    /// Takes up to `per_class` images of each class of `data` for `model`. Images that do not decode are left out, and named by
    /// [`CalibrationSet::skipped`], as long as they are at most one in a hundred.
    ///
    /// # Errors
    /// [`QuantErrorKind::Overlap`] for a test split, [`QuantErrorKind::Classes`] when the
    /// model has other classes,
    /// [`QuantErrorKind::MissingClass`], or [`QuantErrorKind::Images`].
    pub fn draw(data: &Dataset, model: &FloatModel, draw: &Draw<'_>) -> Result<Self, QuantError> {
        let unread = Self::unread(data, model, draw)?;
        let hashes = unread.hash_all();
        unread.keep(hashes, draw.allow_missing)
    }

    /// The images drawn as by [`CalibrationSet::draw`], before one is decoded: those that cannot be are among them, and there are no
    /// hashes.
    ///
    /// # Errors
    /// [`QuantErrorKind::Overlap`], [`QuantErrorKind::Classes`] or [`QuantErrorKind::Images`].
    pub fn unread(data: &Dataset, model: &FloatModel, draw: &Draw<'_>) -> Result<Self, QuantError> {
        if data.spec().split() == Some(Split::Test) {
            return Err(QuantErrorKind::Overlap.error(format!(
                "{} is the evaluation split: calibrate on training images",
                data.spec()
            )));
        }
        check_classes(data, model, draw.allow_missing)?;
        let drawn = data.subset(&data.balanced_indices(draw.per_class, draw.seed)?);
        if drawn.is_empty() {
            return Err(QuantErrorKind::Images.error("the calibration set is empty"));
        }
        Ok(Self {
            source: Source::Drawn {
                data: drawn.clone(),
                hashes: Vec::new(),
                preprocess: draw.preprocess.clone(),
                drawn: Box::new(Drawn {
                    images: drawn,
                    per_class: draw.per_class,
                    seed: draw.seed,
                }),
            },
            skipped: Vec::new(),
        })
    }

    /// The hash of each image, or why one cannot be decoded.
    pub(crate) fn hash_all(&self) -> Vec<Result<String, DataError>> {
        let all: Vec<usize> = (0..self.len()).collect();
        self.hash(&all)
    }

    /// Hashes of the images `indices`, 16 hexadecimal digits, or why one cannot be decoded.
    pub(crate) fn hash(&self, indices: &[usize]) -> Vec<Result<String, DataError>> {
        let Some(data) = self.data() else {
            return Vec::new();
        };
        indices
            .par_iter()
            .map(|&i| {
                let mut hash = data.image(i)?.sha256();
                hash.truncate(16);
                Ok(hash)
            })
            .collect()
    }

    /// Returns the set without the images that do not decode; `hashes` has the hash of each image, or the reason why it does not decode.
    pub(crate) fn keep(
        self,
        hashes: Vec<Result<String, DataError>>,
        allow_missing: bool,
    ) -> Result<Self, QuantError> {
        let Source::Drawn {
            preprocess, drawn, ..
        } = self.source
        else {
            return Ok(self);
        };
        let (mut kept, mut kept_hashes, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (i, hash) in hashes.into_iter().enumerate() {
            match hash {
                Ok(hash) => {
                    kept.push(i);
                    kept_hashes.push(hash);
                }
                Err(error) => failed.push((i, error)),
            }
        }
        let skipped = failed.iter().map(|(i, _)| drawn.images.id(*i)).collect();
        if failed.len() as f64 > MOST_SKIPPED * drawn.images.len() as f64 {
            let count = failed.len();
            if let Some((i, source)) = failed.into_iter().next() {
                return Err(QuantErrorKind::Images
                    .error(format!(
                        "{count} of {drawn} calibration images cannot be decoded, more than one in \
                         a hundred; the first is {image}",
                        drawn = drawn.images.len(),
                        image = drawn.images.id(i)
                    ))
                    .caused_by(source));
            }
        }
        let data = drawn.images.subset(&kept);
        let missing = data.class_counts().iter().position(|&n| n == 0);
        if let Some(class) = missing.filter(|_| !allow_missing) {
            return Err(QuantErrorKind::MissingClass.error(format!(
                "class {class} (`{name}`) has no image in {data}, so nothing keeps its activations \
                 in range",
                name = data.classes()[class],
                data = data.spec()
            )));
        }
        Ok(Self {
            source: Source::Drawn {
                data,
                hashes: kept_hashes,
                preprocess,
                drawn,
            },
            skipped,
        })
    }

    /// Takes all images of `data`, of whatever split, to compare networks on; not to calibrate on.
    ///
    /// # Errors
    /// [`QuantErrorKind::Classes`] when the model has other classes, or [`QuantErrorKind::Images`].
    pub fn all(
        data: Dataset,
        model: &FloatModel,
        preprocess: &Preprocess,
    ) -> Result<Self, QuantError> {
        check_classes(&data, model, true)?;
        if data.is_empty() {
            return Err(QuantErrorKind::Images.error("the calibration set is empty"));
        }
        Ok(Self {
            source: Source::Drawn {
                drawn: Box::new(Drawn {
                    images: data.clone(),
                    per_class: usize::MAX,
                    seed: 0,
                }),
                data,
                hashes: Vec::new(),
                preprocess: preprocess.clone(),
            },
            skipped: Vec::new(),
        })
    }

    /// Takes images that are the network's inputs already.
    pub fn prepared(images: PreparedImages) -> Self {
        Self {
            source: Source::Prepared(images),
            skipped: Vec::new(),
        }
    }

    /// The data set that the images were drawn from, as far as they are used; `None` for prepared images.
    pub fn data(&self) -> Option<&Dataset> {
        match &self.source {
            Source::Drawn { data, .. } => Some(data),
            Source::Prepared(_) => None,
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Drawn { data, .. } => data.len(),
            Source::Prepared(images) => images.len(),
        }
    }

    /// True without images, which is never.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the images are, for people and for the record.
    pub fn name(&self) -> String {
        match &self.source {
            Source::Drawn { data, .. } => data.spec().to_string(),
            Source::Prepared(images) => images.name(),
        }
    }

    /// Hash of each image's pixels, 16 hexadecimal digits; empty for prepared images.
    pub fn hashes(&self) -> &[String] {
        match &self.source {
            Source::Drawn { hashes, .. } => hashes,
            Source::Prepared(_) => &[],
        }
    }

    /// What was drawn, and how images are prepared; `None` for prepared images.
    pub(crate) fn drawn(&self) -> Option<(&Drawn, &Preprocess)> {
        match &self.source {
            Source::Drawn {
                drawn, preprocess, ..
            } => Some((drawn, preprocess)),
            Source::Prepared(_) => None,
        }
    }

    /// Images that did not decode and were left out.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Where image `index` comes from.
    pub(crate) fn id(&self, index: usize) -> String {
        match &self.source {
            Source::Drawn { data, .. } => data.id(index),
            Source::Prepared(images) => images.id(index),
        }
    }

    /// The network's input for image `index`.
    pub(crate) fn input(&self, index: usize) -> Result<Vec<f32>, QuantError> {
        match &self.source {
            Source::Drawn {
                data,
                preprocess: p,
                ..
            } => {
                let pixels = data.image(index)?;
                preprocess(&pixels, p).map_err(|source| {
                    QuantErrorKind::Images
                        .error(format!("calibration image {}", data.id(index)))
                        .caused_by(source)
                })
            }
            Source::Prepared(images) => images.read(index),
        }
    }

    /// All indices, class after class in turn: a moving average must not end on one class.
    pub(crate) fn in_turns(&self) -> Vec<usize> {
        let Some(data) = self.data() else {
            return (0..self.len()).collect();
        };
        let mut seen = vec![0_usize; data.classes().len()];
        let mut order: Vec<(usize, usize, usize)> = data
            .labels()
            .iter()
            .enumerate()
            .map(|(index, &class)| {
                seen[class] += 1;
                (seen[class], class, index)
            })
            .collect();
        order.sort_unstable();
        order.into_iter().map(|(_, _, index)| index).collect()
    }
}

/// Checks that the labels of `data` are those of `model`, as far as it says.
fn check_classes(data: &Dataset, model: &FloatModel, fewer: bool) -> Result<(), QuantError> {
    if let Some(card) = model.card() {
        if data.classes() == card.classes {
            return Ok(());
        }
        return Err(QuantErrorKind::Classes.error(format!(
            "the model has classes {model:?} but the calibration data has {data:?}",
            model = card.classes,
            data = data.classes()
        )));
    }
    let (found, expected) = (data.classes().len(), model.num_classes());
    if found == expected || (fewer && found < expected) {
        return Ok(());
    }
    Err(QuantErrorKind::Classes.error(format!(
        "the model has {expected} classes but {data} has {found}",
        data = data.spec()
    )))
}

/// Checks that no calibration image is in `evaluation`, by the pixels.
///
/// # Errors
/// [`QuantErrorKind::Overlap`] naming the first shared image in both sets.
pub fn check_disjoint(
    calibration: &CalibrationSet,
    evaluation: &Dataset,
) -> Result<(), QuantError> {
    let (ours, theirs) = (calibration.hashes(), evaluation.pixel_hashes()?);
    let keys = ours.iter().map(String::as_str);
    let Overlap { shared, first } = Overlap::of(keys, theirs.iter().map(String::as_str));
    match first {
        None => Ok(()),
        Some((i, j)) => Err(QuantErrorKind::Overlap.error(format!(
            "calibration image {calibration} is also in the evaluation data, as {evaluation} \
             ({shared} shared images in all)",
            calibration = calibration.id(i),
            evaluation = evaluation.id(j)
        ))),
    }
}
