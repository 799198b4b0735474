//! Which tensor, and which node, makes the decisions flip between the float and the INT8 model.
//!
//! Both models run in tract's float arithmetic, where every inner tensor exists. Three looks, each at the images that flip and at
//! as many that do not:
//! 1. the noise of every tensor that both have, and what a node and its codes add to it by themselves;
//! 2. cuts: at each tensor through which everything passes, the float model's value goes into the rest of the INT8 model, and
//!    the decisions that come back are counted: none with the cut at the image, all with the cut at the logits;
//! 3. exchanges: in the stretch before the first cut that repairs half, and where the noise stands out, each node and each
//!    tensor's codes alone become the float model's.

use tailfold_data::Dataset;
use tailfold_spec::Logits;

use super::load::Ready;

mod assemble;
mod chosen;
mod cut;
mod exchange;
mod finding;
mod noise;
mod outlier;
mod pair;
mod search;
mod side;
mod trace;

pub(super) use finding::Finding;

/// Why the decisions of the steps `ready` flip between the float and the INT8 model, both on tract-stock; `scores` are the
/// logits of `ready` on `data`.
///
/// # Errors
/// Models without common names inside, and what a back end says.
pub(super) fn bisect(
    ready: &[Ready],
    scores: &[Logits],
    data: &Dataset,
) -> anyhow::Result<Finding> {
    search::search(ready, scores, data)
}
