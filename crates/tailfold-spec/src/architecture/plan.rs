//! The layers of a body in computation order; training and the exporter interpret them.

/// A body: `stem`, `pool`, `blocks`, `last`, and then the mean over all pixels.
///
/// Each tensor has two names: [`ConvNorm::part`] in checkpoints and graphs, [`ConvNorm::published`] in the files
/// that other frameworks publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The first convolution.
    pub stem: ConvNorm,
    /// Max pooling after the stem.
    pub pool: Option<MaxPool>,
    /// The blocks, first to last.
    pub blocks: Vec<Block>,
    /// A convolution after the blocks.
    pub last: Option<ConvNorm>,
    /// Epsilon added to the variance of every BatchNorm.
    pub epsilon: f64,
    /// Fan that determines the variance of the initial weights.
    pub fan: Fan,
    /// Names of the classifier in published files (`fc` means `fc.weight` and `fc.bias`).
    pub classifiers: &'static [&'static str],
}

/// Two or three consecutive convolutions; the shortcut is added to the last one before its activation.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Name of the block, such as `blocks.3`.
    pub name: String,
    /// The first two convolutions.
    pub convs: [ConvNorm; 2],
    /// The third convolution.
    pub third: Option<ConvNorm>,
    /// The branch added to the last convolution.
    pub shortcut: Shortcut,
}

/// The branch around a block's convolutions.
#[derive(Clone, Debug, PartialEq)]
pub enum Shortcut {
    /// The block has no shortcut.
    None,
    /// The block's input.
    Identity,
    /// Every `stride`-th pixel of the input, zero-padded to the block's output channels: half of the zero channels
    /// before the input's channels and the rest after, with an odd one after (option A of He et al.).
    Thinned {
        /// Distance in pixels between kept pixels.
        stride: usize,
    },
    /// A convolution of the input (option B).
    Projection(ConvNorm),
}

/// The function after a BatchNorm or after the sum with the shortcut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// The identity.
    Linear,
    /// `max(0, x)`.
    Relu,
    /// `min(max(0, x), 6)`.
    Relu6,
}

/// Fan of Kaiming's normal initialization, which has variance `2 / fan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fan {
    /// Inputs per output: `kernel^2 from / groups`.
    In,
    /// `kernel^2 to` regardless of the groups, as in torchvision.
    Out,
    /// `kernel^2 to / groups`, as in TensorFlow's EfficientNet.
    OutOfGroup,
}

/// A convolution without bias, its BatchNorm, and an activation.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvNorm {
    /// Name of the enclosing module: `stem`, `blocks.3`, `blocks.3.shortcut` or `last`.
    pub(super) scope: String,
    /// Position among a block's convolutions, counted from 1.
    pub(super) index: Option<usize>,
    /// Names of the convolution and the BatchNorm in published files.
    pub published: [String; 2],
    /// Input channels.
    pub from: usize,
    /// Output channels.
    pub to: usize,
    /// Height and width of the kernel.
    pub kernel: usize,
    /// Stride along both axes.
    pub stride: usize,
    /// Number of channel groups, as in a grouped convolution.
    pub groups: usize,
    /// Zeros at the top, left, bottom and right of the input.
    pub pads: [usize; 4],
    /// Height and width of the output.
    pub size: [usize; 2],
    /// Activation after the BatchNorm and the shortcut.
    pub activation: Activation,
}

/// Max pooling; pixels outside the image do not count.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPool {
    /// Height and width of the window.
    pub kernel: usize,
    /// Stride along both axes.
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

    /// Number of weights of the convolution plus scale and shift of the BatchNorm.
    pub fn num_parameters(&self) -> usize {
        self.weight_shape().iter().product::<usize>() + 2 * self.to
    }
}

impl Block {
    /// The convolutions, first to last.
    pub fn convs(&self) -> impl Iterator<Item = &ConvNorm> {
        self.convs.iter().chain(&self.third)
    }

    /// The last convolution, to which the shortcut is added.
    pub fn end(&self) -> &ConvNorm {
        self.third.as_ref().unwrap_or(&self.convs[1])
    }
}

impl Plan {
    /// All convolutions, in the order in which weights are initialized: a block's projection comes after its other
    /// convolutions.
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

    /// Number of output channels, which is the length of the feature vector.
    pub fn feature_dim(&self) -> usize {
        let block = self.blocks.last().map(Block::end);
        self.last.as_ref().or(block).unwrap_or(&self.stem).to
    }
}
