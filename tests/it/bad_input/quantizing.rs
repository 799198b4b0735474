//! Graphs, images and values that cannot be quantized.

use tailfold_onnx::Model;
use tailfold_onnx::proto::{
    DataLocation, DataType, Dimension, GraphProto, NodeProto, StringStringEntryProto,
    ValueInfoProto,
};

use super::refused;
use crate::fixture::{embedded, fixture};
use crate::programs::run;
use crate::scratch::Scratch;

const TRAIN: &[&str] = &["--calibration", "embedded?split=train", "--per-class", "4"];

/// The fixture's model with its graph edited.
fn edited(edit: impl FnOnce(&mut GraphProto)) -> Model {
    let mut model = fixture().model.clone();
    edit(model.graph_mut());
    model
}

/// Checks that quantization of `model` with `args` is an error with the file and the texts of `expect`.
#[track_caller]
fn check(model: &Model, args: &[&str], expect: &[&str]) {
    let scratch = Scratch::new();
    let file = scratch.write("model.onnx", model.to_bytes());
    let out = scratch.at("out.onnx");
    let args = [&["--model", &file, "--out", &out], args].concat();
    let expect = [&[file.as_str()], expect].concat();
    refused(&scratch, "tailfold quantize", &args, &expect);
}

/// The name of a class that can also be a folder's name; names sort in label order.
fn class(label: usize) -> String {
    format!("c{label}")
}

/// The fixture's model with the class names of [`class`].
fn renamed() -> Model {
    let mut model = fixture().model.clone();
    let mut card = model.card().unwrap();
    card.classes = (0..card.classes.len()).map(class).collect();
    model.set_card(&card);
    model
}

fn tensor(name: &str, dims: &[usize]) -> ValueInfoProto {
    let dims = dims.iter().map(|&d| Dimension::fixed(d)).collect();
    ValueInfoProto::tensor(name, DataType::Float, dims)
}

#[test]
fn graphs_other_than_image_classifiers_are_errors() {
    let headless = edited(|g| {
        g.output[0] = tensor("stem.relu", &[1, 4, 28, 28]);
        g.value_info.retain(|v| v.name() != "stem.relu");
    });
    let mut headless_without_card = headless;
    headless_without_card.set_card(&fixture().card.clone());
    check(
        &headless_without_card,
        TRAIN,
        &[
            "output `stem.relu` has the shape [1, 4, 28, 28], expected [batch, classes]",
            "--output",
        ],
    );
    let open = edited(|g| {
        let dims = ["N", "C", "H", "W"].map(Dimension::symbol).to_vec();
        g.input[0] = ValueInfoProto::tensor("image", DataType::Float, dims);
    });
    check(
        &open,
        TRAIN,
        &[
            "input `image` has the shape [?, ?, ?, ?]",
            "only the batch may be open",
        ],
    );
    let cyclic = edited(|g| {
        let last = g.node.iter().position(|n| n.name() == "blocks.1.conv2");
        g.node[0].input[0] = g.node[last.unwrap()].output[0].clone();
    });
    check(
        &cyclic,
        TRAIN,
        &["node `stem.conv` uses `blocks.1.conv2` before it is defined"],
    );
    let mut old = fixture().model.proto().clone();
    old.opset_import[0].version = Some(6);
    check(
        &Model::from_proto(old, "old").unwrap(),
        TRAIN,
        &["uses version 6 of the standard operators, expected 7 to 28"],
    );
}

#[test]
fn several_outputs_need_a_choice() {
    let two = edited(|g| g.output.push(tensor("feature", &[1, 16])));
    check(
        &two,
        TRAIN,
        &["the graph has 2 outputs (logits, feature): choose one with `--output`"],
    );
    check(
        &two,
        &[TRAIN, &["--output", "probability"]].concat(),
        &["the graph has no output `probability`, it has logits, feature"],
    );
    // Control: with a choice, the result is the same model.
    let scratch = Scratch::new();
    let file = scratch.write("two.onnx", two.to_bytes());
    let out = scratch.at("out.onnx");
    let args = ["--model", &file, "--out", &out, "--output", "logits"];
    run("tailfold quantize", &[&args[..], TRAIN].concat()).ended_with(0);
    let made = Model::read(out.as_ref()).unwrap();
    assert_eq!(made.output().unwrap().name(), "logits");
}

