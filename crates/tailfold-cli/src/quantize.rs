//! `tailfold quantize`: converts a float classifier to an INT8 or half-precision file.

mod args;
mod convert;
mod files;
mod images;
mod progress;

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use tailfold::Description;
use tailfold_console::{print, say};
use tailfold_data::Dataset;
use tailfold_quant::{FloatModel, Passes, check_disjoint};
use tailfold_spec::artifact;

pub(crate) use args::Args;
use args::Precision;
use convert::convert;
use files::check_files;
use images::{calibration, check_scale, parts, write_list};
use progress::Progress;

/// A model to quantize, and its description from the command line.
struct Job<'a> {
    args: &'a Args,
    float: &'a FloatModel,
    description: Description,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let name = args.model.display().to_string();
    check_files(args)?;
    let description = args.describe.description()?;
    check_scale(&description).map_err(|e| named(e, &name))?;
    ensure!(
        args.calibration_f32.is_none() || description.mean.is_none(),
        "--mean is for images, and --calibration-f32 has prepared inputs"
    );
    let float = FloatModel::read(&args.model, &description.options);
    let float = float.map_err(|e| named(e, &name))?;
    let job = Job {
        args,
        float: &float,
        description,
    };
    ensure!(
        matches!(args.precision, Precision::Int8)
            || (args.shard.is_none() && args.partials.is_empty()),
        "--shard and --partials are for --precision int8: half precision has no shards"
    );
    let passes = Passes::read(&args.partials)?;
    let set = calibration(&job, &passes).map_err(|e| named(e, &name))?;
    let bar = Progress::new();
    if let Some(share) = args.shard.zip(args.partial.as_deref()) {
        convert::share(&job, set.as_ref(), &passes, share, &bar).map_err(|e| named(e, &name))?;
        return Ok(ExitCode::SUCCESS);
    }
    let file = args.out.as_deref().context("give --out FILE")?;
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
    let parts = parts(&job, set.as_ref()).map_err(|e| named(e, &name))?;
    let done = convert(&job, set.as_ref(), &passes, &bar).map_err(|e| named(e, &name))?;
    bar.finish();
    let mut model = done.model;
    float.restore(&mut model, &parts);
    tailfold_onnx::check(&model).context("the quantized graph")?;
    let out = model.to_bytes();
    artifact::write(file, &out)?;
    if let (Some(list), Some(set)) = (&args.list, &set) {
        write_list(list, set)?;
    }
    let float_bytes = std::fs::metadata(&args.model)?.len();
    say(&format!(
        "{}: {}; {float_bytes} -> {} bytes",
        file.display(),
        done.said,
        out.len(),
    ));
    if args.json {
        let mut summary = done.summary;
        summary["schema"] = "tailfold.quantize/1".into();
        summary["model"] = file.display().to_string().into();
        summary["sha256"] = artifact::sha256(&out).into();
        summary["float_bytes"] = float_bytes.into();
        summary["calibration_images"] = images.into();
        summary["skipped_images"] = skipped.into();
        print(&summary.to_string());
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns `error` with the name of the model in front, unless the error already has this name.
fn named(error: impl Into<anyhow::Error>, name: &str) -> anyhow::Error {
    let error = error.into();
    if format!("{error:#}").contains(name) {
        error
    } else {
        error.context(name.to_owned())
    }
}
