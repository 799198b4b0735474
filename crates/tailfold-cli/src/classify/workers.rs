//! Several images at a time, answers in their order.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tailfold::{Answer, ImageClassifier};
use tailfold_data::{decode, decode_file};

use super::answers::Row;
use super::item::{Content, Item};

/// Classifiers over the same weights, one a thread.
pub(super) struct Workers {
    pool: ThreadPool,
    classifiers: Vec<Mutex<ImageClassifier>>,
    top: usize,
}

/// Images a worker in one go: enough that the slowest of them keeps nobody waiting for long.
const EACH: usize = 8;

impl Workers {
    /// `jobs` of them, or one a core for 0.
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

    /// How many images are wanted at a time. One worker gives each answer as soon as it is there.
    pub(super) fn at_a_time(&self) -> usize {
        match self.classifiers.len() {
            1 => 1,
            workers => workers * EACH,
        }
    }

    /// What the model says of each of `items`, in their order.
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
