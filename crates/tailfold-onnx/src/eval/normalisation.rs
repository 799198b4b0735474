//! BatchNormalization of constants: how exporters write standardized weights (NFNet, BiT).

use super::value::{Data, rounded};
use super::{Folded, Unfolded, Value};
use crate::proto::NodeProto;

/// BatchNormalization at inference: `scale * (x - mean) / sqrt(var + epsilon) + bias` for each channel, which is axis 1
/// of `x`. The other inputs have one element per channel.
pub(super) fn batch(node: &NodeProto, inputs: &[Option<&Value>]) -> Folded {
    let &[Some(x), Some(scale), Some(bias), Some(mean), Some(var)] = inputs else {
        return Err(Unfolded::Unknown);
    };
    if node.int("training_mode").unwrap_or(0) != 0 {
        return Err(Unfolded::Unknown);
    }
    let channels = *x.shape.get(1).ok_or(Unfolded::Unknown)?;
    let parameter = |value: &Value| match &value.data {
        Data::Real(values) if values.len() == channels => Ok(values.clone()),
        _ => Err(Unfolded::Unknown),
    };
    let (scale, bias) = (parameter(scale)?, parameter(bias)?);
    let (mean, var) = (parameter(mean)?, parameter(var)?);
    let Data::Real(values) = &x.data else {
        return Err(Unfolded::Unknown);
    };
    let epsilon = f64::from(node.float("epsilon").unwrap_or(1e-5));
    let inner: usize = x.shape[2..].iter().product();
    let normalised = values.iter().enumerate().map(|(index, value)| {
        let c = index / inner.max(1) % channels.max(1);
        let y = scale[c] * (value - mean[c]) / (var[c] + epsilon).sqrt() + bias[c];
        rounded(x.element, y)
    });
    Ok(Value {
        element: x.element,
        shape: x.shape.clone(),
        data: Data::Real(normalised.collect()),
    })
}
