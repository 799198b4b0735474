#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a reference in double precision"
)]

mod exact;
mod net;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tailfold_spec::{Classifier as _, ImageBatch};

use super::*;
use crate::IntegerClassifier;
use net::Net;

/// Returns a random residual network with every operator that has an integer kernel, and an image for it.
fn residual(seed: u64) -> (Model, Vec<f32>) {
    let mut net = Net::new(seed, [3, 9, 11]);
    let rng = &mut net.rng;
    let image: Vec<f32> = (0..3 * 9 * 11)
        .map(|_| rng.random_range(-2.0..2.0))
        .collect();
    let wide = *[16, 20, 33].get(rng.random_range(0..3)).unwrap();
    let x = net.quantized("image", 0.02);
    let x = net.conv(&x, [3, wide], 3, [1, 1]);
    let x = net.activated(x);
    let x = net.quantized(&x, 0.1);
    let x = if net.rng.random_bool(0.8) {
        let y = net.function(&x);
        net.quantized(&y, 0.05)
    } else {
        x
    };
    // A block that concatenates channels of several scales.
    let narrow = net.conv(&x, [wide, 5], 1, [1, 1]);
    let narrow = net.quantized(&narrow, 0.1);
    let other = net.conv(&x, [wide, 11], 3, [1, 1]);
    let other = net.quantized(&other, 0.1);
    let mut terms = [&narrow[..], &x, &other];
    terms.rotate_left(net.rng.random_range(0..3));
    let axis = if net.rng.random_bool(0.5) { 1 } else { -3 };
    let joined = net.push_with("Concat", &terms, |n| n.attr_int("axis", axis));
    let joined = net.activated(joined);
    let joined = net.quantized(&joined, 0.1);
    let x = net.conv(&joined, [wide + 16, wide], 1, [1, 1]);
    let x = net.quantized(&x, 0.2);
    // A block: depthwise or full, then a sum.
    let group = if net.rng.random_bool(0.5) { wide } else { 1 };
    let y = net.conv(&x, [wide, wide], 3, [1, group]);
    let y = net.activated(y);
    let y = net.quantized(&y, 0.2);
    let y = net.conv(&y, [wide, wide], 1, [1, 1]);
    let y = net.quantized(&y, 0.2);
    let z = net.push("Add", &[&x, &y]);
    let z = net.activated(z);
    let z = net.quantized(&z, 0.2);
    // Squeeze and excitation: each channel is multiplied by a gate from the mean of all pixels.
    let z = if net.rng.random_bool(0.5) {
        let gate = net.push("GlobalAveragePool", &[&z]);
        let gate = net.quantized(&gate, 0.05);
        let gate = net.conv(&gate, [wide, wide], 1, [1, 1]);
        let gate = net.quantized(&gate, 0.1);
        let gate = net.push("Sigmoid", &[&gate]);
        let gate = net.quantized(&gate, 0.004);
        let terms = if net.rng.random_bool(0.5) {
            [&gate, &z]
        } else {
            [&z, &gate]
        };
        let gated = net.push("Mul", &terms.map(String::as_str));
        net.quantized(&gated, 0.1)
    } else {
        z
    };
    // A block of half the size, whose shortcut takes every other pixel and pads channels.
    let ends = net.constant("ends", &[2], &[i64::MAX; 2]);
    let [starts, axes, steps] =
        [[0, 0], [2, 3], [2, 2]].map(|v| net.constant("list", &[2], &v.map(i64::from)));
    let short = net.push("Slice", &[&z, &starts, &ends, &axes, &steps]);
    let short = net.quantized(&short, 0.2);
    let pads = net.constant("pads", &[8], &[0_i64, 2, 0, 0, 0, 5, 0, 0]);
    // The padding value: left out, a float constant, or a dequantized code.
    let short = match net.rng.random_range(0..3) {
        0 => net.push("Pad", &[&short, &pads]),
        1 => {
            let zero = net.constant("value", &[], &[0.0_f32]);
            net.push("Pad", &[&short, &pads, &zero])
        }
        _ => {
            let scale = net.constant("scale", &[], &[0.2_f32]);
            let zero = net.constant("zero", &[], &[7_u8]);
            let code = net.push("DequantizeLinear", &[&zero, &scale, &zero]);
            net.push("Pad", &[&short, &pads, &code])
        }
    };
    let short = net.quantized(&short, 0.2);
    let y = net.conv(&z, [wide, wide + 7], 3, [2, 1]);
    let y = net.quantized(&y, 0.2);
    let z = net.push("Add", &[&y, &short]);
    let z = net.quantized(&z, 0.2);
    let z = if net.rng.random_bool(0.5) {
        net.push_with("MaxPool", &[&z], |n| {
            n.attr_ints("kernel_shape", &[3, 3])
                .attr_ints("strides", &[1, 1])
                .attr_ints("pads", &[1, 1, 1, 1])
        })
    } else {
        let counts = net.rng.random_range(0..2);
        net.push_with("AveragePool", &[&z], |n| {
            n.attr_ints("kernel_shape", &[3, 2])
                .attr_ints("pads", &[1, 0, 1, 1])
                .attr_int("count_include_pad", counts)
        })
    };
    let z = net.quantized(&z, 0.2);
    let pooled = net.rng.random_bool(0.5);
    let z = if pooled {
        net.push("GlobalAveragePool", &[&z])
    } else {
        z
    };
    let z = if pooled && net.rng.random_bool(0.5) {
        let row = net.push("Flatten", &[&z]);
        let unit = net.unit(&row, 1e-4);
        net.quantized(&unit, 0.005)
    } else {
        let z = net.quantized(&z, 0.1);
        let z = net.push("Flatten", &[&z]);
        net.quantized(&z, 0.1)
    };
    let features = if pooled { wide + 7 } else { (wide + 7) * 5 * 6 };
    let weights = net.weights(&[10, features]);
    let bias = net.bias(10);
    let inputs: Vec<&str> = [&z[..], &weights]
        .into_iter()
        .chain(bias.as_deref())
        .collect();
    let mut out = net.push_with("Gemm", &inputs, |n| n.attr_int("transB", 1));
    if net.rng.random_bool(0.5) {
        out = net.quantized(&out, 0.3);
    }
    (net.model(&out, &[1, 10]), image)
}

