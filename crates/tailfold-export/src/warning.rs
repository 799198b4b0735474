//! Reasons to doubt offsets: the prior asks for more than the images support.

use std::fmt;

use serde::Serialize;
use tailfold_sdot::Stop;

use crate::rows::{ClassRow, Expected};
use crate::{Resolved, Sample};

/// Largest accepted weight of one image of the sample, relative to the prior mass of a class.
const LARGEST_STEP: f64 = 0.5;

/// Smallest number of sample images per class without a warning. With fewer images, a handful of images decides the
/// offset of the class. The group `few` has the same limit for training images.
const FEWEST_IMAGES: usize = 20;

/// Smallest number of effective images without a warning: from 100 images, a share of one half has a standard error of
/// 5 pp.
const FEWEST_EFFECTIVE: f64 = 100.0;

/// A reason to doubt a result. In JSON: `kind` and the numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Warning {
    /// One image of the sample weighs more than half of the prior mass of a class.
    CoarseSample {
        /// The class.
        class: String,
        /// Mass that the prior gives the class.
        prior: f64,
        /// Share of the sample's total weight on its heaviest image.
        largest_weight: f64,
    },
    /// A class with few images in the sample.
    FewImages {
        /// The class.
        class: String,
        /// Its number of images.
        images: usize,
        /// The least number without a warning.
        least: usize,
    },
    /// The masses do not match the prior.
    NotConverged {
        /// Why the solver stopped.
        stop: String,
        /// Chi-square distance of the masses from the prior.
        chi_square: f64,
        /// The class with the largest relative error.
        class: String,
        /// Mass that the prior gives the class.
        prior: f64,
        /// Mass that the class has.
        mass: f64,
    },
    /// No image of the sample has the class as top-1.
    NeverAnswered {
        /// The class.
        class: String,
    },
    /// The offsets differ by more than the scores of an image do on average: the offsets decide, not the image.
    OffsetsBeyondScores {
        /// Largest minus smallest offset, in logits.
        offsets_range: f64,
        /// Largest minus smallest raw score of an image, mean over the sample, in logits.
        score_range: f64,
        /// The classes with the largest and the smallest offset.
        classes: [String; 2],
    },
    /// The expected accuracy rests on few images, or on a few images with most of the weight.
    FewEffectiveImages {
        /// Number of images drawn from the prior itself with the same standard error.
        effective: f64,
        /// The least number without a warning.
        least: f64,
    },
    /// The model is hardly better than chance on the images that offsets are solved on.
    NearChance {
        /// Mean recall of the classes.
        mean_recall: f64,
        /// Mean recall by chance: one divided by the number of classes.
        chance: f64,
    },
    /// A model file does not name its training images, so the evaluation images may be among them.
    TrainingImagesUnknown,
    /// The evaluation images could not be compared with the training images.
    TrainingImagesNotCompared {
        /// The training data.
        data: String,
        /// Why they cannot be opened.
        why: String,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CoarseSample {
                class,
                prior,
                largest_weight,
            } => write!(
                f,
                "the prior gives class `{class}` {:.2} %, and one image of the sample weighs up to {:.2} %: a single image decides the offset of the class",
                100.0 * prior,
                100.0 * largest_weight
            ),
            Self::FewImages {
                class,
                images,
                least,
            } => write!(
                f,
                "class `{class}` has {images} images in the sample, fewer than {least}: its offset rests on a handful of images"
            ),
            Self::NotConverged {
                stop,
                chi_square,
                class,
                prior,
                mass,
            } => write!(
                f,
                "the solver did not converge ({stop}, chi-square {chi_square:.2e}): class `{class}` has a mass of {:.2} %, but its prior mass is {:.2} %",
                100.0 * mass,
                100.0 * prior
            ),
            Self::NeverAnswered { class } => {
                write!(f, "no image of the sample has class `{class}` as top-1")
            }
            Self::OffsetsBeyondScores {
                offsets_range,
                score_range,
                classes: [first, last],
            } => write!(
                f,
                "the offsets span {offsets_range:.2} logits (`{first}` to `{last}`), but the scores of an image span only {score_range:.2} on average: the prior decides more than the image"
            ),
            Self::FewEffectiveImages { effective, least } => write!(
                f,
                "the expected accuracy rests on {effective:.0} effective images, fewer than {least}"
            ),
            Self::NearChance {
                mean_recall,
                chance,
            } => write!(
                f,
                "the mean recall on the calibration images is {:.2} %, by chance it would be {:.2} %: check the order of the class names and the preprocessing",
                100.0 * mean_recall,
                100.0 * chance
            ),
            Self::TrainingImagesUnknown => f.write_str(
                "the evaluation images may be training images: a model file does not name its training images",
            ),
            Self::TrainingImagesNotCompared { data, why } => write!(
                f,
                "could not check whether the evaluation images are training images ({data}): {why}"
            ),
        }
    }
}

