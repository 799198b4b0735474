//! The answers of a re-targeted model match its report.

use std::fs;

use tailfold_onnx::{Model, OnnxErrorKind, fold_offsets};

use super::{MILD, RUN, TEST, VAL, column, export, logits, numbers};
use crate::programs::run;
use crate::scratch::Scratch;

#[test]
fn answer_frequencies_follow_prior() {
    let scratch = Scratch::new();
    let (prior, out) = (scratch.write("prior.json", MILD), scratch.at("model.onnx"));
    let options = ["--prior", &prior, "--calibration", VAL, "--json"];
    let options = [&options[..], &["--temperature", "0"]].concat();
    let report = export(RUN, &out, &options).ended_with(0).json();
    let target = numbers(&report["offsets"]["target"]);
    assert!((target[0] - 4.0 / 21.0).abs() < 1e-12 && (target[9] - 1.0 / 21.0).abs() < 1e-12);
    assert_eq!(report["offsets"]["source"], "prior-scores");
    assert_eq!(report["offsets"]["stop"], "converged");

    // The masses are computed from the file's logits. The 30 images of each class share the class's weight in the
    // prior.
    let (values, labels) = logits(&scratch, &out, VAL);
    let mut masses = vec![0.0; 10];
    for (row, &label) in values.chunks_exact(10).zip(&labels) {
        let best = (0..10).fold(0, |best, j| if row[j] > row[best] { j } else { best });
        masses[best] += target[label] / 30.0;
    }
    let rows = &report["retarget"]["classes"];
    for (class, (mass, said)) in masses.iter().zip(column(rows, "mass_after")).enumerate() {
        // The tolerance is half the weight of an image, so that every image is counted for the same class.
        assert!((mass - said).abs() < 5e-4, "class {class}: {mass}, {said}");
        let off = (mass - target[class]).abs() / target[class];
        assert!(off < 0.2, "class {class}: {mass} for {}", target[class]);
    }
    // The masses of a plain export are further from the prior.
    let distance = |masses: &[f64]| -> f64 {
        let off = masses.iter().zip(&target);
        off.map(|(m, nu)| (m - nu).powi(2) / nu).sum()
    };
    let before = column(rows, "mass_before");
    assert!(distance(&before) > 2.0 * distance(&masses), "{before:?}");
}

#[test]
fn mean_probabilities_follow_prior() {
    let scratch = Scratch::new();
    let out = scratch.at("model.onnx");
    let options = ["--prior", "reversed", "--calibration", VAL, "--json"];
    let report = export(RUN, &out, &options).ended_with(0).json();
    let target = numbers(&report["offsets"]["target"]);
    let (values, labels) = logits(&scratch, &out, VAL);
    let mut masses = [0.0; 10];
    for (row, &label) in values.chunks_exact(10).zip(&labels) {
        let total: f64 = row.iter().map(|&s| f64::from(s).exp()).sum();
        for (mass, &score) in masses.iter_mut().zip(row) {
            *mass += target[label] / 30.0 * f64::from(score).exp() / total;
        }
    }
    for (class, (mass, nu)) in masses.iter().zip(&target).enumerate() {
        // The solver has a tolerance of 3 % (root mean square).
        assert!(
            (mass - nu).abs() < 0.1 * nu,
            "class {class}: {mass} for {nu}"
        );
    }
}

