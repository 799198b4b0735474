//! Integer kernels: agreement with unmodified tract, and the programs that run them.

use tailfold_spec::{Classifier as _, ImageBatch, Logits, RunError};
use tailfold_tract::TractClassifier;

use crate::fixture::{embedded, int8, logits};
use crate::programs::{command, finish, run};
use crate::scratch::Scratch;

const INT8: &str = "models/fashion-lt/fashion-lt.int8.onnx";
const FLOAT: &str = "models/fashion-lt/fashion-lt.onnx";

#[test]
fn integer_kernels_agree_with_float_arithmetic_on_quantized_values() {
    let data = embedded("split=test&per-class=30");
    let model = int8();
    let ours = logits(model, &data);
    let mut stock = TractClassifier::stock(model, "stock").unwrap();
    let integer = TractClassifier::from_onnx(&model.to_bytes(), "integer").unwrap();
    let weighted = |operator: &str| ["Conv", "Gemm"].contains(&operator);
    let kernels = integer.nodes().iter().filter(|n| weighted(&n.operator));
    assert!(kernels.clone().count() > 7 && kernels.clone().all(|n| n.kernel.is_some()));
    let spec = model.card().unwrap().preprocess;
    let mut same = 0;
    for i in 0..data.len() {
        let image = data.image(i).unwrap();
        let values = tailfold_data::preprocess(&image, &spec).unwrap();
        let [c, h, w] = stock.input_shape();
        let batch = ImageBatch::new(values, [1, c, h, w]).unwrap();
        let theirs = stock.logits(&batch).unwrap();
        let row = &ours.values()[i * ours.num_classes()..][..ours.num_classes()];
        let [a, b] = [row, theirs.values()].map(|row| Logits::top1(row).unwrap().0);
        same += usize::from(a == b);
    }
    assert_eq!(data.len(), 300);
    assert!(
        same >= 298,
        "the same top-1 class for only {same} of 300 images"
    );
}

#[test]
fn nan_input_is_error() {
    let mut classifier = TractClassifier::from_onnx(&int8().to_bytes(), "integer").unwrap();
    let mut values = vec![0.5; 28 * 28];
    values[37] = f32::NAN;
    let batch = ImageBatch::new(values, [1, 1, 28, 28]).unwrap();
    match classifier.logits(&batch) {
        Err(RunError::Backend { message, .. }) => {
            assert!(
                message.contains("input value 37 is not a number"),
                "{message}"
            );
        }
        other => panic!("{other:?}"),
    }
}

/// The instruction sets of this machine, the widest first, from the error for an unknown one.
fn instruction_sets() -> Vec<String> {
    let mut unknown = command("tailfold");
    unknown
        .args(["info", "--model", INT8])
        .env("TAILFOLD_ISA", "mmx");
    let refused = finish(&mut unknown).ended_with(2);
    let message = "TAILFOLD_ISA is `mmx`; this machine has ";
    let (_, sets) = refused.stderr.split_once(message).unwrap();
    let sets = sets.split_once(':').map_or(sets, |(sets, _)| sets);
    let sets: Vec<_> = sets.trim().split(", ").map(str::to_owned).collect();
    assert_eq!(
        sets.last().map(String::as_str),
        Some("portable"),
        "{sets:?}"
    );
    sets
}

#[test]
fn info_reports_kernel_of_each_node_and_can_require_integers() {
    for isa in instruction_sets() {
        let mut command = command("tailfold");
        command.args(["info", "--model", INT8, "--require-integer", "--json"]);
        let said = finish(command.env("TAILFOLD_ISA", &isa));
        let said = said.ended_with(0).json();
        let nodes = said["nodes"].as_array().unwrap();
        let kernel = |operator: &str| {
            let mut found = nodes.iter().filter(|n| n["operator"] == operator);
            found.next().unwrap()["kernel"].clone()
        };
        // The convolution before an Add computes it. With quads, the direct kernel is faster than Winograd's.
        let four = isa.ends_with("vnni") || isa == "neon-dotprod";
        let expected = if four { "direct" } else { "winograd" };
        assert_eq!(kernel("Add"), expected, "{isa}");
        // The mean and the norm of a cosine head are one kernel.
        assert_eq!(kernel("GlobalAveragePool"), "unit mean");
        assert_eq!(kernel("Sqrt"), "unit mean");
    }
    let refused = run("tailfold", &["info", "--model", FLOAT, "--require-integer"]).ended_with(2);
    assert!(
        refused.stderr.contains("not all layers run with integers"),
        "{refused:?}"
    );
    assert!(refused.stderr.contains("stem.conv"), "{refused:?}");
}

