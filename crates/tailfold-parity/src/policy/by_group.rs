//! The parts of a policy about groups: their classes, margins and numbers of images.

use serde::{Deserialize, Serialize};
use tailfold_spec::Group;

use super::range;
use crate::ParityError;

/// How classes are assigned to the groups many, medium and few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Grouping {
    /// Whether thresholds of the training counts or thirds of the classes decide.
    pub by: GroupRule,
    /// A class with more training images than this is in the group many.
    pub many_above: u64,
    /// A class with fewer training images than this is in the group few.
    pub few_below: u64,
}

/// The rule that assigns classes to groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum GroupRule {
    /// By thresholds of the training counts.
    #[default]
    Counts,
    /// By thirds of the classes, from the most frequent on, for data sets whose training counts do not fit the
    /// thresholds of the literature.
    Thirds,
}

impl Default for Grouping {
    /// The thresholds of Liu et al., CVPR 2019: more than 100, 20 to 100, and fewer than 20 training images.
    fn default() -> Self {
        Self {
            by: GroupRule::Counts,
            many_above: 100,
            few_below: 20,
        }
    }
}

impl Grouping {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn validate(&self) -> Result<(), ParityError> {
        let ok = self.few_below <= self.many_above.saturating_add(1);
        range::check(
            "groups.few_below",
            self.few_below as f64,
            ok,
            "at most groups.many_above + 1",
        )
    }
}

/// Accepted accuracy loss of each group, in percentage points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupMargins {
    /// Margin of the frequent classes.
    pub many: f64,
    /// Margin of the classes in between.
    pub medium: f64,
    /// Margin of the rare classes.
    pub few: f64,
}

impl Default for GroupMargins {
    fn default() -> Self {
        Self {
            many: 1.0,
            medium: 1.0,
            few: 1.0,
        }
    }
}

impl GroupMargins {
    /// The margin of one group, in percentage points.
    pub fn get(&self, group: Group) -> f64 {
        match group {
            Group::Many => self.many,
            Group::Medium => self.medium,
            Group::Few => self.few,
        }
    }

    pub(super) fn validate(&self, field: &str) -> Result<(), ParityError> {
        Group::ALL
            .into_iter()
            .try_for_each(|group| range::margin(&format!("{field}.{group}"), Some(self.get(group))))
    }
}

/// Required numbers of images of single groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupImages {
    /// Number of images of the frequent classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub many: Option<usize>,
    /// Number of images of the classes in between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<usize>,
    /// Number of images of the rare classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub few: Option<usize>,
}

impl GroupImages {
    /// The required number of images of one group; `None` for any number.
    pub fn get(&self, group: Group) -> Option<usize> {
        match group {
            Group::Many => self.many,
            Group::Medium => self.medium,
            Group::Few => self.few,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Refuses an expected number of 0, which would pass a data set without the group.
    pub(super) fn validate(&self) -> Result<(), ParityError> {
        Group::ALL.into_iter().try_for_each(|group| {
            let ok = self.get(group) != Some(0);
            range::check(
                &format!("expected_group_images.{group}"),
                0.0,
                ok,
                "at least 1",
            )
        })
    }
}
