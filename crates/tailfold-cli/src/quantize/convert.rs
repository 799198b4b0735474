//! The requested conversion and its log output.

use std::path::Path;

use anyhow::{Context as _, bail};
use tailfold_console::say;
use tailfold_data::Dataset;
use tailfold_onnx::Model;
use tailfold_parity::Policy;
use tailfold_quant::{
    CalibrationSet, Draft, Judge, Passes, Report, Search, Target, Warning, check_disjoint, halve,
    search,
};
use tailfold_spec::{Shard, artifact};

use super::Job;
use super::args::Precision;
use super::files::REPORT;
use super::images::{evaluation, held_out};
use super::progress::Progress;

const NO_IMAGES: &str = "give --calibration SPEC or --calibration-f32 FILE";

/// The model to write, and its summary.
pub(super) struct Done {
    pub(super) model: Model,
    pub(super) said: String,
    /// The fields of `--json` for this precision; the size has the name of the precision.
    pub(super) summary: serde_json::Value,
}

pub(super) fn convert(
    job: &Job<'_>,
    set: Option<&CalibrationSet>,
    passes: &Passes,
    bar: &Progress,
) -> anyhow::Result<Done> {
    let Job { args, float, .. } = *job;
    match args.precision {
        Precision::Int8 => {
            let set = set.context(NO_IMAGES)?;
            int8(job, set, passes, bar)
        }
        Precision::Fp16 => {
            if args.target == Some(Target::Tract) {
                bail!("tract does not run half precision: use --target ort-x86 or tensorrt");
            }
            bar.start("calibrating", set.map_or(0, CalibrationSet::len));
            let done = halve(float, set, &|| bar.step())?;
            for kept in &done.kept {
                say(&format!("stays in f32: {kept}"));
            }
            let kept: Vec<String> = done.kept.iter().map(ToString::to_string).collect();
            Ok(Done {
                said: format!("in half precision, except {} tensors", kept.len()),
                summary: serde_json::json!({
                    "kept_in_f32": kept,
                    "fp16_bytes": done.model.to_bytes().len(),
                }),
                model: done.model,
            })
        }
    }
}

/// Computes one share of a calibration pass and writes it as a part.
pub(super) fn share(
    job: &Job<'_>,
    set: Option<&CalibrationSet>,
    passes: &Passes,
    (shard, file): (Shard, &Path),
    bar: &Progress,
) -> anyhow::Result<()> {
    let Job { args, float, .. } = *job;
    let set = set.context(NO_IMAGES)?;
    bar.start("calibrating", shard.images(set.len()).len());
    let part = tailfold_quant::share(float, set, &args.options()?, passes, shard, &|| bar.step())?;
    part.write(file)?;
    bar.finish();
    say(&format!(
        "{}: shard {shard} of the pass over {}, {} of {} images",
        file.display(),
        part.kind(),
        part.covered().len(),
        set.len(),
    ));
    Ok(())
}

fn int8(
    job: &Job<'_>,
    set: &CalibrationSet,
    passes: &Passes,
    bar: &Progress,
) -> anyhow::Result<Done> {
    let Job { args, float, .. } = *job;
    let options = args.options()?;
    let [choosing, finishing] = passes.left(&options);
    bar.start("calibrating", set.len() * choosing);
    let draft = passes.draft(float, set, &options, &|| bar.step())?;
    let (kept, found) = match &args.search {
        None => (options.kept(float)?, None),
        Some(_) => {
            let found = searched(job, set, &draft, bar)?;
            (found.kept.clone(), Some(found))
        }
    };
    bar.start("re-balancing", set.len() * finishing);
    let done = draft.finish(&kept, set, options.rebalance, &|| bar.step())?;
    bar.finish();
    let warnings: Vec<String> = done.warnings().iter().map(advised).collect();
    for warning in &warnings {
        say(&format!("warning: {warning}"));
    }
    if let Some(folder) = &args.report {
        let evaluation = evaluation(job)?;
        bar.start(
            "comparing",
            2 * evaluation.as_ref().map_or(0, CalibrationSet::len),
        );
        let step = || bar.step();
        let report = Report::new(&draft, &done, found.clone(), evaluation.as_ref(), &step)?;
        write_report(folder, &report)?;
    }
    Ok(Done {
        said: format!("{}; ranges from {} images", done.layers_line(), set.len()),
        summary: serde_json::json!({
            "target": options.target.name(),
            "layers": done.layers,
            "float_layers": done.float_layers,
            "activations": done.activations.len(),
            "observer": options.observer.to_string(),
            "weight_bits": options.weight_bits.get(),
            "rounding": options.rounding.name(),
            "equalized_pairs": options.equalize.then_some(done.equalized),
            "correct_bias": options.correct_bias,
            "rebalance_shifts": done.rebalance.shifts(),
            "rebalance_left_out": done.rebalance.left_out().map(ToString::to_string),
            "calibration_agreement": done.fit.map(|fit| fit.agreement),
            "calibration_logit_error": done.fit.map(|fit| fit.logit_error),
            "warnings": warnings,
            "kept_in_float": kept,
            "search": found,
            "int8_bytes": done.model.to_bytes().len(),
        }),
        model: done.model,
    })
}

/// Searches for the layers to keep in float, on the images of `--search`.
fn searched(
    job: &Job<'_>,
    set: &CalibrationSet,
    draft: &Draft<'_>,
    bar: &Progress,
) -> anyhow::Result<Search> {
    let Job { args, float, .. } = *job;
    let spec = args
        .search
        .as_ref()
        .context("there are no images to search by")?;
    let images = held_out(job, spec)?;
    check_disjoint(set, images.data().context("the images have no labels")?)?;
    if let Some(evaluation) = &args.evaluation {
        check_disjoint(&images, &Dataset::open(evaluation)?)?;
    }
    let policy = match &args.policy {
        Some(path) => Policy::read(path)?,
        None => Policy::default(),
    };
    let judge = Judge::new(float, &images, &policy)?;
    bar.start("searching", draft.layers().len());
    let found = search(draft, &judge, &|| bar.step())?;
    for line in found.to_table().lines() {
        say(line);
    }
    Ok(found)
}

fn write_report(folder: &Path, report: &Report) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let json = serde_json::to_string_pretty(report)? + "\n";
    let forms = [json, report.to_markdown(), report.to_html()?];
    for (name, form) in REPORT.iter().zip(forms) {
        artifact::write(&folder.join(name), form.as_bytes())?;
    }
    Ok(())
}

/// Returns the text of `warning`, with the option that helps.
fn advised(warning: &Warning) -> String {
    match warning {
        Warning::ChannelsApart { .. } => {
            format!("{warning}; `--correct equalize,bias,rebalance` brings them together")
        }
        _ => warning.to_string(),
    }
}
