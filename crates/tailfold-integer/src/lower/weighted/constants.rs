//! Weights and biases: constants behind DequantizeLinear nodes.

use tailfold_kernels::Steps;
use tailfold_onnx::proto::{NodeProto, TensorProto};

use crate::IntegerError;
use crate::graph::input;
use crate::lower::Lowering;
use crate::params::{Params, codes, words};

/// Constant weights behind a DequantizeLinear node.
pub(super) struct Weights<'a> {
    pub(super) node: &'a NodeProto,
    tensor: &'a TensorProto,
    pub(super) params: Params,
    pub(super) shape: Vec<usize>,
}

/// Axis order of weights in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// `[filters, ...]`.
    FiltersFirst,
    /// `[..., filters]`.
    FiltersLast,
}

impl<'a> Lowering<'a> {
    /// Returns the weights of `node`; `None` when they are not quantized constants.
    pub(super) fn weights(&self, node: &NodeProto) -> Result<Option<Weights<'a>>, IntegerError> {
        self.constant_codes(node, 1)
    }

    /// Returns the quantized constant behind the DequantizeLinear node at input `index` of `node`.
    fn constant_codes(
        &self,
        node: &NodeProto,
        index: usize,
    ) -> Result<Option<Weights<'a>>, IntegerError> {
        let Some(maker) = input(node, index).and_then(|name| self.graph.producer(name)) else {
            return Ok(None);
        };
        let maker = &self.graph.nodes[maker];
        if !maker.is("DequantizeLinear") {
            return Ok(None);
        }
        let Some(tensor) = input(maker, 0).and_then(|name| self.graph.constant(name)) else {
            return Ok(None);
        };
        let Some(params) = Params::read(&self.graph, maker)? else {
            return Ok(None);
        };
        Ok(Some(Weights {
            node: maker,
            tensor,
            params,
            shape: tensor.shape()?,
        }))
    }

    /// Returns the biases of `node` as real values, or zeros if it has no bias; `None` when the bias is not
    /// constant.
    pub(super) fn bias(
        &self,
        node: &NodeProto,
        filters: usize,
    ) -> Result<Option<Vec<f64>>, IntegerError> {
        if input(node, 2).is_none() {
            return Ok(Some(vec![0.0; filters]));
        }
        let Some(bias) = self.reals(node, 2)? else {
            return Ok(None);
        };
        match bias[..] {
            [one] => Ok(Some(vec![one; filters])),
            _ if bias.len() == filters => Ok(Some(bias)),
            _ => Err(IntegerError::length(node, "biases", bias.len(), filters)),
        }
    }
}

impl Lowering<'_> {
    /// Returns the constant at input `index` of `node` as real values; `None` when that input is not
    /// constant. The constant may be float, or quantized behind a DequantizeLinear node with one scale per
    /// entry or one for all.
    pub(in crate::lower) fn reals(
        &self,
        node: &NodeProto,
        index: usize,
    ) -> Result<Option<Vec<f64>>, IntegerError> {
        if let Some(values) = self.graph.numbers::<f32>(node, index)? {
            return Ok(Some(values.into_iter().map(f64::from).collect()));
        }
        let Some(constant) = self.constant_codes(node, index)? else {
            return Ok(None);
        };
        let codes = codes(constant.node, constant.tensor, &constant.params)?;
        constant.params.along(constant.node, 0, &[codes.len()])?;
        let real = |(at, code): (usize, i32)| {
            let (scale, zero) = constant.params.channel(at);
            (f64::from(code) - f64::from(zero)) * f64::from(scale)
        };
        Ok(Some(codes.into_iter().enumerate().map(real).collect()))
    }
}

impl Weights<'_> {
    /// Returns the weights relative to their zero points, filter by filter, and the scale of each filter's
    /// sums for inputs with `steps`.
    pub(super) fn centred(
        &self,
        filters: usize,
        steps: Steps,
        order: Order,
    ) -> Result<(Vec<i16>, Vec<f64>), IntegerError> {
        let mut weights = words(self.node, self.tensor, &self.params)?;
        let per_filter = weights.len() / filters.max(1);
        if order == Order::FiltersLast {
            weights = (0..weights.len())
                .map(|i| weights[i % per_filter * filters + i / per_filter])
                .collect();
        }
        let mut scales = Vec::with_capacity(filters);
        for (filter, weights) in weights.chunks_exact_mut(per_filter.max(1)).enumerate() {
            let (scale, zero) = self.params.channel(filter);
            scales.push(f64::from(steps.scale) * f64::from(scale));
            for weight in weights {
                *weight -= zero;
            }
        }
        Ok((weights, scales))
    }
}
