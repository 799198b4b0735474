use tailfold_spec::{Head, QuantizationRecord};

use super::*;
use crate::fixture::{self, COSINE};

fn record(offsets: &[f32]) -> OffsetsRecord {
    OffsetsRecord {
        offsets: offsets.to_vec(),
        origin: "training".to_owned(),
        ..OffsetsRecord::zeros(offsets.len())
    }
}

const OFFSETS: [f32; 7] = [-1.5, 0.25, 0.0, 3.0, -2.0, 0.125, 0.125];

/// Panics unless folding fails with the message `expect` and leaves the model unchanged.
fn refused(mut model: Model, offsets: &[f32], expect: &str) {
    let before = model.clone();
    let error = fold_offsets(&mut model, &record(offsets)).unwrap_err();
    assert_eq!(error.to_string(), expect);
    assert_eq!(model, before);
}

/// Does the same as [`refused`] after a change to the node `head`.
fn refused_head(edit: impl Fn(&mut Model), expect: &str) {
    let mut model = fixture::model(Head::Linear);
    edit(&mut model);
    refused(model, &OFFSETS, expect);
}

fn head(model: &mut Model) -> &mut NodeProto {
    model.graph_mut().node.last_mut().unwrap()
}

#[test]
fn folding_adds_offsets_to_the_bias_and_records_them() {
    let mut model = fixture::model(Head::Linear);
    let mut expected = model.clone();
    let (dims, bias) = model.initializer_f32("head.bias").unwrap();
    let sum: Vec<f32> = bias.iter().zip(OFFSETS).map(|(b, o)| b + o).collect();
    fold_offsets(&mut model, &record(&OFFSETS)).unwrap();
    assert_eq!(
        model.initializer_f32("head.bias").unwrap(),
        (dims.clone(), sum.clone())
    );
    assert_eq!(model.card().unwrap().offsets, Some(record(&OFFSETS)));
    crate::check(&model).unwrap();
    // Nothing else has changed.
    expected.set_initializer_f32("head.bias", &dims, &sum);
    expected.set_card(&model.card().unwrap());
    assert_eq!(model, expected);

    let mut model = fixture::model(COSINE);
    fold_offsets(&mut model, &record(&OFFSETS)).unwrap();
    assert_eq!(
        model.initializer_f32("head.bias").unwrap(),
        (vec![7], OFFSETS.to_vec())
    );
}

#[test]
fn second_fold_is_error() {
    let mut model = fixture::model(COSINE);
    fold_offsets(&mut model, &record(&[0.0; 7])).unwrap();
    refused(
        model,
        &[0.0; 7],
        "offsets are already folded into this model",
    );
}

#[test]
fn mismatched_or_infinite_offsets_are_errors() {
    let model = || fixture::model(COSINE);
    refused(
        model(),
        &OFFSETS[..6],
        "head has 7 classes but 6 offsets were given",
    );
    refused(model(), &[], "head has 7 classes but 0 offsets were given");
    let mut offsets = OFFSETS;
    offsets[3] = f32::NAN;
    refused(
        model(),
        &offsets,
        "class 3: bias 0 plus offset NaN is not a finite number",
    );
    offsets[3] = f32::NEG_INFINITY;
    refused(
        model(),
        &offsets,
        "class 3: bias 0 plus offset -inf is not a finite number",
    );
}

#[test]
fn folding_into_quantized_model_is_error() {
    let message = "the model is quantized: fold the offsets before quantizing";
    let mut model = fixture::model(COSINE);
    let mut card = model.card().unwrap();
    card.quantization = Some(QuantizationRecord {
        precision: "int8".to_owned(),
        ..QuantizationRecord::default()
    });
    model.set_card(&card);
    refused(model, &OFFSETS, message);
    // Another tool quantized the model and left the card unchanged.
    let mut model = fixture::model(COSINE);
    model.graph_mut().node.insert(
        0,
        NodeProto::new("QuantizeLinear", "q", ["image", "s"], ["q"]),
    );
    refused(model, &OFFSETS, message);
}

#[test]
fn unsupported_head_is_error_with_reason() {
    let why = |reason: &str| format!("cannot fold offsets into the head `head`: {reason}");
    refused_head(
        |m| head(m).op_type = Some("MatMul".to_owned()),
        "no Gemm makes the output `logits`: there is no bias to fold the offsets into",
    );
    refused_head(
        |m| {
            m.graph_mut().output.clear();
        },
        "the graph has 0 outputs (), expected one",
    );
    refused_head(
        |m| *head(m) = head(m).clone().attr_float("beta", 0.5),
        &why("it scales its bias (beta is not 1)"),
    );
    refused_head(|m| drop(head(m).input.pop()), &why("it has no bias"));
    refused_head(
        |m| head(m).input[2] = "feature".to_owned(),
        &why("its bias is not an initializer"),
    );
    refused_head(
        |m| head(m).input[2] = "stem.conv.bias".to_owned(),
        &why("its bias is an input of the graph or has other readers"),
    );
    refused_head(
        |m| m.set_initializer_f32("head.bias", &[], &[0.0]),
        &why("its bias does not have one value per class"),
    );
    refused_head(
        |m| m.set_initializer_i32("head.bias", &[7], &[0; 7]),
        "tensor `head.bias` holds i32, expected f32",
    );
}

#[test]
fn folding_into_third_party_model_is_error() {
    let mut proto = fixture::model(COSINE).proto().clone();
    proto.metadata_props.clear();
    let model = Model::from_proto(proto, "x").unwrap();
    refused(
        model,
        &OFFSETS,
        "the model has no metadata `tailfold.name`: it was not written by tailfold",
    );
}
