//! What the command line says of a model that does not say it itself.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::ValueEnum;
use tailfold_data::class_names;
use tailfold_runtime::{Description, Layout, OpenOptions};
use tailfold_spec::{Filter, Resize, artifact};

/// For models whose metadata does not say it: models of other tools.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(
    next_help_heading = "Models of other tools (`tailfold describe` writes these into the file)"
)]
pub(crate) struct Describe {
    /// Class names, one per line, in the order of the outputs.
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// Training images of each class, one number per line, in the order of the classes: they make the groups many, medium
    /// and few.
    #[arg(long, value_name = "FILE")]
    pub(crate) counts: Option<PathBuf>,
    /// Means of the channels on the 0..1 scale: `0.485,0.456,0.406`, or one for all.
    #[arg(long, value_delimiter = ',', requires = "std")]
    mean: Option<Vec<f32>>,
    /// Standard deviations of the channels on the 0..1 scale, or one for all.
    #[arg(long, value_delimiter = ',', requires = "mean")]
    std: Option<Vec<f32>>,
    /// Length of the shorter side before the centre crop, in pixels, and the filter (`256:bicubic`; bilinear without one).
    #[arg(long, visible_alias = "short-side", value_name = "PIXELS[:FILTER]", value_parser = resize)]
    resize: Option<Resize>,
    /// Whether the input is `[N, height, width, channels]`.
    #[arg(long, value_name = "auto|yes|no", value_enum, default_value_t)]
    channels_last: ChannelsLast,
    /// Blue is the first channel, as in OpenCV.
    #[arg(long)]
    bgr: bool,
    /// Output with the scores, for a model with several.
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
}

/// Where the channels of the input are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ChannelsLast {
    /// Told by the lengths of the input: channels are 1 or 3.
    #[default]
    Auto,
    /// `[N, height, width, channels]`.
    Yes,
    /// `[N, channels, height, width]`.
    No,
}

impl Describe {
    /// How the file is opened.
    pub(crate) fn options(&self) -> OpenOptions {
        OpenOptions {
            output: self.output.clone(),
            layout: match self.channels_last {
                ChannelsLast::Auto => Layout::Auto,
                ChannelsLast::Yes => Layout::ChannelsLast,
                ChannelsLast::No => Layout::ChannelsFirst,
            },
        }
    }

    /// As the library wants it; the files are read.
    pub(crate) fn description(&self) -> anyhow::Result<Description> {
        Ok(Description {
            labels: self.labels.as_deref().map(class_names).transpose()?,
            counts: self.counts.as_deref().map(counts).transpose()?,
            mean: self.mean.clone(),
            std: self.std.clone(),
            resize: self.resize,
            bgr: self.bgr,
            options: self.options(),
        })
    }

    /// As on the command line.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        for (flag, file) in [("--labels", &self.labels), ("--counts", &self.counts)] {
            if let Some(file) = file {
                words.extend([flag.into(), file.clone().into()]);
            }
        }
        for (flag, values) in [("--mean", &self.mean), ("--std", &self.std)] {
            if let Some(values) = values {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                words.extend([flag.into(), values.join(",").into()]);
            }
        }
        if let Some(Resize { short_side, filter }) = self.resize {
            let filter = match filter {
                Filter::Bilinear => "bilinear",
                Filter::Bicubic => "bicubic",
                Filter::Nearest => "nearest",
            };
            words.extend(["--resize".into(), format!("{short_side}:{filter}").into()]);
        }
        match self.channels_last {
            ChannelsLast::Auto => {}
            ChannelsLast::Yes => words.extend(["--channels-last".into(), "yes".into()]),
            ChannelsLast::No => words.extend(["--channels-last".into(), "no".into()]),
        }
        if self.bgr {
            words.push("--bgr".into());
        }
        if let Some(output) = &self.output {
            words.extend(["--output".into(), output.into()]);
        }
        words
    }
}

/// One number per line.
fn counts(path: &Path) -> anyhow::Result<Vec<u64>> {
    let text = artifact::read_to_string(path)?;
    let lines = text.trim_start_matches('\u{feff}').lines().enumerate();
    let counts: Vec<u64> = lines
        .map(|(number, line)| {
            line.trim().parse().with_context(|| {
                format!(
                    "{}, line {}: `{line}` is not a number of images",
                    path.display(),
                    number + 1
                )
            })
        })
        .collect::<anyhow::Result<_>>()?;
    ensure!(!counts.is_empty(), "{} has no line", path.display());
    Ok(counts)
}

fn resize(text: &str) -> Result<Resize, String> {
    let (length, filter) = text.split_once(':').unwrap_or((text, "bilinear"));
    let filter = match filter {
        "bilinear" => Filter::Bilinear,
        "bicubic" => Filter::Bicubic,
        "nearest" => Filter::Nearest,
        _ => return Err("expected `bilinear`, `bicubic` or `nearest` after the colon".to_owned()),
    };
    match length.parse() {
        Ok(short_side) if short_side > 0 => Ok(Resize { short_side, filter }),
        _ => Err("expected a length in pixels".to_owned()),
    }
}
