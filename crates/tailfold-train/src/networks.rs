//! The trained networks: a body, a classifier head, and a projection for the contrastive loss.

mod block;
mod body;
mod layer;
mod layers;
mod profile;

use burn::module::{Module as _, ModuleVisitor, Param};
use burn::prelude::*;
use tailfold_spec::Architecture;

use crate::head::{ClassifierHead, Projection};

use body::Body;
pub(crate) use layers::forget;
pub use profile::{LayerTime, Milliseconds, layer_times};

/// Backbone, classifier and, with a contrastive loss, the projection head.
#[derive(Module, Debug)]
pub struct Network {
    body: Body,
    /// The classifier.
    pub head: ClassifierHead,
    /// Projection for the contrastive loss; not deployed.
    pub projection: Option<Projection>,
    /// Projection of the classifier's weights to class prototypes, for the balanced contrastive loss; not deployed.
    pub prototypes: Option<Projection>,
}

/// Initializes weights: burn would otherwise initialize each weight at its first use, so the order of use would change
/// the values.
struct Draw;

impl ModuleVisitor for Draw {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let _ = param.val();
    }
}

impl Network {
    /// Builds the network of `arch`; `projection` is the hidden and the output width of the contrastive projection.
    ///
    /// All weights are drawn from the device's generator, in the order of the layers.
    pub fn new(arch: &Architecture, projection: Option<(usize, usize)>, device: &Device) -> Self {
        let plan = arch.plan();
        let dim = plan.feature_dim();
        let network = Self {
            body: Body::new(&plan, device),
            head: ClassifierHead::new(arch.classes, dim, arch.head, device),
            projection: projection.map(|(hidden, out)| Projection::new(dim, hidden, out, device)),
            prototypes: None,
        };
        network.visit(&mut Draw);
        network
    }

    /// Adds a second projection of `(hidden, out)` units for the class prototypes.
    pub fn with_prototypes(mut self, (hidden, out): (usize, usize), device: &Device) -> Self {
        let [_, dim] = self.head.weight.dims();
        let prototypes = Projection::new(dim, hidden, out, device);
        prototypes.visit(&mut Draw);
        self.prototypes = Some(prototypes);
        self
    }

    /// Maps images `[n, c, h, w]` to features `[n, feature_dim]`.
    pub fn features(&self, x: Tensor<4>) -> Tensor<2> {
        self.body.forward(x)
    }

    /// Maps images `[n, c, h, w]` to raw scores `[n, classes]`, without offsets.
    pub fn scores(&self, x: Tensor<4>) -> Tensor<2> {
        self.head.forward(self.features(x))
    }
}
