//! Images that the command line names.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use tailfold_data::{DataSpec, Dataset, class_names, repeats};
use tailfold_onnx::{Description, Layout, OpenOptions};
use tailfold_part::Kind;
use tailfold_quant::{CalibrationSet, Draw, FloatModel, Passes, PreparedImages};
use tailfold_spec::{CardParts, Preprocess, artifact};

use crate::args::{Args, ChannelsLast};
use crate::output::say;

/// Returns the calibration images, if any are given. For a share of the first pass they are not read yet.
pub(crate) fn calibration(
    args: &Args,
    float: &FloatModel,
    passes: &Passes,
) -> anyhow::Result<Option<CalibrationSet>> {
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
    let preprocess = preprocess(args, float)?;
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
        CalibrationSet::draw_after(&data, float, &draw, passes)?
    }))
}

/// Returns the images to compare both networks on, if any are given.
pub(crate) fn evaluation(
    args: &Args,
    float: &FloatModel,
) -> anyhow::Result<Option<CalibrationSet>> {
    let Some(spec) = &args.evaluation else {
        return Ok(None);
    };
    let data = Dataset::open(spec)?;
    Ok(Some(CalibrationSet::all(
        data,
        float,
        &preprocess(args, float)?,
    )?))
}

/// Returns all images of `spec` with their labels, for the search; an evaluation split is an error.
pub(crate) fn held_out(
    args: &Args,
    float: &FloatModel,
    spec: &DataSpec,
) -> anyhow::Result<CalibrationSet> {
    let draw = Draw {
        preprocess: &preprocess(args, float)?,
        per_class: usize::MAX,
        seed: 0,
        allow_missing: true,
    };
    Ok(CalibrationSet::draw(&Dataset::open(spec)?, float, &draw)?)
}

/// Returns the description of the model from the command line.
///
/// # Errors
/// A mean on the 0..255 scale, or a file of class names that cannot be read.
pub(crate) fn description(args: &Args) -> anyhow::Result<Description> {
    check_scale(args)?;
    let given = |values: &Vec<f32>| (!values.is_empty()).then(|| values.clone());
    Ok(Description {
        labels: args.labels.as_deref().map(class_names).transpose()?,
        counts: None,
        mean: given(&args.mean),
        std: given(&args.std),
        resize: args.resize,
        bgr: args.bgr,
        options: options(args),
    })
}

/// Prints one warning line for class names that are on several lines of the file of `--labels`.
pub(crate) fn say_repeats(args: &Args) -> anyhow::Result<()> {
    if let Some(file) = &args.labels
        && let Some(repeats) = repeats(file, &class_names(file)?)
    {
        say(&format!("warning: {repeats}"));
    }
    Ok(())
}

/// Returns the options to open the model file with.
pub(crate) fn options(args: &Args) -> OpenOptions {
    OpenOptions {
        output: args.output.clone(),
        layout: match args.channels_last {
            ChannelsLast::Auto => Layout::Auto,
            ChannelsLast::Yes => Layout::ChannelsLast,
            ChannelsLast::No => Layout::ChannelsFirst,
        },
    }
}

/// Returns the metadata to write for a third-party model, from its file and the command line; empty for a model that
/// tailfold exported.
///
/// A model without class names gets those of the calibration data, in their order, when their number fits.
///
/// # Errors
/// As [`description`], or a number of class names other than the model's number of classes.
pub(crate) fn parts(
    args: &Args,
    float: &FloatModel,
    set: Option<&CalibrationSet>,
) -> anyhow::Result<CardParts> {
    if float.card().is_some() {
        return Ok(CardParts::default());
    }
    let mut parts = description(args)?.parts(float.opened())?;
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
    Ok(parts)
}

/// Returns the preprocessing of images, from the model or the command line.
fn preprocess(args: &Args, float: &FloatModel) -> anyhow::Result<Preprocess> {
    let description = description(args)?;
    if float.card().is_some() {
        return Ok(description.card(float.opened())?.preprocess);
    }
    let parts = description.parts(float.opened())?;
    parts.preprocess.context(
        "the model does not say how images are prepared: give --mean and --std, or prepared images with --calibration-f32",
    )
}

/// Refuses a mean on the 0..255 scale: it would map all pixels to nearly the same value.
fn check_scale(args: &Args) -> anyhow::Result<()> {
    let divided = |values: &[f32]| {
        let parts = values.iter().map(|v| format!("{:.4}", v / 255.0));
        parts.collect::<Vec<_>>().join(",")
    };
    if let Some(mean) = args.mean.iter().find(|m| **m > 1.0) {
        let also = if args.std.iter().any(|s| *s > 1.0) {
            format!(" --std {}", divided(&args.std))
        } else {
            String::new()
        };
        bail!(
            "--mean has {mean}, expected values on the 0..1 scale; divided by 255: --mean {}{also}",
            divided(&args.mean)
        );
    }
    Ok(())
}

pub(crate) fn write_list(path: &Path, set: &CalibrationSet) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["image", "class", "hash"])?;
    let data = set.data().context("prepared images have no list")?;
    for (i, hash) in set.hashes().iter().enumerate() {
        writer.write_record([&data.id(i), &data.classes()[data.labels()[i]], hash])?;
    }
    artifact::write(path, &writer.into_inner()?)?;
    Ok(())
}