#[test]
fn external_data_outside_model_folder_is_error() {
    let outside = edited(|g| {
        let bias = g.initializer.iter_mut().find(|t| t.name() == "head.bias");
        let bias = bias.unwrap();
        bias.raw_data = None;
        bias.data_location = Some(DataLocation::External.into());
        bias.external_data = vec![StringStringEntryProto {
            key: Some("location".to_owned()),
            value: Some("../secret".to_owned()),
        }];
    });
    check(
        &outside,
        TRAIN,
        &["tensor `head.bias` are in `../secret`, which is not inside of the model's folder"],
    );
}

#[test]
fn tensors_without_valid_scale_are_errors() {
    let with_weight = |value: f32| {
        let mut model = fixture().model.clone();
        let (shape, values) = model.initializer_f32("stem.conv.weight").unwrap();
        model.set_initializer_f32("stem.conv.weight", &shape, &vec![value; values.len()]);
        model
    };
    let mut dead = with_weight(0.0);
    let (shape, bias) = dead.initializer_f32("stem.conv.bias").unwrap();
    dead.set_initializer_f32("stem.conv.bias", &shape, &vec![-1.0; bias.len()]);
    check(
        &dead,
        TRAIN,
        &["tensor `stem.relu` is 0 on all calibration images: it has no scale"],
    );
    check(
        &with_weight(f32::MAX),
        TRAIN,
        &["tensor `", "` is ", " on calibration image "],
    );
}

#[test]
fn undecodable_calibration_images_are_reported_and_limited() {
    let scratch = Scratch::new();
    let images = embedded("split=train&per-class=12");
    let mut csv = "file,label\n".to_owned();
    for i in 0..images.len() {
        let file = format!("{i}.png");
        scratch.write(&file, images.image(i).unwrap().to_png().unwrap());
        csv += &format!("{file},{}\n", class(images.labels()[i]));
    }
    let data = format!("csv:{}", scratch.write("labels.csv", &csv));
    let model = scratch.write("model.onnx", renamed().to_bytes());
    let out = scratch.at("out.onnx");
    let args = [
        "--model",
        &model,
        "--calibration",
        &data,
        "--json",
        "--out",
        &out,
    ];
    let broken = scratch.write("7.png", "no image");
    let answer = run("tailfold quantize", &args).ended_with(0);
    let warning = format!("warning: {broken} cannot be decoded and is left out");
    assert!(answer.stderr.contains(&warning), "{}", answer.stderr);
    let json = answer.json();
    assert_eq!(json["skipped_images"], serde_json::json!([broken]));
    assert_eq!(json["calibration_images"], images.len() - 1);
    std::fs::remove_file(&out).unwrap();
    scratch.write("50.png", "none either");
    refused(
        &scratch,
        "tailfold quantize",
        &args,
        &[
            "2 of 118 calibration images cannot be decoded, more than one in a hundred",
            &broken,
        ],
    );
}

#[test]
fn class_without_images_is_error_unless_accepted() {
    let scratch = Scratch::new();
    let images = embedded("split=train&per-class=2");
    let model = scratch.write("model.onnx", renamed().to_bytes());
    for i in (0..images.len()).filter(|&i| images.labels()[i] != 3) {
        let png = images.image(i).unwrap().to_png().unwrap();
        scratch.write(
            &format!("images/{}/{i}.png", class(images.labels()[i])),
            png,
        );
    }
    scratch.folder("images/c3");
    let out = scratch.at("out.onnx");
    let data = format!("folder:{}", scratch.at("images"));
    let args = ["--model", &model, "--calibration", &data, "--out", &out];
    refused(
        &scratch,
        "tailfold quantize",
        &args,
        &["`c3`", "has no image in"],
    );
    run(
        "tailfold quantize",
        &[&args[..], &["--allow-missing"]].concat(),
    )
    .ended_with(0);
}

