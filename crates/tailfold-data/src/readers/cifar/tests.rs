#![expect(
    clippy::cast_possible_truncation,
    reason = "small test values become bytes"
)]

use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

/// Returns a record with planes of `shade`, `shade + 1` and `shade + 2`, except for its first red pixel, which is 9.
fn record(head: &[u8], shade: u8) -> Vec<u8> {
    let mut bytes = head.to_vec();
    for plane in 0..3 {
        bytes.extend([shade + plane; PLANE]);
    }
    bytes[head.len()] = 9;
    bytes
}

fn message(result: Result<Loaded, DataError>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn planes_become_pixels_and_files_are_concatenated() {
    let dir = tempfile::tempdir().unwrap();
    for (i, name) in CIFAR10.train.iter().enumerate() {
        fs::write(
            dir.path().join(name),
            [record(&[i as u8], 10), record(&[9 - i as u8], 20 + i as u8)].concat(),
        )
        .unwrap();
    }
    let loaded = load(&CIFAR10, dir.path(), None, None).unwrap();
    assert_eq!(loaded.labels, [0, 9, 1, 8, 2, 7, 3, 6, 4, 5]);
    assert_eq!(loaded.classes[9], "truck");
    let image = loaded.images.get(5).unwrap();
    assert_eq!((image.height, image.width, image.channels), (32, 32, 3));
    assert_eq!(image.values[..6], [9, 23, 24, 22, 23, 24]);
    assert_eq!(
        loaded.images.id(5),
        format!("{}#1", dir.path().join("data_batch_3.bin").display())
    );

    fs::remove_file(dir.path().join("data_batch_4.bin")).unwrap();
    let missing = dir.path().join("data_batch_4.bin");
    let (missing, message) = (
        missing.display(),
        message(load(&CIFAR10, dir.path(), None, None)),
    );
    assert_eq!(
        message,
        format!("there is neither {missing} nor {missing}.zst")
    );
}

#[test]
fn cifar100_label_is_fine_label() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("test.bin"), record(&[19, 99], 1)).unwrap();
    let loaded = load(&CIFAR100, dir.path(), Some(Split::Test), None).unwrap();
    assert_eq!((loaded.labels, loaded.classes.len()), (vec![99], 100));
    assert_eq!(
        (loaded.classes[0].as_str(), loaded.classes[99].as_str()),
        ("apple", "worm")
    );
}

#[test]
fn bad_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("test_batch.bin");
    let name = path.display();
    let check = |bytes: &[u8], expect: String| {
        fs::write(&path, bytes).unwrap();
        assert_eq!(
            message(load(&CIFAR10, dir.path(), Some(Split::Test), None)),
            expect
        );
    };
    let one = record(&[3], 1);
    check(b"", format!("{name} holds no image"));
    check(
        &one[..3000],
        format!("{name}: 3000 bytes are not a whole number of 3073-byte records"),
    );
    check(
        &[&one[..], &one[..1]].concat(),
        format!("{name}: 3074 bytes are not a whole number of 3073-byte records"),
    );
    check(
        &[one, record(&[10], 1)].concat(),
        format!("{name}, record 1: label 10, but there are 10 classes"),
    );
    assert_eq!(
        message(load(&CIFAR10, dir.path(), Some(Split::Val), None)),
        format!(
            "cifar10:{} has no `val` split: it has train and test",
            dir.path().display()
        ),
    );
}

/// Returns a CIFAR-10 pack with these class sizes; a record's shade is its index within its class.
fn pack(sizes: &[usize]) -> Vec<u8> {
    let records = sizes.iter().enumerate();
    records
        .flat_map(|(class, &n)| (0..n).flat_map(move |i| record(&[class as u8], i as u8)))
        .collect()
}

#[test]
fn pack_gives_first_records_of_each_class() {
    let dir = tempfile::tempdir().unwrap();
    let sizes = longtail::class_sizes(20, 10, 2.0);
    let bytes = compress_to_vec(pack(&sizes).as_slice(), CompressionLevel::Fastest);
    fs::write(dir.path().join("train-if2.bin.zst"), bytes).unwrap();
    let whole = load(&CIFAR10, dir.path(), Some(Split::Train), None).unwrap();
    assert_eq!(
        whole.chosen.unwrap(),
        (0..sizes.iter().sum()).collect::<Vec<_>>()
    );
    let loaded = load(&CIFAR10, dir.path(), Some(Split::Train), Some(10.0)).unwrap();
    let chosen = loaded.chosen.unwrap();
    let expect = longtail::class_sizes(20, 10, 10.0);
    for (class, &n) in expect.iter().enumerate() {
        let shades: Vec<u8> = chosen
            .iter()
            .filter(|&&i| loaded.labels[i] == class)
            .map(|&i| loaded.images.get(i).unwrap().values[3])
            .collect();
        assert_eq!(shades, (0..n as u8).collect::<Vec<_>>(), "class {class}");
    }
    assert_eq!(
        message(load(&CIFAR10, dir.path(), None, Some(1.5))),
        format!(
            "imbalance 1.5 cannot be drawn from {}: its least imbalanced training file has 2",
            dir.path().display()
        ),
    );
    // The imbalance does not apply to the test split.
    fs::write(dir.path().join("test.bin"), pack(&[1; 10])).unwrap();
    assert_eq!(
        load(&CIFAR10, dir.path(), Some(Split::Test), None)
            .unwrap()
            .labels
            .len(),
        10
    );
}

#[test]
fn pack_in_another_order_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("train-if2.bin");
    let check = |bytes: Vec<u8>, expect: &str| {
        fs::write(&path, bytes).unwrap();
        assert_eq!(
            message(load(&CIFAR10, dir.path(), None, None)),
            format!("{}: {expect}", path.display())
        );
    };
    let mut sizes = longtail::class_sizes(20, 10, 2.0);
    assert_eq!(sizes[9], 10);
    check(
        [pack(&sizes), record(&[0], 0)].concat(),
        "class 9 has 11 records in one run, imbalance 2 has 10",
    );
    sizes[3] -= 1;
    check(
        pack(&sizes),
        "class 3 has 14 records in one run, imbalance 2 has 15",
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_arrives(labels in proptest::collection::vec(0..100_u8, 1..4), noise: u64) {
        let dir = tempfile::tempdir().unwrap();
        let mut draws = crate::draws::Draws::new([noise, 0, 0, 0]);
        let mut bytes = Vec::new();
        for &label in &labels {
            bytes.extend([0, label]);
            bytes.extend((0..3 * PLANE).map(|_| draws.below(256) as u8));
        }
        fs::write(dir.path().join("train.bin"), &bytes).unwrap();
        let loaded = load(&CIFAR100, dir.path(), None, None).unwrap();
        for (i, record) in bytes.chunks_exact(3074).enumerate() {
            prop_assert_eq!(loaded.labels[i], usize::from(labels[i]));
            let image = loaded.images.get(i).unwrap();
            let planes: Vec<u8> =
                (0..3).flat_map(|c| image.values.iter().copied().skip(c).step_by(3).collect::<Vec<_>>()).collect();
            prop_assert_eq!(&planes, &record[2..]);
        }
    }
}
