use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

/// Writes an IDX training split of 1x2 images whose two pixels are the index and the label.
fn idx(dir: &Path, labels: &[u8]) -> String {
    let count = u32::try_from(labels.len()).unwrap().to_be_bytes();
    let values = labels
        .iter()
        .enumerate()
        .flat_map(|(i, &label)| [u8::try_from(i % 256).unwrap(), label]);
    let head = [&[0, 0, 8, 3], &count[..], &[0, 0, 0, 1, 0, 0, 0, 2]].concat();
    let images: Vec<u8> = head.into_iter().chain(values).collect();
    fs::write(dir.join("train-images-idx3-ubyte"), images).unwrap();
    fs::write(
        dir.join("train-labels-idx1-ubyte"),
        [&[0, 0, 8, 1], &count[..], labels].concat(),
    )
    .unwrap();
    format!("idx:{}", dir.display())
}

fn open(spec: &str) -> Result<Dataset, DataError> {
    Dataset::open(&spec.parse().unwrap())
}

fn shared(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("TAILFOLD_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let folder = root.join(folder);
    if !folder.is_dir() {
        eprintln!("skipped: no {}", folder.display());
        return None;
    }
    Some(folder)
}

#[test]
fn nested_subset_keeps_images_labels_and_ids_together() {
    let dir = tempfile::tempdir().unwrap();
    let data = open(&idx(dir.path(), &[0, 1, 2, 0, 1, 2])).unwrap();
    let part = data.subset(&[5, 3, 1]).subset(&[2, 0, 0]);
    assert_eq!(part.labels(), [1, 2, 2]);
    assert_eq!(part.image(1).unwrap().values, [5, 2]);
    assert!(
        part.id(0).ends_with("train-images-idx3-ubyte#1"),
        "{}",
        part.id(0)
    );
    assert_eq!(part.class_counts(), [0, 1, 2]);
    assert_eq!(part.classes(), ["0", "1", "2"]);
    let hashes = part.pixel_hashes().unwrap();
    assert_eq!(hashes[0], part.image(0).unwrap().sha256()[..16]);
    assert_eq!(hashes[1], hashes[2]);
    assert_ne!(hashes[0], hashes[1]);
}

#[test]
fn options_select_images() {
    let dir = tempfile::tempdir().unwrap();
    let labels: Vec<u8> = (0..60).map(|i| i % 3).collect();
    let spec = idx(dir.path(), &labels);
    assert_eq!(
        open(&format!("{spec}?per-class=4&seed=1"))
            .unwrap()
            .class_counts(),
        [4, 4, 4]
    );
    assert_eq!(open(&format!("{spec}?per-class=100")).unwrap().len(), 60);
    assert_eq!(open(&format!("{spec}?limit=7")).unwrap().len(), 7);
    let long_tail = open(&format!("{spec}?imbalance=10")).unwrap();
    assert_eq!(long_tail.class_counts(), [20, 6, 2]);
    let labels: Vec<usize> = labels.iter().map(|&label| usize::from(label)).collect();
    let expect = longtail::ldam_subset(&labels, 3, 10.0, 0).concat();
    for (i, &place) in expect.iter().enumerate() {
        assert!(long_tail.id(i).ends_with(&format!("#{place}")), "{i}");
    }
    // The imbalance applies first, and `per-class` and `limit` draw from the remaining images.
    assert_eq!(
        open(&format!("{spec}?imbalance=10&per-class=5&limit=100"))
            .unwrap()
            .class_counts(),
        [5, 5, 2]
    );
}

#[test]
fn empty_class_is_named_unless_allowed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("classes.txt"), "ant\nbee\ncat\n").unwrap();
    let spec = idx(dir.path(), &[0, 2, 2]);
    let message =
        |data: &str| format!("class 1 (`bee`) has no image in {data}; `empty=allow` accepts that");
    assert_eq!(open(&spec).unwrap_err().to_string(), message(&spec));
    let list = format!("list:{}@.", dir.path().join("list.txt").display());
    fs::write(dir.path().join("list.txt"), "a.png 0\nb.png 2\n").unwrap();
    assert_eq!(open(&list).unwrap_err().to_string(), message(&list));
    let allowed = open(&format!("{spec}?empty=allow&per-class=1")).unwrap();
    assert_eq!(allowed.class_counts(), [1, 0, 1]);
    let data = open(&idx(dir.path(), &[0, 1, 2])).unwrap();
    assert_eq!(
        data.subset(&[0, 2])
            .balanced_indices(1, 0)
            .unwrap_err()
            .to_string(),
        message(&spec)
    );
}

#[test]
fn class_too_small_for_imbalance_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let spec = idx(dir.path(), &[0, 1, 1, 1]);
    assert_eq!(
        open(&format!("{spec}?imbalance=2"))
            .unwrap_err()
            .to_string(),
        "class 0 (`0`) has 1 images, imbalance 2 needs 2",
    );
}

#[test]
fn balanced_draws_are_fixed_by_their_seed() {
    let dir = tempfile::tempdir().unwrap();
    let labels: Vec<u8> = (0..90).map(|i| u8::from(i % 3 == 0)).collect();
    let data = open(&idx(dir.path(), &labels)).unwrap();
    let drawn = data.balanced_indices(5, 3).unwrap();
    assert_eq!(drawn, data.balanced_indices(5, 3).unwrap());
    assert_ne!(drawn, data.balanced_indices(5, 4).unwrap());
    assert_eq!(data.balanced_indices(1000, 0).unwrap().len(), 90);
}

