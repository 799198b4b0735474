//! Exchange of single samples along shortest paths: an exact method for samples so small that every member counts.
//!
//! A path leads from a class with too much mass, over classes that each pass one sample on, to a class with too little.
//! The length of an edge is the gap in `s + h` that keeps the nearest sample out of the other class. Raising each class
//! by its distance keeps every sample in its class, except that the samples on the path come to lie on a border. This
//! is the primal-dual step of a minimum-cost flow, so with equal weights and target masses of whole samples it ends at
//! the optimum of the linear program.

use crate::pass::Sample;
use crate::search::Search;

/// Largest number of scores for which the exchange is used.
const MAX_SCORES: usize = 1 << 17;
/// Smallest error of a class that counts, in samples.
const OFF: f64 = 0.5 - 1e-9;
/// Distance by which a sample is pushed beyond a border, relative to the largest of the scores and offsets.
const PUSH: f64 = 1e-11;

/// Improves the best hard cells of a small problem until they are good enough, no path helps, or the iterations are
/// used up.
pub(crate) fn exchange(search: &mut Search<'_>) {
    let classes = search.target.len();
    if search.sample.rows().saturating_mul(classes) > MAX_SCORES {
        return;
    }
    let mut hopeless = vec![false; classes];
    while !search.is_over() {
        let best = search.best.clone();
        let grain = OFF * search.sample.largest_weight();
        let off = |class: usize| best.mass[class] - search.target[class];
        let most = (0..classes).map(off).fold(0.0, f64::max);
        let sources = (0..classes).map(|class| off(class) >= grain.min(most));
        let Some(sample) = search.sample.here() else {
            return;
        };
        let (gaps, size) = gaps(sample, &best.offsets);
        search.iterations += 1;
        let way = Way::shortest(&gaps, &sources.collect::<Vec<_>>());
        // Prefer a class that lacks a sample, and otherwise take a class with room for a part of one.
        let nearest = |least: f64| {
            (0..classes)
                .filter(|&class| off(class) <= -least && !hopeless[class])
                .filter(|&class| way.distance[class] > 0.0 && way.distance[class].is_finite())
                .min_by(|&a, &b| way.distance[a].total_cmp(&way.distance[b]))
        };
        let goal = nearest(grain).or_else(|| nearest(-grain));
        let Some(goal) = goal else {
            break;
        };
        let step = way.raised(goal, PUSH * size);
        if search.try_hard(&best.offsets, &step, 1.0).1 {
            hopeless.fill(false);
        } else {
            // Identical samples move all at once, and the class is better without them.
            hopeless[goal] = true;
        }
    }
}

/// For each pair of classes, the smallest gap between a sample of class `i` and class `j`, `[C, C]`; and the largest
/// `|s + h|`.
fn gaps(sample: &mut Sample<'_>, offsets: &[f64]) -> (Vec<f64>, f64) {
    let classes = offsets.len();
    for shard in sample.shards() {
        shard.pairs.clear();
        shard.pairs.resize(classes * classes, f64::INFINITY);
    }
    sample.walk(|shard, weights, rows, block| {
        for (row, scores) in rows.zip(block.chunks_exact(classes)) {
            let (class, max) = crate::row::shift(scores, offsets, &mut shard.shifted);
            shard.energy = shard.energy.max(max.abs());
            if weights.get(row) > 0.0 {
                let nearest = &mut shard.pairs[class * classes..][..classes];
                for (gap, value) in nearest.iter_mut().zip(&shard.shifted) {
                    *gap = gap.min(max - value);
                }
            }
        }
    });
    let (mut nearest, mut size) = (vec![f64::INFINITY; classes * classes], f64::MIN_POSITIVE);
    for shard in sample.shards() {
        size = size.max(shard.energy);
        for (gap, other) in nearest.iter_mut().zip(&shard.pairs) {
            *gap = gap.min(*other);
        }
        // Other passes use these buffers for sums and expect them to be empty.
        shard.pairs.clear();
    }
    let largest = offsets.iter().fold(size, |max, h| max.max(h.abs()));
    (nearest, largest)
}

