//! `tailfold-quant`: quantizes one model.

mod args;
mod convert;
mod images;
mod output;

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use tailfold_data::Dataset;
use tailfold_quant::{FloatModel, check_disjoint};
use tailfold_spec::artifact;

use args::Args;
use convert::convert;
use images::{calibration, write_list};
use output::{Progress, print, say};

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let name = args.model.display().to_string();
    let float =
        FloatModel::read(&args.model, args.output.as_deref()).with_context(|| name.clone())?;
    let set = calibration(args, &float).with_context(|| name.clone())?;
    let (images, skipped) = set
        .as_ref()
        .map_or((0, &[][..]), |s| (s.len(), s.skipped()));
    for image in skipped {
        say(&format!(
            "warning: {image} cannot be decoded and is left out"
        ));
    }
    if let (Some(evaluation), Some(set)) = (&args.evaluation, &set) {
        check_disjoint(set, &Dataset::open(evaluation)?)?;
    }
    let bar = Progress::new();
    let done = convert(args, &float, set.as_ref(), &bar).with_context(|| name.clone())?;
    bar.finish();
    tailfold_onnx::check(&done.model).context("the quantized graph")?;
    let out = done.model.to_bytes();
    artifact::write(&args.out, &out)?;
    if let (Some(list), Some(set)) = (&args.list, &set) {
        write_list(list, set)?;
    }
    let float_bytes = std::fs::metadata(&args.model)?.len();
    if args.json {
        let mut summary = done.summary;
        summary["schema"] = "tailfold.quantize/1".into();
        summary["model"] = args.out.display().to_string().into();
        summary["sha256"] = artifact::sha256(&out).into();
        summary["float_bytes"] = float_bytes.into();
        summary["calibration_images"] = images.into();
        summary["skipped_images"] = skipped.into();
        print(&summary.to_string());
    } else {
        say(&format!(
            "{}: {}; {float_bytes} -> {} bytes",
            args.out.display(),
            done.said,
            out.len(),
        ));
    }
    Ok(())
}
