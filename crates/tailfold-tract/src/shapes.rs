//! Shape inference by tract, and checks of a graph before tract optimises it.

use std::sync::Arc;

use tailfold_integer::Region;
use tailfold_onnx::proto::DataType;
use tailfold_onnx::{MOST_ELEMENTS, Model, Shapes};
use tract_onnx::prelude::*;
use tract_onnx::tract_core::internal::DimLike as _;
use tract_onnx::tract_hir::infer::Factoid as _;

use crate::boundary::guarded;
use crate::error::{TractError, TractErrorKind};
use crate::parse::parse;

/// Infers the shape of each tensor of `model`, a classifier in canonical form, for one image.
///
/// Tensors whose shape tract cannot infer are absent. A graph that tract cannot read has no shapes here; preparing it
/// for tract reports the error.
pub fn shapes(model: &Model) -> Shapes {
    let told = guarded(|| {
        let (mut model, _) = parse(&model.to_bytes(), "the model", &[]).ok()?;
        // The error is ignored: shapes behind a node without inference rules stay unknown.
        let _ = model.analyse(true);
        Some(known(&model))
    });
    told.ok().flatten().unwrap_or_default()
}

/// Returns the inferred shapes, by the ONNX names of the tensors.
fn known(model: &InferenceModel) -> Shapes {
    let mut shapes = Shapes::new();
    for node in model.nodes() {
        for (slot, output) in node.outputs.iter().enumerate() {
            let label = model.outlet_label(OutletId::new(node.id, slot));
            let name = match label {
                Some(label) => label.to_owned(),
                None if slot == 0 => node.name.clone(),
                None => continue,
            };
            let shape: Option<Vec<usize>> = output
                .fact
                .shape
                .concretize()
                .and_then(|dims| dims.iter().map(|d| d.to_usize().ok()).collect());
            if let Some(shape) = shape {
                shapes.insert(name, shape);
            }
        }
    }
    shapes
}

/// Infers the shapes of `model` and checks that each tensor has at most [`MOST_ELEMENTS`] elements for one image.
///
/// # Errors
/// [`TractErrorKind::Limit`].
pub(crate) fn check_sizes(model: &mut InferenceModel, name: &str) -> Result<(), TractError> {
    let _ = model.analyse(true);
    for (tensor, shape) in known(model) {
        let count = shape.iter().try_fold(1_usize, |n, &d| n.checked_mul(d));
        if count.is_none_or(|n| n > MOST_ELEMENTS) {
            return Err(TractErrorKind::Limit
                .error(format!(
                    "`{tensor}` has the shape {shape:?} for one image, more than {MOST_ELEMENTS} \
                     elements"
                ))
                .at(name));
        }
    }
    Ok(())
}

/// Checks that each `axis` attribute lies within the rank of the node's first input.
///
/// # Errors
/// [`TractErrorKind::Model`].
pub(crate) fn check_axes(
    onnx: &Model,
    model: &InferenceModel,
    name: &str,
) -> Result<(), TractError> {
    let shapes = known(model);
    for node in onnx.nodes() {
        let with_axis = [
            "Softmax",
            "LogSoftmax",
            "Flatten",
            "Concat",
            "Gather",
            "Split",
        ];
        let Some(axis) = node
            .int("axis")
            .filter(|_| with_axis.iter().any(|op| node.is(op)))
        else {
            continue;
        };
        let Some(rank) = node.input.first().and_then(|x| shapes.get(x)).map(Vec::len) else {
            continue;
        };
        let ranks = i64::try_from(rank).unwrap_or(i64::MAX);
        // Flatten accepts an axis equal to the rank (ONNX operator specification).
        let most = if node.is("Flatten") { ranks } else { ranks - 1 };
        if !(-ranks..=most).contains(&axis) {
            return Err(TractErrorKind::Model
                .error(format!(
                    "node `{node}`: {operator} along axis {axis} of a value of rank {rank}",
                    node = node.label(),
                    operator = node.op_type()
                ))
                .at(name));
        }
    }
    Ok(())
}

/// Checks that tract has every operator of `model`, and that every floating-point constant and Cast is f32.
///
/// # Errors
/// [`TractErrorKind::Unsupported`], naming the first node or tensor.
pub(crate) fn check_operators(
    model: &Model,
    name: &str,
    regions: &[Arc<Region>],
) -> Result<(), TractError> {
    let onnx = tract_onnx::onnx();
    let region = |op: &str| !regions.is_empty() && op == Region::OPERATOR;
    for node in model.nodes().iter().filter(|n| !region(n.op_type())) {
        let standard = matches!(node.domain(), "" | "ai.onnx");
        // tract registers operators by name alone, and implements operators of these domains only.
        let domain = standard || matches!(node.domain(), "com.microsoft" | "ai.onnx.ml");
        if !(domain && onnx.op_register.0.contains_key(node.op_type())) {
            let domain = match standard {
                true => String::new(),
                false => format!("{}.", node.domain()),
            };
            return Err(TractErrorKind::Unsupported
                .error(format!(
                    "node `{}`: tract has no operator {domain}{}; the back end `ort` may run it",
                    node.label(),
                    node.op_type()
                ))
                .at(name));
        }
    }
    let precision = |element: DataType| match element {
        DataType::Float16 => Some("half precision (f16)"),
        DataType::Bfloat16 => Some("half precision (bf16)"),
        DataType::Double => Some("double precision (f64)"),
        _ => None,
    };
    let casts = model
        .nodes()
        .iter()
        .filter(|n| n.is("Cast"))
        .filter_map(|n| {
            let to = i32::try_from(n.int("to")?).ok()?;
            Some((n.label(), precision(DataType::try_from(to).ok()?)?))
        });
    let constants = model.graph().initializer.iter();
    let constants = constants.filter_map(|t| Some((t.name(), precision(t.element()?)?)));
    match constants.chain(casts).next() {
        None => Ok(()),
        Some((place, precision)) => Err(TractErrorKind::Unsupported
            .error(format!(
                "`{place}` is in {precision}, which tract does not compute in; the back end `ort` \
                 runs such models"
            ))
            .at(name)),
    }
}
