use std::fs;

use super::*;

fn read(bytes: impl AsRef<[u8]>) -> Result<Vec<String>, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("names.txt");
    fs::write(&path, bytes).unwrap();
    class_names(&path).map_err(|error| {
        let text = error.to_string();
        let at_file = text.strip_prefix(&path.display().to_string());
        at_file.expect("the file's name").to_owned()
    })
}

#[test]
fn names_are_read_without_mark_and_white_space() {
    let expect = Ok(vec!["ant".to_owned(), "honey bee".to_owned()]);
    for text in [
        "ant\nhoney bee\n",
        "ant\r\nhoney bee\r\n",
        "\u{feff}ant\n honey bee",
    ] {
        assert_eq!(read(text), expect);
    }
    assert_eq!(read("cafe\u{301}\n").unwrap(), ["caf\u{e9}"]);
}

#[test]
fn empty_and_doubled_lines_are_named() {
    let check = |text: &str, expect: &str| assert_eq!(read(text).unwrap_err(), expect);
    check("", " holds no class name");
    check("\u{feff}", " holds no class name");
    check("ant\n\nbee\n", ", line 2: no class name");
    check("ant\nbee\n\n", ", line 3: no class name");
    check(
        "ant\nbee\n ant\n",
        ", line 3: class `ant` is on line 1 already",
    );
    check(
        "caf\u{e9}\nbee\ncafe\u{301}\n",
        ", line 3: class `caf\u{e9}` is on line 1 already",
    );
}

#[test]
fn other_encodings_are_named() {
    assert_eq!(
        read(b"\xff\xfea\0\n\0").unwrap_err(),
        " begins with the byte order mark of UTF-16 (little-endian): save it as UTF-8"
    );
    assert_eq!(
        read(b"\xfe\xff\0a\0\n").unwrap_err(),
        " begins with the byte order mark of UTF-16 (big-endian): save it as UTF-8"
    );
    assert_eq!(read(b"\xe9\n").unwrap_err(), " is not UTF-8 text");
}
