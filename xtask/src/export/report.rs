//! What re-targeting asked for, got and costs; `retarget` of `export --json`.

use std::path::Path;

use serde::Serialize;
use tailfold_data::{DataSpec, Dataset};
use tailfold_spec::{Group, OffsetsRecord};

use super::asked::AskedPrior;
use super::expected::{Weighted, by_class, right};
use super::resolve::{Resolved, masses};
use super::sample::{Measure, Sample};
use super::scored::Scored;
use super::unfolded::Unfolded;
use super::warning::{Told, Warning, of_expected, of_solution};
use crate::statistics::Mean;

/// Offsets solved for a prior, beside those of a plain export. Masses and accuracies are shares of 1.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Retarget {
    /// `uniform`, `train`, `reversed`, or the file.
    pub(crate) prior: String,
    /// Origin of the offsets of a plain export: `training`, `zeros`, `resolved`.
    pub(crate) before: String,
    /// What offsets were solved on.
    pub(crate) sample: SampleReport,
    /// Label order.
    pub(crate) classes: Vec<ClassRow>,
    /// Null without `--evaluate`: accuracy is never measured on training images.
    pub(crate) expected: Option<Expected>,
    pub(crate) warnings: Vec<Told>,
}

/// Of the images that offsets were solved on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct SampleReport {
    /// `training features of the run`, or the data spec.
    pub(crate) name: String,
    pub(crate) images: usize,
    #[serde(flatten)]
    pub(crate) measure: Measure,
}

/// A class.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClassRow {
    pub(crate) name: String,
    pub(crate) group: Group,
    pub(crate) train_count: u64,
    /// Images of the class among those that offsets were solved on.
    pub(crate) sample_images: usize,
    /// Asked for.
    pub(crate) prior: f64,
    /// Mass on the weighted sample under the offsets of a plain export, as the solver measures it: the mean probability of the
    /// class, or at temperature 0 the share that is answered with it.
    pub(crate) mass_before: f64,
    /// The same under the new offsets.
    pub(crate) mass_after: f64,
    /// Share of the weighted sample that is answered with the class.
    pub(crate) answered_before: f64,
    pub(crate) answered_after: f64,
    /// In logits.
    pub(crate) offset_before: f32,
    pub(crate) offset_after: f32,
}

/// Under the prior, from labelled images that took no part in the offsets.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Expected {
    /// Data spec.
    pub(crate) data: String,
    pub(crate) images: usize,
    /// Images of the prior itself that would say as much: `(sum w)^2 / sum w^2`.
    pub(crate) effective_images: f64,
    /// Accuracy: `sum_j prior_j recall_j`.
    pub(crate) before: Mean,
    pub(crate) after: Mean,
    /// After minus before, image by image.
    pub(crate) difference: Mean,
    /// Label order.
    pub(crate) classes: Vec<ExpectedClass>,
}

/// A class on the labelled images.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ExpectedClass {
    pub(crate) name: String,
    pub(crate) images: usize,
    pub(crate) recall_before: f64,
    pub(crate) recall_after: f64,
    /// How often the class would be answered under the prior.
    pub(crate) answered_before: f64,
    pub(crate) answered_after: f64,
}

