//! Cross-layer equalization (Nagel et al., ICCV 2019, section 4.1): moves scale between layers whose channels differ.

use tailfold_onnx::Model;
use tailfold_onnx::proto::{GraphProto, NodeProto};

use crate::error::QuantError;

/// Sweeps over all pairs, at most; a chain of layers settles in a few.
const SWEEPS: usize = 20;
/// A sweep that moves no channel by more than this part is the last.
const SETTLED: f32 = 1e-3;
/// No channel is moved by more than this factor in a sweep.
const FURTHEST: f32 = 1e3;

/// Two layers between which a channel may be scaled and scaled back.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    /// Nodes, by index.
    first: usize,
    second: usize,
}

/// Rescales the channels between pairs of layers so that the largest weight that makes a channel is as large as the largest that
/// reads it. The network's function stays the same but for rounding. Returns the number of pairs.
///
/// A pair is two layers with nothing between them but operators that a positive factor passes (ReLU, pooling by maximum or mean):
/// a clip at 6 is none.
///
/// # Errors
/// [`QuantError::Onnx`] when a weight is no float constant.
pub(crate) fn equalize(model: &mut Model) -> Result<usize, QuantError> {
    let pairs = pairs(model.graph());
    for _ in 0..SWEEPS {
        let mut furthest = 1.0_f32;
        for pair in &pairs {
            furthest = furthest.max(balance(model, pair)?);
        }
        if furthest <= 1.0 + SETTLED {
            break;
        }
    }
    Ok(pairs.len())
}

fn pairs(graph: &GraphProto) -> Vec<Pair> {
    let layers = graph
        .node
        .iter()
        .enumerate()
        .filter(|(_, n)| weight(graph, n).is_some());
    layers
        .filter_map(|(second, node)| {
            let mut value = node.input.first()?;
            loop {
                let ends = graph.output.iter().any(|o| o.name() == value);
                if ends || graph.consumers(value).count() != 1 {
                    return None;
                }
                let first = graph.node.iter().position(|n| n.output.contains(value))?;
                let before = &graph.node[first];
                if weight(graph, before).is_some() {
                    return Some(Pair { first, second });
                }
                if !passes(graph, before) {
                    return None;
                }
                value = before.input.first()?;
            }
        })
        .collect()
}

/// Whether a positive factor of a channel comes out as it goes in.
fn passes(graph: &GraphProto, node: &NodeProto) -> bool {
    let pools = ["Relu", "MaxPool", "GlobalAveragePool"];
    // A vector of means has its channels where they were.
    let flattens = || {
        let before = node.input.first().and_then(|v| graph.producer(v));
        node.is("Flatten") && before.is_some_and(|n| n.is("GlobalAveragePool"))
    };
    pools.iter().any(|op| node.is(op)) || flattens()
}

/// The weight of a layer that nobody else reads, as nobody else reads its bias.
fn weight<'a>(graph: &GraphProto, node: &'a NodeProto) -> Option<&'a str> {
    let layer = node.is("Conv") || (node.is("Gemm") && node.int("transB") == Some(1));
    let weight = node.input.get(1).filter(|_| layer)?;
    let own = graph.find_initializer(weight).is_some() && graph.consumers(weight).count() == 1;
    let bias = node.input.get(2).filter(|b| !b.is_empty());
    let own_bias =
        bias.is_none_or(|b| graph.find_initializer(b).is_some() && graph.consumers(b).count() == 1);
    (own && own_bias).then_some(weight)
}

/// Balances one pair and returns the largest factor that a channel was moved by, at least 1.
fn balance(model: &mut Model, pair: &Pair) -> Result<f32, QuantError> {
    let (made, read) = (&model.nodes()[pair.first], &model.nodes()[pair.second]);
    let (made_weight, read_weight) = (made.input[1].clone(), read.input[1].clone());
    let bias = made.input.get(2).filter(|b| !b.is_empty()).cloned();
    let groups = usize::try_from(read.int("group").unwrap_or(1))
        .unwrap_or(1)
        .max(1);
    let (made_shape, mut made) = model.initializer_f32(&made_weight)?;
    let (read_shape, mut read) = model.initializer_f32(&read_weight)?;
    let channels = made_shape.first().copied().unwrap_or(0);
    // `[out, in of a group, taps]`
    let within = read_shape.get(1).copied().unwrap_or(0);
    if channels == 0 || within * groups != channels || read.is_empty() {
        return Ok(1.0);
    }
    let taps: usize = read_shape[2..].iter().product();
    let rows_a_group = read_shape[0] / groups;
    let (row, mut factors) = (made.len() / channels, vec![1.0_f32; channels]);
    let largest =
        |values: &mut dyn Iterator<Item = f32>| values.fold(0.0_f32, |m, v| m.max(v.abs()));
    let readers = |channel: usize| {
        let (group, place) = (channel / within, channel % within);
        (0..rows_a_group).map(move |r| ((group * rows_a_group + r) * within + place) * taps)
    };
    for (channel, factor) in factors.iter_mut().enumerate() {
        let making = largest(&mut made[channel * row..][..row].iter().copied());
        let reading =
            largest(&mut readers(channel).flat_map(|at| read[at..][..taps].iter().copied()));
        let wanted = (making / reading).sqrt();
        if wanted.is_finite() && wanted > 0.0 {
            *factor = wanted.clamp(1.0 / FURTHEST, FURTHEST);
        }
    }
    for (channel, &factor) in factors.iter().enumerate() {
        made[channel * row..][..row]
            .iter_mut()
            .for_each(|w| *w /= factor);
        for at in readers(channel) {
            read[at..][..taps].iter_mut().for_each(|w| *w *= factor);
        }
    }
    if let Some(bias) = bias {
        let (shape, mut values) = model.initializer_f32(&bias)?;
        if values.len() != channels {
            return Ok(1.0);
        }
        values.iter_mut().zip(&factors).for_each(|(b, f)| *b /= f);
        model.set_initializer_f32(&bias, &shape, &values);
    }
    model.set_initializer_f32(&made_weight, &made_shape, &made);
    model.set_initializer_f32(&read_weight, &read_shape, &read);
    Ok(factors.iter().fold(1.0_f32, |m, f| m.max(f.max(1.0 / f))))
}

#[cfg(test)]
mod tests;
