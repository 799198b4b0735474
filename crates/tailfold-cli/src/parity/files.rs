//! Compares files of logits that were computed elsewhere, block by block.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use tailfold_data::class_counts;
use tailfold_logits::{LogitFile, is_logit_file, read_labels};
use tailfold_onnx::Model;
use tailfold_parity::{ComparedModel, Comparer, GroupRule, Policy, Report, Sides};
use tailfold_spec::{CardParts, ModelCard, OutputCheck, artifact};

use crate::describe_args::{self, Describe};

/// Number of logits that are read from each file at a time.
const AT_A_TIME: usize = 1 << 20;

/// Options for two files of logits.
///
/// Two options of [`Describe`] have another meaning here: `--labels` is a file with the labels of the images (without
/// it, the files of logits hold them), and `--counts evaluation` groups the classes into thirds by their number of
/// evaluation images.
#[derive(Clone, Debug, clap::Args)]
#[command(
    next_help_heading = "Logits computed elsewhere (.npy, Parquet or safetensors as --reference and --candidate)"
)]
pub(super) struct Elsewhere {
    /// Model file whose metadata has the class names and the training counts.
    #[arg(long, value_name = "MODEL", conflicts_with_all = ["data", "classes", "counts"])]
    card: Option<PathBuf>,
    /// Class names, one per line. Default: class numbers.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    classes: Option<PathBuf>,
}

/// Whether both files hold logits; false for two models.
pub(super) fn are_logits(reference: &Path, candidate: &Path) -> anyhow::Result<bool> {
    let is = |path: &Path| is_logit_file(path).with_context(|| path.display().to_string());
    match (is(reference)?, is(candidate)?) {
        (true, true) => Ok(true),
        (false, false) => Ok(false),
        (first, _) => {
            let (logits, model) = if first {
                (reference, candidate)
            } else {
                (candidate, reference)
            };
            bail!(
                "{} holds logits and {} is a model: compare two of a kind (`tailfold logits --model {} --out FILE` makes logits)",
                logits.display(),
                model.display(),
                model.display()
            )
        }
    }
}

impl Elsewhere {
    /// Compares two files of logits.
    pub(super) fn compare(
        &self,
        describe: &Describe,
        [reference, candidate]: [&Path; 2],
        policy: &Policy,
    ) -> anyhow::Result<Report> {
        let (mut a, mut b) = (LogitFile::open(reference)?, LogitFile::open(candidate)?);
        ensure!(
            a.num_classes() == b.num_classes(),
            "the reference has {} classes but the candidate has {}",
            a.num_classes(),
            b.num_classes()
        );
        ensure!(
            a.images() == b.images(),
            "the reference scored {} images but the candidate scored {}",
            a.images(),
            b.images()
        );
        same("id", a.ids()?, b.ids()?)?;
        let labels = Self::labels(describe, &mut a, &mut b)?;
        ensure!(
            labels.len() == a.images(),
            "{} images were scored but {} labels were given",
            a.images(),
            labels.len()
        );
        let (model, policy) = self.model(describe, &labels, a.num_classes(), policy)?;
        // Hashing needs no logits, so it runs on a second thread.
        let (report, hashes) = std::thread::scope(|scope| {
            let hashes = scope.spawn(|| [reference, candidate].map(artifact::sha256_of));
            (report(a, b, &labels, model, policy), hashes.join())
        });
        let mut report = report?;
        let [first, second] = hashes.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        report.model_sha256 = Sides {
            reference: first?,
            candidate: second?,
        };
        let logits = || "logits of a file".to_owned();
        report.backends = Sides {
            reference: logits(),
            candidate: logits(),
        };
        if stands_in(describe) {
            report.warnings.push(
                "the groups are thirds of the classes by the evaluation's own images, not by training counts".to_owned(),
            );
        }
        Ok(report)
    }

    /// Returns the entry for the images in a report: the file of `--labels`, or an empty text.
    pub(super) fn images(describe: &Describe) -> String {
        let labels = describe.labels.as_ref();
        labels.map_or(String::new(), |path| path.display().to_string())
    }

    /// Adds the files that the options name to the inputs of `files`.
    pub(super) fn add_to(&self, files: &mut OutputCheck) {
        for (role, file) in [
            ("file of --card", &self.card),
            ("file of --classes", &self.classes),
        ] {
            file.iter().for_each(|file| files.reads(role, file));
        }
    }

    /// The options as words of a command line, for reports.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let options = [("--card", &self.card), ("--classes", &self.classes)];
        let given = options
            .into_iter()
            .filter_map(|(name, file)| Some((name, file.as_ref()?)));
        given
            .flat_map(|(name, file)| [name.into(), file.into()])
            .collect()
    }

    /// Returns the labels of `--labels` and of the files of logits, which must be equal.
    fn labels(
        describe: &Describe,
        a: &mut LogitFile,
        b: &mut LogitFile,
    ) -> anyhow::Result<Vec<usize>> {
        let mut labels = same("label", a.labels()?, b.labels()?)?;
        if let Some(path) = &describe.labels {
            let given = read_labels(path)?;
            labels =
                same("label", Some(given), labels).with_context(|| path.display().to_string())?;
        }
        labels.context("there are no labels: neither file of logits has any, so give --labels FILE")
    }

    /// Returns class names and training counts, and the policy, whose group rule becomes thirds with
    /// `--counts evaluation`.
    fn model(
        &self,
        describe: &Describe,
        labels: &[usize],
        classes: usize,
        policy: &Policy,
    ) -> anyhow::Result<(ComparedModel, Policy)> {
        let mut policy = policy.clone();
        let numbers = || (0..classes).map(|class| class.to_string()).collect();
        if let Some(path) = &self.card {
            let model = carded(path, &policy, numbers)?;
            ensure!(
                model.classes.len() == classes && model.train_counts.len() == classes,
                "{}: the logits have {classes} classes but the model has {} class names and {} training counts",
                path.display(),
                model.classes.len(),
                model.train_counts.len()
            );
            return Ok((model, policy));
        }
        let names = match &self.classes {
            Some(path) => of_classes(path, classes, describe_args::labels(path)?)?,
            None => numbers(),
        };
        let counts = if stands_in(describe) {
            policy.groups.by = GroupRule::Thirds;
            let mut counts = vec![0; classes];
            // Labels beyond the last class are refused when they are compared.
            for &label in labels.iter().filter(|label| **label < classes) {
                counts[label] += 1;
            }
            counts
        } else {
            let path = describe.counts.as_ref().context(
                "the training counts of the classes are unknown: give --card MODEL, --counts FILE, or --counts evaluation",
            )?;
            of_classes(path, classes, class_counts(path)?)?
        };
        let mut model = ComparedModel::new(names, counts);
        model.name = policy.model.clone().unwrap_or_default();
        Ok((model, policy))
    }
}

