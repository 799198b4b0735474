//! Models, images and policies that must not be compared.

use tailfold_onnx::Model;
use tailfold_onnx::proto::{DataType, Dimension, ValueInfoProto};
use tailfold_spec::ModelCard;

use super::refused;
use crate::fixture::{embedded, fixture, int8};
use crate::scratch::Scratch;

const TEST: &str = "embedded?split=test&per-class=13";

/// Checks that a comparison of the two is an error with the texts of `expect`, on stderr and as JSON.
#[track_caller]
fn check(scratch: &Scratch, reference: &Model, candidate: &Model, more: &[&str], expect: &[&str]) {
    let reference = scratch.write("reference.onnx", reference.to_bytes());
    let candidate = scratch.write("candidate.onnx", candidate.to_bytes());
    let mut args = vec![
        "parity",
        "--json",
        "--reference",
        &reference,
        "--candidate",
        &candidate,
    ];
    args.extend(more);
    if !more.contains(&"--data") {
        args.extend(["--data", TEST]);
    }
    let report = refused(scratch, "tailfold", &args, expect).json();
    assert_eq!(report["verdict"], "error");
    let reason = report["reasons"][0].as_str().unwrap();
    assert!(expect.iter().all(|text| reason.contains(text)), "{reason}");
}

/// Checks `other` against the fixture's model, once as the candidate and once as the reference.
#[track_caller]
fn check_both(other: &Model, expect: &[&str], expect_swapped: &[&str]) {
    let scratch = Scratch::new();
    check(&scratch, &fixture().model, other, &[], expect);
    check(&scratch, other, &fixture().model, &[], expect_swapped);
}

fn recarded(model: &Model, edit: impl FnOnce(&mut ModelCard)) -> Model {
    let mut model = model.clone();
    let mut card = model.card().unwrap();
    edit(&mut card);
    model.set_card(&card);
    model
}

/// The fixture's model without its last class.
fn of_nine_classes() -> Model {
    let mut model = fixture().model.clone();
    for name in ["head.weight", "head.bias"] {
        let (mut shape, mut values) = model.initializer_f32(name).unwrap();
        values.truncate(values.len() / 10 * 9);
        shape[0] = 9;
        model.set_initializer_f32(name, &shape, &values);
    }
    let name = model.output().unwrap().name().to_owned();
    let dims = vec![Dimension::symbol("N"), Dimension::fixed(9)];
    model.graph_mut().output[0] = ValueInfoProto::tensor(name, DataType::Float, dims);
    recarded(&model, |card| {
        card.classes.truncate(9);
        card.train_counts.truncate(9);
        card.offsets.as_mut().unwrap().offsets.truncate(9);
    })
}

#[test]
fn models_with_different_classes_are_errors() {
    check_both(
        &of_nine_classes(),
        &["the reference has 10 classes but the candidate has 9"],
        &["the reference has 9 classes but the candidate has 10"],
    );
    let reordered = recarded(&fixture().model, |card| card.classes.swap(3, 4));
    check_both(
        &reordered,
        &[
            "class 3 is `Dress` in the reference but `Coat` in the candidate: the same classes in another order",
        ],
        &["class 3 is `Coat` in the reference but `Dress` in the candidate"],
    );
    let renamed = recarded(&fixture().model, |card| card.classes[9] = "Boot".to_owned());
    check_both(
        &renamed,
        &["class 9 is `Ankle boot` in the reference but `Boot` in the candidate"],
        &["class 9 is `Boot` in the reference"],
    );
    let recounted = recarded(&fixture().model, |card| card.train_counts[8] = 17);
    check_both(
        &recounted,
        &["class 8 `Bag` has 16 training images in the reference but 17 in the candidate"],
        &["class 8 `Bag` has 17 training images in the reference"],
    );
}

