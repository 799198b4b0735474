//! Small images for display.

use image::imageops::FilterType;

use crate::preprocess::resized;
use crate::{DataError, Pixels};

impl Pixels {
    /// Returns the image with its longer side at most `side` (which is at least 1); a smaller image does not change.
    ///
    /// # Errors
    /// [`DataError`] for values that do not fill the shape.
    pub fn thumbnail(&self, side: usize) -> Result<Self, DataError> {
        self.check()?;
        let longer = self.height.max(self.width);
        if longer <= side {
            return Ok(self.clone());
        }
        // A very long image keeps at least one row or column.
        let scaled = |length: usize| ((length * side / longer) as u64).max(1);
        resized(
            self,
            scaled(self.height),
            scaled(self.width),
            FilterType::Triangle,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_images_shrink() {
        let check = |[height, width]: [usize; 2], expected: [usize; 2]| {
            for channels in [1, 3] {
                let image = Pixels {
                    height,
                    width,
                    channels,
                    values: vec![7; height * width * channels],
                };
                let small = image.thumbnail(192).unwrap();
                assert_eq!([small.height, small.width], expected);
                assert!(small.check().is_ok() && small.values.iter().all(|&v| v == 7));
            }
        };
        check([28, 28], [28, 28]);
        check([192, 3], [192, 3]);
        check([400, 300], [192, 144]);
        check([2, 2000], [1, 192]);
    }
}
