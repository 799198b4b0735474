//! `cargo xtask bench`: `tailfold bench` with ONNX Runtime among the contenders.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, ensure};

use crate::process;

/// Time a model on this machine, back ends in turns: integer kernels, tract as it is, ONNX Runtime.
///
/// ONNX Runtime is the pinned Python package of `tests/judges/requirements.txt`, which `cargo xtask ci` installs into
/// `.venv`. What is not named here goes to `tailfold bench` as it is.
///
/// Example: cargo xtask bench --model model.int8.onnx --float model.onnx -- --rounds 50
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Quantized model.
    #[arg(long)]
    model: PathBuf,
    /// The same model in float.
    #[arg(long)]
    float: Option<PathBuf>,
    /// Other quantized forms of it, for ONNX Runtime alone.
    #[arg(long, value_name = "NAME=FILE")]
    form: Vec<String>,
    /// Leave ONNX Runtime out.
    #[arg(long)]
    no_peers: bool,
    /// Arguments of `tailfold bench`.
    #[arg(last = true)]
    args: Vec<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = process::root()?;
    let mut command = Command::new(process::build("tailfold")?);
    command.arg("bench").arg("--model").arg(&args.model);
    if let Some(float) = &args.float {
        command.arg("--float").arg(float);
    }
    if !args.no_peers {
        let python = root.join(".venv/bin/python");
        ensure!(
            python.exists(),
            "the contender is missing: there is no {}. `cargo xtask ci` makes it; --no-peers goes without",
            python.display()
        );
        let script = root.join("tests/judges/bench_onnxruntime.py");
        let mut forms = vec![("ONNX Runtime".to_owned(), args.model.clone())];
        for form in &args.form {
            let (name, file) = form.split_once('=').context("a form is NAME=FILE")?;
            forms.push((format!("ONNX Runtime, {name}"), PathBuf::from(file)));
        }
        if let Some(float) = &args.float {
            forms.push(("ONNX Runtime, float".to_owned(), float.clone()));
        }
        for (name, file) in forms {
            command.arg("--peer").arg(format!(
                "{name}={} {} --model {}",
                python.display(),
                script.display(),
                file.display()
            ));
        }
    }
    let status = process::status(command.args(&args.args))?;
    let code = status.code().context("tailfold was ended by a signal")?;
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(2)))
}
