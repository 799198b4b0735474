//! MNIST's IDX files: a magic number, big-endian dimensions, then bytes.

use std::path::Path;

use crate::images::{Images, Records};
use crate::left_out::LeftOut;
use crate::loaded::Loaded;
use crate::readers::{listed_names, names_for};
use crate::{DataError, DataErrorKind, Split, files};

/// Opens the `train-*` or `t10k-*` files of a folder.
pub(crate) fn load(dir: &Path, split: Option<Split>) -> Result<Loaded, DataError> {
    let prefix = match split {
        None | Some(Split::Train) => "train",
        Some(Split::Test) => "t10k",
        Some(split @ Split::Val) => {
            let data = format!("idx:{}", dir.display());
            return Err(DataErrorKind::Specification.error(format!(
                "{data} has no `{split}` split: it has train and test"
            )));
        }
    };
    let images_file = dir.join(format!("{prefix}-images-idx3-ubyte"));
    let labels_file = dir.join(format!("{prefix}-labels-idx1-ubyte"));
    let ([images, height, width], values) = read::<3>(&images_file)?;
    let ([count], labels) = read::<1>(&labels_file)?;
    if images != count {
        return Err(DataErrorKind::Damaged.error(format!(
            "{} has {images} images but {} has {count} labels",
            images_file.display(),
            labels_file.display()
        )));
    }
    if values.is_empty() {
        return Err(DataErrorKind::Empty.error(format!("{} holds no image", images_file.display())));
    }
    let labels: Vec<usize> = labels.into_iter().map(usize::from).collect();
    let classes = names_for(listed_names(dir)?, &labels, |record, label, classes| {
        DataErrorKind::Damaged.error(format!(
            "{}, record {record}: label {label}, but there are {classes} classes",
            labels_file.display()
        ))
    })?;
    let files = vec![(images_file, images)];
    let images = Images::Records(Records {
        height,
        width,
        channels: 1,
        values,
        files,
    });
    Ok(Loaded {
        images,
        classes,
        labels,
        chosen: None,
        left_out: LeftOut::default(),
    })
}

/// Reads the dimensions and values of an IDX file of unsigned bytes with `N` dimensions.
fn read<const N: usize>(path: &Path) -> Result<([usize; N], Vec<u8>), DataError> {
    let mut bytes = files::read(path)?;
    let header = 4 + 4 * N;
    let word = |i: usize| {
        let word: Option<[u8; 4]> = bytes
            .get(4 * i..4 * i + 4)
            .and_then(|word| word.try_into().ok());
        word.map(u32::from_be_bytes)
    };
    // Two zero bytes, the type (8: unsigned byte), the number of dimensions.
    let expected = 0x800 | u32::try_from(N).unwrap_or(u32::MAX);
    let found = word(0).ok_or_else(|| short(path, header, bytes.len()))?;
    if found != expected {
        return Err(DataErrorKind::Damaged
            .error(format!(
                "the magic number is {found:#010x}, expected {expected:#010x}"
            ))
            .at(path.display()));
    }
    let mut dims = [0; N];
    for (i, dim) in dims.iter_mut().enumerate() {
        *dim = word(i + 1).ok_or_else(|| short(path, header, bytes.len()))? as usize;
    }
    let values = dims
        .iter()
        .try_fold(1_usize, |product, &dim| product.checked_mul(dim));
    if values.and_then(|n| n.checked_add(header)) != Some(bytes.len()) {
        let claimed: Vec<String> = dims.iter().map(usize::to_string).collect();
        let (path, claimed) = (path.to_owned(), claimed.join("x"));
        return Err(DataErrorKind::Damaged
            .error(format!(
                "the header claims {claimed} values after {header} bytes, the file has {found} \
                 bytes",
                found = bytes.len()
            ))
            .at(path.display()));
    }
    Ok((dims, bytes.split_off(header)))
}

fn short(path: &Path, header: usize, found: usize) -> DataError {
    DataErrorKind::Damaged
        .error(format!(
            "{found} bytes are too few for a header of {header}"
        ))
        .at(path.display())
}

#[cfg(test)]
mod tests;
