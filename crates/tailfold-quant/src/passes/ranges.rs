//! The first pass: the range of every activation on every image, and its histogram over a shard's images.

use tailfold_part::{Kind, Part, PartErrorKind};
use tailfold_spec::Shard;

use super::{Passes, asked::Asked};
use crate::calibrate::{Observed, observe_some};
use crate::draft::Graph;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::histogram::Histogram;
use crate::images::CalibrationSet;
use crate::observer::Seen;
use crate::options::Options;
use crate::range::Range;
use crate::regions::Region;

/// Observes the shard's images: tensors `hashes [n]`, `ends [n, 2 * tensors]`, `exponents [tensors]` and
/// `counts [tensors, bins]`.
///
/// Every observer stores histograms, because a report needs them.
pub(super) fn share(
    float: &FloatModel,
    set: &CalibrationSet,
    options: &Options,
    shard: Shard,
    progress: &(dyn Fn() + Sync),
) -> Result<Part, QuantError> {
    let Graph { model, region, .. } = Graph::of(float, options)?;
    let own: Vec<usize> = shard.images(set.len()).collect();
    let (covered, hashes): (Vec<usize>, Vec<u64>) = if set.data().is_some() {
        let hashes = set.hash(&own).into_iter();
        let usable = own.iter().zip(hashes).filter_map(|(&image, hash)| {
            let hash = u64::from_str_radix(&hash.ok()?, 16).ok()?;
            Some((image, hash))
        });
        usable.unzip()
    } else {
        (own, Vec::new())
    };
    let bytes = model.to_bytes();
    let (name, tensors) = (&float.name, &region.observed);
    let observed = observe_some(&bytes, name, set, &covered, tensors, true, progress)?;
    let asked = Asked::of(float, set, options, None)?;
    let mut part = Part::new(Kind::Ranges, shard, set.len(), &covered, &asked)?;
    if set.data().is_some() {
        part.put("hashes", vec![covered.len()], hashes);
    }
    let ends = observed.images.iter().flatten();
    let ends: Vec<f32> = ends.flat_map(|range| [range.low, range.high]).collect();
    part.put("ends", vec![covered.len(), 2 * tensors.len()], ends);
    let (exponents, counts): (Vec<i64>, Vec<Vec<u64>>) = observed
        .histograms
        .iter()
        .map(|histogram| {
            let (exponent, counts) = histogram.to_parts();
            (i64::from(exponent), counts)
        })
        .unzip();
    let bins = counts.first().map_or(0, Vec::len);
    part.put("exponents", vec![tensors.len()], exponents);
    part.put("counts", vec![tensors.len(), bins], counts.concat());
    Ok(part)
}

impl Passes {
    /// Returns the observations of each tensor of `region`, if the parts contain them.
    pub(super) fn seen(
        &self,
        float: &FloatModel,
        set: &CalibrationSet,
        options: &Options,
        region: &Region,
    ) -> Result<Option<Vec<Seen>>, QuantError> {
        let Some(parts) = &self.ranges else {
            return Ok(None);
        };
        parts.check_asked(&Asked::of(float, set, options, None)?)?;
        let tensors = region.observed.len();
        let (row, ends) = parts.rows::<f32>("ends", 2)?;
        let mut histograms = vec![Histogram::new(); tensors];
        for (path, part) in parts.iter() {
            let (shape, exponents) = part.tensor::<i64>(path, "exponents", 1)?;
            let (bins, counts) = part.tensor::<u64>(path, "counts", 2)?;
            let misfit = || {
                PartErrorKind::Damaged
                    .error(format!(
                        "tensor `counts` is {bins:?} of {shape:?} exponents, with ends {row:?}, \
                         expected a histogram of each of {tensors} tensors"
                    ))
                    .at(path.display())
            };
            if shape != [tensors] || row != [2 * tensors] {
                return Err(misfit().into());
            }
            let others = exponents.iter().zip(counts.chunks_exact(bins[1].max(1)));
            for (histogram, (&exponent, counts)) in histograms.iter_mut().zip(others) {
                let other = Histogram::from_parts(exponent, counts).ok_or_else(misfit)?;
                *histogram = std::mem::replace(histogram, Histogram::new()).merge(other);
            }
        }
        let ranges = |row: &[f32]| {
            let ends = row.as_chunks().0.iter();
            ends.map(|&[low, high]| Range { low, high }).collect()
        };
        let images: Vec<Vec<Range>> = ends.chunks_exact(row[0].max(1)).map(ranges).collect();
        let observed = Observed { images, histograms };
        Ok(Some(observed.seen(set, tensors)))
    }
}
