//! The second pass: windows of every layer's input, and the logits of the float network.

use tailfold_part::{Kind, Part, PartErrorKind};
use tailfold_spec::Shard;

use super::Passes;
use super::asked::{Asked, params_sha256};
use crate::draft::Ranged;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::images::CalibrationSet;
use crate::options::Options;
use crate::sample::{Sampled, Sampler};
use crate::windows::Taken;

/// Samples the windows of the shard's images: per layer, by its node's index, `codes.NODE [n, codes]` and the
/// sums of the errors `lost.NODE [weights of a sum]`; and `answers [n, outputs]`.
pub(super) fn share(
    float: &FloatModel,
    set: &CalibrationSet,
    options: &Options,
    passes: &Passes,
    shard: Shard,
    progress: &(dyn Fn() + Sync),
) -> Result<Part, QuantError> {
    let ranged = passes.ranged(float, set, options, progress)?;
    let sampler = Sampler::new(&ranged.model, &float.name, set.len(), &ranged.plan)?;
    let own: Vec<usize> = shard.images(set.len()).collect();
    let images = sampler.take(set, &own, progress)?;
    let asked = Asked::of(
        float,
        set,
        options,
        Some(params_sha256(&ranged.activations)),
    )?;
    let mut part = Part::new(Kind::Windows, shard, set.len(), &own, &asked)?;
    for (layer, (node, windows)) in sampler.layers().enumerate() {
        let mut sums = vec![0_i64; windows.length()];
        let mut codes = Vec::new();
        for (taken, _) in &images {
            codes.extend_from_slice(&taken[layer].codes);
            let lost = &taken[layer].lost;
            sums.iter_mut()
                .zip(lost)
                .for_each(|(sum, lost)| *sum += lost);
        }
        let of_image = windows.length() * windows.per_image;
        part.put(&format!("codes.{node}"), vec![own.len(), of_image], codes);
        part.put(&format!("lost.{node}"), vec![sums.len()], sums);
    }
    let answers: Vec<f32> = images.into_iter().flat_map(|(_, row)| row).collect();
    part.put("answers", vec![own.len(), float.num_classes()], answers);
    Ok(part)
}

impl Passes {
    /// Returns the sample of each layer, if the parts contain it.
    pub(super) fn sampled(
        &self,
        float: &FloatModel,
        set: &CalibrationSet,
        options: &Options,
        ranged: &Ranged,
    ) -> Result<Option<Sampled>, QuantError> {
        let Some(parts) = &self.windows else {
            return Ok(None);
        };
        let earlier = params_sha256(&ranged.activations);
        let asked = Asked::of(float, set, options, Some(earlier))?;
        parts.check_asked(&asked)?;
        parts.check_whole()?;
        let sampler = Sampler::new(&ranged.model, &float.name, set.len(), &ranged.plan)?;
        let mut taken = Vec::new();
        for (node, windows) in sampler.layers() {
            let name = format!("codes.{node}");
            let (row, codes) = parts.rows::<u8>(&name, 2)?;
            let of_image = windows.length() * windows.per_image;
            let mut lost = vec![0_i64; windows.length()];
            for (path, part) in parts.iter() {
                let (shape, sums) = part.tensor::<i64>(path, &format!("lost.{node}"), 1)?;
                if row != [of_image] || shape != [lost.len()] {
                    let found = format!("{row:?} an image with sums {shape:?}");
                    let expected = format!("[{of_image}] with sums [{}]", lost.len());
                    return Err(PartErrorKind::Damaged
                        .error(format!("tensor `{name}` is {found}, expected {expected}"))
                        .at(path.display())
                        .into());
                }
                lost.iter_mut()
                    .zip(sums)
                    .for_each(|(lost, sum)| *lost += sum);
            }
            // Windows are stored image by image, and sums of integers do not depend on the order.
            taken.push(vec![Taken { codes, lost }]);
        }
        let (row, answers) = parts.rows::<f32>("answers", 2)?;
        let rows = answers.chunks_exact(row[0].max(1)).map(<[f32]>::to_vec);
        let rows = rows.collect();
        Ok(Some(sampler.join(taken, rows)))
    }
}
