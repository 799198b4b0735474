//! Options that describe a third-party model: classes, training counts, preprocessing, input layout and output.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use tailfold::{Description, Layout, OpenOptions};
use tailfold_console::say;
use tailfold_data::{class_counts, class_names, repeats};
use tailfold_spec::{Filter, OutputCheck, Resize};

/// Heading of the options in the help.
const HEADING: &str = "Third-party models (`tailfold describe` writes these values into the file)";

/// Description of a third-party model, for values that its metadata lacks.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct Describe {
    /// Class names, one per line, in the order of the outputs. Default for a file without class names: the class names
    /// of the data.
    ///
    /// For `parity` on two files of logits: labels of the images, as .npy, Parquet or safetensors, or as text with one
    /// label per line.
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// Number of training images per class, one per line, in the order of the outputs. These counts define the groups
    /// many, medium and few.
    ///
    /// For `parity` on two files of logits, `evaluation` groups the classes into thirds by their number of evaluation
    /// images.
    #[arg(long, value_name = "FILE")]
    pub(crate) counts: Option<PathBuf>,
    /// Mean per channel on the 0..1 scale, such as `0.485,0.456,0.406`, or one value for all channels.
    #[arg(
        long,
        value_delimiter = ',',
        allow_hyphen_values = true,
        requires = "std"
    )]
    mean: Option<Vec<f32>>,
    /// Standard deviation per channel on the 0..1 scale, or one value for all channels.
    #[arg(
        long,
        value_delimiter = ',',
        allow_hyphen_values = true,
        requires = "mean"
    )]
    std: Option<Vec<f32>>,
    /// Resize the shorter side to this length before the centre crop. The filter is `bilinear` (the default), `bicubic`
    /// or `nearest`, as in `256:bicubic`.
    #[arg(long, visible_alias = "short-side", value_name = "PIXELS[:FILTER]", value_parser = resize)]
    resize: Option<Resize>,
    /// The channel order of the input is blue, green, red, as in OpenCV. Default: red, green, blue.
    #[arg(long)]
    bgr: bool,
    #[command(flatten)]
    ports: Ports,
}

/// Layout of the input, and the output of a third-party model.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = HEADING)]
pub(crate) struct Ports {
    /// Whether the input is `[N, height, width, channels]`.
    #[arg(long, value_name = "auto|yes|no", value_enum, default_value_t)]
    channels_last: ChannelsLast,
    /// Name of the output with the scores, for a model with several outputs.
    #[arg(long, value_name = "NAME")]
    output: Option<String>,
}

/// Layout of the model's input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ChannelsLast {
    /// Channels last if the last dimension of the input is 1 or 3 and the second is not.
    #[default]
    Auto,
    /// `[N, height, width, channels]`.
    Yes,
    /// `[N, channels, height, width]`.
    No,
}

impl Ports {
    /// Layout and output, which the loader needs to open the file.
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
}

impl Describe {
    /// Layout and output, which the loader needs to open the file.
    pub(crate) fn options(&self) -> OpenOptions {
        self.ports.options()
    }

    /// The description for the library; reads the files of `--labels` and `--counts`. A warning line names repeated class
    /// names.
    pub(crate) fn description(&self) -> anyhow::Result<Description> {
        Ok(Description {
            labels: self.labels.as_deref().map(labels).transpose()?,
            counts: self.counts.as_deref().map(class_counts).transpose()?,
            mean: self.mean.clone(),
            std: self.std.clone(),
            resize: self.resize,
            bgr: self.bgr,
            options: self.options(),
        })
    }

    /// Adds the files that the options name to the inputs of `files`.
    pub(crate) fn add_to(&self, files: &mut OutputCheck) {
        for (role, file) in [
            ("file of --labels", &self.labels),
            ("file of --counts", &self.counts),
        ] {
            file.iter().for_each(|file| files.reads(role, file));
        }
    }

    /// The options as words of a command line, for child processes and reports.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let files = [("--labels", &self.labels), ("--counts", &self.counts)];
        let files = files
            .into_iter()
            .filter_map(|(flag, file)| Some(word(flag, file.as_ref()?)));
        files.chain(self.of_models()).collect()
    }

    /// The options that describe a model, as words: all options except `--labels` and `--counts`.
    pub(crate) fn of_models(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        for (flag, values) in [("--mean", &self.mean), ("--std", &self.std)] {
            if let Some(values) = values {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                words.push(word(flag, values.join(",")));
            }
        }
        if let Some(Resize { short_side, filter }) = self.resize {
            words.push(word("--resize", format!("{short_side}:{}", filter.name())));
        }
        match self.ports.channels_last {
            ChannelsLast::Auto => {}
            ChannelsLast::Yes => words.push(word("--channels-last", "yes")),
            ChannelsLast::No => words.push(word("--channels-last", "no")),
        }
        if self.bgr {
            words.push("--bgr".into());
        }
        if let Some(output) = &self.ports.output {
            words.push(word("--output", output));
        }
        words
    }
}

/// Returns `--flag=value`, a form that also works for a value that begins with a hyphen.
fn word(flag: &str, value: impl AsRef<OsStr>) -> OsString {
    let mut word = OsString::from(flag);
    word.push("=");
    word.push(value);
    word
}

/// Reads class names in the order of the outputs; a warning line lists repeated names.
pub(crate) fn labels(path: &Path) -> anyhow::Result<Vec<String>> {
    let names = class_names(path)?;
    if let Some(repeats) = repeats(path, &names) {
        say(&format!("warning: {repeats}"));
    }
    Ok(names)
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        describe: Describe,
    }

    #[test]
    fn negative_mean_is_parsed_and_passed_on() {
        let given = ["--mean", "-0.5,0.1", "--std", "1", "--output", "scores"];
        let command = Command::try_parse_from(["tailfold"].iter().chain(&given)).unwrap();
        let words = command.describe.arguments();
        assert_eq!(words, ["--mean=-0.5,0.1", "--std=1", "--output=scores"]);
        let words = [OsString::from("tailfold")].into_iter().chain(words);
        let again = Command::try_parse_from(words).unwrap().describe;
        assert_eq!(
            again.description().unwrap(),
            command.describe.description().unwrap()
        );
    }
}
