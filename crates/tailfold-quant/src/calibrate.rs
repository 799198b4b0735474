//! Collects the range and the histogram of each activation over the calibration images.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tailfold_tract::TensorObserver;

use crate::error::{QuantError, QuantErrorKind};
use crate::histogram::Histogram;
use crate::images::CalibrationSet;
use crate::observer::Seen;
use crate::range::Range;

/// Observations on a share of the images. Merging two shares, in any order, gives the observations on both.
struct Share {
    /// Index of each image, with the range of each tensor on it.
    images: Vec<(usize, Vec<Range>)>,
    /// One histogram per tensor, or empty.
    histograms: Vec<Histogram>,
    /// The first image that failed, with its error: the same for any number of threads.
    failed: Option<(usize, QuantError)>,
}

impl Share {
    fn new(histograms: usize) -> Self {
        Self {
            images: Vec::new(),
            histograms: vec![Histogram::new(); histograms],
            failed: None,
        }
    }

    fn merge(mut self, other: Self) -> Self {
        self.images.extend(other.images);
        let failures = [self.failed, other.failed].into_iter().flatten();
        self.failed = failures.min_by_key(|(index, _)| *index);
        let pairs = self.histograms.into_iter().zip(other.histograms);
        self.histograms = pairs.map(|(a, b)| a.merge(b)).collect();
        self
    }
}

/// Observations on some images.
#[derive(Debug)]
pub(crate) struct Observed {
    /// Range of each tensor, one entry per image in the requested order.
    pub(crate) images: Vec<Vec<Range>>,
    /// One histogram per tensor, or empty.
    pub(crate) histograms: Vec<Histogram>,
}

impl Observed {
    /// Converts the observations on all images of `set` to one [`Seen`] per tensor.
    pub(crate) fn seen(self, set: &CalibrationSet, tensors: usize) -> Vec<Seen> {
        let order = set.in_turns();
        let mut histograms = self.histograms.into_iter();
        (0..tensors)
            .map(|tensor| Seen {
                images: order
                    .iter()
                    .map(|&image| self.images[image][tensor])
                    .collect(),
                histogram: histograms.next().unwrap_or_else(Histogram::new),
            })
            .collect()
    }
}

/// Runs the float network `bytes` over the set and returns the observations of each tensor, in the order of
/// `tensors`.
///
/// # Errors
/// As [`observe_some`].
pub(crate) fn observe(
    bytes: &[u8],
    name: &str,
    set: &CalibrationSet,
    tensors: &[String],
    histograms: bool,
    progress: &(dyn Fn() + Sync),
) -> Result<Vec<Seen>, QuantError> {
    let all: Vec<usize> = (0..set.len()).collect();
    let observed = observe_some(bytes, name, set, &all, tensors, histograms, progress)?;
    Ok(observed.seen(set, tensors.len()))
}

/// Runs the float network `bytes` over the images `indices` of the set, on all cores.
///
/// Activations are not stored, only two numbers per tensor and image, and one histogram per tensor and
/// thread. The result does not depend on the number of threads. `progress` is called once per image.
///
/// # Errors
/// [`QuantErrorKind::NotFinite`], which names tensor and image, and errors of the data and the runtime.
pub(crate) fn observe_some(
    bytes: &[u8],
    name: &str,
    set: &CalibrationSet,
    indices: &[usize],
    tensors: &[String],
    histograms: bool,
    progress: &(dyn Fn() + Sync),
) -> Result<Observed, QuantError> {
    let observer = TensorObserver::from_onnx(bytes, name, tensors)?;
    let look = |share: &mut Share, index: usize| {
        let mut ranges = vec![Range::NOTHING; tensors.len()];
        let mut bad: Option<(usize, f32)> = None;
        observer.observe(&set.input(index)?, |tensor, values| {
            let Some(range) = Range::of(values) else {
                // Tensors arrive in the order of computation; the error names the first in graph order.
                if bad.is_none_or(|(first, _)| tensor < first) {
                    let value = values.iter().find(|v| !v.is_finite());
                    bad = Some((tensor, value.copied().unwrap_or(f32::NAN)));
                }
                return;
            };
            ranges[tensor] = range;
            if let Some(histogram) = share.histograms.get_mut(tensor) {
                histogram.add(values, range.magnitude());
            }
        })?;
        if let Some((tensor, value)) = bad {
            return Err(QuantErrorKind::NotFinite.error(format!(
                "tensor `{tensor}` is {value} on calibration image {image}",
                tensor = tensors[tensor],
                image = set.id(index)
            )));
        }
        share.images.push((index, ranges));
        Ok(())
    };
    let counted = if histograms { tensors.len() } else { 0 };
    let share = indices
        .par_iter()
        .fold(
            || Share::new(counted),
            |mut share, &index| {
                // After a failure, only failures of earlier images matter.
                let first = share
                    .failed
                    .as_ref()
                    .map_or(usize::MAX, |(first, _)| *first);
                if index < first
                    && let Err(error) = look(&mut share, index)
                {
                    share.failed = Some((index, error));
                }
                progress();
                share
            },
        )
        .reduce(|| Share::new(counted), Share::merge);
    if let Some((_, error)) = share.failed {
        return Err(error);
    }
    let mut by_image: BTreeMap<usize, Vec<Range>> = share.images.into_iter().collect();
    Ok(Observed {
        images: indices
            .iter()
            .map(|index| by_image.remove(index).unwrap_or_default())
            .collect(),
        histograms: share.histograms,
    })
}
