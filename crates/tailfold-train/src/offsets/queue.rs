//! Recent training features, stored on the training device.

use std::collections::VecDeque;

use burn::prelude::*;

/// The last features and their classes, oldest first.
#[derive(Debug)]
pub(crate) struct FeatureQueue {
    /// Largest number of rows.
    capacity: usize,
    rows: usize,
    /// For each step, its features `[n, dim]` and classes `[n]`.
    steps: VecDeque<(Tensor<2>, Vec<usize>)>,
}

impl FeatureQueue {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            rows: 0,
            steps: VecDeque::new(),
        }
    }

    /// Adds a step's `features` `[n, dim]` and drops the oldest rows above the capacity.
    pub(crate) fn push(&mut self, features: Tensor<2>, labels: Vec<usize>) {
        self.rows += labels.len();
        self.steps.push_back((features, labels));
        while let Some(over) = self.rows.checked_sub(self.capacity).filter(|&n| n > 0)
            && let Some((features, mut labels)) = self.steps.pop_front()
        {
            let gone = over.min(labels.len());
            self.rows -= gone;
            if gone < labels.len() {
                let kept = labels.split_off(gone);
                let features = features.narrow(0, gone, kept.len());
                self.steps.push_front((features, kept));
            }
        }
    }

    /// Returns the classes, `[rows]`.
    pub(crate) fn labels(&self) -> Vec<usize> {
        let steps = self.steps.iter();
        steps.flat_map(|(_, labels)| labels).copied().collect()
    }

    /// Returns the features, `[rows, dim]`; `None` when the queue is empty.
    pub(crate) fn features(&self) -> Option<Tensor<2>> {
        let steps: Vec<_> = self.steps.iter().map(|(z, _)| z.clone()).collect();
        (!steps.is_empty()).then(|| Tensor::cat(steps, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::casts::to_host;

    /// Returns rows `[v, v]` for each value.
    fn rows(values: &[f32]) -> Tensor<2> {
        let twice: Vec<f32> = values.iter().flat_map(|&v| [v, v]).collect();
        Tensor::from_data(TensorData::new(twice, [values.len(), 2]), &Device::flex())
    }

    fn values(queue: &FeatureQueue) -> Vec<f32> {
        let all = to_host(queue.features().unwrap()).unwrap();
        all.into_iter().step_by(2).collect()
    }

    #[test]
    fn oldest_rows_are_dropped() {
        let mut queue = FeatureQueue::new(5);
        assert!(queue.features().is_none() && queue.labels().is_empty());
        queue.push(rows(&[0.0, 1.0, 2.0]), vec![7, 8, 9]);
        queue.push(rows(&[3.0, 4.0]), vec![3, 4]);
        assert_eq!(values(&queue), [0.0, 1.0, 2.0, 3.0, 4.0]);
        queue.push(rows(&[5.0]), vec![5]);
        assert_eq!(values(&queue), [1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(queue.labels(), [8, 9, 3, 4, 5]);
        // The dropped rows span two steps, and then more rows than the capacity are added.
        queue.push(rows(&[6.0, 7.0, 8.0]), vec![6, 7, 8]);
        assert_eq!(values(&queue), [4.0, 5.0, 6.0, 7.0, 8.0]);
        queue.push(rows(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), vec![1; 6]);
        assert_eq!(values(&queue), [2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(queue.labels(), [1; 5]);
    }
}
