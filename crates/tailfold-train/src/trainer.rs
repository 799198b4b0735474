//! Training: a configuration in, a run folder out.

use std::path::Path;

use burn::prelude::Device;
use tailfold_spec::{Manifest, artifact};

use crate::config::TrainConfig;
use crate::error::TrainError;
use crate::report::{EpochReport, Observer, write_metrics};
use crate::resume::{self, ResumeState};
use crate::run::{Run, sgd};

/// A finished run.
#[derive(Debug)]
pub struct Outcome {
    /// As written.
    pub manifest: Manifest,
    /// One row an epoch.
    pub reports: Vec<EpochReport>,
}

/// Trains by `config` on `device` (with autodiff) and writes the run folder `out`.
///
/// # Errors
/// [`TrainError`]; the files of an earlier, finished run in `out` stay whole until they are replaced one by one, the
/// manifest last.
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
    let mut reports = Vec::new();
    let saved = if resume {
        resume::load(out, config, run.network.clone(), sgd(config), device)?
    } else {
        None
    };
    let finished = out.join(Manifest::FILE);
    if resume && saved.is_none() && finished.exists() {
        let why = "the run is finished".to_owned();
        return Err(TrainError::Resume {
            path: finished,
            why,
        });
    }
    if let Some(saved) = saved {
        run.network = saved.network;
        run.optimizer = saved.optimizer;
        run.radius = saved.state.radius;
        reports = saved.state.reports;
        if let Some(offsets) = &mut run.offsets {
            offsets.h = saved.state.h;
            offsets.last = saved.state.last;
            offsets.queue = saved.state.queue.into();
        }
    }
    observer.start(&run.manifest, run.plan.steps(), reports.len());
    for epoch in reports.len()..config.epochs {
        let report = run.epoch(epoch, observer)?;
        observer.epoch(&report);
        reports.push(report);
        write_metrics(out, &reports)?;
        let offsets = run.offsets.as_ref();
        let state = ResumeState {
            config: config.clone(),
            epochs_done: epoch + 1,
            h: offsets.map_or_else(Vec::new, |o| o.h.clone()),
            last: offsets.and_then(|o| o.last.clone()),
            queue: offsets.map_or_else(Vec::new, |o| o.queue.iter().cloned().collect()),
            radius: run.radius,
            reports: reports.clone(),
            network_sha256: String::new(),
            optimizer_sha256: String::new(),
        };
        resume::save(out, &run.network, &run.optimizer, state)?;
    }
    run.check_solved()?;
    let manifest = run.finish(out)?;
    resume::clear(out)?;
    Ok(Outcome { manifest, reports })
}

#[cfg(test)]
pub(crate) mod tests;
