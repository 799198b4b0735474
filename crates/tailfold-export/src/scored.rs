//! Raw scores of labelled images: one run of the network for any number of offsets.

use tailfold::dataset_logits;
use tailfold_data::{DataSpec, Dataset, Overlap};
use tailfold_spec::Logits;

use crate::{ErrorKind, ExportError, Progress, Unfolded};

/// Images with their labels and the scores that the unfolded model gives them.
pub struct Scored {
    /// The data spec.
    pub data: String,
    /// Class of each image, `[n]`, below the number of classes.
    pub labels: Vec<usize>,
    /// Raw scores without offsets, `[n, classes]`, finite.
    pub scores: Logits,
    images: Dataset,
}

/// Two sets with more images than this in total are compared by file names: decoding their pixels would take minutes.
const MOST_HASHED: usize = 20_000;

impl Scored {
    /// Runs `model` on the images of `spec`.
    ///
    /// # Errors
    /// [`ErrorKind::Data`], naming the class that has no images, or the image that cannot be read or has a score that is
    /// not a finite number.
    pub fn of(
        model: &Unfolded,
        spec: &DataSpec,
        progress: &(dyn Fn(Progress<'_>) + Sync),
    ) -> Result<Self, ExportError> {
        let images = Dataset::open(spec)?;
        if let Some(empty) = images.class_counts().iter().position(|&n| n == 0) {
            let class = &images.classes()[empty];
            let text = format!("{spec} has no images of class `{class}`");
            return Err(ErrorKind::Data.error(text));
        }
        let data = spec.to_string();
        progress(Progress::Scoring {
            data: &data,
            images: images.len(),
        });
        let all = dataset_logits(&[model.loaded()?], &images, &|| progress(Progress::Image));
        progress(Progress::Scored);
        let [scores] = <[Logits; 1]>::try_from(all?).map_err(|all| {
            let text = format!("one model was run but {} answered", all.len());
            ErrorKind::Model.error(text)
        })?;
        if let Some(at) = scores.values().iter().position(|s| !s.is_finite()) {
            let id = images.id(at / scores.num_classes());
            let text = format!("{id}: a score of the model is {}", scores.values()[at]);
            return Err(ErrorKind::Data.error(text));
        }
        Ok(Self {
            data,
            labels: images.labels().to_vec(),
            scores,
            images,
        })
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.scores.num_classes()
    }

    /// Returns the top-1 class of each image, `[n]`, under `offsets` `[classes]`.
    ///
    /// A folded file adds the offset to the bias and the result to the product; this function adds the offset to the
    /// sum of bias and product. The top-1 classes can differ if the two largest scores are within one f32 rounding.
    ///
    /// # Errors
    /// [`ErrorKind::Data`], naming the image, when an offset makes a score infinite.
    pub fn decisions(&self, offsets: &[f32]) -> Result<Vec<usize>, ExportError> {
        let top1 = |(image, row): (usize, &[f32])| {
            let shifted: Vec<f32> = row.iter().zip(offsets).map(|(s, h)| s + h).collect();
            let (class, _) = Logits::top1(&shifted).ok_or_else(|| {
                let id = self.images.id(image);
                let text = format!("{id}: a score plus its offset is not a finite number");
                ErrorKind::Data.error(text)
            })?;
            Ok(class)
        };
        self.scores.rows().enumerate().map(top1).collect()
    }

    /// Images of each class, `[classes]`.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes()];
        for &label in &self.labels {
            counts[label] += 1;
        }
        counts
    }

    /// Fails when one of these images is among `others`; `role` names the role of `others`, such as `training images`.
    ///
    /// # Errors
    /// [`ErrorKind::Overlap`], naming the number of shared images and the first; [`ErrorKind::Data`] for an image that
    /// cannot be read.
    pub fn refuse_images_of(&self, others: &Dataset, role: &str) -> Result<(), ExportError> {
        let keys = |data: &Dataset| -> Result<Vec<String>, ExportError> {
            if self.images.len() + others.len() <= MOST_HASHED {
                return Ok(data.pixel_hashes()?);
            }
            Ok((0..data.len()).map(|i| data.id(i)).collect())
        };
        let (own, theirs) = (keys(&self.images)?, keys(others)?);
        let own_keys = own.iter().map(String::as_str);
        let Overlap { shared, first } = Overlap::of(own_keys, theirs.iter().map(String::as_str));
        let Some((first, _)) = first else {
            return Ok(());
        };
        let text = format!(
            "{shared} of the {} images of {} are {role} ({}), the first {}: accuracy is measured on other images",
            own.len(),
            self.data,
            others.spec(),
            self.images.id(first)
        );
        Err(ErrorKind::Overlap.error(text))
    }

    /// The images themselves.
    pub fn images(&self) -> &Dataset {
        &self.images
    }
}
