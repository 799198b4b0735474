//! A classifier without offsets, from a run folder or from an ONNX file.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use tailfold::{Backend, LoadedModel, ModelFile, Options, infer_shapes};
use tailfold_onnx::{
    Checkpoint, Description, LastBias, Model, OnnxErrorKind, Ports, build, check, check_foldable,
    fold_offsets,
};
use tailfold_spec::{AtExport, CardParts, Manifest, ModelCard, OffsetsRecord};

use crate::{ErrorKind, ExportError};

/// A classifier without offsets.
pub struct Unfolded {
    /// The graph in canonical form; its logits are the raw scores `[classes]`.
    model: Model,
    /// The metadata, without offsets.
    card: ModelCard,
    source: Source,
    /// The path in messages.
    path: PathBuf,
    /// The model on its back end, loaded at the first use.
    loaded: OnceCell<LoadedModel>,
}

/// The source of a classifier.
enum Source {
    Run(Box<Run>),
    File(Box<File>),
}

/// A run folder.
pub(crate) struct Run {
    pub(crate) manifest: Manifest,
    /// The offsets that the loss added to the scores in the last step of training.
    pub(crate) trained: OffsetsRecord,
}

/// A model file.
struct File {
    ports: Ports,
    bias: LastBias,
    /// Whether the file had no class names, so that it got the caller's.
    takes_classes: bool,
}

impl Unfolded {
    /// Reads the run `folder` and builds its graph.
    ///
    /// # Errors
    /// [`ErrorKind::File`] or [`ErrorKind::Model`], naming the file that is missing, damaged or altered.
    pub fn read(folder: &Path) -> Result<Self, ExportError> {
        let manifest = Manifest::read(folder)?;
        let bytes = manifest.read_file(folder, Manifest::CHECKPOINT)?;
        let checkpoint = Checkpoint::from_safetensors(&bytes, &folder.join(Manifest::CHECKPOINT))?;
        let card = ModelCard {
            name: manifest.name.clone(),
            architecture: manifest.architecture.name(),
            classes: manifest.classes.clone(),
            train_counts: manifest.train_counts.clone(),
            preprocess: manifest.preprocess.clone(),
            offsets: None,
            checkpoint_sha256: manifest.files.checkpoint_sha256.clone(),
            quantization: None,
        };
        let model = build(&manifest.architecture, &checkpoint, &card)?;
        let trained = manifest.read_offsets(folder)?;
        Ok(Self {
            model,
            card,
            source: Source::Run(Box::new(Run { manifest, trained })),
            path: folder.to_owned(),
            loaded: OnceCell::new(),
        })
    }

    /// Opens the model file `path` of any exporter; `description` fills the gaps in its metadata, and `classes` are the
    /// class names if neither the file nor `description` has any.
    ///
    /// # Errors
    /// [`ErrorKind::Model`], naming the file: it is not a classifier, it is quantized, it has offsets already, or a
    /// nonlinear node follows the last bias.
    pub fn open(
        path: &Path,
        description: &Description,
        classes: &[String],
    ) -> Result<Self, ExportError> {
        let file = ModelFile::read(path, &description.options)?;
        let name = file.name.clone();
        let at = |error: ExportError| error.at(&name);
        check_foldable(&file.opened.model).map_err(|error| at(error.into()))?;
        let named = description.or_classes(&file.opened, classes);
        let named = named.map_err(|error| at(error.into()))?;
        let takes_classes = named.labels != description.labels;
        let (backend, options) = (Backend::default(), Options::default());
        let model = file.opened.model.clone();
        let loaded = file.load(&named, backend, &options)?;
        let card = loaded.card.clone();
        let bias = LastBias::of(&model, &infer_shapes(&model), card.classes.len());
        let bias = bias.map_err(|error| at(error.into()))?;
        let bias = bias
            .and_then(LastBias::exact)
            .map_err(|error| at(error.into()))?;
        let ports = loaded.ports.clone();
        Ok(Self {
            model,
            card,
            source: Source::File(Box::new(File {
                ports,
                bias,
                takes_classes,
            })),
            path: path.to_owned(),
            loaded: OnceCell::from(loaded),
        })
    }

    /// Name, classes, training counts and preprocessing, without offsets.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// Training images of each class, `[classes]`; `None` if they are unknown.
    pub fn train_counts(&self) -> Option<&[u64]> {
        let counts = &self.card.train_counts;
        counts.iter().any(|&n| n > 0).then_some(counts)
    }

    /// The run folder; `None` for a model file.
    pub(crate) fn run(&self) -> Option<&Run> {
        match &self.source {
            Source::Run(run) => Some(run),
            Source::File(_) => None,
        }
    }

    /// The choice of offsets that the run made; `None` for a model file.
    pub fn at_export(&self) -> Option<AtExport> {
        self.run().map(|run| run.manifest.at_export)
    }

    /// The offsets of training.
    ///
    /// # Errors
    /// [`ErrorKind::Offsets`] for a model file, which has none.
    pub fn trained(&self) -> Result<&OffsetsRecord, ExportError> {
        let none = || {
            let text = "a model file has no offsets of training: only a run folder has them";
            ErrorKind::Offsets.error(text)
        };
        Ok(&self.run().ok_or_else(none)?.trained)
    }

    /// Whether the model file had no class names, so that it got the `classes` of [`Unfolded::open`].
    pub fn takes_classes(&self) -> bool {
        matches!(&self.source, Source::File(file) if file.takes_classes)
    }

    /// The graph without offsets.
    pub(crate) fn model(&self) -> &Model {
        &self.model
    }

    /// The run folder or the model file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The classifier without offsets, ready to run.
    pub(crate) fn loaded(&self) -> Result<&LoadedModel, ExportError> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        let (bytes, name) = (self.model.to_bytes(), self.path.display().to_string());
        let options = Options::default();
        let loaded = LoadedModel::from_bytes(&bytes, &name, Backend::default(), &options)?;
        Ok(self.loaded.get_or_init(|| loaded))
    }

    /// The file with `offsets` folded into the last bias; a model file keeps its input and output.
    pub(crate) fn folded(&self, offsets: &OffsetsRecord) -> Result<Model, ExportError> {
        let mut model = self.model.clone();
        match &self.source {
            Source::Run(_) => fold_offsets(&mut model, offsets)?,
            Source::File(file) => {
                let (classes, found) = (self.card.classes.len(), offsets.offsets.len());
                if classes != found {
                    return Err(OnnxErrorKind::Offsets
                        .error(format!(
                            "head has {classes} classes but {found} offsets were given"
                        ))
                        .into());
                }
                let shifts: Vec<f64> = offsets.offsets.iter().map(|&h| h.into()).collect();
                let shifted = file.bias.shift(&mut model, &shifts);
                shifted.map_err(|error| ExportError::from(error).at(self.path.display()))?;
                file.ports.restore(&mut model);
                let parts = CardParts {
                    classes: Some(self.card.classes.clone()),
                    train_counts: self.train_counts().map(<[u64]>::to_vec),
                    preprocess: Some(self.card.preprocess.clone()),
                    offsets: Some(offsets.clone()),
                    quantization: None,
                };
                for (key, value) in parts.to_props() {
                    model.set_prop(key, value);
                }
            }
        }
        check(&model).map_err(|error| ExportError::from(error).at(self.path.display()))?;
        Ok(model)
    }
}
