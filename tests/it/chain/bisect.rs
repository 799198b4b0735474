//! `tailfold parity chain --bisect`: the result names the layer of a fault, and no layer of a sound pair.

use std::path::Path;

use serde_json::Value;
use tailfold_onnx::Model;

use crate::programs::{Answer, root, run};
use crate::scratch::Scratch;

fn shipped(name: &str) -> String {
    let path = root().join("models/fashion-lt").join(name);
    path.to_str().unwrap().to_owned()
}

fn bisect(candidate: &str) -> Answer {
    let (float, policy) = (shipped("fashion-lt.onnx"), shipped("parity.toml"));
    let args = [
        "parity",
        "chain",
        "--json",
        "--bisect",
        "--reference",
        &float,
        "--candidate",
        candidate,
        "--data",
        "embedded?split=test",
        "--policy",
        &policy,
    ];
    run("tailfold", &args)
}

/// The shipped INT8 model with the constant `name` multiplied by 8, in channel 3 only if it has channels.
fn planted(name: &str) -> Vec<u8> {
    let mut model = Model::read(Path::new(&shipped("fashion-lt.int8.onnx"))).unwrap();
    let (shape, mut values) = model.initializer_f32(name).unwrap();
    let place = if values.len() > 1 { 3 } else { 0 };
    values[place] *= 8.0;
    model.set_initializer_f32(name, &shape, &values);
    model.to_bytes()
}

/// Checks the invariants of a bisection: cuts are in order, and they repair no flip at the image and all at the logits.
fn sound(found: &Value) {
    let flips = found["flips"].as_u64().unwrap();
    assert!(flips > 0 && found["controls"] == flips, "{found}");
    let rows = found["tensors"].as_array().unwrap();
    let cuts: Vec<&Value> = rows.iter().filter(|row| !row["cut"].is_null()).collect();
    let repaired = |row: &Value| row["cut"]["repaired"].as_u64().unwrap();
    let (first, last) = (cuts.first().unwrap(), cuts.last().unwrap());
    assert_eq!(
        (first["tensor"].as_str(), repaired(first)),
        (Some("image"), 0)
    );
    assert_eq!(
        (last["tensor"].as_str(), repaired(last)),
        (Some("logits"), flips)
    );
    let from = found["stretch"]["from"].as_str().unwrap();
    let to = found["stretch"]["to"].as_str().unwrap();
    let half = cuts
        .iter()
        .position(|row| 2 * repaired(row) >= flips)
        .unwrap();
    assert_eq!(cuts[half]["tensor"], to, "{found}");
    assert_eq!(cuts[half - 1]["tensor"], from, "{found}");
}

#[test]
fn fault_in_layer_is_named() {
    let scratch = Scratch::new();
    for layer in [
        "stem.conv",
        "blocks.0.conv2",
        "blocks.1.conv1",
        "blocks.2.conv1",
        "head",
    ] {
        let candidate = scratch.write("int8.onnx", planted(&format!("{layer}.weight.scale")));
        let answer = bisect(&candidate);
        assert!(matches!(answer.code, Some(1 | 3)), "{layer}: {answer:?}");
        let found = answer.json()["bisect"].take();
        sound(&found);
        assert_eq!(found["culprit"]["name"], layer, "{found}");
        assert_eq!(found["culprit"]["part"], "node", "{found}");
        let nodes = found["stretch"]["nodes"].as_array().unwrap();
        assert!(nodes.iter().any(|node| node == layer), "{layer}: {nodes:?}");
        // The faulty node is the only noisy node.
        let outliers = found["outliers"].as_array().unwrap();
        let nodes: Vec<&Value> = outliers.iter().filter(|o| o["part"] == "node").collect();
        assert!(
            nodes.len() == 1 && nodes[0]["name"] == layer,
            "{outliers:?}"
        );
    }
}

#[test]
fn fault_in_quantization_of_tensor_is_named() {
    let scratch = Scratch::new();
    for tensor in ["image", "stem.relu"] {
        let candidate = scratch.write("int8.onnx", planted(&format!("{tensor}.scale")));
        let found = bisect(&candidate).json()["bisect"].take();
        sound(&found);
        assert_eq!(found["culprit"]["name"], tensor, "{found}");
        assert_eq!(found["culprit"]["part"], "codes", "{found}");
    }
}

#[test]
fn sound_pair_has_no_culprit() {
    let answer = bisect(&shipped("fashion-lt.int8.onnx"))
        .ended_with(0)
        .json();
    assert_eq!(answer["verdict"], "pass");
    let found = &answer["bisect"];
    sound(found);
    assert_eq!(found["culprit"], Value::Null, "{found}");
    assert_eq!(found["outliers"], Value::Array(Vec::new()), "{found}");
    assert_eq!(found["matched_tensors"], found["reference_tensors"]);
    let conclusion = found["conclusion"].as_str().unwrap();
    assert!(
        conclusion.starts_with("no single part explains"),
        "{conclusion}"
    );
}

#[test]
fn different_tensor_names_are_error() {
    let scratch = Scratch::new();
    let mut model = Model::read(Path::new(&shipped("fashion-lt.int8.onnx"))).unwrap();
    let graph = model.graph_mut();
    let output = graph.output[0].name().to_owned();
    let ports = [graph.input[0].name().to_owned(), output];
    let constants: Vec<String> = graph
        .initializer
        .iter()
        .map(|t| t.name().to_owned())
        .collect();
    for node in &mut graph.node {
        for value in node.input.iter_mut().chain(&mut node.output) {
            if !ports.contains(value) && !constants.contains(value) {
                *value = format!("their.{value}");
            }
        }
    }
    graph.value_info.clear();
    let candidate = scratch.write("int8.onnx", model.to_bytes());
    let answer = bisect(&candidate).ended_with(2);
    for text in [
        "cannot bisect",
        "no inner tensor of",
        &candidate,
        "matched by name,",
    ] {
        assert!(answer.stderr.contains(text), "{}", answer.stderr);
    }
}

#[test]
fn identical_models_have_nothing_to_bisect() {
    let found = bisect(&shipped("fashion-lt.onnx"));
    // The integer kernels cannot run a float model, and the result reports that.
    let answer = found.ended_with(0).json();
    let absent = answer["not_at_hand"].as_array().unwrap();
    assert!(absent.iter().any(|a| a["backend"] == "integer"), "{answer}");
    assert_eq!(answer["bisect"]["flips"], 0);
    let conclusion = answer["bisect"]["conclusion"].as_str().unwrap();
    assert!(conclusion.starts_with("no decision flips"), "{conclusion}");
}
