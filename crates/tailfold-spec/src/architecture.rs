//! The description of a network that training builds and the exporter writes as a graph.

mod body;
mod cifar;
mod inverted;
mod plan;
mod record;
mod resnet;
mod walk;

use serde::{Deserialize, Serialize};

use record::Record;

pub use body::{Body, NetworkKind};
pub use plan::{Activation, Block, ConvNorm, Fan, MaxPool, Plan, Shortcut};

/// The classifier on top of the features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase", tag = "kind", deny_unknown_fields)]
pub enum Head {
    /// Linear layer: `logits = W z + b`.
    #[default]
    Linear,
    /// Scaled cosine: `logits_j = scale <w_j, z> / (|w_j| |z|)`. It has no bias until offsets are folded in.
    Cosine {
        /// Factor of the cosine, in logits.
        scale: f32,
    },
}

/// A network: a body that makes features, global average pooling, and a linear or cosine head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct Architecture {
    /// The layers below the head.
    pub body: Body,
    /// `[channels, height, width]` of the input.
    pub input: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// The classifier.
    pub head: Head,
}

/// An architecture that cannot be built.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum ArchitectureError {
    /// The depth does not correspond to a whole number of blocks.
    #[error(
        "a residual network of depth {0} does not exist: depth is 6 n + 2 (8, 20, 32, 44, 56, 110)"
    )]
    Depth(usize),
    /// A CIFAR network needs a depth, and none is given.
    #[error("the network `{0}` needs a `depth`")]
    NoDepth(NetworkKind),
    /// The key does not apply to this network.
    #[error("the network `{kind}` takes no `{key}`")]
    Key {
        /// The network.
        kind: NetworkKind,
        /// The key.
        key: &'static str,
    },
    /// The value is out of range.
    #[error("architecture.{field} is {value}, expected {expected}")]
    Range {
        /// Name of the field.
        field: &'static str,
        /// Value found.
        value: String,
        /// The accepted values, in words.
        expected: &'static str,
    },
}

/// Returns `Ok` when `ok` is true, and otherwise an error naming the field.
fn range(
    field: &'static str,
    ok: bool,
    value: impl ToString,
    expected: &'static str,
) -> Result<(), ArchitectureError> {
    if ok {
        return Ok(());
    }
    Err(ArchitectureError::Range {
        field,
        value: value.to_string(),
        expected,
    })
}

impl Architecture {
    /// Checks every field.
    ///
    /// # Errors
    /// [`ArchitectureError`] naming the field.
    pub fn validate(&self) -> Result<(), ArchitectureError> {
        self.body.validate()?;
        let [c, h, w] = self.input;
        let input = format!("{:?}", self.input);
        range("input", matches!(c, 1 | 3), &input, "1 or 3 channels")?;
        let (sides, expected) = match self.body {
            Body::CifarResnet { .. } => (4..=4096, "4 to 4096 pixels a side"),
            // These networks reduce the resolution 32-fold: a smaller image would leave less than one pixel.
            _ => (32..=4096, "32 to 4096 pixels a side"),
        };
        let fits = sides.contains(&h) && sides.contains(&w);
        range("input", fits, &input, expected)?;
        let classes = (2..=1_000_000).contains(&self.classes);
        range("classes", classes, self.classes, "2 to 1000000")?;
        if let Head::Cosine { scale } = self.head {
            let positive = scale.is_finite() && scale > 0.0;
            range("head.scale", positive, scale, "a positive number")?;
        }
        Ok(())
    }

    /// The layers below the head.
    pub fn plan(&self) -> Plan {
        self.body.plan(self.input)
    }

    /// Length of the feature vector under the head.
    pub fn feature_dim(&self) -> usize {
        self.plan().feature_dim()
    }

    /// Number of learned parameters of the deployed network (weights, BatchNorm scale and shift, head), without the
    /// running statistics.
    pub fn num_parameters(&self) -> usize {
        let plan = self.plan();
        let body: usize = plan.layers().map(ConvNorm::num_parameters).sum();
        let bias = match self.head {
            Head::Linear => self.classes,
            Head::Cosine { .. } => 0,
        };
        body + plan.feature_dim() * self.classes + bias
    }

    /// Display name, such as `resnet20`, `resnet8-w32-s2` or `mobilenet-v2`.
    pub fn name(&self) -> String {
        self.body.name()
    }
}

#[cfg(test)]
mod tests;
