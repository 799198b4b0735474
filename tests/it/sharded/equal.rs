//! Merged output equals the output of a single run, byte for byte.

use std::fs;

use super::{DATA, Run, merge};
use crate::fixture::fixture;

const NUMBERS: [usize; 4] = [1, 2, 3, 7];

#[test]
fn merged_evaluation_equals_single_run() {
    let evaluate = Run::new("evaluate", DATA);
    for form in [&["--json"][..], &[]] {
        let single = evaluate.single(form).ended_with(0);
        for of in NUMBERS {
            let merged = merge(&evaluate.parts(of, &[]), form).ended_with(0);
            assert_eq!(merged.stdout, single.stdout, "{of} shards");
        }
    }
}

#[test]
fn shard_without_images_is_valid() {
    let few = "embedded?split=test&limit=3";
    let evaluate = Run::new("evaluate", few);
    let single = evaluate.single(&["--json"]).ended_with(0);
    let merged = merge(&evaluate.parts(7, &[]), &["--json"]).ended_with(0);
    assert_eq!(merged.stdout, single.stdout);
}

#[test]
fn merged_verdict_equals_single_run() {
    let parity = Run::new("parity", DATA);
    let loose = "overall_margin_pp = 30.0\ngroup_margin_pp = { many = 30.0, medium = 30.0, few = 30.1 }\nmin_retained = 0.7\n";
    let policy = parity.scratch.write("policy.toml", loose);
    let codes = [&[][..], &["--policy", &policy]].map(|policy| {
        let report = |name: &str| {
            let folder = parity.scratch.at(name);
            let files = ["json", "md", "xml", "html"]
                .map(|ending| parity.scratch.at(&format!("{name}/parity.{ending}")));
            (folder, move || files.map(|file| fs::read(file).unwrap()))
        };
        let (folder, files) = report("single");
        let single = parity.single(&[policy, &["--json", "--report", &folder]].concat());
        let table = parity.single(policy);
        let expected = files();
        for of in NUMBERS {
            let parts = parity.parts(of, policy);
            let (folder, files) = report("merged");
            let merged = merge(&parts, &["--json", "--report", &folder]);
            assert_eq!(
                (merged.code, merged.stdout),
                (single.code, single.stdout.clone())
            );
            assert_eq!(files(), expected, "{of} shards");
            let merged = merge(&parts, &[]);
            assert_eq!(
                (merged.code, merged.stdout),
                (table.code, table.stdout.clone())
            );
        }
        single.code
    });
    // The cases have different exit codes.
    assert_eq!(codes, [Some(3), Some(0)]);
}

#[test]
fn nan_survives_merge() {
    let mut broken = fixture().model.clone();
    let (shape, weights) = broken.initializer_f32("head.weight").unwrap();
    broken.set_initializer_f32("head.weight", &shape, &vec![f32::MAX; weights.len()]);
    let parity = Run::new("parity", DATA);
    parity.scratch.write("int8.onnx", broken.to_bytes());
    let single = parity.single(&["--json"]).ended_with(1);
    assert_eq!(single.json()["decided_by"], "non_finite");
    let merged = merge(&parity.parts(3, &[]), &["--json"]).ended_with(1);
    assert_eq!(merged.stdout, single.stdout);
}

#[test]
fn calibration_images_are_counted_over_all_shards() {
    let parity = Run::new("parity", "embedded?split=train");
    let single = parity.single(&["--json"]).ended_with(2);
    assert!(
        single
            .stderr
            .contains("calibrated on 80 of the evaluation images")
    );
    let merged = merge(&parity.parts(3, &[]), &["--json"]).ended_with(2);
    assert_eq!(merged.stdout, single.stdout);
    assert_eq!(merged.stderr, single.stderr);
}

#[test]
fn merged_logits_equal_single_run() {
    for more in [&[][..], &["--inputs"]] {
        let logits = Run::new("logits", DATA);
        let [single, merged] = ["single", "merged"].map(|name| logits.scratch.at(name));
        logits
            .single(&[more, &["--out", &single]].concat())
            .ended_with(0);
        let single = fs::read(single).unwrap();
        for of in NUMBERS {
            merge(&logits.parts(of, more), &["--out", &merged]).ended_with(0);
            assert!(fs::read(&merged).unwrap() == single, "{of} shards {more:?}");
        }
    }
}
