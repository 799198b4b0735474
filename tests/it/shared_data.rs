//! Published data and a published model, if available: class counts of the data, and accuracy of the model.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tailfold_data::{Dataset, preprocess};
use tailfold_spec::{Classifier as _, ImageBatch, Logits, Preprocess};
use tailfold_tract::TractClassifier;

use crate::programs::root;

/// The folder `TAILFOLD_DATA`, or `shared/data` beside the repository. Without both, returns `None`, and a line on
/// stderr reports the skipped test. A `TAILFOLD_DATA` that is not a folder fails the test.
pub(crate) fn shared_data() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("TAILFOLD_DATA") {
        let folder = PathBuf::from(folder);
        assert!(
            folder.is_dir(),
            "TAILFOLD_DATA={} is not a folder",
            folder.display()
        );
        return Some(folder);
    }
    let folder = root().parent()?.join("shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    skipped("there is neither a TAILFOLD_DATA nor a folder shared/data beside the repository");
    None
}

/// Reports that the running test is skipped.
///
/// The function writes to stderr directly, because `cargo test` captures the output of print macros. So the line shows in a
/// passing run, and `cargo xtask ci` counts it.
fn skipped(why: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let line = format!("skipped {test}: {why}\n");
    std::io::stderr()
        .write_all(line.as_bytes())
        .expect("stderr is open");
}

fn open(kind: &str, folder: &Path, options: &str) -> Dataset {
    let spec = format!("{kind}:{}?{options}", folder.display());
    Dataset::open(&spec.parse().unwrap()).unwrap()
}

#[test]
fn long_tailed_data_sets_have_published_counts() {
    let Some(data) = shared_data() else { return };
    let cases = [
        ("cifar10", "cifar10-lt", 100, 12_406),
        ("cifar100", "cifar100-lt", 10, 19_573),
        ("cifar100", "cifar100-lt", 50, 12_608),
        ("cifar100", "cifar100-lt", 100, 10_847),
    ];
    for (kind, folder, imbalance, images) in cases {
        let folder = data.join(folder);
        let set = open(kind, &folder, &format!("split=train&imbalance={imbalance}"));
        assert_eq!(set.len(), images, "{kind}, imbalance {imbalance}");
        let list = folder.join(format!("ldam_lt_if{imbalance}_seed0.json"));
        let list: serde_json::Value =
            serde_json::from_slice(&std::fs::read(list).unwrap()).unwrap();
        assert_eq!(
            serde_json::json!(set.class_counts()),
            list["counts"],
            "{kind}, {imbalance}"
        );
    }
}

#[test]
fn published_model_has_published_accuracy() {
    let Some(data) = shared_data() else { return };
    let name = "cifar10_resnet20_op13.onnx";
    let bytes = std::fs::read(data.join("models").join(name)).unwrap();
    let classifier = TractClassifier::from_onnx(&bytes, name).unwrap();
    let spec = Preprocess {
        channels: 3,
        height: 32,
        width: 32,
        bgr: false,
        resize: None,
        mean: vec![0.485, 0.456, 0.406],
        std: vec![0.229, 0.224, 0.225],
    };
    let images = open("cifar10", &data.join("cifar10-lt"), "split=test");
    assert_eq!(images.len(), 10_000);
    let right = (0..images.len()).into_par_iter().map_init(
        || classifier.fork(),
        |classifier, i| {
            let values = preprocess(&images.image(i).unwrap(), &spec).unwrap();
            let batch = ImageBatch::new(values, [1, 3, 32, 32]).unwrap();
            let logits = classifier.logits(&batch).unwrap();
            let (class, _) = Logits::top1(logits.values()).unwrap();
            usize::from(class == images.labels()[i])
        },
    );
    let accuracy = right.sum::<usize>() as f64 / 100.0;
    eprintln!("{name}: {accuracy:.2} % of 10,000 images, published 91.70 %");
    assert!((91.5..=91.9).contains(&accuracy), "{accuracy} %");
}
