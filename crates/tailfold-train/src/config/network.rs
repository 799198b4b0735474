//! `[network]`: which network is trained.

use serde::{Deserialize, Serialize};
use tailfold_spec::{Architecture, Head};

use super::check::ConfigError;

/// The network, without what the data decides (input size and number of classes).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// 8, 20, 32, ...
    pub depth: usize,
    /// Channels of the first stage.
    #[serde(default = "default_width")]
    pub width: usize,
    /// Stride of the stem, 1 or 2.
    #[serde(default = "default_stride")]
    pub stem_stride: usize,
    /// The classifier.
    pub head: Head,
}

fn default_width() -> usize {
    16
}

fn default_stride() -> usize {
    1
}

impl NetworkConfig {
    /// The network for data of `input` (`[channels, height, width]`) with `classes` classes.
    pub(crate) fn architecture(&self, input: [usize; 3], classes: usize) -> Architecture {
        Architecture {
            depth: self.depth,
            width: self.width,
            stem_stride: self.stem_stride,
            input,
            classes,
            head: self.head,
        }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        // Stand-ins for what the data decides.
        Ok(self.architecture([3, 32, 32], 2).validate()?)
    }
}