/// Runs a graph that is one region.
fn run(region: &Region, image: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; region.program.outputs()[0]];
    let mut workspace = region.program.workspace();
    region
        .program
        .run(&mut workspace, &[image], &mut [&mut out])
        .unwrap();
    out
}

#[test]
fn random_networks_match_their_graph_in_double_precision() {
    for seed in 0..120 {
        let (model, image) = residual(seed);
        let output = model.output().unwrap().name().to_owned();
        let expected = exact::evaluate(&model, &image)[&output].values.clone();
        for isa in Isa::available() {
            let lowered = lower(model.clone(), isa, &Shapes::new()).unwrap();
            let float: Vec<_> = lowered
                .nodes
                .iter()
                .filter(|n| n.kernel.is_none())
                .collect();
            assert!(float.is_empty(), "seed {seed}: {float:?}");
            assert_eq!(lowered.model.nodes().len(), 1, "seed {seed}");
            let mut sums = lowered.nodes.iter().filter(|n| n.operator == "Add");
            let made = sums.all(|n| n.kernel != Some("add"));
            assert!(made, "seed {seed}: convolutions make the sums");
            let found = run(&lowered.regions[0], &image);
            for (found, expected) in found.iter().zip(&expected) {
                let expected = *expected as f32;
                let close = (found - expected).abs() <= 2e-7 * expected.abs();
                assert!(close, "seed {seed}, {isa:?}: {found} is not {expected}");
            }
        }
    }
}

#[test]
fn float_nodes_split_regions_and_their_results_are_quantized_again() {
    let mut net = Net::new(1, [2, 5, 7]);
    let x = net.quantized("image", 0.02);
    let a = net.conv(&x, [2, 6], 3, [1, 1]);
    let a = net.push("Relu", &[&a]);
    let a = net.quantized(&a, 0.1);
    // Transpose has no integer kernel.
    let turned = net.turned(&a);
    let turned = net.quantized(&turned, 0.05);
    // Relu between two scales is a kernel that needs the shape of the Transpose.
    let turned = net.push("Relu", &[&turned]);
    let turned = net.quantized(&turned, 0.05);
    let back = net.turned(&turned);
    let back = net.quantized(&back, 0.05);
    let b = net.push("Add", &[&back, &a]);
    let b = net.quantized(&b, 0.1);
    let model = net.model(&b, &[1, 6, 5, 7]);
    let image: Vec<f32> = (0..70).map(|i| i as f32 * 0.03 - 1.0).collect();
    let means = exact::evaluate(&model, &image);
    let isa = Isa::detect().unwrap();
    let lowered = lower(model.clone(), isa, &exact::shapes(&means)).unwrap();
    let operators = |lowered: &Lowered| -> Vec<String> {
        let nodes = lowered.model.nodes().iter();
        nodes.map(|n| n.op_type().to_owned()).collect()
    };
    let region = Region::OPERATOR;
    assert_eq!(
        operators(&lowered),
        [region, "Transpose", region, "Transpose", region]
    );
    // `a` leaves the first region once, for the Transpose and for the Add.
    assert_eq!(lowered.regions[0].outputs.len(), 1);
    assert_eq!(lowered.regions[2].inputs.len(), 2);
    let first = run(&lowered.regions[0], &image);
    let between = run(&lowered.regions[1], &transposed(&first, [6, 5, 7]));
    let back = transposed(&between, [6, 7, 5]);
    let second = &lowered.regions[2];
    let inputs: Vec<&[f32]> = second
        .inputs
        .iter()
        .map(|name| {
            if name.starts_with("transpose") {
                &back[..]
            } else {
                &first[..]
            }
        })
        .collect();
    let mut out = vec![0.0; 6 * 35];
    let mut workspace = second.program.workspace();
    second
        .program
        .run(&mut workspace, &inputs, &mut [&mut out])
        .unwrap();
    for (found, expected) in out.iter().zip(&means[&b].values) {
        assert!(
            (f64::from(*found) - expected).abs() < 1e-6,
            "{found} {expected}"
        );
    }
    // Without the shape of its result, everything behind the Transpose is float.
    let blind = lower(model, isa, &Shapes::new()).unwrap();
    assert_eq!(blind.regions.len(), 1);
    assert!(operators(&blind).ends_with(&["DequantizeLinear".to_owned()]));
}

