//! The embedded data set: long-tailed Fashion-MNIST as one sprite and one table per split.
//!
//! The folder has, for each split, `SPLIT.png` (grey tiles of 28x28 pixels, 50 per row) and `SPLIT.csv`
//! (`tile,label,source`: the tile's position, its class and its index in the original file), and also `classes.txt`,
//! `LICENSE` and `SHA256SUMS`.

mod build;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tailfold_spec::artifact;

pub use build::{BuildSummary, build_embedded};

use crate::images::{Images, Records};
use crate::left_out::LeftOut;
use crate::loaded::Loaded;
use crate::{DataError, DataErrorKind, Split, decode, files, readers};

/// Path of the folder, relative to the repository's root.
const FOLDER: &str = "models/fashion-lt/data";
/// Environment variable that gives the folder.
const VARIABLE: &str = "TAILFOLD_EMBEDDED";
/// Rows and columns of a tile, in pixels.
const TILE: usize = 28;
/// Number of tiles per row of a sprite.
const COLUMNS: usize = 50;
/// Imbalance factor of the training split.
const IMBALANCE: f64 = 100.0;
const SUMS: &str = "SHA256SUMS";

/// One row of `SPLIT.csv`.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    tile: usize,
    label: usize,
    source: usize,
}

/// Finds the folder of the embedded data set: `TAILFOLD_EMBEDDED`, or `models/fashion-lt/data` in the current directory
/// or in its nearest parent that has it.
///
/// # Errors
/// [`DataErrorKind::Missing`] listing the folders that were searched.
pub fn find() -> Result<PathBuf, DataError> {
    find_from(
        env::var_os(VARIABLE),
        &env::current_dir().unwrap_or_default(),
    )
}

fn find_from(given: Option<OsString>, start: &Path) -> Result<PathBuf, DataError> {
    let places: Vec<PathBuf> = match given {
        Some(folder) => vec![folder.into()],
        None => start
            .ancestors()
            .map(|folder| folder.join(FOLDER))
            .collect(),
    };
    match places.iter().find(|folder| folder.join(SUMS).is_file()) {
        Some(folder) => Ok(folder.clone()),
        None => {
            let looked: Vec<String> = places
                .iter()
                .map(|folder| folder.display().to_string())
                .collect();
            Err(DataErrorKind::Missing.error(format!(
                "the embedded data set is missing; looked in {looked} (TAILFOLD_EMBEDDED \
                 overrides)",
                looked = looked.join(", ")
            )))
        }
    }
}

/// Opens one split; each file is checked against `SHA256SUMS` when it is read.
pub(crate) fn load(
    folder: &Path,
    split: Split,
    imbalance: Option<f64>,
) -> Result<Loaded, DataError> {
    if let Some(asked) = imbalance.filter(|asked| asked.total_cmp(&IMBALANCE).is_ne()) {
        let reason = format!("it is long-tailed already, with imbalance {IMBALANCE}");
        return Err(DataErrorKind::Specification.error(format!(
            "imbalance {asked} cannot be drawn from {}: {reason}",
            folder.display()
        )));
    }
    let sums = files::read_text(&folder.join(SUMS))?;
    read_checked(folder, &sums, "classes.txt")?;
    let classes = readers::listed_names(folder)?.unwrap_or_default();
    let table = folder.join(format!("{split}.csv"));
    let labels = read_table(
        &table,
        &read_checked(folder, &sums, &format!("{split}.csv"))?,
        classes.len(),
    )?;
    let sprite = folder.join(format!("{split}.png"));
    let pixels = decode(
        &read_checked(folder, &sums, &format!("{split}.png"))?,
        &sprite,
    )?;
    let (height, width) = sprite_size(labels.len());
    if (pixels.height, pixels.width, pixels.channels) != (height, width, 1) {
        return Err(DataErrorKind::Image
            .error(format!(
                "{found_height}x{found_width} pixels with {found_channels} channels, expected \
                 {height}x{width} with {channels}",
                found_height = pixels.height,
                found_width = pixels.width,
                found_channels = pixels.channels,
                channels = 1
            ))
            .at(sprite.display()));
    }
    let mut values = Vec::with_capacity(labels.len() * TILE * TILE);
    for tile in 0..labels.len() {
        for row in 0..TILE {
            let start = tile_start(tile) + row * width;
            values.extend(&pixels.values[start..start + TILE]);
        }
    }
    // The name does not depend on the location of the checkout, because lists of images are shared between machines.
    let files = vec![(
        Path::new("embedded").join(format!("{split}.png")),
        labels.len(),
    )];
    let chosen = imbalance.map(|_| (0..labels.len()).collect());
    let images = Images::Records(Records {
        height: TILE,
        width: TILE,
        channels: 1,
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

/// Rows and columns of a sprite, in pixels.
fn sprite_size(tiles: usize) -> (usize, usize) {
    (tiles.div_ceil(COLUMNS) * TILE, COLUMNS * TILE)
}

/// Offset of a tile's first pixel in its sprite.
fn tile_start(tile: usize) -> usize {
    (tile / COLUMNS) * TILE * COLUMNS * TILE + (tile % COLUMNS) * TILE
}

/// Reads the labels of a table whose tiles count up from 0.
fn read_table(path: &Path, bytes: &[u8], classes: usize) -> Result<Vec<usize>, DataError> {
    let wrong = |line: u64, reason: String| {
        DataErrorKind::Damaged
            .error(reason)
            .at(format_args!("{}, line {line}", path.display()))
    };
    let mut labels = Vec::new();
    for (line, row) in (2..).zip(csv::Reader::from_reader(bytes).deserialize()) {
        let Row { tile, label, .. } = row.map_err(|e: csv::Error| wrong(line, e.to_string()))?;
        if tile != labels.len() {
            return Err(wrong(
                line,
                format!("tile {tile}, expected {}", labels.len()),
            ));
        }
        if label >= classes {
            return Err(wrong(
                line,
                format!("label {label}, but there are {classes} classes"),
            ));
        }
        labels.push(label);
    }
    if labels.is_empty() {
        return Err(DataErrorKind::Empty.error(format!("{} holds no image", path.display())));
    }
    Ok(labels)
}

/// Reads `folder/name` and checks it against `sums`, the text of `SHA256SUMS`.
fn read_checked(folder: &Path, sums: &str, name: &str) -> Result<Vec<u8>, DataError> {
    let path = folder.join(name);
    let bytes = files::read_plain(&path, files::MAX_BYTES)?;
    let listed = sums
        .lines()
        .filter_map(|line| line.split_once("  "))
        .find(|(_, file)| *file == name);
    let expected = listed.map_or("nothing", |(sum, _)| sum);
    let found = artifact::sha256(&bytes);
    if found == expected {
        Ok(bytes)
    } else {
        Err(DataErrorKind::Damaged.error(format!(
            "{} has SHA-256 {found}, but SHA256SUMS says {expected}",
            path.display()
        )))
    }
}

#[cfg(test)]
mod tests;
