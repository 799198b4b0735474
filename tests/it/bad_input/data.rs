//! Data sets that cannot be used.

use tailfold_data::Pixels;

use super::refused;
use crate::fixture::{embedded, fixture};
use crate::scratch::Scratch;

/// One CIFAR-10 record.
fn cifar(label: u8) -> Vec<u8> {
    let mut record = vec![label];
    record.extend([7; 3072]);
    record
}

fn cifar_of(labels: impl IntoIterator<Item = u8>) -> Vec<u8> {
    labels.into_iter().flat_map(cifar).collect()
}

/// An IDX file of unsigned bytes: `dims` in its header and `values` after it.
fn idx(dims: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, u8::try_from(dims.len()).unwrap()];
    bytes.extend(dims.iter().flat_map(|d| d.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// Writes a CSV data set with one test image for each of the fixture's first `classes` classes, as `0.png` to `9.png`.
pub(super) fn write_csv(scratch: &Scratch, classes: usize) -> String {
    scratch.write("classes.txt", fixture().card.classes[..classes].join("\n"));
    let images = embedded("split=test&per-class=1");
    let mut rows = "file,label\n".to_owned();
    let labels = images.labels().iter().enumerate();
    for (i, label) in labels.filter(|(_, label)| **label < classes) {
        scratch.write(
            &format!("{i}.png"),
            images.image(i).unwrap().to_png().unwrap(),
        );
        rows += &format!("{i}.png,{label}\n");
    }
    scratch.write("labels.csv", rows)
}

/// Checks that evaluation and calibration of the fixture on `data` are errors with the texts of `expect`.
#[track_caller]
fn check(scratch: &Scratch, data: &str, expect: &[&str]) {
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    refused(
        scratch,
        "tailfold",
        &["evaluate", "--model", &model, "--data", data],
        expect,
    );
    // The same data must be an error in calibration.
    let out = scratch.at("int8.onnx");
    let quantize = ["--model", &model, "--calibration", data, "--out", &out];
    refused(scratch, "tailfold quantize", &quantize, expect);
}

#[test]
fn valid_csv_data_set_is_accepted() {
    // This is the control of the tests that damage the data set.
    let scratch = Scratch::new();
    let model = scratch.write("model.onnx", fixture().model.to_bytes());
    let data = format!("csv:{}", write_csv(&scratch, 10));
    let evaluate = ["evaluate", "--model", &model, "--data", &data, "--json"];
    let answer = crate::programs::run("tailfold", &evaluate)
        .ended_with(0)
        .json();
    assert_eq!(answer["images"], 10);
}

#[test]
fn truncated_idx_file_is_error() {
    let scratch = Scratch::new();
    let path = scratch.write("train-images-idx3-ubyte", idx(&[3, 28, 28], &[0; 2000]));
    scratch.write("train-labels-idx1-ubyte", idx(&[3], &[0, 1, 2]));
    let data = format!("idx:{}", scratch.at(""));
    check(
        &scratch,
        &data,
        &[
            &path,
            "the header claims 3x28x28 values after 16 bytes, the file has 2016 bytes",
        ],
    );
    scratch.write("train-images-idx3-ubyte", [0, 0, 8]);
    check(
        &scratch,
        &data,
        &[&path, "3 bytes are too few for a header of 16"],
    );
    scratch.write("train-images-idx3-ubyte", idx(&[3, 28, 28], &[0; 3 * 784]));
    let labels = scratch.write("train-labels-idx1-ubyte", idx(&[2], &[0, 1]));
    check(
        &scratch,
        &data,
        &[&path, "has 3 images", &labels, "has 2 labels"],
    );
}

#[test]
fn truncated_cifar_file_is_error() {
    let scratch = Scratch::new();
    let mut bytes = cifar_of([0, 1]);
    bytes.truncate(4000);
    let path = scratch.write("test_batch.bin", bytes);
    let data = format!("cifar10:{}?split=test", scratch.at(""));
    check(
        &scratch,
        &data,
        &[
            &path,
            "4000 bytes are not a whole number of 3073-byte records",
        ],
    );
}

#[test]
fn label_out_of_range_is_error() {
    let scratch = Scratch::new();
    let path = scratch.write("test_batch.bin", cifar_of([0, 11, 1]));
    let data = format!("cifar10:{}?split=test", scratch.at(""));
    check(
        &scratch,
        &data,
        &[&path, "record 1: label 11, but there are 10 classes"],
    );

    let csv = write_csv(&scratch, 10);
    scratch.write("labels.csv", "file,label\n0.png,0\n1.png,99\n");
    let data = format!("csv:{csv}");
    check(
        &scratch,
        &data,
        &[&csv, "line 3: label 99, but there are 10 classes"],
    );
}

#[test]
fn class_without_image_is_error() {
    let scratch = Scratch::new();
    let pixels = Pixels {
        height: 28,
        width: 28,
        channels: 1,
        values: vec![9; 784],
    };
    scratch.write("set/ant/0.png", pixels.to_png().unwrap());
    scratch.folder("set/bee");
    let data = format!("folder:{}", scratch.at("set"));
    check(&scratch, &data, &[&data, "class 1 (`bee`) has no image"]);
    // The folder of a class without images has a file with another extension.
    scratch.write("set/bee/0.heic", "heic");
    check(&scratch, &data, &["class 1 (`bee`)", "only 1 .heic"]);
}

#[test]
fn split_folders_as_classes_are_error() {
    let scratch = Scratch::new();
    let image = embedded("split=test&limit=1").image(0).unwrap();
    for split in ["Train", "val"] {
        scratch.write(&format!("set/{split}/ant/0.png"), image.to_png().unwrap());
    }
    let data = format!("folder:{}", scratch.at("set"));
    let advice = format!("rename Train to train, and write {data}?split=train");
    check(&scratch, &data, &["the splits Train, val", &advice]);
    let data = format!("{data}?split=train");
    check(
        &scratch,
        &data,
        &["no `train` split", "its sub-folders are Train, val"],
    );
}

#[test]
fn list_in_another_encoding_is_error() {
    let scratch = Scratch::new();
    let path = scratch.write("list.txt", b"\xff\xfea\0 \x000\0");
    let data = format!("list:{path}@{}", scratch.at(""));
    check(&scratch, &data, &[&path, "byte order mark of UTF-16"]);
    let path = scratch.write("list.txt", "a.png 0\nb.png 1\n");
    let classes = scratch.write("classes.txt", "ant\nbee\nant\n");
    let expect = [&classes, "line 3", "class `ant` is on line 1 already"];
    check(
        &scratch,
        &format!("list:{path}@{}", scratch.at("")),
        &expect,
    );
}

#[test]
fn damaged_image_is_error() {
    let scratch = Scratch::new();
    let data = format!("csv:{}", write_csv(&scratch, 10));
    let good = std::fs::read(scratch.at("3.png")).unwrap();
    let path = scratch.write("3.png", &good[..good.len() / 2]);
    check(&scratch, &data, &["cannot decode", &path]);
    scratch.write("3.png", "not an image at all");
    check(&scratch, &data, &["cannot decode", &path]);
    scratch.write("3.png", "");
    check(&scratch, &data, &[&path, "holds no image"]);
    std::fs::remove_file(&path).unwrap();
    check(&scratch, &data, &["cannot read", &path]);
}

#[test]
fn image_of_another_size_is_error() {
    let scratch = Scratch::new();
    let data = format!("csv:{}", write_csv(&scratch, 10));
    let pixels = Pixels {
        height: 30,
        width: 26,
        channels: 1,
        values: vec![9; 30 * 26],
    };
    let path = scratch.write("3.png", pixels.to_png().unwrap());
    check(&scratch, &data, &[&path, "30x26 pixels", "28x28"]);
}

#[test]
fn empty_files_are_errors() {
    let scratch = Scratch::new();
    let path = scratch.write("train-images-idx3-ubyte", "");
    scratch.write("train-labels-idx1-ubyte", "");
    check(
        &scratch,
        &format!("idx:{}", scratch.at("")),
        &[&path, "0 bytes are too few"],
    );
    let path = scratch.write("test_batch.bin", "");
    let data = format!("cifar10:{}?split=test", scratch.at(""));
    check(&scratch, &data, &[&path, "holds no image"]);
    let path = scratch.write("labels.csv", "");
    check(&scratch, &format!("csv:{path}"), &[&path]);
    let path = scratch.write("list.txt", "");
    check(
        &scratch,
        &format!("list:{path}@{}", scratch.at("")),
        &[&path, "holds no image"],
    );
    let path = scratch.folder("nothing");
    check(
        &scratch,
        &format!("folder:{path}"),
        &[&path, "holds no sub-folder with images"],
    );
    let path = scratch.at("not-there/test_batch.bin");
    let data = format!("cifar10:{}?split=test", scratch.at("not-there"));
    check(&scratch, &data, &["there is neither", &path]);
}

#[test]
fn invalid_data_spec_is_error() {
    let scratch = Scratch::new();
    check(
        &scratch,
        "embedded?splt=test",
        &["unknown option `splt`", "embedded?splt=test"],
    );
    check(
        &scratch,
        "embedded?split=tset",
        &["option `split` is `tset`"],
    );
    check(&scratch, "embeded", &["unknown data set `embeded`"]);
    check(
        &scratch,
        "embedded?limit=2&limit=3",
        &["option `limit` is given twice"],
    );
}

#[test]
fn data_with_different_classes_is_error() {
    let scratch = Scratch::new();
    scratch.write("test_batch.bin", cifar_of(0..10));
    scratch.write("data_batch_1.bin", cifar_of(0..10));
    for batch in 2..=5 {
        scratch.write(&format!("data_batch_{batch}.bin"), cifar_of(0..10));
    }
    // These are training images, so that calibration fails because of the classes.
    let data = format!("cifar10:{}", scratch.at(""));
    check(&scratch, &data, &["airplane", "T-shirt/top"]);
    let model = scratch.at("model.onnx");
    let data = format!("{data}?split=test");
    let parity = [
        "parity",
        "--reference",
        &model,
        "--candidate",
        &model,
        "--data",
        &data,
    ];
    refused(&scratch, "tailfold", &parity, &["airplane", "T-shirt/top"]);
}