#[test]
fn tensor_of_an_earlier_region_is_quantized_once_per_region() {
    let mut net = Net::new(1, [2, 5, 5]);
    let x = net.quantized("image", 0.02);
    let turned = net.turned(&x);
    let back = net.quantized(&turned, 0.05);
    let joined = net.push_with("Concat", &[&x, &back, &x, &x], |n| n.attr_int("axis", 1));
    let out = net.quantized(&joined, 0.05);
    let model = net.model(&out, &[1, 8, 5, 5]);
    let shapes = Shapes::from([(turned, vec![1, 2, 5, 5])]);
    let lowered = lower(model, Isa::detect().unwrap(), &shapes).unwrap();
    let found = lowered.nodes.iter().find(|n| n.operator == "Concat");
    assert_eq!(found.unwrap().kernel, Some("concat"));
    assert_eq!(lowered.regions[1].inputs.len(), 2);
}

/// Returns the image `x` with height and width exchanged.
fn transposed(x: &[f32], [channels, height, width]: [usize; 3]) -> Vec<f32> {
    let mut turned = Vec::with_capacity(x.len());
    for plane in x.chunks_exact(x.len() / channels) {
        for column in 0..width {
            turned.extend((0..height).map(|row| plane[row * width + column]));
        }
    }
    turned
}

#[test]
fn quantized_tensors_other_than_images_and_rows_stay_float() {
    for dims in [&[1, 7, 12][..], &[1, 2, 3, 2, 7]] {
        let mut net = Net::new(8, [2, 6, 7]);
        let x = net.quantized("image", 0.02);
        let to: Vec<i64> = dims.iter().map(|&d| i64::try_from(d).unwrap()).collect();
        let shape = net.constant("shape", &[to.len()], &to);
        let tokens = net.push("Reshape", &[&x, &shape]);
        let tokens = net.quantized(&tokens, 0.02);
        let both = net.push("Add", &[&tokens, &tokens]);
        let both = net.quantized(&both, 0.04);
        let model = net.model(&both, dims);
        let shapes = Shapes::from([tokens, both.clone()].map(|name| (name, dims.to_vec())));
        let lowered = lower(model, Isa::detect().unwrap(), &shapes).unwrap();
        let left = lowered.nodes.iter().filter(|n| n.kernel.is_none());
        let left: Vec<&str> = left.map(|n| n.operator.as_str()).collect();
        assert_eq!(left, ["Reshape", "Add"]);
        assert_eq!(lowered.regions.len(), 1);
    }
}

#[test]
fn squeeze_and_unsqueeze_are_part_of_the_integer_classifier() {
    for input in [false, true] {
        let mut net = Net::new(9, [12, 3, 4]);
        let x = net.quantized("image", 0.02);
        let mean = net.push("GlobalAveragePool", &[&x]);
        let mean = net.quantized(&mean, 0.02);
        let with_axes = |net: &mut Net, op: &str, x: &str| {
            if input {
                let axes = net.constant("axes", &[2], &[-1_i64, 2]);
                net.push(op, &[x, &axes])
            } else {
                net.push_with(op, &[x], |n| n.attr_ints("axes", &[2, 3]))
            }
        };
        let row = with_axes(&mut net, "Squeeze", &mean);
        let row = net.quantized(&row, 0.02);
        let image = with_axes(&mut net, "Unsqueeze", &row);
        let image = net.quantized(&image, 0.02);
        let out = net.conv(&image, [12, 5], 1, [1, 1]);
        let model = net.model(&out, &[1, 5, 1, 1]);
        let classifier = IntegerClassifier::from_model(model).unwrap();
        assert_eq!(classifier.num_classes(), 5);
        assert_eq!(classifier.region().outputs[0].1, [1, 5, 1, 1]);
    }
}

