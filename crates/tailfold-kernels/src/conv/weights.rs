//! Weights of a convolution, and bounds of its sums.

use crate::KernelError;
use crate::frame::Frame;
use crate::shape::Window;

/// Weight codes of a convolution, without their zero points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weights<'a> {
    /// `[filters, channels / groups, kernel rows, kernel columns]`, each within ±255.
    pub(crate) codes: &'a [i16],
    /// Output channels.
    pub(crate) filters: usize,
    /// Groups of channels that do not mix.
    pub(crate) groups: usize,
}

impl Weights<'_> {
    /// Checks the weights against the window and both frames, and returns the number of weights per filter.
    pub(super) fn check(
        &self,
        window: &Window,
        input: &Frame,
        output: &Frame,
    ) -> Result<usize, KernelError> {
        let Self {
            codes,
            filters,
            groups,
        } = *self;
        let fits = groups > 0
            && input.channels.is_multiple_of(groups)
            && filters.is_multiple_of(groups)
            && filters == output.channels
            && !input.is_empty()
            && !output.is_empty();
        if !fits {
            return Err(KernelError::Shape(format!(
                "{filters} filters in {groups} groups do not fit {} input channels and {} output channels",
                input.channels, output.channels
            )));
        }
        let per_filter = input.channels / groups * window.kernel[0] * window.kernel[1];
        if codes.len() != filters * per_filter {
            return Err(KernelError::Length {
                what: "weights",
                found: codes.len(),
                expected: filters * per_filter,
            });
        }
        Ok(per_filter)
    }
}

/// Computes the largest possible magnitude of each filter's sum.
pub(super) fn largest_sums(codes: &[i16], per_filter: usize) -> Result<Vec<u64>, KernelError> {
    let filters = codes.chunks_exact(per_filter).enumerate();
    filters
        .map(|(channel, filter)| {
            // The maximum is faster than a search, so the search for the invalid code runs only when there is one.
            let largest = filter.iter().map(|c| c.unsigned_abs()).max();
            if largest.is_some_and(|l| l > 255)
                && let Some(&code) = filter.iter().find(|c| c.unsigned_abs() > 255)
            {
                return Err(KernelError::Weight { channel, code });
            }
            let bound = 255
                * filter
                    .iter()
                    .map(|c| u64::from(c.unsigned_abs()))
                    .sum::<u64>();
            if bound > u64::from(i32::MAX.unsigned_abs()) {
                return Err(KernelError::Overflow { channel, bound });
            }
            Ok(bound)
        })
        .collect()
}
