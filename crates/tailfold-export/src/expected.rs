//! Expected accuracy under a prior from labelled images of any mixture: the images of a class are weighted by its mass.

use tailfold_spec::Mean;

/// Labelled images, weighted by a prior. Each class has at least one image.
pub(crate) struct Weighted<'a> {
    /// Class of each image, `[n]`.
    labels: &'a [usize],
    /// Mass of each class, `[classes]`, sum 1.
    prior: &'a [f64],
    /// Number of images per class, `[classes]`.
    counts: Vec<usize>,
}

/// Returns 1 for each image whose decision is its label, 0 for the others, `[n]`.
pub(crate) fn right(decisions: &[usize], labels: &[usize]) -> Vec<f64> {
    let pairs = decisions.iter().zip(labels);
    pairs.map(|(d, y)| f64::from(u8::from(d == y))).collect()
}

/// Returns the mean and the variance of the `values` `[n]` of each class, `[classes]`. Each class has at least one
/// image; a class with a single image has no variance.
pub(crate) fn by_class(
    values: &[f64],
    labels: &[usize],
    classes: usize,
) -> Vec<(f64, Option<f64>)> {
    let mut of_class = vec![Vec::new(); classes];
    for (&value, &label) in values.iter().zip(labels) {
        of_class[label].push(value);
    }
    let moments = |values: Vec<f64>| {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        (mean, (values.len() > 1).then(|| squares / (n - 1.0)))
    };
    of_class.into_iter().map(moments).collect()
}

impl<'a> Weighted<'a> {
    /// Weights images with `labels` `[n]` by `prior` `[classes]`.
    pub(crate) fn new(labels: &'a [usize], prior: &'a [f64]) -> Self {
        let mut counts = vec![0; prior.len()];
        for &label in labels {
            counts[label] += 1;
        }
        Self {
            labels,
            prior,
            counts,
        }
    }

    /// Returns the expected value under the prior of `values` `[n]`, one per image: the result of [`right`], or a
    /// difference of two such results.
    ///
    /// The standard error assumes images drawn within each class: `sqrt(sum_j prior_j^2 s_j^2 / n_j)`. It is `None` if
    /// a class has a single image.
    pub(crate) fn mean(&self, values: &[f64]) -> Mean {
        let classes = by_class(values, self.labels, self.prior.len());
        let mean = classes.iter().zip(self.prior).map(|((m, _), nu)| m * nu);
        let variance = classes.iter().zip(self.prior).zip(&self.counts);
        let variance: Option<f64> = variance
            .map(|(((_, variance), nu), &n)| Some(nu * nu * (*variance)? / n as f64))
            .sum();
        Mean {
            mean: mean.sum(),
            standard_error: variance.map(f64::sqrt),
        }
    }

    /// Returns the share of images with each class as top-1 under the prior, `[classes]`.
    pub(crate) fn answered(&self, decisions: &[usize]) -> Vec<f64> {
        let mut masses = vec![0.0; self.prior.len()];
        for (&decision, &label) in decisions.iter().zip(self.labels) {
            masses[decision] += self.prior[label] / self.counts[label] as f64;
        }
        masses
    }

    /// Returns the number of images, drawn from the prior itself, that would give a mean the same standard error:
    /// `(sum w)^2 / sum w^2` over the images' weights.
    pub(crate) fn effective_images(&self) -> f64 {
        let squares = self.prior.iter().zip(&self.counts);
        1.0 / squares.map(|(nu, &n)| nu * nu / n as f64).sum::<f64>()
    }
}

#[cfg(test)]
mod tests;
