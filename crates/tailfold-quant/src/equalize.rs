//! Cross-layer equalization (Nagel et al., ICCV 2019, section 4.1): moves scale between layers whose channels differ.

use std::ops::Range;

use tailfold_onnx::Model;
use tailfold_onnx::proto::{GraphProto, NodeProto};

use crate::error::QuantError;

mod spread;

pub use spread::ChannelSpread;

/// Largest number of sweeps over all pairs; a chain of layers converges in a few.
const SWEEPS: usize = 20;
/// Iteration stops after a sweep whose largest factor differs from 1 by at most this.
const SETTLED: f32 = 1e-3;
/// Largest factor by which one sweep rescales a channel.
const FURTHEST: f32 = 1e3;

/// Two layers between which a channel can be scaled up and down again.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    /// Node index of the layer that produces the channels.
    first: usize,
    /// Node index of the layer that consumes the channels.
    second: usize,
}

/// Rescales the channels between pairs of layers, so that the largest weight that produces a channel is as
/// large as the largest weight that consumes it. The network computes the same function, up to rounding.
/// Returns the number of pairs.
///
/// A pair is two layers between which every operator commutes with a positive factor: ReLU, and pooling by
/// maximum or mean, but not a clip at 6.
///
/// # Errors
/// [`QuantError`] when a weight is not a float constant.
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

/// Returns whether scaling a channel of the input by a positive factor scales the output by the same factor.
fn passes(graph: &GraphProto, node: &NodeProto) -> bool {
    let pools = ["Relu", "MaxPool", "GlobalAveragePool"];
    // Flattening a vector of means keeps one value per channel.
    let flattens = || {
        let before = node.input.first().and_then(|v| graph.producer(v));
        node.is("Flatten") && before.is_some_and(|n| n.is("GlobalAveragePool"))
    };
    pools.iter().any(|op| node.is(op)) || flattens()
}

/// Returns the weight of a layer, if no other node reads its weight or its bias.
fn weight<'a>(graph: &GraphProto, node: &'a NodeProto) -> Option<&'a str> {
    let layer = node.is("Conv") || (node.is("Gemm") && node.int("transB") == Some(1));
    let weight = node.input.get(1).filter(|_| layer)?;
    let own = graph.find_initializer(weight).is_some() && graph.consumers(weight).count() == 1;
    let bias = node.input.get(2).filter(|b| !b.is_empty());
    let own_bias =
        bias.is_none_or(|b| graph.find_initializer(b).is_some() && graph.consumers(b).count() == 1);
    (own && own_bias).then_some(weight)
}

/// The weights before and behind the channels between two layers.
struct Between {
    /// Weights of the layer that produces the channels, `[channels, row]`.
    made: Vec<f32>,
    made_shape: Vec<usize>,
    /// Weights of the layer that consumes the channels, `[out, in of a group, taps]`.
    read: Vec<f32>,
    read_shape: Vec<usize>,
    channels: usize,
}

impl Between {
    /// Reads the weights of `pair`; `None` when the channel numbers of both layers do not match, for example
    /// behind an operator that mixes channels.
    fn of(model: &Model, pair: &Pair) -> Result<Option<Self>, QuantError> {
        let [made, read] = [pair.first, pair.second].map(|index| &model.nodes()[index].input[1]);
        let (made_shape, made) = model.initializer_f32(made)?;
        let (read_shape, read) = model.initializer_f32(read)?;
        let groups = model.nodes()[pair.second].int("group").unwrap_or(1);
        let groups = usize::try_from(groups).unwrap_or(1).max(1);
        let channels = made_shape.first().copied().unwrap_or(0);
        let within = read_shape.get(1).copied().unwrap_or(0);
        let fits = channels > 0 && within * groups == channels && !read.is_empty();
        Ok(fits.then_some(Self {
            made,
            made_shape,
            read,
            read_shape,
            channels,
        }))
    }

    /// Returns the range in `made` of the weights that produce `channel`.
    fn making(&self, channel: usize) -> Range<usize> {
        let row = self.made.len() / self.channels;
        channel * row..(channel + 1) * row
    }

    /// Returns the ranges in `read` of the weights that consume `channel`.
    fn reading(&self, channel: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let taps: usize = self.read_shape[2..].iter().product();
        let within = self.read_shape[1];
        let rows_a_group = self.read_shape[0] / (self.channels / within);
        let (group, place) = (channel / within, channel % within);
        (0..rows_a_group).map(move |r| {
            let at = ((group * rows_a_group + r) * within + place) * taps;
            at..at + taps
        })
    }

    /// Returns the largest magnitudes of the weights that produce `channel`, and of the weights that consume
    /// it.
    fn largest(&self, channel: usize) -> [f32; 2] {
        let largest = |values: &[f32]| values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        let reading = self.reading(channel).map(|at| largest(&self.read[at]));
        [
            largest(&self.made[self.making(channel)]),
            reading.fold(0.0, f32::max),
        ]
    }
}

/// Balances one pair, and returns the largest factor by which a channel was rescaled, at least 1.
fn balance(model: &mut Model, pair: &Pair) -> Result<f32, QuantError> {
    let Some(mut between) = Between::of(model, pair)? else {
        return Ok(1.0);
    };
    let mut factors = vec![1.0_f32; between.channels];
    for (channel, factor) in factors.iter_mut().enumerate() {
        let [making, reading] = between.largest(channel);
        let wanted = (making / reading).sqrt();
        if wanted.is_finite() && wanted > 0.0 {
            *factor = wanted.clamp(1.0 / FURTHEST, FURTHEST);
        }
    }
    for (channel, &factor) in factors.iter().enumerate() {
        let making = between.making(channel);
        between.made[making].iter_mut().for_each(|w| *w /= factor);
        for at in between.reading(channel) {
            between.read[at].iter_mut().for_each(|w| *w *= factor);
        }
    }
    let made = &model.nodes()[pair.first].input;
    let bias = made.get(2).filter(|b| !b.is_empty()).cloned();
    let (made, read) = (made[1].clone(), model.nodes()[pair.second].input[1].clone());
    if let Some(bias) = bias {
        let (shape, mut values) = model.initializer_f32(&bias)?;
        if values.len() != between.channels {
            return Ok(1.0);
        }
        values.iter_mut().zip(&factors).for_each(|(b, f)| *b /= f);
        model.set_initializer_f32(&bias, &shape, &values);
    }
    model.set_initializer_f32(&made, &between.made_shape, &between.made);
    model.set_initializer_f32(&read, &between.read_shape, &between.read);
    Ok(factors.iter().fold(1.0_f32, |m, f| m.max(f.max(1.0 / f))))
}

#[cfg(test)]
mod tests;
