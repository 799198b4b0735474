//! Which network: the ones that there are, their names and their own ranges.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::{ArchitectureError, cifar, inverted, range, resnet};

/// Channels of the first stage of the published CIFAR networks.
const PUBLISHED_WIDTH: usize = 16;
/// Stride of their stem.
const PUBLISHED_STEM_STRIDE: usize = 1;

/// What is below the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A CIFAR-style residual network (He et al., CVPR 2016, section 4.2): a 3x3 stem and three stages of basic blocks
    /// with parameter-free (option A) shortcuts.
    CifarResnet {
        /// Weighted layers: 6 n + 2 with n blocks a stage (8, 20, 32, ...).
        depth: usize,
        /// Channels of the first stage; the others have twice and four times as many. 16 is the published width.
        width: usize,
        /// Stride of the stem. 1 is the published network; 2 quarters the cost.
        stem_stride: usize,
    },
    /// ResNet-50 (He et al., CVPR 2016), the stride on the 3x3 convolution, as in torchvision.
    Resnet50,
    /// ResNeXt-50 32x4d (Xie et al., CVPR 2017).
    Resnext50,
    /// ResNet-152.
    Resnet152,
    /// MobileNetV2 (Sandler et al., CVPR 2018), width 1.0, as in torchvision.
    MobilenetV2,
    /// EfficientNet-Lite0 (TensorFlow's padding and BatchNorm epsilon, as in its release; timm's `tf_efficientnet_lite0`).
    EfficientnetLite0,
}

/// The networks by name, as configurations and manifests write them.
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
    /// The name in files.
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
    /// The network of `kind` with the keys of the CIFAR ones: `depth`, which they need, `width` (16) and `stem_stride`
    /// (1).
    ///
    /// # Errors
    /// [`ArchitectureError::NoDepth`], or [`ArchitectureError::Key`] naming a key that this network does not take.
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

    /// Which network it is.
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

    /// Name for people.
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
