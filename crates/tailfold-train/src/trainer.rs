//! The training loop: reads a configuration and writes a run folder.

use std::path::Path;
use std::time::{Duration, Instant};

use burn::prelude::Device;
use tailfold_spec::{Manifest, artifact};

use crate::config::TrainConfig;
use crate::epoch::{close_epoch, next_step};
use crate::error::{TrainError, TrainErrorKind};
use crate::plan::RunPlan;
use crate::prepare::{Prepared, prepare};
use crate::products::finish;
use crate::report::{EpochReport, Observer, StepReport, best_epoch, write_metrics};
use crate::resume;
use crate::state::RunState;
use crate::validation::{Validation, validate, write_recall};

/// The outcome of a run.
#[derive(Debug)]
pub struct Outcome {
    /// The written manifest; `None` when the run was stopped before its end and saved its state instead.
    pub manifest: Option<Manifest>,
    /// One row per finished epoch.
    pub reports: Vec<EpochReport>,
}

impl Outcome {
    /// Returns the epoch with the best validation accuracy, and the first of them if there is a tie; for information
    /// only. `None` without validation data.
    pub fn best_epoch(&self) -> Option<&EpochReport> {
        best_epoch(&self.reports)
    }
}

/// Trains by `config` on `device` (with autodiff) and writes the run folder `out`, until the end or until `observer`
/// stops the run. With `resume` it continues from the state that an earlier call saved in `out`, if there is one.
///
/// # Errors
/// [`TrainError`]; the files of an earlier, finished run in `out` stay complete until they are replaced one by one, the
/// manifest last. The last saved state is also kept.
pub fn train(
    config: &TrainConfig,
    out: &Path,
    resume: bool,
    device: &Device,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    config.validate()?;
    artifact::ensure_writable(out)?;
    let Prepared {
        plan,
        mut state,
        pretrained,
    } = prepare(config, device, observer)?;
    let restored = resume && resume::restore(&plan, &mut state, out)?;
    let finished = out.join(Manifest::FILE);
    if resume && !restored && finished.exists() {
        return Err(resume::refusal(&finished, "the run is finished"));
    }
    if !restored && let Some(pretrained) = &pretrained {
        observer.pretrained(pretrained);
    }
    let Ended::Finished(validation) = go_on(&plan, &mut state, out, observer)? else {
        return Ok(Outcome {
            manifest: None,
            reports: state.reports,
        });
    };
    check_solved(&plan, &state)?;
    // A run that was killed after its last epoch validates it again, with the same network and the same result.
    let validation = match validation {
        None => validate(&plan, &state)?,
        some => some,
    };
    write_recall(out, &plan.manifest, validation.as_ref())?;
    let manifest = finish(&plan, &state, out)?;
    resume::clear(out)?;
    Ok(Outcome {
        manifest: Some(manifest),
        reports: state.reports,
    })
}

/// The way in which the steps of a run ended.
enum Ended {
    /// All steps are done. The validation of the last epoch is present if this process computed it and there is
    /// validation data.
    Finished(Option<Validation>),
    /// The observer stopped the run; the state is saved.
    Stopped,
}

/// Runs the steps, epochs and saves to the end of the run, or until `observer` stops it.
fn go_on(
    plan: &RunPlan<'_>,
    state: &mut RunState,
    out: &Path,
    observer: &mut dyn Observer,
) -> Result<Ended, TrainError> {
    let steps = plan.batches.steps();
    let (epochs, total) = (plan.config.epochs, plan.config.epochs * steps);
    let before = state.reports.len() * steps + state.sums.steps;
    observer.start(&plan.manifest, steps, before);
    let every = Duration::from_secs_f64(60.0 * plan.config.checkpoint_minutes);
    let (started, mut saved) = (Instant::now(), Instant::now());
    let mut validation = None;
    while state.reports.len() < epochs {
        let epoch = state.reports.len();
        let batches = plan.batches.start(epoch, state.sums.steps);
        while state.sums.steps < steps {
            let loss = next_step(plan, state, &batches)?;
            let done = epoch * steps + state.sums.steps;
            let mean = started.elapsed().as_secs_f64() / (done - before) as f64;
            observer.step(&StepReport {
                epoch: epoch + 1,
                step: state.sums.steps,
                loss,
                images_per_second: state.sums.images_per_second(),
                seconds_left: mean * (total - done) as f64,
            });
            let stop = observer.wants_stop();
            if stop || saved.elapsed() >= every {
                resume::save(plan, state, out)?;
                saved = Instant::now();
            }
            if stop {
                return Ok(Ended::Stopped);
            }
        }
        let (report, measured) = close_epoch(plan, state)?;
        validation = measured;
        observer.epoch(&report);
        write_metrics(out, &state.reports)?;
        resume::save(plan, state, out)?;
        saved = Instant::now();
        if state.reports.len() < epochs && observer.wants_stop() {
            return Ok(Ended::Stopped);
        }
    }
    Ok(Ended::Finished(validation))
}

/// Checks that the offsets of a run were solved at least once.
fn check_solved(plan: &RunPlan<'_>, state: &RunState) -> Result<(), TrainError> {
    match (&plan.config.offsets, &state.offsets) {
        (Some(config), Some(offsets)) if offsets.last.is_none() => {
            // Otherwise the run would be plain cross-entropy under another name.
            Err(TrainErrorKind::Offsets.error(format!(
                "the offsets were never solved: the queue of {} features never held every one of {} classes",
                config.samples,
                plan.manifest.classes.len()
            )))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests;
