//! Invalid model files, and models that must not be folded or quantized.

use tailfold_onnx::proto::ModelProto;
use tailfold_onnx::{Model, OnnxError, OnnxErrorKind, fold_offsets};
use tailfold_spec::{ModelCard, OffsetsRecord};

use super::data::write_csv;
use super::refused;
use crate::fixture::{Fixture, embedded, fixture, int8};
use crate::programs::run;
use crate::scratch::Scratch;

/// Checks that `bytes` are an error in every program that reads a model, with the file and the texts of `expect`.
#[track_caller]
fn check(bytes: &[u8], expect: &[&str]) {
    check_tailfold(bytes, expect);
    let scratch = Scratch::new();
    let bad = scratch.write("bad.onnx", bytes);
    quantize(
        &scratch,
        &["--model", &bad],
        &[&[bad.as_str()], expect].concat(),
    );
}

/// [`check`] without the quantizer.
#[track_caller]
fn check_tailfold(bytes: &[u8], expect: &[&str]) {
    let scratch = Scratch::new();
    let good = scratch.write("good.onnx", fixture().model.to_bytes());
    let bad = scratch.write("bad.onnx", bytes);
    let image = embedded("split=test&limit=1").image(0).unwrap();
    let image = scratch.write("image.png", image.to_png().unwrap());
    let (out, data) = (scratch.at("out"), "embedded?split=test");
    let expect = [&[bad.as_str()], expect].concat();
    let tailfold = |args: &[&str]| refused(&scratch, "tailfold", args, &expect);
    tailfold(&["info", "--model", &bad]);
    tailfold(&["classify", "--model", &bad, &image]);
    tailfold(&["evaluate", "--model", &bad, "--data", data]);
    tailfold(&["logits", "--model", &bad, "--data", data, "--out", &out]);
    // The folder of reports gets the error too, so that an earlier pass cannot be mistaken for the current result.
    let reports = Scratch::new();
    let folder = reports.at("reports");
    let parity = ["parity", "--json", "--data", data, "--report", &folder];
    for [reference, candidate] in [[&bad, &good], [&good, &bad]] {
        let models = ["--reference", reference, "--candidate", candidate];
        let report = tailfold(&[&parity[..], &models].concat()).json();
        assert_eq!(report["schema"], "tailfold.parity/1");
        assert_eq!(report["verdict"], "error");
        let written = std::fs::read_to_string(reports.at("reports/parity.json")).unwrap();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&written).unwrap(),
            report
        );
        let reason = report["reasons"][0].as_str().unwrap();
        assert!(reason.contains(&bad), "{report}");
    }
}

/// Checks that quantization with `args` is an error with the texts of `expect`. The default calibration images are
/// training images.
#[track_caller]
fn quantize(scratch: &Scratch, args: &[&str], expect: &[&str]) {
    let out = scratch.at("out.onnx");
    let mut args = [args, &["--out", &out]].concat();
    if !args.contains(&"--calibration") {
        args.extend(["--calibration", "embedded?split=train"]);
    }
    refused(scratch, "tailfold quantize", &args, expect);
}

/// The fixture's model with its message edited.
fn edited(edit: impl FnOnce(&mut ModelProto)) -> Vec<u8> {
    let mut proto = fixture().model.proto().clone();
    edit(&mut proto);
    Model::from_proto(proto, "edited").unwrap().to_bytes()
}

#[test]
fn invalid_model_files_are_errors() {
    let damaged = ["is not an ONNX file, or is damaged or cut short"];
    let bytes = fixture().model.to_bytes();
    check(&bytes[..bytes.len() / 3], &damaged);
    check(&bytes[..40], &damaged);
    check(b"", &["is not an ONNX file"]);
    check(&[0xA5; 5000], &damaged);
    check(
        b"\x89PNG\r\n\x1a\n an image, perhaps",
        &["is not an ONNX file"],
    );
}

#[test]
fn every_truncation_of_a_model_is_error() {
    let bytes = fixture().model.to_bytes();
    let read = |bytes: &[u8]| Model::from_bytes(bytes, "cut").ok()?.card().ok();
    assert!(read(&bytes).is_some());
    for length in 0..bytes.len() {
        assert!(
            read(&bytes[..length]).is_none(),
            "the first {length} of {} bytes",
            bytes.len()
        );
    }
}

#[test]
fn unsupported_operator_is_error() {
    let bytes = edited(|proto| {
        let pool = proto
            .graph
            .as_mut()
            .unwrap()
            .node
            .iter_mut()
            .find(|n| n.name() == "pool");
        pool.unwrap().op_type = Some("LpPool".to_owned());
    });
    check(&bytes, &["node `pool`: tract has no operator LpPool"]);
    let bytes = edited(|proto| {
        let stem = &mut proto.graph.as_mut().unwrap().node[0];
        stem.domain = Some("com.example".to_owned());
    });
    check(
        &bytes,
        &["node `stem.conv`: tract has no operator com.example.Conv"],
    );
}

#[test]
fn nan_weights_and_wrong_weight_shapes_are_errors() {
    let with = |name: &str, edit: &dyn Fn(&mut Vec<f32>)| {
        let mut model = fixture().model.clone();
        let (shape, mut values) = model.initializer_f32(name).unwrap();
        edit(&mut values);
        model.set_initializer_f32(name, &shape, &values);
        model.to_bytes()
    };
    check(
        &with("head.bias", &|v| v[3] = f32::NAN),
        &["the initializer `head.bias` has NaN at index 3"],
    );
    check(
        &with("blocks.1.conv2.weight", &|v| v[17] = f32::NEG_INFINITY),
        &["the initializer `blocks.1.conv2.weight` has -inf at index 17"],
    );
    check(
        &with("head.weight", &|v| v.truncate(159)),
        &["tensor `head.weight` of shape [10, 16] needs 640 bytes but has 636"],
    );
}

