//! Calibration images: a class-balanced draw from a data set, or images prepared by the user.

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
    /// Largest number of images per class.
    pub per_class: usize,
    /// Seed of the draw.
    pub seed: u64,
    /// Accepts classes without images, and data with fewer classes than the model, if the model does not name
    /// its classes.
    pub allow_missing: bool,
}

/// Calibration images, with the hashes that later identify them.
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

/// All drawn images, decodable or not, and the settings of the draw.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) images: Dataset,
    pub(crate) per_class: usize,
    pub(crate) seed: u64,
}

impl CalibrationSet {
    /// Draws up to `per_class` images of each class of `data` for `model`. Images that do not decode are
    /// skipped, and listed by [`CalibrationSet::skipped`], up to one in a hundred images.
    ///
    /// # Errors
    /// [`QuantErrorKind::Overlap`] for a test split, [`QuantErrorKind::Classes`] when the model has other
    /// classes, [`QuantErrorKind::MissingClass`], or [`QuantErrorKind::Images`].
    pub fn draw(data: &Dataset, model: &FloatModel, draw: &Draw<'_>) -> Result<Self, QuantError> {
        let unread = Self::unread(data, model, draw)?;
        let hashes = unread.hash_all();
        unread.keep(hashes, draw.allow_missing)
    }

    /// Draws images as [`CalibrationSet::draw`] does, but without decoding: the set includes images that
    /// cannot be decoded, and has no hashes.
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

    /// Returns the hash of each image, or the error of its decoding.
    pub(crate) fn hash_all(&self) -> Vec<Result<String, DataError>> {
        let all: Vec<usize> = (0..self.len()).collect();
        self.hash(&all)
    }

    /// Returns the hashes of the images `indices`, 16 hexadecimal digits each, or the error of an image's
    /// decoding.
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

    /// Returns the set without the images that do not decode; `hashes` has the hash of each image, or its
    /// decoding error.
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

    /// Takes all images of `data`, of any split, to compare networks on them; they are not for calibration.
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

    /// Takes images that already have the form of the network's input.
    pub fn prepared(images: PreparedImages) -> Self {
        Self {
            source: Source::Prepared(images),
            skipped: Vec::new(),
        }
    }

    /// Returns the data set of the images in use; `None` for prepared images.
    pub fn data(&self) -> Option<&Dataset> {
        match &self.source {
            Source::Drawn { data, .. } => Some(data),
            Source::Prepared(_) => None,
        }
    }

    /// Returns the number of images.
    pub fn len(&self) -> usize {
        match &self.source {
            Source::Drawn { data, .. } => data.len(),
            Source::Prepared(images) => images.len(),
        }
    }

    /// Returns whether the set is empty, which never happens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the name of the images, for messages and for the record.
    pub fn name(&self) -> String {
        match &self.source {
            Source::Drawn { data, .. } => data.spec().to_string(),
            Source::Prepared(images) => images.name(),
        }
    }

    /// Returns the hash of each image's pixels, 16 hexadecimal digits; empty for prepared images.
    pub fn hashes(&self) -> &[String] {
        match &self.source {
            Source::Drawn { hashes, .. } => hashes,
            Source::Prepared(_) => &[],
        }
    }

    /// Returns all drawn images, and their preprocessing; `None` for prepared images.
    pub(crate) fn drawn(&self) -> Option<(&Drawn, &Preprocess)> {
        match &self.source {
            Source::Drawn {
                drawn, preprocess, ..
            } => Some((drawn, preprocess)),
            Source::Prepared(_) => None,
        }
    }

    /// Returns the images that were skipped because they did not decode.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// Returns the origin of image `index`, for messages.
    pub(crate) fn id(&self, index: usize) -> String {
        match &self.source {
            Source::Drawn { data, .. } => data.id(index),
            Source::Prepared(images) => images.id(index),
        }
    }

    /// Returns the network's input for image `index`.
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

    /// Returns all indices, alternating between the classes: a moving average must not end with images of one
    /// class.
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

/// Checks that `data` has the classes of `model`: their names, or only their number when the model does not
/// name them.
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

/// Checks that no calibration image has the pixels of an image of `evaluation`.
///
/// # Errors
/// [`QuantErrorKind::Overlap`], which names the first shared image in both sets.
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
