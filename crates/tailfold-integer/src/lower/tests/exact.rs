//! Reference evaluation of QDQ graphs in double precision, operator by operator according to the ONNX
//! specification.

use std::collections::BTreeMap;

use tailfold_onnx::Model;
use tailfold_onnx::proto::{DataType, NodeProto, TensorProto};

use crate::Shapes;

#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f64>,
}

/// Returns the values of all tensors of `model` for `image`.
pub(super) fn evaluate(model: &Model, image: &[f32]) -> BTreeMap<String, Tensor> {
    let mut values: BTreeMap<String, Tensor> = BTreeMap::new();
    let input = model.input().unwrap();
    let shape = input.shape().unwrap().into_iter().map(Option::unwrap);
    let image = Tensor {
        shape: shape.collect(),
        values: image.iter().map(|&v| f64::from(v)).collect(),
    };
    values.insert(input.name().to_owned(), image);
    for tensor in &model.graph().initializer {
        values.insert(tensor.name().to_owned(), constant(tensor));
    }
    for node in model.nodes() {
        let inputs: Vec<&Tensor> = node.input.iter().map(|i| &values[i]).collect();
        let alpha = || f64::from(node.float("alpha").unwrap());
        let result = match node.op_type() {
            "QuantizeLinear" => {
                let zero = model.graph().find_initializer(&node.input[2]).unwrap();
                let single = node.input[0] == input.name();
                quantize(&inputs, zero.element().unwrap(), single)
            }
            "DequantizeLinear" => dequantize(&inputs),
            "Conv" => conv(node, &inputs),
            "Gemm" => gemm(&inputs),
            "Relu" => each(inputs[0], |v| v.max(0.0)),
            "Clip" => {
                let [low, high] = [1, 2].map(|i| inputs[i].values[0]);
                each(inputs[0], |v| v.clamp(low, high))
            }
            "Add" => pairwise(inputs[0], inputs[1], |a, b| a + b),
            "Sub" => pairwise(inputs[0], inputs[1], |a, b| a - b),
            "Mul" => pairwise(inputs[0], inputs[1], |a, b| a * b),
            "Div" => pairwise(inputs[0], inputs[1], |a, b| a / b),
            "Pow" => pairwise(inputs[0], inputs[1], f64::powf),
            "PRelu" => pairwise(inputs[0], inputs[1], |x, s| x.max(0.0) + s * x.min(0.0)),
            "Max" => pairwise(inputs[0], inputs[1], f64::max),
            "Min" => {
                let first = pairwise(inputs[0], inputs[1], f64::min);
                pairwise(&first, inputs[2], f64::min)
            }
            "HardSwish" => each(inputs[0], |v| v * (v / 6.0 + 0.5).clamp(0.0, 1.0)),
            "Sigmoid" => each(inputs[0], |v| 1.0 / (1.0 + (-v).exp())),
            "LeakyRelu" => each(inputs[0], |v| v.max(0.0) + alpha() * v.min(0.0)),
            "Elu" => each(inputs[0], |v| v.max(0.0) + alpha() * v.min(0.0).exp_m1()),
            "HardSigmoid" => each(inputs[0], |v| (alpha() * v + 0.25).clamp(0.0, 1.0)),
            "Softplus" => each(inputs[0], |v| v.exp().ln_1p()),
            "Tanh" => each(inputs[0], f64::tanh),
            "Erf" => each(inputs[0], error_function),
            "Abs" => each(inputs[0], f64::abs),
            "Neg" => each(inputs[0], |v| -v),
            "Exp" => each(inputs[0], f64::exp),
            "Concat" => concat(&inputs),
            "ReduceSumSquare" => Tensor {
                shape: vec![1, 1],
                values: vec![inputs[0].values.iter().map(|v| v * v).sum()],
            },
            "Sqrt" => each(inputs[0], f64::sqrt),
            "GlobalAveragePool" => mean(inputs[0]),
            "MaxPool" => max_pool(node, inputs[0]),
            "AveragePool" => average_pool(node, inputs[0]),
            "Flatten" => Tensor {
                shape: vec![1, inputs[0].values.len()],
                values: inputs[0].values.clone(),
            },
            "Transpose" => transpose(inputs[0]),
            "Slice" => subsample(inputs[0]),
            "Pad" => pad(&inputs),
            other => panic!("{other}"),
        };
        values.insert(node.output[0].clone(), result);
    }
    values
}

