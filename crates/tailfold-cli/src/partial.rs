//! Runs over one share of the images, and their part files for `tailfold merge`.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tailfold::LoadedModel;
use tailfold_console::say;
use tailfold_data::Dataset;
use tailfold_parity::Policy;
use tailfold_part::{Kind, Part, Parts, labels_sha256, names_sha256};
use tailfold_spec::{Logits, OutputCheck, Preprocess, Shard, artifact};

/// Options to run over one share of the images.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Sharding {
    /// Run over share I of N of the images only, I from 0 to N-1. `tailfold merge` combines all shares into the result
    /// of a run without this option.
    #[arg(long, value_name = "I/N", requires = "partial")]
    pub(crate) shard: Option<Shard>,
    /// File to write the results of the share to.
    #[arg(long, value_name = "FILE", requires = "shard")]
    pub(crate) partial: Option<PathBuf>,
}

impl Sharding {
    /// Returns the share and its file, if they are given.
    pub(crate) fn get(&self) -> Option<(Shard, &Path)> {
        self.shard.zip(self.partial.as_deref())
    }

    /// Returns a check of the files of a command, with the file of `--partial` as an output.
    pub(crate) fn files(&self) -> OutputCheck {
        let mut files = OutputCheck::default();
        let partial = self.partial.iter();
        partial.for_each(|file| files.writes("--partial", file));
        files
    }
}

/// The request of a run over labelled images: everything that its result depends on. It is the same in all parts of a
/// run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Name and version of the program.
    pub(crate) program: String,
    /// The data spec, as given.
    pub(crate) data: String,
    /// SHA-256 of the labels of all images, as u64.
    pub(crate) labels_sha256: String,
    /// SHA-256 of the file names of all images, without folders, one per line.
    pub(crate) names_sha256: String,
    /// SHA-256 of each model file, `[models]`.
    pub(crate) model_sha256: Vec<String>,
    /// Back end of each model, `[models]`.
    pub(crate) backend: Vec<String>,
    /// Preprocessing of each model: the options on the command line can differ between shards.
    pub(crate) preprocess: Vec<Preprocess>,
    /// Whether the input of each model is `[N, height, width, channels]`.
    pub(crate) channels_last: Vec<bool>,
    /// Name of each model's tensor of logits.
    pub(crate) output: Vec<String>,
    /// SHA-256 of each model's class names.
    pub(crate) classes_sha256: Vec<String>,
    /// SHA-256 of each model's training counts.
    pub(crate) train_counts_sha256: Vec<String>,
    /// Policy of the parity gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<Policy>,
    /// For `tailfold logits`: whether the inputs are written too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) inputs: Option<bool>,
}

impl Asked {
    /// Describes a run of `models` over `data`, the whole set of images.
    pub(crate) fn of(models: &[&LoadedModel], data: &Dataset) -> Self {
        fn each<T>(models: &[&LoadedModel], field: impl Fn(&LoadedModel) -> T) -> Vec<T> {
            models.iter().map(|model| field(model)).collect()
        }
        let sha256 = |list: &dyn Debug| artifact::sha256(format!("{list:?}").as_bytes());
        Self {
            program: format!("tailfold {}", env!("CARGO_PKG_VERSION")),
            data: data.spec().to_string(),
            labels_sha256: labels_sha256(data.labels()),
            names_sha256: names_sha256((0..data.len()).map(|i| data.id(i))),
            model_sha256: each(models, |m| m.sha256.clone()),
            backend: each(models, |m| m.classifier.name().to_owned()),
            preprocess: each(models, |m| m.card.preprocess.clone()),
            channels_last: each(models, |m| m.ports.input.channels_last),
            output: each(models, |m| m.ports.output.name().to_owned()),
            classes_sha256: each(models, |m| sha256(&m.card.classes)),
            train_counts_sha256: each(models, |m| sha256(&m.card.train_counts)),
            policy: None,
            inputs: None,
        }
    }
}

/// One share of a run.
pub(crate) struct Share<'a> {
    pub(crate) shard: Shard,
    path: &'a Path,
    /// Number of images of the whole set.
    images: usize,
    /// Indices of the share's images in the whole set.
    pub(crate) own: Vec<usize>,
    /// The share's images.
    pub(crate) data: Dataset,
}

impl<'a> Share<'a> {
    /// Takes the share `shard` of `data`, whose part goes to the file `path`.
    pub(crate) fn of(data: &Dataset, shard: Shard, path: &'a Path) -> Self {
        let own: Vec<usize> = shard.images(data.len()).collect();
        Self {
            shard,
            path,
            images: data.len(),
            data: data.subset(&own),
            own,
        }
    }

    /// Returns a part with the labels of the share and each of the named `logits`.
    pub(crate) fn part(
        &self,
        kind: Kind,
        asked: &Asked,
        logits: &[(&str, &Logits)],
    ) -> anyhow::Result<Part> {
        let mut part = Part::new(kind, self.shard, self.images, &self.own, asked)?;
        let labels: Vec<u64> = self.data.labels().iter().map(|&l| l as u64).collect();
        part.put("labels", vec![labels.len()], labels);
        for (name, logits) in logits {
            let shape = vec![logits.len(), logits.num_classes()];
            part.put(name, shape, logits.values().to_vec());
        }
        Ok(part)
    }

    /// Writes the part file and prints its name to the log output.
    pub(crate) fn write(&self, part: &Part) -> anyhow::Result<()> {
        part.write(self.path)?;
        let (path, shard, own) = (self.path.display(), self.shard, self.own.len());
        say(&format!(
            "{path}: shard {shard}, {own} of {} images",
            self.images
        ));
        Ok(())
    }
}

/// Whether `data` has the images of the parts, by the hashes `labels` and `names` of their header.
pub(crate) fn is_of(data: &Dataset, labels: &str, names: &str) -> bool {
    let ids = (0..data.len()).map(|i| data.id(i));
    labels_sha256(data.labels()) == labels && names_sha256(ids) == names
}

/// Returns the labels of all images, checked against the hash of the labels in the parts.
pub(crate) fn labels(parts: &Parts, asked: &Asked) -> anyhow::Result<Vec<usize>> {
    parts.check_whole()?;
    let (_, labels) = parts.rows::<u64>("labels", 1)?;
    let labels = labels.into_iter().map(usize::try_from);
    let labels = labels.collect::<Result<Vec<_>, _>>()?;
    let found = labels_sha256(&labels);
    anyhow::ensure!(
        found == asked.labels_sha256,
        "the labels of all parts have the hash {found}, but their headers have {}",
        asked.labels_sha256
    );
    Ok(labels)
}

/// Returns the logits of all images that the parts hold under `name`.
pub(crate) fn logits(parts: &Parts, name: &str) -> anyhow::Result<Logits> {
    let (shape, values) = parts.rows(name, 2)?;
    Ok(Logits::new(values, shape[0])?)
}
