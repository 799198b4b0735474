//! The networks that training builds and the exporter writes: one description, read by both.

use serde::{Deserialize, Serialize};

/// The classifier on top of the features.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind", deny_unknown_fields)]
pub enum Head {
    /// `logits = W z + b`.
    Linear,
    /// `logits_j = scale <w_j, z> / (|w_j| |z|)`, without a bias until offsets are folded in.
    Cosine {
        /// Scale of the cosine, in logits.
        scale: f32,
    },
}

/// A CIFAR-style residual network (He et al., CVPR 2016, section 4.2): a 3x3 stem, three stages of basic blocks with
/// parameter-free (option A) shortcuts, global average pooling and a linear or cosine head.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Architecture {
    /// Weighted layers: 6 n + 2 with n blocks a stage (8, 20, 32, ...).
    pub depth: usize,
    /// Channels of the first stage; the others have twice and four times as many. 16 is the published width.
    #[serde(default = "published_width")]
    pub width: usize,
    /// Stride of the stem. 1 is the published network; 2 quarters the cost.
    #[serde(default = "published_stem_stride")]
    pub stem_stride: usize,
    /// `[channels, height, width]` of the input.
    pub input: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// The classifier.
    pub head: Head,
}

fn published_width() -> usize {
    16
}

fn published_stem_stride() -> usize {
    1
}

/// An architecture that cannot be built.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum ArchitectureError {
    /// No number of blocks gives this depth.
    #[error(
        "a residual network of depth {0} does not exist: depth is 6 n + 2 (8, 20, 32, 44, 56, 110)"
    )]
    Depth(usize),
    /// A value out of its range.
    #[error("architecture.{field} is {value}, expected {expected}")]
    Range {
        /// Field.
        field: &'static str,
        /// Value found.
        value: String,
        /// What is accepted.
        expected: &'static str,
    },
}

impl Architecture {
    /// Checks every field.
    ///
    /// # Errors
    /// [`ArchitectureError`] naming the field.
    pub fn validate(&self) -> Result<(), ArchitectureError> {
        if self.depth < 8 || self.depth > 1202 || !(self.depth - 2).is_multiple_of(6) {
            return Err(ArchitectureError::Depth(self.depth));
        }
        let range = |field, ok: bool, value: String, expected| {
            if ok {
                Ok(())
            } else {
                Err(ArchitectureError::Range {
                    field,
                    value,
                    expected,
                })
            }
        };
        let [c, h, w] = self.input;
        range(
            "width",
            (1..=1024).contains(&self.width),
            self.width.to_string(),
            "1 to 1024 channels",
        )?;
        range(
            "stem_stride",
            matches!(self.stem_stride, 1 | 2),
            self.stem_stride.to_string(),
            "1 or 2",
        )?;
        range(
            "input",
            matches!(c, 1 | 3),
            format!("{:?}", self.input),
            "1 or 3 channels",
        )?;
        range(
            "input",
            (4..=4096).contains(&h) && (4..=4096).contains(&w),
            format!("{:?}", self.input),
            "4 to 4096 pixels a side",
        )?;
        range(
            "classes",
            (2..=1_000_000).contains(&self.classes),
            self.classes.to_string(),
            "2 to 1000000",
        )?;
        if let Head::Cosine { scale } = self.head {
            range(
                "head.scale",
                scale.is_finite() && scale > 0.0,
                scale.to_string(),
                "a positive number",
            )?;
        }
        Ok(())
    }

    /// Residual blocks in each of the three stages.
    pub fn blocks_per_stage(&self) -> usize {
        (self.depth - 2) / 6
    }

    /// Every block as `(in_channels, out_channels, stride)`, first to last.
    pub fn blocks(&self) -> Vec<(usize, usize, usize)> {
        let mut blocks = Vec::new();
        let mut from = self.width;
        for stage in 0..3 {
            let to = self.width << stage;
            for block in 0..self.blocks_per_stage() {
                let stride = if stage > 0 && block == 0 { 2 } else { 1 };
                blocks.push((from, to, stride));
                from = to;
            }
        }
        blocks
    }

    /// Length of the feature vector under the head.
    pub fn feature_dim(&self) -> usize {
        self.width * 4
    }

    /// Learned parameters of the deployed network (weights, BatchNorm scale and shift, head), without running statistics.
    pub fn num_parameters(&self) -> usize {
        let conv_bn = |from: usize, to: usize| from * to * 9 + 2 * to;
        let body: usize = self
            .blocks()
            .iter()
            .map(|&(from, to, _)| conv_bn(from, to) + conv_bn(to, to))
            .sum();
        let bias = if self.head == Head::Linear {
            self.classes
        } else {
            0
        };
        conv_bn(self.input[0], self.width) + body + self.feature_dim() * self.classes + bias
    }

    /// Name for people: `resnet20`, `resnet8-w32-s2`.
    pub fn name(&self) -> String {
        let mut name = format!("resnet{}", self.depth);
        if self.width != published_width() {
            name += &format!("-w{}", self.width);
        }
        if self.stem_stride != published_stem_stride() {
            name += &format!("-s{}", self.stem_stride);
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resnet(depth: usize, classes: usize) -> Architecture {
        Architecture {
            depth,
            width: 16,
            stem_stride: 1,
            input: [3, 32, 32],
            classes,
            head: Head::Linear,
        }
    }

    #[test]
    fn parameter_counts_are_the_published_ones() {
        // He et al., table 6: 0.27 M for ResNet-20 and 0.46 M for ResNet-32 on CIFAR-10; 0.470 M with 100 classes.
        assert_eq!(resnet(20, 10).num_parameters(), 269_722);
        assert_eq!(resnet(32, 10).num_parameters(), 464_154);
        assert_eq!(resnet(32, 100).num_parameters(), 470_004);
    }

    #[test]
    fn blocks_follow_depth() {
        assert_eq!(
            resnet(8, 10).blocks(),
            [(16, 16, 1), (16, 32, 2), (32, 64, 2)]
        );
        assert_eq!(resnet(20, 10).blocks().len(), 9);
    }

    #[test]
    fn impossible_networks_are_refused() {
        assert_eq!(resnet(18, 10).validate(), Err(ArchitectureError::Depth(18)));
        assert_eq!(resnet(0, 10).validate(), Err(ArchitectureError::Depth(0)));
        let bad = Architecture {
            head: Head::Cosine { scale: f32::NAN },
            ..resnet(8, 10)
        };
        assert_eq!(
            bad.validate().unwrap_err().to_string(),
            "architecture.head.scale is NaN, expected a positive number"
        );
    }
}
