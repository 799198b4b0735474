//! Constants for the requantization of vectors.

use super::LANES;

/// Constants that turn a vector of sixteen sums, or two vectors of codes, into codes.
#[derive(Clone, Copy)]
pub(crate) struct Constants<'a> {
    pub(crate) multiplier: &'a [f32; LANES],
    pub(crate) offset: &'a [f32; LANES],
    /// Half a step minus the largest error of single precision. A value further from its rounded value may be rounded
    /// wrongly.
    pub(crate) doubt: &'a [f32; LANES],
    pub(crate) ends: &'a Ends,
}

/// The smallest and the largest code, repeated to vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ends {
    pub(crate) low: [i16; LANES],
    pub(crate) high: [i16; LANES],
}

impl Ends {
    pub(crate) fn new([low, high]: [i16; 2]) -> Self {
        Self {
            low: [low; LANES],
            high: [high; LANES],
        }
    }
}
