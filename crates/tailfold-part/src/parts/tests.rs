use serde_json::json;
use tailfold_spec::Shard;

use super::*;

const IMAGES: usize = 8;

/// Part `index` of `of`. The row of image `i` is `[i, i * i]`.
fn part(index: usize, of: usize, asked: &Value) -> (PathBuf, Part) {
    let shard = Shard::new(index, of).unwrap();
    let own: Vec<usize> = shard.images(IMAGES).collect();
    let mut part = Part::new(Kind::Logits, shard, IMAGES, &own, asked).unwrap();
    let values: Vec<u64> = own
        .iter()
        .flat_map(|&i| [i, i * i])
        .map(|v| v as u64)
        .collect();
    part.put("rows", vec![own.len(), 2], values);
    (format!("{index}.part").into(), part)
}

fn asked() -> Value {
    json!({"data": "embedded", "model": "a"})
}

#[test]
fn merged_rows_are_in_image_order() {
    let expected: Vec<u64> = (0..IMAGES as u64).flat_map(|i| [i, i * i]).collect();
    for of in [1, 2, 3, 7, 11] {
        let all = (0..of)
            .rev()
            .map(|index| part(index, of, &asked()))
            .collect();
        let parts = Parts::of(all).unwrap();
        parts.check_whole().unwrap();
        let (shape, rows) = parts.rows::<u64>("rows", 2).unwrap();
        assert_eq!((shape, rows), (vec![2], expected.clone()), "{of}");
    }
}

#[test]
fn parts_that_are_not_one_run_are_named() {
    let check = |parts: Vec<(PathBuf, Part)>, message: &str| {
        assert_eq!(Parts::of(parts).unwrap_err().to_string(), message);
    };
    let of = |index, of| part(index, of, &asked());
    check(vec![], "no parts were given");
    check(
        vec![of(1, 3)],
        "2 of 3 shards are missing (0/3, 2/3): the files given are 1.part (1/3)",
    );
    check(
        vec![of(0, 2), of(1, 2), of(0, 2)],
        "0.part and 0.part are both shard 0/2",
    );
    check(
        vec![of(0, 2), of(1, 3)],
        "1.part is shard 1/3, but 0.part is shard 0/2: they split the images differently",
    );
    check(
        vec![
            of(0, 2),
            part(1, 2, &json!({"data": "embedded", "model": "b"})),
        ],
        "1.part and 0.part are not of the same run: `model` is \"b\" in the one and \"a\" in the other",
    );
    check(
        vec![of(0, 2), part(1, 2, &json!({"data": "embedded"}))],
        "1.part and 0.part are not of the same run: `model` is absent in the one and \"a\" in the other",
    );
    let shard = Shard::new(1, 2).unwrap();
    let other = Part::new(Kind::Parity, shard, IMAGES, &[1], &asked()).unwrap();
    check(
        vec![of(0, 2), ("b".into(), other)],
        "b is a part of `parity`, but 0.part is a part of `logits`",
    );
    let short = Part::new(Kind::Logits, shard, 7, &[1], &asked()).unwrap();
    check(
        vec![of(0, 2), ("b".into(), short)],
        "b and 0.part are not of the same run: `images` is 7 in the one and 8 in the other",
    );
    let many = Parts::of(vec![of(0, 1_000_000_000)]).unwrap_err();
    assert!(many.to_string().len() < 300, "{many}");
}

#[test]
fn missing_image_row_is_error() {
    let shard = Shard::new(0, 1).unwrap();
    let mut lacking = Part::new(Kind::Logits, shard, 3, &[0, 2], &asked()).unwrap();
    lacking.put("rows", vec![3], vec![0_u64, 1, 2]);
    let parts = Parts::of(vec![("a".into(), lacking)]).unwrap();
    let error = parts.rows::<u64>("rows", 1).unwrap_err().to_string();
    assert_eq!(error, "a: tensor `rows` is u64 [3], expected 2 rows of []");
    let error = parts.check_whole().unwrap_err().to_string();
    assert!(
        error.ends_with("it covers 2 images, but its shard has 3"),
        "{error}"
    );
}

#[test]
fn changed_setting_is_error_when_continuing() {
    let asked = json!({"a_sha256": "x", "seed": 1, "data": "embedded"});
    let parts = Parts::of(vec![part(0, 1, &asked)]).unwrap();
    let check = |asked: Value, message: &str| {
        let found = parts.check_asked(&asked).map_err(|e| e.to_string());
        let expected = if message.is_empty() {
            Ok(())
        } else {
            let files = "0.part and this command are not of the same run";
            Err(format!("{files}: {message}"))
        };
        assert_eq!(found, expected);
    };
    check(asked.clone(), "");
    check(json!({"seed": 1}), "");
    // A hash differs whenever another setting does, so the other setting is named.
    check(
        json!({"a_sha256": "y", "seed": 2}),
        "`seed` is 1 in the one and 2 in the other",
    );
    check(
        json!({"a_sha256": "y", "seed": 1}),
        "`a_sha256` is \"x\" in the one and \"y\" in the other",
    );
    check(
        json!({"new": 0}),
        "`new` is absent in the one and 0 in the other",
    );
}
