use std::fs;
use std::path::PathBuf;

use super::*;

fn message(result: Result<Loaded, DataError>) -> String {
    result.err().expect("an error").to_string()
}

#[test]
fn last_word_is_label() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("list.txt");
    fs::write(&file, "a/x.jpg 1\r\n\nmy cat.jpg\t0\n").unwrap();
    let loaded = load(&file, Path::new("root"), None).unwrap();
    assert_eq!(loaded.labels, [1, 0]);
    assert_eq!(loaded.classes, ["0", "1"]);
    assert_eq!(
        loaded.images.id(0),
        PathBuf::from("root/a/x.jpg").display().to_string()
    );
    assert_eq!(
        loaded.images.id(1),
        PathBuf::from("root/my cat.jpg").display().to_string()
    );
    fs::write(dir.path().join("classes.txt"), "dog\ncat\nhorse\n").unwrap();
    assert_eq!(
        load(&file, Path::new("root"), None).unwrap().classes,
        ["dog", "cat", "horse"]
    );
}

#[test]
fn bad_lines_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("list.txt");
    let check = |text: &str, expect: &str| {
        fs::write(&file, text).unwrap();
        assert_eq!(
            message(load(&file, Path::new("."), None)),
            format!("{}{expect}", file.display())
        );
    };
    check("", " holds no image");
    check(" \n\n", " holds no image");
    check(
        "a.jpg 0\n\nb.jpg\n",
        ", line 3: `b.jpg` is not `path label`",
    );
    check(
        "a.jpg 0\nb.jpg cat\n",
        ", line 2: label `cat` is not a whole number",
    );
    check("a.jpg -1\n", ", line 1: label `-1` is not a whole number");
    check(
        "a.jpg 999999999999\n",
        ", line 1: label 999999999999, but there are 1000000 classes",
    );
    fs::write(dir.path().join("classes.txt"), "dog\n").unwrap();
    check(
        "\na.jpg 0\n\nb.jpg 1",
        ", line 4: label 1, but there are 1 classes",
    );
    fs::write(dir.path().join("classes.txt"), "dog\n\ncat\n").unwrap();
    let names = dir.path().join("classes.txt");
    assert_eq!(
        message(load(&file, Path::new("."), None)),
        format!("{}, line 2: no class name", names.display()),
    );
}

#[test]
fn split_is_part_of_file_name() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("val.txt"), "a.jpg 0\n").unwrap();
    let pattern = dir.path().join("{split}.txt");
    assert_eq!(
        load(&pattern, Path::new("."), Some(Split::Val))
            .unwrap()
            .labels,
        [0]
    );
    let plain = dir.path().join("val.txt");
    assert_eq!(
        message(load(&plain, Path::new("."), Some(Split::Test))),
        format!(
            "list:{} has no `test` split: it is one file, write {{split}} in its name if there is one file per split",
            plain.display()
        ),
    );
}

#[test]
fn names_come_from_inaturalist_categories() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("train.txt");
    fs::write(&file, "a.jpg 1\nb.jpg 0\n").unwrap();
    let names = r#"[{"id": 1, "name": "Bufo"}, {"id": 0, "name": "Rana", "order": "Anura"}]"#;
    fs::write(dir.path().join("categories.json"), names).unwrap();
    let loaded = load(&file, Path::new("."), None).unwrap();
    assert_eq!(loaded.classes, ["Rana", "Bufo"]);
    assert_eq!(loaded.labels, [1, 0]);
}

#[test]
fn byte_order_mark_is_not_part_of_a_path() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("list.txt");
    fs::write(&file, "\u{feff}a.jpg 0\r\nb.jpg 1\r\n").unwrap();
    fs::write(dir.path().join("classes.txt"), "\u{feff}ant\r\nbee\r\n").unwrap();
    let loaded = load(&file, Path::new("root"), None).unwrap();
    assert_eq!(
        loaded.images.id(0),
        PathBuf::from("root/a.jpg").display().to_string()
    );
    assert_eq!(loaded.classes, ["ant", "bee"]);
    fs::write(&file, b"\xff\xfea\0").unwrap();
    let error = message(load(&file, Path::new("root"), None));
    assert!(error.contains("byte order mark of UTF-16"), "{error}");
}
