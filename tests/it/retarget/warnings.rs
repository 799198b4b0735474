//! Every warning of a re-targeted export, provoked, and that an easy prior has none.

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
fn enough_images_for_an_even_prior_are_enough() {
    let scratch = Scratch::new();
    let options = ["--prior", "uniform", "--calibration", VAL];
    let found = warnings(&scratch, RUN, &options);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_the_training_features_cannot_support() {
    let scratch = Scratch::new();
    let found = warnings(&scratch, RUN, &["--prior", "train"]);
    let few = one(&found, "few-images");
    assert_eq!(
        (&few["class"], &few["images"], &few["least"]),
        (&"Bag".into(), &16.into(), &20.into())
    );
    // 10 images of 1 % of the mass, 40 % of it on 32 images of the first class: 1.26 % each.
    let is_it = |w: &&Value| w["kind"] == "coarse-sample" && w["class"] == "Sneaker";
    let coarse = found.iter().find(is_it).unwrap();
    let largest = coarse["largest_weight"].as_f64().unwrap();
    assert!((largest - 0.403_551_25 / 32.0).abs() < 1e-6, "{largest}");
    let text = coarse["text"].as_str().unwrap();
    assert!(text.contains("1.09 %") && text.contains("1.26 %"), "{text}");
}

#[test]
fn a_prior_that_leaves_the_image_no_say() {
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
fn masses_that_the_sample_is_too_coarse_for() {
    let scratch = Scratch::new();
    // Under the prior the rarest class's images weigh so little, and the most frequent one's so much, that its cell cannot
    // be cut to measure.
    let options = ["--prior", "reversed", "--temperature", "0"];
    let found = warnings(&scratch, RUN, &options);
    let missed = one(&found, "not-converged");
    assert_eq!(missed["stop"], "sample floor", "{missed}");
}

#[test]
fn an_expectation_from_few_images() {
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
fn training_images_that_are_not_at_hand() {
    let scratch = Scratch::new();
    let run = copied_run(&scratch, |text| {
        text.replace("embedded?split=train", "folder:nowhere?split=train")
    });
    let options = ["--prior", "uniform", "--evaluate", VAL];
    let found = warnings(&scratch, &run, &options);
    let warning = one(&found, "training-images-not-compared");
    assert_eq!(warning["data"], "folder:nowhere?split=train");
}