/// A warning with its text, for JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// The warning.
    #[serde(flatten)]
    pub warning: Warning,
    /// The text of the warning.
    pub text: String,
}

impl From<Warning> for Told {
    fn from(warning: Warning) -> Self {
        Self {
            text: warning.to_string(),
            warning,
        }
    }
}

/// Returns reasons to doubt the offsets `resolved` on `sample`; `rows` has one row per class.
pub(crate) fn of_solution(
    resolved: &Resolved,
    sample: &Sample<'_>,
    rows: &[ClassRow],
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for row in rows {
        if row.sample_images < FEWEST_IMAGES {
            warnings.push(Warning::FewImages {
                class: row.name.clone(),
                images: row.sample_images,
                least: FEWEST_IMAGES,
            });
        }
    }
    let total: f64 = resolved.weights.iter().sum();
    let largest_weight = resolved.weights.iter().copied().fold(0.0, f64::max) / total;
    for row in rows {
        if largest_weight > LARGEST_STEP * row.prior {
            warnings.push(Warning::CoarseSample {
                class: row.name.clone(),
                prior: row.prior,
                largest_weight,
            });
        }
        if row.answered_after <= 0.0 {
            let class = row.name.clone();
            warnings.push(Warning::NeverAnswered { class });
        }
    }
    let error = |row: &ClassRow| (row.mass_after - row.prior).abs() / row.prior;
    let worst = rows.iter().max_by(|a, b| error(a).total_cmp(&error(b)));
    if let (true, Some(worst)) = (resolved.stop != Stop::Converged, worst) {
        warnings.push(Warning::NotConverged {
            stop: resolved.stop.to_string(),
            chi_square: resolved.record.chi_square,
            class: worst.name.clone(),
            prior: worst.prior,
            mass: worst.mass_after,
        });
    }
    let by_offset = |a: &&ClassRow, b: &&ClassRow| a.offset_after.total_cmp(&b.offset_after);
    if let (Some(least), Some(most)) =
        (rows.iter().min_by(by_offset), rows.iter().max_by(by_offset))
    {
        let offsets_range = f64::from(most.offset_after) - f64::from(least.offset_after);
        let score_range = sample.score_range(&resolved.weights);
        if offsets_range > score_range {
            warnings.push(Warning::OffsetsBeyondScores {
                offsets_range,
                score_range,
                classes: [most, least].map(|row| row.name.clone()),
            });
        }
    }
    warnings
}

/// Largest mean recall, relative to chance, that raises doubts about class names or preprocessing.
const NEAR_CHANCE: f64 = 2.0;

/// Returns a reason to doubt a model with the mean recall `mean_recall` over `classes` classes.
pub(crate) fn of_recall(mean_recall: f64, classes: usize) -> Option<Warning> {
    let chance = 1.0 / classes.max(1) as f64;
    let near = classes > 2 && mean_recall <= NEAR_CHANCE * chance;
    near.then_some(Warning::NearChance {
        mean_recall,
        chance,
    })
}

/// Returns a reason to doubt an expected accuracy.
pub(crate) fn of_expected(expected: &Expected) -> Option<Warning> {
    (expected.effective_images < FEWEST_EFFECTIVE).then_some(Warning::FewEffectiveImages {
        effective: expected.effective_images,
        least: FEWEST_EFFECTIVE,
    })
}
