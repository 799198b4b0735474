//! `cargo xtask data`: what a data set holds, and the one that ships.

use std::path::PathBuf;
use std::process::ExitCode;

use tailfold_data::{DataSpec, Dataset, build_embedded};
use tailfold_spec::Group;

use crate::output::{print, say};
use crate::process::root;

/// Data sets: what one holds, and the one that ships.
///
/// Example: cargo xtask data info 'embedded?split=train'
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print classes, counts and groups of a data spec.
    ///
    /// Example: cargo xtask data info 'embedded?split=train'
    Info {
        /// Data spec.
        spec: DataSpec,
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
        Command::Info { spec, json } => info(spec, *json)?,
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

fn info(spec: &DataSpec, json: bool) -> anyhow::Result<()> {
    let data = Dataset::open(spec)?;
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
            })
            .to_string(),
        );
        return Ok(());
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
    Ok(())
}