/// Returns the shapes of all tensors.
pub(super) fn shapes(values: &BTreeMap<String, Tensor>) -> Shapes {
    let shapes = values.iter();
    shapes.map(|(n, t)| (n.clone(), t.shape.clone())).collect()
}

/// Concat along the channels: values are stored channels first, so the inputs follow each other.
fn concat(inputs: &[&Tensor]) -> Tensor {
    let mut shape = inputs[0].shape.clone();
    shape[1] = inputs.iter().map(|x| x.shape[1]).sum();
    let values = inputs.iter().flat_map(|x| x.values.iter().copied());
    Tensor {
        shape,
        values: values.collect(),
    }
}

/// The error function by Simpson's rule, independent of the series under test.
fn error_function(x: f64) -> f64 {
    let steps = 400;
    let width = x.clamp(-6.0, 6.0) / f64::from(steps);
    let height = |i: i32| {
        let factor = match i {
            0 => 1.0,
            _ if i == steps => 1.0,
            _ if i % 2 == 1 => 4.0,
            _ => 2.0,
        };
        factor * (-(f64::from(i) * width).powi(2)).exp()
    };
    let sum: f64 = (0..=steps).map(height).sum();
    sum * width / 3.0 * std::f64::consts::FRAC_2_SQRT_PI
}

/// Returns `x` with height and width exchanged.
fn transpose(x: &Tensor) -> Tensor {
    let [_, channels, height, width] = x.shape[..] else {
        panic!("{:?}", x.shape)
    };
    let values = (0..channels * height * width).map(|i| {
        let (c, column, row) = (i / (height * width), i / height % width, i % height);
        x.values[(c * height + row) * width + column]
    });
    Tensor {
        shape: vec![1, channels, width, height],
        values: values.collect(),
    }
}

fn constant(tensor: &TensorProto) -> Tensor {
    let values = match tensor.element().unwrap() {
        DataType::Float => wide(&tensor.values::<f32>().unwrap()),
        DataType::Int8 => wide(&tensor.values::<i8>().unwrap()),
        DataType::Uint8 => wide(&tensor.values::<u8>().unwrap()),
        DataType::Int32 => wide(&tensor.values::<i32>().unwrap()),
        DataType::Int64 => {
            let values = tensor.values::<i64>().unwrap();
            values.into_iter().map(|v| v as f64).collect()
        }
        other => panic!("{other:?}"),
    };
    Tensor {
        shape: tensor.shape().unwrap(),
        values,
    }
}

fn wide<T: Copy + Into<f64>>(values: &[T]) -> Vec<f64> {
    values.iter().map(|&v| v.into()).collect()
}

/// Applies `f` to two tensors of the same shape, or to a tensor and one value or one value per channel.
fn pairwise(a: &Tensor, b: &Tensor, f: impl Fn(f64, f64) -> f64) -> Tensor {
    let larger = if a.values.len() < b.values.len() {
        b
    } else {
        a
    };
    let count = larger.values.len();
    let at = |x: &Tensor, i: usize| x.values[i / (count / x.values.len())];
    Tensor {
        shape: larger.shape.clone(),
        values: (0..count).map(|i| f(at(a, i), at(b, i))).collect(),
    }
}

fn each(x: &Tensor, f: impl Fn(f64) -> f64) -> Tensor {
    Tensor {
        shape: x.shape.clone(),
        values: x.values.iter().map(|&v| f(v)).collect(),
    }
}

