//! Hashes that show whether two machines have the same list of images, without decoding any image.

use tailfold_spec::artifact;

/// SHA-256 of `labels` as little-endian u64.
pub fn labels_sha256(labels: &[usize]) -> String {
    let bytes: Vec<u8> = labels
        .iter()
        .flat_map(|&l| (l as u64).to_le_bytes())
        .collect();
    artifact::sha256(&bytes)
}

/// SHA-256 of the images' file names, one line per image. Folders are left out because they differ between machines.
pub fn names_sha256(ids: impl IntoIterator<Item = String>) -> String {
    let names = ids.into_iter().map(|id| {
        let name = id.rsplit(['/', '\\']).next().unwrap_or(&id);
        format!("{name}\n")
    });
    artifact::sha256(names.collect::<String>().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_do_not_matter_and_order_does() {
        let of = |ids: &[&str]| names_sha256(ids.iter().map(|&id| id.to_owned()));
        assert_eq!(of(&["a/b/1.png", "2.png"]), of(&["c\\1.png", "d/2.png"]));
        assert_ne!(of(&["1.png", "2.png"]), of(&["2.png", "1.png"]));
        assert_ne!(of(&["1.png"]), of(&["1.png#0"]));
        assert_ne!(labels_sha256(&[0, 1]), labels_sha256(&[1, 0]));
    }
}
