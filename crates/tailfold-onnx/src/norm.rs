//! BatchNorm at inference is an affine map for each channel: it goes into the convolution before it.

use tailfold_spec::ConvNorm;

use crate::{Checkpoint, OnnxError, OnnxErrorKind};

/// A convolution with its BatchNorm inside.
#[derive(Debug)]
pub(crate) struct FoldedConv {
    /// `[out, in / groups, kernel, kernel]`.
    pub(crate) weight: Vec<f32>,
    /// `[out]`.
    pub(crate) bias: Vec<f32>,
}

/// The convolution of `layer` followed by its BatchNorm, as one convolution.
///
/// `w' = w gamma / sqrt(var + epsilon)` and `b' = beta - mean gamma / sqrt(var + epsilon)`, in f64, rounded once.
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

/// `gamma / sqrt(var + epsilon)` of each channel.
pub(crate) fn channel_factors(gamma: &[f32], var: &[f32], epsilon: f64) -> Vec<f64> {
    let channels = gamma.iter().zip(var);
    channels
        .map(|(&g, &v)| f64::from(g) / (f64::from(v) + epsilon).sqrt())
        .collect()
}

/// `values` in f32.
///
/// # Errors
/// [`OnnxErrorKind::NotFinite`] naming `tensor` and the index of a value that f32 cannot hold.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the one rounding to f32; what does not fit is an error"
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
