//! Answers the queries of the search.

use tailfold_console::{ProgressBar, bar};
use tailfold_parity::chain::bisect::{ExchangedPart, Models, Part, Tensor, Trace};

use super::cut::cut;
use super::exchange::{codes, exchanged, parts};
use super::images::Images;
use super::pair::Pair;
use super::trace::trace;

/// Both models in tract's float arithmetic.
pub(super) struct OnTract<'a> {
    pair: &'a Pair,
    images: &'a Images,
    progress: Option<ProgressBar>,
}

impl<'a> OnTract<'a> {
    pub(super) fn new(pair: &'a Pair, images: &'a Images) -> Self {
        Self {
            pair,
            images,
            progress: None,
        }
    }

    fn decide(&self, bytes: &[u8], name: &str) -> anyhow::Result<Vec<Option<usize>>> {
        let decisions = self.images.decide(bytes, name)?;
        if let Some(progress) = &self.progress {
            progress.inc(decisions.len() as u64);
        }
        Ok(decisions)
    }

    fn end(&mut self) {
        if let Some(progress) = self.progress.take() {
            progress.finish_and_clear();
        }
    }
}

impl Drop for OnTract<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

impl Models for OnTract<'_> {
    type Error = anyhow::Error;
    /// An ONNX file.
    type Exchanged = Vec<u8>;

    fn tensors(&self) -> Vec<Tensor> {
        let Pair {
            reference,
            candidate,
            tensors,
            ..
        } = self.pair;
        let tensor = |name: &String| Tensor {
            name: name.clone(),
            operator: reference
                .producer(name)
                .map(|node| node.op_type().to_owned()),
            node: candidate.producer(name).map(|node| node.label().to_owned()),
        };
        tensors.iter().map(tensor).collect()
    }

    fn reference_tensors(&self) -> usize {
        self.pair.reference.tensors().len()
    }

    fn separators(&self) -> Vec<String> {
        let separators = self.pair.separators();
        separators.into_iter().map(str::to_owned).collect()
    }

    fn nodes_between(&self, from: &str, to: &str) -> Vec<String> {
        let reference = &self.pair.reference;
        let nodes = reference.needed(&[to], from).nodes.into_iter();
        nodes
            .map(|n| reference.model.nodes()[n].label().to_owned())
            .collect()
    }

    fn parts_between(&self, from: &str, to: &str) -> Vec<ExchangedPart<Vec<u8>>> {
        parts(self.pair, from, to)
    }

    fn part_of(&self, part: Part, tensor: &str) -> Option<ExchangedPart<Vec<u8>>> {
        match part {
            Part::Codes => codes(self.pair, tensor),
            Part::Node => exchanged(self.pair, self.pair.reference.producer(tensor)?),
        }
    }

    fn trace(&mut self) -> anyhow::Result<Trace> {
        trace(self.pair, self.images)
    }

    fn cut(&mut self, tensor: &str) -> anyhow::Result<Vec<Option<usize>>> {
        self.decide(
            &cut(self.pair, tensor),
            &format!("the two models cut at `{tensor}`"),
        )
    }

    fn exchange(&mut self, part: &ExchangedPart<Vec<u8>>) -> anyhow::Result<Vec<Option<usize>>> {
        let name = format!("the INT8 model with the float model's `{}`", part.name);
        self.decide(&part.exchanged, &name)
    }

    fn begin(&mut self, work: &'static str, images: usize) {
        self.end();
        self.progress = Some(bar(work, images));
    }
}
