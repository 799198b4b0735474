//! Files that a run reads and writes: no file is both, and every file can be written, before any work.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use tailfold_data::{DataSource, DataSpec};
use tailfold_onnx::Model;
use tailfold_onnx::proto::{DataLocation, GraphProto, TensorProto};

use crate::args::Args;

/// Names of the files of a report, in its folder.
pub(crate) const REPORT: [&str; 3] = ["report.json", "report.md", "report.html"];

/// A file and what the command line has it for.
struct Named {
    role: String,
    path: PathBuf,
}

impl Named {
    fn new(role: &str, path: impl Into<PathBuf>) -> Self {
        Self {
            role: role.to_owned(),
            path: path.into(),
        }
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.role, self.path.display())
    }
}

/// Checks that nothing that is written takes the place of a file that is read, under whatever name, or of another one that is
/// written, and that folders and files are where they have to be. Missing folders are made when a file is written.
pub(crate) fn check_files(args: &Args) -> anyhow::Result<()> {
    let outputs = outputs(args);
    for (index, output) in outputs.iter().enumerate() {
        ensure!(
            !output.path.is_dir(),
            "{output} is a folder, expected a file to write"
        );
        check_folder(output)?;
        for other in &outputs[..index] {
            ensure!(
                !same(&output.path, &other.path),
                "{output} is also {other}: give two files"
            );
        }
    }
    // A file that does not exist yet is none of those that are read.
    let existing: Vec<&Named> = outputs.iter().filter(|o| o.path.exists()).collect();
    if existing.is_empty() {
        return Ok(());
    }
    let inputs = inputs(args)?;
    for output in existing {
        if let Some(input) = inputs.iter().find(|input| same(&output.path, &input.path)) {
            bail!("{output} is the {input}, which would be lost: give another file to write");
        }
    }
    Ok(())
}

fn outputs(args: &Args) -> Vec<Named> {
    let single = [
        ("--out", &args.out),
        ("--list", &args.list),
        ("--partial", &args.partial),
    ];
    let single = single
        .into_iter()
        .filter_map(|(role, path)| Some(Named::new(role, path.as_ref()?)));
    let report = args.report.iter().flat_map(|folder| {
        let files = REPORT.iter().map(|file| folder.join(file));
        files.map(|path| Named::new("file of --report", path))
    });
    single.chain(report).collect()
}

fn inputs(args: &Args) -> anyhow::Result<Vec<Named>> {
    let mut inputs = vec![Named::new("file of --model", &args.model)];
    // A file that is not a model is refused later, with its own message.
    if let Ok(model) = Model::read(&args.model) {
        let folder = args.model.parent().context("--model is not a file")?;
        let mut locations = Vec::new();
        external(model.graph(), &mut locations);
        locations.sort_unstable();
        locations.dedup();
        let beside = locations.into_iter().map(|location| folder.join(location));
        inputs.extend(beside.map(|path| Named::new("file with values of --model", path)));
    }
    for (role, path) in [
        ("file of --calibration-f32", &args.calibration_f32),
        ("file of --policy", &args.policy),
    ] {
        inputs.extend(path.iter().map(|path| Named::new(role, path)));
    }
    for (role, spec) in [
        ("file of --calibration", &args.calibration),
        ("file of --evaluation", &args.evaluation),
        ("file of --search", &args.search),
    ] {
        let file = spec.as_ref().and_then(list_of);
        inputs.extend(file.map(|path| Named::new(role, path)));
    }
    inputs.extend(
        args.partials
            .iter()
            .map(|path| Named::new("file of --partials", path)),
    );
    Ok(inputs)
}

/// The file that names the images of `spec`, where one does.
fn list_of(spec: &DataSpec) -> Option<&Path> {
    match spec.source() {
        DataSource::List { file, .. } | DataSource::Json { file, .. } | DataSource::Csv(file) => {
            Some(file)
        }
        _ => None,
    }
}

/// Appends the places of all tensors in other files.
fn external(graph: &GraphProto, locations: &mut Vec<String>) {
    let mut of = |tensor: &TensorProto| {
        if tensor.data_location() == DataLocation::External {
            let entries = tensor
                .external_data
                .iter()
                .filter(|e| e.key() == "location");
            locations.extend(entries.map(|e| e.value().to_owned()));
        }
    };
    graph.initializer.iter().for_each(&mut of);
    let attributes = graph.node.iter().flat_map(|node| &node.attribute);
    attributes
        .clone()
        .flat_map(|a| a.t.iter().chain(&a.tensors))
        .for_each(&mut of);
    for inner in attributes.filter_map(|a| a.g.as_ref()) {
        external(inner, locations);
    }
}

/// Checks that the nearest folder there is above `output` is one.
fn check_folder(output: &Named) -> anyhow::Result<()> {
    let parents = output.path.ancestors().skip(1);
    let nearest = parents
        .filter(|p| !p.as_os_str().is_empty())
        .find(|p| p.exists());
    match nearest {
        Some(parent) if !parent.is_dir() => {
            bail!(
                "{output} cannot be written: {} is not a folder",
                parent.display()
            )
        }
        _ => Ok(()),
    }
}

/// True when both paths lead to one file, through links of either kind as well; of files that are not there, when both would.
fn same(a: &Path, b: &Path) -> bool {
    let both = |f: fn(&Path) -> Option<PathBuf>| f(a).zip(f(b)).is_some_and(|(a, b)| a == b);
    both(|path| path.canonicalize().ok()) || both(absent) || hard_links(a, b)
}

/// The place of a file that is not there, in a folder that may not be there either.
fn absent(path: &Path) -> Option<PathBuf> {
    if path.exists() {
        return None;
    }
    let path = std::path::absolute(path).ok()?;
    let parent = path.parent()?;
    let parent = parent.canonicalize().unwrap_or_else(|_| parent.to_owned());
    Some(parent.join(path.file_name()?))
}

#[cfg(unix)]
fn hard_links(a: &Path, b: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let of = |path: &Path| path.metadata().ok().map(|m| (m.dev(), m.ino()));
    of(a).zip(of(b)).is_some_and(|(a, b)| a == b)
}

#[cfg(not(unix))]
fn hard_links(_: &Path, _: &Path) -> bool {
    false
}
