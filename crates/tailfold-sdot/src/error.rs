//! What can be wrong with a transport problem, by class or by row.

/// A problem that cannot be posed or solved as given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SolveError {
    /// A matrix without columns.
    #[error("{what} must have at least one column")]
    NoColumns {
        /// `scores`, `features`.
        what: &'static str,
    },
    /// No class to give mass to.
    #[error("there are no classes")]
    NoClasses,
    /// No sample to take mass from.
    #[error("the sample is empty")]
    EmptySample,
    /// A length that is not a whole number of rows.
    #[error("{what} have {found} values, not whole rows of {row}")]
    Ragged {
        /// `scores`, `features`, `weights`.
        what: &'static str,
        /// Values given.
        found: usize,
        /// Values in a row.
        row: usize,
    },
    /// A length that does not fit the scores.
    #[error("{what} have {found} values, expected {expected}")]
    Length {
        /// `target masses`, `sample weights`, `offsets`, `warm start`.
        what: &'static str,
        /// What the scores ask for.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// A label beyond the last class.
    #[error("label of row {row} is {label}, but there are {classes} classes")]
    Label {
        /// Sample index.
        row: usize,
        /// The label.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A score that is NaN or infinite.
    #[error("score of row {row}, class {class} is {value}")]
    Score {
        /// Sample index.
        row: usize,
        /// Class index.
        class: usize,
        /// The value.
        value: f32,
    },
    /// A feature that is NaN or infinite.
    #[error("feature {column} of row {row} is {value}")]
    Feature {
        /// Sample index.
        row: usize,
        /// Index in the feature vector.
        column: usize,
        /// The value.
        value: f32,
    },
    /// A classifier weight that is NaN or infinite.
    #[error("weight {column} of class {class} is {value}")]
    Weight {
        /// Class index.
        class: usize,
        /// Index in the weight vector.
        column: usize,
        /// The value.
        value: f32,
    },
    /// The factor of the scores is NaN or infinite.
    #[error("the scale of the scores is {0}")]
    Scale(f32),
    /// Features and weights are finite, their scores may not be.
    #[error(
        "the scores can overflow: the largest feature vector is row {row}, the largest weight vector class {class}"
    )]
    Overflow {
        /// Row of the largest norm.
        row: usize,
        /// Class of the largest norm.
        class: usize,
    },
    /// A target mass that is zero, negative, subnormal, NaN or infinite.
    #[error("target mass of class {class} is {value}, expected a positive number")]
    Target {
        /// Class index.
        class: usize,
        /// The value.
        value: f64,
    },
    /// The target masses are not a distribution.
    #[error("the target masses sum to {sum}, expected 1")]
    TargetSum {
        /// Their sum.
        sum: f64,
    },
    /// A sample weight that is negative, NaN or infinite.
    #[error("sample weight of row {row} is {value}, expected a finite number that is not negative")]
    SampleWeight {
        /// Sample index.
        row: usize,
        /// The value.
        value: f64,
    },
    /// The sample weights cannot be normalised.
    #[error("the sample weights sum to {sum}")]
    SampleWeightSum {
        /// Their sum: zero or infinite.
        sum: f64,
    },
    /// An offset that no `f32` bias can hold.
    #[error("{what} of class {class} is {value}, expected a finite f32")]
    Offset {
        /// `offset`, `warm start`.
        what: &'static str,
        /// Class index.
        class: usize,
        /// The value.
        value: f64,
    },
    /// A setting out of its range.
    #[error("{field} is {value}, expected {expected}")]
    Setting {
        /// Field of [`Options`](crate::Options), or `epsilon`.
        field: &'static str,
        /// The value.
        value: f64,
        /// What is accepted.
        expected: &'static str,
    },
    /// A device that the sample is on has failed.
    #[error("the device of the sample: {0}")]
    Device(String),
    /// More classes than a dense Hessian has room for.
    #[error(
        "{classes} classes are more than the method `newton` takes ({limit}): its matrices hold classes x classes values. `newton-cg` has no limit"
    )]
    TooManyClasses {
        /// Classes of the scores.
        classes: usize,
        /// [`MAX_NEWTON_CLASSES`](crate::MAX_NEWTON_CLASSES).
        limit: usize,
    },
}