#[test]
fn report_has_documented_fields() {
    let scratch = Scratch::new();
    let (prior, out) = (scratch.write("prior.json", MILD), scratch.at("model.onnx"));
    let options = ["--prior", &prior, "--json"];
    let answer = export(RUN, &out, &options).ended_with(0).json();
    assert_eq!(answer["schema"], "tailfold.export/1");
    let report = &answer["retarget"];
    assert_eq!(report["prior"], prior.as_str());
    assert_eq!(report["before"], "resolved");
    assert_eq!(report["sample"]["name"], "training features of the run");
    assert_eq!(report["sample"]["images"], 277);
    assert_eq!(report["sample"]["weighing"], "prior");
    assert_eq!(report["sample"]["temperature"], 1.0);
    assert!(report["expected"].is_null(), "{report}");
    let rows = &report["classes"];
    for key in ["prior", "mass_before", "mass_after", "answered_after"] {
        let sum: f64 = column(rows, key).iter().sum();
        assert!((sum - 1.0).abs() < 1e-6, "{key} sums to {sum}");
    }
    let mild = [4.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0].map(|mass| mass / 21.0);
    for (asked, mass) in column(rows, "prior").iter().zip(mild) {
        assert!((asked - mass).abs() < 1e-12);
    }
    assert_eq!(
        column(rows, "offset_after"),
        numbers(&answer["offsets"]["offsets"])
    );
    let first = &rows[0];
    assert_eq!(
        (
            &first["name"],
            &first["group"],
            &first["train_count"],
            &first["sample_images"]
        ),
        (
            &"T-shirt/top".into(),
            &"many".into(),
            &1000.into(),
            &32.into()
        )
    );
    // The text has the same results, and no accuracy without images for evaluation.
    let text = export(RUN, &out, &["--prior", &prior]).ended_with(0).stdout;
    for part in [
        "expected accuracy: not measured (give --evaluate SPEC)",
        "training features of the run, 277 images",
        "Ankle boot",
        "warning: class `Ankle boot` has 10 images in the sample",
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

#[test]
fn expected_accuracy_matches_evaluation_of_files() {
    let scratch = Scratch::new();
    let (plain, out) = (scratch.at("plain.onnx"), scratch.at("model.onnx"));
    export(RUN, &plain, &[]).ended_with(0);
    let options = ["--prior", "reversed", "--calibration", VAL];
    let options = [&options[..], &["--evaluate", TEST, "--json"]].concat();
    let answer = export(RUN, &out, &options).ended_with(0).json();
    let (rows, expected) = (
        &answer["retarget"]["classes"],
        &answer["retarget"]["expected"],
    );
    let prior = column(rows, "prior");
    // The prior reverses the training counts, whose ratio is 1 to 100.
    assert!((prior[9] / prior[0] - 100.0).abs() < 1e-9, "{prior:?}");
    assert_eq!(
        (&expected["data"], &expected["images"]),
        (&TEST.into(), &3000.into())
    );
    let squares: f64 = prior.iter().map(|nu| nu * nu / 300.0).sum();
    let effective = expected["effective_images"].as_f64().unwrap();
    assert!((effective - 1.0 / squares).abs() < 1e-6, "{effective}");
    for (when, file) in [("before", &plain), ("after", &out)] {
        let args = ["evaluate", "--model", file, "--data", TEST, "--json"];
        let evaluated = run("tailfold", &args).ended_with(0).json();
        let recalls = numbers(&evaluated["per_class"]);
        let said = column(&expected["classes"], &format!("recall_{when}"));
        for (class, (recall, said)) in recalls.iter().zip(&said).enumerate() {
            assert!(
                (recall - said).abs() < 1e-9,
                "{when}, class {class}: {recall}, {said}"
            );
        }
        let weighted: f64 = recalls.iter().zip(&prior).map(|(r, nu)| r * nu).sum();
        let mean = expected[when]["mean"].as_f64().unwrap();
        assert!((weighted - mean).abs() < 1e-9, "{when}: {weighted}, {mean}");
        let error = expected[when]["standard_error"].as_f64().unwrap();
        assert!(error > 0.001 && error < 0.05, "{error}");
    }
    let number = |key: &str| expected[key]["mean"].as_f64().unwrap();
    let difference = number("after") - number("before");
    assert!((number("difference") - difference).abs() < 1e-9);
    let mass: f64 = column(&expected["classes"], "answered_after").iter().sum();
    assert!((mass - 1.0).abs() < 1e-9, "{mass}");
}

#[test]
fn two_exports_for_a_prior_are_byte_equal() {
    let scratch = Scratch::new();
    let export = |name: &str, options: &[&str]| {
        let out = scratch.at(name);
        super::export(RUN, &out, options).ended_with(0);
        fs::read(out).unwrap()
    };
    let reversed = export("a.onnx", &["--prior", "reversed"]);
    assert_eq!(reversed, export("b.onnx", &["--prior", "reversed"]));
    assert_ne!(reversed, export("c.onnx", &["--prior", "train"]));
    let calibrated = ["--prior", "train", "--calibration", VAL];
    assert_eq!(export("d.onnx", &calibrated), export("e.onnx", &calibrated));
    // Both kinds of weights are equal for a uniform prior, which is also the prior of a plain export of this run.
    let plain = export("f.onnx", &[]);
    for weigh in ["prior", "balanced"] {
        let uniform = ["--prior", "uniform", "--temperature", "0"];
        let options = [&uniform[..], &["--weigh", weigh]].concat();
        assert_eq!(plain, export("g.onnx", &options), "{weigh}");
    }
    assert_ne!(plain, export("h.onnx", &["--prior", "uniform"]));
}

#[test]
fn retargeting_a_retargeted_file_is_error() {
    let scratch = Scratch::new();
    let out = scratch.at("model.onnx");
    export(RUN, &out, &["--prior", "reversed"]).ended_with(0);
    let mut model = Model::read(out.as_ref()).unwrap();
    let offsets = model.card().unwrap().offsets.unwrap();
    assert_eq!(offsets.source, "prior-features, softmax at temperature 1");
    let error = fold_offsets(&mut model, &offsets).unwrap_err();
    assert_eq!(error.kind(), OnnxErrorKind::AlreadyFolded, "{error}");
}
