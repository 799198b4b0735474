use std::fs;

use super::*;

fn touch(root: &Path, files: &[&str]) {
    for file in files {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }
}

#[test]
fn sub_folders_are_classes_in_name_order() {
    let dir = tempfile::tempdir().unwrap();
    touch(
        dir.path(),
        &[
            "dog/2.PNG",
            "dog/1.jpg",
            "cat/deep/3.webp",
            "cat/notes.txt",
            "cat/.hidden.png",
            ".git/x.png",
            "y.png",
        ],
    );
    let loaded = load(dir.path(), None).unwrap();
    assert_eq!(loaded.classes, ["cat", "dog"]);
    assert_eq!(loaded.labels, [0, 1, 1]);
    assert_eq!(
        loaded.images.id(1),
        dir.path().join("dog/1.jpg").display().to_string()
    );
}

#[test]
fn class_missing_from_one_split_shifts_no_label() {
    let dir = tempfile::tempdir().unwrap();
    touch(
        dir.path(),
        &["train/ant/1.png", "train/bee/1.png", "test/bee/1.png"],
    );
    let loaded = load(dir.path(), Some(Split::Test)).unwrap();
    assert_eq!((loaded.labels, loaded.classes.len()), (vec![1], 2));
    assert_eq!(
        load(dir.path(), Some(Split::Val))
            .err()
            .expect("an error")
            .to_string(),
        format!(
            "folder:{} has no `val` split: its sub-folders are test, train",
            dir.path().display()
        ),
    );
}

#[test]
fn folder_without_images_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let message = |path: &Path| load(path, None).err().expect("an error").to_string();
    assert_eq!(
        message(dir.path()),
        format!("{} holds no sub-folder with images", dir.path().display())
    );
    touch(dir.path(), &["cat/notes.txt", "cat/photo"]);
    assert_eq!(
        message(dir.path()),
        format!(
            "{} holds no sub-folder with images, only 1 .txt, 1 no ending",
            dir.path().display()
        )
    );
    let gone = dir.path().join("gone");
    assert_eq!(message(&gone), format!("cannot read {}", gone.display()));
}

#[test]
fn hidden_and_other_files_are_skipped_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    touch(
        dir.path(),
        &[
            "ant/0.png",
            "ant/.ipynb_checkpoints/0-checkpoint.png",
            "ant/.ipynb_checkpoints/1-checkpoint.png",
            "ant/._0.png",
            "ant/Thumbs.db",
            "bee/0.jfif",
            "bee/1.jpe",
            "bee/2.WebP",
            "bee/3.bmp",
            "bee/4.heic",
            "bee/5",
            "__MACOSX/ant/._0.png",
            ".ipynb_checkpoints/0-checkpoint.png",
        ],
    );
    let loaded = load(dir.path(), None).unwrap();
    assert_eq!(loaded.classes, ["ant", "bee"]);
    assert_eq!(loaded.labels, [0, 1, 1, 1, 1]);
    let left_out = loaded.left_out;
    assert_eq!(left_out.of_folder("ant").unwrap(), "3 hidden");
    assert_eq!(left_out.of_folder("bee").unwrap(), "1 .heic, 1 no ending");
}

#[test]
fn split_folders_are_refused_as_classes() {
    let check = |files: &[&str], expect: Option<&str>| {
        let dir = tempfile::tempdir().unwrap();
        touch(dir.path(), files);
        let data = format!("folder:{}", dir.path().display());
        let found = load(dir.path(), None).err().map(|e| e.to_string());
        assert_eq!(found, expect.map(|text| text.replace("DATA", &data)));
    };
    check(
        &["train/ant/0.png", "val/ant/0.png", "test/ant/0.png"],
        Some("DATA holds the splits test, train, val, not classes: write DATA?split=train"),
    );
    check(
        &["Train/ant/0.png", "Validation/ant/0.png", "docs/0.png"],
        Some(
            "DATA holds the splits Train, Validation, not classes: rename Train to train, Validation to val, and write DATA?split=train",
        ),
    );
    check(
        &["valid/ant/0.png"],
        Some(
            "DATA holds the splits valid, not classes: rename valid to val, and write DATA?split=val",
        ),
    );
    check(&["train/0.png", "car/0.png"], None);
}

#[test]
fn error_of_missing_split_lists_folder_in_other_letter_case() {
    let dir = tempfile::tempdir().unwrap();
    touch(dir.path(), &["Train/ant/0.png", "Val/ant/0.png"]);
    let error = load(dir.path(), Some(Split::Train))
        .err()
        .expect("an error");
    let expect = format!(
        "folder:{} has no `train` split: its sub-folders are Train, Val",
        dir.path().display()
    );
    assert_eq!(error.to_string(), expect);
}

#[test]
fn class_names_are_normalised_and_paths_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let decomposed = "cafe\u{301}";
    touch(
        dir.path(),
        &[
            &format!("train/{decomposed}/0.png"),
            "train/zoo/0.png",
            "test/caf\u{e9}/0.png",
        ],
    );
    for split in [Split::Train, Split::Test] {
        let loaded = load(dir.path(), Some(split)).unwrap();
        assert_eq!(loaded.classes, ["caf\u{e9}", "zoo"]);
        assert_eq!(loaded.labels[0], 0);
    }
    let train = load(dir.path(), Some(Split::Train)).unwrap();
    assert!(train.images.id(0).contains(decomposed));
    touch(dir.path(), &["train/caf\u{e9}/1.png"]);
    let error = load(dir.path(), Some(Split::Train))
        .err()
        .expect("an error");
    assert!(
        error
            .to_string()
            .ends_with("are the same class name, `caf\u{e9}`"),
        "{error}"
    );
}
