//! The cells of the toy problem for several priors and temperatures.

use tailfold_plot::CellPanel;
use tailfold_sdot::Masses;

use crate::toy::Toy;

/// Temperature of the soft cells, in logits.
const WARM: f64 = 4.0;

/// Panels of the classifier as trained, and of offsets solved for three priors.
pub(crate) fn priors(toy: &Toy) -> anyhow::Result<Vec<CellPanel>> {
    let train = Toy::prior();
    let classes = train.len();
    let uniform = vec![1.0 / classes as f64; classes];
    let deployment = deployment(classes);
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

/// Panels of offsets solved for hard cells, and for the softmax at a temperature.
pub(crate) fn temperatures(toy: &Toy) -> anyhow::Result<Vec<CellPanel>> {
    let target = deployment(Toy::prior().len());
    let hard = toy.solve(&target, Masses::Hard)?;
    let soft = toy.solve(&target, Masses::Soft { epsilon: WARM })?;
    let title = format!("h of softmax masses, ε = {WARM}");
    Ok(vec![
        toy.panel("h of hard cells", &hard.offsets, None, &target)?,
        toy.panel(&title, &soft.offsets, Some(WARM), &target)?,
    ])
}

/// A prior that reverses the order of the training points: the rarest class becomes the most frequent one.
fn deployment(classes: usize) -> Vec<f64> {
    let sum: f64 = (1..=classes).map(|j| j as f64).sum();
    (1..=classes).map(|j| j as f64 / sum).collect()
}
