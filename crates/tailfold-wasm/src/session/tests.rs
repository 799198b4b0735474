use std::fs;

use serde_json::Value;
use tailfold_data::{Dataset, Pixels};

use super::*;

fn model(file: &str) -> Vec<u8> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    fs::read(format!("{root}/models/fashion-lt/{file}")).unwrap()
}

fn read(answer: &str) -> Value {
    serde_json::from_str(answer).unwrap()
}

#[test]
fn classify_gives_names_and_logits() {
    let mut session = Session::default();
    let opened = read(&session.open(&model("fashion-lt.int8.onnx")));
    assert_eq!(opened["classes"].as_array().unwrap().len(), 10);
    assert_eq!(
        (&opened["channels"], &opened["width"]),
        (&1.into(), &28.into())
    );
    let spec = "embedded?split=test&limit=1".parse().unwrap();
    let png = Dataset::open(&spec)
        .unwrap()
        .image(0)
        .unwrap()
        .to_png()
        .unwrap();
    let answer = read(&session.classify(&png, 2));
    let top = answer["top"].as_array().unwrap();
    assert_eq!(top.len(), 2);
    let class = usize::try_from(top[0]["class"].as_u64().unwrap()).unwrap();
    assert_eq!(top[0]["name"], opened["classes"][class]);
    let logits = answer["logits"].as_array().unwrap();
    assert_eq!(logits.len(), 10);
    let logit = |value: &Value| value.as_f64().unwrap();
    assert!(
        logits
            .iter()
            .all(|other| logit(other) <= logit(&logits[class]))
    );
}

#[test]
fn image_of_any_size_is_classified() {
    let mut session = Session::default();
    session.open(&model("fashion-lt.int8.onnx"));
    let photo = Pixels {
        height: 60,
        width: 100,
        channels: 3,
        values: vec![90; 60 * 100 * 3],
    };
    let answer = read(&session.classify(&photo.to_png().unwrap(), 1));
    assert_eq!(answer["error"], Value::Null, "{answer}");
}

#[test]
fn failures_name_the_cause_and_failed_open_leaves_no_model() {
    let mut session = Session::default();
    let none = |session: &mut Session| {
        let answer = read(&session.classify(&[], 1));
        answer["error"].as_str().unwrap().contains("no model")
    };
    assert!(none(&mut session));
    session.open(&model("fashion-lt.int8.onnx"));
    let image = read(&session.classify(b"no image", 1));
    assert!(
        image["error"].as_str().unwrap().contains("the image"),
        "{image}"
    );
    let float = read(&session.open(&model("fashion-lt.onnx")));
    assert!(
        float["error"].as_str().unwrap().starts_with("the model: "),
        "{float}"
    );
    assert!(none(&mut session));
}
