//! The execution of passes: on the threads of this process, or on a device that keeps the features.

use nalgebra::DMatrix;

use crate::device::{DeviceFailure, DeviceSample};
use crate::graph::{ROWS_A_CLASS, Worth};
use crate::hessian::edges;
use crate::pass::{CellSums, Sample};

/// A sample whose masses can be computed.
pub(crate) enum Walker<'a> {
    Here(Sample<'a>),
    There(Remote<'a>),
}

/// A sample on a device. After a failure it gets no more calls, and all results are NaN, which never count as an
/// improvement.
pub(crate) struct Remote<'a> {
    sample: &'a mut dyn DeviceSample,
    failure: Option<DeviceFailure>,
    walked: u64,
}

impl<'a> Walker<'a> {
    pub(crate) fn there(sample: &'a mut dyn DeviceSample) -> Self {
        Self::There(Remote {
            sample,
            failure: None,
            walked: 0,
        })
    }

    /// The sample with access to single rows; `None` on a device.
    pub(crate) fn here(&mut self) -> Option<&mut Sample<'a>> {
        match self {
            Self::Here(sample) => Some(sample),
            Self::There(_) => None,
        }
    }

    /// Takes the device's failure, if there was one.
    pub(crate) fn failure(&mut self) -> Option<DeviceFailure> {
        match self {
            Self::Here(_) => None,
            Self::There(remote) => remote.failure.take(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Here(sample) => sample.rows(),
            Self::There(remote) => remote.sample.rows(),
        }
    }

    pub(crate) fn largest_weight(&self) -> f64 {
        match self {
            Self::Here(sample) => sample.weights.largest(),
            Self::There(remote) => remote.sample.largest_weight(),
        }
    }

    /// Number of rows visited so far.
    pub(crate) fn walked(&self) -> u64 {
        match self {
            Self::Here(sample) => sample.walked,
            Self::There(remote) => remote.walked,
        }
    }

    /// Standard deviation of a row's scores, as in [`Sample::spread`].
    pub(crate) fn spread(&mut self) -> f64 {
        match self {
            Self::Here(sample) => sample.spread(),
            Self::There(remote) => remote.ask(f64::NAN, |sample| sample.spread()),
        }
    }

    /// Masses of the hard cells, `[C]`.
    pub(crate) fn hard_masses(&mut self, offsets: &[f64]) -> Vec<f64> {
        match self {
            Self::Here(sample) => sample.hard_cells(offsets).hard,
            Self::There(remote) => remote.ask(vec![f64::NAN; offsets.len()], |sample| {
                sample.hard_masses(offsets)
            }),
        }
    }

    /// Like [`Sample::soft_cells`]; a device keeps no probabilities.
    pub(crate) fn soft_cells(
        &mut self,
        offsets: &[f64],
        epsilon: f64,
        worth: Option<&Worth>,
    ) -> CellSums {
        match self {
            Self::Here(sample) => sample.soft_cells(offsets, epsilon, worth),
            Self::There(remote) => remote.soft_cells(offsets, epsilon),
        }
    }

    /// Like [`soft_cells`](Self::soft_cells) on a part of the rows, [`ROWS_A_CLASS`] per class, with the probabilities
    /// to keep by `worth`; on a device, on all rows.
    pub(crate) fn some_soft_cells(
        &mut self,
        offsets: &[f64],
        epsilon: f64,
        worth: &Worth,
    ) -> CellSums {
        match self {
            Self::Here(sample) => {
                let every = sample.rows() / (ROWS_A_CLASS * offsets.len());
                sample.some_soft_cells(offsets, epsilon, Some(worth), every.max(1))
            }
            Self::There(remote) => remote.soft_cells(offsets, epsilon),
        }
    }

    /// Like [`soft_cells`](Self::soft_cells) in double precision if the sample is not on a device.
    pub(crate) fn exact_soft_cells(&mut self, offsets: &[f64], epsilon: f64) -> CellSums {
        match self {
            Self::Here(sample) => sample.exact_soft_cells(offsets, epsilon),
            Self::There(remote) => remote.soft_cells(offsets, epsilon),
        }
    }

    /// Returns `E[p_j p_k]` below the diagonal, where the soft masses are `soft`.
    pub(crate) fn edges(&mut self, offsets: &[f64], soft: &[f64], epsilon: f64) -> DMatrix<f64> {
        match self {
            Self::Here(sample) => edges(sample, offsets, soft, epsilon),
            Self::There(remote) => {
                let classes = offsets.len();
                let all = remote.ask(vec![f64::NAN; classes * classes], |sample| {
                    sample.pairs(offsets, epsilon)
                });
                // The matrix is symmetric, so the order of rows and columns does not matter.
                DMatrix::from_vec(classes, classes, all).lower_triangle()
            }
        }
    }
}

impl Remote<'_> {
    fn ask<T>(
        &mut self,
        otherwise: T,
        question: impl FnOnce(&mut dyn DeviceSample) -> Result<T, DeviceFailure>,
    ) -> T {
        if self.failure.is_some() {
            return otherwise;
        }
        self.walked += self.sample.rows() as u64;
        question(&mut *self.sample).unwrap_or_else(|failure| {
            self.failure = Some(failure);
            otherwise
        })
    }

    fn soft_cells(&mut self, offsets: &[f64], epsilon: f64) -> CellSums {
        let nothing = vec![f64::NAN; offsets.len()];
        let (energy, soft, hard) = (f64::NAN, nothing.clone(), nothing);
        let nothing = crate::DeviceSums { energy, soft, hard };
        let sums = self.ask(nothing, |sample| sample.soft_masses(offsets, epsilon));
        CellSums {
            energy: sums.energy,
            soft: sums.soft,
            hard: sums.hard,
            kept: None,
        }
    }
}
