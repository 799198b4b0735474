//! Raw scores of labelled images, by the program that will serve the model: one run for any number of offsets.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use safetensors::{Dtype, SafeTensors};
use tailfold_data::{DataSpec, Dataset};
use tailfold_spec::artifact;

use super::unfolded::Unfolded;
use crate::output::say;
use crate::process::shown;

/// Images with their labels and the scores that the unfolded model gives them.
pub(crate) struct Scored {
    /// The data spec.
    pub(crate) data: String,
    /// `[n]`, each below the number of classes.
    pub(crate) labels: Vec<usize>,
    /// `[n, classes]`, row-major, without offsets, finite.
    pub(crate) scores: Vec<f32>,
    pub(crate) classes: usize,
    images: Dataset,
}

/// Sets of more images than this together are compared by file names: their pixels would take minutes to decode.
const MOST_HASHED: usize = 20_000;

impl Scored {
    /// Runs `tailfold logits` on the images of `spec`. Each class has to have some.
    pub(crate) fn of(run: &Unfolded, tailfold: &Path, spec: &DataSpec) -> anyhow::Result<Self> {
        let images = Dataset::open(spec)?;
        if let Some(empty) = images.class_counts().iter().position(|&n| n == 0) {
            let class = &images.classes()[empty];
            anyhow::bail!("{spec} has no images of class `{class}`");
        }
        say(&format!("scoring {spec}"));
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let (model, out) = (
            folder.path().join("unfolded.onnx"),
            folder.path().join("logits.safetensors"),
        );
        artifact::write(&model, &run.model.to_bytes())?;
        let mut command = Command::new(tailfold);
        command.arg("logits").arg("--model").arg(&model);
        command.args(["--data", &spec.to_string()]);
        command.arg("--out").arg(&out);
        let answer = command
            .output()
            .with_context(|| format!("cannot run {}", shown(&command)))?;
        // What it says when all is well is about a file that is gone in a moment.
        ensure!(
            answer.status.success(),
            "{}",
            String::from_utf8_lossy(&answer.stderr).trim()
        );
        let bytes = artifact::read(&out)?;
        let tensors = SafeTensors::deserialize(&bytes)?;
        let (logits, labels) = (tensors.tensor("logits")?, tensors.tensor("labels")?);
        ensure!(
            logits.dtype() == Dtype::F32 && labels.dtype() == Dtype::U64,
            "logits are {:?} and labels {:?}, expected F32 and U64",
            logits.dtype(),
            labels.dtype()
        );
        let (values, _) = logits.data().as_chunks::<4>();
        let (labels, _) = labels.data().as_chunks::<8>();
        let labels = labels
            .iter()
            .map(|&label| usize::try_from(u64::from_le_bytes(label)));
        let scored = Self {
            data: spec.to_string(),
            labels: labels.collect::<Result<_, _>>()?,
            scores: values.iter().map(|&v| f32::from_le_bytes(v)).collect(),
            classes: run.manifest.classes.len(),
            images,
        };
        if let Some(at) = scored.scores.iter().position(|s| !s.is_finite()) {
            let id = scored.images.id(at / scored.classes);
            anyhow::bail!("{id}: a score of the model is {}", scored.scores[at]);
        }
        Ok(scored)
    }

    /// The class with the largest score under `offsets`, `[n]`; a tie goes to the lowest class.
    ///
    /// A folded file adds the offset to the bias and that to the product, this adds it to their sum: the two can differ where
    /// the two largest scores are within a rounding of `f32`.
    pub(crate) fn decisions(&self, offsets: &[f32]) -> Vec<usize> {
        let best = |row: &[f32]| {
            let shifted = row.iter().zip(offsets).map(|(s, h)| s + h);
            let first = (0, f32::NEG_INFINITY);
            let best = shifted.enumerate().fold(
                first,
                |best, next| if next.1 > best.1 { next } else { best },
            );
            best.0
        };
        self.scores.chunks_exact(self.classes).map(best).collect()
    }

    /// Images of each class, `[classes]`.
    pub(crate) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for &label in &self.labels {
            counts[label] += 1;
        }
        counts
    }

    /// Fails when one of these images is among `others`, which `are` what offsets or weights were made from.
    pub(crate) fn refuse_images_of(&self, others: &Dataset, are: &str) -> anyhow::Result<()> {
        let keys = |data: &Dataset| -> anyhow::Result<Vec<String>> {
            if self.images.len() + others.len() <= MOST_HASHED {
                return Ok(data.pixel_hashes()?);
            }
            Ok((0..data.len()).map(|i| data.id(i)).collect())
        };
        let others_keys: std::collections::HashSet<String> = keys(others)?.into_iter().collect();
        let own = keys(&self.images)?;
        let shared = own.iter().position(|key| others_keys.contains(key));
        if let Some(first) = shared {
            let all = own.iter().filter(|key| others_keys.contains(*key)).count();
            anyhow::bail!(
                "{all} of the {} images of {} are {are} ({}), the first {}: accuracy is measured on other images",
                own.len(),
                self.data,
                others.spec(),
                self.images.id(first)
            );
        }
        Ok(())
    }

    /// The images themselves.
    pub(crate) fn images(&self) -> &Dataset {
        &self.images
    }
}
