//! CIFAR-10 and CIFAR-100 in binary form: official files or long-tailed packs.

use std::fs;
use std::path::{Path, PathBuf};

use tailfold_spec::artifact::at;

use crate::images::{Images, Records};
use crate::left_out::LeftOut;
use crate::loaded::Loaded;
use crate::{DataError, DataErrorKind, Split, files, longtail};

const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;

/// The differences between CIFAR-10 and CIFAR-100.
pub(crate) struct Layout {
    name: &'static str,
    classes: &'static str,
    /// Number of bytes before the pixels; the last one is the label (in CIFAR-100 the coarse label comes first).
    label_bytes: usize,
    train: &'static [&'static str],
    test: &'static [&'static str],
}

pub(crate) const CIFAR10: Layout = Layout {
    name: "cifar10",
    classes: "airplane automobile bird cat deer dog frog horse ship truck",
    label_bytes: 1,
    train: &[
        "data_batch_1.bin",
        "data_batch_2.bin",
        "data_batch_3.bin",
        "data_batch_4.bin",
        "data_batch_5.bin",
    ],
    test: &["test_batch.bin", "test.bin"],
};

pub(crate) const CIFAR100: Layout = Layout {
    name: "cifar100",
    classes: "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge \
         bus butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud \
         cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox \
         girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man \
         maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree \
         pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray \
         road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel \
         streetcar sunflower sweet_pepper table tank telephone television tiger tractor train \
         trout tulip turtle wardrobe whale willow_tree wolf woman worm",
    label_bytes: 2,
    train: &["train.bin"],
    test: &["test.bin"],
};

impl Layout {
    fn class_names(&self) -> Vec<String> {
        self.classes.split_whitespace().map(str::to_owned).collect()
    }
}

/// Opens one split; the subset for `imbalance` is drawn here only if the training split is a pack.
pub(crate) fn load(
    layout: &Layout,
    dir: &Path,
    split: Option<Split>,
    imbalance: Option<f64>,
) -> Result<Loaded, DataError> {
    let classes = layout.class_names();
    let mut records = Reader {
        layout,
        classes: classes.len(),
        values: Vec::new(),
        labels: Vec::new(),
        files: Vec::new(),
    };
    let mut chosen = None;
    match split {
        Some(split @ Split::Val) => {
            let data = format!("{}:{}", layout.name, dir.display());
            return Err(DataErrorKind::Specification.error(format!(
                "{data} has no `{split}` split: it has train and test"
            )));
        }
        Some(Split::Test) => {
            let there = layout
                .test
                .iter()
                .find(|name| files::exists(&dir.join(name)));
            records.read(&dir.join(there.unwrap_or(&layout.test[0])))?;
        }
        None | Some(Split::Train) => {
            let packs = packs(dir)?;
            let official = layout
                .train
                .iter()
                .any(|name| files::exists(&dir.join(name)));
            if official || packs.is_empty() {
                for name in layout.train {
                    records.read(&dir.join(name))?;
                }
            } else {
                let (factor, path) = choose(&packs, dir, imbalance)?;
                records.read(&path)?;
                chosen = Some(first_of_each(
                    &records.labels,
                    classes.len(),
                    &path,
                    factor,
                    imbalance.unwrap_or(factor),
                )?);
            }
        }
    }
    let Reader {
        values,
        labels,
        files,
        ..
    } = records;
    let images = Images::Records(Records {
        height: SIDE,
        width: SIDE,
        channels: 3,
        values,
        files,
    });
    Ok(Loaded {
        images,
        classes,
        labels,
        chosen,
        left_out: LeftOut::default(),
    })
}

struct Reader<'a> {
    layout: &'a Layout,
    classes: usize,
    values: Vec<u8>,
    labels: Vec<usize>,
    files: Vec<(PathBuf, usize)>,
}

