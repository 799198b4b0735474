//! Images of different sizes: training and inference use the same preprocessing.

use std::fs;
use std::path::Path;

use tailfold_data::{DataSpec, Dataset, Pixels, Skipped, preprocess};
use tailfold_spec::{Filter, Manifest, Resize};

use super::{device, generator, plain, tensors, train};
use crate::config::TrainConfig;
use crate::error::{TrainError, TrainErrorKind};
use crate::report::Observer;

/// Writes a folder of three classes: class `k` is bright in the `k`-th third of its columns, in images of several
/// sizes.
fn write_photographs(dir: &Path) {
    for number in 0..48 {
        let class = number % 3;
        let (height, width) = (20 + number % 7, 26 - number % 5);
        let value = |i: usize| {
            let noise = u8::try_from((number * 31 + i * 17) % 61).unwrap();
            noise
                + if i / 3 % width * 3 / width == class {
                    180
                } else {
                    0
                }
        };
        let pixels = Pixels {
            height,
            width,
            channels: 3,
            values: (0..height * width * 3).map(value).collect(),
        };
        let folder = dir.join(format!(
            "photographs/{}",
            ["left", "middle", "right"][class]
        ));
        fs::create_dir_all(&folder).unwrap();
        fs::write(
            folder.join(format!("{number:02}.png")),
            pixels.to_png().unwrap(),
        )
        .unwrap();
    }
}

fn photographs(dir: &Path, keys: &str) -> TrainConfig {
    let mut config = plain(dir, 1);
    config.data = format!("folder:{}", dir.join("photographs").display());
    config.validation = Some(config.data.clone());
    config.images = toml::from_str(keys).unwrap();
    config.views.augment = toml::from_str("preset = \"sim-blur\"\ncutout = 4").unwrap();
    config
}

#[derive(Default)]
struct Heard(Vec<Skipped>);

impl Observer for Heard {
    fn skipped(&mut self, skipped: &[Skipped]) {
        self.0.extend_from_slice(skipped);
    }
}

fn run(config: &TrainConfig, out: &Path) -> Result<Vec<Skipped>, TrainError> {
    let mut heard = Heard::default();
    train(config, out, false, &device(), &mut heard)?;
    Ok(heard.0)
}

#[test]
fn manifest_has_preprocessing_for_inference() {
    let _generator = generator();
    let dir = tempfile::tempdir().unwrap();
    write_photographs(dir.path());
    let cache = dir.path().join("cache");
    let keys = "size = 16\ncrop = 12\nfilter = \"bicubic\"\n";
    let cached = format!("{keys}cache = {cache:?}");
    let mut checkpoints = Vec::new();
    for (name, keys) in [("memory", keys), ("filled", &cached), ("found", &cached)] {
        let out = dir.path().join(name);
        let config = photographs(dir.path(), keys);
        assert_eq!(run(&config, &out).unwrap(), []);
        let manifest = Manifest::read(&out).unwrap();
        let resize = Resize {
            short_side: 16,
            filter: Filter::Bicubic,
        };
        assert_eq!(manifest.preprocess.resize, Some(resize));
        assert_eq!(manifest.architecture.input, [3, 12, 12]);
        // The golden inputs are the image files under the manifest's preprocessing.
        let golden = tensors(&manifest.read_file(&out, Manifest::GOLDEN).unwrap());
        let (shape, values) = &golden["inputs"];
        assert_eq!(*shape, [6, 3, 12, 12]);
        let spec: DataSpec = config.data.parse().unwrap();
        let data = Dataset::open(&spec).unwrap();
        let inputs: Vec<Vec<f32>> = (0..data.len())
            .map(|i| preprocess(&data.image(i).unwrap(), &manifest.preprocess).unwrap())
            .collect();
        for golden in values.chunks_exact(3 * 12 * 12) {
            assert!(inputs.iter().any(|input| input == golden));
        }
        checkpoints.push(manifest.files.checkpoint_sha256);
    }
    assert!(checkpoints.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 1);
}

#[test]
fn corrupt_image_is_error_or_left_out_and_named() {
    let _generator = generator();
    let dir = tempfile::tempdir().unwrap();
    write_photographs(dir.path());
    let bad = dir.path().join("photographs/middle/07.png");
    fs::write(&bad, "no image").unwrap();
    let out = dir.path().join("run");
    let error = run(&photographs(dir.path(), "size = 12"), &out).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot decode {}", bad.display())
    );
    let config = photographs(dir.path(), "size = 12\non_corrupt = \"skip\"");
    let skipped = run(&config, &out).unwrap();
    let ids: Vec<_> = skipped.iter().map(|s| s.id.clone()).collect();
    // The image is in the training data and in the validation data.
    assert_eq!(ids, [bad.display().to_string(), bad.display().to_string()]);
    assert_eq!(Manifest::read(&out).unwrap().train_counts, [16, 15, 16]);
    for number in [1, 4, 10, 13, 16, 19, 22, 25, 28, 31, 34, 37, 40, 43, 46] {
        fs::write(
            dir.path()
                .join(format!("photographs/middle/{number:02}.png")),
            "",
        )
        .unwrap();
    }
    let message = run(&config, &out).unwrap_err().to_string();
    assert!(
        message.starts_with("class 1 (`middle`) has no image in"),
        "{message}"
    );
}

#[test]
fn different_sizes_need_a_resize() {
    let _generator = generator();
    let dir = tempfile::tempdir().unwrap();
    write_photographs(dir.path());
    let out = dir.path().join("run");
    let error = run(&photographs(dir.path(), ""), &out).unwrap_err();
    assert_eq!(error.kind(), TrainErrorKind::Images, "{error}");
    let message = error.to_string();
    assert!(
        message.contains("(channels, height, width) but the first image is ["),
        "{message}"
    );
    let refuse = |keys: &str, expect: &str| {
        let error = run(&photographs(dir.path(), keys), &out).unwrap_err();
        assert_eq!(error.to_string(), expect);
    };
    refuse("size = 7", "images.size is 7, expected 8 to 4096");
    refuse(
        "size = 16\ncrop = 17",
        "images.crop is 17, expected 8 to images.size",
    );
    refuse(
        "crop = 16",
        "images.crop is given, expected nothing without images.size",
    );
    refuse(
        "size = 16\nchannels = 4",
        "images.channels is 4, expected 1 or 3",
    );
}
