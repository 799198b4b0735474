//! Builds the embedded data set from Fashion-MNIST's IDX files: the same input gives the same bytes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use image::codecs::png::FilterType;
use tailfold_spec::artifact;

use super::{IMBALANCE, Row, SUMS, TILE, sprite_size, tile_start};
use crate::images::{Images, Records};
use crate::loaded::Loaded;
use crate::{DataError, DataErrorKind, Pixels, Split, longtail, readers};

const LICENSE: &str = include_str!("LICENSE");
const CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];
/// Seed of the shuffle of each class, as in LDAM-DRW.
const SEED: u32 = 0;

/// Numbers of images per split.
pub(super) struct Plan {
    /// Number of training images of the most frequent class.
    pub(super) n_max: usize,
    /// Number of validation images per class.
    pub(super) val: usize,
    /// Number of test images per class.
    pub(super) test: usize,
}

/// Counts and files written by [`build_embedded`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildSummary {
    /// Number of training images per class, label order.
    pub train_counts: Vec<usize>,
    /// Number of training images.
    pub train: usize,
    /// Number of validation images.
    pub val: usize,
    /// Number of test images.
    pub test: usize,
    /// Every file written, with its size in bytes.
    pub files: Vec<(PathBuf, u64)>,
}

impl BuildSummary {
    /// Total size of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes).sum()
    }
}

/// Writes the embedded data set to `out` from the IDX files of Fashion-MNIST in `idx_dir` (plain or `.zst`).
///
/// The training split has 2,478 images with imbalance 100 (1,000 for the first class, 10 for the last); the validation
/// split has 300 images, 30 per class. Both come from the 60,000 training images: each class is shuffled as in LDAM-DRW
/// with seed 0, training takes the first images and validation the next ones. The test split has 3,000 images, 300 per
/// class, from the 10,000 test images, shuffled in the same way.
///
/// # Errors
/// [`DataError`] naming a file that is missing, damaged, not from Fashion-MNIST, or not writable.
pub fn build_embedded(idx_dir: &Path, out: &Path) -> Result<BuildSummary, DataError> {
    build(
        idx_dir,
        out,
        &Plan {
            n_max: 1000,
            val: 30,
            test: 300,
        },
    )
}

pub(super) fn build(idx_dir: &Path, out: &Path, plan: &Plan) -> Result<BuildSummary, DataError> {
    let sizes = longtail::class_sizes(plan.n_max, CLASSES.len(), IMBALANCE);
    let train = read(idx_dir, Split::Train)?;
    let test = read(idx_dir, Split::Test)?;
    let train_order = longtail::shuffled_classes(&train.labels, CLASSES.len(), SEED);
    let test_order = longtail::shuffled_classes(&test.labels, CLASSES.len(), SEED);
    for (class, &size) in sizes.iter().enumerate() {
        for (order, needed) in [(&train_order, size + plan.val), (&test_order, plan.test)] {
            if order[class].len() < needed {
                let (name, found) = (CLASSES[class].to_owned(), order[class].len());
                return Err(DataErrorKind::Classes.error(format!(
                    "class {class} (`{name}`) has {found} images, imbalance {imbalance} needs \
                     {needed}",
                    imbalance = IMBALANCE
                )));
            }
        }
    }
    let pick =
        |order: &[Vec<usize>], range: &dyn Fn(usize) -> std::ops::Range<usize>| -> Vec<usize> {
            order
                .iter()
                .enumerate()
                .flat_map(|(class, list)| list[range(class)].iter().copied())
                .collect()
        };
    let chosen = [
        (
            Split::Train,
            &train,
            pick(&train_order, &|class| 0..sizes[class]),
        ),
        (
            Split::Val,
            &train,
            pick(&train_order, &|class| sizes[class]..sizes[class] + plan.val),
        ),
        (Split::Test, &test, pick(&test_order, &|_| 0..plan.test)),
    ];

    let mut files = vec![
        ("LICENSE".to_owned(), LICENSE.as_bytes().to_vec()),
        (
            "classes.txt".to_owned(),
            (CLASSES.join("\n") + "\n").into_bytes(),
        ),
    ];
    for (split, source, indices) in &chosen {
        files.push((format!("{split}.csv"), table(source, indices)));
        let name = format!("{split}.png");
        let sprite = sprite(&source.records, indices)?;
        files.push((name, sprite));
    }
    files.sort();
    let mut sums = String::new();
    for (name, bytes) in &files {
        writeln!(sums, "{}  {name}", artifact::sha256(bytes))
            .expect("writing to a String cannot fail");
    }
    // The sums come last, so that an interrupted build does not look complete.
    files.push((SUMS.to_owned(), sums.into_bytes()));
    let mut written = Vec::new();
    for (name, bytes) in files {
        let path = out.join(name);
        artifact::write(&path, &bytes)?;
        written.push((path, bytes.len() as u64));
    }
    let count = |i: usize| chosen[i].2.len();
    Ok(BuildSummary {
        train_counts: sizes,
        train: count(0),
        val: count(1),
        test: count(2),
        files: written,
    })
}

