//! Elementwise functions in a float graph, which the integer kernels compute with a lookup table.

use std::collections::BTreeSet;

use tailfold_integer::is_elementwise;
use tailfold_onnx::proto::NodeProto;

use super::wires::Wires;

/// Largest number of operators of a function, as in the integer kernels.
const LONGEST: usize = 64;

/// The operators of an elementwise function of one tensor.
pub(super) struct Function {
    pub(super) nodes: BTreeSet<usize>,
    /// Every read of that tensor in the function, as node and input index.
    pub(super) reads: Vec<(usize, usize)>,
}

impl Function {
    /// Returns the longest function that ends with the node `end`.
    ///
    /// `None` when it depends on more than one tensor, when that tensor is not known to be an image or a row, or when
    /// the function is linear or a clamp, which needs no table.
    pub(super) fn ending(wires: &Wires<'_>, end: usize) -> Option<Self> {
        takes_one_value(wires, end).then_some(())?;
        let mut nodes = BTreeSet::from([end]);
        loop {
            let sources = sources(wires, &nodes);
            // An elementwise operator becomes part of the function if only the function reads its result.
            let makers = sources.iter().filter(|source| !wires.is_output(source));
            let makers = makers.filter(|source| {
                let mut readers = wires.readers(source).iter();
                readers.all(|(reader, _)| nodes.contains(reader))
            });
            let makers = makers.filter_map(|source| wires.maker(source));
            let makers: Vec<usize> = makers.filter(|&m| takes_one_value(wires, m)).collect();
            // A clamp behind a layer is fused into the layer, and its result has a smaller range and so a finer scale.
            let (clamps, others): (Vec<usize>, Vec<usize>) = makers
                .into_iter()
                .partition(|&m| is_clamp_of_a_layer(wires, m));
            match (&clamps[..], &others[..], sources.len()) {
                ([], [], _) | (_, [], 0 | 1) => break,
                (clamps, [], _) => nodes.extend(clamps),
                (_, others, _) => nodes.extend(others),
            }
            if nodes.len() > LONGEST {
                return None;
            }
        }
        let sources = sources(wires, &nodes);
        let source = *sources.first().filter(|_| sources.len() == 1)?;
        let rank = wires.shape(source)?.len();
        let scalars = nodes.iter().flat_map(|&n| &wires.nodes[n].input);
        let mut scalars = scalars.filter(|input| wires.is_constant(input));
        let fits = wires.is_image_or_row(source) && scalars.all(|s| wires.is_scalar(s, rank));
        let of_function = |(reader, _): &&(usize, usize)| nodes.contains(reader);
        let reads = wires.readers(source).iter().filter(of_function);
        let reads = reads.copied().collect();
        (fits && bends(wires, &nodes)).then_some(Self { nodes, reads })
    }
}

/// Returns the non-constant tensors that `nodes` read and do not make.
fn sources<'a>(wires: &Wires<'a>, nodes: &BTreeSet<usize>) -> Vec<&'a str> {
    let inputs = nodes.iter().flat_map(|&n| varying(wires, &wires.nodes[n]));
    let outside = |tensor: &&str| wires.maker(tensor).is_none_or(|m| !nodes.contains(&m));
    let sources: BTreeSet<&str> = inputs.filter(outside).collect();
    sources.into_iter().collect()
}

/// Returns the non-constant inputs of `node`.
fn varying<'a>(wires: &Wires<'_>, node: &'a NodeProto) -> impl Iterator<Item = &'a str> {
    let names = node.input.iter().map(String::as_str);
    names.filter(|name| !name.is_empty() && !wires.is_constant(name))
}

/// Returns whether node `index` is elementwise, and its constants are scalars.
fn takes_one_value(wires: &Wires<'_>, index: usize) -> bool {
    let node = &wires.nodes[index];
    let mut constants = node.input.iter().filter(|input| wires.is_constant(input));
    is_elementwise(node)
        && node.output.len() == 1
        && constants.all(|constant| wires.is_scalar(constant, 4))
        && varying(wires, node).next().is_some()
}

/// Returns whether node `index` is a Relu or Clip of a result that is not elementwise itself.
fn is_clamp_of_a_layer(wires: &Wires<'_>, index: usize) -> bool {
    let node = &wires.nodes[index];
    let clamp = node.is("Relu") || node.is("Clip");
    let before = node.input.first().and_then(|input| wires.maker(input));
    clamp && before.is_none_or(|before| !takes_one_value(wires, before))
}

/// Returns whether `nodes` compute more than a linear function or a clamp.
fn bends(wires: &Wires<'_>, nodes: &BTreeSet<usize>) -> bool {
    let any = |operators: &[&str], several: bool| {
        nodes.iter().map(|&n| &wires.nodes[n]).any(|node| {
            operators.contains(&node.op_type()) && (varying(wires, node).count() > 1) == several
        })
    };
    let lines = ["Add", "Sub", "Mul", "Div"];
    let clamps = ["Relu", "Clip", "Min", "Max"];
    let known = [&lines[..], &clamps, &["Identity"]].concat();
    let others = nodes
        .iter()
        .any(|&n| !known.contains(&wires.nodes[n].op_type()));
    others || any(&known, true) || any(&lines, false) && any(&clamps, false)
}