#[test]
fn average_pool_matches_the_onnx_specification() {
    let mut integer = 0;
    for seed in 0..400 {
        let mut net = Net::new(seed, [5, 7, 9]);
        let mut below = |n: i64| net.rng.random_range(0..n);
        let kernel = [1 + below(4), 1 + below(4)];
        let strides = [1 + below(3), 1 + below(4)];
        let dilations = if below(3) == 0 { [2, 1] } else { [1, 1] };
        let pads = [below(3), below(3), below(3), below(3)];
        let (counts, ceil) = (below(2), below(2));
        let x = net.quantized("image", 0.02);
        let y = net.push_with("AveragePool", &[&x], |n| {
            n.attr_ints("kernel_shape", &kernel)
                .attr_ints("strides", &strides)
                .attr_ints("dilations", &dilations)
                .attr_ints("pads", &pads)
                .attr_int("count_include_pad", counts)
                .attr_int("ceil_mode", ceil)
        });
        let out = net.quantized(&y, 0.01);
        let image: Vec<f32> = (0..5 * 63)
            .map(|_| net.rng.random_range(-2.0..2.0))
            .collect();
        let model = net.model(&out, &[1, 5, 0, 0]);
        let means = exact::evaluate(&model, &image);
        for isa in Isa::available() {
            let lowered = lower(model.clone(), isa, &Shapes::new()).unwrap();
            if lowered.nodes[0].kernel.is_none() {
                let alone = (0..4).any(|i| pads[i] >= kernel[i % 2]);
                let dilated = counts == 0 && dilations != [1, 1];
                assert!(alone || dilated, "seed {seed}");
                continue;
            }
            integer += 1;
            let [region] = &lowered.regions[..] else {
                panic!("seed {seed}")
            };
            assert_eq!(region.outputs[0].1, means[&out].shape, "seed {seed}");
            let found = run(region, &image);
            let expected: Vec<f32> = means[&out].values.iter().map(|&v| v as f32).collect();
            let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 2e-7 * b.abs();
            assert!(
                found.iter().zip(&expected).all(close),
                "seed {seed}, {isa:?}"
            );
        }
    }
    let networks = integer / Isa::available().len();
    assert!(networks > 100, "{networks} of 400 have an integer kernel");
}

#[test]
fn average_pool_with_valid_padding_stays_float_where_runtimes_disagree_on_ceil_mode() {
    for (size, kernel) in [(5, None), (6, Some("average"))] {
        let mut net = Net::new(5, [6, size, size]);
        let x = net.quantized("image", 0.02);
        let y = net.push_with("AveragePool", &[&x], |n| {
            n.attr_ints("kernel_shape", &[2, 2])
                .attr_ints("strides", &[2, 2])
                .attr_str("auto_pad", "VALID")
                .attr_int("ceil_mode", 1)
        });
        let out = net.quantized(&y, 0.02);
        let model = net.model(&out, &[1, 6, size / 2, size / 2]);
        let lowered = lower(model, Isa::detect().unwrap(), &Shapes::new()).unwrap();
        assert_eq!(lowered.nodes[0].kernel, kernel, "{size}");
    }
}

#[test]
fn function_behind_dilated_max_pool_is_table_without_padding_and_float_with_padding() {
    for pads in [[0; 4], [1; 4]] {
        let found = function(|net, x| {
            let y = net.push_with("MaxPool", &[x], |n| {
                n.attr_ints("kernel_shape", &[2, 2])
                    .attr_ints("dilations", &[2, 2])
                    .attr_ints("pads", &pads)
            });
            let y = net.quantized(&y, 0.02);
            net.push("Tanh", &[&y])
        });
        let whole = found.iter().all(|(_, kernel)| kernel.is_some());
        assert_eq!(whole, pads == [0; 4], "{found:?}");
    }
}

