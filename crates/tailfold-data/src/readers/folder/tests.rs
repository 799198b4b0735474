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
fn sub_folders_are_classes_in_order() {
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
fn a_class_missing_from_one_split_shifts_no_label() {
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
            "folder:{} has no `val` split: there is no sub-folder of that name",
            dir.path().display()
        ),
    );
}

#[test]
fn nothing_to_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let message = |path: &Path| load(path, None).err().expect("an error").to_string();
    assert_eq!(
        message(dir.path()),
        format!("{} holds no sub-folder with images", dir.path().display())
    );
    touch(dir.path(), &["cat/notes.txt"]);
    assert_eq!(
        message(dir.path()),
        format!("{} holds no sub-folder with images", dir.path().display())
    );
    let gone = dir.path().join("gone");
    assert_eq!(message(&gone), format!("cannot read {}", gone.display()));
}
