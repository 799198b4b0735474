//! Runs the float and the INT8 model in tract's float arithmetic, where every inner tensor exists, for the search of
//! [`tailfold_parity::chain::bisect`]. Graphs with nodes of both models answer the queries of the search.

use std::path::Path;

use anyhow::{Context as _, ensure};
use tailfold::{Backend, ModelFile, OpenOptions};
use tailfold_data::Dataset;
use tailfold_onnx::Model;
use tailfold_parity::chain::Stage;
use tailfold_parity::chain::bisect::{Finding, Sample, Subject, bisect as search};
use tailfold_spec::Logits;

use super::load::Ready;

mod assemble;
mod cut;
mod exchange;
mod images;
mod models;
mod pair;
mod side;
mod trace;

use images::Images;
use models::OnTract;
use pair::Pair;

/// Searches the part of the INT8 model that makes decisions flip between the float and the INT8 model among `ready`, both on
/// tract-stock; `scores` are the logits of `ready` on `data`.
///
/// # Errors
/// Models without common tensor names, and errors of the back end.
pub(super) fn bisect(
    ready: &[Ready],
    scores: &[Logits],
    data: &Dataset,
) -> anyhow::Result<Finding> {
    let on_stock = |stage: Stage| {
        let mut steps = ready.iter().zip(scores);
        steps
            .find(|(step, _)| step.stage == stage && step.backend == Backend::TractStock)
            .with_context(|| format!("the chain has no step {stage} on tract-stock"))
    };
    let (reference, candidate) = (on_stock(Stage::Float)?, on_stock(Stage::Int8)?);
    let (a, b) = (
        &reference.0.model.card.preprocess,
        &candidate.0.model.card.preprocess,
    );
    ensure!(
        a == b,
        "the two models prepare images differently: {a:?} and {b:?}"
    );
    let graphs = [graph(reference.0)?, graph(candidate.0)?];
    let pair = Pair::of(
        [&graphs[0], &graphs[1]],
        [&reference.0.file, &candidate.0.file],
    )?;
    let sample = Sample::draw(reference.1, candidate.1)?;
    let images = Images::of(data, a, &sample)?;
    let subject = Subject {
        reference: &reference.0.file,
        candidate: &candidate.0.file,
        backend: Backend::TractStock.name(),
    };
    search(&mut OnTract::new(&pair, &images), &sample, &subject)
}

/// Reads the graph of a step's file again, in canonical form: a loaded model keeps no graph.
fn graph(step: &Ready) -> anyhow::Result<Model> {
    let file = ModelFile::read(Path::new(&step.file), &OpenOptions::default())?;
    ensure!(
        file.sha256 == step.model.sha256,
        "{}: the file changed during this run",
        step.file
    );
    Ok(file.opened.model)
}
