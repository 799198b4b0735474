//! Loads the models of the chain on the available back ends, and lists the unavailable ones.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use tailfold::{Backend, LoadedModel};
use tailfold_parity::Policy;
use tailfold_parity::chain::{Absent, Stage};

use crate::model::{Ort, Runtime};
use crate::parity::same::{self, Allow};

/// Files of the chain.
pub(super) struct Files<'a> {
    pub(super) float: &'a Path,
    pub(super) half: Option<&'a Path>,
    pub(super) int8: &'a Path,
}

/// A step whose model is loaded.
pub(super) struct Ready {
    pub(super) stage: Stage,
    pub(super) backend: Backend,
    /// File of the model, as given.
    pub(super) file: String,
    pub(super) model: LoadedModel,
}

/// The loaded steps and the unavailable ones, in the order of the chain.
pub(super) struct Loaded {
    /// The first step is the float model.
    pub(super) ready: Vec<Ready>,
    pub(super) absent: Vec<Absent>,
}

/// Returns the back ends that are tried for `stage`, in the order of the steps.
///
/// Float models do not run on GPUs here: CUDA multiplies f32 with the precision of TF32, which exceeds any tolerance
/// for rounding. tract has no half precision.
fn of_stage(stage: Stage) -> &'static [Backend] {
    match stage {
        Stage::Golden => &[],
        Stage::Float => &[Backend::TractStock, Backend::Ort],
        Stage::Fp16 => &[Backend::Ort, Backend::Cuda, Backend::Tensorrt],
        Stage::Int8 => &[
            Backend::Integer,
            Backend::Tract,
            Backend::TractStock,
            Backend::Ort,
            Backend::Cuda,
            Backend::Tensorrt,
            Backend::TensorrtRtx,
        ],
    }
}

/// Prepares every file for every back end of its stage.
///
/// # Errors
/// An unavailable back end of `required`, a file that no back end runs, a model for another task than the float model,
/// and an unusable file; the error names the file.
pub(super) fn load(
    files: &Files<'_>,
    required: &[Backend],
    policy: &Policy,
    ort: &Ort,
) -> anyhow::Result<Loaded> {
    let mut loaded = Loaded {
        ready: Vec::new(),
        absent: Vec::new(),
    };
    for (stage, path) in [
        (Stage::Float, Some(files.float)),
        (Stage::Fp16, files.half),
        (Stage::Int8, Some(files.int8)),
    ] {
        let Some(path) = path else { continue };
        let before = loaded.ready.len();
        for &backend in of_stage(stage) {
            loaded.add(stage, path, backend, required.contains(&backend), ort)?;
        }
        ensure!(
            loaded.ready.len() > before,
            "{}: no back end that runs {stage} models is available: {}",
            path.display(),
            loaded.reasons(stage)
        );
    }
    for step in &loaded.ready[1..] {
        let float = &loaded.ready[0].model;
        same::check(float, &step.model, policy, Allow::default())
            .with_context(|| step.file.clone())?;
    }
    Ok(loaded)
}

impl Loaded {
    fn add(
        &mut self,
        stage: Stage,
        path: &Path,
        backend: Backend,
        is_required: bool,
        ort: &Ort,
    ) -> anyhow::Result<()> {
        let runtime = Runtime {
            backend,
            ort: ort.clone(),
        };
        let file = path.display().to_string();
        match LoadedModel::open(path, backend, &runtime.options(1)) {
            Ok(model) => self.ready.push(Ready {
                stage,
                backend,
                file,
                model,
            }),
            Err(error) if !error.lacks_backend() => {
                return Err(error).with_context(|| format!("{stage} on {backend}"));
            }
            Err(error) => {
                let why = one_line(&error);
                if is_required {
                    bail!("{stage} needs the back end `{backend}`, which is unavailable: {why}");
                }
                self.absent.push(Absent {
                    stage,
                    backend: backend.name().to_owned(),
                    why,
                });
            }
        }
        Ok(())
    }

    fn reasons(&self, stage: Stage) -> String {
        let of_stage = self.absent.iter().filter(|absent| absent.stage == stage);
        let reasons: Vec<String> = of_stage
            .map(|absent| format!("{}: {}", absent.backend, absent.why))
            .collect();
        reasons.join("; ")
    }
}

/// Returns the texts of an error and of its causes on one line.
fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