impl Retarget {
    /// Offsets `resolved` on `sample` beside those of a plain export.
    pub(crate) fn of(
        run: &Unfolded,
        prior: &AskedPrior,
        before: &OffsetsRecord,
        resolved: &Resolved,
        (sample, measure): (&Sample<'_>, Measure),
    ) -> anyhow::Result<Self> {
        let after = &resolved.record.offsets;
        let masses =
            |offsets: &[f32], temperature| masses(sample, &resolved.weights, offsets, temperature);
        let mass_before = masses(&before.offsets, measure.temperature)?;
        let mass_after = masses(after, measure.temperature)?;
        let answered_before = masses(&before.offsets, 0.0)?;
        let answered_after = masses(after, 0.0)?;
        let sample_images = sample.counts();
        let row = |class: usize| ClassRow {
            name: run.manifest.classes[class].clone(),
            group: Group::of_count(run.manifest.train_counts[class]),
            train_count: run.manifest.train_counts[class],
            sample_images: sample_images[class],
            prior: prior.masses[class],
            mass_before: mass_before[class],
            mass_after: mass_after[class],
            answered_before: answered_before[class],
            answered_after: answered_after[class],
            offset_before: before.offsets[class],
            offset_after: after[class],
        };
        let classes: Vec<ClassRow> = (0..after.len()).map(row).collect();
        let warnings = of_solution(resolved, sample, &classes);
        Ok(Self {
            prior: prior.name.clone(),
            before: before.origin.clone(),
            sample: SampleReport {
                name: sample.name.clone(),
                images: sample.len(),
                measure,
            },
            classes,
            expected: None,
            warnings: warnings.into_iter().map(Told::from).collect(),
        })
    }

    /// Adds the accuracy that is to be expected, from the images of `spec`.
    pub(crate) fn evaluate(
        &mut self,
        run: &Unfolded,
        tailfold: &Path,
        spec: &DataSpec,
        calibration: Option<&Scored>,
    ) -> anyhow::Result<()> {
        let scored = Scored::of(run, tailfold, spec)?;
        if let Some(calibration) = calibration {
            scored.refuse_images_of(calibration.images(), "those that offsets are solved on")?;
        }
        if let Some(warning) = refuse_training_images(&scored, run)? {
            self.warnings.push(warning.into());
        }
        let expected = self.expected_on(&scored);
        self.warnings.extend(of_expected(&expected).map(Told::from));
        self.expected = Some(expected);
        Ok(())
    }

    fn expected_on(&self, scored: &Scored) -> Expected {
        let column = |of: fn(&ClassRow) -> f32| self.classes.iter().map(of).collect::<Vec<f32>>();
        let before = scored.decisions(&column(|row| row.offset_before));
        let after = scored.decisions(&column(|row| row.offset_after));
        let prior: Vec<f64> = self.classes.iter().map(|row| row.prior).collect();
        let weighted = Weighted::new(&scored.labels, &prior);
        let right_before = right(&before, &scored.labels);
        let right_after = right(&after, &scored.labels);
        let gained: Vec<f64> = right_after
            .iter()
            .zip(&right_before)
            .map(|(a, b)| a - b)
            .collect();
        let recall = |right: &[f64]| by_class(right, &scored.labels, scored.classes);
        let (recall_before, recall_after) = (recall(&right_before), recall(&right_after));
        let answered_before = weighted.answered(&before);
        let answered_after = weighted.answered(&after);
        let images = scored.counts();
        let class = |(at, row): (usize, &ClassRow)| ExpectedClass {
            name: row.name.clone(),
            images: images[at],
            recall_before: recall_before[at].0,
            recall_after: recall_after[at].0,
            answered_before: answered_before[at],
            answered_after: answered_after[at],
        };
        Expected {
            data: scored.data.clone(),
            images: scored.labels.len(),
            effective_images: weighted.effective_images(),
            before: weighted.mean(&right_before),
            after: weighted.mean(&right_after),
            difference: weighted.mean(&gained),
            classes: self.classes.iter().enumerate().map(class).collect(),
        }
    }
}

/// Fails when images of `scored` were trained on; a warning when the training images are not at hand.
pub(crate) fn refuse_training_images(
    scored: &Scored,
    run: &Unfolded,
) -> anyhow::Result<Option<Warning>> {
    let data = &run.manifest.data;
    let training = data
        .parse::<DataSpec>()
        .map_err(anyhow::Error::from)
        .and_then(|spec| Ok(Dataset::open(&spec)?));
    match training {
        Ok(training) => {
            scored.refuse_images_of(&training, "training images")?;
            Ok(None)
        }
        Err(why) => Ok(Some(Warning::TrainingImagesNotCompared {
            data: data.clone(),
            why: format!("{why:#}"),
        })),
    }
}
