//! Residual networks of bottleneck blocks for ImageNet (He et al., CVPR 2016; Xie et al., CVPR 2017), laid out as in
//! torchvision: a 7x7 stem, a 3x3 max pool, the stride of a stage on the 3x3 convolution of its first block.

use super::plan::{Activation, Block, Fan, Plan, Shortcut};
use super::walk::{Kernel, Padding, Walk};

/// Ratio of a block's output channels to the width of its stage (`planes` in torchvision).
const EXPANSION: usize = 4;

/// Builds a network with `blocks` blocks per stage. The 3x3 convolutions of the first stage have `groups` groups of
/// `group_width` channels each; the number of channels doubles with each later stage.
pub(super) fn plan(
    input: [usize; 3],
    blocks: [usize; 4],
    groups: usize,
    group_width: usize,
) -> Plan {
    let mut walk = Walk::new(input, Padding::Centred);
    let stem = walk.conv(
        ("stem", None),
        ["conv1".to_owned(), "bn1".to_owned()],
        64,
        Kernel::dense(7, 2),
        Activation::Relu,
    );
    let pool = walk.max_pool(3, 2);
    let mut made = Vec::new();
    for (stage, count) in blocks.into_iter().enumerate() {
        let inner = (groups * group_width) << stage;
        let out = (64 * EXPANSION) << stage;
        for block in 0..count {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let name = format!("blocks.{}", made.len());
            let published = format!("layer{}.{block}", stage + 1);
            let shortcut = if block == 0 {
                let published = ["0", "1"].map(|i| format!("{published}.downsample.{i}"));
                let scope = format!("{name}.shortcut");
                let kernel = Kernel::dense(1, stride);
                let at = (scope.as_str(), None);
                let projection = walk
                    .clone()
                    .conv(at, published, out, kernel, Activation::Linear);
                Shortcut::Projection(projection)
            } else {
                Shortcut::Identity
            };
            let middle = Kernel {
                size: 3,
                stride,
                groups,
            };
            let layers = [
                (1, inner, Kernel::dense(1, 1)),
                (2, inner, middle),
                (3, out, Kernel::dense(1, 1)),
            ];
            let [first, second, third] = layers.map(|(i, to, kernel)| {
                let published = ["conv", "bn"].map(|part| format!("{published}.{part}{i}"));
                walk.conv((&name, Some(i)), published, to, kernel, Activation::Relu)
            });
            made.push(Block {
                name,
                convs: [first, second],
                third: Some(third),
                shortcut,
            });
        }
    }
    Plan {
        stem,
        pool: Some(pool),
        blocks: made,
        last: None,
        epsilon: 1e-5,
        fan: Fan::Out,
        classifiers: &["fc"],
    }
}
