//! Report of re-targeting: the prior mass and the reached mass of each class, and the expected accuracy.

use serde::{Serialize, Serializer};
use tailfold_data::{DataSpec, Dataset};
use tailfold_spec::{Group, OffsetsRecord};

use crate::expected::{Weighted, by_class, right};
use crate::resolve::masses;
use crate::rows::{ClassRow, Expected, ExpectedClass};
use crate::warning::{Told, Warning, of_expected, of_recall, of_solution};
use crate::{AskedPrior, ExportError, MassMeasure, Progress, Resolved, Sample, Scored, Unfolded};

/// Solved offsets beside the offsets of a plain export; the field `retarget` of the schema `tailfold.export/1`. Masses
/// and accuracies are shares of 1.
#[derive(Clone, Debug, Serialize)]
pub struct Retarget {
    /// `uniform`, `train`, `reversed`, or the file.
    pub prior: String,
    /// Origin of the offsets of a plain export: `training`, `zeros`, `resolved`.
    pub before: String,
    /// The sample that offsets were solved on.
    pub sample: SampleReport,
    /// One row per class, in label order.
    pub classes: Vec<ClassRow>,
    /// Null without evaluation images: accuracy is never measured on training images.
    pub expected: Option<Expected>,
    /// Reasons to doubt the result.
    pub warnings: Vec<Told>,
}

/// The images that offsets were solved on.
#[derive(Clone, Debug, Serialize)]
pub struct SampleReport {
    /// `training features of the run`, or the data spec.
    pub name: String,
    /// Number of images.
    pub images: usize,
    /// How the mass of a class is measured.
    #[serde(flatten, serialize_with = "measure_fields")]
    pub measure: MassMeasure,
}

/// Writes `measure` as the fields `weighing` and `temperature`.
fn measure_fields<S: Serializer>(measure: &MassMeasure, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Fields {
        weighing: &'static str,
        temperature: f64,
    }
    Fields {
        weighing: measure.weighing.name(),
        temperature: measure.temperature,
    }
    .serialize(serializer)
}

impl Retarget {
    /// Compares the offsets `resolved` on `sample` with `before`, the offsets of a plain export.
    pub(crate) fn of(
        model: &Unfolded,
        prior: &AskedPrior,
        before: &OffsetsRecord,
        resolved: &Resolved,
        (sample, measure): (&Sample<'_>, MassMeasure),
    ) -> Result<Self, ExportError> {
        let after = &resolved.record.offsets;
        let masses =
            |offsets: &[f32], temperature| masses(sample, &resolved.weights, offsets, temperature);
        let mass_before = masses(&before.offsets, measure.temperature)?;
        let mass_after = masses(after, measure.temperature)?;
        let answered_before = masses(&before.offsets, 0.0)?;
        let answered_after = masses(after, 0.0)?;
        let sample_images = sample.counts();
        let counts = model.train_counts();
        let row = |class: usize| ClassRow {
            name: model.card().classes[class].clone(),
            group: counts.map(|counts| Group::of_count(counts[class])),
            train_count: counts.map(|counts| counts[class]),
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
                images: sample.images(),
                measure,
            },
            classes,
            expected: None,
            warnings: warnings.into_iter().map(Told::from).collect(),
        })
    }

    /// Adds a warning if the plain export is hardly better than chance on the images that offsets were solved on.
    pub(crate) fn doubt(&mut self, scored: &Scored) -> Result<(), ExportError> {
        let before: Vec<f32> = self.classes.iter().map(|row| row.offset_before).collect();
        let right = right(&scored.decisions(&before)?, &scored.labels);
        let recalls = by_class(&right, &scored.labels, scored.classes());
        let mean = recalls.iter().map(|(mean, _)| mean).sum::<f64>() / recalls.len().max(1) as f64;
        self.warnings
            .extend(of_recall(mean, recalls.len()).map(Told::from));
        Ok(())
    }

    /// Adds the expected accuracy, measured on the images of `spec`.
    pub(crate) fn evaluate(
        &mut self,
        model: &Unfolded,
        spec: &DataSpec,
        calibration: Option<&Scored>,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> Result<(), ExportError> {
        let scored = Scored::of(model, spec, progress)?;
        if let Some(calibration) = calibration {
            scored.refuse_images_of(calibration.images(), "images that offsets are solved on")?;
        }
        if let Some(warning) = refuse_training_images(&scored, model)? {
            self.warnings.push(warning.into());
        }
        let expected = self.expected_on(&scored)?;
        self.warnings.extend(of_expected(&expected).map(Told::from));
        self.expected = Some(expected);
        Ok(())
    }

    fn expected_on(&self, scored: &Scored) -> Result<Expected, ExportError> {
        let column = |of: fn(&ClassRow) -> f32| self.classes.iter().map(of).collect::<Vec<f32>>();
        let before = scored.decisions(&column(|row| row.offset_before))?;
        let after = scored.decisions(&column(|row| row.offset_after))?;
        let prior: Vec<f64> = self.classes.iter().map(|row| row.prior).collect();
        let weighted = Weighted::new(&scored.labels, &prior);
        let right_before = right(&before, &scored.labels);
        let right_after = right(&after, &scored.labels);
        let gained: Vec<f64> = right_after
            .iter()
            .zip(&right_before)
            .map(|(a, b)| a - b)
            .collect();
        let recall = |right: &[f64]| by_class(right, &scored.labels, scored.classes());
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
        Ok(Expected {
            data: scored.data.clone(),
            images: scored.labels.len(),
            effective_images: weighted.effective_images(),
            before: weighted.mean(&right_before),
            after: weighted.mean(&right_after),
            difference: weighted.mean(&gained),
            classes: self.classes.iter().enumerate().map(class).collect(),
        })
    }
}

/// Fails if images of `scored` are training images of `model`. Returns a warning if the training images are not
/// available.
///
/// # Errors
/// As [`Scored::refuse_images_of`].
pub fn refuse_training_images(
    scored: &Scored,
    model: &Unfolded,
) -> Result<Option<Warning>, ExportError> {
    let Some(run) = model.run() else {
        return Ok(Some(Warning::TrainingImagesUnknown));
    };
    let data = &run.manifest.data;
    let opened = data.parse::<DataSpec>().map_err(|error| chain(&error));
    let opened = opened.and_then(|spec| Dataset::open(&spec).map_err(|error| chain(&error)));
    match opened {
        Ok(training) => {
            scored.refuse_images_of(&training, "training images")?;
            Ok(None)
        }
        Err(why) => Ok(Some(Warning::TrainingImagesNotCompared {
            data: data.clone(),
            why,
        })),
    }
}

/// Returns the text of an error and of its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}
