use safetensors::tensor::TensorView;
use serde_json::json;

use super::*;

fn part() -> Part {
    let shard = "1/3".parse().unwrap();
    let asked = json!({"data": "embedded", "level": 0.1, "count": 3});
    let mut part = Part::new(Kind::Parity, shard, 8, &[1, 4, 7], &asked).unwrap();
    part.put(
        "logits",
        vec![3, 2],
        vec![0.1_f32, -0.0, f32::NAN, f32::INFINITY, 1e-40, 5.0],
    );
    part.put("sums", vec![1], vec![-3_i64]);
    part.put("codes", vec![0, 5], Vec::<u8>::new());
    part.say(&["first.png"]).unwrap();
    part
}

#[test]
fn written_part_is_read_back_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/a.part");
    part().write(&path).unwrap();
    let read = Part::read(&path).unwrap();
    // Compares bytes, because a NaN is not equal to itself.
    assert_eq!(read.to_bytes().unwrap(), part().to_bytes().unwrap());
    assert_eq!(read.covered(), [1, 4, 7]);
    assert_eq!(read.asked(), part().asked());
    assert_eq!(read.found::<Vec<String>>(&path).unwrap(), ["first.png"]);
    let (shape, values) = read.tensor::<f32>(&path, "logits", 2).unwrap();
    assert_eq!(shape, [3, 2]);
    assert!(values[1].is_sign_negative() && values[2].is_nan());
}

#[test]
fn unexpected_tensor_is_named_in_error() {
    let path = Path::new("a.part");
    let check = |error: PartError, message: &str| assert_eq!(error.to_string(), message);
    let part = part();
    check(
        part.tensor::<u8>(path, "logits", 2).unwrap_err(),
        "a.part: tensor `logits` is f32 [3, 2], expected u8 of 2 dimensions",
    );
    check(
        part.tensor::<f32>(path, "inputs", 4).unwrap_err(),
        "a.part: tensor `inputs` is missing, expected f32 of 4 dimensions",
    );
}

#[test]
fn every_truncation_and_changed_byte_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.part");
    let whole = part().to_bytes().unwrap();
    let refused = |bytes: &[u8], damage: &str| {
        std::fs::write(&path, bytes).unwrap();
        let error = Part::read(&path).expect_err(damage).to_string();
        assert!(error.contains("a.part"), "{damage}: {error}");
    };
    for end in 0..whole.len() {
        refused(&whole[..end], "a cut");
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        refused(&bytes, "a changed byte");
    }
    refused(&[&whole[..], b"x"].concat(), "a byte more");
}

#[test]
fn foreign_files_and_other_schema_versions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.part");
    let check = |part: &Part, text: &str| {
        part.write(&path).unwrap();
        let error = Part::read(&path).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    };
    let mut other = part();
    other.header.schema = "tailfold.part/2".to_owned();
    check(
        &other,
        "has the schema `tailfold.part/2`, expected `tailfold.part/1`",
    );
    let mut foreign = part();
    foreign.put("images", vec![2], vec![1_u64, 2]);
    check(&foreign, "image 2 is out of place in shard 1/3 of 8 images");
    let mut twice = part();
    twice.put("images", vec![2], vec![1_u64, 1]);
    check(&twice, "image 1 is out of place in shard 1/3 of 8 images");
    let view = TensorView::new(safetensors::Dtype::U8, vec![1], &[0]).unwrap();
    let plain = safetensors::serialize([("x", view)], None).unwrap();
    std::fs::write(&path, plain).unwrap();
    let error = Part::read(&path).unwrap_err().to_string();
    assert!(error.ends_with("is not a part of a sharded run: its header has no `tailfold.part`"));
}
