//! Settings of the solver.

use crate::{Method, SolveError, SolveErrorKind};

/// The masses that must match the target.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Masses {
    /// The Laguerre cells: a sample belongs to the class with the largest `s_j + h_j`.
    #[default]
    Hard,
    /// The mean of `softmax((s + h) / epsilon)`: the minimiser of [`entropic_energy`](crate::entropic_energy).
    Soft {
        /// Temperature, in score units; 1 gives the network's own probabilities.
        epsilon: f64,
    },
}

/// Accuracy, effort and starting point of a solve.
///
/// ```
/// use tailfold_sdot::{Masses, Options};
///
/// let mut options = Options::default();
/// options.masses = Masses::Soft { epsilon: 1.0 };
/// options.chi_square = 1e-8;
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The masses that are compared with the target. Default [`Masses::Hard`]. The `epsilon_` settings control the
    /// annealing.
    pub masses: Masses,
    /// The solver stops when `sum_j (mass_j - target_j)^2 / target_j` is at most this. The default 1e-3 is a relative
    /// error of about 3 %, as a root mean square weighted by the targets; a rare class may have a larger error. Below
    /// 1e-10, soft masses are computed in double precision.
    pub chi_square: f64,
    /// Largest accepted relative error of a class's mass; hard masses may also be off by one sample, if that is more.
    /// Default 0.5; infinity leaves it to the chi-square alone, which can lose a rare class.
    pub largest_relative: f64,
    /// Method of the steps. Default [`Method::Auto`].
    pub method: Method,
    /// Largest number of Newton, log-ratio and polishing steps together. Default 200.
    pub max_iterations: usize,
    /// Initial offsets, `[C]`, in score units, up to a constant; `None` means zeros.
    pub warm_start: Option<Vec<f64>>,
    /// First temperature, in standard deviations of a row's scores. Default 1.
    pub epsilon_start: f64,
    /// Ratio of each temperature to the one before, below 1. Default 1/4.
    pub epsilon_factor: f64,
    /// Lowest temperature, in standard deviations of a row's scores. Default 1/65536; the solver reaches it only when
    /// higher temperatures leave the hard cells wrong, as with many classes close together in few dimensions.
    pub epsilon_end: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            masses: Masses::Hard,
            chi_square: 1e-3,
            largest_relative: 0.5,
            method: Method::Auto,
            max_iterations: 200,
            warm_start: None,
            epsilon_start: 1.0,
            epsilon_factor: 0.25,
            epsilon_end: 1.0 / 65536.0,
        }
    }
}

impl Options {
    /// Checks the numbers; the warm start is checked later, against the scores.
    pub(crate) fn validate(&self) -> Result<(), SolveError> {
        let check = |field, value: f64, ok: bool, expected| {
            if ok {
                Ok(())
            } else {
                Err(SolveErrorKind::Setting
                    .error(format!("{field} is {value}, expected {expected}")))
            }
        };
        let scale = |value: f64| (1e-6..=1e6).contains(&value);
        if let Masses::Soft { epsilon } = self.masses {
            check("masses.epsilon", epsilon, scale(epsilon), "1e-6 to 1e6")?;
        }
        check(
            "chi_square",
            self.chi_square,
            self.chi_square >= 0.0 && self.chi_square.is_finite(),
            "a number from 0 up",
        )?;
        check(
            "largest_relative",
            self.largest_relative,
            self.largest_relative > 0.0,
            "a positive number",
        )?;
        check(
            "epsilon_start",
            self.epsilon_start,
            scale(self.epsilon_start),
            "1e-6 to 1e6",
        )?;
        check(
            "epsilon_end",
            self.epsilon_end,
            scale(self.epsilon_end),
            "1e-6 to 1e6",
        )?;
        let factor = self.epsilon_factor;
        check(
            "epsilon_factor",
            factor,
            (0.01..=0.9).contains(&factor),
            "0.01 to 0.9",
        )
    }

    /// Returns the falling temperatures in units of `spread`; at least one.
    pub(crate) fn temperatures(&self, spread: f64) -> Vec<f64> {
        let end = self.epsilon_end.min(self.epsilon_start);
        let falling =
            std::iter::successors(Some(self.epsilon_start), |t| Some(t * self.epsilon_factor));
        // A temperature just above the end would be a useless stage.
        let mut temperatures: Vec<f64> = falling
            .take_while(|t| *t > end * 1.5)
            .map(|t| t * spread)
            .collect();
        temperatures.push(end * spread);
        temperatures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temperatures_fall_from_start_to_end() {
        let options = Options {
            epsilon_end: 0.1,
            ..Options::default()
        };
        assert_eq!(options.temperatures(2.0), [2.0, 0.5, 0.2]);
        let one = Options {
            epsilon_end: 3.0,
            ..options
        };
        assert_eq!(one.temperatures(2.0), [2.0]);
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let message = |options: Options| options.validate().unwrap_err().to_string();
        let good = Options::default;
        assert_eq!(good().validate(), Ok(()));
        assert_eq!(
            message(Options {
                chi_square: f64::NAN,
                ..good()
            }),
            "chi_square is NaN, expected a number from 0 up"
        );
        assert_eq!(
            message(Options {
                masses: Masses::Soft { epsilon: f64::NAN },
                ..good()
            }),
            "masses.epsilon is NaN, expected 1e-6 to 1e6"
        );
        assert_eq!(
            message(Options {
                epsilon_start: 0.0,
                ..good()
            }),
            "epsilon_start is 0, expected 1e-6 to 1e6"
        );
        assert_eq!(
            message(Options {
                epsilon_end: -1.0,
                ..good()
            }),
            "epsilon_end is -1, expected 1e-6 to 1e6"
        );
        assert_eq!(
            message(Options {
                epsilon_factor: 1.0,
                ..good()
            }),
            "epsilon_factor is 1, expected 0.01 to 0.9"
        );
    }
}
