//! Invalid and damaged graphs give an error that names the node, and never a panic.

use super::*;

/// A change that makes a valid graph invalid.
type Spoil = Box<dyn FnOnce(&mut Net)>;

/// Lowers a network of one convolution after `spoil` has changed its graph.
pub(super) fn spoiled(spoil: impl FnOnce(&mut Net)) -> Result<Lowered, IntegerError> {
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
            "node `dequantizelinear8` has one scale per block of 2 values; expected one per tensor or one per channel",
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
fn error_kind_matches_the_defect() {
    use crate::IntegerErrorKind::{Layer, Params, Shape, Unsupported};
    let cases: [(Spoil, crate::IntegerErrorKind); 5] = [
        (Box::new(|n| set(n, "s", &[], &[0.0_f32])), Params),
        (Box::new(|n| set(n, "b", &[3], &[0.1_f32; 3])), Params),
        (Box::new(|n| set(n, "wz", &[4], &[0_i32; 4])), Unsupported),
        (
            Box::new(|n| set(n, "w", &[4, 3, 3, 3], &[1_i8; 108])),
            Shape,
        ),
        (Box::new(|n| set(n, "b", &[4], &[f32::INFINITY; 4])), Layer),
    ];
    for (spoil, kind) in cases {
        let error = spoiled(spoil).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn scales_along_the_input_channels_stay_float() {
    let lowered = spoiled(|n| {
        set(n, "ws", &[2], &[0.01_f32; 2]);
        set(n, "wz", &[2], &[0_i8; 2]);
        n.graph.node[2] = n.graph.node[2].clone().attr_int("axis", 1);
    });
    let lowered = lowered.unwrap();
    let conv = lowered.nodes.iter().find(|n| n.operator == "Conv").unwrap();
    assert_eq!(conv.kernel, None);
    // The weights are still dequantized for the float runtime, and the image comes from a region.
    let graph = lowered.model.graph();
    let conv = graph.node.iter().find(|n| n.is("Conv")).unwrap();
    let makers = [0, 1].map(|i| graph.producer(&conv.input[i]).unwrap().op_type());
    assert_eq!(makers, [Region::OPERATOR, "DequantizeLinear"]);
}

#[test]
fn quantized_type_of_other_width_is_error() {
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
fn unrealistic_sizes_are_errors_without_overflow() {
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
fn sums_beyond_32_bits_are_errors() {
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
