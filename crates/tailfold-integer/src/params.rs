//! Scales and zero points of QuantizeLinear and DequantizeLinear, read and checked.

use tailfold_kernels::Steps;
use tailfold_onnx::proto::{DataType, NodeProto, TensorProto};

use crate::graph::{Graph, input};
use crate::{IntegerError, IntegerErrorKind};

/// Scales and zero points, per tensor or per channel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Params {
    pub(crate) scales: Vec<f32>,
    pub(crate) zero_points: Vec<i16>,
    /// The axis of per-channel parameters; unused with a single scale.
    pub(crate) axis: i64,
    /// Data type of the quantized values.
    pub(crate) codes: DataType,
}

impl Params {
    /// Reads the parameters of the QuantizeLinear or DequantizeLinear `node`; `None` when the graph computes
    /// them.
    pub(crate) fn read(graph: &Graph<'_>, node: &NodeProto) -> Result<Option<Self>, IntegerError> {
        if let Some(block) = node.int("block_size").filter(|&b| b != 0) {
            return Err(IntegerErrorKind::Unsupported.error(format!(
                "node `{}` has one scale per block of {block} values; expected one per tensor or one per channel",
                node.label()
            )));
        }
        let Some(scale) = input(node, 1).and_then(|s| graph.constant(s)) else {
            return Ok(None);
        };
        let scales: Vec<f32> = scale.values()?;
        let (codes, zero_points) = match input(node, 2) {
            Some(zero) => match graph.constant(zero) {
                Some(tensor) => (tensor.element(), Some(zeros(node, tensor)?)),
                None => return Ok(None),
            },
            // Without a zero point, the type is the type of a constant input, or else the attribute, or else
            // uint8.
            None => {
                let constant = input(node, 0)
                    .and_then(|x| graph.constant(x))
                    .and_then(TensorProto::element);
                let said = node
                    .int("output_dtype")
                    .and_then(|t| i32::try_from(t).ok())
                    .and_then(|t| DataType::try_from(t).ok())
                    .filter(|&t| t != DataType::Undefined);
                (constant.or(said).or(Some(DataType::Uint8)), None)
            }
        };
        let codes = codes.unwrap_or(DataType::Undefined);
        let zero_points = zero_points.unwrap_or_else(|| vec![0; scales.len()]);
        if zero_points.len() != scales.len() {
            let (found, expected) = (zero_points.len(), scales.len());
            return Err(IntegerError::length(node, "zero points", found, expected));
        }
        let params = Self {
            scales,
            zero_points,
            axis: node.int("axis").unwrap_or(1),
            codes,
        };
        params.check(node)?;
        Ok(Some(params))
    }

    fn check(&self, node: &NodeProto) -> Result<(), IntegerError> {
        let range = match self.codes {
            DataType::Uint8 => [0, 255],
            DataType::Int8 => [-128, 127],
            // The zero point of a bias is 0.
            DataType::Int32 => [0, 0],
            other => return Err(IntegerError::not_8_bits(node, other.label())),
        };
        for (&scale, &zero) in self.scales.iter().zip(&self.zero_points) {
            Steps::new(scale, zero, range).map_err(|error| IntegerError::params(node, &error))?;
        }
        Ok(())
    }

    /// Returns the steps of a per-tensor quantization; `None` for per-channel parameters or other types.
    pub(crate) fn steps(&self) -> Option<Steps> {
        let range = match self.codes {
            DataType::Uint8 => [0, 255],
            DataType::Int8 => [-128, 127],
            _ => return None,
        };
        match (&self.scales[..], &self.zero_points[..]) {
            (&[scale], &[zero]) => Steps::new(scale, zero, range).ok(),
            _ => None,
        }
    }

    /// Returns scale and zero point of channel `channel`.
    pub(crate) fn channel(&self, channel: usize) -> (f32, i16) {
        let at = if self.scales.len() == 1 { 0 } else { channel };
        (self.scales[at], self.zero_points[at])
    }

    /// Returns whether there is a single scale, or one per entry along `axis` of a tensor of `shape`. Scales
    /// along another axis are valid, but have no kernel.
    ///
    /// # Errors
    /// [`IntegerError`] when the number of scales differs from the length of their axis.
    pub(crate) fn along(
        &self,
        node: &NodeProto,
        axis: usize,
        shape: &[usize],
    ) -> Result<bool, IntegerError> {
        if self.scales.len() == 1 {
            return Ok(true);
        }
        let rank = i64::try_from(shape.len()).unwrap_or(i64::MAX).max(1);
        let own = usize::try_from(self.axis.rem_euclid(rank)).unwrap_or(0);
        let expected = shape.get(own).copied().unwrap_or(0);
        if self.scales.len() == expected {
            return Ok(own == axis);
        }
        let found = self.scales.len();
        Err(IntegerError::length(node, "scales", found, expected))
    }
}

fn zeros(node: &NodeProto, tensor: &TensorProto) -> Result<Vec<i16>, IntegerError> {
    Ok(match tensor.element() {
        Some(DataType::Uint8) => widen(&tensor.values::<u8>()?),
        Some(DataType::Int8) => widen(&tensor.values::<i8>()?),
        // A nonzero int32 zero point is invalid; saturation keeps it nonzero.
        Some(DataType::Int32) => tensor
            .values::<i32>()?
            .into_iter()
            .map(|z| i16::try_from(z).unwrap_or(i16::MAX))
            .collect(),
        other => {
            let found = other.map_or("an unknown one", DataType::label);
            return Err(IntegerError::not_8_bits(node, found));
        }
    })
}

fn widen<T: Copy + Into<i16>>(codes: &[T]) -> Vec<i16> {
    codes.iter().map(|&c| c.into()).collect()
}

/// Returns the quantized values of a constant tensor, as stored in the file.
pub(crate) fn codes(
    node: &NodeProto,
    tensor: &TensorProto,
    params: &Params,
) -> Result<Vec<i32>, IntegerError> {
    if params.codes == DataType::Int32 {
        same_type(node, tensor, params)?;
        return Ok(tensor.values()?);
    }
    let words = words(node, tensor, params)?;
    Ok(words.into_iter().map(i32::from).collect())
}

/// Returns the quantized values of a constant 8-bit tensor, as stored in the file.
pub(crate) fn words(
    node: &NodeProto,
    tensor: &TensorProto,
    params: &Params,
) -> Result<Vec<i16>, IntegerError> {
    same_type(node, tensor, params)?;
    match params.codes {
        DataType::Uint8 => Ok(widen(&tensor.values::<u8>()?)),
        DataType::Int8 => Ok(widen(&tensor.values::<i8>()?)),
        other => Err(IntegerError::not_8_bits(node, other.label())),
    }
}

fn same_type(node: &NodeProto, tensor: &TensorProto, params: &Params) -> Result<(), IntegerError> {
    if tensor.element() == Some(params.codes) {
        return Ok(());
    }
    let found = format!(
        "{}, with zero points of type {}",
        tensor.element().map_or("unknown", DataType::label),
        params.codes.label()
    );
    Err(IntegerError::not_8_bits(node, &found))
}
