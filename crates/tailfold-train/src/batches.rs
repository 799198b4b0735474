//! Batches of augmented views, made in parallel with the training step and identical for any number of threads.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::Instant;

use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use tailfold_data::{AugmentKey, Augmenter, DataError, Normaliser};

use crate::images::Images;

/// The input of one step: view 0 of every image, then view 1 of every image, and so on.
pub(crate) struct Batch {
    /// `[views * images, c, h, w]`, row-major, view-major.
    pub(crate) values: Vec<f32>,
    /// Class of each image, listed once and not per view.
    pub(crate) labels: Vec<i32>,
    /// Index of each image in the data set.
    pub(crate) indices: Vec<usize>,
    /// Time to make the batch, in seconds, in the thread that makes batches.
    pub(crate) seconds: f64,
}

/// The settings that determine a batch's content.
#[derive(Clone)]
pub(crate) struct BatchPlan {
    pub(crate) images: Arc<Images>,
    pub(crate) normaliser: Normaliser,
    /// `[channels, height, width]` of the network's input.
    pub(crate) input: [usize; 3],
    /// One augmenter per view.
    pub(crate) views: Vec<Augmenter>,
    pub(crate) batch: usize,
    pub(crate) seed: u64,
}

impl BatchPlan {
    /// Number of steps per epoch. Only whole batches count, so that batch statistics never come from a few images; at
    /// least one.
    pub(crate) fn steps(&self) -> usize {
        (self.images.labels.len() / self.batch).max(1)
    }

    /// Starts making the batches of `epoch` from batch `first` (from 0) on, at most two ahead of the reader.
    pub(crate) fn start(&self, epoch: usize, first: usize) -> Receiver<Result<Batch, DataError>> {
        let (sender, receiver) = sync_channel(2);
        let plan = self.clone();
        thread::spawn(move || {
            let order = epoch_order(plan.images.labels.len(), plan.seed, epoch);
            for indices in order.chunks(plan.batch).take(plan.steps()).skip(first) {
                // The thread ends when the receiver is dropped.
                if sender.send(plan.make(indices, epoch)).is_err() {
                    return;
                }
            }
        });
        receiver
    }

    fn make(&self, indices: &[usize], epoch: usize) -> Result<Batch, DataError> {
        let started = Instant::now();
        let size = self.normaliser.size();
        let mut values = vec![0.0; self.views.len() * indices.len() * size];
        values
            .par_chunks_exact_mut(size)
            .enumerate()
            .try_for_each(|(job, values)| {
                let (view, index) = (job / indices.len(), indices[job % indices.len()]);
                self.write_view(view, index, epoch, values)
            })?;
        Ok(Batch {
            values,
            labels: indices
                .iter()
                .map(|&i| i32::try_from(self.images.labels[i]).unwrap_or(i32::MAX))
                .collect(),
            indices: indices.to_vec(),
            seconds: started.elapsed().as_secs_f64(),
        })
    }

    fn write_view(
        &self,
        view: usize,
        index: usize,
        epoch: usize,
        values: &mut [f32],
    ) -> Result<(), DataError> {
        let key = AugmentKey {
            seed: self.seed,
            epoch: epoch as u64,
            index: index as u64,
            view: view as u64,
        };
        let [_, height, width] = self.input;
        let image = self.images.store.image(index)?;
        let pixels = self.views[view].view(image.as_pixels(), height, width, key)?;
        self.normaliser.write(pixels.as_pixels(), values)
    }
}

/// Returns the order of the images in `epoch`. It depends only on the seed and the epoch, so a resumed run continues
/// with the order of an uninterrupted one.
fn epoch_order(len: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(epoch as u64 + 1);
    order.shuffle(&mut rng);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_depends_only_on_seed_and_epoch() {
        let order = epoch_order(100, 7, 3);
        assert_eq!(order, epoch_order(100, 7, 3));
        assert_ne!(order, epoch_order(100, 7, 4));
        assert_ne!(order, epoch_order(100, 8, 3));
        let mut sorted = order;
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..100));
    }
}
