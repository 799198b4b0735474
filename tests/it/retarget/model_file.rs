//! `tailfold export --model`: folds offsets into the last bias of a third-party model.

use std::fs;

use tailfold_onnx::Model;
use tailfold_onnx::proto::{DataType, Dimension, NodeProto, ValueInfoProto};
use tailfold_spec::CardParts;

use super::{MILD, RUN, TEST, VAL, column, export, logits, numbers};
use crate::programs::{Answer, root, run};
use crate::scratch::Scratch;

/// Writes the run's float network without offsets and metadata, edited by `edit`, and returns its path.
fn third_party(scratch: &Scratch, name: &str, edit: impl Fn(&mut Model)) -> String {
    let plain = scratch.at("plain.onnx");
    export(RUN, &plain, &["--offsets", "drop"]).ended_with(0);
    let mut proto = Model::read(plain.as_ref()).unwrap().proto().clone();
    fs::remove_file(&plain).unwrap();
    proto.metadata_props.clear();
    let mut model = Model::from_proto(proto, name).unwrap();
    edit(&mut model);
    scratch.write(name, model.to_bytes())
}

/// Mean and standard deviation of the run's preprocessing, as flags.
fn normalisation() -> [String; 2] {
    let model = Model::read(&root().join(RUN).join("fashion-lt.onnx")).unwrap();
    let preprocess = model.card().unwrap().preprocess;
    let flag = |name: &str, value: f32| format!("--{name}={value}");
    [
        flag("mean", preprocess.mean[0]),
        flag("std", preprocess.std[0]),
    ]
}

fn export_file(model: &str, out: &str, options: &[&str]) -> Answer {
    let [mean, std] = normalisation();
    let own = ["export", "--model", model, "--out", out, &mean, &std];
    run("tailfold", &[&own, options].concat())
}

/// Appends a node that turns the logits into the new output.
fn append(model: &mut Model, node: &NodeProto) {
    let graph = model.graph_mut();
    graph.node.push(node.clone());
    let dims = vec![Dimension::symbol("N"), Dimension::fixed(10)];
    graph.output = vec![ValueInfoProto::tensor(
        &node.output[0],
        DataType::Float,
        dims,
    )];
}

fn solved(scratch: &Scratch) -> Vec<String> {
    let prior = scratch.write("prior.json", MILD);
    let words = ["--prior", &prior, "--calibration", VAL, "--json"];
    words.map(str::to_owned).to_vec()
}

