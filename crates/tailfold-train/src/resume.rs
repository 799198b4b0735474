//! What an interrupted run needs to go on to the same bits, written whole after each epoch.

use std::fs;
use std::path::{Path, PathBuf};

use burn::module::Module as _;
use burn::optim::ModuleOptimizer;
use burn::prelude::Device;
use serde::{Deserialize, Serialize};
use tailfold_spec::OffsetsRecord;
use tailfold_spec::artifact::{self, at};

use crate::config::TrainConfig;
use crate::error::TrainError;
use crate::networks::Network;
use crate::report::EpochReport;

const FOLDER: &str = "resume";
const STATE: &str = "state.json";
const STATE_HASH: &str = "state.sha256";
const NETWORK: &str = "network.bpk";
const OPTIMIZER: &str = "optimizer.bpk";

/// Everything but the tensors.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResumeState {
    pub(crate) config: TrainConfig,
    /// Epochs finished.
    pub(crate) epochs_done: usize,
    /// Offsets, `[classes]`.
    pub(crate) h: Vec<f64>,
    /// What the last solution of the offsets left.
    pub(crate) last: Option<OffsetsRecord>,
    /// Feature queue, oldest first: class and features.
    pub(crate) queue: Vec<(usize, Vec<f32>)>,
    /// Mean length of the last step's features under the head; 1 before the first.
    pub(crate) radius: f32,
    pub(crate) reports: Vec<EpochReport>,
    pub(crate) network_sha256: String,
    pub(crate) optimizer_sha256: String,
}

/// Network, optimizer and state of an interrupted run.
pub(crate) struct Resumed {
    pub(crate) network: Network,
    pub(crate) optimizer: ModuleOptimizer,
    pub(crate) state: ResumeState,
}

fn epoch_folder(run: &Path, epochs_done: usize) -> PathBuf {
    run.join(FOLDER).join(format!("epoch-{epochs_done:06}"))
}

/// Writes the state of a run: into a temporary folder, renamed when complete; the one before it is removed after.
pub(crate) fn save(
    run: &Path,
    network: &Network,
    optimizer: &ModuleOptimizer,
    mut state: ResumeState,
) -> Result<(), TrainError> {
    let parent = run.join(FOLDER);
    fs::create_dir_all(&parent).map_err(at("create", &parent))?;
    let target = epoch_folder(run, state.epochs_done);
    let temporary = tempfile::Builder::new()
        .prefix(".tmp-")
        .tempdir_in(&parent)
        .map_err(at("create a folder in", &parent))?;
    let folder = temporary.path();
    // `valid` synchronises the running statistics of the network it is called on.
    let _ = network.valid();
    network
        .clone()
        .save_file(folder.join(NETWORK))
        .map_err(|e| TrainError::Device(e.to_string()))?;
    optimizer
        .save(folder.join(OPTIMIZER))
        .map_err(|e| TrainError::Device(e.to_string()))?;
    state.network_sha256 = artifact::sha256(&artifact::read(&folder.join(NETWORK))?);
    state.optimizer_sha256 = artifact::sha256(&artifact::read(&folder.join(OPTIMIZER))?);
    let json = serde_json::to_vec(&state)?;
    artifact::write(&folder.join(STATE), &json)?;
    artifact::write(&folder.join(STATE_HASH), artifact::sha256(&json).as_bytes())?;
    if target.exists() {
        fs::remove_dir_all(&target).map_err(at("remove", &target))?;
    }
    fs::rename(temporary.keep(), &target).map_err(at("write", &target))?;
    for old in saved_epochs(run)?
        .into_iter()
        .filter(|&e| e != state.epochs_done)
    {
        let old = epoch_folder(run, old);
        fs::remove_dir_all(&old).map_err(at("remove", &old))?;
    }
    Ok(())
}

/// Removes what [`save`] wrote: the run is finished.
pub(crate) fn clear(run: &Path) -> Result<(), TrainError> {
    let folder = run.join(FOLDER);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(at("remove", &folder))?;
    }
    Ok(())
}

fn saved_epochs(run: &Path) -> Result<Vec<usize>, TrainError> {
    let folder = run.join(FOLDER);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut epochs = Vec::new();
    for entry in fs::read_dir(&folder).map_err(at("read", &folder))? {
        let name = entry.map_err(at("read", &folder))?.file_name();
        if let Some(epoch) = name
            .to_str()
            .and_then(|n| n.strip_prefix("epoch-"))
            .and_then(|n| n.parse().ok())
        {
            epochs.push(epoch);
        }
    }
    epochs.sort_unstable();
    Ok(epochs)
}

/// Loads the last state of `run` into a fresh network and optimizer; `None` when there is none.
pub(crate) fn load(
    run: &Path,
    config: &TrainConfig,
    network: Network,
    optimizer: ModuleOptimizer,
    device: &Device,
) -> Result<Option<Resumed>, TrainError> {
    let Some(&last) = saved_epochs(run)?.last() else {
        return Ok(None);
    };
    let folder = epoch_folder(run, last);
    let state_path = folder.join(STATE);
    let damaged = |path: &Path, why: String| TrainError::Resume {
        path: path.to_owned(),
        why,
    };
    let verified = |file: &str, expected: &str| {
        let path = folder.join(file);
        let bytes = artifact::read(&path)?;
        let found = artifact::sha256(&bytes);
        if found != expected {
            return Err(damaged(
                &path,
                format!("sha256 is {found}, expected {expected}"),
            ));
        }
        Ok(bytes)
    };
    let state_sha256 = artifact::read_to_string(&folder.join(STATE_HASH))?;
    let state: ResumeState = serde_json::from_slice(&verified(STATE, &state_sha256)?)
        .map_err(|e| damaged(&state_path, e.to_string()))?;
    if state.config != *config {
        return Err(damaged(
            &state_path,
            "it belongs to a run with another configuration".to_owned(),
        ));
    }
    verified(NETWORK, &state.network_sha256)?;
    verified(OPTIMIZER, &state.optimizer_sha256)?;
    let network_path = folder.join(NETWORK);
    let network = network
        .to_device(device)
        .try_load_file(&network_path)
        .map_err(|e| damaged(&network_path, e.to_string()))?;
    let optimizer_path = folder.join(OPTIMIZER);
    let optimizer = optimizer
        .load(&optimizer_path)
        .map_err(|e| damaged(&optimizer_path, e.to_string()))?;
    Ok(Some(Resumed {
        network,
        optimizer,
        state,
    }))
}
