//! Report of the comparison; schema `tailfold.priors/1`.

use serde::Serialize;

use super::arm_report::PriorReport;
use super::arms::{Arm, Base, REFERENCES};
use super::measure::Under;
use super::resample::{counts, most_images};
use super::{PriorsOptions, run_of};
use crate::{AskedPrior, ErrorKind, ExportError, Sample, Scored, Unfolded};

/// One model under several priors. Accuracies and recalls are top-1 in percent, differences in points.
#[derive(Debug, Serialize)]
pub struct PriorsReport {
    /// Always `tailfold.priors/1`.
    pub schema: &'static str,
    /// Name of the run.
    pub run: String,
    /// SHA-256 of the run's checkpoint.
    pub checkpoint_sha256: String,
    /// The priors that logit adjustment starts from, in words.
    pub note: String,
    /// Test data.
    pub evaluate: String,
    /// Number of test images.
    pub test_images: usize,
    /// The samples for which offsets were solved.
    pub samples: Vec<SampleRow>,
    /// The drawn test sets.
    #[serde(flatten)]
    pub drawn: Drawn,
    /// One comparison for each prior.
    pub priors: Vec<PriorReport>,
}

/// Images that offsets were solved on.
#[derive(Debug, Serialize)]
pub struct SampleRow {
    /// `training features of the run`, or the data spec.
    pub name: String,
    /// Number of images.
    pub images: usize,
    /// Smallest and largest number of images of a class.
    pub per_class: [usize; 2],
}

/// The test sets that are drawn for each prior, without repeats within a set.
#[derive(Debug, Serialize)]
pub struct Drawn {
    /// Number of seeds 0, 1, ...; one set is drawn per seed.
    pub seeds: u64,
    /// Number of images per set.
    pub images: usize,
}

impl Drawn {
    /// Takes the requested number of images per set, or the largest number that all `priors` allow.
    pub(super) fn new(
        options: &PriorsOptions,
        priors: &[AskedPrior],
        test: &Scored,
    ) -> Result<Self, ExportError> {
        let masses: Vec<&[f64]> = priors.iter().map(|prior| &prior.masses[..]).collect();
        let most = most_images(&masses, &test.counts());
        let images = options.images.unwrap_or(most);
        if !(1..=most).contains(&images) {
            let text = format!(
                "{} allows sets of 1 to {most} images under every prior without repeats, {images} were asked for",
                test.data
            );
            return Err(ErrorKind::Data.error(text));
        }
        let seeds = options.seeds;
        Ok(Self { seeds, images })
    }
}

impl PriorsReport {
    /// Measures the arms of each prior on `test`.
    pub(super) fn of(
        model: &Unfolded,
        base: &Base,
        (priors, arms): (&[AskedPrior], &[Vec<Arm>]),
        test: &Scored,
        drawn: Drawn,
        samples: &[Sample<'_>],
    ) -> Result<Self, ExportError> {
        let manifest = &run_of(model)?.manifest;
        let measured = priors.iter().zip(arms).enumerate();
        let measured = measured.map(|(place, (prior, arms))| {
            let counts = counts(&prior.masses, drawn.images);
            Under::new(
                test,
                (place, prior),
                &manifest.train_counts,
                &counts,
                drawn.seeds,
            )
            .measure(arms, &REFERENCES, counts)
        });
        let measured = measured.collect::<Result<Vec<_>, _>>()?;
        let sample = |sample: &Sample<'_>| {
            let counts = sample.counts();
            SampleRow {
                name: sample.name.clone(),
                images: sample.images(),
                per_class: [
                    counts.iter().min().copied().unwrap_or(0),
                    counts.iter().max().copied().unwrap_or(0),
                ],
            }
        };
        Ok(Self {
            schema: "tailfold.priors/1",
            run: manifest.name.clone(),
            checkpoint_sha256: manifest.files.checkpoint_sha256.clone(),
            note: base.note.clone(),
            evaluate: test.data.clone(),
            test_images: test.labels.len(),
            samples: samples.iter().map(sample).collect(),
            priors: measured,
            drawn,
        })
    }
}
