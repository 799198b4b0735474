use std::fs;

use super::*;

const GOOD: &str = r#"{
    "info": {"year": 2018}, "licenses": [],
    "images": [
        {"id": 30, "file_name": "a/x.jpg", "width": 800},
        {"id": 10, "file_name": "b/\u00e9.jpg", "height": 5},
        {"id": 20, "file_name": "c z.jpg"}
    ],
    "annotations": [
        {"id": 1, "image_id": 10, "category_id": 7},
        {"id": 2, "image_id": 20, "category_id": 2},
        {"id": 3, "image_id": 30, "category_id": 2}
    ],
    "categories": [{"id": 7, "name": "seven"}, {"id": 2, "name": "two", "supercategory": "x"}]
}"#;

fn write(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("train.json");
    fs::write(&path, text).unwrap();
    (dir, path)
}

#[test]
fn categories_are_classes_in_the_order_of_their_ids() {
    let (dir, path) = write(GOOD);
    let loaded = load(&path, Path::new("root"), None).unwrap();
    assert_eq!(loaded.labels, [0, 1, 0]);
    assert_eq!(loaded.classes, ["two", "seven"]);
    let ids = [0, 1, 2].map(|i| loaded.images.id(i));
    let expect = ["a/x.jpg", "b/é.jpg", "c z.jpg"]
        .map(|name| Path::new("root").join(name).display().to_string());
    assert_eq!(ids, expect);
    let split = dir.path().join("{split}.json");
    assert_eq!(
        load(&split, Path::new("."), Some(Split::Train))
            .unwrap()
            .labels,
        [0, 1, 0]
    );
    // `categories.json` has more categories than the annotations.
    let names =
        r#"[{"id": 9, "name": "nine"}, {"id": 2, "name": "Rana"}, {"id": 7, "name": "Bufo"}]"#;
    fs::write(dir.path().join(CATEGORIES), names).unwrap();
    assert_eq!(
        load(&path, Path::new("."), None).unwrap().classes,
        ["Rana", "Bufo"]
    );
    let (start, _) = GOOD.split_once(",\n    \"categories\"").unwrap();
    fs::write(&path, format!("{start}}}")).unwrap();
    let loaded = load(&path, Path::new("."), None).unwrap();
    assert_eq!((loaded.classes.len(), loaded.labels), (3, vec![0, 1, 0]));
}

#[test]
fn bad_annotations_are_named() {
    let (dir, path) = write(GOOD);
    let check = |from: &str, to: &str, expect: &str| {
        assert!(GOOD.contains(from));
        fs::write(&path, GOOD.replace(from, to)).unwrap();
        let message = load(&path, Path::new("."), None).err().unwrap().to_string();
        let start = format!("{}: {expect}", path.display());
        assert!(message.starts_with(&start), "{message}, expected {start}");
    };
    check("\"id\": 20", "\"id\": 10", "image 10 is listed twice");
    check(
        "\"image_id\": 20",
        "\"image_id\": 21",
        "an annotation names image 21, which is not listed",
    );
    check(
        "\"category_id\": 7",
        "\"category_id\": 8",
        "image 10 has category 8, which is not listed",
    );
    check(
        "\"image_id\": 20",
        "\"image_id\": 10",
        "image 10 has more than one category",
    );
    check(
        "\"image_id\": 20",
        "\"image_id\": 30",
        "image 20 (`c z.jpg`) has no annotation",
    );
    check("\"id\": 7,", "\"id\": 2,", "category 2 is listed twice");
    check(
        "\"annotations\"",
        "\"notes\"",
        "no image annotations: missing field `annotations`",
    );
    check(
        "\"id\": 20",
        "\"id\": -20",
        "no image annotations: invalid value",
    );
    check("2018", "", "no image annotations: expected value at line 2");
    fs::write(
        dir.path().join(CATEGORIES),
        r#"[{"id": 2, "name": "Rana"}]"#,
    )
    .unwrap();
    check("2018", "2019", "category 7 is not in categories.json");
    fs::write(dir.path().join(CATEGORIES), r#"{"id": 2}"#).unwrap();
    let message = load(&path, Path::new("."), None).err().unwrap().to_string();
    let file = dir.path().join(CATEGORIES);
    assert!(
        message.starts_with(&format!("{}: no list of categories", file.display())),
        "{message}"
    );
    fs::remove_file(file).unwrap();
    fs::write(&path, r#"{"images": [], "annotations": []}"#).unwrap();
    let message = load(&path, Path::new("."), None).err().unwrap().to_string();
    assert_eq!(message, format!("{} holds no image", path.display()));
    fs::write(
        &path,
        r#"{"images": [{"id": 1, "file_name": "x"}], "annotations": []}"#,
    )
    .unwrap();
    let message = load(&path, Path::new("."), None).err().unwrap().to_string();
    assert_eq!(message, format!("{} holds no category", path.display()));
}
