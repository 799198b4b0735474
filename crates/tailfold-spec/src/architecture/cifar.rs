//! CIFAR-style residual networks (He et al., CVPR 2016, section 4.2): two 3x3 convolutions per block, option-A
//! shortcuts.

use super::plan::{Activation, Block, Fan, Plan, Shortcut};
use super::walk::{Kernel, Padding, Walk};

pub(super) fn plan(input: [usize; 3], depth: usize, width: usize, stem_stride: usize) -> Plan {
    let mut walk = Walk::new(input, Padding::Centred);
    let stem = walk.conv(
        ("stem", None),
        ["conv1".to_owned(), "bn1".to_owned()],
        width,
        Kernel::dense(3, stem_stride),
        Activation::Relu,
    );
    let mut blocks = Vec::new();
    for stage in 0..3 {
        let to = width << stage;
        for block in 0..depth.saturating_sub(2) / 6 {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            let name = format!("blocks.{}", blocks.len());
            let shortcut = if stride == 1 && walk.channels == to {
                Shortcut::Identity
            } else {
                Shortcut::Thinned { stride }
            };
            let convs = [(1, stride), (2, 1)].map(|(i, stride)| {
                let published =
                    ["conv", "bn"].map(|part| format!("layer{}.{block}.{part}{i}", stage + 1));
                let kernel = Kernel::dense(3, stride);
                walk.conv((&name, Some(i)), published, to, kernel, Activation::Relu)
            });
            blocks.push(Block {
                name,
                convs,
                third: None,
                shortcut,
            });
        }
    }
    Plan {
        stem,
        pool: None,
        blocks,
        last: None,
        epsilon: 1e-5,
        fan: Fan::In,
        classifiers: &["fc", "linear"],
    }
}
