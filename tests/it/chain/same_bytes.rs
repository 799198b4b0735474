//! The same input gives the same bytes, and quantized logits stay near float logits.

use std::fs;

use tailfold_onnx::Model;
use tailfold_spec::artifact;

use crate::fixture::{embedded, fixture, logits};
use crate::programs::{command, finish, run, xtask};
use crate::scratch::Scratch;

#[test]
fn two_exports_are_byte_equal() {
    let scratch = Scratch::new();
    let run = fixture().write_run(&scratch, "run");
    let export = |name: &str, options: &[&str]| {
        let out = scratch.at(name);
        let mut export = xtask();
        export.args(["export", "--json", "--run", &run, "--out", &out]);
        let answer = finish(export.args(options)).ended_with(0).json();
        let bytes = fs::read(&out).unwrap();
        assert_eq!(answer["schema"], "tailfold.export/1");
        assert_eq!(answer["sha256"], artifact::sha256(&bytes));
        assert_eq!(answer["verification"]["holds"], true);
        bytes
    };
    let bytes = export("a.onnx", &[]);
    assert_eq!(bytes, export("b.onnx", &[]));
    assert_ne!(bytes, export("c.onnx", &["--offsets", "drop"]));
    // Reading and writing the model does not change it.
    let model = Model::from_bytes(&bytes, "a.onnx").unwrap();
    assert_eq!(model.to_bytes(), bytes);
    assert_eq!(model, fixture().model);
}

#[test]
fn quantization_does_not_depend_on_thread_count() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    for (observer, target) in [
        ("minmax", "tract"),
        ("moving-average", "ort-x86"),
        ("percentile:99.9", "tract"),
        ("mse", "tensorrt"),
        ("entropy", "ort-x86"),
    ] {
        let quantize = |threads: &str| {
            let out = scratch.at(&format!("int8-{threads}.onnx"));
            let list = scratch.at("calibration.csv");
            let mut quant = command("tailfold quantize");
            quant
                .env("RAYON_NUM_THREADS", threads)
                .args(["--model", &model, "--per-class", "8"]);
            quant.args([
                "--calibration",
                "embedded?split=train",
                "--observer",
                observer,
                "--target",
                target,
            ]);
            quant.args([
                "--evaluation",
                "embedded?split=test",
                "--out",
                &out,
                "--list",
                &list,
                "--json",
            ]);
            let answer = finish(&mut quant).ended_with(0).json();
            let (bytes, list) = (fs::read(&out).unwrap(), fs::read_to_string(list).unwrap());
            assert_eq!(answer["schema"], "tailfold.quantize/1");
            assert_eq!(answer["sha256"], artifact::sha256(&bytes));
            assert_eq!(answer["calibration_images"], 80);
            assert_eq!(list.lines().count(), 81);
            (bytes, list)
        };
        assert_eq!(quantize("1"), quantize("2"), "{observer}");
    }
}

#[test]
fn quantized_logits_stay_near_float_logits() {
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let out = scratch.at("int8.onnx");
    let calibration = "embedded?split=train";
    let args = [
        "--model",
        &model,
        "--calibration",
        calibration,
        "--out",
        &out,
    ];
    run("tailfold quantize", &args).ended_with(0);
    let images = embedded("split=test&limit=300");
    let float = logits(&fixture().model, &images);
    let int8 = logits(&Model::read(out.as_ref()).unwrap(), &images);
    let square =
        |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>();
    let mean = float.values().iter().sum::<f32>() / float.values().len() as f32;
    let spread = square(&mut float.values().iter().map(|v| v - mean)).sqrt();
    let distance = square(&mut float.values().iter().zip(int8.values()).map(|(a, b)| a - b)).sqrt();
    let relative = distance / spread;
    eprintln!("relative distance of the int8 logits: {relative:.4}");
    // Each of nine layers has a half-step error of 1/510 of its range. One wrong scale would give an error near 1.
    assert!(relative < 0.1, "{relative}");
    assert!(relative > 1e-6, "nothing was quantized: {relative}");
}
