//! The supported networks, their names and the ranges of their parameters.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::{ArchitectureError, cifar, inverted, range, resnet};

/// Channels of the first stage of the published CIFAR networks.
const PUBLISHED_WIDTH: usize = 16;
/// Stride of the stem of the published CIFAR networks.
const PUBLISHED_STEM_STRIDE: usize = 1;

/// The layers below the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A CIFAR-style residual network (He et al., CVPR 2016, section 4.2): a 3x3 stem and three stages of basic blocks
    /// with parameter-free (option A) shortcuts.
    CifarResnet {
        /// Number of weighted layers: 6 n + 2, with n blocks per stage (8, 20, 32, ...).
        depth: usize,
        /// Channels of the first stage; the next stages have two and four times as many. The published width is 16.
        width: usize,
        /// Stride of the stem. The published stride is 1; stride 2 cuts the cost to a quarter.
        stem_stride: usize,
    },
    /// ResNet-50 (He et al., CVPR 2016), with the stride on the 3x3 convolution, as in torchvision.
    Resnet50,
    /// ResNeXt-50 32x4d (Xie et al., CVPR 2017).
    Resnext50,
    /// ResNet-152.
    Resnet152,
    /// MobileNetV2 (Sandler et al., CVPR 2018), width 1.0, as in torchvision.
    MobilenetV2,
    /// EfficientNet-Lite0 with TensorFlow's padding and BatchNorm epsilon, as released and as in timm's
    /// `tf_efficientnet_lite0`.
    EfficientnetLite0,
}

/// The name of each network in configurations and manifests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// CIFAR-style residual network: a 3x3 stem and three stages of basic blocks. Needs `depth`.
    #[default]
    CifarResnet,
    /// ResNet-50, with the stride on the 3x3 convolution, as in torchvision.
    Resnet50,
    /// ResNeXt-50 32x4d.
    Resnext50,
    /// ResNet-152.
    Resnet152,
    /// MobileNetV2 of width 1.0, as in torchvision.
    MobilenetV2,
    /// EfficientNet-Lite0 with the padding and the BatchNorm epsilon of TensorFlow.
    EfficientnetLite0,
}

impl NetworkKind {
    /// Returns the name used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CifarResnet => "cifar-resnet",
            Self::Resnet50 => "resnet50",
            Self::Resnext50 => "resnext50",
            Self::Resnet152 => "resnet152",
            Self::MobilenetV2 => "mobilenet-v2",
            Self::EfficientnetLite0 => "efficientnet-lite0",
        }
    }
}

impl fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Body {
    /// Returns the network of `kind`. CIFAR networks require `depth` and default to `width` 16 and `stem_stride` 1.
    ///
    /// # Errors
    /// [`ArchitectureError::NoDepth`], or [`ArchitectureError::Key`] naming a key that does not apply to this
    /// network.
    pub fn from_keys(
        kind: NetworkKind,
        depth: Option<usize>,
        width: Option<usize>,
        stem_stride: Option<usize>,
    ) -> Result<Self, ArchitectureError> {
        let keys = [
            ("depth", depth),
            ("width", width),
            ("stem_stride", stem_stride),
        ];
        if kind != NetworkKind::CifarResnet
            && let Some((key, _)) = keys.into_iter().find(|(_, value)| value.is_some())
        {
            return Err(ArchitectureError::Key { kind, key });
        }
        Ok(match kind {
            NetworkKind::CifarResnet => Self::CifarResnet {
                depth: depth.ok_or(ArchitectureError::NoDepth(kind))?,
                width: width.unwrap_or(PUBLISHED_WIDTH),
                stem_stride: stem_stride.unwrap_or(PUBLISHED_STEM_STRIDE),
            },
            NetworkKind::Resnet50 => Self::Resnet50,
            NetworkKind::Resnext50 => Self::Resnext50,
            NetworkKind::Resnet152 => Self::Resnet152,
            NetworkKind::MobilenetV2 => Self::MobilenetV2,
            NetworkKind::EfficientnetLite0 => Self::EfficientnetLite0,
        })
    }

    /// The published CIFAR network of `depth` layers.
    pub const fn cifar_resnet(depth: usize) -> Self {
        Self::CifarResnet {
            depth,
            width: PUBLISHED_WIDTH,
            stem_stride: PUBLISHED_STEM_STRIDE,
        }
    }

    /// Returns the kind of this network.
    pub const fn kind(self) -> NetworkKind {
        match self {
            Self::CifarResnet { .. } => NetworkKind::CifarResnet,
            Self::Resnet50 => NetworkKind::Resnet50,
            Self::Resnext50 => NetworkKind::Resnext50,
            Self::Resnet152 => NetworkKind::Resnet152,
            Self::MobilenetV2 => NetworkKind::MobilenetV2,
            Self::EfficientnetLite0 => NetworkKind::EfficientnetLite0,
        }
    }

    pub(super) fn validate(self) -> Result<(), ArchitectureError> {
        let Self::CifarResnet {
            depth,
            width,
            stem_stride,
        } = self
        else {
            return Ok(());
        };
        if !(8..=1202).contains(&depth) || !(depth - 2).is_multiple_of(6) {
            return Err(ArchitectureError::Depth(depth));
        }
        let channels = (1..=1024).contains(&width);
        range("width", channels, width, "1 to 1024 channels")?;
        let stride = matches!(stem_stride, 1 | 2);
        range("stem_stride", stride, stem_stride, "1 or 2")
    }

    /// The layers for images of `input` (`[channels, height, width]`).
    pub(super) fn plan(self, input: [usize; 3]) -> Plan {
        match self {
            Self::CifarResnet {
                depth,
                width,
                stem_stride,
            } => cifar::plan(input, depth, width, stem_stride),
            Self::Resnet50 => resnet::plan(input, [3, 4, 6, 3], 1, 64),
            Self::Resnext50 => resnet::plan(input, [3, 4, 6, 3], 32, 4),
            Self::Resnet152 => resnet::plan(input, [3, 8, 36, 3], 1, 64),
            Self::MobilenetV2 => inverted::mobilenet_v2(input),
            Self::EfficientnetLite0 => inverted::efficientnet_lite0(input),
        }
    }

    /// Display name.
    pub(super) fn name(self) -> String {
        let Self::CifarResnet {
            depth,
            width,
            stem_stride,
        } = self
        else {
            return self.kind().to_string();
        };
        let mut name = format!("resnet{depth}");
        if width != PUBLISHED_WIDTH {
            name += &format!("-w{width}");
        }
        if stem_stride != PUBLISHED_STEM_STRIDE {
            name += &format!("-s{stem_stride}");
        }
        name
    }
}
