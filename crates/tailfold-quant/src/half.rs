//! A float classifier in half precision, with f32 images and logits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use half::f16;
use tailfold_onnx::Model;
use tailfold_onnx::proto::{DataType, GraphProto, NodeProto};

use crate::calibrate::observe;
use crate::error::QuantError;
use crate::float::FloatModel;
use crate::form::check_single;
use crate::images::CalibrationSet;
use crate::names::Names;
use crate::portable::{explicit_pads, limit_versions};
use crate::record::{self, write_record};
use crate::target::Target;

/// Reason why a tensor stays in f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// A value is infinite in f16.
    Overflow,
    /// The tensor has values other than 0, and all of them are 0 in f16.
    Underflow,
}

/// A tensor that stays in f32, as do the nodes around it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Name of the constant or activation.
    pub tensor: String,
    /// Largest magnitude of the tensor.
    pub largest: f32,
    /// Reason why the tensor stays in f32.
    pub why: Lost,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Lost::Overflow => "overflows",
            Lost::Underflow => "vanishes in",
        };
        write!(
            f,
            "`{}` {why} f16: its largest magnitude is {}",
            self.tensor, self.largest
        )
    }
}

/// A model in half precision, and the tensors that stay in f32.
#[derive(Debug)]
pub struct Halved {
    /// Standard ONNX with f16 constants and values, between a Cast of the images and a Cast of the logits.
    pub model: Model,
    /// Tensors that stay in f32: constants first, then activations, each in graph order.
    pub kept: Vec<Kept>,
}

/// Converts constants and operators of `float` to f16.
///
/// With calibration images, the nodes around an activation that overflows on them stay in f32. Without calibration
/// images, overflow of activations is not checked.
///
/// # Errors
/// [`QuantError`] for a model that is already quantized or in half precision, or another error of
/// [`crate::quantize()`].
pub fn halve(
    float: &FloatModel,
    set: Option<&CalibrationSet>,
    progress: &(dyn Fn() + Sync),
) -> Result<Halved, QuantError> {
    check_single(float)?;
    float.check_folded()?;
    let mut model = float.model.clone();
    explicit_pads(&mut model, &float.name)?;
    // tract does not run half precision, so the limits of ONNX Runtime apply.
    limit_versions(&mut model, Target::OrtX86)?;
    let floats = float_values(model.graph());
    let mut kept = kept_constants(&model)?;
    if let Some(set) = set {
        kept.extend(overflowing(float, set, &floats, progress)?);
    }
    let names: BTreeSet<&str> = kept.iter().map(|k| k.tensor.as_str()).collect();
    rewrite(&mut model, &floats, &names)?;
    write_record(&mut model, float, record::of_half(float, set))?;
    Ok(Halved { model, kept })
}

/// Returns the names of all f32 values: a node's outputs have the type of its first input, with the
/// exceptions that [`tailfold_onnx::check()`] knows.
fn float_values(graph: &GraphProto) -> BTreeSet<String> {
    let is_float = |element: Option<DataType>| element == Some(DataType::Float);
    let inputs = graph
        .input
        .iter()
        .filter(|i| is_float(i.element()))
        .map(|i| i.name());
    let constants = graph
        .initializer
        .iter()
        .filter(|t| is_float(t.element()))
        .map(|t| t.name());
    let mut floats: BTreeSet<String> = inputs.chain(constants).map(str::to_owned).collect();
    for node in &graph.node {
        let float = match node.op_type() {
            "Shape" => false,
            "Cast" => node.int("to") == Some(i64::from(i32::from(DataType::Float))),
            _ => node.input.first().is_some_and(|i| floats.contains(i)),
        };
        if float {
            floats.extend(node.output.iter().cloned());
        }
    }
    floats
}

fn lost(values: &[f32]) -> Option<Lost> {
    let half = |v: &f32| f16::from_f32(*v);
    if values.iter().any(|v| half(v).is_infinite()) {
        return Some(Lost::Overflow);
    }
    let zero = |v: f16| v.to_bits() & 0x7FFF == 0;
    let nothing_left = values.iter().all(|v| zero(half(v)));
    let something_was = values.iter().any(|v| v.abs() > 0.0);
    (nothing_left && something_was).then_some(Lost::Underflow)
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |m, v| m.max(v.abs()))
}

fn kept_constants(model: &Model) -> Result<Vec<Kept>, QuantError> {
    let mut kept = Vec::new();
    for tensor in &model.graph().initializer {
        if tensor.element() != Some(DataType::Float) {
            continue;
        }
        let (_, values) = model.initializer_f32(tensor.name())?;
        if let Some(why) = lost(&values) {
            kept.push(Kept {
                tensor: tensor.name().to_owned(),
                largest: largest(&values),
                why,
            });
        }
    }
    Ok(kept)
}

/// Returns the activations that overflow f16 on the calibration images.
fn overflowing(
    float: &FloatModel,
    set: &CalibrationSet,
    floats: &BTreeSet<String>,
    progress: &(dyn Fn() + Sync),
) -> Result<Vec<Kept>, QuantError> {
    let outputs = float.model.nodes().iter().flat_map(|n| &n.output);
    let tensors: Vec<String> = outputs.filter(|o| floats.contains(*o)).cloned().collect();
    let bytes = float.model.to_bytes();
    let seen = observe(&bytes, &float.name, set, &tensors, false, progress)?;
    let kept = tensors.into_iter().zip(seen).filter_map(|(tensor, seen)| {
        let range = seen.extremes();
        let largest = largest(&[range.low, range.high]);
        f16::from_f32(largest).is_infinite().then_some(Kept {
            tensor,
            largest,
            why: Lost::Overflow,
        })
    });
    Ok(kept.collect())
}

