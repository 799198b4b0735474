//! Files written by numpy, pyarrow, pandas and polars (`golden/write.py`) give the values that were written, or an
//! error that names the problem.

use tailfold_logits::{LogitFile, LogitFileError, is_logit_file, read_labels};

use crate::golden;

const IMAGES: usize = 23;
const CLASSES: usize = 5;

fn logit(image: usize, class: usize) -> f32 {
    f32::from(u8::try_from((7 * image + 13 * class) % 64).unwrap()) / 4.0 - 8.0
}

fn labels() -> Vec<usize> {
    (0..IMAGES).map(|image| image % CLASSES).collect()
}

/// Opens the golden file and checks its logits, read in steps of several sizes.
fn read(name: &str) -> LogitFile {
    let path = golden(name);
    assert!(is_logit_file(&path).unwrap(), "{name}");
    let expect: Vec<f32> = (0..IMAGES)
        .flat_map(|image| (0..CLASSES).map(move |class| logit(image, class)))
        .collect();
    for step in [1, 4, 7, 23, 1000] {
        let mut file = LogitFile::open(&path).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(
            (file.images(), file.num_classes()),
            (IMAGES, CLASSES),
            "{name}"
        );
        let (mut all, mut rows) = (Vec::new(), vec![9.0; 3]);
        loop {
            // Reading labels between rows does not affect the rows.
            file.labels().unwrap();
            let found = file.read(step, &mut rows).unwrap();
            assert_eq!(rows.len(), found * CLASSES, "{name}");
            assert_eq!(
                found,
                step.min(IMAGES - all.len() / CLASSES),
                "{name} by {step}"
            );
            if found == 0 {
                break;
            }
            all.extend_from_slice(&rows);
        }
        assert_eq!(all, expect, "{name} by {step}");
    }
    LogitFile::open(&path).unwrap()
}

/// The error message after the name of the golden file.
fn refusal(name: &str, error: &LogitFileError) -> String {
    let message = error.to_string();
    let (_, after) = message
        .split_once(name)
        .unwrap_or_else(|| panic!("{name} not in: {message}"));
    after.to_owned()
}

/// Opens the golden file and reads all its rows; returns the error message.
fn refused(name: &str) -> String {
    let mut rows = Vec::new();
    let mut all = || -> Result<(), LogitFileError> {
        let mut file = LogitFile::open(&golden(name))?;
        while file.read(100, &mut rows)? > 0 {}
        Ok(())
    };
    refusal(name, &all().expect_err(name))
}

#[test]
fn numpy_arrays_are_read() {
    for name in [
        "little-f2",
        "little-f4",
        "little-f8",
        "big-f2",
        "big-f4",
        "big-f8",
        "version-2",
        "version-3",
    ] {
        let mut file = read(&format!("{name}.npy"));
        assert_eq!(file.labels().unwrap(), None);
        assert_eq!(file.ids().unwrap(), None);
    }
}

#[test]
fn doubles_beyond_single_precision_become_infinite() {
    let mut file = LogitFile::open(&golden("overflow.npy")).unwrap();
    let mut rows = Vec::new();
    assert_eq!(file.read(5, &mut rows).unwrap(), 2);
    assert_eq!(rows, [f32::INFINITY, f32::NEG_INFINITY, 0.0, 1.0]);
}

#[test]
fn arrays_without_logits_are_refused() {
    let check = |name: &str, expect: &str| assert_eq!(refused(name), expect, "{name}");
    check(
        "fortran.npy",
        ": the array is in Fortran order, expected C order: write np.ascontiguousarray(array)",
    );
    check(
        "flat.npy",
        ": the array is f4 [5], expected f2, f4 or f8 [n, classes], neither of them 0",
    );
    check(
        "labels-little-i4.npy",
        ": the array is i4 [23], expected f2, f4 or f8 [n, classes], neither of them 0",
    );
    check(
        "structured.npy",
        ": the array is structured, expected a plain array of numbers",
    );
    check(
        "complex.npy",
        ": the array is c8 [23, 5], expected f2, f4 or f8 [n, classes], neither of them 0",
    );
    check(
        "objects.npy",
        ": the array is of Python objects (`|O`, a pickle), expected a plain array of numbers, such as `array.astype(np.float32)`",
    );
    check(
        "labels.txt",
        " is not a file of logits: it begins with `0\\n1\\n2\\n3\\n4`, neither as .npy nor as Parquet nor as safetensors",
    );
}

#[test]
fn list_column_is_read() {
    for name in [
        "none",
        "snappy",
        "gzip",
        "zstd",
        "lz4",
        "v2-none",
        "v2-snappy",
        "v2-zstd",
        "groups",
        "pages",
        "plain",
        "split",
        "pandas",
        "polars-zstd",
        "polars-lz4",
        "polars-snappy",
        "polars-gzip",
        "polars-uncompressed",
        "polars-pages",
    ] {
        let mut file = read(&format!("list-{name}.parquet"));
        assert_eq!(file.labels().unwrap(), Some(labels()), "{name}");
        assert_eq!(file.ids().unwrap().unwrap()[22], "images/22.png", "{name}");
    }
    for name in [
        "list-fixed",
        "list-required",
        "labels-categories",
        "array-polars",
    ] {
        let mut file = read(&format!("{name}.parquet"));
        assert_eq!(file.labels().unwrap(), Some(labels()), "{name}");
    }
    for name in ["double", "half"] {
        assert_eq!(
            read(&format!("list-{name}.parquet")).labels().unwrap(),
            None,
            "{name}"
        );
    }
    assert_eq!(
        read("list-large.parquet").ids().unwrap().unwrap()[1],
        "images/1.png"
    );
}

