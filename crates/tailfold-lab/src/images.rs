//! `tailfold-lab images`: writes images of a data set as PNG files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use serde::Serialize;
use tailfold_console::{print, say};
use tailfold_data::{DataSpec, Dataset};

/// Write images of a data set as PNG files.
///
/// The files are `00000.png` and so on, in the order of the data set. Prints one JSON object (schema
/// `tailfold.images/1`) with the file, the label and the origin of each image.
///
/// Example: tailfold-lab images --data 'embedded?split=test' --class Coat --first 1 --out coat
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Data set, as a data spec.
    #[arg(long)]
    data: DataSpec,
    /// Folder to write.
    #[arg(long)]
    out: PathBuf,
    /// Write only images of this class.
    #[arg(long, value_name = "NAME")]
    class: Option<String>,
    /// Write only the first N images.
    #[arg(long, value_name = "N")]
    first: Option<usize>,
    /// Write one folder per class, each with its own numbers from 0.
    #[arg(long)]
    by_class: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    /// Always `tailfold.images/1`.
    schema: &'static str,
    images: Vec<Written>,
}

/// An image that was written.
#[derive(Debug, Serialize)]
struct Written {
    file: PathBuf,
    label: usize,
    /// File of the data set, followed by `#` and the record in the file.
    origin: String,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let data = Dataset::open(&args.data)?;
    if args.by_class {
        check_order(&args.data, &data)?;
    }
    let chosen = chosen(args, &data)?;
    let mut images = Vec::new();
    let mut next = vec![0_usize; data.classes().len()];
    for index in chosen {
        let label = data.labels()[index];
        let file = if args.by_class {
            let folder = args.out.join(&data.classes()[label]);
            next[label] += 1;
            folder.join(format!("{:05}.png", next[label] - 1))
        } else {
            args.out.join(format!("{:05}.png", images.len()))
        };
        write(&file, &data.image(index)?.to_png()?)?;
        images.push(Written {
            file,
            label,
            origin: data.id(index),
        });
    }
    say(&format!("{}: {} images", args.data, images.len()));
    let report = Report {
        schema: "tailfold.images/1",
        images,
    };
    print(&serde_json::to_string(&report)?);
    Ok(ExitCode::SUCCESS)
}

/// Returns the indices of the selected images. Fails without a selected image.
fn chosen(args: &Args, data: &Dataset) -> anyhow::Result<Vec<usize>> {
    let label = match &args.class {
        None => None,
        Some(name) => {
            let label = data.classes().iter().position(|class| class == name);
            Some(label.with_context(|| format!("{} has no class `{name}`", args.data))?)
        }
    };
    let numbers = (0..data.len()).filter(|&i| label.is_none_or(|label| data.labels()[i] == label));
    let chosen: Vec<usize> = numbers.take(args.first.unwrap_or(usize::MAX)).collect();
    ensure!(!chosen.is_empty(), "{} has no such image", args.data);
    Ok(chosen)
}

/// Checks that classes are in alphabetical order, in which readers assign labels to folders.
fn check_order(spec: &DataSpec, data: &Dataset) -> anyhow::Result<()> {
    ensure!(
        data.classes().is_sorted(),
        "{spec}: a folder per class needs classes in alphabetical order, or labels would move"
    );
    Ok(())
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = file.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(out: &Path) -> Args {
        Args {
            data: "embedded?split=test&per-class=2".parse().unwrap(),
            out: out.join("images"),
            class: None,
            first: None,
            by_class: false,
        }
    }

    #[test]
    fn folders_of_unsorted_classes_are_error() {
        let folder = tempfile::tempdir().unwrap();
        let by_class = Args {
            by_class: true,
            ..args(folder.path())
        };
        // The classes of the embedded data are sorted by number, not by name.
        let error = run(&by_class).unwrap_err();
        assert!(error.to_string().contains("alphabetical"), "{error}");
        assert!(!by_class.out.exists());
    }

    #[test]
    fn images_are_numbered_in_order_of_data_set() {
        let folder = tempfile::tempdir().unwrap();
        let args = Args {
            first: Some(3),
            ..args(folder.path())
        };
        run(&args).unwrap();
        let data = Dataset::open(&args.data).unwrap();
        for index in 0..3 {
            let file = args.out.join(format!("{index:05}.png"));
            let expected = data.image(index).unwrap().to_png().unwrap();
            assert_eq!(fs::read(file).unwrap(), expected);
        }
        assert!(!args.out.join("00003.png").exists());
    }

    #[test]
    fn class_selects_images_and_unknown_class_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut args = args(folder.path());
        let data = Dataset::open(&args.data).unwrap();
        args.class = Some(data.classes()[1].clone());
        let chosen = chosen(&args, &data).unwrap();
        assert_eq!(chosen.len(), 2);
        assert!(chosen.iter().all(|&i| data.labels()[i] == 1));
        args.class = Some("Lynx".to_owned());
        let error = run(&args).unwrap_err().to_string();
        assert!(error.ends_with("has no class `Lynx`"), "{error}");
    }
}