/// Returns operator and kernel of each node of a network in which `write` adds float nodes between two quantizations.
fn function(write: impl FnOnce(&mut Net, &str) -> String) -> Vec<(String, Option<&'static str>)> {
    let mut net = Net::new(5, [6, 3, 4]);
    let x = net.quantized("image", 0.02);
    let y = write(&mut net, &x);
    let out = net.quantized(&y, 0.02);
    let model = net.model(&out, &[1, 6, 3, 4]);
    let lowered = lower(model, Isa::detect().unwrap(), &Shapes::new()).unwrap();
    let kernels = lowered.nodes.into_iter();
    kernels.map(|n| (n.operator, n.kernel)).collect()
}

#[test]
fn functions_of_several_values_or_with_other_readers_stay_float() {
    type Write = fn(&mut Net, &str) -> String;
    let tables: [Write; 3] = [
        |net, x| net.push("Tanh", &[x]),
        |net, x| {
            let zero = net.push("Sub", &[x, x]);
            net.push("Exp", &[&zero])
        },
        // Infinity saturates to the smallest or largest code.
        |net, x| {
            let size = net.push("Abs", &[x]);
            net.push("Log", &[&size])
        },
    ];
    for write in tables {
        let found = function(write);
        assert!(found.iter().all(|(_, k)| *k == Some("table")), "{found:?}");
    }
    let float: [Write; 9] = [
        // The result has the type of the base.
        |net, x| {
            let two = net.constant("two", &[], &[2_i32]);
            net.push("Pow", &[&two, x])
        },
        // NaN for negative codes.
        |net, x| net.push("Sqrt", &[x]),
        |net, x| net.push("Log", &[x]),
        |net, x| {
            let slopes = net.constant("slopes", &[6, 1, 1], &[0.5_f32; 6]);
            net.push("PRelu", &[x, &slopes])
        },
        |net, x| {
            let more = net.constant("more", &[1, 1, 1, 1, 1], &[0.5_f32]);
            net.push("Mul", &[x, &more])
        },
        |net, x| {
            let words = net.constant("words", &[], &[1_u8]);
            net.push("Mul", &[x, &words])
        },
        |net, x| {
            let y = net.push("Tanh", &[x]);
            net.push("Softmax", &[&y]);
            y
        },
        |net, x| {
            let y = net.push("Tanh", &[x]);
            net.push("Mul", &[&y, "image"])
        },
        |net, x| {
            let other = net.quantized("image", 0.5);
            let y = net.push("Tanh", &[x]);
            net.push("Mul", &[&y, &other])
        },
    ];
    for write in float {
        let found = function(write);
        assert!(found.iter().all(|(_, k)| k.is_none()), "{found:?}");
    }
    // More operators than a function may have.
    let found = function(|net, x| (0..70).fold(x.to_owned(), |y, _| net.push("Tanh", &[&y])));
    assert!(found.iter().all(|(_, k)| k.is_none()));
}

#[test]
fn concat_of_other_axes_float_tensors_flattened_images_or_too_many_inputs_stays_float() {
    type Write = fn(&mut Net, &str) -> String;
    let join = |net: &mut Net, terms: &[&str], axis| {
        let joined = net.push_with("Concat", terms, |n| n.attr_int("axis", axis));
        net.turned(&joined)
    };
    let cases: [Write; 3] = [
        |net, x| net.push_with("Concat", &[x, x], |n| n.attr_int("axis", 2)),
        |net, x| net.push_with("Concat", &[x, "image"], |n| n.attr_int("axis", 1)),
        |net, x| {
            let row = net.push("Flatten", &[x]);
            let row = net.quantized(&row, 0.1);
            net.push_with("Concat", &[&row, &row], |n| n.attr_int("axis", 1))
        },
    ];
    for write in cases {
        let found = function(write);
        let concat = found.iter().find(|(op, _)| op == "Concat").unwrap();
        assert_eq!(concat.1, None);
    }
    for (count, kernel) in [(256, Some("concat")), (257, None)] {
        let found =
            function(|net, x| net.push_with("Concat", &vec![x; count], |n| n.attr_int("axis", 1)));
        assert_eq!(found[0], ("Concat".to_owned(), kernel));
    }
    // The result is not quantized.
    let found = function(|net, x| join(net, &[x, x], 1));
    assert_eq!(found[0], ("Concat".to_owned(), None));
}

/// Lowers a network that quantizes the L2-normalised mean of its image.
fn direction(epsilon: f32, read_twice: bool) -> Lowered {
    let mut net = Net::new(5, [6, 3, 4]);
    let x = net.quantized("image", 0.02);
    let mean = net.push("GlobalAveragePool", &[&x]);
    let row = net.push("Flatten", &[&mean]);
    let unit = net.unit(&row, epsilon);
    let unit = net.quantized(&unit, 0.01);
    let out = if read_twice {
        net.push("Mul", &[&unit, &row])
    } else {
        unit
    };
    lower(
        net.model(&out, &[1, 6]),
        Isa::detect().unwrap(),
        &Shapes::new(),
    )
    .unwrap()
}