/// Whether `--counts evaluation` was given.
pub(super) fn stands_in(describe: &Describe) -> bool {
    describe.counts.as_deref() == Some(Path::new("evaluation"))
}

/// Returns the classes and training counts of the model file `path`; `numbers` names the classes of a model without
/// class names.
fn carded(
    path: &Path,
    policy: &Policy,
    numbers: impl Fn() -> Vec<String>,
) -> anyhow::Result<ComparedModel> {
    let name = || path.display().to_string();
    let model = Model::read(path)?;
    let props = model.props();
    if ModelCard::is_in(&props) {
        let card = model.checked_card().with_context(name)?;
        return Ok(ComparedModel::from(&card));
    }
    let parts = CardParts::from_props(&props).with_context(name)?;
    let counts = parts.train_counts.with_context(|| {
        format!(
            "{}: the model has no metadata `tailfold.train_counts`: give --counts and --classes in place of --card",
            name()
        )
    })?;
    let mut model = ComparedModel::new(parts.classes.unwrap_or_else(numbers), counts);
    model.name = policy.model.clone().unwrap_or_default();
    Ok(model)
}

fn report(
    mut a: LogitFile,
    mut b: LogitFile,
    labels: &[usize],
    model: ComparedModel,
    policy: Policy,
) -> anyhow::Result<Report> {
    let rows = (AT_A_TIME / a.num_classes().max(1)).max(1);
    let mut comparer = Comparer::new(model, policy)?;
    let bar = tailfold_console::bar("comparing", labels.len());
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut rest = labels;
    while !rest.is_empty() {
        // Both files are read at the same time.
        let (read, other) = rayon::join(|| a.read(rows, &mut first), || b.read(rows, &mut second));
        let (read, other) = (read?, other?);
        ensure!(
            read == other && read > 0 && read <= rest.len(),
            "{read} and {other} rows were read, but {} are left",
            rest.len()
        );
        let (now, later) = rest.split_at(read);
        comparer.push(&first, &second, now)?;
        rest = later;
        bar.inc(read as u64);
    }
    bar.finish_and_clear();
    Ok(comparer.finish()?)
}

/// Returns one of two lists, which must be equal if both are given; `kind` names their values in errors.
fn same<T: PartialEq + std::fmt::Debug>(
    kind: &str,
    a: Option<Vec<T>>,
    b: Option<Vec<T>>,
) -> anyhow::Result<Option<Vec<T>>> {
    let (Some(first), Some(second)) = (&a, &b) else {
        return Ok(a.or(b));
    };
    ensure!(
        first.len() == second.len(),
        "the reference has {} {kind}s but the candidate has {}",
        first.len(),
        second.len()
    );
    if let Some(row) = first.iter().zip(second).position(|(x, y)| x != y) {
        bail!(
            "image {row} has the {kind} {:?} in the reference and {:?} in the candidate",
            first[row],
            second[row]
        );
    }
    Ok(a)
}

/// Checks that the file `path` has one value for each of `classes`.
fn of_classes<T>(path: &Path, classes: usize, values: Vec<T>) -> anyhow::Result<Vec<T>> {
    ensure!(
        values.len() == classes,
        "{} has {} lines but the logits have {classes} classes",
        path.display(),
        values.len()
    );
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn described_model_names_classes_and_counts() {
        let shipped = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../models/fashion-lt/fashion-lt.onnx"
        );
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("described.onnx");
        let carded = |props: &[(&str, &str)]| {
            let mut proto = Model::read(Path::new(shipped)).unwrap().proto().clone();
            proto.metadata_props.clear();
            let mut model = Model::from_proto(proto, "described").unwrap();
            for (key, value) in props {
                model.set_prop(*key, *value);
            }
            artifact::write(&path, &model.to_bytes()).unwrap();
            super::carded(&path, &Policy::default(), || vec!["0".to_owned()])
        };
        let counts = ("tailfold.train_counts", "[900, 5]");
        let model = carded(&[counts]).unwrap();
        assert_eq!(
            (model.classes, model.train_counts),
            (vec!["0".to_owned()], vec![900, 5])
        );
        let model = carded(&[counts, ("tailfold.classes", "[\"ant\", \"bee\"]")]).unwrap();
        assert_eq!(model.classes, ["ant", "bee"]);
        let error = carded(&[]).unwrap_err().to_string();
        assert!(
            error.contains("no metadata `tailfold.train_counts`"),
            "{error}"
        );
    }
}
