//! `tailfold data`: fetches a data set, or prints the contents of one.

mod fetch;

use std::path::PathBuf;
use std::process::ExitCode;

use tailfold_console::{print, say};
use tailfold_data::{DataSpec, Dataset};
use tailfold_spec::Group;

/// Fetch a public data set, or print the classes and counts of any data set.
///
/// Example: tailfold data info 'embedded?split=train'
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Download a public data set, check it and unpack it.
    ///
    /// Example: tailfold data fetch cifar100 --out data/cifar100
    Fetch {
        /// Name of the data set.
        #[arg(value_enum)]
        name: fetch::Name,
        /// Folder to write. Default: `data/NAME`.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Address of a mirror: a folder with the same files as the publisher's.
        #[arg(long)]
        url: Option<String>,
    },
    /// Print classes, counts and groups of a data spec.
    ///
    /// Example: tailfold data info 'embedded?split=train'
    Info {
        /// Data spec.
        spec: DataSpec,
        /// Also check that the file of every image exists; exit code 1 if a file is missing or empty.
        #[arg(long)]
        check_files: bool,
        /// Print one JSON object (schema `tailfold.data/1`).
        #[arg(long)]
        json: bool,
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
    }
    Ok(ExitCode::SUCCESS)
}

/// Largest number of missing files to name.
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
        "{spec}: {} images in {} classes, {least} to {most} per class, many/medium/few {}/{}/{}",
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
        print(&format!("files that are not images: {}", data.left_out()));
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