#[test]
fn normalised_features_are_integers_when_their_length_is_positive_and_read_once() {
    assert_eq!(direction(1e-4, false).regions.len(), 1);
    for (epsilon, read_twice) in [(0.0, false), (f32::INFINITY, false), (1e-4, true)] {
        let lowered = direction(epsilon, read_twice);
        let root = lowered.nodes.iter().find(|n| n.operator == "Sqrt").unwrap();
        assert_eq!(root.kernel, None, "{epsilon}, {read_twice}");
    }
}

#[test]
fn classifier_is_one_program_or_error_names_float_nodes() {
    let (model, image) = residual(3);
    let mut classifier = IntegerClassifier::from_onnx(&model.to_bytes(), "whole").unwrap();
    assert_eq!(classifier.input_shape(), [3, 9, 11]);
    let batch = [&image[..], &image].concat();
    let batch = ImageBatch::new(batch, [2, 3, 9, 11]).unwrap();
    let logits = classifier.logits(&batch).unwrap();
    let region = &lower(model, Isa::detect().unwrap(), &Shapes::new())
        .unwrap()
        .regions[0];
    let expected = run(region, &image);
    assert_eq!(logits.values(), [&expected[..], &expected].concat());
    let turned = ImageBatch::new(image, [1, 3, 11, 9]).unwrap();
    assert!(classifier.logits(&turned).is_err());

    let mut net = Net::new(6, [2, 5, 7]);
    let x = net.quantized("image", 0.02);
    let turned = net.turned(&x);
    let model = net.model(&turned, &[1, 2, 7, 5]);
    let error = IntegerClassifier::from_onnx(&model.to_bytes(), "part").unwrap_err();
    let message = "does not run with integers alone, from an image to a row of logits: 1 nodes have no kernel (transpose";
    assert!(error.to_string().contains(message), "{error}");
}

#[test]
fn float_graph_is_unchanged() {
    let mut net = Net::new(2, [2, 5, 7]);
    let weights = net.constant("weight", &[4, 2, 1, 1], &[0.5_f32; 8]);
    let out = net.push("Conv", &["image", &weights]);
    let model = net.model(&out, &[1, 4, 5, 7]);
    let lowered = lower(model.clone(), Isa::detect().unwrap(), &Shapes::new()).unwrap();
    assert!(lowered.regions.is_empty());
    assert_eq!(lowered.model, model);
    assert_eq!(lowered.nodes[0].kernel, None);
}

#[test]
fn initializers_among_the_inputs_go_with_what_read_them() {
    let lowered = spoiled(|net| {
        let inputs: Vec<_> = net
            .graph
            .initializer
            .iter()
            .map(|t| t.name().to_owned())
            .collect();
        for name in inputs {
            let port = tailfold_onnx::proto::ValueInfoProto {
                name: Some(name),
                ..Default::default()
            };
            net.graph.input.push(port);
        }
    });
    let lowered = lowered.unwrap();
    assert_eq!(lowered.regions.len(), 1);
    assert_eq!(lowered.model.graph().input.len(), 1);
    assert!(lowered.model.graph().initializer.is_empty());
}

#[test]
fn a_graph_with_a_branch_is_left_alone() {
    let lowered = spoiled(|net| {
        let branch = tailfold_onnx::proto::AttributeProto {
            g: Some(Default::default()),
            ..tailfold_onnx::proto::AttributeProto::named(
                "then_branch",
                tailfold_onnx::proto::AttributeType::Graph,
            )
        };
        let node = NodeProto::new("If", "if", ["image"], ["branched"]).attr(branch);
        net.graph.node.push(node);
    });
    let lowered = lowered.unwrap();
    assert!(lowered.regions.is_empty());
    assert!(lowered.nodes.iter().all(|n| n.kernel.is_none()));
}

/// What is done to a sound graph.
type Spoil = Box<dyn FnOnce(&mut Net)>;

/// One convolution, with `spoil` done to the graph.
fn spoiled(spoil: impl FnOnce(&mut Net)) -> Result<Lowered, IntegerError> {
    let mut net = Net::new(3, [2, 5, 7]);
    let scale = net.constant("s", &[], &[0.02_f32]);
    let zero = net.constant("z", &[], &[3_u8]);
    let x = net.pair("image", &scale, &zero);
    let codes = net.constant("w", &[4, 2, 3, 3], &[1_i8; 72]);
    let scales = net.constant("ws", &[4], &[0.01_f32; 4]);
    let zeros = net.constant("wz", &[4], &[0_i8; 4]);
    let weights = net.push_with("DequantizeLinear", &[&codes, &scales, &zeros], |n| {
        n.attr_int("axis", 0)
    });
    let bias = net.constant("b", &[4], &[0.1_f32; 4]);
    let y = net.push("Conv", &[&x, &weights, &bias]);
    let out = net.pair(&y, &scale, &zero);
    spoil(&mut net);
    lower(
        net.model(&out, &[1, 4, 3, 5]),
        Isa::detect().unwrap(),
        &Shapes::new(),
    )
}

