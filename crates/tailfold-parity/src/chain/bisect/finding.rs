//! The result of a bisection, as JSON and as text.

use std::fmt::Write as _;

use serde::Serialize;

use super::super::table::table;
use super::{Decibel, Outlier, Part};
use crate::page::printable;

/// The result of a bisection: part `bisect` of the schema `tailfold.parity-chain/1`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// File of the float model, as given.
    pub reference: String,
    /// File of the INT8 model, as given.
    pub candidate: String,
    /// The back end that ran both models.
    #[serde(skip)]
    pub backend: String,
    /// Number of images whose decision flips between the two models.
    pub all_flips: usize,
    /// Number of images.
    pub all_images: usize,
    /// Number of flips in the sample.
    pub flips: usize,
    /// Number of images in the sample whose decision does not flip.
    pub controls: usize,
    /// Seed of the sample.
    pub seed: u64,
    /// Number of tensors of the float model.
    pub reference_tensors: usize,
    /// Number of tensors that the INT8 model has under the same name.
    pub matched_tensors: usize,
    /// The matched tensors in execution order; empty without flips.
    pub tensors: Vec<TensorRow>,
    /// Nodes between the first cut that repairs half of the flips and the cut before it; absent without flips.
    pub stretch: Option<Stretch>,
    /// Parts of the network whose own noise stands out among their kind.
    pub outliers: Vec<Outlier>,
    /// Parts of the stretch, and outliers, each exchanged alone; the part that repairs most comes first.
    pub exchanges: Vec<Exchange>,
    /// The part that explains the flips; absent if no single part does.
    pub culprit: Option<Culprit>,
    /// The result in one sentence.
    pub conclusion: String,
    /// Cost of the search: approximate number of runs of a network on one image.
    pub network_runs: usize,
}

/// A tensor that both models have.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct TensorRow {
    /// Name of the tensor.
    pub tensor: String,
    /// Operator that produces the tensor; `input` for the image.
    pub operator: String,
    /// Signal-to-noise ratio of the value that the INT8 model's nodes read.
    pub signal_to_noise_db: Decibel,
    /// Signal-to-noise ratio of the INT8 model's node alone, with the float model's values as its inputs.
    pub node_alone_db: Option<Decibel>,
    /// Signal-to-noise ratio of the tensor's quantization alone, on the float model's value; absent for a tensor that
    /// is not quantized.
    pub codes_alone_db: Option<Decibel>,
    /// Decisions with the float model's value in place of this tensor; absent if other tensors bypass it.
    pub cut: Option<Counted>,
}

/// Decisions of the INT8 model with a part of the float model in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// Number of flips that get the float model's decision back.
    pub repaired: usize,
    /// Number of other images that lose the float model's decision.
    pub broken: usize,
}

/// Nodes between two cuts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stretch {
    /// The tensor whose cut repairs less than half of the flips.
    pub from: String,
    /// The tensor whose cut repairs half of the flips or more.
    pub to: String,
    /// Names of the float model's nodes, in execution order.
    pub nodes: Vec<String>,
}

/// The effect of replacing one part of the INT8 model by the float model's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Exchange {
    /// Kind of the part.
    pub part: Part,
    /// Name of the node or tensor.
    pub name: String,
    /// Operator of the node, or of the quantization.
    pub operator: String,
    /// Decisions with the exchanged part.
    #[serde(flatten)]
    pub counted: Counted,
}

/// The part that explains the flips.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Culprit {
    /// Kind of the part.
    pub part: Part,
    /// Name of the node or tensor.
    pub name: String,
}

impl Finding {
    /// Returns the result as text for a terminal and as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("bisect: {}\n\n", printable(&self.conclusion));
        if !self.tensors.is_empty() {
            text += &table(&self.rows());
            text.push('\n');
        }
        let _ = writeln!(
            text,
            "- decibels are signal to noise against the float model: at 20 the noise is a tenth, at 40 a hundredth; a cut puts the float model's value into the INT8 model"
        );
        for outlier in &self.outliers {
            let _ = writeln!(text, "- stands out, {}", printable(&outlier.words()));
        }
        for exchange in &self.exchanges {
            let Counted { repaired, broken } = exchange.counted;
            let _ = writeln!(
                text,
                "- exchanged alone, {}: {repaired} of {} repaired, {broken} of {} others broken",
                printable(&exchange.part.words(&exchange.name)),
                self.flips,
                self.controls
            );
        }
        let _ = writeln!(
            text,
            "- {} of {} images flip on {}; looked at {} of them and {} others (seed {}), {} of {} tensors by name, {} runs of a network",
            self.all_flips,
            self.all_images,
            self.backend,
            self.flips,
            self.controls,
            self.seed,
            self.matched_tensors,
            self.reference_tensors,
            self.network_runs
        );
        text
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let header = [
            "tensor",
            "made by",
            "signal/noise dB",
            "node alone",
            "codes alone",
            "cut repairs",
            "cut breaks",
        ];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        for row in &self.tensors {
            let alone = |db: Option<Decibel>| db.map(Decibel::text).unwrap_or_default();
            let of = |count: fn(&Counted) -> usize, all: usize| {
                let counted = row.cut.as_ref().map(count);
                counted.map_or_else(String::new, |n| format!("{n} of {all}"))
            };
            rows.push(vec![
                row.tensor.clone(),
                row.operator.clone(),
                row.signal_to_noise_db.text(),
                alone(row.node_alone_db),
                alone(row.codes_alone_db),
                of(|cut| cut.repaired, self.flips),
                of(|cut| cut.broken, self.controls),
            ]);
        }
        rows
    }
}