#[test]
fn photographs_are_read_if_present() {
    let Some(folder) = shared("photos") else {
        return;
    };
    let spec = format!("csv:{}", folder.join("labels.csv").display());
    let error = open(&spec).unwrap_err().to_string();
    assert!(
        error.starts_with("class 1 (`1`) has no image in csv:"),
        "{error}"
    );
    let data = open(&format!("{spec}?empty=allow")).unwrap();
    assert_eq!(
        (data.len(), data.classes().len(), data.classes()[0].as_str()),
        (500, 999, "tench")
    );
    let image = data.image(499).unwrap();
    assert_eq!((image.channels, image.height.min(image.width)), (3, 256));
}

#[test]
fn benchmark_lists_have_published_counts_if_present() {
    let Some(lists) = shared("lists") else { return };
    let counts = |file: &str| {
        let data = open(&format!(
            "list:{}@.?empty=allow",
            lists.join(file).display()
        ))
        .unwrap();
        let counts = data.class_counts();
        let few = counts.iter().filter(|&&n| n < 20).count();
        (
            data.len(),
            counts.len(),
            *counts.iter().max().unwrap(),
            *counts.iter().min().unwrap(),
            few,
        )
    };
    assert_eq!(
        counts("Places_LT/Places_LT_train.txt"),
        (62_500, 365, 4980, 5, 71)
    );
    assert_eq!(
        counts("ImageNet_LT/ImageNet_LT_val.txt"),
        (20_000, 1000, 20, 20, 0)
    );
    assert_eq!(
        counts("iNaturalist18/iNaturalist18_val.txt"),
        (24_426, 8142, 3, 3, 8142)
    );
}

#[test]
fn cifar_packs_are_published_subsets_if_present() {
    let Some(folder) = shared("cifar100-lt") else {
        return;
    };
    let spec = format!("cifar100:{}", folder.display());
    for (imbalance, images) in [(10, 19_573), (50, 12_608), (100, 10_847)] {
        let data = open(&format!("{spec}?split=train&imbalance={imbalance}")).unwrap();
        let sizes = longtail::class_sizes(500, 100, f64::from(imbalance));
        assert_eq!(data.len(), images);
        assert_eq!(
            data.class_counts(),
            sizes.iter().map(|&n| n as u64).collect::<Vec<_>>()
        );
    }
    let test = open(&format!("{spec}?split=test&imbalance=100")).unwrap();
    assert_eq!(test.class_counts(), [100; 100]);
    let Some(folder) = shared("cifar10-lt") else {
        return;
    };
    assert_eq!(
        open(&format!("cifar10:{}", folder.display()))
            .unwrap()
            .len(),
        12_406
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn balanced_draws_are_balanced(labels in proptest::collection::vec(0..4_u8, 4..60), n in 1..10_usize, seed: u64) {
        let dir = tempfile::tempdir().unwrap();
        let data = open(&format!("{}?empty=allow", idx(dir.path(), &labels))).unwrap();
        let drawn = data.balanced_indices(n, seed).unwrap();
        let mut sorted = drawn.clone();
        sorted.sort_unstable();
        sorted.dedup();
        prop_assert_eq!(sorted.len(), drawn.len());
        let expect: Vec<u64> = data.class_counts().iter().map(|&count| count.min(n as u64)).collect();
        prop_assert_eq!(data.subset(&drawn).class_counts(), expect);
    }
}

#[test]
fn class_with_other_files_only_is_error_with_their_endings() {
    let dir = tempfile::tempdir().unwrap();
    for file in ["ant/0.png", "bee/0.heic", "bee/1.heic", "bee/.DS_Store"] {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    let spec = format!("folder:{}", dir.path().display());
    assert_eq!(
        open(&spec).unwrap_err().to_string(),
        format!(
            "class 1 (`bee`) has no image in {spec}, only 2 .heic, 1 hidden; `empty=allow` accepts that"
        )
    );
    let data = open(&format!("{spec}?empty=allow")).unwrap();
    assert_eq!(
        data.subset(&[0]).left_out().to_string(),
        "2 .heic, 1 hidden"
    );
}

#[test]
fn photographs_match_lenient_decoder() {
    let Some(folder) = shared("photos") else {
        return;
    };
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| crate::is_named_image(path))
        .collect();
    files.sort();
    assert_eq!(files.len(), 500);
    files.par_iter().for_each(|file| {
        let bytes = fs::read(file).unwrap();
        let pixels = crate::decode(&bytes, file).unwrap();
        let lenient = image::load_from_memory(&bytes).unwrap();
        // The `image` crate does not apply the EXIF orientation.
        if (pixels.height, pixels.width) == (lenient.height() as usize, lenient.width() as usize) {
            assert!(pixels.values == lenient.into_bytes(), "{}", file.display());
        }
        let cut = crate::decode(&bytes[..bytes.len() * 95 / 100], file);
        assert!(cut.is_err(), "{}", file.display());
    });
}
