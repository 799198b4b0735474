//! The network of an [`Architecture`] as an inference graph.

use tailfold_spec::{Architecture, ModelCard};

use crate::builder::GraphBuilder;
use crate::layers::Layers;
use crate::{Checkpoint, Model, OnnxError, OnnxErrorKind};

/// Last opset in which `ReduceSumSquare` has its axes as an attribute, which every runtime supports.
const OPSET: i64 = 17;
/// IR version (version of the ONNX format) that was released with this opset.
const IR_VERSION: i64 = 8;

/// Builds the graph of `arch` with the weights of `checkpoint` and writes `card` into its metadata.
///
/// Input `image` is `[N, channels, height, width]`, output `logits` is `[N, num_classes]`; the input of the
/// head is `feature`, `[N, feature_dim]`. BatchNorms are folded into their convolutions. Offsets are not
/// folded into the head: see [`crate::fold_offsets`]. The same arguments give the same bytes.
///
/// # Errors
/// [`OnnxError`] when the architecture is impossible, when the card belongs to another model or to a folded
/// or quantized one, when the checkpoint lacks a tensor or has one of another shape, or when folded values
/// are not finite.
pub fn build(
    arch: &Architecture,
    checkpoint: &Checkpoint,
    card: &ModelCard,
) -> Result<Model, OnnxError> {
    arch.validate()?;
    check_card(arch, card)?;
    let plan = arch.plan();
    let mut net = Layers {
        graph: GraphBuilder::new(arch.name()),
        checkpoint,
        epsilon: plan.epsilon,
    };
    let image = net.graph.input("image", &arch.input);
    let mut x = net.layer(&plan.stem, &image)?;
    if let Some(pool) = &plan.pool {
        x = net.max_pool(pool, &x);
    }
    for block in &plan.blocks {
        x = net.block(block, &x)?;
    }
    if let Some(last) = &plan.last {
        x = net.layer(last, &x)?;
    }
    let feature = net.mean(&x);
    let logits = net.head(arch, &feature)?;
    let mut model = Model::from_graph(net.graph.finish(&logits), IR_VERSION, OPSET);
    model.set_card(card);
    Ok(model)
}

fn check_card(arch: &Architecture, card: &ModelCard) -> Result<(), OnnxError> {
    let preprocess = &card.preprocess;
    let input = [preprocess.channels, preprocess.height, preprocess.width];
    for (field, card, architecture) in [
        (
            "classes",
            card.classes.len().to_string(),
            arch.classes.to_string(),
        ),
        ("input", format!("{input:?}"), format!("{:?}", arch.input)),
    ] {
        if card != architecture {
            return Err(OnnxErrorKind::Metadata.error(format!(
                "the card has {field} {card} but the architecture has {architecture}"
            )));
        }
    }
    match card {
        ModelCard {
            offsets: Some(_), ..
        } => Err(OnnxErrorKind::Metadata.error(
            "the card says that offsets are already folded, but a graph is built without offsets",
        )),
        ModelCard {
            quantization: Some(_),
            ..
        } => Err(OnnxErrorKind::Metadata.error(
            "the card says that the model is already quantized, but a graph is built in float",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
