use tailfold_onnx::proto::{DataType, Dimension, ModelProto, OperatorSetIdProto, ValueInfoProto};
use tailfold_spec::{Classifier as _, ImageBatch};
use tailfold_tract::TractClassifier;

use super::*;

/// Network stem - relu - depthwise - clip - point - relu - pool - flatten - head, over images of 5 x 4.
fn network() -> Model {
    let node =
        |op: &str, name: &str, inputs: &[&str]| NodeProto::new(op, name, inputs.to_vec(), [name]);
    let port = |name: &str, dims: &[usize]| {
        let dims = dims.iter().map(|&d| Dimension::fixed(d)).collect();
        ValueInfoProto::tensor(name, DataType::Float, dims)
    };
    let graph = GraphProto {
        name: Some("chain".to_owned()),
        input: vec![port("image", &[1, 2, 5, 4])],
        output: vec![port("head", &[1, 3])],
        node: vec![
            node("Conv", "stem", &["image", "stem.w", "stem.b"]),
            node("Relu", "relu", &["stem"]),
            node("Conv", "deep", &["relu", "deep.w"])
                .attr_int("group", 4)
                .attr_ints("pads", &[1, 1, 1, 1]),
            node("Clip", "clip", &["deep", "zero", "six"]),
            node("Conv", "point", &["clip", "point.w", "point.b"]),
            node("Relu", "relu2", &["point"]),
            node("GlobalAveragePool", "pool", &["relu2"]),
            node("Flatten", "feature", &["pool"]).attr_int("axis", 1),
            node("Gemm", "head", &["feature", "head.w", "head.b"]).attr_int("transB", 1),
        ],
        ..GraphProto::default()
    };
    let proto = ModelProto {
        ir_version: Some(8),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: None,
            version: Some(17),
        }],
        ..ModelProto::default()
    };
    let mut model = Model::from_proto(proto, "chain").unwrap();
    let mut constant = |name: &str, dims: &[usize], scale: f32| {
        let count: usize = dims.iter().product();
        let values: Vec<f32> = (0..count)
            .map(|i| (i as f32 * 0.7).sin() * scale * (1.0 + i as f32))
            .collect();
        model.set_initializer_f32(name, dims, &values);
    };
    constant("stem.w", &[4, 2, 1, 1], 0.3);
    constant("stem.b", &[4], 0.1);
    constant("deep.w", &[4, 1, 3, 3], 0.02);
    constant("point.w", &[6, 4, 1, 1], 0.2);
    constant("point.b", &[6], 0.05);
    constant("head.w", &[3, 6], 0.1);
    constant("head.b", &[3], 0.2);
    model.set_initializer_f32("zero", &[], &[0.0]);
    model.set_initializer_f32("six", &[], &[6.0]);
    model
}

fn answer(model: &Model) -> Vec<f32> {
    let image = (0..40_u8).map(|i| (f32::from(i) * 1.3).cos()).collect();
    let image = ImageBatch::new(image, [1, 2, 5, 4]).unwrap();
    let mut classifier = TractClassifier::stock(model, "chain").unwrap();
    classifier.logits(&image).unwrap().values().to_vec()
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |m: f32, v| m.max(v.abs()))
}

#[test]
fn equalization_keeps_the_function_and_balances_channels() {
    let before = network();
    let mut after = before.clone();
    // The pair around the clip is left out.
    assert_eq!(equalize(&mut after).unwrap(), 2);
    let (was, is) = (answer(&before), answer(&after));
    assert!(
        was.iter().all(|v| v.is_finite()) && largest(&was) > 0.1,
        "{was:?}"
    );
    assert!(
        was.iter()
            .zip(&is)
            .all(|(a, b)| (a - b).abs() <= 1e-5 * largest(&was)),
        "{was:?} {is:?}"
    );
    let (_, stem) = after.initializer_f32("stem.w").unwrap();
    let (_, deep) = after.initializer_f32("deep.w").unwrap();
    let (_, point) = after.initializer_f32("point.w").unwrap();
    let (_, head) = after.initializer_f32("head.w").unwrap();
    for channel in 0..4 {
        let (made, read) = (
            largest(&stem[channel * 2..][..2]),
            largest(&deep[channel * 9..][..9]),
        );
        assert!(
            (made / read - 1.0).abs() < 1e-2,
            "channel {channel}: {made} {read}"
        );
    }
    for channel in 0..6 {
        let read: Vec<f32> = head.iter().copied().skip(channel).step_by(6).collect();
        let (made, read) = (largest(&point[channel * 4..][..4]), largest(&read));
        assert!(
            (made / read - 1.0).abs() < 1e-2,
            "channel {channel}: {made} {read}"
        );
    }
    assert_ne!(before.initializer_f32("stem.w").unwrap().1, stem);
}

#[test]
fn dead_channel_is_unchanged() {
    let mut model = network();
    let (shape, mut weights) = model.initializer_f32("stem.w").unwrap();
    weights[2..4].fill(0.0);
    model.set_initializer_f32("stem.w", &shape, &weights);
    let was = answer(&model);
    equalize(&mut model).unwrap();
    let (_, weights) = model.initializer_f32("stem.w").unwrap();
    assert!(weights.iter().all(|w| w.is_finite()) && weights[2..4] == [0.0, 0.0]);
    assert!(
        answer(&model)
            .iter()
            .zip(was)
            .all(|(a, b)| (a - b).abs() < 1e-4)
    );
}

/// Finds the spread of a network whose stem is multiplied by `factors` per channel, and the layer behind it
/// divided by `undone`.
fn spread(factors: [f32; 4], undone: [f32; 4]) -> Option<ChannelSpread> {
    let mut model = network();
    let mut scale = |name: &str, by: [f32; 4]| {
        let (shape, mut values) = model.initializer_f32(name).unwrap();
        let row = values.len() / 4;
        values
            .iter_mut()
            .enumerate()
            .for_each(|(i, v)| *v *= by[i / row]);
        model.set_initializer_f32(name, &shape, &values);
    };
    scale("stem.w", factors);
    scale("deep.w", undone.map(|u| 1.0 / u));
    ChannelSpread::of(&model).unwrap()
}

#[test]
fn small_channels_that_the_next_layer_enlarges_are_reported() {
    assert_eq!(spread([1.0; 4], [1.0; 4]), None);
    let apart = [1000.0, 1.0, 0.5, 2.0];
    let found = spread(apart, apart).unwrap();
    assert_eq!(found.tensor, "relu");
    assert!(found.ratio > 500.0 && found.lost > 0.5, "{found:?}");
    assert!(found.to_string().contains("channels of `relu`"), "{found}");
    // Channels that are small and stay small do no harm.
    assert_eq!(spread([1.0, 1e-4, 1e-5, 0.0], [1.0; 4]), None);
    let mut balanced = network();
    equalize(&mut balanced).unwrap();
    assert_eq!(ChannelSpread::of(&balanced).unwrap(), None);
}
