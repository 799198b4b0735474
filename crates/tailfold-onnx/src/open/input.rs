//! The input of a classifier: where its channels are, the type of its elements, and whether the graph normalises.

use super::OpenError;
use crate::Model;
use crate::proto::{DataType, NodeProto, TensorShapeProto, TypeValue, ValueInfoProto};
use crate::wires::{Fresh, Wires};

/// Where the channels of an image are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// Where the graph has a length of 1 or 3; first where both places have one, or none has, or where the image would have a
    /// side below 4.
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
    /// Whether the file takes `[N, height, width, channels]`.
    pub channels_last: bool,
    /// Type of the file's elements.
    pub element: DataType,
    /// The first node that subtracts or multiplies by constants before the first layer, if there is one: such a graph
    /// normalises its input itself.
    pub normalised_by: Option<String>,
    original: ValueInfoProto,
    /// Whether the graph differs from the file's at its input.
    adapted: bool,
}

/// No classifier takes smaller images; a shorter second dimension is one of features.
const SMALLEST_SIDE: usize = 4;

const TO_LAST: [i64; 4] = [0, 2, 3, 1];
const TO_FIRST: [i64; 4] = [0, 3, 1, 2];

impl InputPort {
    /// Makes the input of `model` f32 images with the channels first.
    pub(super) fn detach(model: &mut Model, layout: Layout) -> Result<Self, OpenError> {
        let mut original = model.input()?.clone();
        let name = original.name().to_owned();
        let not_image = || OpenError::NotImage {
            name: name.clone(),
            shape: original
                .shape()
                .map_or_else(|| "?".to_owned(), |shape| crate::model::lengths(&shape)),
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
            return Err(OpenError::InputType {
                name,
                found: element.label().to_owned(),
            });
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
        // Doubles are computed as singles.
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

    /// Puts nodes at the front that make the file's input of f32 images with the channels first.
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
            // A byte that went through a division and back may lie just below itself, and a cast cuts.
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
        cancel(model);
    }

    /// The input of the network: the file's, as f32 with the channels first.
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

    /// Gives `model` the file's input again.
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
        cancel(model);
    }
}

/// Makes the elements of `port` those of `element`.
fn retype(port: &mut ValueInfoProto, element: DataType) {
    if let Some(TypeValue::Tensor(tensor)) = port.r#type.as_mut().and_then(|t| t.value.as_mut()) {
        tensor.elem_type = Some(element.into());
    }
}

fn rename_reads<'a>(nodes: impl Iterator<Item = &'a mut NodeProto>, from: &str, to: &str) {
    for node in nodes {
        for input in node.input.iter_mut().filter(|i| *i == from) {
            to.clone_into(input);
        }
    }
}

/// Removes pairs of nodes at the front that undo each other: a Transpose and its inverse, a Cast of whole bytes to a type
/// and back.
fn cancel(model: &mut Model) {
    loop {
        let graph = model.graph();
        let wires = Wires::of(graph);
        let pair = (0..graph.node.len().min(8)).find_map(|first| {
            let before = &graph.node[first];
            let middle = before.output.first()?;
            if wires.is_output(middle) || before.input.is_empty() {
                return None;
            }
            let undone = wires.readers(middle).iter().copied().find(|&next| {
                let after = &graph.node[next];
                undoes(before, after) && !wires.is_output(&after.output[0])
            })?;
            let whole = wires.maker(&before.input[0]).map(|at| &graph.node[at]);
            let source = match whole {
                Some(round) if round.is("Round") && before.is("Cast") => round.input.first()?,
                _ => &before.input[0],
            };
            Some((source.clone(), undone))
        });
        let Some((source, undone)) = pair else { break };
        let graph = model.graph_mut();
        let node = graph.node.remove(undone);
        rename_reads(graph.node.iter_mut(), &node.output[0], &source);
    }
    // What nothing reads any more.
    loop {
        let graph = model.graph_mut();
        let (wires, nodes) = (Wires::of(graph), graph.node.len());
        graph.node.retain(|node| {
            let fronts = ["Transpose", "Cast", "Round"].iter().any(|op| node.is(op));
            let is_read = |o: &String| wires.is_output(o) || !wires.readers(o).is_empty();
            !fronts || node.output.iter().any(is_read)
        });
        if graph.node.len() == nodes {
            break;
        }
    }
}

/// Whether `after` gives the input of `before` again.
fn undoes(before: &NodeProto, after: &NodeProto) -> bool {
    if after.input.len() != 1 || after.output.len() != 1 {
        return false;
    }
    if before.is("Transpose") && after.is("Transpose") {
        let pair = [before.ints("perm"), after.ints("perm")];
        return matches!(
            pair,
            [Some(a), Some(b)]
                if a.len() == b.len()
                    && b.iter().enumerate().all(|(i, &p)| {
                        usize::try_from(p).ok().and_then(|p| a.get(p)) == i64::try_from(i).ok().as_ref()
                    })
        );
    }
    // Images of whole bytes: a narrowing that the network itself takes back at once.
    before.is("Cast")
        && after.is("Cast")
        && after.int("to") == Some(i64::from(i32::from(DataType::Float)))
        && before.int("to") == Some(i64::from(i32::from(DataType::Uint8)))
}

/// Name of the first node before any layer that shifts or scales the image by constants.
fn normalised_by(model: &Model) -> Option<String> {
    let graph = model.graph();
    let wires = Wires::of(graph);
    let mut value = model.input().ok()?.name().to_owned();
    // A layer reads the image sooner or later; twenty nodes of other kinds before it are none of an exporter's.
    for _ in 0..20 {
        let reader = match wires.readers(&value) {
            [reader, ..] => *reader,
            [] => return None,
        };
        let node = &graph.node[reader];
        // A batch normalisation is learned, and stands behind a normalised image as well.
        let shifts = ["Sub", "Add", "Mul", "Div"];
        if shifts.iter().any(|op| node.is(op)) {
            let others = node.input.iter().filter(|i| **i != value);
            let mut others = others.peekable();
            let constant = others.peek().is_some() && others.all(|i| wires.constant(i).is_some());
            return constant.then(|| node.label().to_owned());
        }
        if !(node.is("Cast") || node.is("Transpose") || node.is("Identity")) {
            return None;
        }
        value = node.output.first()?.clone();
    }
    None
}

#[cfg(test)]
mod tests;
