//! Offset folding: class offsets become part of the head's bias, so they cost nothing at inference.

use tailfold_spec::OffsetsRecord;

use crate::proto::{NodeProto, TensorProto};
use crate::{Model, OnnxError, OnnxErrorKind};

/// Adds `offsets` to the bias of the head, and records them in the card.
///
/// Offsets and bias are `[num_classes]`, in logits (natural-log units), in label order. The head is the
/// `Gemm` that produces the model's output. Offsets must be folded before quantization, because the int32
/// bias is derived from the folded bias.
///
/// # Errors
/// [`OnnxError`]; the model is unchanged then.
pub fn fold_offsets(model: &mut Model, offsets: &OffsetsRecord) -> Result<(), OnnxError> {
    let mut card = model.card()?;
    check_foldable(model)?;
    let old = head_bias(model)?;
    let values: Vec<f32> = old.values()?;
    if values.len() != offsets.offsets.len() {
        return Err(OnnxErrorKind::Offsets.error(format!(
            "head has {classes} classes but {offsets} offsets were given",
            classes = values.len(),
            offsets = offsets.offsets.len()
        )));
    }
    let mut folded = Vec::with_capacity(values.len());
    for (class, (&bias, &offset)) in values.iter().zip(&offsets.offsets).enumerate() {
        let sum = bias + offset;
        if !sum.is_finite() {
            return Err(OnnxErrorKind::NotFinite.error(format!(
                "class {class}: bias {bias} plus offset {offset} is not a finite number"
            )));
        }
        folded.push(sum);
    }
    let bias = TensorProto::new(old.name(), &old.shape()?, &folded);
    card.offsets = Some(offsets.clone());
    model.graph_mut().set_initializer(bias);
    model.set_card(&card);
    Ok(())
}

/// Checks that offsets can still be folded into `model`: it has no offsets yet, and it is not quantized.
///
/// # Errors
/// [`OnnxErrorKind::AlreadyFolded`] or [`OnnxErrorKind::Quantized`].
pub fn check_foldable(model: &Model) -> Result<(), OnnxError> {
    let props = model.props();
    if props.contains_key("tailfold.offsets") {
        return Err(
            OnnxErrorKind::AlreadyFolded.error("offsets are already folded into this model")
        );
    }
    let quantizes = |n: &NodeProto| QUANTIZING.iter().any(|op| n.is(op));
    if props.contains_key("tailfold.quantization") || model.nodes().iter().any(quantizes) {
        return Err(OnnxErrorKind::Quantized
            .error("the model is quantized: fold the offsets before quantizing"));
    }
    Ok(())
}

/// Operators of quantized graphs.
const QUANTIZING: [&str; 6] = [
    "QuantizeLinear",
    "DequantizeLinear",
    "ConvInteger",
    "MatMulInteger",
    "QLinearConv",
    "QLinearMatMul",
];

/// Returns the bias initializer of the `Gemm` that produces the output, with one value per class.
fn head_bias(model: &Model) -> Result<&TensorProto, OnnxError> {
    let graph = model.graph();
    let output = model.output()?.name();
    let gemm = graph
        .producer(output)
        .filter(|node| node.is("Gemm"))
        .ok_or_else(|| {
            OnnxErrorKind::NoHead.error(format!(
                "no Gemm makes the output `{output}`: there is no bias to fold the offsets into"
            ))
        })?;
    let refuse = |reason| {
        OnnxErrorKind::NoHead.error(format!(
            "cannot fold offsets into the head `{node}`: {reason}",
            node = gemm.label()
        ))
    };
    if gemm
        .float("beta")
        .is_some_and(|beta| (beta - 1.0).abs() > 0.0)
    {
        return Err(refuse("it scales its bias (beta is not 1)"));
    }
    let bias = gemm
        .input
        .get(2)
        .filter(|name| !name.is_empty())
        .ok_or_else(|| refuse("it has no bias"))?;
    let initializer = graph
        .find_initializer(bias)
        .ok_or_else(|| refuse("its bias is not an initializer"))?;
    let readers = graph
        .node
        .iter()
        .flat_map(|n| &n.input)
        .filter(|name| *name == bias)
        .count();
    if readers > 1 || graph.input.iter().any(|i| i.name() == bias) {
        return Err(refuse(
            "its bias is an input of the graph or has other readers",
        ));
    }
    let classes =
        classes(model, gemm).ok_or_else(|| refuse("its weight is not an initializer of rank 2"))?;
    match initializer.shape()?[..] {
        [n] | [1, n] if n == classes => Ok(initializer),
        _ => Err(refuse("its bias does not have one value per class")),
    }
}

fn classes(model: &Model, gemm: &NodeProto) -> Option<usize> {
    let weight = model
        .graph()
        .find_initializer(gemm.input.get(1)?)?
        .shape()
        .ok()?;
    let [rows, columns] = weight[..] else {
        return None;
    };
    Some(if gemm.int("transB").unwrap_or(0) == 0 {
        columns
    } else {
        rows
    })
}

#[cfg(test)]
mod tests;
