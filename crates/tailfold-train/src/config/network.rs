//! `[network]`: which network is trained, and from which weights.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tailfold_spec::{Architecture, ArchitectureError, Body, Head, NetworkKind};

use super::ensure::ensure;
use crate::error::TrainError;

/// The network, without what the data decides (input size and number of classes).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Which one.
    #[serde(default)]
    pub kind: NetworkKind,
    /// 8, 20, 32, ...; CIFAR networks alone, which need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<usize>,
    /// Channels of the first stage; CIFAR networks alone, 16 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Stride of the stem, 1 or 2; CIFAR networks alone, 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stem_stride: Option<usize>,
    /// The classifier.
    pub head: Head,
    /// A safetensors file of weights under their published names, to start from.
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
        // Stand-ins for what the data decides.
        self.architecture([3, 32, 32], 2)?;
        let named = self.pretrained.as_ref();
        let empty = named.is_some_and(|path| path.as_os_str().is_empty());
        ensure(!empty, "network.pretrained", "empty", "a file")
    }
}
