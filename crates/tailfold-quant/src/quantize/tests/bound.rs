//! Upper bound of the difference between the logits of a quantized and a float graph, from the scales in the
//! file alone.

use std::collections::BTreeMap;

use tailfold_onnx::Model;
use tailfold_onnx::proto::NodeProto;

/// Bounds of a value: the largest error against the float graph, and the largest magnitude, if quantization
/// limits it.
#[derive(Clone, Copy)]
struct Bound {
    error: f64,
    largest: f64,
}

/// Relative error of f32 sums in different orders, as a share of the sum of magnitudes.
const ROUNDING: f64 = 1e-5;

/// Returns the largest error of any logit, for calibration images and min/max ranges.
pub(super) fn logit_error(model: &Model) -> f64 {
    let graph = model.graph();
    let image = Bound {
        error: 0.0,
        largest: f64::INFINITY,
    };
    let mut bounds = BTreeMap::from([(graph.input[0].name(), image)]);
    for node in &graph.node {
        let of = |i: usize| bounds.get(node.input[i].as_str()).copied();
        let bound = match node.op_type() {
            // A float value lies in its range, whose ends the rounding of the zero point moves by half a
            // step; then it is rounded.
            "QuantizeLinear" => {
                let scale = f64::from(values(model, &node.input[1])[0]);
                let symmetric = model.initializer::<i8>(&node.input[2]).is_ok();
                Bound {
                    error: of(0).unwrap().error + scale * if symmetric { 0.5 } else { 1.0 },
                    largest: scale * if symmetric { 127.0 } else { 255.0 },
                }
            }
            "Conv" | "Gemm" => weighted(model, node, of(0).unwrap()),
            "Add" => {
                let terms = [of(0), of(1)];
                Bound {
                    error: terms.iter().flatten().map(|b| b.error).sum(),
                    largest: f64::INFINITY,
                }
            }
            // Maxima, means and clipped values differ by at most as much as their inputs.
            _ => match of(0) {
                Some(bound) => bound,
                // The input is a constant.
                None => continue,
            },
        };
        bounds.insert(node.output[0].as_str(), bound);
    }
    bounds[graph.output[0].name()].error
}

/// Bounds the error of a layer by `w x - w' x' = w (x - x') + (w - w') x'`, channel by channel.
fn weighted(model: &Model, node: &NodeProto, input: Bound) -> Bound {
    let dequantize = model.graph().producer(&node.input[1]).unwrap();
    let (shape, codes) = model.initializer::<i8>(&dequantize.input[0]).unwrap();
    let scales = values(model, &dequantize.input[1]);
    let bias = match node.input.get(2) {
        Some(bias) => bias_error(model, bias, shape[0]),
        None => vec![0.0; shape[0]],
    };
    let rows = codes.chunks_exact(codes.len() / shape[0]);
    let errors = rows.zip(scales).zip(bias).map(|((row, scale), bias)| {
        let scale = f64::from(scale);
        let codes: f64 = row.iter().map(|c| f64::from(c.unsigned_abs())).sum();
        let moved = 0.5 * row.len() as f64 * scale;
        let sum = codes * scale;
        (sum + moved) * input.error + moved * input.largest + bias + ROUNDING * sum * input.largest
    });
    Bound {
        error: errors.fold(0.0, f64::max),
        largest: f64::INFINITY,
    }
}

/// Returns half a step of an int32 bias, or the rounding error of a float bias.
fn bias_error(model: &Model, bias: &str, channels: usize) -> Vec<f64> {
    match model.graph().producer(bias) {
        Some(dequantize) => {
            let scales = values(model, &dequantize.input[1]);
            scales.iter().map(|s| 0.5 * f64::from(*s)).collect()
        }
        None => vec![ROUNDING; channels],
    }
}

fn values(model: &Model, name: &str) -> Vec<f32> {
    model.initializer_f32(name).unwrap().1
}
