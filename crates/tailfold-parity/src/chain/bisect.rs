//! Finds the tensor and the node that make decisions flip between the float and the INT8 model.
//!
//! Both models run on one back end that gives access to every inner tensor. The search uses the images that flip and
//! equally many that do not ([`Sample`]), in three ways:
//! 1. Noise: it measures the noise of every tensor that both models have, and the noise that each node and each
//!    quantization adds by itself.
//! 2. Cuts: at each tensor through which all data pass, it feeds the float model's value into the rest of the INT8
//!    model and counts the decisions that are repaired. A cut at the image repairs none, and a cut at the logits
//!    repairs all.
//! 3. Exchanges: it replaces single nodes and single quantizations by the float model's. The candidates are the parts
//!    between the first cut that repairs half of the flips and the cut before it, and the parts whose noise stands
//!    out.
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
