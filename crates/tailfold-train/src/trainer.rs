//! Training: a configuration in, a run folder out.

use std::path::Path;
use std::time::{Duration, Instant};

use burn::prelude::Device;
use tailfold_spec::{Manifest, artifact};

use crate::config::TrainConfig;
use crate::error::TrainError;
use crate::report::{EpochReport, Observer, StepReport, best_epoch, write_metrics, write_recall};
use crate::resume;
use crate::run::Run;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// As written; `None` when the run was stopped before its end and has a saved state in its place.
    pub manifest: Option<Manifest>,
    /// One row a finished epoch.
    pub reports: Vec<EpochReport>,
}

impl Outcome {
    /// The epoch with the best validation accuracy, the first of equals; for the eye only. `None` without validation data.
    pub fn best_epoch(&self) -> Option<&EpochReport> {
        best_epoch(&self.reports)
    }
}

/// Trains by `config` on `device` (with autodiff) and writes the run folder `out`, until the end or until `observer` wants
/// to stop. With `resume` it goes on from the state that an earlier call saved in `out`, if there is one.
///
/// # Errors
/// [`TrainError`]; the files of an earlier, finished run in `out` stay whole until they are replaced one by one, the
/// manifest last. The last saved state stays too.
pub fn train(
    config: &TrainConfig,
    out: &Path,
    resume: bool,
    device: &Device,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    config.validate()?;
    artifact::ensure_writable(out)?;
    let mut run = Run::prepare(config, device, observer)?;
    let restored = resume && run.restore(out)?;
    let finished = out.join(Manifest::FILE);
    if resume && !restored && finished.exists() {
        let why = "the run is finished".to_owned();
        return Err(TrainError::Resume {
            path: finished,
            why,
        });
    }
    if let Some(pretrained) = &run.pretrained {
        observer.pretrained(pretrained);
    }
    if !run.go_on(out, observer)? {
        return Ok(Outcome {
            manifest: None,
            reports: run.reports,
        });
    }
    run.check_solved()?;
    // A run that was killed after its last epoch measures it again: the same network, the same bits.
    let validation = match run.validation_result.take() {
        None => run.validate()?,
        some => some,
    };
    write_recall(out, &run.manifest, validation.as_ref())?;
    let manifest = run.finish(out)?;
    resume::clear(out)?;
    Ok(Outcome {
        manifest: Some(manifest),
        reports: run.reports,
    })
}

impl Run<'_> {
    /// Steps, epochs and saved states to the end of the run, `true`, or to where `observer` stops it.
    fn go_on(&mut self, out: &Path, observer: &mut dyn Observer) -> Result<bool, TrainError> {
        let steps = self.plan.steps();
        let (epochs, total) = (self.config.epochs, self.config.epochs * steps);
        let before = self.reports.len() * steps + self.sums.steps;
        observer.start(&self.manifest, steps, before);
        let every = Duration::from_secs_f64(60.0 * self.config.checkpoint_minutes);
        let (started, mut saved) = (Instant::now(), Instant::now());
        while self.reports.len() < epochs {
            let epoch = self.reports.len();
            let batches = self.plan.start(epoch, self.sums.steps);
            while self.sums.steps < steps {
                let loss = self.next_step(&batches)?;
                let done = epoch * steps + self.sums.steps;
                let mean = started.elapsed().as_secs_f64() / (done - before) as f64;
                observer.step(&StepReport {
                    epoch: epoch + 1,
                    step: self.sums.steps,
                    loss,
                    images_per_second: self.sums.images_per_second(),
                    seconds_left: mean * (total - done) as f64,
                });
                let stop = observer.wants_stop();
                if stop || saved.elapsed() >= every {
                    self.save(out)?;
                    saved = Instant::now();
                }
                if stop {
                    return Ok(false);
                }
            }
            let report = self.close_epoch()?;
            observer.epoch(&report);
            write_metrics(out, &self.reports)?;
            self.save(out)?;
            saved = Instant::now();
            if self.reports.len() < epochs && observer.wants_stop() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
pub(crate) mod tests;