fn set<T: tailfold_onnx::Element>(net: &mut Net, prefix: &str, dims: &[usize], values: &[T]) {
    let graph = &mut net.graph;
    let named = |name: &str| name.trim_end_matches(|c: char| c.is_ascii_digit()) == prefix;
    let old = graph.initializer.iter().find(|t| named(t.name())).unwrap();
    let name = old.name().to_owned();
    graph.set_initializer(tailfold_onnx::proto::TensorProto::new(name, dims, values));
}

#[test]
fn unsound_quantization_is_an_error_that_names_the_node() {
    assert_eq!(spoiled(|_| {}).unwrap().regions.len(), 1);
    let cases: Vec<(Spoil, &str)> = vec![
        (
            Box::new(|n| set(n, "s", &[], &[0.0_f32])),
            "node `quantizelinear3`: scale 0 is not positive and finite",
        ),
        (
            Box::new(|n| set(n, "s", &[], &[-0.5_f32])),
            "node `quantizelinear3`: scale -0.5 is not positive and finite",
        ),
        (
            Box::new(|n| set(n, "s", &[], &[f32::NAN])),
            "node `quantizelinear3`: scale NaN is not positive and finite",
        ),
        (
            Box::new(|n| set(n, "ws", &[3], &[0.01_f32; 3])),
            "node `dequantizelinear8` has 4 zero points, expected 3",
        ),
        (
            Box::new(|n| {
                set(n, "ws", &[3], &[0.01_f32; 3]);
                set(n, "wz", &[3], &[0_i8; 3]);
            }),
            "node `dequantizelinear8` has 3 scales, expected 4",
        ),
        (
            Box::new(|n| set(n, "wz", &[4], &[0_i32; 4])),
            "node `dequantizelinear8` has codes of type i8, with zero points of type i32; 8-bit integers are supported",
        ),
        (
            Box::new(|n| set(n, "b", &[3], &[0.1_f32; 3])),
            "node `conv10` has 3 biases, expected 4",
        ),
        (
            Box::new(|n| set(n, "b", &[4], &[f32::INFINITY; 4])),
            "layer `conv10`: channel 0: the ratio of scales, or of bias and scale, is inf, beyond 1e30",
        ),
        (
            Box::new(|n| set(n, "w", &[4, 3, 3, 3], &[1_i8; 108])),
            "node `conv10`: 4 filters of 3 channels in 1 groups do not fit 2 channels",
        ),
        (
            Box::new(|n| n.graph.node[2] = n.graph.node[2].clone().attr_int("block_size", 2)),
            "node `dequantizelinear8` has one scale for 2 values; one a tensor or one a channel is supported",
        ),
        (
            Box::new(|n| n.graph.node[2] = n.graph.node[2].clone().attr_int("axis", 1)),
            "node `dequantizelinear8` has 4 scales, expected 2",
        ),
        (
            Box::new(|n| {
                n.graph.node[3] = n.graph.node[3].clone().attr_ints("pads", &[0, -1, 0, 0])
            }),
            "node `conv10`: pads are [0, -1, 0, 0]",
        ),
        (
            Box::new(|n| {
                n.graph.node[3] = n.graph.node[3].clone().attr_ints("dilations", &[9, 9]);
            }),
            "layer `conv10`: a window of 3 taps, 9 apart, in steps of 1, does not fit 5 pixels padded by 0",
        ),
        (
            Box::new(|n| {
                let pads = [0, 1 << 40, 0, 0];
                n.graph.node[3] = n.graph.node[3].clone().attr_ints("pads", &pads);
            }),
            "node `conv10`: pads are [0, 1099511627776, 0, 0]",
        ),
    ];
    for (spoil, message) in cases {
        let error = spoiled(spoil).expect_err(message).to_string();
        assert!(error.contains(message), "{error}\nis not\n{message}");
    }
}

