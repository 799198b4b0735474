//! Reads safetensors files like those from `tailfold logits --out`, and others.

use std::collections::HashMap;
use std::fs;

use safetensors::tensor::{Dtype, TensorView, serialize};
use tailfold_logits::{LogitFile, read_labels};

type Entry<'a> = (&'a str, Dtype, Vec<usize>, Vec<u8>);

fn file(tensors: &[Entry<'_>], metadata: &[(&str, &str)]) -> tempfile::NamedTempFile {
    let views = tensors.iter().map(|(name, dtype, shape, bytes)| {
        (
            *name,
            TensorView::new(*dtype, shape.clone(), bytes).unwrap(),
        )
    });
    let metadata: HashMap<String, String> = metadata
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), serialize(views, Some(metadata)).unwrap()).unwrap();
    file
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn wide(values: &[u64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn logits() -> Entry<'static> {
    (
        "logits",
        Dtype::F32,
        vec![2, 3],
        floats(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
    )
}

fn refused(tensors: &[Entry<'_>], metadata: &[(&str, &str)]) -> String {
    let file = file(tensors, metadata);
    let error = LogitFile::open(file.path())
        .and_then(|mut file| file.labels())
        .unwrap_err();
    error.to_string().split_once(": ").unwrap().1.to_owned()
}

#[test]
fn output_of_logits_command_is_read() {
    let inputs = ("inputs", Dtype::F32, vec![2, 1], floats(&[9.0, 9.0]));
    let file = file(
        &[
            inputs,
            ("labels", Dtype::U64, vec![2], wide(&[2, 0])),
            logits(),
        ],
        &[],
    );
    let mut open = LogitFile::open(file.path()).unwrap();
    assert_eq!((open.images(), open.num_classes()), (2, 3));
    let mut rows = Vec::new();
    assert_eq!(open.read(1, &mut rows).unwrap(), 1);
    assert_eq!(open.labels().unwrap(), Some(vec![2, 0]));
    assert_eq!(rows, [0.0, 1.0, 2.0]);
    assert_eq!(open.read(5, &mut rows).unwrap(), 1);
    assert_eq!(rows, [3.0, 4.0, 5.0]);
    assert_eq!(open.read(5, &mut rows).unwrap(), 0);
    assert_eq!(rows, [0.0; 0]);
    assert_eq!(read_labels(file.path()).unwrap(), [2, 0]);
}

#[test]
fn half_precision_is_read_and_labels_are_optional() {
    let file = file(
        &[(
            "logits",
            Dtype::BF16,
            vec![1, 2],
            vec![0xc0, 0x3f, 0x80, 0xbf],
        )],
        &[],
    );
    let mut open = LogitFile::open(file.path()).unwrap();
    let mut rows = Vec::new();
    open.read(1, &mut rows).unwrap();
    assert_eq!(rows, [1.5, -1.0]);
    assert_eq!(open.labels().unwrap(), None);
    let error = read_labels(file.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("tensor `labels` is missing, expected one integer per image"),
        "{error}"
    );
}

#[test]
fn tensors_without_logits_are_refused() {
    let check = |tensors: &[Entry<'_>], expect: &str| assert_eq!(refused(tensors, &[]), expect);
    let expected = "expected F16, BF16, F32 or F64 [n, classes], neither of them 0";
    check(
        &[("weights", Dtype::U8, vec![1], vec![1])],
        &format!("tensor `logits` is missing (there are [\"weights\"]), {expected}"),
    );
    check(
        &[("logits", Dtype::U8, vec![1, 1], vec![1])],
        &format!("tensor `logits` is U8 [1, 1], {expected}"),
    );
    check(
        &[("logits", Dtype::F32, vec![0, 1 << 60], vec![])],
        &format!("tensor `logits` is F32 [0, {}], {expected}", 1_u64 << 60),
    );
    check(
        &[
            logits(),
            ("labels", Dtype::F32, vec![2], floats(&[0.0, 1.0])),
        ],
        "tensor `labels` is F32 [2], expected integers [n]",
    );
    check(
        &[logits(), ("labels", Dtype::U64, vec![3], wide(&[0, 1, 2]))],
        "tensor `labels` is of 3 images, expected 2, as the logits",
    );
    check(
        &[
            logits(),
            ("labels", Dtype::I64, vec![2], wide(&[0, u64::MAX])),
        ],
        "row 1: the label is `-1`, expected a class, counted from 0",
    );
    let part = refused(&[logits()], &[("tailfold.part", "...")]);
    assert_eq!(
        part,
        "the file is a part of a sharded run, expected the logits of all images: merge the parts (`tailfold merge`)"
    );
}

#[test]
fn wrong_file_length_is_error() {
    let file = file(&[logits()], &[]);
    let whole = fs::read(file.path()).unwrap();
    let check = |bytes: &[u8], expect: String| {
        fs::write(file.path(), bytes).unwrap();
        let error = LogitFile::open(file.path()).unwrap_err().to_string();
        assert!(error.ends_with(&expect), "{error}");
    };
    let (n, cut) = (whole.len(), whole.len() - 1);
    let says = format!("the header describes a file of {n} bytes, but it has ");
    check(&whole[..cut], format!("{says}{cut}"));
    check(&[&whole[..], b"x"].concat(), format!("{says}{}", n + 1));
}
