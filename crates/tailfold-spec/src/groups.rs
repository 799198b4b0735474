//! Many, medium and few: the groups by which long-tailed accuracy is reported.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A class's group by its number of training images, with the thresholds of the long-tail literature
/// (Liu et al., "Large-Scale Long-Tailed Recognition in an Open World", CVPR 2019).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// More than 100 training images.
    Many,
    /// 20 to 100 training images.
    Medium,
    /// Fewer than 20 training images.
    Few,
}

impl Group {
    /// The three groups, most frequent first.
    pub const ALL: [Self; 3] = [Self::Many, Self::Medium, Self::Few];

    /// The group of a class with `train_count` training images.
    pub fn of_count(train_count: u64) -> Self {
        match train_count {
            101.. => Self::Many,
            20..=100 => Self::Medium,
            _ => Self::Few,
        }
    }

    /// The name used in reports: `many`, `medium` or `few`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Many => "many",
            Self::Medium => "medium",
            Self::Few => "few",
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The group of every class, in label order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassGroups(Vec<Group>);

impl ClassGroups {
    /// Groups classes by their training counts, `[num_classes]` in label order.
    pub fn from_counts(train_counts: &[u64]) -> Self {
        Self(train_counts.iter().map(|&n| Group::of_count(n)).collect())
    }

    /// Uses the given groups, label order.
    pub fn from_groups(groups: Vec<Group>) -> Self {
        Self(groups)
    }

    /// The group of `class`, or `None` beyond the last class.
    pub fn get(&self, class: usize) -> Option<Group> {
        self.0.get(class).copied()
    }

    /// The classes of one group, ascending.
    pub fn classes(&self, group: Group) -> impl Iterator<Item = usize> + '_ {
        self.0
            .iter()
            .enumerate()
            .filter(move |(_, g)| **g == group)
            .map(|(class, _)| class)
    }

    /// Mean of the per-class values over one group's classes; `None` when the group has no class with a value.
    ///
    /// A group's accuracy is the mean of its classes' accuracies, not the accuracy over its images.
    pub fn mean(&self, group: Group, per_class: &[Option<f64>]) -> Option<f64> {
        let values: Vec<f64> = self
            .classes(group)
            .filter_map(|c| per_class.get(c).copied().flatten())
            .collect();
        if values.is_empty() {
            None
        } else {
            Some(values.iter().sum::<f64>() / values.len() as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_thresholds_match_literature() {
        let check = |count, group| assert_eq!(Group::of_count(count), group, "{count}");
        check(0, Group::Few);
        check(19, Group::Few);
        check(20, Group::Medium);
        check(100, Group::Medium);
        check(101, Group::Many);
    }

    #[test]
    fn group_mean_is_over_classes_with_values() {
        let groups = ClassGroups::from_counts(&[500, 50, 5, 6]);
        assert_eq!(
            groups.mean(Group::Few, &[Some(1.0), Some(1.0), Some(0.25), Some(0.75)]),
            Some(0.5)
        );
        assert_eq!(
            groups.mean(Group::Few, &[None, None, None, Some(0.75)]),
            Some(0.75)
        );
        assert_eq!(groups.mean(Group::Many, &[None, None, None, None]), None);
    }
}
