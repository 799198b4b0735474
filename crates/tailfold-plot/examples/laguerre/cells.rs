//! The cells of the toy problem: for other priors, and at other temperatures.

use tailfold_plot::CellPanel;
use tailfold_sdot::Masses;

use crate::toy::Toy;

/// Temperature of the soft picture, logits.
const WARM: f64 = 2.0;

/// As trained, and solved for three priors.
pub(crate) fn priors(toy: &Toy) -> anyhow::Result<Vec<CellPanel>> {
    let train = Toy::prior();
    let classes = train.len();
    let uniform = vec![1.0 / classes as f64; classes];
    // The rarest class of the training points is the most frequent one where the model shall run.
    let sum: f64 = (1..=classes).map(|j| j as f64).sum();
    let deployment: Vec<f64> = (1..=classes).map(|j| j as f64 / sum).collect();
    let mut panels = vec![toy.panel("h = 0, as trained", &vec![0.0; classes], None, &[])?];
    for (title, target) in [
        ("ν uniform", &uniform),
        ("ν = training prior", &train),
        ("ν = a deployment prior", &deployment),
    ] {
        let solution = toy.solve(target, Masses::Hard)?;
        panels.push(toy.panel(title, &solution.offsets, None, target)?);
    }
    Ok(panels)
}

/// Solved for cells, and for the softmax at a temperature.
pub(crate) fn temperatures(toy: &Toy) -> anyhow::Result<Vec<CellPanel>> {
    let target = vec![1.0 / 7.0; 7];
    let hard = toy.solve(&target, Masses::Hard)?;
    let soft = toy.solve(&target, Masses::Soft { epsilon: WARM })?;
    Ok(vec![
        toy.panel("hard: cells of equal mass", &hard.offsets, None, &target)?,
        toy.panel(
            &format!("soft: ε = {WARM}"),
            &soft.offsets,
            Some(WARM),
            &target,
        )?,
    ])
}
