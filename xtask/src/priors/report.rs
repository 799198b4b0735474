//! What the comparison found; `priors --json`, schema `tailfold.priors/1`.

use anyhow::ensure;
use serde::Serialize;

use super::arms::{Arm, Base, REFERENCES};
use super::measure::Under;
use super::resample::{counts, most_images};
use crate::export::{AskedPrior, Sample, Scored, Unfolded};
use crate::statistics::Mean;

/// One model under several priors. Accuracies and recalls are top-1 in percent, differences in points.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Always `tailfold.priors/1`.
    pub(super) schema: &'static str,
    /// Name of the run.
    pub(super) run: String,
    pub(super) checkpoint_sha256: String,
    /// What logit adjustment starts from.
    pub(super) note: String,
    /// Test data.
    pub(super) evaluate: String,
    pub(super) test_images: usize,
    /// What offsets were solved on.
    pub(super) samples: Vec<SampleRow>,
    #[serde(flatten)]
    pub(super) drawn: Drawn,
    pub(super) priors: Vec<PriorReport>,
}

/// Images that offsets were solved on.
#[derive(Debug, Serialize)]
pub(super) struct SampleRow {
    pub(super) name: String,
    pub(super) images: usize,
    /// Fewest and most of a class.
    pub(super) per_class: [usize; 2],
}

/// The test sets that are drawn for each prior, without repeats within a set.
#[derive(Debug, Serialize)]
pub(super) struct Drawn {
    /// Seeds 0, 1, ...: one set each.
    pub(super) seeds: u64,
    /// Images of a set.
    pub(super) images: usize,
}

/// One prior.
#[derive(Debug, Serialize)]
pub(super) struct PriorReport {
    pub(super) prior: String,
    /// `[classes]`, sum 1.
    pub(super) masses: Vec<f64>,
    /// Images of each class in a drawn set, `[classes]`.
    pub(super) drawn_counts: Vec<usize>,
    /// Images of the prior itself that would say as much as all test images do, weighted.
    pub(super) effective_images: f64,
    pub(super) arms: Vec<ArmReport>,
    /// What is solved, minus each of the references, image by image.
    pub(super) differences: Vec<Difference>,
}

/// A way to serve the prior.
#[derive(Debug, Serialize)]
pub(super) struct ArmReport {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// Accuracy under the prior from all test images, each class weighing what the prior gives it.
    pub(super) expected: Mean,
    /// Accuracy on the drawn sets, with the standard error over seeds: of the drawing, not of the test images.
    pub(super) drawn: Option<Mean>,
    /// Mean recall of the group's classes.
    pub(super) many: Option<f64>,
    pub(super) medium: Option<f64>,
    pub(super) few: Option<f64>,
    /// Answers that would have to move for every class to be answered as often as it occurs: half of
    /// `sum_j |answered_j - prior_j|`.
    pub(super) misplaced: f64,
    /// `[classes]`, logits, added to the raw scores.
    pub(super) offsets: Vec<f32>,
    /// Why the solver stopped; null where nothing was solved.
    pub(super) stop: Option<String>,
}

/// Two ways on the same images.
#[derive(Debug, Serialize)]
pub(super) struct Difference {
    pub(super) arm: &'static str,
    pub(super) minus: &'static str,
    pub(super) expected: Mean,
    pub(super) drawn: Option<Mean>,
}

impl Drawn {
    /// Sets of `images`, or the most that all `priors` allow.
    pub(super) fn new(
        seeds: u64,
        images: Option<usize>,
        priors: &[AskedPrior],
        test: &Scored,
    ) -> anyhow::Result<Self> {
        let masses: Vec<&[f64]> = priors.iter().map(|prior| &prior.masses[..]).collect();
        let most = most_images(&masses, &test.counts());
        let images = images.unwrap_or(most);
        ensure!(
            (1..=most).contains(&images),
            "{} allows sets of 1 to {most} images under every prior without repeats, {images} were asked for",
            test.data
        );
        Ok(Self { seeds, images })
    }
}

impl Report {
    /// Measures the arms of each prior on `test`.
    pub(super) fn of(
        run: &Unfolded,
        base: &Base,
        (priors, arms): (&[AskedPrior], &[Vec<Arm>]),
        test: &Scored,
        drawn: Drawn,
        samples: &[Sample<'_>],
    ) -> Self {
        let measured = priors.iter().zip(arms).enumerate();
        let measured = measured.map(|(place, (prior, arms))| {
            let counts = counts(&prior.masses, drawn.images);
            Under::new(
                test,
                (place, prior),
                &run.manifest.train_counts,
                &counts,
                drawn.seeds,
            )
            .measure(arms, &REFERENCES, counts)
        });
        let sample = |sample: &Sample<'_>| {
            let counts = sample.counts();
            SampleRow {
                name: sample.name.clone(),
                images: sample.len(),
                per_class: [
                    counts.iter().min().copied().unwrap_or(0),
                    counts.iter().max().copied().unwrap_or(0),
                ],
            }
        };
        Self {
            schema: "tailfold.priors/1",
            run: run.manifest.name.clone(),
            checkpoint_sha256: run.manifest.files.checkpoint_sha256.clone(),
            note: base.note.clone(),
            evaluate: test.data.clone(),
            test_images: test.labels.len(),
            samples: samples.iter().map(sample).collect(),
            priors: measured.collect(),
            drawn,
        }
    }
}
