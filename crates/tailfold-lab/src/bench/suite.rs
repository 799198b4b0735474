//! `--suite`: a benchmark of every network of a folder, one network after the other.

use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use tailfold_console::{print, process, say};
use tailfold_spec::artifact;
use walkdir::WalkDir;

use super::contenders::{Forms, Peers};
use super::nets::{About, Net, Suite};
use super::overview;
use super::report::Report;
use super::{Args, command, write_json};

pub(super) fn run(
    args: &Args,
    folder: &Path,
    tailfold: &Path,
    peers: &Peers,
) -> anyhow::Result<ExitCode> {
    let mut suite = Suite::new();
    for entry in WalkDir::new(folder).min_depth(2).max_depth(2) {
        let entry = entry.with_context(|| format!("cannot read {}", folder.display()))?;
        let file = entry.path();
        if entry.file_name() == "net.json" {
            let about: About = serde_json::from_slice(&artifact::read(file)?)
                .with_context(|| format!("{} does not describe a network", file.display()))?;
            say(&about.title);
            let at = file.parent().context("a file has a folder")?;
            let report = bench(args, at, tailfold, peers)?;
            suite.nets.push(Net { about, report });
        }
    }
    ensure!(
        !suite.nets.is_empty(),
        "{} has no network: tests/judges/nets.py makes them",
        folder.display()
    );
    let ours = |net: &Net| net.report.rows[0].wall_ms.median;
    suite.nets.sort_by(|a, b| ours(a).total_cmp(&ours(b)));
    if let Some(file) = &args.report {
        write_json(file, &suite)?;
    }
    show(args, &suite)
}

/// Prints the table, and writes table and chart to the requested files.
pub(super) fn show(args: &Args, suite: &Suite) -> anyhow::Result<ExitCode> {
    let table = overview::table(&suite.nets);
    print(&table);
    if let Some(file) = &args.markdown {
        artifact::write(file, format!("{table}\n").as_bytes())?;
    }
    if let Some(file) = &args.chart {
        tailfold_plot::save_as(file, &overview::chart(&suite.nets))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Times one network. Fails unless integer kernels compute all of its layers.
fn bench(args: &Args, at: &Path, tailfold: &Path, peers: &Peers) -> anyhow::Result<Report> {
    let file = |name: &str| at.join(format!("{name}.onnx"));
    let (model, float) = (file("u8s8"), file("float"));
    process::silent(
        Command::new(tailfold)
            .args(["info", "--require-integer", "--model"])
            .arg(&model),
    )?;
    let forms = Forms {
        model: &model,
        float: Some(&float),
        others: &[("S8S8".to_owned(), file("s8s8"))],
    };
    let mut command = command(tailfold, &forms, peers);
    command.arg("--images").arg(at.join("images.f32"));
    Report::of(process::json(command.args(&args.args).arg("--json"), &[0])?)
}
