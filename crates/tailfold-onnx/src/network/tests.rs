use std::collections::BTreeMap;

use tailfold_spec::{
    Activation, Body, ConvNorm, Head, OffsetsRecord, QuantizationRecord, Shortcut,
};

use super::*;
use crate::check;
use crate::fixture::eval::{Array, Window, conv, eval, max_pool};
use crate::fixture::{self, COSINE, Lcg, PATH, Tensors};

fn image([c, h, w]: [usize; 3], seed: u64) -> Array {
    let mut lcg = Lcg(seed);
    Array::new(
        &[1, c, h, w],
        (0..c * h * w).map(|_| f64::from(lcg.next())).collect(),
    )
}

/// Reference for the graph: the network as the checkpoint describes it, with BatchNorm as a layer of its own.
fn reference(arch: &Architecture, tensors: &Tensors, image: &Array) -> Vec<f64> {
    let get = |name: &str| tensors[name].1.as_slice();
    let plan = arch.plan();
    let conv_norm = |x: &Array, layer: &ConvNorm| {
        let part = |part: &str| get(&format!("{}.{part}", layer.part("norm")));
        let (gamma, beta) = (part("gamma"), part("beta"));
        let (mean, var) = (part("running_mean"), part("running_var"));
        let weight = get(&format!("{}.weight", layer.part("conv")));
        let y = conv(x, weight, &vec![0.0; layer.to], Window::of_layer(layer));
        Array::image([y.shape[1], y.shape[2], y.shape[3]], |c, row, column| {
            let i = c.unsigned_abs();
            let deviation = (f64::from(var[i]) + plan.epsilon).sqrt();
            let normal = (y.at(c, row, column) - f64::from(mean[i])) / deviation;
            f64::from(gamma[i]) * normal + f64::from(beta[i])
        })
    };
    let activate = |x: &Array, layer: &ConvNorm| match layer.activation {
        Activation::Linear => x.clone(),
        Activation::Relu => x.map(|v| v.max(0.0)),
        Activation::Relu6 => x.map(|v| v.clamp(0.0, 6.0)),
    };
    let layer = |x: &Array, layer: &ConvNorm| activate(&conv_norm(x, layer), layer);
    let mut x = layer(image, &plan.stem);
    if let Some(pool) = &plan.pool {
        let (kernel, stride, pads) = (pool.kernel, pool.stride, pool.pads);
        x = max_pool(
            &x,
            Window {
                kernel,
                stride,
                pads,
                groups: 1,
            },
        );
    }
    for block in &plan.blocks {
        let end = block.end();
        let mut y = x.clone();
        for conv in block.convs().take_while(|conv| *conv != end) {
            y = layer(&y, conv);
        }
        let y = conv_norm(&y, end);
        let around = |f: &dyn Fn(isize, isize, isize) -> f64| {
            Array::image([end.to, y.shape[2], y.shape[3]], f)
        };
        let shortcut = match &block.shortcut {
            Shortcut::None => around(&|_, _, _| 0.0),
            Shortcut::Identity => x.clone(),
            Shortcut::Projection(projection) => layer(&x, projection),
            Shortcut::Thinned { stride } => {
                let front = ((end.to - block.convs[0].from) / 2).cast_signed();
                let s = stride.cast_signed();
                around(&|c, row, column| x.at(c - front, row * s, column * s))
            }
        };
        x = activate(&y.zip(&shortcut, |a, b| a + b), end);
    }
    if let Some(last) = &plan.last {
        x = layer(&x, last);
    }
    let pixels = x.shape[2] * x.shape[3];
    let mean = |channel: &[f64]| channel.iter().sum::<f64>() / pixels as f64;
    let z: Vec<f64> = x.data.chunks_exact(pixels).map(mean).collect();
    let norm = |v: &[f64]| (v.iter().map(|v| v * v).sum::<f64>() + 1e-12).sqrt();
    let rows = get("head.weight").chunks_exact(z.len()).enumerate();
    let logits = rows.map(|(class, row)| {
        let row: Vec<f64> = row.iter().map(|&w| f64::from(w)).collect();
        let dot: f64 = row.iter().zip(&z).map(|(w, v)| w * v).sum();
        match arch.head {
            Head::Linear => dot + f64::from(get("head.bias")[class]),
            Head::Cosine { scale } => f64::from(scale) * dot / (norm(&row) * norm(&z)),
        }
    });
    logits.collect()
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (class, (a, b)) in found.iter().zip(expected).enumerate() {
        // Only the folded weights are rounded to f32, with a relative error of 6e-8 each.
        assert!(
            (a - b).abs() <= 1e-5 * (1.0 + b.abs()),
            "class {class}: {a}, expected {b}"
        );
    }
}

