use std::fs;

use super::build::{Plan, build};
use super::*;

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(FOLDER)
}

fn message(result: Result<Loaded, DataError>) -> String {
    result.err().expect("an error").to_string()
}

/// Writes IDX files with `n` images of each of 10 classes, interleaved, with random pixels.
fn write_idx(dir: &Path, prefix: &str, n: u32) {
    let count = 10 * n;
    let mut draws = crate::draws::Draws::new([n.into(), 0, 0, 0]);
    let pixels = (0..count * 784).map(|_| u8::try_from(draws.below(256)).unwrap());
    let sizes = [0x803, count, 28, 28]
        .into_iter()
        .flat_map(u32::to_be_bytes);
    fs::write(
        dir.join(format!("{prefix}-images-idx3-ubyte")),
        sizes.chain(pixels).collect::<Vec<_>>(),
    )
    .unwrap();
    let labels = (0..count).map(|i| u8::try_from(i % 10).unwrap());
    let sizes = [0x801, count].into_iter().flat_map(u32::to_be_bytes);
    fs::write(
        dir.join(format!("{prefix}-labels-idx1-ubyte")),
        sizes.chain(labels).collect::<Vec<_>>(),
    )
    .unwrap();
}

#[test]
fn built_data_set_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    write_idx(dir.path(), "train", 12);
    write_idx(dir.path(), "t10k", 6);
    let plan = Plan {
        n_max: 10,
        val: 2,
        test: 6,
    };
    // int(10 * 0.01^(k/9)) is 0 for k >= 5.
    let summary = build(dir.path(), &out, &plan).unwrap();
    assert_eq!(summary.train_counts, [10, 5, 3, 2, 1, 0, 0, 0, 0, 0]);
    assert_eq!((summary.train, summary.val, summary.test), (21, 20, 60));
    let again = dir.path().join("again");
    build(dir.path(), &again, &plan).unwrap();
    for (path, bytes) in &summary.files {
        let name = path.file_name().unwrap();
        assert_eq!(fs::metadata(path).unwrap().len(), *bytes);
        assert_eq!(
            fs::read(path).unwrap(),
            fs::read(again.join(name)).unwrap(),
            "{}",
            path.display()
        );
    }

    let mut seen = std::collections::BTreeSet::new();
    for (split, from) in [
        (Split::Train, Split::Train),
        (Split::Val, Split::Train),
        (Split::Test, Split::Test),
    ] {
        let original = readers::idx::load(dir.path(), Some(from)).unwrap();
        let loaded = load(&out, split, None).unwrap();
        assert_eq!(loaded.classes[9], "Ankle boot");
        let mut table = csv::Reader::from_path(out.join(format!("{split}.csv"))).unwrap();
        for (i, row) in table.deserialize::<Row>().enumerate() {
            let row = row.unwrap();
            let image = loaded.images.get(i).unwrap();
            assert_eq!(
                image,
                original.images.get(row.source).unwrap(),
                "{split} {i}"
            );
            assert_eq!(loaded.labels[i], original.labels[row.source]);
            assert!(
                seen.insert((from.name(), row.source)),
                "{split} {i} is in another split, too"
            );
        }
    }
    let class_0 = longtail_order(&readers::idx::load(dir.path(), None).unwrap().labels);
    let first: Vec<usize> = fs::read_to_string(out.join("train.csv"))
        .unwrap()
        .lines()
        .skip(1)
        .take(10)
        .map(|line| line.rsplit(',').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(first, class_0[..10]);
}

fn longtail_order(labels: &[usize]) -> Vec<usize> {
    crate::longtail::shuffled_classes(labels, 10, 0).swap_remove(0)
}

#[test]
fn too_few_or_wrongly_shaped_images_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    write_idx(dir.path(), "train", 12);
    write_idx(dir.path(), "t10k", 5);
    let error = |plan| {
        build(dir.path(), &dir.path().join("out"), &plan)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        error(Plan {
            n_max: 10,
            val: 3,
            test: 5
        }),
        "class 0 (`T-shirt/top`) has 12 images, imbalance 100 needs 13",
    );
    assert_eq!(
        error(Plan {
            n_max: 10,
            val: 2,
            test: 6
        }),
        "class 0 (`T-shirt/top`) has 5 images, imbalance 100 needs 6",
    );
    assert!(!dir.path().join("out").exists());
}