/// The image's quotient is in single precision as in ONNX; inner values are never rounded to f32 here.
fn quantize(inputs: &[&Tensor], codes: DataType, single: bool) -> Tensor {
    let (scale, zero) = (inputs[1].values[0], inputs[2].values[0]);
    let [low, high] = if codes == DataType::Uint8 {
        [0.0, 255.0]
    } else {
        [-128.0, 127.0]
    };
    each(inputs[0], |v| {
        let quotient = if single {
            f64::from(v as f32 / scale as f32)
        } else {
            v / scale
        };
        (quotient.round_ties_even() + zero).clamp(low, high)
    })
}

fn dequantize(inputs: &[&Tensor]) -> Tensor {
    let (x, scales, zeros) = (inputs[0], &inputs[1].values, &inputs[2].values);
    let per_channel = x.values.len() / scales.len();
    let values = x.values.iter().enumerate();
    Tensor {
        shape: x.shape.clone(),
        values: values
            .map(|(i, v)| (v - zeros[i / per_channel]) * scales[i / per_channel])
            .collect(),
    }
}

fn whole(n: i64) -> usize {
    usize::try_from(n).unwrap()
}

fn conv(node: &NodeProto, inputs: &[&Tensor]) -> Tensor {
    let (x, w) = (inputs[0], inputs[1]);
    let [_, channels, height, width] = x.shape[..] else {
        panic!("{:?}", x.shape)
    };
    let [filters, per_group, rows, columns] = w.shape[..] else {
        panic!("{:?}", w.shape)
    };
    let stride = whole(node.ints("strides").unwrap()[0]);
    let pads: Vec<usize> = node
        .ints("pads")
        .unwrap()
        .iter()
        .map(|&p| whole(p))
        .collect();
    let groups = channels / per_group;
    let size = [
        (height + pads[0] + pads[2] - rows) / stride + 1,
        (width + pads[1] + pads[3] - columns) / stride + 1,
    ];
    let mut values = Vec::new();
    for filter in 0..filters {
        let first = filter / (filters / groups) * per_group;
        for oy in 0..size[0] {
            for ox in 0..size[1] {
                let mut sum = inputs.get(2).map_or(0.0, |b| b.values[filter]);
                for c in 0..per_group {
                    for ky in 0..rows {
                        for kx in 0..columns {
                            let y = (oy * stride + ky).wrapping_sub(pads[0]);
                            let x_ = (ox * stride + kx).wrapping_sub(pads[1]);
                            if y < height && x_ < width {
                                sum += x.values[((first + c) * height + y) * width + x_]
                                    * w.values
                                        [((filter * per_group + c) * rows + ky) * columns + kx];
                            }
                        }
                    }
                }
                values.push(sum);
            }
        }
    }
    Tensor {
        shape: vec![1, filters, size[0], size[1]],
        values,
    }
}

fn gemm(inputs: &[&Tensor]) -> Tensor {
    let (x, w) = (&inputs[0].values, inputs[1]);
    let values = w.values.chunks(x.len()).enumerate().map(|(filter, row)| {
        let bias = inputs.get(2).map_or(0.0, |b| b.values[filter]);
        bias + std::iter::zip(row, x).map(|(a, b)| a * b).sum::<f64>()
    });
    Tensor {
        shape: vec![1, w.shape[0]],
        values: values.collect(),
    }
}

fn mean(x: &Tensor) -> Tensor {
    let pixels = x.shape[2] * x.shape[3];
    let means = x.values.chunks(pixels);
    Tensor {
        shape: vec![1, x.shape[1], 1, 1],
        values: means
            .map(|plane| plane.iter().sum::<f64>() / pixels as f64)
            .collect(),
    }
}

