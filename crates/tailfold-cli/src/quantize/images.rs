//! The images that the options name.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use tailfold::Description;
use tailfold_data::{DataSpec, Dataset};
use tailfold_part::Kind;
use tailfold_quant::{CalibrationSet, Draw, Passes, PreparedImages};
use tailfold_spec::{CardParts, Preprocess, artifact};

use super::Job;

/// Returns the calibration images, if any are given. For a share of the first pass they are not read yet.
pub(super) fn calibration(
    job: &Job<'_>,
    passes: &Passes,
) -> anyhow::Result<Option<CalibrationSet>> {
    let Job { args, float, .. } = job;
    if let Some(file) = &args.calibration_f32 {
        let images = PreparedImages::open(file, float.input_shape())?;
        return Ok(Some(CalibrationSet::prepared(images)));
    }
    let Some(spec) = &args.calibration else {
        return Ok(None);
    };
    let spec = if args.allow_missing {
        spec.allowing_empty()
    } else {
        spec.clone()
    };
    let preprocess = preprocess(job)?;
    let draw = Draw {
        preprocess: &preprocess,
        per_class: args.per_class,
        seed: args.seed,
        allow_missing: spec.allows_empty(),
    };
    let data = Dataset::open(&spec)?;
    let first = passes.next(&args.options()?) == Some(Kind::Ranges);
    Ok(Some(if args.shard.is_some() && first {
        CalibrationSet::unread(&data, float, &draw)?
    } else {
        passes.draw(&data, float, &draw)?
    }))
}

/// Returns the images to compare both networks on, if any are given.
pub(super) fn evaluation(job: &Job<'_>) -> anyhow::Result<Option<CalibrationSet>> {
    let Job { args, float, .. } = job;
    let Some(spec) = &args.evaluation else {
        return Ok(None);
    };
    let data = Dataset::open(spec)?;
    Ok(Some(CalibrationSet::all(data, float, &preprocess(job)?)?))
}

/// Returns all images of `spec` with their labels, for the search; an evaluation split is an error.
pub(super) fn held_out(job: &Job<'_>, spec: &DataSpec) -> anyhow::Result<CalibrationSet> {
    let draw = Draw {
        preprocess: &preprocess(job)?,
        per_class: usize::MAX,
        seed: 0,
        allow_missing: true,
    };
    Ok(CalibrationSet::draw(
        &Dataset::open(spec)?,
        job.float,
        &draw,
    )?)
}

/// Returns the metadata to write for a third-party model, from its file and the command line; empty for a model that
/// tailfold exported.
///
/// A model without class names gets the class names of the calibration data, if the number of classes is the same.
///
/// # Errors
/// A description that contradicts the file, or a number of class names other than the model's number of classes.
pub(super) fn parts(job: &Job<'_>, set: Option<&CalibrationSet>) -> anyhow::Result<CardParts> {
    let float = job.float;
    if float.card().is_some() {
        return Ok(CardParts::default());
    }
    let mut parts = job.description.parts(float.opened())?;
    if let Some(names) = &parts.classes {
        ensure!(
            names.len() == float.num_classes(),
            "there are {} class names, but the model has {} classes",
            names.len(),
            float.num_classes()
        );
    }
    // The library writes the record of this quantization.
    parts.quantization = None;
    let data = set.and_then(CalibrationSet::data);
    if parts.classes.is_none()
        && let Some(data) = data.filter(|d| d.classes().len() == float.num_classes())
    {
        parts.classes = Some(data.classes().to_vec());
    }
    parts.check_lengths(float.num_classes())?;
    Ok(parts)
}

/// Returns the preprocessing of images, from the model or the command line.
fn preprocess(job: &Job<'_>) -> anyhow::Result<Preprocess> {
    let (float, description) = (job.float, &job.description);
    if float.card().is_some() {
        return Ok(description.card(float.opened())?.preprocess);
    }
    let parts = description.parts(float.opened())?;
    parts.preprocess.context(
        "the model does not say how images are prepared: give --mean and --std, or prepared images with --calibration-f32",
    )
}

/// Refuses a mean on the 0..255 scale: it would map all pixels to nearly the same value.
pub(super) fn check_scale(description: &Description) -> anyhow::Result<()> {
    let divided = |values: &[f32]| {
        let parts = values.iter().map(|v| format!("{:.4}", v / 255.0));
        parts.collect::<Vec<_>>().join(",")
    };
    let given = |values: &Option<Vec<f32>>| values.clone().unwrap_or_default();
    let (mean, std) = (given(&description.mean), given(&description.std));
    if let Some(large) = mean.iter().find(|m| **m > 1.0) {
        let also = if std.iter().any(|s| *s > 1.0) {
            format!(" --std {}", divided(&std))
        } else {
            String::new()
        };
        bail!(
            "--mean has {large}, expected values on the 0..1 scale; divided by 255: --mean {}{also}",
            divided(&mean)
        );
    }
    Ok(())
}

pub(super) fn write_list(path: &Path, set: &CalibrationSet) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["image", "class", "hash"])?;
    let data = set.data().context("prepared images have no list")?;
    for (i, hash) in set.hashes().iter().enumerate() {
        writer.write_record([&data.id(i), &data.classes()[data.labels()[i]], hash])?;
    }
    artifact::write(path, &writer.into_inner()?)?;
    Ok(())
}
