//! The input of a classifier: its layout, its element type, and whether the graph normalises it.

use cancel::cancel;

use crate::proto::{DataType, NodeProto, TensorShapeProto, TypeValue, ValueInfoProto};
use crate::wires::Fresh;
use crate::{Model, OnnxError, OnnxErrorKind};

mod cancel;

/// Layout of an image tensor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Channels last if dimension 3 has length 1 or 3, dimension 1 has not, and dimensions 1 and 2 are at least 4 or
    /// not fixed; channels first otherwise.
    #[default]
    Auto,
    /// `[N, channels, height, width]`.
    ChannelsFirst,
    /// `[N, height, width, channels]`.
    ChannelsLast,
}

/// The input of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct InputPort {
    /// Whether the layout is `[N, height, width, channels]`.
    pub channels_last: bool,
    /// Element type of the file's input; f32 in place of f64.
    pub element: DataType,
    /// Name of the node before the first layer that adds, subtracts, multiplies or divides by constants, if there is
    /// one: such a graph normalises its input itself.
    pub normalised_by: Option<String>,
    original: ValueInfoProto,
    /// Whether [`InputPort::adapt`] changed the input of the graph.
    adapted: bool,
}

/// Smallest height and width of an image: a shorter dimension is taken for the channels of a feature map.
const SMALLEST_SIDE: usize = 4;

/// `perm` from channels first to channels last.
const TO_LAST: [i64; 4] = [0, 2, 3, 1];

/// `perm` from channels last to channels first.
const TO_FIRST: [i64; 4] = [0, 3, 1, 2];

impl InputPort {
    /// Makes the input of `model` f32 images `[N, channels, height, width]`, and returns the port of the file.
    pub(super) fn detach(model: &mut Model, layout: Layout) -> Result<Self, OnnxError> {
        let mut original = model.input()?.clone();
        let name = original.name().to_owned();
        let not_image = || {
            let shape = original.shape();
            let shape = shape.map_or_else(|| "?".to_owned(), |s| crate::model::lengths(&s));
            OnnxErrorKind::Ports.error(format!(
                "input `{name}` has the shape {shape}, expected images [N, channels, height, width] \
                 or [N, height, width, channels]"
            ))
        };
        let shape: [Option<usize>; 4] = original
            .shape()
            .and_then(|s| s.try_into().ok())
            .ok_or_else(not_image)?;
        let element = original.element().unwrap_or(DataType::Undefined);
        let known = [
            DataType::Float,
            DataType::Float16,
            DataType::Double,
            DataType::Uint8,
        ];
        if !known.contains(&element) {
            return Err(OnnxErrorKind::Ports.error(format!(
                "input `{name}` has elements of type {found}; images are f32, f16, f64 or uint8",
                found = element.label()
            )));
        }
        let colours = |d: Option<usize>| matches!(d, Some(1 | 3));
        let channels_last = match layout {
            Layout::ChannelsFirst => false,
            Layout::ChannelsLast => true,
            Layout::Auto => {
                let side = |d: Option<usize>| d.is_none_or(|d| d >= SMALLEST_SIDE);
                !colours(shape[1]) && colours(shape[3]) && side(shape[1]) && side(shape[2])
            }
        };
        // The network computes in f32: `canonical` has rounded its f64 constants.
        let element = if element == DataType::Double {
            retype(&mut original, DataType::Float);
            model.graph_mut().input = vec![original.clone()];
            DataType::Float
        } else {
            element
        };
        let adapted = channels_last || element != DataType::Float;
        let mut port = Self {
            channels_last,
            element,
            normalised_by: None,
            original,
            adapted,
        };
        if adapted {
            port.adapt(model);
        }
        port.normalised_by = normalised_by(model);
        Ok(port)
    }

