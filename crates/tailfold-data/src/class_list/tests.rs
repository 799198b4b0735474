use std::fs;

use super::*;

fn read(bytes: impl AsRef<[u8]>) -> Result<Vec<String>, String> {
    read_by(distinct_names, bytes)
}

fn read_by<T>(
    reader: impl Fn(&Path) -> Result<T, DataError>,
    bytes: impl AsRef<[u8]>,
) -> Result<T, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("names.txt");
    fs::write(&path, bytes).unwrap();
    reader(&path).map_err(|error| {
        let text = error.to_string();
        let at_file = text.strip_prefix(&path.display().to_string());
        at_file.expect("the file's name").to_owned()
    })
}

#[test]
fn byte_order_mark_and_white_space_are_removed() {
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
fn empty_and_duplicate_lines_are_errors_with_line_number() {
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
fn utf16_and_latin1_are_errors() {
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

#[test]
fn repeated_names_of_model_are_accepted_with_a_sentence() {
    let sentence = |text: &str| {
        let names = read_by(class_names, text).unwrap();
        repeats(Path::new("names.txt"), &names)
    };
    assert_eq!(sentence("crane\nbee\n"), None);
    assert_eq!(
        sentence("crane\nbee\ncrane\n").unwrap(),
        "names.txt: class `crane` is on lines 1 and 3: answers show the same name for both"
    );
    assert_eq!(
        sentence("a\na\na\na\nb\nb\n").unwrap(),
        "names.txt: class `a` is on lines 1 and 2, class `a` is on lines 1 and 3, class `a` is on lines 1 and 4, and 1 more: answers show the same name for both"
    );
}

#[test]
fn counts_are_read_without_byte_order_mark_and_other_text_is_an_error() {
    let counts = |text: &str| read_by(class_counts, text);
    assert_eq!(counts("\u{feff}900\r\n 5\r\n"), Ok(vec![900, 5]));
    assert_eq!(counts("").unwrap_err(), " holds no training count");
    assert_eq!(
        counts("900\n-5\n").unwrap_err(),
        ", line 2: `-5` is not a number of images"
    );
}
