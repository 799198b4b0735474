//! Why a layer cannot be computed with integers.

/// A layer that has no exact integer kernel.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KernelError {
    /// The system gives no thread.
    #[error("cannot start threads: {0}")]
    Threads(String),
    /// A list with one entry a channel, or the weights, have another length.
    #[error("{found} {what}, expected {expected}")]
    Length {
        /// `weights`, `offsets`, ...
        what: &'static str,
        /// What there is.
        found: usize,
        /// What the shape asks for.
        expected: usize,
    },
    /// A ratio of scales, or of a bias and a scale.
    #[error(
        "channel {channel}: the ratio of scales, or of bias and scale, is {value}, beyond 1e30"
    )]
    Ratio {
        /// Output channel.
        channel: usize,
        /// The ratio.
        value: f64,
    },
    /// A scale that is not a positive, finite number.
    #[error("scale {value} is not positive and finite")]
    Scale {
        /// The scale.
        value: f32,
    },
    /// A zero point that is no code.
    #[error("zero point {value} is not between {low} and {high}")]
    ZeroPoint {
        /// The zero point.
        value: i16,
        /// The smallest code.
        low: i16,
        /// The largest code.
        high: i16,
    },
    /// A value of an image that has no code.
    #[error("input value {index} is not a number")]
    Input {
        /// Its place, channels first.
        index: usize,
    },
    /// The ends of a clamp.
    #[error("codes cannot lie between {low} and {high}")]
    Clamp {
        /// Lower end, without the zero point.
        low: i16,
        /// Upper end, without the zero point.
        high: i16,
    },
    /// A weight without its zero point that is no difference of two 8-bit codes.
    #[error("output channel {channel}: weight code {code} is no difference of 8-bit codes")]
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
        /// Bound of the sum's magnitude.
        bound: u64,
    },
    /// Sizes that do not fit each other.
    #[error("{0}")]
    Shape(String),
    /// The variable that names the vector unit.
    #[error("TAILFOLD_ISA is `{found}`; this machine has {available}")]
    Isa {
        /// What it says.
        found: String,
        /// What it could say.
        available: String,
    },
}
