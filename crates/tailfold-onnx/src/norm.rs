//! Folds BatchNorm at inference, a per-channel affine map, into the convolution before it.

use tailfold_spec::ConvNorm;

use crate::{Checkpoint, OnnxError, OnnxErrorKind};

/// Weight and bias of a convolution with its BatchNorm folded in.
#[derive(Debug)]
pub(crate) struct FoldedConv {
    /// `[out, in / groups, kernel, kernel]`.
    pub(crate) weight: Vec<f32>,
    /// `[out]`.
    pub(crate) bias: Vec<f32>,
}

/// Folds the BatchNorm of `layer` into its convolution.
///
/// `w' = w gamma / sqrt(var + epsilon)` and `b' = beta - mean gamma / sqrt(var + epsilon)`, computed in f64
/// and rounded to f32 once.
///
/// # Errors
/// [`OnnxError`] when a tensor is missing or misshapen, a variance is negative, or a result is not finite.
pub(crate) fn folded_conv(
    checkpoint: &Checkpoint,
    layer: &ConvNorm,
    epsilon: f64,
) -> Result<FoldedConv, OnnxError> {
    let shape = layer.weight_shape();
    let [out, rest @ ..] = shape;
    let (conv, norm) = (layer.part("conv"), layer.part("norm"));
    let weight_name = format!("{conv}.weight");
    let weight = checkpoint.tensor(&weight_name, &shape)?;
    let channel = |part: &str| checkpoint.tensor(&format!("{norm}.{part}"), &[out]);
    let (gamma, beta, mean, var) = (
        channel("gamma")?,
        channel("beta")?,
        channel("running_mean")?,
        channel("running_var")?,
    );
    if let Some((index, &value)) = var.iter().enumerate().find(|(_, v)| **v < 0.0) {
        let (path, tensor) = (checkpoint.path().to_owned(), format!("{norm}.running_var"));
        return Err(OnnxErrorKind::NotFinite
            .error(format!("tensor `{tensor}` has {value} at index {index}"))
            .at(path.display()));
    }
    let factors = channel_factors(gamma, var, epsilon);
    let kernel: usize = rest.iter().product();
    let weight = weight
        .chunks_exact(kernel)
        .zip(&factors)
        .flat_map(|(row, f)| row.iter().map(move |&w| f64::from(w) * f));
    let bias = (0..out).map(|c| f64::from(beta[c]) - f64::from(mean[c]) * factors[c]);
    Ok(FoldedConv {
        weight: rounded(checkpoint, &weight_name, weight)?,
        bias: rounded(checkpoint, &format!("{conv}.bias"), bias)?,
    })
}

/// Returns `gamma / sqrt(var + epsilon)` of each channel.
pub(crate) fn channel_factors(gamma: &[f32], var: &[f32], epsilon: f64) -> Vec<f64> {
    let channels = gamma.iter().zip(var);
    channels
        .map(|(&g, &v)| f64::from(g) / (f64::from(v) + epsilon).sqrt())
        .collect()
}

/// Rounds `values` to f32.
///
/// # Errors
/// [`OnnxErrorKind::NotFinite`], which names `tensor` and the index of a value that overflows f32.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the only rounding to f32; an overflow is an error"
)]
pub(crate) fn rounded(
    checkpoint: &Checkpoint,
    tensor: &str,
    values: impl Iterator<Item = f64>,
) -> Result<Vec<f32>, OnnxError> {
    let values = values.map(|v| v as f32).enumerate().map(|(index, value)| {
        if value.is_finite() {
            Ok(value)
        } else {
            let (path, tensor) = (checkpoint.path().to_owned(), tensor.to_owned());
            Err(OnnxErrorKind::NotFinite
                .error(format!(
                    "`{tensor}` becomes {value} at index {index} when it is folded"
                ))
                .at(path.display()))
        }
    });
    values.collect()
}
