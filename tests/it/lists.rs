//! `cargo xtask data info` on the list files of long-tailed benchmarks.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::programs::{Answer, finish, xtask};
use crate::scratch::Scratch;
use crate::shared_data::shared_data;

fn info(spec: &str, more: &[&str]) -> Answer {
    finish(xtask().args(["data", "info", spec]).args(more))
}

/// Checks `info` for `spec`: images, classes, smallest and largest class, and classes per group (many, medium, few).
#[track_caller]
fn check(spec: &str, images: u64, classes: usize, range: [u64; 2], groups: [u64; 3]) -> Value {
    let answer = info(spec, &["--json"]).ended_with(0).json();
    assert_eq!(answer["schema"], "tailfold.data/1");
    assert_eq!(answer["images"], images, "{spec}");
    let counts: Vec<u64> = serde_json::from_value(answer["counts"].clone()).unwrap();
    assert_eq!(counts.len(), classes, "{spec}");
    let found = [counts.iter().min(), counts.iter().max()];
    assert_eq!(found, [Some(&range[0]), Some(&range[1])], "{spec}");
    let found = json!([answer["many"], answer["medium"], answer["few"]]);
    assert_eq!(found, json!(groups), "{spec}");
    answer
}

/// A list file with these class counts, of images that do not exist.
fn list(counts: &[usize]) -> String {
    let mut text = String::new();
    for (class, &count) in counts.iter().enumerate() {
        for image in 0..count {
            writeln!(text, "train_val2018/Class/{class}/{image:032x}.jpg {class}").unwrap();
        }
    }
    text
}

#[test]
fn published_lists_have_published_counts() {
    let Some(data) = shared_data() else { return };
    let lists = data.join("lists");
    let spec = |file: &str| format!("list:{}@images", lists.join(file).display());
    check(
        &spec("ImageNet_LT/ImageNet_LT_val.txt"),
        20_000,
        1000,
        [20, 20],
        [0, 1000, 0],
    );
    check(
        &spec("ImageNet_LT/ImageNet_LT_test.txt"),
        50_000,
        1000,
        [50, 50],
        [0, 1000, 0],
    );
    check(
        &spec("Places_LT/Places_LT_train.txt"),
        62_500,
        365,
        [5, 4980],
        [131, 163, 71],
    );
    check(
        &spec("Places_LT/Places_LT_val.txt"),
        7300,
        365,
        [20, 20],
        [0, 365, 0],
    );
    check(
        &spec("Places_LT/Places_LT_test.txt"),
        36_500,
        365,
        [100, 100],
        [0, 365, 0],
    );
    let answer = check(
        &spec("iNaturalist18/iNaturalist18_val.txt"),
        24_426,
        8142,
        [3, 3],
        [0, 0, 8142],
    );
    assert_eq!(answer["classes"][0], "Hermodice carunculata");
    // The available part of ImageNet-LT's training list has no images for most classes, which needs `empty=allow`.
    let part = spec("ImageNet_LT/ImageNet_LT_train_90class_subset.txt");
    let refused = info(&part, &[]).ended_with(2).stderr;
    assert!(refused.contains("has no image in list:"), "{refused}");
    let answer = info(&format!("{part}?empty=allow"), &["--json"])
        .ended_with(0)
        .json();
    assert_eq!(answer["images"], 7614);
    // Only the class counts of the whole list are available.
    let counts =
        std::fs::read(lists.join("ImageNet_LT/ImageNet_LT_train_class_counts.json")).unwrap();
    let counts: Vec<usize> = serde_json::from_slice(&counts).unwrap();
    let scratch = Scratch::new();
    let file = scratch.write("train.txt", list(&counts));
    check(
        &format!("list:{file}@images"),
        115_846,
        1000,
        [5, 1280],
        [385, 479, 136],
    );
}

#[test]
fn list_of_inaturalist_size_is_read() {
    // 8,142 classes have from 1,000 images down to 2, and the first class gets the rest of the 437,513 images of the
    // 2018 challenge.
    let size = |class: usize| 2 + 998 / (1 + class / 9);
    let mut counts: Vec<usize> = (0..8142).map(size).collect();
    let sum: usize = counts.iter().sum();
    assert!(sum < 437_513, "{sum}");
    counts[0] += 437_513 - sum;
    let group = |low: usize, high: usize| {
        let inside = |n: &&usize| (low..=high).contains(*n);
        counts.iter().filter(inside).count() as u64
    };
    let groups = [group(101, usize::MAX), group(20, 100), group(0, 19)];
    let most = counts[0] as u64;
    let scratch = Scratch::new();
    let file = scratch.write("train.txt", list(&counts));
    let least = *counts.iter().min().unwrap() as u64;
    check(
        &format!("list:{file}@images"),
        437_513,
        8142,
        [least, most],
        groups,
    );
}

#[test]
fn check_files_reports_missing_and_empty_files() {
    let scratch = Scratch::new();
    scratch.write("a.jpg", "any bytes: nothing is decoded");
    scratch.write("empty.jpg", "");
    let file = scratch.write("list.txt", "a.jpg 0\ngone.jpg 1\nempty.jpg 1\n");
    let spec = format!("list:{file}@{}", scratch.at(""));
    info(&spec, &[]).ended_with(0);
    let answer = info(&spec, &["--check-files"]).ended_with(1);
    assert!(
        answer
            .stdout
            .ends_with("2 of 3 files are missing or empty\n"),
        "{answer:?}"
    );
    for name in ["gone.jpg", "empty.jpg"] {
        assert!(
            answer
                .stderr
                .contains(&format!("missing or empty: {}", scratch.at(name))),
            "{answer:?}"
        );
    }
    let answer = info(&format!("{spec}?limit=3"), &["--check-files", "--json"])
        .ended_with(1)
        .json();
    assert_eq!(answer["missing_files"], 2);
    scratch.write("gone.jpg", "x");
    scratch.write("empty.jpg", "x");
    info(&spec, &["--check-files"]).ended_with(0);
}

#[test]
fn annotations_of_inaturalist_are_read() {
    let scratch = Scratch::new();
    let text = r#"{"images": [{"id": 4, "file_name": "x/4.jpg"}, {"id": 5, "file_name": "x/5.jpg"}],
        "annotations": [{"id": 0, "image_id": 5, "category_id": 1}, {"id": 1, "image_id": 4, "category_id": 0}],
        "categories": [{"id": 0, "name": "0"}, {"id": 1, "name": "1"}]}"#;
    let file = scratch.write("train2018.json", text);
    scratch.write(
        "categories.json",
        r#"[{"id": 0, "name": "Bufo bufo"}, {"id": 1, "name": "Rana arvalis"}]"#,
    );
    let spec = format!("json:{file}@{}", scratch.at(""));
    let answer = info(&spec, &["--json"]).ended_with(0).json();
    assert_eq!(answer["classes"], json!(["Bufo bufo", "Rana arvalis"]));
    assert_eq!(answer["counts"], json!([1, 1]));
    let file = scratch.write(
        "val2018.json",
        text.replace("\"image_id\": 4", "\"image_id\": 6"),
    );
    let refused = info(&format!("json:{file}@{}", scratch.at("")), &[])
        .ended_with(2)
        .stderr;
    let expect = format!("{file}: an annotation names image 6, which is not listed");
    assert!(refused.contains(&expect), "{refused}");
}
