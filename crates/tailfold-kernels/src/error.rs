//! Errors of layers that cannot be computed with integers.

/// A layer or an input that the integer kernels cannot compute.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// The system cannot start threads.
    #[error("cannot start threads: {0}")]
    Threads(String),
    /// The length of a list does not match the shape.
    #[error("{found} {what}, expected {expected}")]
    Length {
        /// Name of the elements: `weights`, `offsets`, ...
        what: &'static str,
        /// Length of the list.
        found: usize,
        /// Length according to the shape.
        expected: usize,
    },
    /// A ratio of scales, or of a bias and a scale, is not finite or too large.
    #[error(
        "channel {channel}: the ratio of scales, or of bias and scale, is {value}, beyond 1e30"
    )]
    Ratio {
        /// Output channel.
        channel: usize,
        /// The ratio.
        value: f64,
    },
    /// A scale is not a positive, finite number.
    #[error("scale {value} is not positive and finite")]
    Scale {
        /// The scale.
        value: f32,
    },
    /// A zero point lies outside the range of the codes.
    #[error("zero point {value} is not between {low} and {high}")]
    ZeroPoint {
        /// The zero point.
        value: i16,
        /// The smallest code.
        low: i16,
        /// The largest code.
        high: i16,
    },
    /// A value of an image is NaN.
    #[error("input value {index} is not a number")]
    Input {
        /// Index of the value, channels first.
        index: usize,
    },
    /// The ends of a clamp are in the wrong order or beyond 255.
    #[error("codes cannot lie between {low} and {high}")]
    Clamp {
        /// Lower end, without the zero point.
        low: i16,
        /// Upper end, without the zero point.
        high: i16,
    },
    /// A weight without its zero point is not a difference of two 8-bit codes.
    #[error("output channel {channel}: weight code {code} is not a difference of two 8-bit codes")]
    Weight {
        /// Output channel.
        channel: usize,
        /// The code.
        code: i16,
    },
    /// The largest possible sum of products does not fit 32 bits.
    #[error("output channel {channel}: sums can reach {bound}, more than 32 bits hold")]
    Overflow {
        /// Output channel.
        channel: usize,
        /// Largest possible magnitude of the sum.
        bound: u64,
    },
    /// Sizes do not match.
    #[error("{0}")]
    Shape(String),
    /// The environment variable names an instruction set that this machine does not have.
    #[error("TAILFOLD_ISA is `{found}`; this machine has {available}")]
    Isa {
        /// Value of the variable.
        found: String,
        /// Valid values on this machine, separated by commas.
        available: String,
    },
}
