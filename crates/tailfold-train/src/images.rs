//! Decoded images of a run, with their classes and pixel statistics.

use tailfold_data::{DataError, Dataset, ImageStore};

use crate::casts::to_f32;
use crate::config::ImagesConfig;
use crate::error::{TrainError, TrainErrorKind};
use crate::report::Observer;

/// Training images with their classes.
pub(crate) struct Images {
    pub(crate) store: ImageStore,
    pub(crate) labels: Vec<usize>,
}

/// Decodes the images of `data`, without the skipped ones, and returns the size of the network's input: the configured
/// size, or else the common size of all images (`expected`, or the size of the first image).
pub(crate) fn load_images(
    data: Dataset,
    config: &ImagesConfig,
    expected: Option<[usize; 3]>,
    observer: &mut dyn Observer,
) -> Result<(Dataset, Images, [usize; 3]), TrainError> {
    let count = data.len();
    let store = {
        let observer = &*observer;
        ImageStore::open(&data, &config.store(), &|ready| {
            observer.decoded(ready, count);
        })?
    };
    if !store.skipped().is_empty() {
        observer.skipped(store.skipped());
    }
    let data = data.subset(store.kept());
    if store.is_empty() {
        let text = format!("{} has no images", data.spec());
        return Err(TrainErrorKind::Images.error(text));
    }
    let input = match config.input() {
        Some(input) => input,
        None => {
            let others = match expected {
                Some(_) => "the training images are",
                None => "the first image is",
            };
            let expected = expected.unwrap_or(store.shape(0));
            if let Some(odd) = (0..store.len()).find(|&i| store.shape(i) != expected) {
                return Err(TrainErrorKind::Images.error(format!(
                    "{} is {:?} (channels, height, width) but {others} {expected:?}",
                    data.id(odd),
                    store.shape(odd)
                )));
            }
            expected
        }
    };
    let labels = data.labels().to_vec();
    Ok((data, Images { store, labels }, input))
}

/// Smallest number of values that [`pixel_statistics`] reads if there are enough.
const STATISTICS_VALUES: usize = 1 << 28;

/// Mean and standard deviation of each channel, on the 0..1 scale, over every image, or over every `n`-th image if the
/// images have many times [`STATISTICS_VALUES`] values.
pub(crate) fn pixel_statistics(images: &ImageStore) -> Result<(Vec<f32>, Vec<f32>), DataError> {
    let channels = images.shape(0)[0];
    let values = |i| images.shape(i).iter().product::<usize>();
    let every = ((0..images.len()).map(values).sum::<usize>() / STATISTICS_VALUES).max(1);
    let (mut sum, mut square, mut count) =
        (vec![0.0_f64; channels], vec![0.0_f64; channels], 0_u64);
    for i in (0..images.len()).step_by(every) {
        for pixel in images.image(i)?.values.chunks_exact(channels) {
            count += 1;
            for (c, &value) in pixel.iter().enumerate() {
                let v = f64::from(value) / 255.0;
                sum[c] += v;
                square[c] += v * v;
            }
        }
    }
    let mean: Vec<f64> = sum.iter().map(|s| s / count as f64).collect();
    // A constant channel has no spread; dividing by the smallest step of a byte keeps its values finite.
    let std = square
        .iter()
        .zip(&mean)
        .map(|(s, m)| (s / count as f64 - m * m).max(0.0).sqrt().max(1.0 / 255.0));
    Ok((
        mean.iter().map(|&m| to_f32(m)).collect(),
        std.map(to_f32).collect(),
    ))
}
