//! Reading a damaged file returns an error or numbers. It never panics and never allocates for data that the file
//! only claims to have.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use tailfold_logits::{LogitFile, LogitFileError, read_labels};

use crate::golden;

/// Valid files of every kind, which the tests damage.
const SOUND: [&str; 20] = [
    "little-f4.npy",
    "big-f8.npy",
    "version-3.npy",
    "labels-little-i4.npy",
    "list-none.parquet",
    "list-snappy.parquet",
    "list-gzip.parquet",
    "list-zstd.parquet",
    "list-lz4.parquet",
    "list-v2-zstd.parquet",
    "list-groups.parquet",
    "list-pages.parquet",
    "list-split.parquet",
    "list-half.parquet",
    "columns-encoded.parquet",
    "columns-double.parquet",
    "columns-pyarrow.parquet",
    "labels-categories.parquet",
    "columns-polars.parquet",
    "list-polars-pages.parquet",
];

/// Reads labels, names and rows, and returns the number of rows.
fn read(path: &Path) -> Result<usize, LogitFileError> {
    // Each reader runs on its own, because one part may be valid while another is not.
    let _ = read_labels(path);
    let mut file = LogitFile::open(path)?;
    let _ = file.labels();
    let _ = file.ids();
    let (mut rows, mut count) = (Vec::new(), 0);
    // A footer may claim any number of rows, and a run of equal values takes no bytes.
    while count < 10_000 {
        match file.read(100, &mut rows)? {
            0 => break,
            found => count += found,
        }
    }
    Ok(count)
}

fn read_bytes(bytes: &[u8]) -> Result<usize, LogitFileError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    read(file.path())
}

fn flips() -> impl Strategy<Value = Vec<(Index, u8)>> {
    prop::collection::vec((any::<Index>(), 1_u8..), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn flipped_bytes_do_not_panic(name in select(&SOUND[..]), flips in flips()) {
        let mut bytes = fs::read(golden(name)).unwrap();
        for (index, flip) in flips {
            let at = index.index(bytes.len());
            bytes[at] ^= flip;
        }
        let _ = read_bytes(&bytes);
    }

    #[test]
    fn copied_bytes_do_not_panic(
        name in select(&SOUND[..]),
        from in any::<Index>(),
        to in any::<Index>(),
        length in 1_usize..64,
    ) {
        let mut bytes = fs::read(golden(name)).unwrap();
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
        let length = length.min(bytes.len() - from.max(to));
        bytes.copy_within(from..from + length, to);
        let _ = read_bytes(&bytes);
    }

    #[test]
    fn made_up_arrays_do_not_panic(
        version in 0_u8..5,
        header in "(\\{('(descr|shape|fortran_order)': ?('[<>|]?[fiubO][0-9]{1,20}'|True|False|\\(([0-9]{0,22},?){0,3}\\)|\\[\\[),? ?){0,4}\\}?)|.{0,80}",
        payload in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = b"\x93NUMPY".to_vec();
        bytes.extend([version, 0]);
        let size = u16::try_from(header.len()).unwrap().to_le_bytes();
        bytes.extend(size);
        if version > 1 {
            bytes.extend([0, 0]);
        }
        bytes.extend(header.as_bytes());
        bytes.extend(payload);
        let _ = read_bytes(&bytes);
    }
}

#[test]
fn every_truncated_or_extended_file_is_refused() {
    for name in SOUND {
        let whole = fs::read(golden(name)).unwrap();
        // For larger files, tests every cut near the ends and some between.
        for cut in (0..whole.len()).filter(|cut| cut % 37 == 0 || whole.len() - cut < 40) {
            assert!(
                read_bytes(&whole[..cut]).is_err(),
                "{name} cut to {cut} bytes"
            );
        }
        let longer = [&whole[..], b"x"].concat();
        assert!(read_bytes(&longer).is_err(), "{name} with a byte more");
    }
}