#[test]
fn offsets_of_model_file_equal_offsets_of_run() {
    let scratch = Scratch::new();
    let options = solved(&scratch);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let of_run = export(RUN, &scratch.at("run.onnx"), &options);
    let of_run = of_run.ended_with(0).json();
    let plain = third_party(&scratch, "third_party.onnx", |_| {});
    let out = scratch.at("model.onnx");
    let of_file = export_file(
        &plain,
        &out,
        &[&options[..], &["--evaluate", TEST]].concat(),
    );
    let of_file = of_file.ended_with(0).json();
    assert_eq!(of_file["schema"], "tailfold.export/1");
    assert_eq!(of_file["offsets"], of_run["offsets"]);
    assert_eq!(
        of_file["verification"]["against"], "scores plus offsets",
        "{of_file:#}"
    );
    let report = &of_file["retarget"];
    assert_eq!(report["before"], "zeros");
    // A third-party file has no counts of training images.
    assert!(
        report["classes"][0]["group"].is_null() && report["classes"][0]["train_count"].is_null()
    );
    let (prior, mass) = (
        column(&report["classes"], "prior"),
        column(&report["classes"], "mass_after"),
    );
    assert!(prior.iter().zip(&mass).all(|(p, m)| (p - m).abs() < 1e-3));
    let kinds: Vec<&str> = report["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|warning| warning["kind"].as_str().unwrap())
        .collect();
    assert!(kinds.contains(&"training-images-unknown"), "{kinds:?}");

    // The file has class names, and its logits are the original logits plus the offsets.
    let [mean, std] = normalisation();
    let labels = scratch.write("labels.txt", labels(&out));
    let described = scratch.at("described.onnx");
    let describe = [
        "describe", "--model", &plain, "--labels", &labels, &mean, &std,
    ];
    run(
        "tailfold",
        &[&describe, &["--out", &described][..]].concat(),
    )
    .ended_with(0);
    let (before, _) = logits(&scratch, &described, TEST);
    let (after, _) = logits(&scratch, &out, TEST);
    let offsets = numbers(&of_file["offsets"]["offsets"]);
    assert!(before.iter().all(|value| value.is_finite()));
    for (at, (before, after)) in before.iter().zip(&after).enumerate() {
        let moved = f64::from(after - before);
        assert!((moved - offsets[at % 10]).abs() < 1e-4, "{at}: {moved}");
    }
}

#[test]
fn softmax_and_temperature_after_bias_are_kept() {
    let scratch = Scratch::new();
    let options = solved(&scratch);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let softmax = NodeProto::new("Softmax", "probabilities", ["logits"], ["probabilities"])
        .attr_int("axis", 1);
    let cold = NodeProto::new("Mul", "cold", ["logits", "two"], ["cold"]);
    for (node, last) in [(softmax, "Softmax"), (cold, "Mul")] {
        let model = third_party(&scratch, "file.onnx", |model| {
            model.set_initializer_f32("two", &[], &[2.0]);
            append(model, &node);
        });
        let out = scratch.at("model.onnx");
        export_file(&model, &out, &options).ended_with(0);
        let written = Model::read(out.as_ref()).unwrap();
        let output = written.output().unwrap().name();
        assert!(written.graph().producer(output).unwrap().is(last));
    }
}

#[test]
fn missing_bias_is_added() {
    let scratch = Scratch::new();
    let options = solved(&scratch);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let model = third_party(&scratch, "file.onnx", |model| {
        let head = model.graph_mut().node.last_mut().unwrap();
        assert!(head.is("Gemm"));
        head.input.truncate(2);
    });
    let answer = export_file(&model, &scratch.at("model.onnx"), &options);
    answer.ended_with(0);
}

#[test]
fn exported_file_works_with_other_commands() {
    let scratch = Scratch::new();
    let options = solved(&scratch);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let plain = third_party(&scratch, "third_party.onnx", |_| {});
    let out = scratch.at("model.onnx");
    let cells = [&options[..], &["--temperature", "0"]].concat();
    let answer = export_file(&plain, &out, &cells).ended_with(0);
    assert!(answer.stderr.contains("has no class names"), "{answer:?}");
    let [mean, std] = normalisation();
    let labels = scratch.write("labels.txt", labels(&out));
    let verify = [
        "verify",
        "--model",
        &out,
        "--unfolded",
        &plain,
        "--data",
        TEST,
    ];
    let flags = ["--labels", &labels, &mean, &std];
    run("tailfold", &[&verify[..], &flags].concat()).ended_with(0);
    let info = run("tailfold", &["info", "--json", "--model", &out]).ended_with(0);
    let info = info.json();
    assert_eq!(info["offsets"]["origin"], "resolved");
    assert!(info["train_counts"].is_null() && info["classes"][0] == "T-shirt/top");
    // Class counts can be added later with `describe`.
    let counts = scratch.write("counts.txt", "9\n".repeat(10));
    let described = scratch.at("described.onnx");
    let describe = ["describe", "--model", &out, "--counts", &counts];
    run(
        "tailfold",
        &[&describe[..], &["--out", &described]].concat(),
    )
    .ended_with(0);
    let int8 = scratch.at("int8.onnx");
    let train = "embedded?split=train";
    let quantize = ["quantize", "--model", &described, "--calibration", train];
    run("tailfold", &[&quantize[..], &["--out", &int8]].concat()).ended_with(0);
    let parity = ["parity", "--reference", &described, "--candidate", &int8];
    run("tailfold", &[&parity[..], &["--data", TEST]].concat()).ended_with(0);
    let short = scratch.write("short.txt", "9\n".repeat(9));
    let quantize = ["quantize", "--model", &out, "--calibration", train];
    let short = ["--counts", &short, "--out", &int8];
    let answer = run("tailfold", &[&quantize[..], &short].concat()).ended_with(2);
    assert!(
        answer.stderr.contains("9 training counts for 10 classes"),
        "{answer:?}"
    );
}

/// Class names in the metadata of the file `model`, one per line.
fn labels(model: &str) -> String {
    let props = Model::read(model.as_ref()).unwrap().props();
    let classes = CardParts::from_props(&props).unwrap().classes.unwrap();
    classes.join("\n")
}

/// Checks that the export of the file `model` with `options` is an error with the texts of `expect`.
#[track_caller]
fn refused(scratch: &Scratch, model: &str, options: &[&str], expect: &[&str]) {
    let before = scratch.listing();
    let answer = export_file(model, &scratch.at("model.onnx"), options).ended_with(2);
    for text in expect {
        assert!(answer.stderr.contains(text), "{text}: {}", answer.stderr);
    }
    assert_eq!(scratch.listing(), before, "files before and after");
}

#[test]
fn unfoldable_files_are_errors() {
    let scratch = Scratch::new();
    let options = solved(&scratch);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let shipped = |name: &str| root().join(RUN).join(name).display().to_string();
    let own = |model: &str, expect: &[&str]| {
        let out = scratch.at("model.onnx");
        let words = ["export", "--model", model, "--out", &out];
        let answer = run("tailfold", &[&words, &options[..]].concat()).ended_with(2);
        for text in expect {
            assert!(answer.stderr.contains(text), "{text}: {}", answer.stderr);
        }
    };
    own(
        &shipped("fashion-lt.onnx"),
        &["fashion-lt.onnx: offsets are already folded into this model"],
    );
    let quantized = third_party(&scratch, "int8.onnx", |model| {
        let mut proto = Model::read(shipped("fashion-lt.int8.onnx").as_ref())
            .unwrap()
            .proto()
            .clone();
        proto.metadata_props.clear();
        *model = Model::from_proto(proto, "int8").unwrap();
    });
    refused(
        &scratch,
        &quantized,
        &options,
        &["int8.onnx: the model is quantized"],
    );
    let relu = NodeProto::new("Relu", "clipped", ["logits"], ["clipped"]);
    let relu = third_party(&scratch, "relu.onnx", |model| append(model, &relu));
    refused(
        &scratch,
        &relu,
        &options,
        &["relu.onnx: node `clipped` (Relu) stands between the last bias and the logits"],
    );
    let two = third_party(&scratch, "two.onnx", |model| {
        let second = model.graph().node[0].output[0].clone();
        let dims = vec![Dimension::symbol("N")];
        let port = ValueInfoProto::tensor(&second, DataType::Float, dims);
        model.graph_mut().output.push(port);
    });
    refused(&scratch, &two, &options, &["2 outputs", "`--output`"]);
}

#[test]
fn priors_and_images_of_other_classes_are_errors() {
    let scratch = Scratch::new();
    let model = third_party(&scratch, "file.onnx", |_| {});
    let short = scratch.write("short.json", "[1, 1, 1]");
    refused(
        &scratch,
        &model,
        &["--prior", &short, "--calibration", VAL],
        &["short.json", "3 masses", "10 classes"],
    );
    let train = ["--prior", "train", "--calibration", VAL];
    refused(
        &scratch,
        &model,
        &train,
        &["prior `train`: the number of training images of each class is unknown"],
    );
    let labels = scratch.write("labels.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n");
    let named = [
        "--prior",
        "uniform",
        "--calibration",
        VAL,
        "--labels",
        &labels,
    ];
    refused(&scratch, &model, &named, &["class 0 is `a` in the model"]);
    let few = scratch.write("few.txt", "a\nb\nc\n");
    let named = ["--prior", "uniform", "--calibration", VAL, "--labels", &few];
    refused(
        &scratch,
        &model,
        &named,
        &["3 classes are named but the network has 10 outputs"],
    );
}
