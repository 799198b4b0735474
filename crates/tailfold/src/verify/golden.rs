//! Goldens: inputs with the scores of the training framework, which an exported model must reproduce.

use std::path::{Path, PathBuf};

use tailfold_spec::{ImageBatch, Logits, Manifest, ModelCard, Tensors, artifact, same_file};

use crate::{RuntimeError, RuntimeErrorKind};

/// Inputs and the scores that the training framework gave them.
#[derive(Debug)]
pub struct Golden {
    /// Preprocessed inputs, `[n, channels, height, width]`.
    pub inputs: ImageBatch,
    /// Scores before offsets, `[n, classes]`, row-major.
    scores: Vec<f32>,
    /// The path in messages.
    path: PathBuf,
    /// SHA-256 of the run's checkpoint, if the run is known.
    checkpoint_sha256: Option<String>,
}

impl Golden {
    /// Reads the goldens of the run folder `run` and checks their hash against its manifest.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file.
    pub fn of_run(run: &Path) -> Result<Self, RuntimeError> {
        let manifest = Manifest::read(run)?;
        let bytes = manifest.read_file(run, Manifest::GOLDEN)?;
        Ok(Self {
            checkpoint_sha256: Some(manifest.files.checkpoint_sha256),
            ..Self::from_bytes(&bytes, run.join(Manifest::GOLDEN))?
        })
    }

    /// Reads the goldens of a run folder, or a file `golden.safetensors`. A file inside a run folder is checked against
    /// the folder's manifest.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file.
    pub fn read(path: &Path) -> Result<Self, RuntimeError> {
        if path.is_dir() {
            return Self::of_run(path);
        }
        let run = path.ancestors().nth(2).filter(|run| {
            // The run folder of a relative path can be the current folder, whose path is empty here.
            let run = if run.as_os_str().is_empty() {
                Path::new(".")
            } else {
                run
            };
            run.join(Manifest::FILE).is_file() && same_file(&run.join(Manifest::GOLDEN), path)
        });
        match run {
            Some(run) if run.as_os_str().is_empty() => Self::of_run(Path::new(".")),
            Some(run) => Self::of_run(run),
            None => Self::from_bytes(&artifact::read(path)?, path.to_owned()),
        }
    }

    fn from_bytes(bytes: &[u8], path: PathBuf) -> Result<Self, RuntimeError> {
        let tensors = Tensors::read(bytes, &path.display().to_string())?;
        let (shape, inputs) = tensors.f32("inputs")?;
        let (_, scores) = tensors.f32("scores")?;
        let shape: [usize; 4] = shape.try_into().map_err(|shape| {
            RuntimeErrorKind::Verify
                .error(format!(
                    "these goldens are of another model: their inputs have the shape {shape:?}, \
                     expected rank 4"
                ))
                .at(path.display())
        })?;
        Ok(Self {
            inputs: ImageBatch::new(inputs, shape)?,
            scores,
            path,
            checkpoint_sha256: None,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that the model with this card comes from the checkpoint of the goldens, if their run is known.
    ///
    /// # Errors
    /// [`RuntimeErrorKind::Verify`] with both checkpoints.
    pub fn check_checkpoint(&self, card: &ModelCard) -> Result<(), RuntimeError> {
        let own = self.checkpoint_sha256.as_ref();
        match own.filter(|own| **own != card.checkpoint_sha256) {
            None => Ok(()),
            Some(own) => Err(self.of_another_model(format!(
                "their run has the checkpoint {own}, the model was made of {}",
                card.checkpoint_sha256
            ))),
        }
    }

    /// Returns the logits `[n, classes]` that a model with this card must give: the scores plus the model's folded
    /// offsets.
    ///
    /// # Errors
    /// [`RuntimeError`] naming the file, if its images or classes do not fit the model.
    pub fn expected(&self, card: &ModelCard) -> Result<Logits, RuntimeError> {
        let [images, shape @ ..] = self.inputs.shape();
        let spec = &card.preprocess;
        let wanted = [spec.channels, spec.height, spec.width];
        if shape != wanted {
            return Err(self.of_another_model(format!(
                "their inputs are {shape:?} (channels, height, width), the model takes {wanted:?}"
            )));
        }
        let offsets = card
            .offsets
            .as_ref()
            .ok_or(RuntimeErrorKind::Verify.error("the model's offsets are not folded"))?;
        let offsets = &offsets.offsets;
        if images == 0 {
            return Err(RuntimeErrorKind::Verify.error("there is no image to compare"));
        }
        if images.checked_mul(card.classes.len()) != Some(self.scores.len())
            || offsets.len() != card.classes.len()
        {
            return Err(self.of_another_model(format!(
                "{} scores of {images} images, {} classes in the model, {} offsets",
                self.scores.len(),
                card.classes.len(),
                offsets.len()
            )));
        }
        let rows = self.scores.chunks_exact(offsets.len());
        let values = rows.flat_map(|row| row.iter().zip(offsets).map(|(s, h)| s + h));
        Ok(Logits::new(values.collect(), offsets.len())?)
    }

    fn of_another_model(&self, why: String) -> RuntimeError {
        RuntimeErrorKind::Verify
            .error(format!("these goldens are of another model: {why}"))
            .at(self.path.display())
    }
}
