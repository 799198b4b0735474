//! Which offsets an export folds: those of training, none, or some that are solved anew.

use std::path::Path;

use anyhow::ensure;
use tailfold_data::DataSpec;
use tailfold_spec::OffsetsRecord;

use super::asked::AskedPrior;
use super::report::Retarget;
use super::resolve::resolve;
use super::sample::{Measure, Sample};
use super::scored::Scored;
use super::unfolded::Unfolded;
use super::{Args, Offsets};

/// The offsets to fold, and what there is to say of them where they were solved for a prior.
pub(super) struct Choice {
    pub(super) offsets: OffsetsRecord,
    pub(super) retarget: Option<Retarget>,
}

/// What `args` ask for.
pub(super) fn choose(args: &Args, run: &Unfolded, tailfold: &Path) -> anyhow::Result<Choice> {
    let asked = match (args.offsets, &args.prior) {
        (Some(Offsets::Keep | Offsets::Drop), Some(_)) => {
            anyhow::bail!(
                "--prior needs offsets solved for it: use it with `--offsets resolve` or alone"
            )
        }
        (None, Some(_)) => Offsets::Resolve,
        (Some(choice), _) => choice,
        (None, None) => run.manifest.at_export.into(),
    };
    if asked == Offsets::Resolve {
        return retargeted(args, run, tailfold);
    }
    for (option, given) in [
        ("--calibration", args.calibration.is_some()),
        ("--evaluate", args.evaluate.is_some()),
        ("--temperature", args.temperature.is_some()),
    ] {
        ensure!(
            !given,
            "{option} is for offsets that are solved: use it with `--prior` or `--offsets resolve`"
        );
    }
    let offsets = match asked {
        Offsets::Keep => run.trained.clone(),
        _ => OffsetsRecord::zeros(run.manifest.classes.len()),
    };
    Ok(Choice {
        offsets,
        retarget: None,
    })
}

/// The offsets of an export of `run` without options, and the prior that they were solved for.
pub(crate) fn plain(run: &Unfolded) -> anyhow::Result<(OffsetsRecord, Option<AskedPrior>)> {
    match run.manifest.at_export.into() {
        Offsets::Keep => Ok((run.trained.clone(), None)),
        Offsets::Drop => Ok((OffsetsRecord::zeros(run.manifest.classes.len()), None)),
        Offsets::Resolve => {
            let prior = AskedPrior::parse(UNASKED, &run.manifest)?;
            let sample = Sample::of_features(run)?;
            let resolved = resolve(&sample, Measure::CELLS, &prior.masses)?;
            Ok((resolved.record, Some(prior)))
        }
    }
}

/// The prior of an export that asks for none.
const UNASKED: &str = "uniform";

fn retargeted(args: &Args, run: &Unfolded, tailfold: &Path) -> anyhow::Result<Choice> {
    let prior = AskedPrior::parse(args.prior.as_deref().unwrap_or(UNASKED), &run.manifest)?;
    let score = |spec: &DataSpec| Scored::of(run, tailfold, spec);
    let calibration = args.calibration.as_ref().map(score).transpose()?;
    let sample = match &calibration {
        Some(scored) => Sample::of_images(scored),
        None => Sample::of_features(run)?,
    };
    let of_itself = match args.prior {
        Some(_) => Measure::PROBABILITIES,
        None => Measure::CELLS,
    };
    let measure = Measure {
        weighing: args.weigh,
        temperature: args.temperature.unwrap_or(of_itself.temperature),
    };
    let resolved = resolve(&sample, measure, &prior.masses)?;
    let (before, _) = plain(run)?;
    let mut report = Retarget::of(run, &prior, &before, &resolved, (&sample, measure))?;
    if let Some(spec) = &args.evaluate {
        report.evaluate(run, tailfold, spec, calibration.as_ref())?;
    }
    Ok(Choice {
        offsets: resolved.record,
        retarget: Some(report),
    })
}
