//! Workers that classify several images at a time and keep the order of the answers.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tailfold::{Answer, ImageClassifier};
use tailfold_data::{decode, decode_file};

use super::answers::Row;
use super::item::{Content, Item};

/// Classifiers over the same weights, one per thread.
pub(super) struct Workers {
    pool: ThreadPool,
    classifiers: Vec<Mutex<ImageClassifier>>,
    top: usize,
}

/// Images per worker and batch, enough that waiting for the slowest image costs little.
const EACH: usize = 8;

impl Workers {
    /// Starts `jobs` workers; 0 means one per core.
    pub(super) fn new(first: ImageClassifier, jobs: usize, top: usize) -> anyhow::Result<Self> {
        let pool = ThreadPoolBuilder::new().num_threads(jobs).build()?;
        let mut classifiers: Vec<_> = (1..pool.current_num_threads())
            .map(|_| Mutex::new(first.fork()))
            .collect();
        classifiers.push(Mutex::new(first));
        Ok(Self {
            pool,
            classifiers,
            top,
        })
    }

    /// Returns the number of images per batch. It is 1 for a single worker, so that each answer is printed at once.
    pub(super) fn at_a_time(&self) -> usize {
        match self.classifiers.len() {
            1 => 1,
            workers => workers * EACH,
        }
    }

    /// Classifies `items` and returns the answers in the same order.
    pub(super) fn classified(&mut self, items: Vec<Item>) -> Vec<Row> {
        let (classifiers, top) = (&self.classifiers, self.top);
        self.pool.install(|| {
            let rows = items.into_par_iter().with_max_len(1).map(|item| {
                let worker = rayon::current_thread_index().unwrap_or(0) % classifiers.len();
                let mut classifier = classifiers[worker]
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                Row {
                    answer: answer(&mut classifier, item.content, top),
                    file: item.name,
                }
            });
            rows.collect()
        })
    }
}

fn answer(
    classifier: &mut ImageClassifier,
    content: Content,
    top: usize,
) -> anyhow::Result<Answer> {
    let pixels = match content {
        Content::File(path) => decode_file(&path)?,
        Content::Encoded(bytes) => decode(&bytes, "the image".as_ref())?,
        Content::Pixels(pixels) => pixels,
        Content::Failed(error) => return Err(error),
    };
    Ok(classifier.classify_pixels(&pixels, top)?)
}
