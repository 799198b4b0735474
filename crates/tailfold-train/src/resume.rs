//! The saved state of an interrupted run: a resumed run gives the same bits, and a save is atomic.
//!
//! A state is a folder of files. It is written under a temporary name, synced to disk and then renamed to
//! `resume/state-NNNNNN`, one number above the last state; only then is the last state removed. So a crash between any
//! two writes leaves the last state or the new one, and the state with the highest number is the one to resume.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module as _;
use burn::optim::OptimizerRecord;
use burn::store::ModuleRecord;
use burn::tensor::Bytes;
use serde::{Deserialize, Serialize};
use tailfold_spec::artifact::{self, ArtifactError, at};
use tailfold_spec::{Architecture, OffsetsRecord, Preprocess};

use crate::casts::failed;
use crate::config::TrainConfig;
use crate::epoch_sums::EpochSums;
use crate::error::{TrainError, TrainErrorKind};
use crate::optimizer::descent;
use crate::plan::RunPlan;
use crate::report::EpochReport;
use crate::state::RunState;
use crate::weights::finite_weights;

mod queue;

const FOLDER: &str = "resume";
const PREFIX: &str = "state-";
const TEMPORARY: &str = ".tmp-";
const STATE: &str = "state.json";
const STATE_HASH: &str = "state.sha256";
const NETWORK: &str = "network.bpk";
const OPTIMIZER: &str = "optimizer.bpk";
const QUEUE: &str = "queue.safetensors";

/// All parts of the state except the tensors.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    architecture: Architecture,
    config: TrainConfig,
    /// Number of images per class, `[classes]`: another data set has another order.
    train_counts: Vec<u64>,
    /// Class names, label order.
    classes: Vec<String>,
    /// Normalization of the images; measured on the data if the configuration does not set it.
    preprocess: Preprocess,
    /// Target masses of the offsets, `[classes]`, which may come from a file; empty without offsets.
    target: Vec<f64>,
    /// Reports of the finished epochs.
    reports: Vec<EpochReport>,
    /// Sums of the unfinished epoch.
    sums: EpochSums,
    /// Offsets, `[classes]`; empty without offsets.
    h: Vec<f64>,
    /// Record of the last solution of the offsets.
    last: Option<OffsetsRecord>,
    /// Mean length of the last step's features as the head receives them; 1 before the first.
    radius: f32,
    network_sha256: String,
    optimizer_sha256: String,
    queue_sha256: String,
}

/// Saves the state after the last step.
///
/// # Errors
/// [`TrainErrorKind::File`], naming the file, or [`TrainErrorKind::Weights`], naming the tensor with a NaN or infinite
/// value; the earlier saved state is kept.
pub(crate) fn save(plan: &RunPlan<'_>, run: &RunState, out: &Path) -> Result<(), TrainError> {
    let parent = out.join(FOLDER);
    fs::create_dir_all(&parent).map_err(at("create", &parent))?;
    let (old, litter) = saved(out)?;
    for folder in litter {
        fs::remove_dir_all(&folder).map_err(at("remove", &folder))?;
    }
    let temporary = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempdir_in(&parent)
        .map_err(at("create a folder in", &parent))?;
    let folder = temporary.path();
    let write = |file: &str, bytes: &[u8]| -> Result<String, ArtifactError> {
        artifact::write(&folder.join(file), bytes)?;
        Ok(artifact::sha256(bytes))
    };
    // The check comes before anything is replaced: weights that are not finite cannot be resumed, and the earlier state
    // is the last good one. It also updates the running statistics to the value from which the next step would have
    // computed; they lag one update behind in the training module, and clones share them.
    finite_weights(&run.network)?;
    let network = run.network.clone().into_record().into_bytes();
    let network = network.map_err(|e| failed(e.to_string()))?;
    let optimizer = run.optimizer.into_bytes();
    let optimizer = optimizer.map_err(|e| failed(e.to_string()))?;
    let offsets = run.offsets.as_ref();
    let state = State {
        architecture: plan.manifest.architecture.clone(),
        config: plan.config.clone(),
        train_counts: plan.manifest.train_counts.clone(),
        classes: plan.manifest.classes.clone(),
        preprocess: plan.manifest.preprocess.clone(),
        target: offsets.map_or_else(Vec::new, |o| o.target.clone()),
        reports: run.reports.clone(),
        sums: run.sums.clone(),
        h: offsets.map_or_else(Vec::new, |o| o.h.clone()),
        last: offsets.and_then(|o| o.last.clone()),
        radius: run.radius,
        network_sha256: write(NETWORK, &network)?,
        optimizer_sha256: write(OPTIMIZER, &optimizer)?,
        queue_sha256: match offsets {
            None => String::new(),
            Some(offsets) => write(QUEUE, &queue::to_bytes(&offsets.source.queue)?)?,
        },
    };
    let json = serde_json::to_vec(&state)?;
    write(STATE, &json)?;
    write(STATE_HASH, artifact::sha256(&json).as_bytes())?;
    sync_folder(folder)?;
    let number = old.last().map_or(1, |(number, _)| number + 1);
    let target = parent.join(format!("{PREFIX}{number:06}"));
    fs::rename(folder, &target).map_err(at("write", &target))?;
    sync_folder(&parent)?;
    for (_, old) in old {
        fs::remove_dir_all(&old).map_err(at("remove", &old))?;
    }
    Ok(())
}

