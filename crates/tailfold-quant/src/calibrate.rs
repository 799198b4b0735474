//! Ranges of activations over a class-balanced set of training images.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tailfold_data::{Dataset, Split, preprocess};
use tailfold_spec::ModelCard;
use tailfold_tract::TensorObserver;

use crate::error::QuantError;
use crate::observer::{Histogram, ObserverKind};

/// Ends of a tensor's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    /// Smallest.
    pub low: f32,
    /// Largest.
    pub high: f32,
}

impl Range {
    const NOTHING: Self = Self {
        low: f32::INFINITY,
        high: f32::NEG_INFINITY,
    };

    fn join(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }
}

/// Calibration images, with what proves later which they were.
#[derive(Debug)]
pub struct CalibrationSet {
    data: Dataset,
    hashes: Vec<String>,
}

impl CalibrationSet {
    /// Takes up to `per_class` images of each class of `data`, drawn with `seed`.
    ///
    /// # Errors
    /// [`QuantError::EvaluationSplit`] for a test split, [`QuantError::Classes`] when the model has other classes,
    /// [`QuantError::NoImages`], or [`QuantError::Data`] for an unreadable image or a class without any.
    pub fn draw(
        data: &Dataset,
        card: &ModelCard,
        per_class: usize,
        seed: u64,
    ) -> Result<Self, QuantError> {
        if data.spec().split() == Some(Split::Test) {
            return Err(QuantError::EvaluationSplit(data.spec().to_string()));
        }
        if data.classes() != card.classes {
            return Err(QuantError::Classes {
                model: card.classes.clone(),
                data: data.classes().to_vec(),
            });
        }
        let drawn = data.subset(&data.balanced_indices(per_class, seed)?);
        if drawn.is_empty() {
            return Err(QuantError::NoImages);
        }
        let hashes = drawn.pixel_hashes()?;
        Ok(Self {
            data: drawn,
            hashes,
        })
    }

    /// The images.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// Hash of each image's pixels, 16 hexadecimal digits.
    pub fn hashes(&self) -> &[String] {
        &self.hashes
    }
}

/// Checks that no calibration image is in `evaluation`, by the pixels.
///
/// # Errors
/// [`QuantError::Overlap`] naming the first shared image in both sets.
pub fn check_disjoint(
    calibration: &CalibrationSet,
    evaluation: &Dataset,
) -> Result<(), QuantError> {
    let theirs = evaluation.pixel_hashes()?;
    let by_hash: BTreeMap<&str, usize> = theirs
        .iter()
        .enumerate()
        .map(|(i, h)| (h.as_str(), i))
        .collect();
    let shared: Vec<(usize, usize)> = calibration
        .hashes
        .iter()
        .enumerate()
        .filter_map(|(i, hash)| by_hash.get(hash.as_str()).map(|&j| (i, j)))
        .collect();
    match shared.first() {
        None => Ok(()),
        Some(&(i, j)) => Err(QuantError::Overlap {
            calibration: calibration.data.id(i),
            evaluation: evaluation.id(j),
            shared: shared.len(),
        }),
    }
}

/// Runs the float network `bytes` over the set and returns the range of each tensor, in the order of `tensors`.
///
/// The result does not depend on the number of threads: minima, maxima and counts commute. `progress` is called once
/// an image and pass.
///
/// # Errors
/// [`QuantError::NotFinite`] naming tensor and image, or those of the data and the runtime.
pub fn observe_ranges(
    bytes: &[u8],
    card: &ModelCard,
    set: &CalibrationSet,
    tensors: &[String],
    kind: ObserverKind,
    progress: &(dyn Fn() + Sync),
) -> Result<Vec<Range>, QuantError> {
    let observer = TensorObserver::from_onnx(bytes, &card.name, tensors)?;
    let each = |index: usize, visit: &mut dyn FnMut(usize, &[f32])| -> Result<(), QuantError> {
        let image = preprocess(&set.data.image(index)?, &card.preprocess).map_err(|source| {
            QuantError::Image {
                image: set.data.id(index),
                source,
            }
        })?;
        observer.observe(&image, visit)?;
        progress();
        Ok(())
    };
    let nothing = || vec![Range::NOTHING; tensors.len()];
    let ranges = (0..set.data.len())
        .into_par_iter()
        .map(|index| {
            let mut ranges = nothing();
            let mut bad = None;
            each(index, &mut |tensor, values| {
                for &value in values {
                    if !value.is_finite() {
                        bad.get_or_insert((tensor, value));
                    }
                    ranges[tensor] = ranges[tensor].join(Range {
                        low: value,
                        high: value,
                    });
                }
            })?;
            match bad {
                None => Ok(ranges),
                Some((tensor, value)) => Err(QuantError::NotFinite {
                    tensor: tensors[tensor].clone(),
                    value,
                    image: set.data.id(index),
                }),
            }
        })
        .try_reduce(nothing, |a, b| {
            Ok(a.into_iter().zip(b).map(|(a, b)| a.join(b)).collect())
        })?;
    let ObserverKind::Percentile(percent) = kind else {
        return Ok(ranges);
    };
    let empty = || {
        ranges
            .iter()
            .map(|&r| Histogram::new(r))
            .collect::<Vec<_>>()
    };
    let histograms = (0..set.data.len())
        .into_par_iter()
        .try_fold(empty, |mut histograms, index| {
            each(index, &mut |tensor, values| histograms[tensor].add(values))?;
            Ok::<_, QuantError>(histograms)
        })
        .try_reduce(empty, |a, b| {
            Ok(a.into_iter().zip(&b).map(|(a, b)| a.merge(b)).collect())
        })?;
    Ok(histograms.iter().map(|h| h.central(percent)).collect())
}
