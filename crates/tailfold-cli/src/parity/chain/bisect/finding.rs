//! What the search found, for JSON and for people.

use std::fmt::Write as _;

use serde::Serialize;

use super::noise::Decibel;
use super::outlier::Outlier;
use crate::parity::chain::table::{printable, table};

/// Part `bisect` of the schema `tailfold.parity-chain/1`.
#[derive(Serialize)]
pub(in crate::parity::chain) struct Finding {
    /// Files, as given.
    pub(super) reference: String,
    pub(super) candidate: String,
    /// Images that flip between the two, and all.
    pub(super) all_flips: usize,
    pub(super) all_images: usize,
    /// Images looked at: flips, and others; drawn with this seed.
    pub(super) flips: usize,
    pub(super) controls: usize,
    pub(super) seed: u64,
    /// Tensors of the float model, and how many of them the INT8 model has by name.
    pub(super) reference_tensors: usize,
    pub(super) matched_tensors: usize,
    /// Those, in the order of their computation.
    pub(super) tensors: Vec<TensorRow>,
    /// Between the first cut that repairs half of the flips and the cut before it; absent without flips.
    pub(super) stretch: Option<Stretch>,
    /// Parts whose own noise stands out among their kind, in all of the network.
    pub(super) outliers: Vec<Outlier>,
    /// What was exchanged alone, in that stretch and of the outliers; the most repaired first.
    pub(super) exchanges: Vec<Exchange>,
    /// What explains the flips; absent where no single node does.
    pub(super) culprit: Option<Culprit>,
    /// The same in a sentence.
    pub(super) conclusion: String,
    /// Runs of about one network on one image that it took.
    pub(super) network_runs: usize,
}

/// A tensor that both models have.
#[derive(Serialize)]
pub(super) struct TensorRow {
    pub(super) tensor: String,
    /// Operator that makes it; `input` for the image.
    pub(super) operator: String,
    /// Of what the INT8 model's nodes read, to the float model's value.
    pub(super) signal_to_noise_db: Decibel,
    /// Of the INT8 model's node alone, with the float model's values as its inputs.
    pub(super) node_alone_db: Option<Decibel>,
    /// Of the tensor's codes alone, made of the float model's value; absent for what has no codes.
    pub(super) codes_alone_db: Option<Decibel>,
    /// With the float model's value in its place; absent where other tensors go past it.
    pub(super) cut: Option<Counted>,
}

/// Decisions with a part of the float model in the INT8 model.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Counted {
    /// Flips that have the float model's decision again.
    pub(super) repaired: usize,
    /// Others that lost it.
    pub(super) broken: usize,
}

/// Nodes between two cuts.
#[derive(Serialize)]
pub(super) struct Stretch {
    /// The tensor whose cut repairs less than half.
    pub(super) from: String,
    /// The tensor whose cut repairs half or more.
    pub(super) to: String,
    /// Of the float model, in their order.
    pub(super) nodes: Vec<String>,
}

/// What is exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Part {
    /// A node with its weights.
    Node,
    /// Scale and zero point of a tensor.
    Codes,
}

/// One part of the INT8 model replaced by the float model's.
#[derive(Serialize)]
pub(super) struct Exchange {
    pub(super) part: Part,
    /// The node's name, or the tensor's.
    pub(super) name: String,
    pub(super) operator: String,
    #[serde(flatten)]
    pub(super) counted: Counted,
}

/// What explains the flips.
#[derive(Serialize)]
pub(super) struct Culprit {
    pub(super) part: Part,
    /// The node's name, or the tensor's.
    pub(super) name: String,
}

impl Part {
    /// "the node `conv1`", "the codes of `relu1`".
    pub(super) fn words(self, name: &str) -> String {
        match self {
            Self::Node => format!("the node `{name}`"),
            Self::Codes => format!("the codes of `{name}`"),
        }
    }
}

impl Finding {
    /// For a terminal, and Markdown.
    pub(in crate::parity::chain) fn text(&self) -> String {
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
            "- {} of {} images flip on tract-stock; looked at {} of them and {} others (seed {}), {} of {} tensors by name, {} runs of a network",
            self.all_flips,
            self.all_images,
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
