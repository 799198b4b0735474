//! Searches for the part that explains the flips: cuts give the stretch, and exchanges in the stretch give the part.

use super::outlier::outliers;
use super::{
    Counted, Culprit, Exchange, ExchangedPart, Finding, Models, Sample, Stretch, Tensor, TensorRow,
};

/// The two models of a search, as named in its result.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// File of the float model.
    pub reference: &'a str,
    /// File of the INT8 model.
    pub candidate: &'a str,
    /// The back end that runs both models.
    pub backend: &'a str,
}

/// Searches for the part of the INT8 model that makes the decisions of `sample` flip.
///
/// # Errors
/// The error of a run of `models`.
pub fn bisect<M: Models>(
    models: &mut M,
    sample: &Sample,
    subject: &Subject<'_>,
) -> Result<Finding, M::Error> {
    let tensors = models.tensors();
    let mut finding = Finding {
        reference: subject.reference.to_owned(),
        candidate: subject.candidate.to_owned(),
        backend: subject.backend.to_owned(),
        all_flips: sample.all_flips(),
        all_images: sample.all_images(),
        flips: sample.flips(),
        controls: sample.controls(),
        seed: Sample::SEED,
        reference_tensors: models.reference_tensors(),
        matched_tensors: tensors.len(),
        tensors: Vec::new(),
        stretch: None,
        outliers: Vec::new(),
        exchanges: Vec::new(),
        culprit: None,
        conclusion: format!(
            "no decision flips between the float and the INT8 model on {}: the two files agree, so other differences come from a back end",
            subject.backend
        ),
        network_runs: 0,
    };
    if sample.flips() > 0 {
        look(models, sample, &tensors, &mut finding)?;
    }
    Ok(finding)
}

/// The tensor of a cut, and the decisions after the cut.
type Cut = (String, Counted);

/// Measures noise, cuts and exchanges, and records them in `finding`.
fn look<M: Models>(
    models: &mut M,
    sample: &Sample,
    tensors: &[Tensor],
    finding: &mut Finding,
) -> Result<(), M::Error> {
    let trace = models.trace()?;
    // The trace runs both models, and the INT8 model's nodes once more.
    finding.network_runs += 3 * trace.images;
    let cuts = cuts(models, sample, finding)?;
    for (tensor, noise) in tensors.iter().zip(&trace.tensors) {
        let cut = cuts.iter().find(|(cut, _)| *cut == tensor.name);
        finding.tensors.push(TensorRow {
            tensor: tensor.name.clone(),
            operator: tensor.operator.as_deref().unwrap_or("input").to_owned(),
            signal_to_noise_db: noise.all,
            node_alone_db: noise.node,
            codes_alone_db: noise.codes,
            cut: cut.map(|(_, counted)| *counted),
        });
    }
    finding.outliers = outliers(tensors, &trace.tensors);
    let is_half = |repaired: usize| 2 * repaired >= sample.flips();
    let Some(at) = cuts.iter().position(|(_, cut)| is_half(cut.repaired)) else {
        "no cut repairs half of the flips".clone_into(&mut finding.conclusion);
        return Ok(());
    };
    // The first separator is the image, whose cut repairs no flip, so this cut has a cut before it.
    let (from, to) = (&cuts[at.saturating_sub(1)], &cuts[at]);
    finding.stretch = Some(Stretch {
        from: from.0.clone(),
        to: to.0.clone(),
        nodes: models.nodes_between(&from.0, &to.0),
    });
    exchange(models, sample, [&from.0, &to.0], finding)?;
    conclude(finding, [from, to]);
    Ok(())
}

/// Cuts at every separator.
fn cuts<M: Models>(
    models: &mut M,
    sample: &Sample,
    finding: &mut Finding,
) -> Result<Vec<Cut>, M::Error> {
    let images = sample.numbers().len();
    let separators = models.separators();
    models.begin("cutting", separators.len().saturating_sub(2) * images);
    let last = separators.len().saturating_sub(1);
    let mut cuts = Vec::new();
    for (at, tensor) in separators.into_iter().enumerate() {
        let counted = if at == 0 {
            // A cut at the image is the whole INT8 model.
            Counted::default()
        } else if at == last {
            // A cut at the logits is the whole float model.
            Counted {
                repaired: sample.flips(),
                broken: 0,
            }
        } else {
            finding.network_runs += images;
            sample.count(&models.cut(&tensor)?)
        };
        cuts.push((tensor, counted));
    }
    Ok(cuts)
}

/// Exchanges every part of the stretch and every outlier alone; the exchange that repairs most comes first.
fn exchange<M: Models>(
    models: &mut M,
    sample: &Sample,
    [from, to]: [&str; 2],
    finding: &mut Finding,
) -> Result<(), M::Error> {
    let mut parts = models.parts_between(from, to);
    for outlier in &finding.outliers {
        let is_outlier = |part: &ExchangedPart<M::Exchanged>| {
            (part.part, &part.name) == (outlier.part, &outlier.name)
        };
        if !parts.iter().any(is_outlier) {
            parts.extend(models.part_of(outlier.part, &outlier.tensor));
        }
    }
    let images = sample.numbers().len();
    models.begin("exchanging", parts.len() * images);
    for part in parts {
        let counted = sample.count(&models.exchange(&part)?);
        finding.network_runs += images;
        finding.exchanges.push(Exchange {
            part: part.part,
            name: part.name,
            operator: part.operator,
            counted,
        });
    }
    finding
        .exchanges
        .sort_by_key(|e| std::cmp::Reverse(e.counted.repaired));
    Ok(())
}

/// Names a culprit if two findings agree: exchanged alone, the part repairs half of the flips, and its own noise
/// stands out among its kind.
///
/// Both are needed. Images that flip are near a decision border, and any change of the noise puts some of them back,
/// so without the second condition the first layer of a sound network would be named.
fn conclude(finding: &mut Finding, [from, to]: [&Cut; 2]) {
    let flips = finding.flips;
    let gain = format!(
        "a cut at `{}` repairs {} of {flips} flips, a cut at `{}` repairs {}",
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
            "the flips come from {} ({}): replacing this part by the float model's repairs {} of {flips} flips; {gain}",
            found.part.words(&found.name),
            found.operator,
            found.counted.repaired
        );
        return;
    }
    let most = match (noisiest, finding.exchanges.first()) {
        (Some(noisy), _) => format!(
            "; the noise of {} stands out, but exchanging this part alone repairs {}",
            noisy.part.words(&noisy.name),
            noisy.counted.repaired
        ),
        (None, Some(best)) => format!(
            "; no part's noise stands out, and the best exchange of a single part repairs {} ({})",
            best.counted.repaired,
            best.part.words(&best.name)
        ),
        (None, None) => String::new(),
    };
    finding.conclusion =
        format!("no single part explains the flips between the two models: {gain}{most}");
}
