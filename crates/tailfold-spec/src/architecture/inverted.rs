//! Networks of inverted residual blocks (Sandler et al., CVPR 2018): a 1x1 convolution expands the channels, a
//! depthwise convolution filters each one, and a 1x1 convolution without activation reduces them.

use super::plan::{Activation, Block, Fan, Plan, Shortcut};
use super::walk::{Kernel, Padding, Walk};

/// Consecutive blocks with the same number of output channels.
struct Stage {
    /// Expansion factor of the channels; a factor of 1 omits the first convolution.
    expand: usize,
    kernel: usize,
    /// Stride of the first block.
    stride: usize,
    to: usize,
    blocks: usize,
}

const fn stage(expand: usize, kernel: usize, stride: usize, to: usize, blocks: usize) -> Stage {
    Stage {
        expand,
        kernel,
        stride,
        to,
        blocks,
    }
}

/// MobileNetV2 (Sandler et al., table 2).
const MOBILENET_V2: [Stage; 7] = [
    stage(1, 3, 1, 16, 1),
    stage(6, 3, 2, 24, 2),
    stage(6, 3, 2, 32, 3),
    stage(6, 3, 2, 64, 4),
    stage(6, 3, 1, 96, 3),
    stage(6, 3, 2, 160, 3),
    stage(6, 3, 1, 320, 1),
];

/// EfficientNet-Lite0: EfficientNet-B0 (Tan and Le, ICML 2019, table 1) without squeeze-and-excitation.
const EFFICIENTNET_LITE0: [Stage; 7] = [
    stage(1, 3, 1, 16, 1),
    stage(6, 3, 2, 24, 2),
    stage(6, 5, 2, 40, 2),
    stage(6, 3, 2, 80, 3),
    stage(6, 5, 1, 112, 3),
    stage(6, 5, 2, 192, 4),
    stage(6, 3, 1, 320, 1),
];

/// The differences between published implementations of such networks.
struct Release {
    padding: Padding,
    epsilon: f64,
    fan: Fan,
    /// Published names of the first convolution and its BatchNorm.
    stem: [&'static str; 2],
    /// Published names of a block's convolution and its BatchNorm.
    names: fn(&Place) -> [String; 2],
    /// Published names of the last convolution and its BatchNorm.
    last: [&'static str; 2],
    classifiers: &'static [&'static str],
}

/// The position of a convolution in the network.
struct Place {
    stage: usize,
    /// Index of the block within its stage.
    block: usize,
    /// Number of blocks before this one in the network.
    before: usize,
    /// Index among the block's `convs` convolutions: the last one reduces the channels, the one before it is
    /// depthwise.
    conv: usize,
    convs: usize,
}

/// torchvision's `mobilenet_v2`.
pub(super) fn mobilenet_v2(input: [usize; 3]) -> Plan {
    let release = Release {
        padding: Padding::Centred,
        epsilon: 1e-5,
        fan: Fan::Out,
        stem: ["features.0.0", "features.0.1"],
        names: |at| {
            let block = format!("features.{}.conv", at.before + 1);
            // The last convolution and its BatchNorm are siblings; each other convolution is in a sequence with its
            // BatchNorm.
            if at.conv + 1 == at.convs {
                [at.conv, at.convs].map(|i| format!("{block}.{i}"))
            } else {
                [0, 1].map(|i| format!("{block}.{}.{i}", at.conv))
            }
        },
        last: ["features.18.0", "features.18.1"],
        classifiers: &["classifier.1"],
    };
    inverted(input, &MOBILENET_V2, &release)
}

/// timm's `tf_efficientnet_lite0`.
pub(super) fn efficientnet_lite0(input: [usize; 3]) -> Plan {
    let release = Release {
        padding: Padding::Same,
        epsilon: 1e-3,
        fan: Fan::OutOfGroup,
        stem: ["conv_stem", "bn1"],
        names: |at| {
            let convs: &[&str] = match at.convs {
                2 => &["conv_dw", "conv_pw"],
                _ => &["conv_pw", "conv_dw", "conv_pwl"],
            };
            let block = format!("blocks.{}.{}", at.stage, at.block);
            let norm = format!("{block}.bn{}", at.conv + 1);
            [format!("{block}.{}", convs[at.conv]), norm]
        },
        last: ["conv_head", "bn2"],
        classifiers: &["classifier"],
    };
    inverted(input, &EFFICIENTNET_LITE0, &release)
}

fn inverted(input: [usize; 3], stages: &[Stage], release: &Release) -> Plan {
    let mut walk = Walk::new(input, release.padding);
    let kernel = Kernel::dense(3, 2);
    let names = release.stem.map(str::to_owned);
    let stem = walk.conv(("stem", None), names, 32, kernel, Activation::Relu6);
    let mut blocks = Vec::new();
    for (number, stage) in stages.iter().enumerate() {
        for block in 0..stage.blocks {
            let stride = if block == 0 { stage.stride } else { 1 };
            let shortcut = if stride == 1 && walk.channels == stage.to {
                Shortcut::Identity
            } else {
                Shortcut::None
            };
            let wide = walk.channels * stage.expand;
            let depthwise = Kernel {
                size: stage.kernel,
                stride,
                groups: wide,
            };
            let (before, count) = (blocks.len(), if stage.expand == 1 { 2 } else { 3 });
            let name = format!("blocks.{before}");
            let mut conv = |conv: usize, to, kernel, activation| {
                let published = (release.names)(&Place {
                    stage: number,
                    block,
                    before,
                    conv,
                    convs: count,
                });
                let at = (name.as_str(), Some(conv + 1));
                walk.conv(at, published, to, kernel, activation)
            };
            let pointwise = Kernel::dense(1, 1);
            let widen = (count == 3).then(|| conv(0, wide, pointwise, Activation::Relu6));
            let mix = conv(count - 2, wide, depthwise, Activation::Relu6);
            let narrow = conv(count - 1, stage.to, pointwise, Activation::Linear);
            let (convs, third) = match widen {
                Some(widen) => ([widen, mix], Some(narrow)),
                None => ([mix, narrow], None),
            };
            blocks.push(Block {
                name,
                convs,
                third,
                shortcut,
            });
        }
    }
    let (kernel, names) = (Kernel::dense(1, 1), release.last.map(str::to_owned));
    let last = walk.conv(("last", None), names, 1280, kernel, Activation::Relu6);
    Plan {
        stem,
        pool: None,
        blocks,
        last: Some(last),
        epsilon: release.epsilon,
        fan: release.fan,
        classifiers: release.classifiers,
    }
}