/// Restores the last saved state in `out`; returns `false` if no state was saved.
///
/// # Errors
/// [`TrainErrorKind::Resume`] or [`TrainErrorKind::File`], naming the file.
pub(crate) fn restore(
    plan: &RunPlan<'_>,
    run: &mut RunState,
    out: &Path,
) -> Result<bool, TrainError> {
    let Some((_, folder)) = saved(out)?.0.pop() else {
        return Ok(false);
    };
    let refuse = |file: &str, why: String| refusal(&folder.join(file), &why);
    let verified = |file: &str, expected: &str| {
        let bytes = artifact::read(&folder.join(file))?;
        let found = artifact::sha256(&bytes);
        if found != expected {
            return Err(refuse(
                file,
                format!("sha256 is {found}, expected {expected}"),
            ));
        }
        Ok(bytes)
    };
    let state_sha256 = artifact::read_to_string(&folder.join(STATE_HASH))?;
    let state: State = serde_json::from_slice(&verified(STATE, &state_sha256)?)
        .map_err(|e| refuse(STATE, e.to_string()))?;
    check_same_run(plan, run, &state, &folder.join(STATE))?;

    let bytes = Bytes::from_bytes_vec(verified(NETWORK, &state.network_sha256)?);
    let network = ModuleRecord::from_bytes(bytes)
        .and_then(|record| run.network.clone().try_load_record(record))
        .map_err(|e| refuse(NETWORK, e.to_string()))?;
    let bytes = Bytes::from_bytes_vec(verified(OPTIMIZER, &state.optimizer_sha256)?);
    let optimizer =
        OptimizerRecord::from_bytes(bytes).map_err(|e| refuse(OPTIMIZER, e.to_string()))?;
    if let Some(offsets) = &mut run.offsets {
        let bytes = verified(QUEUE, &state.queue_sha256)?;
        let device = plan.device.clone().without_autodiff();
        queue::restore(&mut offsets.source.queue, &bytes, &device)
            .map_err(|why| refuse(QUEUE, why))?;
        offsets.h = state.h;
        offsets.last = state.last;
    }
    run.network = network;
    run.optimizer = descent(&plan.config.optimizer).load_record(optimizer);
    run.radius = state.radius;
    run.reports = state.reports;
    run.sums = state.sums;
    Ok(true)
}

/// Refuses the state of a run with another configuration or other data.
fn check_same_run(
    plan: &RunPlan<'_>,
    run: &RunState,
    state: &State,
    path: &Path,
) -> Result<(), TrainError> {
    if state.architecture != plan.manifest.architecture {
        return Err(TrainErrorKind::Resume.error(format!(
            "{} holds {:?}, but the configuration and the data make {:?}",
            path.display(),
            state.architecture,
            plan.manifest.architecture
        )));
    }
    let differences = state.config.differences(plan.config);
    let target = run
        .offsets
        .as_ref()
        .map_or(&[][..], |offsets| &offsets.target);
    let why = if !differences.is_empty() {
        format!(
            "it belongs to a run with another configuration ({})",
            differences.join("; ")
        )
    } else if state.train_counts != plan.manifest.train_counts {
        format!(
            "it belongs to a run on {:?} images per class, the data now has {:?}",
            state.train_counts, plan.manifest.train_counts
        )
    } else if state.classes != plan.manifest.classes {
        format!(
            "it belongs to a run on the classes {:?}, the data now has {:?}",
            state.classes, plan.manifest.classes
        )
    } else if state.preprocess != plan.manifest.preprocess {
        format!(
            "its images were prepared by {:?}, the data now gives {:?}",
            state.preprocess, plan.manifest.preprocess
        )
    } else if state.target != target {
        format!(
            "its offsets had the target masses {:?}, this run has {target:?}",
            state.target
        )
    } else {
        return Ok(());
    };
    Err(refusal(path, &why))
}

/// Returns the error for a file from which no run can be resumed.
pub(crate) fn refusal(file: &Path, why: &str) -> TrainError {
    TrainErrorKind::Resume.error(format!("cannot resume from {}: {why}", file.display()))
}

/// Removes the files of [`save`] after the run is finished.
pub(crate) fn clear(out: &Path) -> Result<(), TrainError> {
    let folder = out.join(FOLDER);
    if !folder.exists() {
        return Ok(());
    }
    sync_folder(out)?;
    // Each state is renamed before its files are removed, because a partial state would look like a complete one.
    for (number, state) in saved(out)?.0 {
        let litter = folder.join(format!("{TEMPORARY}{number}"));
        fs::rename(&state, &litter).map_err(at("rename", &state))?;
    }
    fs::remove_dir_all(&folder).map_err(at("remove", &folder))?;
    Ok(())
}

/// Saved states by number, ascending, and the leftovers of interrupted saves.
type Saved = (Vec<(u64, PathBuf)>, Vec<PathBuf>);

fn saved(out: &Path) -> Result<Saved, TrainError> {
    let folder = out.join(FOLDER);
    let (mut states, mut litter) = (Vec::new(), Vec::new());
    if !folder.exists() {
        return Ok((states, litter));
    }
    for entry in fs::read_dir(&folder).map_err(at("read", &folder))? {
        let name = entry.map_err(at("read", &folder))?.file_name();
        let Some(name) = name.to_str() else { continue };
        if let Some(number) = name.strip_prefix(PREFIX).and_then(|n| n.parse().ok()) {
            states.push((number, folder.join(name)));
        } else if name.starts_with(TEMPORARY) {
            litter.push(folder.join(name));
        }
    }
    states.sort_unstable();
    Ok((states, litter))
}

/// Syncs a folder's own entries to disk, as `artifact::write` does for a file's bytes; only Unix can open a folder.
fn sync_folder(folder: &Path) -> Result<(), ArtifactError> {
    if cfg!(unix) {
        fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(at("write", folder))?;
    }
    Ok(())
}
