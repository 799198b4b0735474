use std::fs;

use proptest::prelude::*;

use super::*;

fn idx(dims: &[u32], values: &[u8]) -> Vec<u8> {
    let magic = 0x800 + u32::try_from(dims.len()).unwrap();
    let header = std::iter::once(&magic)
        .chain(dims)
        .flat_map(|word| word.to_be_bytes());
    header.chain(values.iter().copied()).collect()
}

fn write(dir: &Path, images: &[u8], labels: &[u8]) {
    fs::write(dir.join("train-images-idx3-ubyte"), images).unwrap();
    fs::write(dir.join("train-labels-idx1-ubyte"), labels).unwrap();
}

#[test]
fn bad_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let images = dir.path().join("train-images-idx3-ubyte");
    let labels = dir.path().join("train-labels-idx1-ubyte");
    let (i, l) = (images.display(), labels.display());
    let good_images = idx(&[2, 3, 2], &[0; 12]);
    let good_labels = idx(&[2], &[0, 1]);
    let check = |images: &[u8], labels: &[u8], expect: String| {
        write(dir.path(), images, labels);
        assert_eq!(
            load(dir.path(), None).err().expect("an error").to_string(),
            expect
        );
    };
    check(
        b"",
        &good_labels,
        format!("{i}: 0 bytes are too few for a header of 16"),
    );
    check(
        &good_images[..15],
        &good_labels,
        format!("{i}: 15 bytes are too few for a header of 16"),
    );
    check(
        &good_labels,
        &good_labels,
        format!("{i}: the magic number is 0x00000801, expected 0x00000803"),
    );
    let claim = |claimed: &str, header: usize, found: usize| {
        format!(
            "the header claims {claimed} values after {header} bytes, the file has {found} bytes"
        )
    };
    check(
        &good_images[..27],
        &good_labels,
        format!("{i}: {}", claim("2x3x2", 16, 27)),
    );
    check(
        &idx(&[2, 3, 2], &[0; 13]),
        &good_labels,
        format!("{i}: {}", claim("2x3x2", 16, 29)),
    );
    let most = u32::MAX;
    check(
        &idx(&[most, most, most], &[0; 4]),
        &good_labels,
        format!("{i}: {}", claim("4294967295x4294967295x4294967295", 16, 20)),
    );
    check(
        &good_images,
        &good_labels[..9],
        format!("{l}: {}", claim("2", 8, 9)),
    );
    check(
        &good_images,
        &idx(&[3], &[0; 3]),
        format!("{i} has 2 images but {l} has 3 labels"),
    );
    check(
        &idx(&[0, 28, 28], &[]),
        &idx(&[0], &[]),
        format!("{i} holds no image"),
    );
    check(
        &idx(&[2, 0, 28], &[]),
        &good_labels,
        format!("{i} holds no image"),
    );

    fs::write(dir.path().join("classes.txt"), "one\n").unwrap();
    check(
        &good_images,
        &good_labels,
        format!("{l}, record 1: label 1, but there are 1 classes"),
    );
    assert_eq!(
        load(dir.path(), Some(Split::Val))
            .err()
            .expect("an error")
            .to_string(),
        format!(
            "idx:{} has no `val` split: it has train and test",
            dir.path().display()
        ),
    );
    let t10k = dir.path().join("t10k-images-idx3-ubyte");
    let t10k = t10k.display();
    assert_eq!(
        load(dir.path(), Some(Split::Test))
            .err()
            .expect("an error")
            .to_string(),
        format!("there is neither {t10k} nor {t10k}.zst"),
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_arrives(labels in proptest::collection::vec(0..7_u8, 1..6), h in 1..5_u32, w in 1..5_u32, first: u8) {
        let dir = tempfile::tempdir().unwrap();
        let size = (h * w) as usize;
        let values: Vec<u8> = std::iter::successors(Some(first), |x| Some(x.wrapping_mul(5).wrapping_add(1)))
            .take(labels.len() * size)
            .collect();
        let count = u32::try_from(labels.len()).unwrap();
        write(dir.path(), &idx(&[count, h, w], &values), &idx(&[count], &labels));
        let loaded = load(dir.path(), None).unwrap();
        prop_assert_eq!(loaded.classes.len(), usize::from(*labels.iter().max().unwrap()) + 1);
        for (i, (values, &label)) in values.chunks(size).zip(&labels).enumerate() {
            let image = loaded.images.get(i).unwrap();
            prop_assert_eq!((image.height, image.width, image.channels), (h as usize, w as usize, 1));
            prop_assert_eq!(&image.values, values);
            prop_assert_eq!(loaded.labels[i], usize::from(label));
        }
    }
}
