//! A sample that lives on another device, and stays there: what comes back are masses, energies and the matrix of a Newton
//! step, numbers by the class.

use std::error::Error;

/// What a device could not do.
pub type DeviceFailure = Box<dyn Error + Send + Sync>;

/// A weighted sample on a device: scores `s` `[n, C]`, weights `[n]` of sum 1. Single precision will do.
pub trait DeviceSample {
    /// Number of samples, `n`.
    fn rows(&self) -> usize;

    /// Number of classes, `C`.
    fn num_classes(&self) -> usize;

    /// The largest weight.
    fn largest_weight(&self) -> f64;

    /// Standard deviation of the scores over the classes of a row, as a weighted root mean square over the rows.
    ///
    /// # Errors
    /// What the device says; no more is asked of it then, as after an error of the methods below.
    fn spread(&mut self) -> Result<f64, DeviceFailure>;

    /// Weight of the rows whose largest `s_j + h_j` is that of each class, `[C]`, for `offsets` `h`.
    ///
    /// # Errors
    /// As [`spread`](Self::spread).
    fn hard_masses(&mut self, offsets: &[f64]) -> Result<Vec<f64>, DeviceFailure>;

    /// The sums at a temperature of `epsilon`, in score units.
    ///
    /// # Errors
    /// As [`spread`](Self::spread).
    fn soft_masses(&mut self, offsets: &[f64], epsilon: f64) -> Result<DeviceSums, DeviceFailure>;

    /// `sum_i weight_i p_ij p_ik` for `p = softmax((s + h) / epsilon)`, `[C, C]`.
    ///
    /// # Errors
    /// As [`spread`](Self::spread).
    fn pairs(&mut self, offsets: &[f64], epsilon: f64) -> Result<Vec<f64>, DeviceFailure>;
}

/// What a sample adds up to at a temperature.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DeviceSums {
    /// `sum_i weight_i epsilon logsumexp_j((s_ij + h_j) / epsilon)`.
    pub energy: f64,
    /// `sum_i weight_i p_ij`, `[C]`.
    pub soft: Vec<f64>,
    /// As [`DeviceSample::hard_masses`].
    pub hard: Vec<f64>,
}

impl DeviceSums {
    /// The sums from the energy and from the soft and hard masses of each class, `[C]`.
    pub fn new(energy: f64, soft: Vec<f64>, hard: Vec<f64>) -> Self {
        Self { energy, soft, hard }
    }
}
