#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a reference in double precision"
)]

mod exact;
mod net;
mod operators;
mod unsound;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tailfold_spec::{Classifier as _, ImageBatch};

use super::*;
use crate::IntegerClassifier;
use crate::regions::Region;
use net::Net;
use unsound::spoiled;

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
    // A block: a depthwise or a full convolution, then a sum.
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
    // The padding value: omitted, a float constant, or a dequantized constant.
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

/// Runs a graph that is a single region.
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
    // Relu between two scales has a kernel, which needs the shape of the Transpose.
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
    // `a` is an output of the first region once, for both the Transpose and the Add.
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
    // Without the shape of the Transpose, everything behind it stays float.
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
    assert_eq!(error.kind(), crate::IntegerErrorKind::NotWhole);
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
fn initializers_among_the_inputs_are_removed_with_their_readers() {
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
fn graph_with_a_branch_is_unchanged() {
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