/// The fixture's model with its card edited.
fn recarded(edit: impl FnOnce(&mut ModelCard)) -> Vec<u8> {
    let mut model = fixture().model.clone();
    let mut card = model.card().unwrap();
    edit(&mut card);
    model.set_card(&card);
    model.to_bytes()
}

#[test]
fn missing_or_damaged_metadata_is_error() {
    let bare = edited(|proto| proto.metadata_props.clear());
    let scratch = Scratch::new();
    let file = scratch.write("bare.onnx", &bare);
    let image = embedded("split=test&limit=1").image(0).unwrap();
    let image = scratch.write("image.png", image.to_png().unwrap());
    let classes = ["classify", "--model", &file, &image];
    let missing = [&file, "no metadata `tailfold.classes`", "--labels"];
    refused(&scratch, "tailfold", &classes, &missing);
    let evaluate = [
        "evaluate",
        "--model",
        &file,
        "--data",
        "embedded?split=test",
    ];
    let missing = [
        &file,
        "no metadata `tailfold.preprocess`",
        "--mean and --std",
    ];
    refused(&scratch, "tailfold", &evaluate, &missing);
    let info = run("tailfold", &["info", "--model", &file]).ended_with(0);
    assert!(info.stdout.contains("the file does not say"), "{info:?}");
    check(
        &recarded(|c| c.train_counts.truncate(9)),
        &["the model names 10 classes but has 9 training counts"],
    );
    check(
        &recarded(|c| c.preprocess.std[0] = 0.0),
        &["preprocess.std[0] is 0"],
    );
}

#[test]
fn metadata_of_another_model_is_error() {
    let nine = recarded(|c| {
        c.classes.truncate(9);
        c.train_counts.truncate(9);
        c.offsets.as_mut().unwrap().offsets.truncate(9);
    });
    check_tailfold(
        &nine,
        &["the metadata names 9 classes but the network has 10 outputs"],
    );
    let tall = recarded(|c| c.preprocess.height = 32);
    check_tailfold(
        &tall,
        &["the metadata prepares images of [1, 32, 28] but the network takes [1, 28, 28]"],
    );
}

#[test]
fn metadata_of_another_model_is_error_in_quantization() {
    let scratch = Scratch::new();
    let nine = recarded(|c| {
        c.classes.truncate(9);
        c.train_counts.truncate(9);
        c.offsets.as_mut().unwrap().offsets.truncate(9);
    });
    let nine = scratch.write("nine.onnx", nine);
    // The data has the classes of the metadata, so that only the network contradicts them.
    let data = format!("csv:{}", write_csv(&scratch, 9));
    let calibration = ["--model", &nine, "--calibration", &data];
    quantize(&scratch, &calibration, &[&nine, "9", "10"]);
    let tall = scratch.write("tall.onnx", recarded(|c| c.preprocess.height = 32));
    quantize(&scratch, &["--model", &tall], &[&tall, "32", "28"]);
}

#[test]
fn failed_folding_leaves_model_unchanged() {
    let check = |model: &Model, offsets: &OffsetsRecord, expect: &str| -> OnnxError {
        let mut folded = model.clone();
        let error = fold_offsets(&mut folded, offsets).unwrap_err();
        assert_eq!(error.to_string(), expect);
        assert_eq!(&folded, model, "the model after a refusal");
        error
    };
    let (unfolded, model) = (&fixture().unfolded, &fixture().model);
    check(
        unfolded,
        &OffsetsRecord::zeros(9),
        "head has 10 classes but 9 offsets were given",
    );
    check(
        unfolded,
        &OffsetsRecord::zeros(11),
        "head has 10 classes but 11 offsets were given",
    );
    let mut offsets = fixture().offsets.clone();
    offsets.offsets[4] = f32::NAN;
    let error = check(
        unfolded,
        &offsets,
        &format!(
            "class 4: bias {} plus offset NaN is not a finite number",
            unfolded.initializer_f32("head.bias").unwrap().1[4]
        ),
    );
    assert_eq!(error.kind(), OnnxErrorKind::NotFinite);
    let twice = "offsets are already folded into this model";
    check(model, &fixture().offsets, twice);
    check(int8(), &fixture().offsets, twice);
}

#[test]
fn invalid_models_images_and_options_are_errors_in_quantization() {
    let scratch = Scratch::new();
    let Fixture {
        unfolded, model, ..
    } = fixture();
    let model = scratch.write("model.onnx", model.to_bytes());
    let unfolded = scratch.write("unfolded.onnx", unfolded.to_bytes());
    let quantized = scratch.write("quantized.onnx", int8().to_bytes());
    let check = |model: &str, options: &[&str], expect: &[&str]| {
        quantize(&scratch, &[&["--model", model], options].concat(), expect);
    };
    check(&unfolded, &[], &[&unfolded, "offsets are not folded yet"]);
    check(
        &quantized,
        &[],
        &[&quantized, "already quantized", "is a QuantizeLinear"],
    );
    check(
        &model,
        &["--calibration", "embedded?split=test"],
        &["embedded?split=test is the evaluation split"],
    );
    check(
        &model,
        &["--evaluation", "embedded?split=train"],
        &[
            "calibration image",
            "train.png#",
            "is also in the evaluation data",
        ],
    );
    check(
        &model,
        &["--observer", "median"],
        &["unknown observer `median`"],
    );
    check(&model, &["--per-class", "0"], &["calibration set is empty"]);
    check(&model, &["--target", "abacus"], &["abacus"]);
}
