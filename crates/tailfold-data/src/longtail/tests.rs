use std::path::PathBuf;

use super::*;

#[test]
fn shuffle_matches_numpy_legacy() {
    // numpy 2: r = RandomState(0); a = arange(50); r.shuffle(a); b = arange(7); r.shuffle(b)
    let mut rng = Mt19937Legacy::new(0);
    let mut a: Vec<usize> = (0..50).collect();
    rng.shuffle(&mut a);
    assert_eq!(
        a,
        [
            28, 11, 10, 41, 2, 27, 38, 31, 22, 4, 33, 35, 26, 34, 18, 7, 14, 45, 48, 29, 15, 30,
            32, 16, 42, 20, 43, 8, 13, 25, 5, 17, 40, 49, 1, 12, 37, 24, 6, 23, 36, 21, 19, 9, 39,
            46, 3, 0, 47, 44
        ]
    );
    let mut b: Vec<usize> = (0..7).collect();
    rng.shuffle(&mut b);
    assert_eq!(b, [2, 5, 3, 1, 4, 6, 0]);
}

#[test]
fn class_sizes_match_published() {
    let total =
        |n_max, classes, imbalance| class_sizes(n_max, classes, imbalance).iter().sum::<usize>();
    assert_eq!(
        class_sizes(5000, 10, 100.0),
        [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    );
    assert_eq!(
        [10.0, 50.0, 100.0, 200.0].map(|f| total(500, 100, f)),
        [19_573, 12_608, 10_847, 9_502]
    );
    assert_eq!(
        [10.0, 50.0, 100.0, 200.0].map(|f| total(5000, 10, f)),
        [20_431, 13_996, 12_406, 11_203]
    );
    assert_eq!(total(1000, 10, 100.0), 2_478);
    assert_eq!(class_sizes(7, 1, 100.0), [7]);
    assert_eq!(class_sizes(7, 0, 100.0), [0_usize; 0]);
    assert_eq!(class_sizes(8, 3, 1.0), [8, 8, 8]);
}

#[test]
fn classes_share_one_stream_in_ascending_order() {
    // Interleaved labels: class 0 at even indices, class 1 at odd indices, 5 each, and one label out of range.
    let labels: Vec<usize> = (0..10).map(|i| i % 2).chain([9]).collect();
    let lists = shuffled_classes(&labels, 2, 0);
    let mut rng = Mt19937Legacy::new(0);
    for (class, list) in lists.iter().enumerate() {
        let mut expect: Vec<usize> = (0..5).map(|i| 2 * i + class).collect();
        rng.shuffle(&mut expect);
        assert_eq!(list, &expect);
    }
    let kept = ldam_subset(&labels, 2, 5.0, 0);
    assert_eq!(kept[0], lists[0]);
    assert_eq!(kept[1], lists[1][..1]);
}

#[test]
fn subsets_match_ldam_drw() {
    let root = std::env::var_os("TAILFOLD_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    for (file, classes, per_class, imbalance) in [
        ("cifar100-lt/ldam_lt_if10_seed0.json", 100, 500, 10.0),
        ("cifar100-lt/ldam_lt_if50_seed0.json", 100, 500, 50.0),
        ("cifar100-lt/ldam_lt_if100_seed0.json", 100, 500, 100.0),
        ("cifar10-lt/ldam_lt_if100_seed0.json", 10, 5000, 100.0),
    ] {
        let path = root.join(file);
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: no {}", path.display());
            return;
        };
        let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expect: Vec<Vec<usize>> =
            serde_json::from_value(vectors["within_class_rank"].clone()).unwrap();
        let labels: Vec<usize> = (0..classes * per_class).map(|i| i / per_class).collect();
        let mut lists = ldam_subset(&labels, classes, imbalance, 0);
        for (class, list) in lists.iter_mut().enumerate() {
            for index in list {
                *index -= class * per_class;
            }
        }
        assert_eq!(lists, expect, "{file}");
    }
}
