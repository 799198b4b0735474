//! Goldens: what the training framework answered to some inputs, kept so that an export can be compared with it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use safetensors::SafeTensors;
use tailfold_spec::{ImageBatch, Logits, Manifest, ModelCard, artifact, same_file};

/// Inputs and scores of a training framework.
#[derive(Debug)]
pub(crate) struct Golden {
    /// `[n, channels, height, width]`, preprocessed.
    pub(crate) inputs: ImageBatch,
    /// `[n, classes]`, before offsets, row-major.
    scores: Vec<f32>,
    /// For messages.
    path: PathBuf,
    /// Of the run's checkpoint, where the run is known.
    checkpoint_sha256: Option<String>,
}

impl Golden {
    /// Those of the run folder `run`, whose manifest has their hash.
    pub(crate) fn of_run(run: &Path) -> anyhow::Result<Self> {
        let manifest = Manifest::read(run)?;
        let bytes = manifest.read_file(run, Manifest::GOLDEN)?;
        Ok(Self {
            checkpoint_sha256: Some(manifest.files.checkpoint_sha256),
            ..Self::from_bytes(&bytes, run.join(Manifest::GOLDEN))?
        })
    }

    /// Those of a run folder, or of a file `golden.safetensors`; one that lies in a run folder is checked by its manifest.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        if path.is_dir() {
            return Self::of_run(path);
        }
        let run = path.ancestors().nth(2).filter(|run| {
            // A relative path may end at the folder that it starts from.
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

    fn from_bytes(bytes: &[u8], path: PathBuf) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let tensors = SafeTensors::deserialize(bytes).with_context(|| name.clone())?;
        let (shape, inputs) = f32_tensor(&tensors, "inputs").with_context(|| name.clone())?;
        let (_, scores) = f32_tensor(&tensors, "scores").with_context(|| name.clone())?;
        let shape: [usize; 4] = shape
            .try_into()
            .ok()
            .with_context(|| format!("{name}: inputs are not of rank 4"))?;
        Ok(Self {
            inputs: ImageBatch::new(inputs, shape)?,
            scores,
            path,
            checkpoint_sha256: None,
        })
    }

    /// The file, for messages.
    pub(crate) fn file(&self) -> impl std::fmt::Display + '_ {
        self.path.display()
    }

    /// Refuses goldens whose run is known, and has another checkpoint than the model with this card.
    pub(crate) fn check_checkpoint(&self, card: &ModelCard) -> anyhow::Result<()> {
        let Some(checkpoint) = &self.checkpoint_sha256 else {
            return Ok(());
        };
        ensure!(
            *checkpoint == card.checkpoint_sha256,
            "{}: these goldens are of another model: their run has the checkpoint {checkpoint}, the model was made of {}",
            self.path.display(),
            card.checkpoint_sha256
        );
        Ok(())
    }

    /// What a model with this card has to answer, `[n, classes]`: the scores plus the offsets that are folded into it.
    ///
    /// # Errors
    /// Naming the file, when its images or classes are not the model's.
    pub(crate) fn expected(&self, card: &ModelCard) -> anyhow::Result<Logits> {
        let path = self.path.display();
        let [images, shape @ ..] = self.inputs.shape();
        let spec = &card.preprocess;
        let wanted = [spec.channels, spec.height, spec.width];
        ensure!(
            shape == wanted,
            "{path}: these goldens are of another model: their inputs are {shape:?} (channels, height, width), the model takes {wanted:?}"
        );
        let offsets = card.offsets.as_ref();
        let offsets = &offsets
            .context("the model's offsets are not folded")?
            .offsets;
        ensure!(images > 0, "{path}: there is no image to compare");
        ensure!(
            images.checked_mul(card.classes.len()) == Some(self.scores.len())
                && offsets.len() == card.classes.len(),
            "{path}: these goldens are of another model: {} scores of {images} images, {} classes in the model, {} offsets",
            self.scores.len(),
            card.classes.len(),
            offsets.len()
        );
        let rows = self.scores.chunks_exact(offsets.len());
        let values = rows.flat_map(|row| row.iter().zip(offsets).map(|(s, h)| s + h));
        Ok(Logits::new(values.collect(), offsets.len())?)
    }
}

fn f32_tensor(tensors: &SafeTensors<'_>, name: &str) -> anyhow::Result<(Vec<usize>, Vec<f32>)> {
    let view = tensors
        .tensor(name)
        .with_context(|| format!("tensor `{name}`"))?;
    ensure!(
        view.dtype() == safetensors::Dtype::F32,
        "tensor `{name}` is {:?}, expected F32",
        view.dtype()
    );
    let (values, _) = view.data().as_chunks::<4>();
    Ok((
        view.shape().to_vec(),
        values.iter().map(|v| f32::from_le_bytes(*v)).collect(),
    ))
}
