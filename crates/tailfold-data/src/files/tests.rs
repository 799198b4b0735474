use std::error::Error as _;
use std::fs;

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

fn zst(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

#[test]
fn plain_file_is_preferred_to_compressed_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.bin");
    fs::write(dir.path().join("x.bin.zst"), zst(b"compressed")).unwrap();
    assert_eq!(read(&path).unwrap(), b"compressed");
    fs::write(&path, b"plain").unwrap();
    assert_eq!(read(&path).unwrap(), b"plain");
}

#[test]
fn frames_are_joined() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.zst");
    fs::write(&path, [zst(b"one,"), zst(b""), zst(b"two")].concat()).unwrap();
    assert_eq!(read_zst(&path, 7).unwrap(), b"one,two");
}

#[test]
fn file_above_limit_is_error() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bomb.zst");
    fs::write(&path, zst(&vec![0; 1_000_000])).unwrap();
    let error = read_zst(&path, 999_999).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{} holds more than 999999 bytes", path.display())
    );
    assert_eq!(read_zst(&path, 1_000_000).unwrap().len(), 1_000_000);
    fs::write(&path, [zst(b"one,"), zst(b"two")].concat()).unwrap();
    assert!(read_zst(&path, 6).is_err());
}

#[test]
fn damaged_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.bin");
    let compressed = dir.path().join("x.bin.zst");
    let whole = zst(&(0..10_000_u32)
        .flat_map(u32::to_le_bytes)
        .collect::<Vec<_>>());
    for bytes in [&whole[..whole.len() / 2], b"no frame at all", b""] {
        fs::write(&compressed, bytes).unwrap();
        let error = read(&path).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot decompress {}", compressed.display())
        );
        assert!(error.source().is_some());
    }
}

#[test]
fn missing_file_is_named_with_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.bin");
    let name = path.display();
    assert_eq!(
        read(&path).unwrap_err().to_string(),
        format!("there is neither {name} nor {name}.zst")
    );
    fs::write(dir.path().join("x.bin.gz"), b"").unwrap();
    assert_eq!(
        read(&path).unwrap_err().to_string(),
        format!("{name} exists only as .gz, which is not supported: decompress it with gunzip"),
    );
}

#[test]
fn text_must_be_utf8() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("list.txt");
    fs::write(&path, [b'a', 0xff]).unwrap();
    assert_eq!(
        read_text(&path).unwrap_err().to_string(),
        format!("{} is not UTF-8 text", path.display())
    );
}
