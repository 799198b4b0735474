//! `[network]`: the network, and the weights that training starts from.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tailfold_spec::{Architecture, ArchitectureError, Body, Head, NetworkKind};

use super::ensure::ensure;
use crate::error::TrainError;

/// Network to train. The data decides the number of classes and, without `[images]`, the input size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Name of the network.
    #[serde(default)]
    pub kind: NetworkKind,
    /// Number of weighted layers: 8, 20, 32 and so on, `6 n + 2` with `n` blocks per stage. Required by `cifar-resnet`,
    /// not allowed with any other network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<usize>,
    /// Channels of the first stage; 16 when absent. Only with `cifar-resnet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Stride of the stem, 1 or 2; 1 when absent. Only with `cifar-resnet`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem_stride: Option<usize>,
    /// Classifier on top of the features.
    #[serde(default)]
    pub head: Head,
    /// safetensors file of the initial weights, under the names of PyTorch; random weights when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretrained: Option<PathBuf>,
}

impl NetworkConfig {
    /// The network for data of `input` (`[channels, height, width]`) with `classes` classes.
    pub(crate) fn architecture(
        &self,
        input: [usize; 3],
        classes: usize,
    ) -> Result<Architecture, ArchitectureError> {
        let architecture = Architecture {
            body: Body::from_keys(self.kind, self.depth, self.width, self.stem_stride)?,
            input,
            classes,
            head: self.head,
        };
        architecture.validate()?;
        Ok(architecture)
    }

    pub(super) fn check(&self) -> Result<(), TrainError> {
        // The data decides the input size and the number of classes; these values stand in for them.
        self.architecture([3, 32, 32], 2)?;
        let named = self.pretrained.as_ref();
        let empty = named.is_some_and(|path| path.as_os_str().is_empty());
        ensure(!empty, "network.pretrained", "empty", "a file")
    }
}