/// The shortest paths from some classes to all others (Dijkstra).
struct Way {
    /// Distance of each class, `[C]`; infinite where no path leads.
    distance: Vec<f64>,
    /// Predecessor of each class on its path, `[C]`.
    before: Vec<Option<usize>>,
}

impl Way {
    fn shortest(gaps: &[f64], sources: &[bool]) -> Self {
        let classes = sources.len();
        let start = |&source: &bool| if source { 0.0 } else { f64::INFINITY };
        let mut way = Self {
            distance: sources.iter().map(start).collect(),
            before: vec![None; classes],
        };
        let mut open = vec![true; classes];
        let nearest = |way: &Self, open: &[bool]| {
            let open = (0..classes).filter(|&class| open[class]);
            open.min_by(|&a, &b| way.distance[a].total_cmp(&way.distance[b]))
        };
        while let Some(class) = nearest(&way, &open).filter(|&c| way.distance[c].is_finite()) {
            open[class] = false;
            for other in (0..classes).filter(|&other| open[other]) {
                let length = way.distance[class] + gaps[class * classes + other];
                if length < way.distance[other] {
                    way.distance[other] = length;
                    way.before[other] = Some(class);
                }
            }
        }
        way
    }

    /// Returns how much each class is raised so that a sample reaches `goal`, `[C]`: by its distance, plus a `push` for
    /// each border on the path.
    fn raised(&self, goal: usize, push: f64) -> Vec<f64> {
        let most = self.distance[goal];
        let mut raised: Vec<f64> = (self.distance.iter().enumerate())
            .map(|(class, &distance)| {
                // The samples on the other paths also lie on borders, and they must not move.
                let borders = self.to(class).len() - 1;
                if distance < most {
                    distance - push * borders as f64
                } else {
                    most
                }
            })
            .collect();
        let on_the_way = self.to(goal);
        for (borders, &class) in on_the_way.iter().rev().enumerate() {
            raised[class] = self.distance[class] + push * borders as f64;
        }
        raised
    }

    /// Returns the classes on the path to `class`, from `class` back to a source.
    fn to(&self, class: usize) -> Vec<usize> {
        std::iter::successors(Some(class), |&class| self.before[class]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cosine, search_for};
    use crate::{Problem, Scores, hard_energy};

    #[test]
    fn exchange_meets_targets_of_whole_samples() {
        // Nine classes with targets of 5 to 60 of 200 samples, starting from zero offsets.
        let counts = [60.0, 40.0, 30.0, 20.0, 15.0, 12.0, 10.0, 8.0, 5.0];
        let target: Vec<f64> = counts.iter().map(|count| count / 200.0).collect();
        let (z, w) = cosine(200, 9, 4, 11);
        let scores = Scores::product(&z, &w, 4, 16.0).unwrap();
        let mut search = search_for(&scores, target.clone(), 1e-20, 1_000, vec![0.0; 9]);
        search.look();
        exchange(&mut search);
        assert!(search.is_over(), "{:?}", search.best);
        for (mass, count) in search.best.mass.iter().zip(counts) {
            assert!(
                (mass * 200.0 - count).abs() < 1e-9,
                "{:?}",
                search.best.mass
            );
        }
        // No other offsets have less energy than the optimum.
        let problem = Problem {
            scores,
            sample_weights: None,
            target: &target,
        };
        let least = hard_energy(&problem, &search.best.offsets).unwrap();
        for class in 0..9 {
            for step in [-0.1, 0.1] {
                let mut moved = search.best.offsets.clone();
                moved[class] += step;
                assert!(hard_energy(&problem, &moved).unwrap() >= least - 1e-12);
            }
        }
    }

    #[test]
    fn paths_are_shortest() {
        let none = f64::INFINITY;
        let gaps = [
            none, 1.0, 5.0, none, none, none, 2.0, none, none, none, none, 1.0, none, none, none,
            none,
        ];
        let way = Way::shortest(&gaps, &[true, false, false, false]);
        assert_eq!(way.distance, [0.0, 1.0, 3.0, 4.0]);
        assert_eq!(way.raised(2, 0.5), [0.0, 1.5, 4.0, 3.0]);
    }
}