#[test]
fn forms_of_different_models_are_errors() {
    let scratch = Scratch::new();
    let model = &fixture().model;
    let brighter = recarded(int8(), |card| card.preprocess.mean = vec![0.5]);
    let expect = ["preprocess.mean is [0.286", "in the reference and [0.5]"];
    check(&scratch, model, &brighter, &[], &expect);
    let hash = tailfold_spec::artifact::sha256(&fixture().unfolded.to_bytes());
    let expect = [
        "was quantized from the file with SHA-256",
        "but the reference's is",
        &hash,
    ];
    check(&scratch, &fixture().unfolded, int8(), &[], &expect);
    let headless = recarded(int8(), |card| {
        let record = card.quantization.as_mut().unwrap();
        record.calibration_counts[8..].fill(0);
    });
    let expect = ["without an image of group few (2 classes, the first 8 `Bag`)"];
    check(&scratch, model, &headless, &[], &expect);
}

#[test]
fn policy_of_another_model_is_error() {
    let scratch = Scratch::new();
    let policy = scratch.write("parity.toml", "model = \"pets\"\n");
    let expect = ["the policy is for the model `pets`, but this is `fixture`"];
    let (model, policy) = (&fixture().model, ["--policy", &policy]);
    check(&scratch, model, model, &policy, &expect);
}

/// A CSV data set of the test images for which `keep` returns a label.
fn csv(scratch: &Scratch, keep: impl Fn(usize) -> Option<usize>) -> String {
    scratch.write("classes.txt", fixture().card.classes.join("\n"));
    let images = embedded(TEST.trim_start_matches("embedded?"));
    let mut rows = "file,label\n".to_owned();
    for (i, label) in images.labels().iter().enumerate() {
        if let Some(label) = keep(*label) {
            let png = images.image(i).unwrap().to_png().unwrap();
            scratch.write(&format!("{i}.png"), png);
            rows += &format!("{i}.png,{label}\n");
        }
    }
    format!("csv:{}", scratch.write("labels.csv", rows))
}

#[test]
fn missing_labels_and_groups_are_errors() {
    let scratch = Scratch::new();
    let model = &fixture().model;
    let data = csv(&scratch, |label| Some(if label == 7 { 12 } else { label }));
    let expect = ["labels.csv", "label 12, but there are 10 classes"];
    check(&scratch, model, model, &["--data", &data], &expect);
    let data = csv(&scratch, |label| (label < 8).then_some(label)) + "?empty=allow";
    let expect = ["group few has 2 classes but no image"];
    check(&scratch, model, model, &["--data", &data], &expect);
}

#[test]
fn reference_at_chance_level_is_error() {
    let scratch = Scratch::new();
    let data = csv(&scratch, |label| Some((label + 1) % 10));
    let expect = [
        "the reference is right on",
        "of 130 images",
        "would be chance",
    ];
    let model = &fixture().model;
    let reference = scratch.write("reference.onnx", model.to_bytes());
    let args = [
        "parity",
        "--reference",
        &reference,
        "--candidate",
        &reference,
    ];
    let args = [&args[..], &["--data", &data, "--json"]].concat();
    let report = crate::programs::run("tailfold", &args).ended_with(2).json();
    assert_eq!(
        (&report["verdict"], &report["decided_by"]),
        (&"error".into(), &"chance".into())
    );
    let reason = report["reasons"][0].as_str().unwrap();
    assert!(expect.iter().all(|text| reason.contains(text)), "{reason}");
}

#[test]
fn repeated_and_training_images_are_errors() {
    let scratch = Scratch::new();
    let model = &fixture().model;
    let data = csv(&scratch, Some);
    let path = scratch.at("labels.csv");
    // One of 130 images is repeated: 0.8 %.
    let rows = std::fs::read_to_string(&path).unwrap();
    let first = rows.lines().nth(1).unwrap();
    scratch.write("labels.csv", format!("{rows}{first}\n"));
    let again = [
        "1 of 131 evaluation images repeat another one",
        "0.png (image 130) is",
        "0.png (image 0)",
    ];
    check(&scratch, model, model, &["--data", &data], &again);
    // The training images count, not the name of the split.
    let shared = [
        "130 of 130 evaluation images are training images of embedded?split=test, the first embedded/test.png#",
    ];
    let training = ["--training", "embedded?split=test"];
    check(&scratch, model, model, &training, &shared);
    let missing = ["--training", "folder:nowhere"];
    check(&scratch, model, model, &missing, &["--training", "nowhere"]);
}
