//! The tensor, and the node, that make decisions flip between the float and the INT8 model.
//!
//! Both models run on one back end on which every inner tensor exists. The search looks at the images that flip and at as many that
//! do not ([`Sample`]), in three ways:
//! 1. noise: of every tensor that both models have, and the noise that a node and a quantization add by themselves;
//! 2. cuts: at each tensor through which everything passes, the float model's value goes into the rest of the INT8 model, and the
//!    decisions that come back are counted: none with the cut at the image, all with the cut at the logits;
//! 3. exchanges: between the first cut that repairs half and the cut before it, and where the noise stands out, each node and each
//!    tensor's quantization alone becomes the float model's.
//!
//! The caller runs the models, behind the trait [`Models`].

mod finding;
mod models;
mod noise;
mod outlier;
mod part;
mod sample;
mod search;
#[cfg(test)]
mod tests;

pub use finding::{Counted, Culprit, Exchange, Finding, Stretch, TensorRow};
pub use models::{ExchangedPart, Models, NoiseOf, Tensor, Trace};
pub use noise::{Decibel, Noise};
pub use outlier::Outlier;
pub use part::Part;
pub use sample::Sample;
pub use search::{Subject, bisect};
