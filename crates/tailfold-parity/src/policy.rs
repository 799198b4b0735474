//! `parity.toml`: what a candidate has to hold, as numbers.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tailfold_spec::Group;
use tailfold_spec::artifact::{self, ArtifactError};

/// What a candidate has to hold. Every field has a default, so an empty file is the default policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Error level of each one-sided bound; 0.05 gives 95 % bounds.
    pub level: f64,
    /// Loss of overall accuracy that is accepted, in percentage points.
    pub overall_margin_pp: f64,
    /// Loss of a group's accuracy that is accepted, in percentage points.
    pub group_margin_pp: GroupMargins,
    /// Share of the reference's accuracy that the candidate keeps, overall and in each group, as a point estimate.
    /// 0.99 is the rule of MLPerf Inference's closed division.
    pub min_retained: f64,
    /// Share of images on which the candidate may have a tie at the top. Float logits practically never tie;
    /// quantized ones do, and then the order of the classes decides.
    pub max_tie_rate: f64,
    /// Smallest share of images on which both give the same class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_agreement: Option<f64>,
    /// Number of images that must have been compared, so that a half-empty folder cannot pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_images: Option<usize>,
    /// Largest difference of any logit; for float against float.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_abs_logit_diff: Option<f64>,
}

/// Accepted loss of accuracy of each group, in percentage points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupMargins {
    /// Classes with more than 100 training images.
    pub many: f64,
    /// Classes with 20 to 100 training images.
    pub medium: f64,
    /// Classes with fewer than 20 training images.
    pub few: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            level: 0.05,
            overall_margin_pp: 0.5,
            group_margin_pp: GroupMargins::default(),
            min_retained: 0.99,
            max_tie_rate: 0.001,
            min_agreement: None,
            expected_images: None,
            max_abs_logit_diff: None,
        }
    }
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
}

/// A policy that cannot be read or applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file is missing or unreadable.
    #[error(transparent)]
    File(#[from] ArtifactError),
    /// Not a policy.
    #[error("{} is not a parity policy", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: toml::de::Error,
    },
    /// A value out of its range.
    #[error("policy.{field} is {value}, expected {expected}")]
    Range {
        /// Field.
        field: &'static str,
        /// Value found.
        value: f64,
        /// What is accepted.
        expected: &'static str,
    },
    /// A value out of its range, in a file.
    #[error("{}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<PolicyError>,
    },
}

impl Policy {
    /// Reads and checks a policy file.
    ///
    /// # Errors
    /// [`PolicyError`] naming the file and the field.
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        let text = artifact::read_to_string(path)?;
        let policy: Self = toml::from_str(&text).map_err(|source| PolicyError::Parse {
            path: path.to_owned(),
            source,
        })?;
        policy.validate().map_err(|source| PolicyError::Invalid {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        Ok(policy)
    }

    /// Checks every field.
    ///
    /// A margin of zero is refused: no number of images could show that two equal models lose nothing.
    ///
    /// # Errors
    /// [`PolicyError::Range`] naming the field.
    pub fn validate(&self) -> Result<(), PolicyError> {
        let check = |field, value: f64, ok: bool, expected| {
            if ok {
                Ok(())
            } else {
                Err(PolicyError::Range {
                    field,
                    value,
                    expected,
                })
            }
        };
        let level = self.level;
        check(
            "level",
            level,
            level > 0.0 && level < 0.5,
            "more than 0 and less than 0.5",
        )?;
        for (field, margin) in [
            ("overall_margin_pp", self.overall_margin_pp),
            ("group_margin_pp.many", self.group_margin_pp.many),
            ("group_margin_pp.medium", self.group_margin_pp.medium),
            ("group_margin_pp.few", self.group_margin_pp.few),
        ] {
            let ok = margin > 0.0 && margin <= 100.0;
            check(
                field,
                margin,
                ok,
                "more than 0 and at most 100 percentage points",
            )?;
        }
        for (field, share) in [
            ("min_retained", Some(self.min_retained)),
            ("max_tie_rate", Some(self.max_tie_rate)),
            ("min_agreement", self.min_agreement),
        ] {
            let share = share.unwrap_or(0.0);
            check(field, share, (0.0..=1.0).contains(&share), "0 to 1")?;
        }
        if self.expected_images == Some(0) {
            return check("expected_images", 0.0, false, "at least 1");
        }
        let diff = self.max_abs_logit_diff.unwrap_or(0.0);
        check(
            "max_abs_logit_diff",
            diff,
            diff.is_finite() && diff >= 0.0,
            "a finite number, not negative",
        )
    }
}

#[cfg(test)]
mod tests;