#[test]
fn scales_along_the_input_channels_are_sound_and_stay_float() {
    let lowered = spoiled(|n| {
        set(n, "ws", &[2], &[0.01_f32; 2]);
        set(n, "wz", &[2], &[0_i8; 2]);
        n.graph.node[2] = n.graph.node[2].clone().attr_int("axis", 1);
    });
    let lowered = lowered.unwrap();
    let conv = lowered.nodes.iter().find(|n| n.operator == "Conv").unwrap();
    assert_eq!(conv.kernel, None);
    // Its weights are still made for the float runtime, and its image by a region.
    let graph = lowered.model.graph();
    let conv = graph.node.iter().find(|n| n.is("Conv")).unwrap();
    let makers = [0, 1].map(|i| graph.producer(&conv.input[i]).unwrap().op_type());
    assert_eq!(makers, [Region::OPERATOR, "DequantizeLinear"]);
}

#[test]
fn codes_of_other_widths_are_refused_by_type() {
    use tailfold_onnx::proto::DataType;
    for (data_type, label) in [
        (DataType::Int16, "i16"),
        (DataType::Uint16, "u16"),
        (DataType::Int4, "i4"),
        (DataType::Float8e4m3fn, "f8e4m3fn"),
    ] {
        let error = spoiled(|n| {
            let zero = n.graph.initializer.iter_mut().find(|t| t.name() == "z2");
            zero.unwrap().data_type = Some(data_type.into());
        });
        let expected = format!(
            "node `quantizelinear3` has codes of type {label}; 8-bit integers are supported"
        );
        assert_eq!(error.unwrap_err().to_string(), expected);
    }
}

#[test]
fn sizes_that_no_network_has_are_errors_without_overflow() {
    let attribute = |name: &'static str, values: &'static [i64]| {
        spoiled(move |n| {
            n.graph.node[3] = n.graph.node[3].clone().attr_ints(name, values);
        })
    };
    for values in [&[i64::MAX, 1], &[1 << 40, 1 << 40], &[0, 1], &[-1, 1]] {
        assert!(attribute("strides", values).is_err(), "{values:?}");
        assert!(attribute("dilations", values).is_err(), "{values:?}");
    }
    for group in [i64::MAX, i64::MIN, 1 << 33, 0] {
        let error = spoiled(|n| {
            n.graph.node[3] = n.graph.node[3].clone().attr_int("group", group);
        });
        assert!(error.is_err(), "{group}");
    }
    let same = spoiled(|n| {
        let node = n.graph.node[3].clone().attr_str("auto_pad", "SAME_UPPER");
        n.graph.node[3] = node.attr_ints("dilations", &[1 << 16, 1]);
    });
    assert!(same.is_err());
    let empty = spoiled(|n| set(n, "w", &[4, 2, 0, 3], &[0_i8; 0]));
    assert!(empty.is_err());
}

#[test]
fn sums_beyond_32_bits_are_refused() {
    let error = {
        let mut net = Net::new(4, [65_000, 1, 1]);
        let scale = net.constant("s", &[], &[0.02_f32]);
        let zero = net.constant("z", &[], &[3_u8]);
        let x = net.pair("image", &scale, &zero);
        let codes = net.constant("w", &[1, 65_000, 1, 1], &vec![-128_i8; 65_000]);
        let weight_zero = net.constant("wz", &[], &[127_i8]);
        let weights = net.push("DequantizeLinear", &[&codes, &scale, &weight_zero]);
        let y = net.push("Conv", &[&x, &weights]);
        let out = net.pair(&y, &scale, &zero);
        let model = net.model(&out, &[1, 1, 1, 1]);
        lower(model.clone(), Isa::detect().unwrap(), &Shapes::new()).unwrap_err()
    };
    assert_eq!(
        error.to_string(),
        "layer `conv8`: output channel 0: sums can reach 4226625000, more than 32 bits hold"
    );
}

#[test]
fn damaged_models_give_an_error_or_run() {
    let mut ran = 0;
    let cases = if cfg!(debug_assertions) { 1000 } else { 30_000 };
    for case in 0..cases {
        let (model, image) = residual(case % 7);
        let shapes = exact::shapes(&exact::evaluate(&model, &image));
        let mut rng = ChaCha8Rng::seed_from_u64(case);
        let mut bytes = model.to_bytes();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..bytes.len());
            bytes[at] = rng.random();
        }
        let Ok(damaged) = Model::from_bytes(&bytes, "damaged") else {
            continue;
        };
        let Ok(lowered) = lower(damaged, Isa::Portable, &shapes) else {
            continue;
        };
        for region in &lowered.regions {
            let fits = region.program.inputs() == [image.len()];
            if fits && region.program.outputs().len() == 1 {
                run(region, &image);
                ran += 1;
            }
        }
    }
    assert!(ran > cases / 10, "only {ran} damaged models ran");
}
