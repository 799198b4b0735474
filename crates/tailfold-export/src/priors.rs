//! One trained model under several deployment priors: ways to serve each prior, compared on the same test images.

mod arm_report;
mod arms;
mod measure;
mod report;
mod resample;

use tailfold_data::DataSpec;

use crate::{
    AskedPrior, ErrorKind, ExportError, Progress, Sample, Scored, Unfolded, Warning, plain,
    refuse_training_images,
};

pub use arm_report::{ArmReport, Difference, PriorReport};
use arms::{Base, arms};
pub use report::{Drawn, PriorsReport, SampleRow};

/// Options of [`compare_priors`].
#[derive(Clone, Debug)]
pub struct PriorsOptions {
    /// Labelled test images: neither training nor calibration images.
    pub evaluate: DataSpec,
    /// Labelled images to solve on, in addition to the training features of the run folder.
    pub calibration: Option<DataSpec>,
    /// Number of test sets to draw for each prior, with the seeds 0, 1, ...
    pub seeds: u64,
    /// Number of images per drawn test set. Default: the largest number that every prior allows without repeats.
    pub images: Option<usize>,
}

/// The priors that are compared.
const PRIORS: [&str; 3] = ["uniform", "train", "reversed"];

/// Compares the ways to serve `model`, a run folder, under the uniform prior, the prior of training and its reverse.
///
/// Nothing is chosen on the test images: all offsets are known before they are opened. The returned warning says why
/// the test images could not be compared with the training images.
///
/// # Errors
/// [`ErrorKind::Overlap`] when test images were trained or solved on; otherwise as [`crate::export()`].
pub fn compare_priors(
    model: &Unfolded,
    options: &PriorsOptions,
    progress: &(dyn Fn(Progress<'_>) + Sync),
) -> Result<(PriorsReport, Option<Warning>), ExportError> {
    let priors = PRIORS
        .iter()
        .map(|name| AskedPrior::parse(name, model))
        .collect::<Result<Vec<_>, _>>()?;
    let score = |spec: &DataSpec| Scored::of(model, spec, progress);
    let calibration = options.calibration.as_ref().map(score).transpose()?;
    let base = Base::of(model, plain(model)?)?;
    let mut samples = vec![Sample::of_features(model)?];
    samples.extend(calibration.as_ref().map(Sample::of_images));
    let arms = priors
        .iter()
        .map(|prior| arms(&base, prior, &samples))
        .collect::<Result<Vec<_>, _>>()?;

    let test = score(&options.evaluate)?;
    if let Some(calibration) = &calibration {
        test.refuse_images_of(calibration.images(), "images that offsets are solved on")?;
    }
    let warning = refuse_training_images(&test, model)?;
    let drawn = Drawn::new(options, &priors, &test)?;
    let report = PriorsReport::of(model, &base, (&priors, &arms), &test, drawn, &samples)?;
    Ok((report, warning))
}

/// Returns the run folder of `model`.
fn run_of(model: &Unfolded) -> Result<&crate::unfolded::Run, ExportError> {
    let none = || {
        let text = "priors are compared for a run folder: a model file has no offsets of training";
        ErrorKind::Offsets.error(text)
    };
    model.run().ok_or_else(none)
}
