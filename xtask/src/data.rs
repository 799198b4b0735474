//! `cargo xtask data`: fetch a data set, say what one holds, make the one that ships.

mod fetch;

use std::path::PathBuf;
use std::process::ExitCode;

use tailfold_data::{DataSpec, Dataset, build_embedded};
use tailfold_spec::Group;

use crate::output::{print, say};
use crate::process::root;

/// Data sets: fetch one, say what one holds, make the one that ships.
///
/// Example: cargo xtask data info 'embedded?split=train'
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Download a public data set, check it and unpack it.
    ///
    /// Example: cargo xtask data fetch cifar100 --out data/cifar100
    Fetch {
        /// Data set.
        #[arg(value_enum)]
        name: fetch::Name,
        /// Folder to write; `data/NAME` without it.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Address of the folder that has the files, in place of the publisher's: a mirror with the same bytes.
        #[arg(long)]
        url: Option<String>,
    },
    /// Print classes, counts and groups of a data spec.
    ///
    /// Example: cargo xtask data info 'embedded?split=train'
    Info {
        /// Data spec.
        spec: DataSpec,
        /// Look for every image's file, too; exit code 1 when one is missing or empty.
        #[arg(long)]
        check_files: bool,
        /// Print one JSON object (schema `tailfold.data/1`).
        #[arg(long)]
        json: bool,
    },
    /// Make the data set that ships, Fashion-MNIST made long-tailed, from its IDX files.
    ///
    /// Example: cargo xtask data build-embedded --from fashion-mnist/
    BuildEmbedded {
        /// Folder with the four IDX files (Debian package `dataset-fashion-mnist`).
        #[arg(long)]
        from: PathBuf,
        /// Folder to write; `models/fashion-lt/data` without it.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

pub(crate) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Fetch { name, out, url } => {
            let default = || PathBuf::from("data").join(name.folder());
            let out = out.clone().unwrap_or_else(default);
            fetch::run(*name, &out, url.as_deref())?;
        }
        Command::Info {
            spec,
            check_files,
            json,
        } => {
            let data = Dataset::open(spec)?;
            let missing = check_files.then(|| data.missing_files());
            info(&data, missing.as_deref(), *json);
            if missing.is_some_and(|missing| !missing.is_empty()) {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::BuildEmbedded { from, out } => {
            let out = match out {
                Some(out) => out.clone(),
                None => root()?.join("models/fashion-lt/data"),
            };
            let summary = build_embedded(from, &out)?;
            say(&format!("{}: {summary:?}", out.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Files that are named when many are missing.
const NAMED: usize = 10;

fn info(data: &Dataset, missing: Option<&[usize]>, json: bool) {
    let spec = data.spec();
    let counts = data.class_counts();
    let of = |group| {
        counts
            .iter()
            .filter(|&&n| Group::of_count(n) == group)
            .count()
    };
    let (most, least) = (
        counts.iter().max().copied().unwrap_or(0),
        counts.iter().min().copied().unwrap_or(0),
    );
    if json {
        print(
            &serde_json::json!({
                "schema": "tailfold.data/1",
                "spec": spec.to_string(),
                "images": data.len(),
                "classes": data.classes(),
                "counts": counts,
                "many": of(Group::Many),
                "medium": of(Group::Medium),
                "few": of(Group::Few),
                "missing_files": missing.map(<[usize]>::len),
                "left_out": data.left_out().kinds(),
            })
            .to_string(),
        );
        return;
    }
    print(&format!(
        "{spec}: {} images in {} classes, {least} to {most} a class, many/medium/few {}/{}/{}",
        data.len(),
        counts.len(),
        of(Group::Many),
        of(Group::Medium),
        of(Group::Few),
    ));
    for (name, count) in data.classes().iter().zip(&counts) {
        print(&format!(
            "{name:<32} {count:>7}  {}",
            Group::of_count(*count)
        ));
    }
    if !data.left_out().is_empty() {
        print(&format!("files that are no images: {}", data.left_out()));
    }
    if let Some(missing) = missing {
        for &i in missing.iter().take(NAMED) {
            say(&format!("missing or empty: {}", data.id(i)));
        }
        print(&format!(
            "{} of {} files are missing or empty",
            missing.len(),
            data.len()
        ));
    }
}
