//! Layers with weights: Conv and Gemm.

mod constants;

use tailfold_kernels::{Epilogue, Operation, Place, ProgramError, Requantize, Window};
use tailfold_onnx::proto::NodeProto;

use super::ending::Ending;
use super::{Codes, Draft, Lowering, geometry};
use crate::IntegerError;
use crate::graph::output;
use constants::Order;

/// A layer's numbers, without the conversion of its sums.
struct Sums {
    window: Window,
    weights: Vec<i16>,
    filters: usize,
    groups: usize,
    /// Scale of each channel's sums.
    scale: Vec<f64>,
    bias: Vec<f64>,
    /// `[height, width]` of the result.
    size: [usize; 2],
}

impl<'a> Lowering<'a> {
    pub(super) fn conv(&mut self, index: usize, node: &'a NodeProto) -> Result<bool, IntegerError> {
        let (Some(x), Some(weights)) = (self.codes_in(node, 0), self.weights(node)?) else {
            return Ok(false);
        };
        let (&[_, _, height, width], &[filters, per_group, rows, columns]) =
            (&x.shape[..], &weights.shape[..])
        else {
            return Ok(false);
        };
        let Some(window) = geometry::window(node, [rows, columns], [height, width])? else {
            return Ok(false);
        };
        let groups = node.int("group").unwrap_or(1);
        let groups = usize::try_from(groups).unwrap_or(0);
        if groups == 0
            || per_group.checked_mul(groups) != Some(x.shape[1])
            || !filters.is_multiple_of(groups)
        {
            let text = format!(
                "{filters} filters of {per_group} channels in {groups} groups do not fit {} channels",
                x.shape[1]
            );
            return Err(IntegerError::shape(node, text));
        }
        if !weights.params.along(weights.node, 0, &weights.shape)? {
            return Ok(false);
        }
        let size = window
            .output(height, width)
            .map_err(|error| failed(node, error))?;
        let Some(bias) = self.bias(node, filters)? else {
            return Ok(false);
        };
        let (weights, scale) = weights.centred(filters, x.steps, Order::FiltersFirst)?;
        let sums = Sums {
            window,
            weights,
            filters,
            groups,
            scale,
            bias,
            size,
        };
        self.weighted(index, node, &x, sums, vec![1, filters, size[0], size[1]])
    }

    /// Lowers Gemm as a convolution whose window is the whole image; returns false when it stays float.
    pub(super) fn gemm(&mut self, index: usize, node: &'a NodeProto) -> Result<bool, IntegerError> {
        let (Some(x), Some(weights)) = (self.codes_in(node, 0), self.weights(node)?) else {
            return Ok(false);
        };
        let one = |name: &str| {
            node.float(name)
                .is_none_or(|v| (v - 1.0).abs() < f32::EPSILON)
        };
        let plain = node.int("transA").unwrap_or(0) == 0 && one("alpha") && one("beta");
        let (&[_, features], &[rows, columns], true) = (&x.shape[..], &weights.shape[..], plain)
        else {
            return Ok(false);
        };
        let across = node.int("transB").unwrap_or(0) != 0;
        let (filters, inner) = if across {
            (rows, columns)
        } else {
            (columns, rows)
        };
        if inner != features {
            let text = format!("weights of {inner} features do not fit {features}");
            return Err(IntegerError::shape(node, text));
        }
        if !weights
            .params
            .along(weights.node, usize::from(!across), &weights.shape)?
        {
            return Ok(false);
        }
        let Some(bias) = self.bias(node, filters)? else {
            return Ok(false);
        };
        let order = if across {
            Order::FiltersFirst
        } else {
            Order::FiltersLast
        };
        let (weights, scale) = weights.centred(filters, x.steps, order)?;
        let [_, height, width] = self.drafts.tensors[x.tensor];
        let sums = Sums {
            window: Window {
                kernel: [height, width],
                ..Window::point()
            },
            weights,
            filters,
            groups: 1,
            scale,
            bias,
            size: [1, 1],
        };
        self.weighted(index, node, &x, sums, vec![1, filters])
    }

    /// Adds the layer of `node`: with a quantized result if a quantization follows, and with real values
    /// otherwise.
    fn weighted(
        &mut self,
        index: usize,
        node: &'a NodeProto,
        x: &Codes,
        sums: Sums,
        shape: Vec<usize>,
    ) -> Result<bool, IntegerError> {
        let ending = self.ending(output(node))?;
        let size = [sums.filters, sums.size[0], sums.size[1]];
        let (epilogue, place) = match &ending {
            Some(ending) => {
                let step = f64::from(ending.steps.scale);
                let requantize = Requantize::new(
                    sums.scale.iter().map(|s| s / step).collect(),
                    sums.bias.iter().map(|b| b / step).collect(),
                    ending.clamp,
                );
                (
                    Epilogue::Codes(requantize.map_err(|error| failed(node, error))?),
                    Place::Tensor(self.drafts.tensor(size)),
                )
            }
            None => (
                Epilogue::Real {
                    scale: sums.scale,
                    bias: sums.bias,
                },
                Place::Port(0),
            ),
        };
        let operation = Operation::Conv {
            input: x.tensor,
            window: sums.window,
            weights: sums.weights,
            filters: sums.filters,
            groups: sums.groups,
            epilogue,
            residual: None,
            output: place,
        };
        self.layer(index, node, x, operation, ending, shape);
        Ok(true)
    }

    /// Adds a layer on `x` whose result has `shape`: codes if `ending` is given, and real values otherwise.
    pub(super) fn layer(
        &mut self,
        index: usize,
        node: &'a NodeProto,
        x: &Codes,
        operation: Operation,
        ending: Option<Ending>,
        shape: Vec<usize>,
    ) {
        let tensor = match operation {
            Operation::Conv {
                output: Place::Tensor(tensor),
                ..
            }
            | Operation::Mean {
                output: Place::Tensor(tensor),
                ..
            } => tensor,
            _ => usize::MAX,
        };
        let makes = ending
            .is_none()
            .then(|| (output(node).to_owned(), shape.clone()));
        let layer = self.drafts.push(Draft {
            level: x.level,
            name: node.label().to_owned(),
            operation,
            reads: None,
            makes,
        });
        match ending {
            Some(ending) => {
                let codes = Codes {
                    tensor,
                    steps: ending.steps,
                    shape,
                    level: x.level,
                };
                self.took(index, Some(layer), &ending, codes);
            }
            None => {
                self.absorbed.insert(index, Some(layer));
                let real = super::Real {
                    shape: Some(shape),
                    level: x.level + 1,
                };
                self.real.insert(output(node), real);
            }
        }
    }
}

pub(super) fn failed(node: &NodeProto, error: tailfold_kernels::KernelError) -> IntegerError {
    IntegerError::from(ProgramError {
        layer: node.label().to_owned(),
        error,
    })
}