/// Builds the graph of `arch`, and compares every value with the reference and every shape with the declared
/// shape.
fn compare(arch: &Architecture, seed: u64) {
    let tensors = fixture::tensors(arch);
    let model = build(arch, &fixture::checkpoint(&tensors), &fixture::card(arch)).unwrap();
    check(&model).unwrap();
    let image = image(arch.input, seed);
    let values = eval(&model, &image);
    close(&values["logits"].data, &reference(arch, &tensors, &image));
    for value in &model.graph().value_info {
        let shape = value.shape().unwrap().into_iter();
        let shape: Vec<_> = shape.map(|d| d.unwrap_or(1)).collect();
        assert_eq!(shape, values[value.name()].shape, "{}", value.name());
    }
}

#[test]
fn cifar_graph_computes_the_network_of_the_checkpoint() {
    // An odd width pads unevenly, odd sides round up, and with a stride in the stem the last stage is a
    // single pixel.
    let shapes = [(4, 1, [3, 12, 10]), (3, 1, [1, 7, 9]), (1, 2, [3, 5, 6])];
    for ((width, stem_stride, input), seed) in shapes.into_iter().zip(40..) {
        for head in [Head::Linear, COSINE] {
            let arch = Architecture {
                body: fixture::cifar(width, stem_stride),
                input,
                ..fixture::architecture(head)
            };
            compare(&arch, seed);
        }
    }
}

#[test]
fn every_graph_computes_the_network_of_its_checkpoint() {
    let cases = [
        (Body::MobilenetV2, [3, 40, 33], COSINE),
        // Some layers pad rows evenly, others columns.
        (Body::EfficientnetLite0, [1, 33, 46], Head::Linear),
        (Body::Resnext50, [3, 32, 33], Head::Linear),
    ];
    for ((body, input, head), seed) in cases.into_iter().zip(60..) {
        let arch = Architecture {
            body,
            input,
            ..fixture::architecture(head)
        };
        compare(&arch, seed);
    }
}

#[test]
fn zero_feature_gives_zero_logits_in_a_cosine_head() {
    let arch = fixture::architecture(COSINE);
    let mut tensors = fixture::tensors(&arch);
    for (name, (_, values)) in &mut tensors {
        if name.ends_with("gamma") || name.ends_with("beta") || name == "head.weight" {
            values.fill(0.0);
        }
    }
    let model = build(&arch, &fixture::checkpoint(&tensors), &fixture::card(&arch)).unwrap();
    let values = eval(&model, &image(arch.input, 1));
    assert_eq!(values["feature"].data, [0.0; 16]);
    assert_eq!(values["logits"].data, [0.0; 7]);
}

#[test]
fn folding_adds_the_offsets_to_the_logits() {
    for head in [Head::Linear, COSINE] {
        let mut model = fixture::model(head);
        let image = image([3, 12, 10], 50);
        let before = eval(&model, &image)["logits"].data.clone();
        let mut offsets = OffsetsRecord::zeros(7);
        offsets.offsets = vec![-1.5, 0.25, 0.0, 3.0, -2.0, 0.125, 0.125];
        crate::fold_offsets(&mut model, &offsets).unwrap();
        let expected: Vec<f64> = before
            .iter()
            .zip(&offsets.offsets)
            .map(|(v, &o)| v + f64::from(o))
            .collect();
        close(&eval(&model, &image)["logits"].data, &expected);
    }
}

#[test]
fn two_builds_are_byte_equal() {
    for head in [Head::Linear, COSINE] {
        assert_eq!(
            fixture::model(head).to_bytes(),
            fixture::model(head).to_bytes()
        );
    }
}