#[test]
fn one_column_per_class_is_read() {
    for name in ["pyarrow", "pandas", "polars", "by-number"] {
        let mut file = read(&format!("columns-{name}.parquet"));
        assert_eq!(file.labels().unwrap(), Some(labels()), "{name}");
        assert_eq!(file.ids().unwrap(), None, "{name}");
    }
    let mut file = read("columns-encoded.parquet");
    assert_eq!(file.labels().unwrap(), Some(labels()));
    assert_eq!(file.ids().unwrap().unwrap()[22], "images/22.png");
    let error = read("id-deltas.parquet").ids().unwrap_err();
    let message = refusal("id-deltas.parquet", &error);
    let expect =
        ": row group 0, column `id` cannot be read: a page is encoded as DELTA_BYTE_ARRAY, ";
    assert!(message.starts_with(expect), "{message}");
    for name in ["any-order", "in-order", "half", "double"] {
        read(&format!("columns-{name}.parquet"));
    }
}

#[test]
fn row_of_other_form_is_named() {
    let check = |name: &str, expect: &str| {
        assert_eq!(refused(&format!("{name}.parquet")), expect, "{name}")
    };
    let five = "expected 5 logits, as in the first row";
    check("null-row", &format!(": row 7: the list is null, {five}"));
    check(
        "null-logit",
        &format!(": row 7: the logit of class 2 is null, {five}"),
    );
    check(
        "empty-row",
        &format!(": row 7: the list has 0 logits, {five}"),
    );
    check(
        "short-row",
        &format!(": row 7: the list has 3 logits, {five}"),
    );
    check(
        "long-row",
        &format!(": row 7: the list has 6 logits, {five}"),
    );
    check(
        "first-row-null",
        ": row 0: the list is null, expected one logit per class",
    );
    check(
        "first-row-empty",
        ": row 0: the list has 0 logits, expected one logit per class",
    );
    check(
        "columns-null",
        ": row 9: the logit in column `logit_2` is null, expected one logit per class",
    );
}

#[test]
fn tables_without_logits_are_refused() {
    let check = |name: &str, expect: &str| {
        assert_eq!(refused(&format!("{name}.parquet")), expect, "{name}")
    };
    let expected = "expected a list column `logits` of FLOAT, DOUBLE or FLOAT16, or such a column for each class";
    check(
        "integers",
        &format!(": column `logits` is nested INT64, {expected}"),
    );
    check(
        "structs",
        &format!(": column `logits` is nested DOUBLE, {expected}"),
    );
    check(
        "no-logits",
        &format!(": the table is of `label` (INT64), `id` (String), {expected}"),
    );
    check(
        "no-rows",
        ": the table is without rows, expected one row per image",
    );
    check(
        "columns-gap",
        ": column `logit_2` is missing among 3 columns `logit_...`, expected a column FLOAT, DOUBLE or FLOAT16 for each class, from 0 on",
    );
    check(
        "list-brotli",
        ": column `logits` is compressed by BROTLI, expected Snappy, Zstandard, gzip, LZ4_RAW or nothing",
    );
    let cut = refused("cut.parquet");
    assert!(
        cut.starts_with(": the footer cannot be read: the file of "),
        "{cut}"
    );
    let long = refused("footer-too-long.parquet");
    assert!(
        long.starts_with(": the footer cannot be read: it says that it has "),
        "{long}"
    );
}

#[test]
fn labels_are_read_from_file_of_their_own() {
    for name in ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"] {
        assert_eq!(
            read_labels(&golden(&format!("labels-little-{name}.npy"))).unwrap(),
            labels()
        );
    }
    for name in [
        "labels-big-i4.npy",
        "labels-big-u8.npy",
        "labels.txt",
        "list-none.parquet",
        "columns-pandas.parquet",
        "no-logits.parquet",
    ] {
        assert_eq!(read_labels(&golden(name)).unwrap(), labels(), "{name}");
    }
    // Unsigned labels are not read as negative.
    assert_eq!(
        read_labels(&golden("labels-unsigned.parquet")).unwrap()[3],
        4_294_967_295
    );
}

#[test]
fn invalid_labels_are_refused() {
    let check = |name: &str, expect: &str| {
        let error = read_labels(&golden(name)).expect_err(name);
        assert_eq!(refusal(name, &error), expect, "{name}");
    };
    let class = "expected a class, counted from 0";
    check(
        "labels-negative.npy",
        &format!(": row 2: the label is `-1`, {class}"),
    );
    check(
        "labels-flags.npy",
        ": the array is b1 [2], expected integers [n]",
    );
    check(
        "little-f4.npy",
        ": the array is f4 [23, 5], expected integers [n]",
    );
    check(
        "labels-floats.txt",
        &format!(": row 0: the label is `0.000000000000000000e+00`, {class}"),
    );
    check(
        "labels-null.parquet",
        ": row 1: column `label` is null, expected a value in each row",
    );
    check(
        "labels-negative.parquet",
        &format!(": row 0: the label is `-1`, {class}"),
    );
    check(
        "labels-deltas.parquet",
        ": row group 0, column `label` cannot be read: a page is encoded as DELTA_BINARY_PACKED, expected PLAIN, RLE_DICTIONARY or BYTE_STREAM_SPLIT",
    );
    check(
        "labels-floats.parquet",
        ": column `label` is DOUBLE, expected integers",
    );
    check(
        "list-double.parquet",
        ": column `label` is missing, expected one integer per image",
    );
}

#[test]
fn open_file_can_move_to_another_thread() {
    let mut moved = LogitFile::open(&golden("list-zstd.parquet")).unwrap();
    let labels = std::thread::spawn(move || moved.labels().unwrap());
    assert!(labels.join().unwrap().is_some());
}
