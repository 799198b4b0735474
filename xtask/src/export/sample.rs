//! What offsets are solved on: scores of images whose classes are known, and how much each of them weighs.

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;
use tailfold_sdot::{Scores, SolveError};
use tailfold_spec::Manifest;

use super::scored::Scored;
use super::unfolded::Unfolded;

/// How much the images of a class weigh together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Weighing {
    /// What the prior gives the class: the sample is as deployment will be, and each class is to be answered as often as it
    /// occurs there.
    #[default]
    Prior,
    /// The same for every class: the prior is the share of the feature space that a class is to have.
    Balanced,
}

/// What the masses of a solution are of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Measure {
    pub(crate) weighing: Weighing,
    /// Of the softmax whose mean is a class's mass, in logits; 0 where whole images count, each for the class that it is
    /// answered with.
    pub(crate) temperature: f64,
}

impl Measure {
    /// Whole images, as an export without a prior solves.
    pub(crate) const CELLS: Self = Self {
        weighing: Weighing::Prior,
        temperature: 0.0,
    };
    /// The network's own probabilities, as an export for a prior solves.
    pub(crate) const PROBABILITIES: Self = Self {
        temperature: 1.0,
        ..Self::CELLS
    };
}

/// Scores of a labelled sample.
pub(crate) struct Sample<'a> {
    /// For people.
    pub(crate) name: String,
    /// `features` or `scores`, for [`OffsetsRecord::source`](tailfold_spec::OffsetsRecord::source).
    pub(crate) kind: &'static str,
    /// `[n]`.
    labels: Vec<usize>,
    values: Values<'a>,
    classes: usize,
}

enum Values<'a> {
    /// `[n, dim]` and `[classes, dim]`: features with a 1 behind them, weights with the bias.
    Features {
        points: Vec<f32>,
        rows: Vec<f32>,
        dim: usize,
    },
    /// `[n, classes]`.
    Scores(&'a [f32]),
}

/// Rows that the range of scores is taken from; more would not change it.
const MOST_RANGED: usize = 1_000;

impl Sample<'static> {
    /// The class-balanced training features that lie in the run folder.
    pub(crate) fn of_features(run: &Unfolded) -> anyhow::Result<Self> {
        let path = run.folder.join(Manifest::FEATURES);
        let bytes = run.manifest.read_file(&run.folder, Manifest::FEATURES)?;
        let (features, labels) = features(&bytes).with_context(|| path.display().to_string())?;
        // The names under which `build` writes the head, with a cosine head's scale already in the weights.
        let (shape, weights) = run.model.initializer_f32("head.weight")?;
        let (_, bias) = run.model.initializer_f32("head.bias")?;
        let (classes, dim) = (bias.len(), shape.get(1).copied().unwrap_or(0));
        ensure!(
            dim > 0 && features.len() == labels.len() * dim,
            "{} has {} values for {} labels, expected {dim} each",
            path.display(),
            features.len(),
            labels.len()
        );
        if let Some(row) = labels.iter().position(|&label| label >= classes) {
            anyhow::bail!(
                "{}: the label of row {row} is {}, but there are {classes} classes",
                path.display(),
                labels[row]
            );
        }
        let one = [1.0];
        let with = |rows: &[f32], last: &[f32]| -> Vec<f32> {
            let rows = rows.chunks_exact(dim).zip(last.iter().cycle());
            rows.flat_map(|(row, last)| row.iter().chain([last]).copied().collect::<Vec<f32>>())
                .collect()
        };
        Ok(Self {
            name: "training features of the run".to_owned(),
            kind: "features",
            labels,
            values: Values::Features {
                points: with(&features, &one),
                rows: with(&weights, &bias),
                dim: dim + 1,
            },
            classes,
        })
    }
}

impl<'a> Sample<'a> {
    /// Images that the model was run on.
    pub(crate) fn of_images(scored: &'a Scored) -> Self {
        Self {
            name: scored.data.clone(),
            kind: "scores",
            labels: scored.labels.clone(),
            values: Values::Scores(&scored.scores),
            classes: scored.classes,
        }
    }

    /// As the solver takes them.
    pub(crate) fn scores(&self) -> Result<Scores<'_>, SolveError> {
        match &self.values {
            Values::Features { points, rows, dim } => Scores::product(points, rows, *dim, 1.0),
            Values::Scores(values) => Scores::matrix(values, self.classes),
        }
    }

    /// Images of each class, `[classes]`.
    pub(crate) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for &label in &self.labels {
            counts[label] += 1;
        }
        counts
    }

    /// Number of images.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    /// Weight of each image, `[n]`, of any sum.
    pub(crate) fn weights(&self, weighing: Weighing, prior: &[f64]) -> Vec<f64> {
        let counts = self.counts();
        // Of the largest, so that a uniform prior weighs as `Balanced` does to the last bit.
        let largest = prior.iter().copied().fold(0.0, f64::max);
        let class = |y: usize| match weighing {
            Weighing::Prior => prior[y] / largest,
            Weighing::Balanced => 1.0,
        };
        let weight = |&y: &usize| class(y) / counts[y] as f64;
        self.labels.iter().map(weight).collect()
    }

    /// Mean difference between the largest and the smallest score of an image, under `weights` `[n]`.
    pub(crate) fn score_range(&self, weights: &[f64]) -> f64 {
        let every = self.len().div_ceil(MOST_RANGED).max(1);
        let (mut sum, mut total) = (0.0, 0.0);
        for at in (0..self.len()).step_by(every) {
            let row = self.row(at);
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let least = row.iter().copied().fold(f64::INFINITY, f64::min);
            sum += weights[at] * (most - least);
            total += weights[at];
        }
        sum / total
    }

    /// Scores of one image, `[classes]`.
    fn row(&self, at: usize) -> Vec<f64> {
        match &self.values {
            Values::Features { points, rows, dim } => {
                let point = &points[at * dim..(at + 1) * dim];
                let product = |weights: &[f32]| {
                    let products = weights.iter().zip(point);
                    products.map(|(&w, &z)| f64::from(w) * f64::from(z)).sum()
                };
                rows.chunks_exact(*dim).map(product).collect()
            }
            Values::Scores(values) => values[at * self.classes..(at + 1) * self.classes]
                .iter()
                .map(|&s| s.into())
                .collect(),
        }
    }
}

/// Features `[n, d]`, row-major, and labels `[n]`.
fn features(bytes: &[u8]) -> anyhow::Result<(Vec<f32>, Vec<usize>)> {
    let tensors = SafeTensors::deserialize(bytes)?;
    let (features, labels) = (tensors.tensor("features")?, tensors.tensor("labels")?);
    ensure!(
        features.dtype() == Dtype::F32 && labels.dtype() == Dtype::I64,
        "features are {:?} and labels {:?}, expected F32 and I64",
        features.dtype(),
        labels.dtype(),
    );
    let (values, _) = features.data().as_chunks::<4>();
    let (classes, _) = labels.data().as_chunks::<8>();
    let labels = classes
        .iter()
        .map(|c| usize::try_from(i64::from_le_bytes(*c)));
    Ok((
        values.iter().map(|v| f32::from_le_bytes(*v)).collect(),
        labels.collect::<Result<_, _>>()?,
    ))
}