impl Reader<'_> {
    /// Appends every record of one file.
    fn read(&mut self, path: &Path) -> Result<(), DataError> {
        let bytes = files::read(path)?;
        let head = self.layout.label_bytes;
        let size = head + 3 * PLANE;
        if bytes.is_empty() {
            return Err(DataErrorKind::Empty.error(format!("{} holds no image", path.display())));
        }
        if !bytes.len().is_multiple_of(size) {
            return Err(DataErrorKind::Damaged
                .error(format!(
                    "{} bytes are not a whole number of {size}-byte records",
                    bytes.len()
                ))
                .at(path.display()));
        }
        self.values.reserve(bytes.len() / size * 3 * PLANE);
        for (record, bytes) in bytes.chunks_exact(size).enumerate() {
            let label = usize::from(bytes[head - 1]);
            if label >= self.classes {
                return Err(DataErrorKind::Damaged.error(format!(
                    "{}, record {record}: label {label}, but there are {classes} classes",
                    path.display(),
                    classes = self.classes
                )));
            }
            self.labels.push(label);
            let planes = &bytes[head..];
            self.values.extend(
                (0..PLANE).flat_map(|i| [planes[i], planes[PLANE + i], planes[2 * PLANE + i]]),
            );
        }
        self.files.push((path.to_owned(), bytes.len() / size));
        Ok(())
    }
}

/// Returns the `train-ifX.bin` files of `dir`, plain or `.zst`, by ascending X.
fn packs(dir: &Path) -> Result<Vec<(f64, PathBuf)>, DataError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(at("read", dir))? {
        let name = entry.map_err(at("read", dir))?.file_name();
        let Some(name) = name.to_str() else { continue };
        let plain = name.strip_suffix(".zst").unwrap_or(name);
        let factor = plain
            .strip_prefix("train-if")
            .and_then(|rest| rest.strip_suffix(".bin"));
        if let Some(factor) = factor
            .and_then(|f| f.parse().ok())
            .filter(|f: &f64| f.is_finite() && *f >= 1.0)
        {
            found.push((factor, dir.join(plain)));
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    found.dedup();
    Ok(found)
}

/// Returns the pack with the most images that contains the requested subset.
fn choose(
    packs: &[(f64, PathBuf)],
    dir: &Path,
    imbalance: Option<f64>,
) -> Result<(f64, PathBuf), DataError> {
    let asked = imbalance.unwrap_or(f64::INFINITY);
    match packs.iter().find(|(factor, _)| *factor <= asked) {
        Some(pack) => Ok(pack.clone()),
        None => Err(DataErrorKind::Specification.error(format!(
            "imbalance {asked} cannot be drawn from {}: its least imbalanced training file has {}",
            dir.display(),
            packs[0].0
        ))),
    }
}

/// Returns the first n_k records of each class: a pack is sorted by class, each class in LDAM-DRW's shuffled order.
fn first_of_each(
    labels: &[usize],
    classes: usize,
    path: &Path,
    imbalance: f64,
    asked: f64,
) -> Result<Vec<usize>, DataError> {
    let run = |start: usize, class: usize| {
        labels[start..]
            .iter()
            .take_while(|&&label| label == class)
            .count()
    };
    // The most frequent class keeps all its images at any imbalance, so its run length is the n_max of every subset.
    let n_max = run(0, 0);
    let sizes = longtail::class_sizes(n_max, classes, imbalance);
    let kept = longtail::class_sizes(n_max, classes, asked);
    let (mut start, mut chosen) = (0, Vec::new());
    for (class, (&expected, keep)) in sizes.iter().zip(kept).enumerate() {
        let found = run(start, class);
        // The last class must end at the end of the file.
        let rest = if class + 1 == classes {
            labels.len() - start
        } else {
            found
        };
        if found != expected || rest != expected {
            return Err(DataErrorKind::Damaged
                .error(format!(
                    "class {class} has {found} records in one run, imbalance {imbalance} has \
                     {expected}",
                    found = found.max(rest)
                ))
                .at(path.display()));
        }
        chosen.extend(start..start + keep);
        start += found;
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests;
