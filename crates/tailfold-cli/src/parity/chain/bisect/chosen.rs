//! The images that are looked at: some that flip, and as many that do not.

use anyhow::Context as _;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rayon::prelude::*;
use tailfold::{Backend, Options};
use tailfold_data::{Dataset, preprocess};
use tailfold_onnx::Model;
use tailfold_spec::{ImageBatch, Logits, Preprocess};

use super::finding::Counted;

/// Most flips that are looked at: with 200, a share is known within 7 percentage points (95 %).
const MOST: usize = 200;

/// Seed of the draw.
pub(super) const SEED: u64 = 0;

/// Images a task.
const CHUNK: usize = 16;

/// The images that are looked at.
pub(super) struct Chosen {
    /// Preprocessed, flips first.
    pub(super) inputs: Vec<Vec<f32>>,
    /// `[channels, height, width]`.
    shape: [usize; 3],
    /// The float model's class of each.
    wanted: Vec<Option<usize>>,
    /// How many of them flip.
    pub(super) flips: usize,
    /// Of all images.
    pub(super) all_flips: usize,
}

impl Chosen {
    /// Draws from `data`, whose logits are `reference` and `candidate`, `[images, classes]` each.
    pub(super) fn draw(
        data: &Dataset,
        spec: &Preprocess,
        reference: &Logits,
        candidate: &Logits,
    ) -> anyhow::Result<Self> {
        let decisions = |logits: &Logits| -> Vec<Option<usize>> {
            logits
                .rows()
                .map(|row| Logits::top1(row).map(|t| t.0))
                .collect()
        };
        let (before, after) = (decisions(reference), decisions(candidate));
        let (flips, others): (Vec<usize>, Vec<usize>) =
            (0..before.len()).partition(|&i| before[i] != after[i]);
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let mut some = |from: &[usize], count: usize| -> Vec<usize> {
            let mut drawn = sample(&mut rng, from.len(), count.min(from.len())).into_vec();
            drawn.sort_unstable();
            drawn.into_iter().map(|place| from[place]).collect()
        };
        let mut numbers = some(&flips, MOST);
        let chosen = numbers.len();
        numbers.extend(some(&others, chosen));
        let inputs = numbers.iter().map(|&index| {
            let pixels = data.image(index)?;
            preprocess(&pixels, spec).with_context(|| data.id(index))
        });
        Ok(Self {
            inputs: inputs.collect::<anyhow::Result<_>>()?,
            shape: [spec.channels, spec.height, spec.width],
            wanted: numbers.iter().map(|&index| before[index]).collect(),
            flips: chosen,
            all_flips: flips.len(),
        })
    }

    pub(super) fn controls(&self) -> usize {
        self.inputs.len() - self.flips
    }

    /// Decisions of the ONNX file `bytes` in tract's float arithmetic; `name` stands for it in messages.
    pub(super) fn count(&self, bytes: &[u8], name: &str) -> anyhow::Result<Counted> {
        let prepared = Backend::TractStock.prepare(
            Model::from_bytes(bytes, name)?,
            name,
            &Options::default(),
        )?;
        let [c, h, w] = self.shape;
        let numbers: Vec<usize> = (0..self.inputs.len()).collect();
        let right = numbers
            .par_chunks(CHUNK)
            .map(|chunk| {
                let mut classifier = prepared.classifier.fork();
                let mut right = Vec::with_capacity(chunk.len());
                for &number in chunk {
                    let batch = ImageBatch::new(self.inputs[number].clone(), [1, c, h, w])?;
                    let logits = classifier.logits(&batch)?;
                    let found = Logits::top1(logits.values()).map(|t| t.0);
                    right.push(found == self.wanted[number]);
                }
                anyhow::Ok(right)
            })
            .collect::<anyhow::Result<Vec<_>>>()
            .with_context(|| name.to_owned())?
            .concat();
        let (flips, controls) = right.split_at(self.flips);
        Ok(Counted {
            repaired: flips.iter().filter(|right| **right).count(),
            broken: controls.iter().filter(|right| !**right).count(),
        })
    }
}