fn max_pool(node: &NodeProto, x: &Tensor) -> Tensor {
    let [_, channels, height, width] = x.shape[..] else {
        panic!("{:?}", x.shape)
    };
    let kernel = whole(node.ints("kernel_shape").unwrap()[0]);
    let stride = whole(node.ints("strides").unwrap()[0]);
    let pad = whole(node.ints("pads").unwrap()[0]);
    let size = [height, width].map(|s| (s + 2 * pad - kernel) / stride + 1);
    let mut values = Vec::new();
    for c in 0..channels {
        for oy in 0..size[0] {
            for ox in 0..size[1] {
                let mut largest = f64::NEG_INFINITY;
                for k in 0..kernel * kernel {
                    let y = (oy * stride + k / kernel).wrapping_sub(pad);
                    let x_ = (ox * stride + k % kernel).wrapping_sub(pad);
                    if y < height && x_ < width {
                        largest = largest.max(x.values[(c * height + y) * width + x_]);
                    }
                }
                values.push(largest);
            }
        }
    }
    Tensor {
        shape: vec![1, channels, size[0], size[1]],
        values,
    }
}

/// AveragePool: the mean of the taps in the image, or in the padded image with `count_include_pad`.
fn average_pool(node: &NodeProto, x: &Tensor) -> Tensor {
    let [_, channels, height, width] = x.shape[..] else {
        panic!("{:?}", x.shape)
    };
    let size = [height, width];
    let pair = |name: &str| {
        let values = node.ints(name).unwrap_or(&[1, 1]);
        [0, 1].map(|i| values[i])
    };
    let (kernel, stride, dilation) = (pair("kernel_shape"), pair("strides"), pair("dilations"));
    let pads = node.ints("pads").unwrap();
    let counts = node.int("count_include_pad") == Some(1);
    let ceil = node.int("ceil_mode") == Some(1);
    let size = size.map(|s| i64::try_from(s).unwrap());
    let outputs = [0, 1].map(|i| {
        let starts = (0..).map(|o| o * stride[i] - pads[i]);
        let reach = (kernel[i] - 1) * dilation[i];
        let fits = |start: &i64| {
            let overlap = if ceil { stride[i] - 1 } else { 0 };
            start + reach < size[i] + pads[i + 2] + overlap && *start < size[i]
        };
        starts.take_while(fits).collect::<Vec<_>>()
    });
    let mut values = Vec::new();
    for c in 0..channels {
        for &top in &outputs[0] {
            for &left in &outputs[1] {
                let (mut sum, mut count) = (0.0, 0.0);
                for ky in 0..kernel[0] {
                    for kx in 0..kernel[1] {
                        let at = [top + ky * dilation[0], left + kx * dilation[1]];
                        let inside = |i: usize| (0..size[i]).contains(&at[i]);
                        let padded = |i: usize| at[i] < size[i] + pads[i + 2];
                        if inside(0) && inside(1) {
                            sum += x.values[(c * height + whole(at[0])) * width + whole(at[1])];
                            count += 1.0;
                        } else if counts && padded(0) && padded(1) {
                            count += 1.0;
                        }
                    }
                }
                values.push(sum / count);
            }
        }
    }
    Tensor {
        shape: vec![1, channels, outputs[0].len(), outputs[1].len()],
        values,
    }
}

/// Keeps every other pixel.
fn subsample(x: &Tensor) -> Tensor {
    let [_, channels, height, width] = x.shape[..] else {
        panic!("{:?}", x.shape)
    };
    let mut values = Vec::new();
    for c in 0..channels {
        for y in (0..height).step_by(2) {
            for x_ in (0..width).step_by(2) {
                values.push(x.values[(c * height + y) * width + x_]);
            }
        }
    }
    Tensor {
        shape: vec![1, channels, height.div_ceil(2), width.div_ceil(2)],
        values,
    }
}

fn pad(inputs: &[&Tensor]) -> Tensor {
    let x = inputs[0];
    let [before, after] = [1, 5].map(|i| inputs[1].values[i] as usize);
    let plane = x.shape[2] * x.shape[3];
    let mut values = vec![0.0; before * plane];
    values.extend(&x.values);
    values.extend(vec![0.0; after * plane]);
    Tensor {
        shape: vec![1, before + x.shape[1] + after, x.shape[2], x.shape[3]],
        values,
    }
}
