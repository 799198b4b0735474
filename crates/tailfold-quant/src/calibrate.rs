//! What each activation is like over the calibration images.

use rayon::prelude::*;
use tailfold_tract::TensorObserver;

use crate::error::QuantError;
use crate::histogram::Histogram;
use crate::images::CalibrationSet;
use crate::observer::{Range, Seen};

/// What a share of the images showed; two shares add up, in any order, to what both showed.
struct Share {
    /// Image, and the ends of each tensor on it.
    images: Vec<(usize, Vec<Range>)>,
    /// One a tensor, or none.
    histograms: Vec<Histogram>,
    /// The first image that could not be used, and why: the same whatever the number of threads.
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

/// Runs the float network `bytes` over the set, on all cores, and returns what was seen of each tensor, in the order of
/// `tensors`.
///
/// No activation is kept: two numbers a tensor and image, and a histogram a tensor and thread. The result does not depend
/// on the number of threads. `progress` is called once an image.
///
/// # Errors
/// [`QuantError::NotFinite`] naming tensor and image, or those of the data and the runtime.
pub(crate) fn observe(
    bytes: &[u8],
    name: &str,
    set: &CalibrationSet,
    tensors: &[String],
    histograms: bool,
    progress: &(dyn Fn() + Sync),
) -> Result<Vec<Seen>, QuantError> {
    let observer = TensorObserver::from_onnx(bytes, name, tensors)?;
    let look = |share: &mut Share, index: usize| {
        let mut ranges = vec![Range::NOTHING; tensors.len()];
        let mut bad: Option<(usize, f32)> = None;
        observer.observe(&set.input(index)?, |tensor, values| {
            let Some(range) = Range::of(values) else {
                // Tensors come in the order in which they are computed; the first in the graph is named.
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
            return Err(QuantError::NotFinite {
                tensor: tensors[tensor].clone(),
                value,
                image: set.id(index),
            });
        }
        share.images.push((index, ranges));
        Ok(())
    };
    let counted = if histograms { tensors.len() } else { 0 };
    let share = (0..set.len())
        .into_par_iter()
        .fold(
            || Share::new(counted),
            |mut share, index| {
                // After a failure, only an earlier image's matters.
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
    let mut by_image = vec![Vec::new(); set.len()];
    for (index, ranges) in share.images {
        by_image[index] = ranges;
    }
    let order = set.in_turns();
    let mut histograms = share.histograms.into_iter();
    Ok((0..tensors.len())
        .map(|tensor| Seen {
            images: order.iter().map(|&image| by_image[image][tensor]).collect(),
            histogram: histograms.next().unwrap_or_else(Histogram::new),
        })
        .collect())
}
