//! The layers of a body, in the order of computation: what training and the exporter interpret.

/// A body: `stem`, `pool`, `blocks`, `last`, and the mean over all pixels of what comes out.
///
/// Tensors have one name in checkpoints and graphs, which [`ConvNorm::part`] gives, and another in the files that other
/// frameworks publish, [`ConvNorm::published`].
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The first convolution.
    pub stem: ConvNorm,
    /// Pooling after it.
    pub pool: Option<MaxPool>,
    /// The blocks, first to last.
    pub blocks: Vec<Block>,
    /// A convolution after the blocks.
    pub last: Option<ConvNorm>,
    /// Added to the variance under the root of every BatchNorm.
    pub epsilon: f64,
    /// Variance of the first weights.
    pub fan: Fan,
    /// Names that the classifier has in published files (`fc`: `fc.weight` and `fc.bias`).
    pub classifiers: &'static [&'static str],
}

/// Two or three convolutions in a row, and what is added to the last one before its activation.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// `blocks.3`.
    pub name: String,
    /// The first two convolutions.
    pub convs: [ConvNorm; 2],
    /// A third one.
    pub third: Option<ConvNorm>,
    /// What is added.
    pub shortcut: Shortcut,
}

/// What goes around a block's convolutions.
#[derive(Clone, Debug, PartialEq)]
pub enum Shortcut {
    /// Nothing.
    None,
    /// The block's input.
    Identity,
    /// Every `stride`-th pixel of the input, and zero channels up to the block's output: half of them before, the rest
    /// after, the odd one among these (option A of He et al.).
    Thinned {
        /// Distance of the pixels kept.
        stride: usize,
    },
    /// A convolution of the input (option B).
    Projection(ConvNorm),
}

/// What follows a BatchNorm, or the sum with the shortcut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// `max(0, x)`.
    Relu,
    /// `min(max(0, x), 6)`.
    Relu6,
}

/// Kaiming's normal distribution has variance `2 / fan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fan {
    /// Inputs of an output, `kernel^2 from / groups`.
    In,
    /// `kernel^2 to`, as torchvision counts it whatever the groups.
    Out,
    /// `kernel^2 to / groups`, as TensorFlow's EfficientNet does.
    OutOfGroup,
}

/// A convolution without bias, its BatchNorm, and an activation.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvNorm {
    /// `stem`, `blocks.3`, `blocks.3.shortcut` or `last`.
    pub(super) scope: String,
    /// Place among a block's convolutions, from 1.
    pub(super) index: Option<usize>,
    /// Names of the convolution and the BatchNorm in published files.
    pub published: [String; 2],
    /// Input channels.
    pub from: usize,
    /// Output channels.
    pub to: usize,
    /// Height and width of the kernel.
    pub kernel: usize,
    /// Both ways.
    pub stride: usize,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Zeros at the top, left, bottom and right of the input.
    pub pads: [usize; 4],
    /// Height and width of the output.
    pub size: [usize; 2],
    /// After BatchNorm and shortcut.
    pub activation: Activation,
}

/// The largest of each window; what is outside the image does not count.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPool {
    /// Height and width of the window.
    pub kernel: usize,
    /// Both ways.
    pub stride: usize,
    /// Pixels outside the image at the top, left, bottom and right.
    pub pads: [usize; 4],
    /// Height and width of the output.
    pub size: [usize; 2],
}

impl ConvNorm {
    /// Name of one part of the layer: `blocks.3.conv1` for `conv`, `stem.norm` for `norm`.
    pub fn part(&self, part: &str) -> String {
        let index = self.index.map(|i| i.to_string()).unwrap_or_default();
        format!("{}.{part}{index}", self.scope)
    }

    /// Shape of the convolution's weights, `[to, from / groups, kernel, kernel]`.
    pub fn weight_shape(&self) -> [usize; 4] {
        [self.to, self.from / self.groups, self.kernel, self.kernel]
    }

    /// Weights of the convolution, scale and shift of the BatchNorm.
    pub fn num_parameters(&self) -> usize {
        self.weight_shape().iter().product::<usize>() + 2 * self.to
    }
}

impl Block {
    /// The convolutions in a row.
    pub fn convs(&self) -> impl Iterator<Item = &ConvNorm> {
        self.convs.iter().chain(&self.third)
    }

    /// The last of them, to which the shortcut is added.
    pub fn end(&self) -> &ConvNorm {
        self.third.as_ref().unwrap_or(&self.convs[1])
    }
}

impl Plan {
    /// Every convolution, in the order in which weights are drawn: a block's projection after its other convolutions.
    pub fn layers(&self) -> impl Iterator<Item = &ConvNorm> {
        let blocks = self.blocks.iter().flat_map(|block| {
            let projection = match &block.shortcut {
                Shortcut::Projection(layer) => Some(layer),
                _ => None,
            };
            block.convs().chain(projection)
        });
        std::iter::once(&self.stem).chain(blocks).chain(&self.last)
    }

    /// Channels at the end.
    pub fn feature_dim(&self) -> usize {
        let block = self.blocks.last().map(Block::end);
        self.last.as_ref().or(block).unwrap_or(&self.stem).to
    }
}
