//! The choice of offsets to fold: the offsets of training, no offsets, or offsets solved for a prior.

use tailfold_data::DataSpec;
use tailfold_spec::{AtExport, OffsetsRecord};

use crate::{
    AskedPrior, ExportError, MassMeasure, Progress, Retarget, Sample, Scored, Unfolded, Weighing,
    resolve,
};

/// The offsets that an export folds.
#[derive(Clone, Debug)]
pub enum Offsets {
    /// The offsets of training.
    Trained,
    /// Zeros.
    None,
    /// Offsets solved for a prior.
    Solved(Box<Solve>),
}

/// How offsets are solved for a prior.
#[derive(Clone, Debug, Default)]
pub struct Solve {
    /// `uniform`, `train`, `reversed`, or a JSON file with one mass per class. Default: `uniform`.
    pub prior: Option<String>,
    /// Labelled images to solve on. Default: the training features of the run folder.
    pub calibration: Option<DataSpec>,
    /// Total weight of the images of each class.
    pub weighing: Weighing,
    /// Temperature, in logits, of the softmax whose mean over the images is the mass of a class. At 0 the mass is the
    /// share of images with the class as top-1. Default: 1 for a given prior, otherwise 0, as in training.
    pub temperature: Option<f64>,
    /// Labelled images to measure the expected accuracy on.
    pub evaluate: Option<DataSpec>,
}

/// The offsets to fold, and the evidence for them.
pub(crate) struct Chosen {
    pub(crate) offsets: OffsetsRecord,
    /// The report of solved offsets.
    pub(crate) retarget: Option<Retarget>,
    /// The images that offsets were solved on, if they were not training features.
    pub(crate) calibration: Option<Scored>,
}

/// Returns the offsets that an export of `model` without options folds, and the prior that they were solved for. A
/// model file gets zeros and keeps its bias.
///
/// # Errors
/// [`crate::ErrorKind::File`] and [`crate::ErrorKind::Solve`], if the run folder asks for solved offsets.
pub fn plain(model: &Unfolded) -> Result<(OffsetsRecord, Option<AskedPrior>), ExportError> {
    let zeros = || OffsetsRecord::zeros(model.card().classes.len());
    match model.at_export() {
        None | Some(AtExport::Drop) => Ok((zeros(), None)),
        Some(AtExport::Keep) => Ok((model.trained()?.clone(), None)),
        Some(AtExport::Resolve) => {
            let prior = AskedPrior::parse(UNASKED, model)?;
            let sample = Sample::of_features(model)?;
            let resolved = resolve(&sample, MassMeasure::CELLS, &prior.masses)?;
            Ok((resolved.record, Some(prior)))
        }
    }
}

/// The default prior of an export.
const UNASKED: &str = "uniform";

impl Offsets {
    /// Returns the offsets of `model` for this choice.
    pub(crate) fn choose(
        &self,
        model: &Unfolded,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> Result<Chosen, ExportError> {
        let offsets = match self {
            Self::Solved(solve) => return solve.solved(model, progress),
            Self::Trained => model.trained()?.clone(),
            Self::None => OffsetsRecord::zeros(model.card().classes.len()),
        };
        Ok(Chosen {
            offsets,
            retarget: None,
            calibration: None,
        })
    }
}

impl Solve {
    fn solved(
        &self,
        model: &Unfolded,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> Result<Chosen, ExportError> {
        let prior = AskedPrior::parse(self.prior.as_deref().unwrap_or(UNASKED), model)?;
        let score = |spec: &DataSpec| Scored::of(model, spec, progress);
        let calibration = self.calibration.as_ref().map(score).transpose()?;
        let sample = match &calibration {
            Some(scored) => Sample::of_images(scored),
            None => Sample::of_features(model)?,
        };
        let default = match self.prior {
            Some(_) => MassMeasure::PROBABILITIES,
            None => MassMeasure::CELLS,
        };
        let measure = MassMeasure {
            weighing: self.weighing,
            temperature: self.temperature.unwrap_or(default.temperature),
        };
        let resolved = resolve(&sample, measure, &prior.masses)?;
        let (before, _) = plain(model)?;
        let mut report = Retarget::of(model, &prior, &before, &resolved, (&sample, measure))?;
        if let Some(scored) = &calibration {
            report.doubt(scored)?;
        }
        if let Some(spec) = &self.evaluate {
            report.evaluate(model, spec, calibration.as_ref(), progress)?;
        }
        Ok(Chosen {
            offsets: resolved.record,
            retarget: Some(report),
            calibration,
        })
    }
}
