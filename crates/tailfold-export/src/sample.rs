//! The labelled sample that offsets are solved on: its scores, and the weight of each image.

use tailfold_sdot::{Scores, SolveError};
use tailfold_spec::{Manifest, Tensors};

use crate::{ErrorKind, ExportError, Scored, Unfolded};

/// Scores of a labelled sample.
pub struct Sample<'a> {
    /// Name in reports.
    pub name: String,
    /// `features` or `scores`, for [`OffsetsRecord::source`](tailfold_spec::OffsetsRecord::source).
    pub kind: &'static str,
    /// Class of each image, `[n]`.
    labels: Vec<usize>,
    values: Values<'a>,
    classes: usize,
}

enum Values<'a> {
    /// `[n, dim]` and `[classes, dim]`: features with an appended 1, weights with the appended bias.
    Features {
        points: Vec<f32>,
        rows: Vec<f32>,
        dim: usize,
    },
    /// `[n, classes]`.
    Scores(&'a [f32]),
}

/// Largest number of images for the range of scores; more images would not change it.
const MOST_RANGED: usize = 1_000;

impl Sample<'static> {
    /// Reads the class-balanced training features of the run folder of `model`.
    ///
    /// # Errors
    /// [`ErrorKind::Data`] for a model file, which has no features; [`ErrorKind::File`] for a damaged file.
    pub fn of_features(model: &Unfolded) -> Result<Self, ExportError> {
        let none = || {
            let text = "a model file has no training features: offsets need labelled images to be solved on";
            ErrorKind::Data.error(text)
        };
        let run = model.run().ok_or_else(none)?;
        let path = model.path().join(Manifest::FEATURES);
        let bytes = run.manifest.read_file(model.path(), Manifest::FEATURES)?;
        let name = path.display().to_string();
        let tensors = Tensors::read(&bytes, &name)?;
        let ((_, features), labels) = (tensors.f32("features")?, tensors.labels("labels")?);
        // `build` writes the head under these names. The weights of a cosine head already include its scale.
        let (shape, weights) = model.model().initializer_f32("head.weight")?;
        let (_, bias) = model.model().initializer_f32("head.bias")?;
        let (classes, dim) = (bias.len(), shape.get(1).copied().unwrap_or(0));
        if dim == 0 || features.len() != labels.len() * dim {
            let text = format!(
                "{name} has {} values for {} labels, expected {dim} each",
                features.len(),
                labels.len()
            );
            return Err(ErrorKind::File.error(text));
        }
        if let Some(row) = labels.iter().position(|&label| label >= classes) {
            let text = format!(
                "{name}: the label of row {row} is {}, but there are {classes} classes",
                labels[row]
            );
            return Err(ErrorKind::File.error(text));
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
    /// Returns the sample of the images that the model was run on.
    pub fn of_images(scored: &'a Scored) -> Self {
        Self {
            name: scored.data.clone(),
            kind: "scores",
            labels: scored.labels.clone(),
            values: Values::Scores(scored.scores.values()),
            classes: scored.classes(),
        }
    }

    /// Returns the scores in the form of the solver.
    ///
    /// # Errors
    /// [`SolveError`] if the scores do not have one value per class.
    pub fn scores(&self) -> Result<Scores<'_>, SolveError> {
        match &self.values {
            Values::Features { points, rows, dim } => Scores::product(points, rows, *dim, 1.0),
            Values::Scores(values) => Scores::matrix(values, self.classes),
        }
    }

    /// Images of each class, `[classes]`.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for &label in &self.labels {
            counts[label] += 1;
        }
        counts
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.labels.len()
    }

    /// Class of each image, `[n]`.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Mean difference between the largest and the smallest score of an image, under `weights` `[n]`.
    pub fn score_range(&self, weights: &[f64]) -> f64 {
        let every = self.images().div_ceil(MOST_RANGED).max(1);
        let (mut sum, mut total) = (0.0, 0.0);
        for at in (0..self.images()).step_by(every) {
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
