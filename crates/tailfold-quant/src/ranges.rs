//! Computes the quantization parameters of every quantized tensor from images.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tailfold_onnx::Model;

use crate::affine::ActivationParams;
use crate::calibrate::observe;
use crate::error::{QuantError, QuantErrorKind};
use crate::images::CalibrationSet;
use crate::observer::Seen;
use crate::options::Options;
use crate::regions::Region;
use crate::statistics::TensorStatistics;

/// Returns the parameters of each observed tensor, and statistics of their error, from the `known`
/// observations or from a run over `set`.
pub(crate) fn calibrated(
    model: &Model,
    name: &str,
    set: &CalibrationSet,
    region: &Region,
    options: &Options,
    known: Option<Vec<Seen>>,
    progress: &(dyn Fn() + Sync),
) -> Result<(BTreeMap<String, ActivationParams>, Vec<TensorStatistics>), QuantError> {
    let seen = match known {
        Some(seen) => seen,
        None => observe(
            &model.to_bytes(),
            name,
            set,
            &region.observed,
            options.statistics || options.observer.needs_histogram(),
            progress,
        )?,
    };
    let scheme = options.target.scheme();
    // The search for a range takes as long as some images. The error of the first tensor in the graph is
    // reported.
    let params: Vec<_> = region
        .observed
        .par_iter()
        .zip(&seen)
        .map(|(tensor, seen)| {
            let extremes = seen.extremes();
            if extremes.low >= 0.0 && extremes.high <= 0.0 {
                return Err(QuantErrorKind::AllZero.error(format!(
                    "tensor `{tensor}` is 0 on all calibration images: it has no scale, and the \
                     network or its input is dead there"
                )));
            }
            let range = seen.range(options.observer, scheme);
            let params = ActivationParams::of_range(range, scheme);
            let line = seen.histogram.line();
            let statistics = TensorStatistics::of(tensor, extremes, &line, params);
            Ok((tensor.clone(), params, statistics))
        })
        .collect();
    let (mut activations, mut statistics) = (BTreeMap::new(), Vec::new());
    for found in params {
        let (tensor, params, of_tensor) = found?;
        activations.insert(tensor, params);
        statistics.push(of_tensor);
    }
    if !options.statistics {
        statistics.clear();
    }
    Ok((activations, statistics))
}

/// Returns `activations`, extended by the parameters of the tensors that only move observed values.
pub(crate) fn with_derived(
    region: &Region,
    activations: &BTreeMap<String, ActivationParams>,
) -> BTreeMap<String, ActivationParams> {
    let mut params = activations.clone();
    for derived in region.derived.keys() {
        let mut source = derived;
        while let Some(next) = region.derived.get(source) {
            source = next;
        }
        if let Some(&found) = params.get(source) {
            params.insert(derived.clone(), found);
        }
    }
    params
}
