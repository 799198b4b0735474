//! The long-tailed subsets of the literature, equal index for index: LDAM-DRW's `imbalance_cifar` with NumPy's legacy
//! shuffle.

use rand_mt::Mt;

/// Number of images that each class keeps: `int(n_max * (1 / imbalance)^(k / (classes - 1)))`, truncated as in
/// LDAM-DRW.
///
/// A single class keeps `n_max`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "truncation is the published rule, and no size exceeds n_max"
)]
pub fn class_sizes(n_max: usize, classes: usize, imbalance: f64) -> Vec<usize> {
    let last = classes.saturating_sub(1).max(1) as f64;
    let factor = 1.0 / imbalance;
    (0..classes)
        .map(|k| (n_max as f64 * factor.powf(k as f64 / last)) as usize)
        .collect()
}

/// NumPy's `RandomState`: MT19937 with the integer seeding and the masked rejection of its legacy `shuffle`.
#[derive(Clone, Debug)]
pub struct Mt19937Legacy(Mt);

impl Mt19937Legacy {
    /// `numpy.random.RandomState(seed)`.
    pub fn new(seed: u32) -> Self {
        Self(Mt::new(seed))
    }

    /// `random_interval(max)`: uniform in `0..=max`. Each 32-bit draw is masked with the smallest mask of ones that
    /// covers `max`, until the result is in range; `max = 0` draws nothing.
    pub fn interval(&mut self, max: u32) -> u32 {
        if max == 0 {
            return 0;
        }
        let mask = u32::MAX >> max.leading_zeros();
        loop {
            let draw = self.0.next_u32() & mask;
            if draw <= max {
                return draw;
            }
        }
    }

    /// `RandomState.shuffle` of a one-dimensional array.
    ///
    /// # Panics
    /// With 2^32 items or more, for which NumPy draws 64 bits at a time.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            let max = u32::try_from(i).expect("fewer than 2^32 items");
            items.swap(i, self.interval(max) as usize);
        }
    }
}

/// The indices of each class in the order in which `RandomState(seed)` shuffles them, classes ascending.
///
/// Labels at or above `classes` are ignored.
pub fn shuffled_classes(labels: &[usize], classes: usize, seed: u32) -> Vec<Vec<usize>> {
    let mut lists = vec![Vec::new(); classes];
    for (index, &label) in labels.iter().enumerate() {
        if let Some(list) = lists.get_mut(label) {
            list.push(index);
        }
    }
    let mut rng = Mt19937Legacy::new(seed);
    for list in &mut lists {
        rng.shuffle(list);
    }
    lists
}

/// LDAM-DRW's long-tailed subset: for each class, the kept indices into `labels`, in shuffled order.
///
/// The size of the largest class is `labels.len() / classes`, as for the balanced sets that LDAM-DRW uses; a class with
/// fewer images than its size keeps all of them.
pub fn ldam_subset(labels: &[usize], classes: usize, imbalance: f64, seed: u32) -> Vec<Vec<usize>> {
    let n_max = labels.len() / classes.max(1);
    let mut lists = shuffled_classes(labels, classes, seed);
    for (list, size) in lists.iter_mut().zip(class_sizes(n_max, classes, imbalance)) {
        list.truncate(size);
    }
    lists
}

#[cfg(test)]
mod tests;
