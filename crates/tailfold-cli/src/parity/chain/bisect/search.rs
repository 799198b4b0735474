//! From all cuts to the stretch that explains the flips, and from all exchanges in it to the node.

use std::path::Path;

use anyhow::{Context as _, ensure};
use tailfold::{Backend, ModelFile, OpenOptions};
use tailfold_console::bar;
use tailfold_data::Dataset;
use tailfold_onnx::Model;
use tailfold_spec::Logits;

use super::chosen::{Chosen, SEED};
use super::cut::cut;
use super::exchange::{codes, exchanged, units};
use super::finding::{Counted, Culprit, Exchange, Finding, Part, Stretch, TensorRow};
use super::outlier::outliers;
use super::pair::Pair;
use super::trace::trace;
use crate::parity::chain::load::Ready;
use crate::parity::chain::stage::Stage;

/// See [`super::bisect`].
pub(super) fn search(
    ready: &[Ready],
    scores: &[Logits],
    data: &Dataset,
) -> anyhow::Result<Finding> {
    let on_stock = |stage: Stage| {
        let mut steps = ready.iter().zip(scores);
        steps
            .find(|(step, _)| step.stage == stage && step.backend == Backend::TractStock)
            .with_context(|| format!("there is no step {stage} on tract-stock"))
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
    let chosen = Chosen::draw(data, a, reference.1, candidate.1)?;
    let mut finding = Finding {
        reference: reference.0.file.clone(),
        candidate: candidate.0.file.clone(),
        all_flips: chosen.all_flips,
        all_images: data.len(),
        flips: chosen.flips,
        controls: chosen.controls(),
        seed: SEED,
        reference_tensors: pair.reference.tensors().len(),
        matched_tensors: pair.tensors.len(),
        tensors: Vec::new(),
        stretch: None,
        outliers: Vec::new(),
        exchanges: Vec::new(),
        culprit: None,
        conclusion: "no decision flips between the float and the INT8 model on tract-stock: the files agree, and what differs elsewhere is a back end's doing".to_owned(),
        network_runs: 0,
    };
    if chosen.flips > 0 {
        look(&pair, &chosen, &mut finding)?;
    }
    Ok(finding)
}

/// The graph of a step's file in canonical form, read once more: a loaded model keeps none.
fn graph(step: &Ready) -> anyhow::Result<Model> {
    let file = ModelFile::read(Path::new(&step.file), &OpenOptions::default())?;
    ensure!(
        file.sha256 == step.model.sha256,
        "{}: the file changed during this run",
        step.file
    );
    Ok(file.opened.model)
}

/// All three looks.
fn look(pair: &Pair, chosen: &Chosen, finding: &mut Finding) -> anyhow::Result<()> {
    let (traced, images) = trace(pair, chosen)?;
    // Both models, and the INT8 model's nodes once more.
    finding.network_runs += 3 * images;
    let separators = pair.separators();
    let progress = bar("cutting", separators.len() * chosen.inputs.len());
    let mut cuts: Vec<(&str, Counted)> = Vec::new();
    for &tensor in &separators {
        let counted = if tensor == pair.reference.input {
            // The INT8 model as it is.
            Counted {
                repaired: 0,
                broken: 0,
            }
        } else if tensor == pair.reference.output {
            // The float model as it is.
            Counted {
                repaired: chosen.flips,
                broken: 0,
            }
        } else {
            finding.network_runs += chosen.inputs.len();
            chosen.count(
                &cut(pair, tensor),
                &format!("the two models cut at `{tensor}`"),
            )?
        };
        progress.inc(chosen.inputs.len() as u64);
        cuts.push((tensor, counted));
    }
    progress.finish_and_clear();
    for (tensor, traced) in pair.tensors.iter().zip(traced) {
        let made = pair.reference.producer(tensor);
        let cut = cuts.iter().find(|(cut, _)| cut == tensor);
        finding.tensors.push(TensorRow {
            tensor: tensor.clone(),
            operator: made.map_or("input", |node| node.op_type()).to_owned(),
            signal_to_noise_db: traced.all,
            node_alone_db: traced.node,
            codes_alone_db: traced.codes,
            cut: cut.map(|(_, counted)| *counted),
        });
    }
    finding.outliers = outliers(pair, &finding.tensors);
    let is_half = |repaired: usize| 2 * repaired >= chosen.flips;
    let Some(at) = cuts.iter().position(|(_, cut)| is_half(cut.repaired)) else {
        finding.conclusion = "no cut repairs half of the flips".to_owned();
        return Ok(());
    };
    // The image is a separator and repairs none, so there is one before.
    let (from, to) = (cuts[at.saturating_sub(1)], cuts[at]);
    finding.stretch = Some(stretch(pair, from.0, to.0));
    exchange(pair, chosen, [from.0, to.0], finding)?;
    conclude(finding, [from, to]);
    Ok(())
}

fn stretch(pair: &Pair, from: &str, to: &str) -> Stretch {
    let nodes = pair.reference.needed(&[to], from).nodes;
    Stretch {
        from: from.to_owned(),
        to: to.to_owned(),
        nodes: nodes
            .into_iter()
            .map(|n| pair.reference.model.nodes()[n].label().to_owned())
            .collect(),
    }
}

/// Exchanges every part of the stretch and every outlier alone, the most repaired first.
fn exchange(
    pair: &Pair,
    chosen: &Chosen,
    [from, to]: [&str; 2],
    finding: &mut Finding,
) -> anyhow::Result<()> {
    let mut units = units(pair, from, to);
    for outlier in &finding.outliers {
        if !units
            .iter()
            .any(|u| (u.part, &u.name) == (outlier.part, &outlier.name))
        {
            units.extend(match outlier.part {
                Part::Codes => codes(pair, &outlier.tensor),
                Part::Node => {
                    let node = pair.reference.producer(&outlier.tensor);
                    node.and_then(|node| exchanged(pair, node))
                }
            });
        }
    }
    let progress = bar("exchanging", units.len() * chosen.inputs.len());
    for unit in units {
        let name = format!("the INT8 model with the float model's `{}`", unit.name);
        let counted = chosen.count(&unit.bytes, &name)?;
        finding.network_runs += chosen.inputs.len();
        progress.inc(chosen.inputs.len() as u64);
        finding.exchanges.push(Exchange {
            part: unit.part,
            name: unit.name,
            operator: unit.operator,
            counted,
        });
    }
    progress.finish_and_clear();
    finding
        .exchanges
        .sort_by_key(|e| std::cmp::Reverse(e.counted.repaired));
    Ok(())
}

/// Names a part where two things agree: exchanged alone it repairs half of the flips, and its own noise stands out among its
/// kind.
///
/// Images that flip are near a border, and any other noise puts some of them back: without the second, a sound network's first
/// layer would be named.
fn conclude(finding: &mut Finding, [from, to]: [(&str, Counted); 2]) {
    let flips = finding.flips;
    let gain = format!(
        "a cut at `{}` repairs {} of {flips} flips, at `{}` {}",
        from.0, from.1.repaired, to.0, to.1.repaired
    );
    let outliers = &finding.outliers;
    let stands_out = |e: &&Exchange| {
        outliers
            .iter()
            .any(|o| o.part == e.part && o.name == e.name)
    };
    let noisiest = finding.exchanges.iter().find(stands_out);
    let explains = |e: &&Exchange| 2 * e.counted.repaired >= flips;
    if let Some(found) = noisiest.filter(explains) {
        finding.culprit = Some(Culprit {
            part: found.part,
            name: found.name.clone(),
        });
        finding.conclusion = format!(
            "the flips come from {} ({}): with the float model's in its place {} of {flips} are repaired; {gain}",
            found.part.words(&found.name),
            found.operator,
            found.counted.repaired
        );
        return;
    }
    let most = match (noisiest, finding.exchanges.first()) {
        (Some(noisy), _) => format!(
            "; the noise of {} stands out, exchanged alone it repairs {}",
            noisy.part.words(&noisy.name),
            noisy.counted.repaired
        ),
        (None, Some(best)) => format!(
            "; no part's noise stands out, the most that one repairs alone is {} ({})",
            best.counted.repaired,
            best.part.words(&best.name)
        ),
        (None, None) => String::new(),
    };
    finding.conclusion =
        format!("no single part explains the flips between the two models: {gain}{most}");
}
