//! Invalid priors and images: errors that name the file and the class, without output.

use super::{MILD, RUN, TEST, VAL, copied_run, export};
use crate::scratch::Scratch;

/// Checks that an export with `options` is an error with the texts of `expect`.
#[track_caller]
fn refused(scratch: &Scratch, run: &str, options: &[&str], expect: &[&str]) {
    let before = scratch.listing();
    let answer = export(run, &scratch.at("model.onnx"), options).ended_with(2);
    assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
    for text in expect {
        assert!(
            answer.stderr.contains(text),
            "`{text}` is not in: {}",
            answer.stderr
        );
    }
    assert_eq!(scratch.listing(), before, "files before and after");
}

#[test]
fn invalid_priors_are_errors() {
    let check = |text: &str, expect: &str| {
        let scratch = Scratch::new();
        let prior = scratch.write("prior.json", text);
        refused(&scratch, RUN, &["--prior", &prior], &[&prior, expect]);
    };
    check(
        "[1, 1, 0, 1, 1, 1, 1, 1, 1, 1]",
        "gives class `Pullover` the mass 0, expected a positive number",
    );
    check(
        "[1, 1, 1, -2, 1, 1, 1, 1, 1, 1]",
        "gives class `Dress` the mass -2",
    );
    check("[1, NaN, 1, 1, 1, 1, 1, 1, 1, 1]", "is not JSON");
    check(
        "[1e308, 1e308, 1, 1, 1, 1, 1, 1, 1, 1]",
        "of inf in all: the share is too small",
    );
    check("[1, 1]", "has 2 masses, the model 10 classes");
    check(r#"{"Trouser": 1}"#, "has no mass for class `T-shirt/top`");
    check(r#"{"Trousers": 1}"#, "names class `Trousers`");
    let scratch = Scratch::new();
    let missing = scratch.at("missing.json");
    refused(&scratch, RUN, &["--prior", &missing], &[&missing]);
}

#[test]
fn training_class_without_images_is_error() {
    let scratch = Scratch::new();
    let run = copied_run(&scratch, |text| text.replacen("    27,\n", "    0,\n", 1));
    let expect = ["prior `train`, class `Sneaker`", "is 0"];
    refused(&scratch, &run, &["--prior", "train"], &expect);
}

#[test]
fn evaluation_on_used_images_is_error() {
    let scratch = Scratch::new();
    let prior = scratch.write("prior.json", MILD);
    let ask = |options: &[&str], expect: &[&str]| {
        let options = [&["--prior", &prior], options].concat();
        refused(&scratch, RUN, &options, expect);
    };
    let train = "embedded?split=train";
    ask(
        &["--evaluate", train],
        &["2478 of the 2478 images of", "are training images", train],
    );
    // Some of the calibration images have another name.
    ask(
        &[
            "--calibration",
            VAL,
            "--evaluate",
            "embedded?split=val&per-class=3",
        ],
        &[
            "30 of the 30 images of",
            "images that offsets are solved on",
        ],
    );
}

#[test]
fn options_without_effect_are_errors() {
    let scratch = Scratch::new();
    for option in ["--evaluate", "--calibration"] {
        refused(
            &scratch,
            RUN,
            &["--offsets", "keep", option, TEST],
            &[option, "use it with `--prior` or `--offsets resolve`"],
        );
    }
    refused(
        &scratch,
        RUN,
        &["--offsets", "drop", "--prior", "train"],
        &["--prior needs offsets solved for it"],
    );
    // Some classes have no image among the first images.
    refused(
        &scratch,
        RUN,
        &[
            "--prior",
            "train",
            "--calibration",
            "embedded?split=val&limit=3",
        ],
        &["has no images of class `"],
    );
}