#[test]
fn shipped_files_match_their_sums() {
    let folder = shipped();
    let count = |split| {
        let loaded = load(&folder, split, None).unwrap();
        let mut counts = vec![0; loaded.classes.len()];
        loaded.labels.iter().for_each(|&label| counts[label] += 1);
        counts
    };
    assert_eq!(
        count(Split::Train),
        crate::longtail::class_sizes(1000, 10, 100.0)
    );
    assert_eq!(count(Split::Val), [30; 10]);
    assert_eq!(count(Split::Test), [300; 10]);
    let sums = fs::read_to_string(folder.join(SUMS)).unwrap();
    assert_eq!(sums.lines().count(), 8);
    for line in sums.lines() {
        read_checked(&folder, &sums, line.split_once("  ").unwrap().1).unwrap();
    }
    assert!(
        load(&folder, Split::Train, Some(100.0))
            .unwrap()
            .chosen
            .is_some()
    );
    assert_eq!(
        message(load(&folder, Split::Train, Some(10.0))),
        format!(
            "imbalance 10 cannot be drawn from {}: it is long-tailed already, with imbalance 100",
            folder.display()
        ),
    );
}

#[test]
fn changed_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(shipped()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    assert!(load(dir.path(), Split::Val, None).is_ok());
    let path = dir.path().join("val.csv");
    let mut text = fs::read(&path).unwrap();
    *text.last_mut().unwrap() = b' ';
    fs::write(&path, &text).unwrap();
    let text = message(load(dir.path(), Split::Val, None));
    assert!(
        text.starts_with(&format!("{} has SHA-256 ", path.display())),
        "{text}"
    );
    assert!(load(dir.path(), Split::Test, None).is_ok());
    fs::write(dir.path().join(SUMS), "").unwrap();
    let text = message(load(dir.path(), Split::Test, None));
    assert!(text.ends_with(", but SHA256SUMS says nothing"), "{text}");
}

#[test]
fn wrong_table_with_valid_sums_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let sprite = fs::read(shipped().join("val.png")).unwrap();
    let check = |table: &str, expect: &str| {
        let files = [
            ("classes.txt", b"a\nb\n".as_slice()),
            ("val.csv", table.as_bytes()),
            ("val.png", &sprite),
        ];
        let mut sums = String::new();
        for (name, bytes) in files {
            fs::write(dir.path().join(name), bytes).unwrap();
            sums += &format!("{}  {name}\n", artifact::sha256(bytes));
        }
        fs::write(dir.path().join(SUMS), sums).unwrap();
        let text = message(load(dir.path(), Split::Val, None));
        assert_eq!(text, format!("{}/{expect}", dir.path().display()));
    };
    check("tile,label,source\n", "val.csv holds no image");
    check(
        "tile,label,source\n0,0,0\n2,0,0\n",
        "val.csv, line 3: tile 2, expected 1",
    );
    check(
        "tile,label,source\n0,2,0\n",
        "val.csv, line 2: label 2, but there are 2 classes",
    );
    check(
        "tile,label,source\n0,1,0\n",
        "val.png: 168x1400 pixels with 1 channels, expected 28x1400 with 1",
    );
}

#[test]
fn folder_is_found_from_below_or_by_variable() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(FOLDER);
    let below = dir.path().join("crates/x");
    fs::create_dir_all(&below).unwrap();
    let text = find_from(None, &below).unwrap_err().to_string();
    assert!(text.contains(&folder.display().to_string()), "{text}");
    assert!(
        text.contains(&below.join(FOLDER).display().to_string()),
        "{text}"
    );
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(SUMS), "").unwrap();
    assert_eq!(find_from(None, &below).unwrap(), folder);
    assert_eq!(
        find_from(Some("elsewhere".into()), &below)
            .unwrap_err()
            .to_string(),
        "the embedded data set is missing; looked in elsewhere (TAILFOLD_EMBEDDED overrides)",
    );
    assert_eq!(
        find_from(Some(folder.clone().into()), Path::new("/")).unwrap(),
        folder
    );
}
