//! Calibration images that the user has prepared: a file of raw numbers, read image by image.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use tailfold_spec::artifact::at;

use crate::error::{QuantError, QuantErrorKind};

/// Images as little-endian f32, `[images, channels, height, width]` row-major, without a header, as written
/// by NumPy's `array.astype("<f4").tofile(...)`.
#[derive(Debug)]
pub struct PreparedImages {
    path: PathBuf,
    values: usize,
    images: usize,
}

impl PreparedImages {
    /// Opens `path`, which holds images of shape `[channels, height, width]`.
    ///
    /// # Errors
    /// [`QuantErrorKind::Images`] with both sizes when the file does not hold a whole number of images, or
    /// when it is empty, or [`QuantErrorKind::File`].
    pub fn open(path: &Path, shape: [usize; 3]) -> Result<Self, QuantError> {
        let bytes = std::fs::metadata(path).map_err(at("read", path))?.len();
        let values: usize = shape.iter().product();
        let image = values as u64 * 4;
        if image == 0 || bytes % image != 0 {
            return Err(QuantErrorKind::Images
                .error(format!(
                    "{bytes} bytes are not a whole number of images of {shape:?}, {image} bytes each"
                ))
                .at(path.display()));
        }
        match usize::try_from(bytes / image) {
            Ok(0) | Err(_) => Err(QuantErrorKind::Images.error("the calibration set is empty")),
            Ok(images) => Ok(Self {
                path: path.to_owned(),
                values,
                images,
            }),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.images
    }

    /// Returns the name of the file without its folder, which differs between machines.
    pub(crate) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        format!("f32:{}", name.to_string_lossy())
    }

    pub(crate) fn id(&self, index: usize) -> String {
        format!("{}#{index}", self.path.display())
    }

    pub(crate) fn read(&self, index: usize) -> Result<Vec<f32>, QuantError> {
        let mut bytes = vec![0; self.values * 4];
        let mut read = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start((index * bytes.len()) as u64))?;
            file.read_exact(&mut bytes)
        };
        read().map_err(at("read", &self.path))?;
        let (values, _) = bytes.as_chunks();
        Ok(values.iter().map(|&v| f32::from_le_bytes(v)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_read_one_by_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let values: Vec<u8> = (0..12_u8)
            .flat_map(|v| f32::from(v).to_le_bytes())
            .collect();
        std::fs::write(file.path(), &values).unwrap();
        let images = PreparedImages::open(file.path(), [1, 2, 3]).unwrap();
        assert_eq!(images.len(), 2);
        assert_eq!(images.read(1).unwrap(), [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
        let error = PreparedImages::open(file.path(), [1, 2, 5]).unwrap_err();
        let message = "48 bytes are not a whole number of images of [1, 2, 5], 40 bytes each";
        assert!(error.to_string().ends_with(message), "{error}");
    }
}
