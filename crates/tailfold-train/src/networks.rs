//! The networks that are trained: a body below, a head above, and a projection beside it for the contrastive loss.

mod block;
mod body;
mod layers;
mod shortcut;

use burn::prelude::*;
use tailfold_spec::Architecture;

use crate::head::{ClassifierHead, Projection};

use body::Body;

/// Backbone, classifier and, while a contrastive loss is trained, its projection head.
#[derive(Module, Debug)]
pub struct Network {
    body: Body,
    /// The classifier.
    pub head: ClassifierHead,
    /// Projection for the contrastive loss; not deployed.
    pub projection: Option<Projection>,
}

impl Network {
    /// Builds the network of `arch`; `projection` gives the hidden and output widths of a contrastive head.
    pub fn new(arch: &Architecture, projection: Option<(usize, usize)>, device: &Device) -> Self {
        let plan = arch.plan();
        let dim = plan.feature_dim();
        Self {
            body: Body::new(&plan, device),
            head: ClassifierHead::new(arch.classes, dim, arch.head, device),
            projection: projection.map(|(hidden, out)| Projection::new(dim, hidden, out, device)),
        }
    }

    /// Images `[n, c, h, w]` to features `[n, feature_dim]`.
    pub fn features(&self, x: Tensor<4>) -> Tensor<2> {
        self.body.forward(x)
    }

    /// Images `[n, c, h, w]` to raw scores `[n, classes]`, without offsets.
    pub fn scores(&self, x: Tensor<4>) -> Tensor<2> {
        self.head.forward(self.features(x))
    }
}