#[test]
fn ports_and_versions_are_fixed() {
    let model = fixture::model(Head::Linear);
    assert_eq!(model.input().unwrap().name(), "image");
    assert_eq!(
        model.input_shape().unwrap(),
        [None, Some(3), Some(12), Some(10)]
    );
    assert_eq!(model.output().unwrap().name(), "logits");
    assert_eq!(model.output().unwrap().shape().unwrap(), [None, Some(7)]);
    assert_eq!((model.proto().ir_version(), model.opset()), (8, Some(17)));
    assert_eq!(
        model.card().unwrap(),
        fixture::card(&fixture::architecture(Head::Linear))
    );
}

#[test]
fn checkpoint_mismatch_names_the_tensor() {
    let arch = fixture::architecture(Head::Linear);
    let check = |edit: &dyn Fn(&mut Tensors), expect: &str| {
        let mut tensors = fixture::tensors(&arch);
        edit(&mut tensors);
        let error =
            build(&arch, &fixture::checkpoint(&tensors), &fixture::card(&arch)).unwrap_err();
        assert_eq!(error.to_string(), format!("{PATH}: {expect}"));
    };
    let remove = |name: &'static str| move |t: &mut Tensors| drop(t.remove(name).unwrap());
    check(
        &remove("blocks.2.conv2.weight"),
        "there is no tensor `blocks.2.conv2.weight`, expected one of shape [16, 16, 3, 3]",
    );
    check(
        &remove("head.bias"),
        "there is no tensor `head.bias`, expected one of shape [7]",
    );
    check(
        &|t| drop(t.insert("blocks.1.norm1.beta".to_owned(), (vec![4], vec![0.0; 4]))),
        "tensor `blocks.1.norm1.beta` has the shape [4], expected [8]",
    );
    // The number of values is right, but the shape is transposed.
    check(
        &|t| t.get_mut("head.weight").unwrap().0.reverse(),
        "tensor `head.weight` has the shape [16, 7], expected [7, 16]",
    );
    check(
        &|t| t.get_mut("stem.norm.running_var").unwrap().1[2] = -0.5,
        "tensor `stem.norm.running_var` has -0.5 at index 2",
    );
    check(
        &|t| {
            t.get_mut("stem.norm.running_var").unwrap().1[1] = 0.0;
            t.get_mut("stem.norm.gamma").unwrap().1[1] = f32::MAX;
            t.get_mut("stem.conv.weight").unwrap().1[27] = -1.0;
        },
        "`stem.conv.weight` becomes -inf at index 27 when it is folded",
    );
}

#[test]
fn card_of_another_model_is_error() {
    let arch = fixture::architecture(Head::Linear);
    let checkpoint = fixture::checkpoint(&fixture::tensors(&arch));
    let check = |edit: &dyn Fn(&mut ModelCard), expect: &str| {
        let mut card = fixture::card(&arch);
        edit(&mut card);
        assert_eq!(
            build(&arch, &checkpoint, &card).unwrap_err().to_string(),
            expect
        );
    };
    check(
        &|c| c.classes.truncate(6),
        "the card has classes 6 but the architecture has 7",
    );
    check(
        &|c| std::mem::swap(&mut c.preprocess.height, &mut c.preprocess.width),
        "the card has input [3, 10, 12] but the architecture has [3, 12, 10]",
    );
    check(
        &|c| c.offsets = Some(OffsetsRecord::zeros(7)),
        "the card says that offsets are already folded, but a graph is built without offsets",
    );
    let record = QuantizationRecord {
        precision: "int8".to_owned(),
        ..QuantizationRecord::default()
    };
    check(
        &|c| c.quantization = Some(record.clone()),
        "the card says that the model is already quantized, but a graph is built in float",
    );
}

#[test]
fn impossible_architecture_is_error() {
    let arch = Architecture {
        body: Body::cifar_resnet(9),
        ..fixture::architecture(Head::Linear)
    };
    let checkpoint = fixture::checkpoint(&BTreeMap::new());
    let error = build(&arch, &checkpoint, &fixture::card(&arch)).unwrap_err();
    assert_eq!(error.kind(), OnnxErrorKind::Checkpoint, "{error}");
    assert!(error.to_string().contains('9'), "{error}");
    let arch = fixture::architecture(Head::Linear);
    let error = build(&arch, &checkpoint, &fixture::card(&arch)).unwrap_err();
    assert_eq!(error.kind(), OnnxErrorKind::Checkpoint, "{error}");
    assert!(error.to_string().contains("there is no tensor"), "{error}");
}
