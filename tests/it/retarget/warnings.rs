//! Every warning of a re-targeted export, and an easy prior without warnings.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{RUN, VAL, copied_run, export};
use crate::scratch::Scratch;

/// Warnings of an export with `options`.
#[track_caller]
fn warnings(scratch: &Scratch, run: &str, options: &[&str]) -> Vec<Value> {
    let options = [options, &["--json"]].concat();
    let answer = export(run, &scratch.at("model.onnx"), &options);
    let answer = answer.ended_with(0).json();
    answer["retarget"]["warnings"].as_array().unwrap().clone()
}

fn kinds(warnings: &[Value]) -> BTreeSet<&str> {
    warnings.iter().filter_map(|w| w["kind"].as_str()).collect()
}

#[track_caller]
fn one<'a>(warnings: &'a [Value], kind: &str) -> &'a Value {
    let found = warnings.iter().find(|w| w["kind"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} among {warnings:#?}"))
}

#[test]
fn uniform_prior_with_enough_images_has_no_warning() {
    let scratch = Scratch::new();
    let options = ["--prior", "uniform", "--calibration", VAL];
    let found = warnings(&scratch, RUN, &options);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn strong_prior_on_training_features_warns() {
    let scratch = Scratch::new();
    let found = warnings(&scratch, RUN, &["--prior", "train"]);
    let few = one(&found, "few-images");
    assert_eq!(
        (&few["class"], &few["images"], &few["least"]),
        (&"Bag".into(), &16.into(), &20.into())
    );
    // This class has 10 images with 1 % of the mass. The 32 images of the first class have 40 %, which is 1.26 % each.
    let is_it = |w: &&Value| w["kind"] == "coarse-sample" && w["class"] == "Sneaker";
    let coarse = found.iter().find(is_it).unwrap();
    let largest = coarse["largest_weight"].as_f64().unwrap();
    assert!((largest - 0.403_551_25 / 32.0).abs() < 1e-6, "{largest}");
    let text = coarse["text"].as_str().unwrap();
    assert!(text.contains("1.09 %") && text.contains("1.26 %"), "{text}");
}

#[test]
fn offsets_larger_than_scores_warn() {
    let scratch = Scratch::new();
    let prior = "[1, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9, 1e-9]";
    let prior = scratch.write("prior.json", prior);
    let options = [
        "--prior",
        &prior,
        "--weigh",
        "balanced",
        "--calibration",
        VAL,
    ];
    let options = [&options[..], &["--temperature", "0"]].concat();
    let found = warnings(&scratch, RUN, &options);
    let expect = ["coarse-sample", "never-answered", "offsets-beyond-scores"];
    assert_eq!(kinds(&found), expect.into(), "{found:#?}");
    let beyond = one(&found, "offsets-beyond-scores");
    assert_eq!(beyond["classes"][0], "T-shirt/top");
    assert!(
        beyond["offsets_range"].as_f64() > beyond["score_range"].as_f64(),
        "{beyond}"
    );
}

#[test]
fn too_coarse_sample_warns() {
    let scratch = Scratch::new();
    // Under this prior, images of the rarest class weigh so little, and images of the most frequent class so much, that
    // offsets cannot split the sample in the required proportions.
    let options = ["--prior", "reversed", "--temperature", "0"];
    let found = warnings(&scratch, RUN, &options);
    let missed = one(&found, "not-converged");
    assert_eq!(missed["stop"], "sample floor", "{missed}");
}

#[test]
fn evaluation_on_few_images_warns() {
    let scratch = Scratch::new();
    let few = "embedded?split=val&per-class=5";
    let options = ["--prior", "train", "--evaluate", few];
    let found = warnings(&scratch, RUN, &options);
    let warning = one(&found, "few-effective-images");
    let effective = warning["effective"].as_f64().unwrap();
    assert!((19.0..20.5).contains(&effective), "{effective}");
    assert_eq!(warning["least"], 100.0);
}

#[test]
fn missing_training_images_warn() {
    let scratch = Scratch::new();
    let run = copied_run(&scratch, |text| {
        text.replace("embedded?split=train", "folder:nowhere?split=train")
    });
    let options = ["--prior", "uniform", "--evaluate", VAL];
    let found = warnings(&scratch, &run, &options);
    let warning = one(&found, "training-images-not-compared");
    assert_eq!(warning["data"], "folder:nowhere?split=train");
}