#[test]
fn integer_back_end_gives_same_result_on_two_threads_and_rejects_float() {
    let scratch = Scratch::new();
    let image = scratch.at("boot.png");
    let pixels = embedded("split=test&per-class=1").image(0).unwrap();
    std::fs::write(&image, pixels.to_png().unwrap()).unwrap();
    let answer = |options: &[&str]| {
        let command = ["classify", "--model", INT8, "--json", &image];
        let said = run("tailfold", &[&command[..], options].concat());
        let said = said.ended_with(0).json();
        (said["backend"].clone(), said["images"][0]["top"].clone())
    };
    let (backend, expected) = answer(&[]);
    assert_eq!(backend, "tract");
    let alone = answer(&["--backend", "integer", "--threads", "2"]);
    assert_eq!(alone, ("integer".into(), expected));
    let refused = run(
        "tailfold",
        &["classify", "--model", FLOAT, "--backend", "integer", &image],
    );
    let message = "fashion-lt.onnx: the model does not run with integers alone";
    let refused = refused.ended_with(2);
    assert!(refused.stderr.contains(message), "{refused:?}");
    assert!(refused.stderr.contains("stem.conv"), "{refused:?}");
}

#[test]
fn every_instruction_set_writes_same_logits() {
    let scratch = Scratch::new();
    let mut files = Vec::new();
    for isa in instruction_sets() {
        let out = scratch.at(&format!("{isa}.safetensors"));
        let mut command = command("tailfold");
        let data = "embedded?split=test&per-class=20";
        command.args(["logits", "--model", INT8, "--data", data]);
        command.arg("--out").arg(&out).env("TAILFOLD_ISA", &isa);
        finish(&mut command).ended_with(0);
        files.push((isa, std::fs::read(out).unwrap()));
    }
    let (first, expected) = &files[0];
    for (isa, found) in &files {
        assert!(found == expected, "{isa} and {first} differ");
    }
}

#[test]
fn bench_interleaves_contenders() {
    let said = run(
        "tailfold",
        &[
            "bench",
            "--model",
            INT8,
            "--float",
            FLOAT,
            "--rounds",
            "2",
            "--json",
            "--data",
            "embedded?split=test",
        ],
    );
    let said = said.ended_with(0).json();
    assert_eq!(said["schema"], "tailfold.bench/1");
    let rows = said["rows"].as_array().unwrap();
    let names: Vec<_> = rows.iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["tract", "tract-stock", "tract-stock, float"]);
    for row in rows {
        let [min, median, p95] =
            ["min", "median", "p95"].map(|k| row["wall_ms"][k].as_f64().unwrap());
        assert!(min > 0.0 && min <= median && median <= p95, "{row}");
        assert!(row["cpu_ms"]["median"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["cold_start_ms"].as_f64().unwrap() > 0.0, "{row}");
        assert_eq!(row["first_class"], rows[0]["first_class"], "{row}");
    }
    assert!(
        rows[0]["kernel"].as_str().unwrap().starts_with("integer"),
        "{rows:?}"
    );
    let layers = run(
        "tailfold",
        &[
            "bench", "--model", INT8, "--layers", "--rounds", "1", "--json",
        ],
    );
    let layers = layers.ended_with(0).json();
    assert!(layers["peak"].as_f64().unwrap() > 1e8, "{layers}");
    let list = layers["layers"].as_array().unwrap();
    assert!(
        // The kernel depends on the instruction set.
        list.iter()
            .any(|l| (l["kernel"] == "winograd" || l["kernel"] == "direct")
                && l["of_peak"].as_f64() > Some(0.0))
    );
}

#[test]
fn invalid_output_of_contender_is_error() {
    let refused = run(
        "tailfold",
        &[
            "bench",
            "--model",
            INT8,
            "--rounds",
            "1",
            "--peer",
            "nonsense=echo hello",
        ],
    );
    let refused = refused.ended_with(2);
    assert!(
        refused
            .stderr
            .contains("contender `nonsense` answered \"hello"),
        "{refused:?}"
    );
    let refused = run(
        "tailfold",
        &["bench", "--model", FLOAT, "--layers", "--rounds", "1"],
    );
    let refused = refused.ended_with(2);
    assert!(
        refused
            .stderr
            .contains("no part of this model runs with integers"),
        "{refused:?}"
    );
}

#[test]
fn invalid_scale_is_error_before_any_run() {
    let scratch = Scratch::new();
    let mut model = int8().clone();
    model.set_initializer_f32("image.scale", &[], &[-1.0]);
    let path = scratch.write("unsound.onnx", model.to_bytes());
    let refused = run("tailfold", &["info", "--model", &path]).ended_with(2);
    let message = "node `image.quantize`: scale -1 is not positive and finite";
    assert!(refused.stderr.contains(message), "{refused:?}");
}
