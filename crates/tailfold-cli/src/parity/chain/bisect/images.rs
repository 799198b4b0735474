//! The images of the sample, and the decisions of a graph on them.

use anyhow::Context as _;
use rayon::prelude::*;
use tailfold::{Backend, Options};
use tailfold_data::{Dataset, preprocess};
use tailfold_onnx::Model;
use tailfold_parity::chain::bisect::Sample;
use tailfold_spec::{ImageBatch, Logits, Preprocess};

/// Images per task.
const CHUNK: usize = 16;

/// The images of the sample.
pub(super) struct Images {
    /// Preprocessed images; flips come first.
    pub(super) inputs: Vec<Vec<f32>>,
    /// `[channels, height, width]`.
    shape: [usize; 3],
    /// Number of flips.
    pub(super) flips: usize,
}

impl Images {
    /// Preprocesses the images of `sample`.
    pub(super) fn of(data: &Dataset, spec: &Preprocess, sample: &Sample) -> anyhow::Result<Self> {
        let inputs = sample.numbers().iter().map(|&index| {
            let pixels = data.image(index)?;
            preprocess(&pixels, spec).with_context(|| data.id(index))
        });
        Ok(Self {
            inputs: inputs.collect::<anyhow::Result<_>>()?,
            shape: [spec.channels, spec.height, spec.width],
            flips: sample.flips(),
        })
    }

    /// Returns the decisions of the ONNX file `bytes` in tract's float arithmetic; `name` is the file in messages.
    pub(super) fn decide(&self, bytes: &[u8], name: &str) -> anyhow::Result<Vec<Option<usize>>> {
        let prepared = Backend::TractStock.prepare(
            Model::from_bytes(bytes, name)?,
            name,
            &Options::default(),
        )?;
        let [c, h, w] = self.shape;
        let decisions = self
            .inputs
            .par_chunks(CHUNK)
            .map(|chunk| {
                let mut classifier = prepared.classifier.fork();
                let mut decisions = Vec::with_capacity(chunk.len());
                for input in chunk {
                    let batch = ImageBatch::new(input.clone(), [1, c, h, w])?;
                    let logits = classifier.logits(&batch)?;
                    decisions.push(Logits::top1(logits.values()).map(|top| top.0));
                }
                anyhow::Ok(decisions)
            })
            .collect::<anyhow::Result<Vec<_>>>();
        Ok(decisions.with_context(|| name.to_owned())?.concat())
    }
}
