//! `tailfold-lab bench`: runs `tailfold bench` with other runtimes as contenders, and makes tables and charts.

mod bars;
mod contenders;
mod nets;
mod overview;
mod report;
mod suite;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};
use tailfold_console::{print, process};

use bars::Bars;
use contenders::{Forms, Peers};
use report::Report;

/// Time a model on this machine in interleaved runs: integer kernels, unmodified tract, ONNX Runtime, rten.
///
/// ONNX Runtime is the pinned Python package of `tests/judges/requirements.txt`, which `cargo xtask ci` installs into
/// `.venv`. rten is built on demand as a separate project. Arguments after `--` go to `tailfold bench`.
///
/// Example: tailfold-lab bench --model model.int8.onnx --float model.onnx --rten --chart bench.svg -- --rounds 50
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Quantized model.
    #[arg(long, required_unless_present_any = ["suite", "from"])]
    model: Option<PathBuf>,
    /// The same model in float.
    #[arg(long)]
    float: Option<PathBuf>,
    /// Another quantized form of the model, which only ONNX Runtime runs.
    #[arg(long, value_name = "NAME=FILE")]
    form: Vec<String>,
    /// Time all networks of a folder that `tests/judges/nets.py` made, instead of one model.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["model", "float", "form"])]
    suite: Option<PathBuf>,
    /// Make table and chart from a kept report of `--suite DIR --report FILE`, without timing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["model", "float", "form", "suite", "report"])]
    from: Option<PathBuf>,
    /// Build rten and add it to the contenders.
    #[arg(long)]
    rten: bool,
    /// Leave the other runtimes out.
    #[arg(long, conflicts_with = "rten")]
    no_peers: bool,
    /// Draw a chart as SVG or PNG: the contenders' times or, for a suite, their ratios to tailfold.
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
    /// Also write the table to a file, as Markdown.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Also write the report to a file, as JSON of `tailfold bench` or, for a suite, of schema
    /// `tailfold.bench-suite/1`.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Arguments for `tailfold bench`.
    #[arg(last = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args, root: &Path) -> anyhow::Result<ExitCode> {
    if let Some(file) = &args.from {
        return suite::show(args, &nets::Suite::read(file)?);
    }
    let peers = if args.no_peers {
        Peers::none()
    } else {
        Peers::find(root, args.rten)?
    };
    let tailfold = process::beside("tailfold");
    if let Some(folder) = &args.suite {
        return suite::run(args, folder, &tailfold, &peers);
    }
    let model = args.model.as_deref().context("a model is needed")?;
    let mut others = Vec::new();
    for form in &args.form {
        let (name, file) = form.split_once('=').context("a form is NAME=FILE")?;
        others.push((name.to_owned(), PathBuf::from(file)));
    }
    let forms = Forms {
        model,
        float: args.float.as_deref(),
        others: &others,
    };
    let mut command = command(&tailfold, &forms, &peers);
    command.args(&args.args);
    if let Some(file) = &args.markdown {
        command.arg("--markdown").arg(file);
    }
    if args.chart.is_none() && args.report.is_none() {
        return process::exit_code(&mut command);
    }
    ensure!(
        !args.args.iter().any(|arg| arg == "--layers"),
        "--layers has no chart and no report"
    );
    if !args.args.iter().any(|arg| arg == "--json") {
        command.arg("--json");
    }
    let value = process::json(&mut command, &[0])?;
    print(&value.to_string());
    let report = Report::of(value)?;
    if let Some(file) = &args.report {
        write_json(file, &report)?;
    }
    if let Some(file) = &args.chart {
        let name = model.file_name().unwrap_or_default().to_string_lossy();
        tailfold_plot::save_as(file, &Bars::of_model(&name, &report))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The command `tailfold bench` for a model and its contenders.
fn command(tailfold: &Path, forms: &Forms<'_>, peers: &Peers) -> Command {
    let mut command = Command::new(tailfold);
    command.arg("bench").arg("--model").arg(forms.model);
    if let Some(float) = forms.float {
        command.arg("--float").arg(float);
    }
    for peer in peers.of(forms) {
        command.arg("--peer").arg(peer);
    }
    command
}

fn write_json(file: &Path, report: &impl serde::Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(report)? + "\n";
    Ok(tailfold_spec::artifact::write(file, text.as_bytes())?)
}