struct Source {
    records: Records,
    labels: Vec<usize>,
}

/// Reads one IDX split; an error unless it has Fashion-MNIST's shape.
fn read(dir: &Path, split: Split) -> Result<Source, DataError> {
    let Loaded { images, labels, .. } = readers::idx::load(dir, Some(split))?;
    let Images::Records(records) = images else {
        return Err(DataErrorKind::Empty.error(format!("{} holds no IDX file", dir.display())));
    };
    let path = records
        .files
        .first()
        .map_or_else(|| dir.to_owned(), |(path, _)| path.clone());
    if (records.height, records.width) != (TILE, TILE) {
        return Err(DataErrorKind::Image
            .error(format!(
                "{found_height}x{found_width} pixels with {found_channels} channels, expected \
                 {height}x{width} with {channels}",
                found_height = records.height,
                found_width = records.width,
                found_channels = records.channels,
                height = TILE,
                width = TILE,
                channels = 1
            ))
            .at(path.display()));
    }
    if let Some(record) = labels.iter().position(|&label| label >= CLASSES.len()) {
        return Err(DataErrorKind::Damaged.error(format!(
            "{}, record {record}: label {label}, but there are {classes} classes",
            path.display(),
            label = labels[record],
            classes = CLASSES.len()
        )));
    }
    Ok(Source { records, labels })
}

fn table(source: &Source, indices: &[usize]) -> Vec<u8> {
    let mut text = "tile,label,source\n".to_owned();
    for (tile, &index) in indices.iter().enumerate() {
        let row = Row {
            tile,
            label: source.labels[index],
            source: index,
        };
        writeln!(text, "{},{},{}", row.tile, row.label, row.source)
            .expect("writing to a String cannot fail");
    }
    text.into_bytes()
}

/// Encodes the sprite with each of the encoder's filters and returns the smallest PNG.
fn sprite(records: &Records, indices: &[usize]) -> Result<Vec<u8>, DataError> {
    let (height, width) = sprite_size(indices.len());
    let mut values = vec![0; height * width];
    for (tile, &index) in indices.iter().enumerate() {
        for (row, pixels) in records.values(index).chunks_exact(TILE).enumerate() {
            let start = tile_start(tile) + row * width;
            values[start..start + TILE].copy_from_slice(pixels);
        }
    }
    let pixels = Pixels {
        height,
        width,
        channels: 1,
        values,
    };
    let mut best: Option<Vec<u8>> = None;
    for filter in [
        FilterType::NoFilter,
        FilterType::Sub,
        FilterType::Up,
        FilterType::Paeth,
        FilterType::Adaptive,
    ] {
        let png = pixels.encode(filter)?;
        if best.as_ref().is_none_or(|best| png.len() < best.len()) {
            best = Some(png);
        }
    }
    Ok(best.unwrap_or_default())
}
