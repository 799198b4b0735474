use std::fs;

use super::*;

fn message(result: Result<Loaded, DataError>) -> String {
    result.err().expect("an error").to_string()
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("labels.csv");
    fs::write(&path, text).unwrap();
    (dir, path)
}

#[test]
fn names_are_sorted_and_columns_found_by_header() {
    let (dir, path) =
        file("label,other,file\nzebra,1,b.png\n\"ant, red\",2,a.png\nzebra,3,c.png\n");
    let loaded = load(&path, None).unwrap();
    assert_eq!(loaded.classes, ["ant, red", "zebra"]);
    assert_eq!(loaded.labels, [1, 0, 1]);
    assert_eq!(
        loaded.images.id(0),
        dir.path().join("b.png").display().to_string()
    );
    fs::write(dir.path().join("classes.txt"), "zebra\nant, red\nbee\n").unwrap();
    let loaded = load(&path, None).unwrap();
    assert_eq!((loaded.labels, loaded.classes.len()), (vec![0, 1, 0], 3));
    fs::write(dir.path().join("classes.txt"), "zebra\n").unwrap();
    assert_eq!(
        message(load(&path, None)),
        format!(
            "{}, line 3: label `ant, red` is not in classes.txt",
            path.display()
        ),
    );
}

#[test]
fn numbers_are_labels_and_take_names() {
    let (_dir, path) = file("file,label,name\na.png,2,two\nb.png,0,zero\nc.png,2,two\n");
    let loaded = load(&path, None).unwrap();
    assert_eq!(loaded.classes, ["zero", "1", "two"]);
    assert_eq!(loaded.labels, [2, 0, 2]);
}

#[test]
fn bad_rows_are_named() {
    let check = |text: &str, expect: &str| {
        let (_dir, path) = file(text);
        assert_eq!(
            message(load(&path, None)),
            format!("{}{expect}", path.display())
        );
    };
    check("", ", line 1: no column `file` in ``");
    check(
        "path,label\na,1\n",
        ", line 1: no column `file` in `path,label`",
    );
    check("file,label\n", " holds no image");
    check(
        "file,label\na.png,0\nb.png,cat\n",
        ", line 3: label `cat` is not a whole number",
    );
    check(
        "file,label\na.png,5000000\n",
        ", line 2: label 5000000, but there are 1000000 classes",
    );
    check("file,label\na.png,\n", ", line 2: no label");
    check("file,label\n,1\n", ", line 2: no file");
    check(
        "file,label,name\na.png,1,one\nb.png,1,uno\n",
        ", line 3: label 1 is `uno`, on a line before it is `one`",
    );
    let (_dir, path) = file("file,label\na.png,1,2\n");
    let text = message(load(&path, None));
    assert!(
        text.starts_with(&format!("{}, line 2: ", path.display())),
        "{text}"
    );
    fs::write(
        &path,
        [b"file,label\n".as_slice(), &[0xff, b',', b'1']].concat(),
    )
    .unwrap();
    let text = message(load(&path, None));
    assert!(
        text.starts_with(&format!("{}, line 2: ", path.display())),
        "{text}"
    );
}

#[test]
fn byte_order_mark_and_unicode_form_do_not_change_names() {
    let (_dir, path) = file("\u{feff}file,label\na.png,caf\u{e9}\nb.png,cafe\u{301}\n");
    let loaded = load(&path, None).unwrap();
    assert_eq!(loaded.classes, ["caf\u{e9}"]);
    assert_eq!(loaded.labels, [0, 0]);
    let (_dir, path) = file("\u{feff}file,label\na.png,0\n");
    assert_eq!(load(&path, None).unwrap().labels, [0]);
}