/// Precision of a value: f16 or f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Half,
    Single,
}

impl Form {
    fn suffix(self) -> &'static str {
        match self {
            Self::Half => "half",
            Self::Single => "single",
        }
    }

    fn element(self) -> DataType {
        match self {
            Self::Half => DataType::Float16,
            Self::Single => DataType::Float,
        }
    }
}

/// Casts between both precisions; each value is cast only once.
struct Casts {
    names: Names,
    /// Precision in which the graph produces each value.
    made: BTreeMap<String, Form>,
    /// Name of each cast value, by the name of the original.
    other: BTreeMap<String, String>,
}

impl Casts {
    /// Returns the name of `value` in the precision `form`; appends a Cast to `nodes` if none exists yet.
    fn get(&mut self, value: &str, form: Form, nodes: &mut Vec<NodeProto>) -> String {
        if self.made.get(value).is_none_or(|made| *made == form) {
            return value.to_owned();
        }
        if let Some(name) = self.other.get(value) {
            return name.clone();
        }
        let wanted = format!("{value}.{}", form.suffix());
        let name = self.names.fresh(&wanted);
        nodes.push(cast(self.names.fresh_node(&wanted), value, &name, form));
        self.other.insert(value.to_owned(), name.clone());
        name
    }
}

fn cast(node: String, from: &str, to: &str, form: Form) -> NodeProto {
    let element = i64::from(i32::from(form.element()));
    NodeProto::new("Cast", node, [from], [to]).attr_int("to", element)
}

fn rewrite(
    model: &mut Model,
    floats: &BTreeSet<String>,
    kept: &BTreeSet<&str>,
) -> Result<(), QuantError> {
    let form = |node: &NodeProto| {
        let mut values = node.input.iter().chain(&node.output);
        if values.any(|value| kept.contains(value.as_str())) {
            Form::Single
        } else {
            Form::Half
        }
    };
    let mut names = Names::of(model);
    let output = model.output()?.name().to_owned();
    let forms: Vec<Form> = model.nodes().iter().map(form).collect();
    let halves = halve_constants(model, &forms, &mut names)?;
    let inputs = model.graph().input.iter().map(|i| i.name().to_owned());
    let mut casts = Casts {
        made: inputs.map(|i| (i, Form::Single)).collect(),
        other: BTreeMap::new(),
        names,
    };
    // The f32 value gets the public name of the output.
    let inner = casts.names.fresh(&format!("{output}.half"));
    let graph = model.graph_mut();
    let mut nodes = Vec::with_capacity(graph.node.len() + 2);
    for (mut node, form) in std::mem::take(&mut graph.node).into_iter().zip(forms) {
        for input in node.input.iter_mut().filter(|i| floats.contains(*i)) {
            *input = match (form, halves.get(input)) {
                (Form::Half, Some(half)) => half.clone(),
                _ if *input == output && casts.made.contains_key(&inner) => {
                    casts.get(&inner, form, &mut nodes)
                }
                _ => casts.get(input, form, &mut nodes),
            };
        }
        for value in node.output.iter_mut().filter(|o| floats.contains(*o)) {
            if *value == output && form == Form::Half {
                inner.clone_into(value);
            }
            casts.made.insert(value.clone(), form);
        }
        if node.is("Cast") && floats.contains(&node.output[0]) {
            node = node.attr_int("to", i64::from(i32::from(form.element())));
        }
        nodes.push(node);
    }
    if casts.made.contains_key(&inner) {
        let name = casts.names.fresh_node(&format!("{output}.single"));
        nodes.push(cast(name, &inner, &output, Form::Single));
    }
    graph.node = nodes;
    // The value infos still say f32; a reader that needs them can infer them.
    graph.value_info.clear();
    Ok(())
}

/// Converts each f32 constant that a half-precision node reads to f16, and returns the names of the f16
/// constants. A constant that other nodes read as f32 exists in both precisions.
fn halve_constants(
    model: &mut Model,
    forms: &[Form],
    names: &mut Names,
) -> Result<BTreeMap<String, String>, QuantError> {
    let mut readers: BTreeMap<String, BTreeSet<Form>> = BTreeMap::new();
    for (node, form) in model.nodes().iter().zip(forms) {
        for input in &node.input {
            readers.entry(input.clone()).or_default().insert(*form);
        }
    }
    let constants = model.graph().initializer.iter();
    let constants: Vec<String> = constants
        .filter(|t| t.element() == Some(DataType::Float))
        .map(|t| t.name().to_owned())
        .collect();
    let mut halves = BTreeMap::new();
    for name in constants {
        let forms = readers.get(&name);
        if !forms.is_some_and(|f| f.contains(&Form::Half)) {
            continue;
        }
        let (shape, values) = model.initializer_f32(&name)?;
        let values: Vec<f16> = values.into_iter().map(f16::from_f32).collect();
        let half = if forms.is_some_and(|f| f.len() == 1) {
            name.clone()
        } else {
            names.fresh(&format!("{name}.half"))
        };
        model.set_initializer(&half, &shape, &values);
        halves.insert(name, half);
    }
    Ok(halves)
}

#[cfg(test)]
mod tests;
