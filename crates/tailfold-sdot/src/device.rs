//! A sample that stays on another device: only masses, energies and the matrix of a Newton step are transferred, whose
//! sizes depend on the number of classes alone.

use std::error::Error;

/// The error of a device.
pub type DeviceFailure = Box<dyn Error + Send + Sync>;

/// A weighted sample on a device: scores `s` `[n, C]`, weights `[n]` of sum 1. Single precision is sufficient.
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
    /// The device's error. After an error of any method, the solver makes no further calls.
    fn spread(&mut self) -> Result<f64, DeviceFailure>;

    /// Returns the total weight of the rows whose largest `s_j + h_j` belongs to each class, `[C]`, for `offsets` `h`.
    ///
    /// # Errors
    /// Like [`spread`](Self::spread).
    fn hard_masses(&mut self, offsets: &[f64]) -> Result<Vec<f64>, DeviceFailure>;

    /// Returns the sums at the temperature `epsilon`, in score units.
    ///
    /// # Errors
    /// Like [`spread`](Self::spread).
    fn soft_masses(&mut self, offsets: &[f64], epsilon: f64) -> Result<DeviceSums, DeviceFailure>;

    /// `sum_i weight_i p_ij p_ik` for `p = softmax((s + h) / epsilon)`, `[C, C]`.
    ///
    /// # Errors
    /// Like [`spread`](Self::spread).
    fn pairs(&mut self, offsets: &[f64], epsilon: f64) -> Result<Vec<f64>, DeviceFailure>;
}

/// The sums over a sample at one temperature.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DeviceSums {
    /// `sum_i weight_i epsilon logsumexp_j((s_ij + h_j) / epsilon)`.
    pub energy: f64,
    /// `sum_i weight_i p_ij`, `[C]`.
    pub soft: Vec<f64>,
    /// Hard masses, `[C]`, as in [`DeviceSample::hard_masses`].
    pub hard: Vec<f64>,
}

impl DeviceSums {
    /// Creates the sums from the energy and from the soft and hard masses of each class, `[C]`.
    pub fn new(energy: f64, soft: Vec<f64>, hard: Vec<f64>) -> Self {
        Self { energy, soft, hard }
    }
}