    /// Inserts nodes that convert f32 images with the channels first to the input of the file.
    fn adapt(&self, model: &mut Model) {
        let name = self.original.name();
        let graph = model.graph_mut();
        let mut names = Fresh::of(graph);
        let given = names.name(&format!("{name}.as_given"));
        rename_reads(graph.node.iter_mut(), name, &given);
        let mut front = Vec::new();
        let mut value = name.to_owned();
        let typed = self.element != DataType::Float;
        if self.channels_last {
            let to = if typed {
                names.name(&format!("{name}.channels_last"))
            } else {
                given.clone()
            };
            front.push(
                NodeProto::new("Transpose", names.name(&to), [&value], [&to])
                    .attr_ints("perm", &TO_LAST),
            );
            value = to;
        }
        if self.element == DataType::Uint8 {
            // A byte that is divided and multiplied back may end just below the integer; Cast truncates.
            let whole = names.name(&format!("{name}.whole"));
            front.push(NodeProto::new(
                "Round",
                names.name(&whole),
                [&value],
                [&whole],
            ));
            value = whole;
        }
        if typed {
            let to = i64::from(i32::from(self.element));
            front.push(
                NodeProto::new("Cast", names.name(&given), [&value], [&given]).attr_int("to", to),
            );
        }
        graph.node.splice(0..0, front);
        graph.input = vec![self.images()];
        cancel(model, (self.element == DataType::Uint8).then_some(&given));
    }

    /// The input of the network: the input of the file, as f32 with the channels first.
    fn images(&self) -> ValueInfoProto {
        let mut port = self.original.clone();
        retype(&mut port, DataType::Float);
        if let Some(TypeValue::Tensor(tensor)) = port.r#type.as_mut().and_then(|t| t.value.as_mut())
            && let (true, Some(TensorShapeProto { dim })) = (self.channels_last, &mut tensor.shape)
        {
            // [N, h, w, c] to [N, c, h, w].
            dim[1..].rotate_right(1);
        }
        port
    }

    /// Gives `model` the input of the file back.
    pub(super) fn restore(&self, model: &mut Model) {
        if !self.adapted {
            return;
        }
        let name = self.original.name();
        let graph = model.graph_mut();
        let mut names = Fresh::of(graph);
        let images = names.name(&format!("{name}.images"));
        rename_reads(graph.node.iter_mut(), name, &images);
        let mut front = Vec::new();
        let mut value = name.to_owned();
        let typed = self.element != DataType::Float;
        if typed {
            let to = if self.channels_last {
                names.name(&format!("{name}.float"))
            } else {
                images.clone()
            };
            front.push(
                NodeProto::new("Cast", names.name(&to), [&value], [&to])
                    .attr_int("to", i64::from(i32::from(DataType::Float))),
            );
            value = to;
        }
        if self.channels_last {
            front.push(
                NodeProto::new("Transpose", names.name(&images), [&value], [&images])
                    .attr_ints("perm", &TO_FIRST),
            );
        }
        graph.node.splice(0..0, front);
        graph.input = vec![self.original.clone()];
        cancel(model, None);
    }
}

/// Sets the element type of `port`.
fn retype(port: &mut ValueInfoProto, element: DataType) {
    if let Some(TypeValue::Tensor(tensor)) = port.r#type.as_mut().and_then(|t| t.value.as_mut()) {
        tensor.elem_type = Some(element.into());
    }
}

/// Makes every node that reads `from` read `to`.
fn rename_reads<'a>(nodes: impl Iterator<Item = &'a mut NodeProto>, from: &str, to: &str) {
    for node in nodes {
        for input in node.input.iter_mut().filter(|i| *i == from) {
            to.clone_into(input);
        }
    }
}

/// Name of the node before the first layer that shifts or scales the image by constants.
fn normalised_by(model: &Model) -> Option<String> {
    let graph = model.graph();
    let constant = |name: &str| graph.find_initializer(name);
    let mut value = model.input().ok()?.name();
    // The bound limits the time on a hostile graph; exporters write fewer nodes before the first layer.
    for _ in 0..20 {
        let mut readers = graph.consumers(value);
        let node = readers.find(|n| !n.is("Shape"))?;
        // BatchNormalization does not count: its parameters are learned, and its input may be normalised already.
        let shifts = ["Sub", "Add", "Mul", "Div"];
        if shifts.iter().any(|op| node.is(op)) {
            let others = node.input.iter().filter(|i| *i != value);
            let mut others = others.peekable();
            let constant = others.peek().is_some() && others.all(|i| constant(i).is_some());
            return constant.then(|| node.label().to_owned());
        }
        // A Gather of a constant list of channels reorders them.
        let indices = node.input.get(1).and_then(|i| constant(i));
        let swaps = node.is("Gather") && indices.is_some_and(|i| i.dims.len() == 1);
        if !(swaps
            || ["Cast", "Transpose", "Identity"]
                .iter()
                .any(|op| node.is(op)))
        {
            return None;
        }
        value = node.output.first()?;
    }
    None
}

#[cfg(test)]
mod tests;
