//! Statistics of the layers of a draft.

use std::collections::BTreeSet;

use super::Draft;
use crate::error::QuantError;
use crate::statistics::{LayerStatistics, TensorStatistics, of_weights};

impl Draft<'_> {
    /// Names of the layers that can become integer, in graph order.
    pub fn layers(&self) -> &[String] {
        &self.layers
    }

    /// Quantization error of each activation, in graph order; empty unless [`crate::Options::statistics`] asks for it.
    pub fn tensors(&self) -> &[TensorStatistics] {
        &self.tensors
    }

    /// Quantization error of the weights of each layer, if the layers in `kept` stay in float.
    ///
    /// # Errors
    /// [`QuantError`] when a weight is not a float constant.
    pub fn layer_statistics(
        &self,
        kept: &BTreeSet<String>,
    ) -> Result<Vec<LayerStatistics>, QuantError> {
        let nodes = self
            .layers
            .iter()
            .filter_map(|layer| self.model.node(layer));
        nodes
            .map(|node| {
                let (shape, float) = self.model.initializer_f32(&node.input[1])?;
                let codes = self
                    .weights
                    .get(&node.input[1])
                    .filter(|_| !kept.contains(node.label()));
                let (sqnr_db, scales) =
                    codes.map_or((None, None), |codes| of_weights(&float, codes));
                let bytes = float.len() * 4;
                Ok(LayerStatistics {
                    layer: node.label().to_owned(),
                    operator: node.op_type().to_owned(),
                    shape,
                    quantized: codes.is_some(),
                    bytes: [bytes, if codes.is_some() { float.len() } else { bytes }],
                    scales,
                    sqnr_db,
                    input: node.input[0].clone(),
                })
            })
            .collect()
    }

    /// Returns the bias of the head in float, and after `shifts` and bias correction, `[classes]` each;
    /// `None` for a head without a bias.
    ///
    /// # Errors
    /// [`QuantError`] when the model has no single output, or the bias is not a float constant.
    pub fn head_bias(
        &self,
        kept: &BTreeSet<String>,
        shifts: Option<&[f64]>,
    ) -> Result<Option<[Vec<f64>; 2]>, QuantError> {
        let Some(head) = self.float.head()? else {
            return Ok(None);
        };
        let Some(name) = head.input.get(2).filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let (_, bias) = self.model.initializer_f32(name)?;
        let before: Vec<f64> = bias.iter().map(|&b| f64::from(b)).collect();
        let mut after = before.clone();
        let index = self
            .model
            .nodes()
            .iter()
            .position(|n| n.label() == head.label());
        let errors = index.and_then(|i| self.bias_errors.get(&i));
        let errors = errors.filter(|_| !kept.contains(head.label()));
        let shifts = match (shifts, self.float.last_bias()?) {
            (Some(shifts), Ok(bias)) => bias.added_to(index, shifts),
            _ => None,
        };
        for added in [errors, shifts.as_ref()].into_iter().flatten() {
            after.iter_mut().zip(added).for_each(|(b, a)| *b += a);
        }
        Ok(Some([before, after]))
    }

    /// Returns the bytes of each layer's float weights, in the order of [`Draft::layers`]; int8 weights take
    /// a quarter.
    pub fn weight_bytes(&self) -> Vec<usize> {
        let weights = self
            .layers
            .iter()
            .filter_map(|layer| self.model.node(layer));
        weights
            .map(|node| {
                self.weights
                    .get(&node.input[1])
                    .map_or(0, |w| w.codes.len() * 4)
            })
            .collect()
    }
}