#[test]
fn model_without_metadata_needs_mean_and_std() {
    let mut proto = fixture().model.proto().clone();
    proto.metadata_props.clear();
    let bare = Model::from_proto(proto, "bare").unwrap();
    check(&bare, TRAIN, &["--mean and --std", "--calibration-f32"]);
    let flags = ["--mean", "0.286", "--std", "0.353"];
    check(
        &fixture().model,
        &[TRAIN, &["--mean", "0.5", "--std", "0.353"]].concat(),
        &[
            "the model's metadata says mean [0.286",
            "but [0.5] was given",
        ],
    );
    check(
        &bare,
        &[TRAIN, &["--mean", "0.286,0.5", "--std", "0.353,0.5"]].concat(),
        &["preprocess.mean has 2 values for 1 channels"],
    );
    check(
        &bare,
        &[TRAIN, &["--mean", "127", "--std", "51"]].concat(),
        &[
            "--mean has 127, expected values on the 0..1 scale",
            "--mean 0.4980 --std 0.2000",
        ],
    );
    check(
        &bare,
        &[],
        &["give --calibration SPEC or --calibration-f32 FILE"],
    );
    let scratch = Scratch::new();
    let file = scratch.write("model.onnx", bare.to_bytes());
    let (flat, carded) = (scratch.at("flat.onnx"), scratch.at("carded.onnx"));
    let args = [&["--model", &file, "--out", &flat], TRAIN, &flags].concat();
    run("tailfold quantize", &args).ended_with(0);
    let own = scratch.write("own.onnx", fixture().model.to_bytes());
    let args = [&["--model", &own, "--out", &carded], TRAIN].concat();
    run("tailfold quantize", &args).ended_with(0);
    let [flat, carded] = [flat, carded].map(|path| Model::read(path.as_ref()).unwrap());
    assert_eq!(flat.graph(), carded.graph());
    assert!(flat.props().contains_key("tailfold.quantization"));
    let again = [TRAIN, &flags].concat();
    check(&flat, &again, &["the model is already quantized"]);
    let short = scratch.write("short.f32", [0; 100]);
    let out = scratch.at("out.onnx");
    let args = ["--model", &file, "--calibration-f32", &short, "--out", &out];
    refused(
        &scratch,
        "tailfold quantize",
        &args,
        &[
            &short,
            "100 bytes are not a whole number of images of [1, 28, 28], 3136 bytes each",
        ],
    );
}

#[test]
fn error_of_a_file_that_is_not_a_model_names_the_file_once() {
    let scratch = Scratch::new();
    let damaged = scratch.write("damaged.onnx", "text");
    let (missing, out) = (scratch.at("missing.onnx"), scratch.at("out.onnx"));
    for file in [damaged, missing] {
        let args = [&["--model", &file, "--out", &out], TRAIN].concat();
        let answer = refused(&scratch, "tailfold quantize", &args, &[&file]);
        assert_eq!(answer.stderr.matches(&file).count(), 1, "{}", answer.stderr);
    }
}

#[test]
fn half_precision_on_tract_is_error() {
    check(
        &fixture().model,
        &["--precision", "fp16", "--target", "tract"],
        &["tract does not run half precision"],
    );
    let scratch = Scratch::new();
    let file = scratch.write("model.onnx", fixture().model.to_bytes());
    let out = scratch.at("half.onnx");
    let args = ["--model", &file, "--precision", "fp16", "--out", &out];
    run("tailfold quantize", &args).ended_with(0);
    let half = Model::read(out.as_ref()).unwrap();
    let casts: Vec<&NodeProto> = half.nodes().iter().filter(|n| n.is("Cast")).collect();
    assert_eq!(casts.len(), 2);
    assert_eq!(half.card().unwrap().quantization.unwrap().precision, "fp16");
    // A model in half precision or INT8 is not converted to half precision.
    check(
        &half,
        &["--precision", "fp16"],
        &["the model is already in half precision: `"],
    );
    let int8 = scratch.at("int8.onnx");
    let args = [&["--model", &file, "--out", &int8], TRAIN].concat();
    run("tailfold quantize", &args).ended_with(0);
    let int8 = Model::read(int8.as_ref()).unwrap();
    check(
        &int8,
        &["--precision", "fp16"],
        &[
            "the model is already quantized: node `",
            "` is a QuantizeLinear",
        ],
    );
}
