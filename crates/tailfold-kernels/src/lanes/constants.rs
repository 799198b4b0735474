//! Constants with which the lanes turn sums into quantized values (codes).

use super::LANES;

/// What turns a vector of sixteen sums, or two of codes, into codes.
#[derive(Clone, Copy)]
pub(crate) struct Constants<'a> {
    pub(crate) multiplier: &'a [f32; LANES],
    pub(crate) offset: &'a [f32; LANES],
    /// Half a step less the largest error of single precision: what lies further from its rounded value may have been
    /// rounded wrongly.
    pub(crate) doubt: &'a [f32; LANES],
    pub(crate) ends: &'a Ends,
}

/// The ends of codes, as vectors.
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
