use super::*;

/// Returns the result of `op` with `attributes` for `inputs`.
fn result(op: &str, attributes: &[(&str, f32)], inputs: &[f64]) -> f64 {
    let mut node = NodeProto::new(op, op, ["x"], ["y"]);
    for &(name, value) in attributes {
        node = node.attr_float(name, value);
    }
    let inputs: Vec<Option<f64>> = inputs.iter().copied().map(Some).collect();
    Formula::of(&node).unwrap().value(&inputs).unwrap()
}

/// An operator, its attributes, its inputs and the expected result.
type Case = (
    &'static str,
    &'static [(&'static str, f32)],
    &'static [f64],
    f64,
);

#[test]
fn operators_match_the_onnx_specification() {
    const E: f64 = std::f64::consts::E;
    let cases: &[Case] = &[
        ("Identity", &[], &[-1.5], -1.5),
        ("Abs", &[], &[-1.5], 1.5),
        ("Neg", &[], &[-1.5], 1.5),
        ("Reciprocal", &[], &[-4.0], -0.25),
        ("Sqrt", &[], &[6.25], 2.5),
        ("Exp", &[], &[1.0], E),
        ("Log", &[], &[E], 1.0),
        ("Log", &[], &[0.0], f64::NEG_INFINITY),
        ("Erf", &[], &[1.0], 0.842_700_792_949_715),
        ("Tanh", &[], &[0.5], 0.462_117_157_260_009_75),
        ("Sigmoid", &[], &[0.0], 0.5),
        ("Sigmoid", &[], &[-1000.0], 0.0),
        ("Softplus", &[], &[0.0], 2.0_f64.ln()),
        ("Softplus", &[], &[1000.0], 1000.0),
        ("Softsign", &[], &[-3.0], -0.75),
        ("Mish", &[], &[1.0], 0.865_098_388_267_310_3),
        ("Relu", &[], &[-1.0], 0.0),
        ("LeakyRelu", &[("alpha", 0.25)], &[-4.0], -1.0),
        ("LeakyRelu", &[], &[-1.0], -f64::from(0.01_f32)),
        ("ThresholdedRelu", &[], &[1.0], 0.0),
        ("ThresholdedRelu", &[("alpha", 0.5)], &[1.0], 1.0),
        ("Elu", &[("alpha", 2.0)], &[-1.0], 2.0 * (1.0 / E - 1.0)),
        ("Elu", &[], &[3.0], 3.0),
        ("Celu", &[("alpha", 2.0)], &[-2.0], 2.0 * (1.0 / E - 1.0)),
        ("Celu", &[], &[3.0], 3.0),
        ("Selu", &[], &[2.0], 2.101_402_044_296_264_6),
        (
            "Selu",
            &[("alpha", 2.0), ("gamma", 3.0)],
            &[-1.0],
            6.0 * (1.0 / E - 1.0),
        ),
        ("HardSigmoid", &[("alpha", 0.25)], &[1.0], 0.75),
        ("HardSigmoid", &[], &[-9.0], 0.0),
        ("HardSwish", &[], &[3.0], 3.0),
        ("HardSwish", &[], &[-1.5], -0.375),
        ("HardSwish", &[], &[-4.0], 0.0),
        ("Swish", &[("alpha", 2.0)], &[0.5], 0.5 / (1.0 + 1.0 / E)),
        ("Gelu", &[], &[1.0], 0.841_344_746_068_542_9),
        ("Add", &[], &[1.0, 2.0], 3.0),
        ("Sub", &[], &[1.0, 2.0], -1.0),
        ("Mul", &[], &[1.5, 2.0], 3.0),
        ("Div", &[], &[1.0, 2.0], 0.5),
        ("Pow", &[], &[-2.0, 3.0], -8.0),
        ("PRelu", &[], &[-2.0, 0.25], -0.5),
        ("PRelu", &[], &[2.0, 0.25], 2.0),
        ("Min", &[], &[1.0, -2.0, 3.0], -2.0),
        ("Max", &[], &[1.0, -2.0, 3.0], 3.0),
        ("Clip", &[], &[7.0, -1.0, 6.0], 6.0),
        ("Clip", &[("min", -1.0)], &[-7.0], -1.0),
        ("Clip", &[], &[7.0, 5.0, 3.0], 3.0),
    ];
    for (op, attributes, inputs, expected) in cases {
        let found = result(op, attributes, inputs);
        let close =
            found.total_cmp(expected).is_eq() || (found - expected).abs() <= 4e-16 * expected.abs();
        assert!(close, "{op} of {inputs:?} is {found}, not {expected}");
    }
}

#[test]
fn gelu_with_tanh_is_close_to_exact_gelu() {
    let node = NodeProto::new("Gelu", "", ["x"], ["y"]);
    let near = Formula::of(&node.clone().attr_str("approximate", "tanh")).unwrap();
    let exact = Formula::of(&node.clone().attr_str("approximate", "none")).unwrap();
    for x in [-3.0, -0.5, 0.25, 2.0] {
        let [a, b] = [near, exact].map(|f| f.value(&[Some(x)]).unwrap());
        assert!((a - b).abs() < 1e-3 && a.total_cmp(&b).is_ne(), "{a} {b}");
    }
    assert!(Formula::of(&node.attr_str("approximate", "other")).is_none());
}

#[test]
fn nan_propagates_and_wrong_input_count_has_no_value() {
    assert!(result("Clip", &[], &[f64::NAN, 0.0, 1.0]).is_nan());
    assert!(result("Max", &[], &[f64::NAN, 0.0]).is_nan());
    assert!(result("Sqrt", &[], &[-1.0]).is_nan());
    let value = |op: &str, inputs: &[Option<f64>]| {
        let node = NodeProto::new(op, "", ["x"], ["y"]);
        Formula::of(&node).unwrap().value(inputs)
    };
    assert_eq!(value("Relu", &[]), None);
    assert_eq!(value("Relu", &[None]), None);
    assert_eq!(value("Add", &[Some(1.0)]), None);
    assert_eq!(value("Max", &[Some(1.0), None]), None);
    assert_eq!(value("Clip", &[Some(1.0), None, Some(0.5)]), Some(0.5));
    assert_eq!(value("Clip", &[Some(1.0); 4]), None);
}
