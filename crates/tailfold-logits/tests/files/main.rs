//! Reads files of all formats: valid, unusable and damaged ones.
#![cfg(test)]

mod damaged;
mod formats;
mod tensors;

/// Path of a file that `golden/write.py` wrote.
fn golden(name: &str) -> std::path::PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    std::path::Path::new(folder).join(name)
}
