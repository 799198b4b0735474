//! Files of the repository have the hashes that their manifests record.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tailfold_onnx::Model;
use tailfold_spec::{Manifest, artifact};

use crate::programs::root;

#[test]
fn embedded_data_set_matches_its_manifest() {
    let folder = root().join("models/fashion-lt/data");
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    let mut listed = BTreeSet::from(["SHA256SUMS".to_owned()]);
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").expect("`hash  name`");
        let found = artifact::sha256(&fs::read(folder.join(name)).unwrap());
        assert_eq!(found, sum, "{name}");
        listed.insert(name.to_owned());
    }
    let there: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(there, listed, "files in the folder, and files with a hash");
    assert_eq!(
        there.len(),
        9,
        "three splits of two files, names, licence and hashes"
    );
}

#[test]
fn trained_models_match_their_manifests() {
    let mut models = 0;
    for entry in fs::read_dir(root().join("models")).unwrap() {
        let folder = entry.unwrap().path();
        if folder.join(Manifest::FILE).exists() {
            models += check_folder(&folder);
        }
    }
    assert!(
        models >= 2,
        "only {models} models checked: fashion-lt ships in float and INT8"
    );
}

/// Checks every file that the manifest of `folder` names, and that each model was made from the checkpoint. Returns the
/// number of models.
fn check_folder(folder: &Path) -> usize {
    let manifest = Manifest::read(folder).unwrap();
    for file in [Manifest::CHECKPOINT, Manifest::GOLDEN, Manifest::FEATURES] {
        manifest.read_file(folder, file).unwrap();
    }
    manifest.read_offsets(folder).unwrap();
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let models: Vec<_> = files
        .filter(|f| f.extension().is_some_and(|e| e == "onnx"))
        .collect();
    let hashes: Vec<String> = models
        .iter()
        .map(|path| artifact::sha256(&fs::read(path).unwrap()))
        .collect();
    for path in &models {
        let model = Model::read(path).unwrap();
        tailfold_onnx::check(&model).unwrap();
        let card = model.card().unwrap();
        assert_eq!(
            card.checkpoint_sha256,
            manifest.files.checkpoint_sha256,
            "{}",
            path.display()
        );
        assert_eq!(card.classes, manifest.classes, "{}", path.display());
        if let Some(quantization) = card.quantization {
            // The float model of a quantized model is in the same folder.
            assert!(
                hashes.contains(&quantization.float_sha256),
                "{}",
                path.display()
            );
        }
    }
    assert!(
        !models.is_empty(),
        "{} has a manifest but no model",
        folder.display()
    );
    models.len()
}

#[test]
fn calibration_list_matches_model() {
    let list = fs::read_to_string(root().join("calibration/fashion-lt/images.csv")).unwrap();
    let mut hashes: Vec<&str> = list
        .lines()
        .skip(1)
        .filter_map(|line| line.rsplit(',').next())
        .collect();
    hashes.sort_unstable();
    let model = Model::read(&root().join("models/fashion-lt/fashion-lt.int8.onnx")).unwrap();
    let images = model
        .card()
        .unwrap()
        .quantization
        .unwrap()
        .calibration_images;
    assert!(!hashes.is_empty());
    assert_eq!(hashes, images);
}
