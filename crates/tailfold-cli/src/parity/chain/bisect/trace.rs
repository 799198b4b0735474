//! The noise of every tensor that both models have: in total, from its node alone, and from its quantization alone.

use anyhow::ensure;
use rayon::prelude::*;
use tailfold_onnx::proto::NodeProto;
use tailfold_parity::chain::bisect::{Decibel, Noise, NoiseOf, Trace};
use tailfold_tract::TensorObserver;

use super::assemble::{assemble, reference_name, reference_node};
use super::images::Images;
use super::pair::Pair;

/// Prefix of the names of INT8 nodes that read the float model's values.
const ALONE: &str = "alone/";

/// Prefix of the names of quantized values of the float model.
const CODES: &str = "codes/";

/// Largest number of images. The sums run over all values of a tensor, so few images are enough.
const MOST: usize = 64;

/// Images per task.
const CHUNK: usize = 8;

/// The value that is compared with the float model's value of a tensor.
#[derive(Clone, Copy)]
enum Look {
    All,
    Node,
    Codes,
}

/// A graph of both models, with copies of the INT8 model's nodes and quantizations that read the float model's values.
struct Both {
    nodes: Vec<NodeProto>,
    /// Values to observe: index of the tensor, kind of the comparison, name of the value.
    looks: Vec<(usize, Look, String)>,
}

/// Measures the noise of each of the pair's tensors on the first `images`.
pub(super) fn trace(pair: &Pair, images: &Images) -> anyhow::Result<Trace> {
    let both = Both::of(pair);
    let inner = &pair.tensors[1..];
    let mut names: Vec<String> = inner.iter().map(|t| reference_name(pair, t)).collect();
    names.extend(both.looks.iter().map(|(_, _, name)| name.clone()));
    let bytes = assemble(pair, both.nodes);
    let observer = TensorObserver::from_onnx(&bytes, "the two models as one graph", &names)?;
    // At most half of the images are flips, which come first in the list.
    let images: Vec<&Vec<f32>> = {
        let half = MOST / 2;
        let (flips, others) = images.inputs.split_at(images.flips);
        flips
            .iter()
            .take(half)
            .chain(others.iter().take(half))
            .collect()
    };
    let sums = images
        .par_chunks(CHUNK)
        .map(|chunk| {
            let mut sums = vec![Noise::default(); both.looks.len()];
            for &image in chunk {
                let mut values = vec![Vec::new(); names.len()];
                observer.observe(image, |tensor, found| values[tensor] = found.to_vec())?;
                let (wanted, found) = values.split_at(inner.len());
                for (((tensor, _, name), found), sum) in both.looks.iter().zip(found).zip(&mut sums)
                {
                    let wanted = tensor.checked_sub(1).map_or(image, |inner| &wanted[inner]);
                    ensure!(
                        wanted.len() == found.len(),
                        "`{}` has {} values in the float model, and {} as `{name}` in the other",
                        pair.tensors[*tensor],
                        wanted.len(),
                        found.len()
                    );
                    sum.add(wanted, found);
                }
            }
            Ok(sums)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    // Sums are added in the order of the images, so they do not depend on threads.
    let mut total = vec![Noise::default(); both.looks.len()];
    for sums in &sums {
        total.iter_mut().zip(sums).for_each(|(t, s)| t.merge(s));
    }
    let unseen = NoiseOf {
        all: Decibel::Exact,
        node: None,
        codes: None,
    };
    let mut traced = vec![unseen; pair.tensors.len()];
    for ((tensor, look, _), sum) in both.looks.iter().zip(&total) {
        let (db, to) = (sum.decibel(), &mut traced[*tensor]);
        match look {
            Look::All => to.all = db,
            Look::Node => to.node = Some(db),
            Look::Codes => to.codes = Some(db),
        }
    }
    Ok(Trace {
        tensors: traced,
        images: images.len(),
    })
}

impl Both {
    fn of(pair: &Pair) -> Self {
        let reference = pair.reference.model.nodes().iter();
        let mut both = Self {
            nodes: reference.map(|node| reference_node(pair, node)).collect(),
            looks: Vec::new(),
        };
        both.nodes.extend_from_slice(pair.candidate.model.nodes());
        for (number, tensor) in pair.tensors.iter().enumerate() {
            let codes = pair.codes(tensor);
            let read = codes.and_then(|[_, dequantize]| dequantize.output.first());
            if number > 0 || read.is_some() {
                let read = read.unwrap_or(tensor).clone();
                both.looks.push((number, Look::All, read));
            }
            if let Some(pair_of_nodes) = codes {
                both.codes_alone(pair, number, tensor, pair_of_nodes);
            }
            both.node_alone(pair, number, tensor);
        }
        both
    }

    /// Adds the Q/DQ pair of `tensor`, applied to the float model's value.
    fn codes_alone(
        &mut self,
        pair: &Pair,
        number: usize,
        tensor: &str,
        [quantize, dequantize]: [&NodeProto; 2],
    ) {
        let (Some(codes), Some(value)) = (quantize.output.first(), dequantize.output.first())
        else {
            return;
        };
        let (codes, value) = (format!("{CODES}{codes}"), format!("{CODES}{value}"));
        let put = |node: &NodeProto, input: String, output: &String| {
            let mut node = node.clone();
            node.name = Some(format!("{CODES}{}", node.label()));
            node.input[0] = input;
            node.output[0].clone_from(output);
            node
        };
        let wanted = reference_name(pair, tensor);
        self.nodes.push(put(quantize, wanted, &codes));
        self.nodes.push(put(dequantize, codes, &value));
        self.looks.push((number, Look::Codes, value));
    }

    /// Adds the INT8 model's node that computes `tensor`, with the float model's values as its inputs.
    fn node_alone(&mut self, pair: &Pair, number: usize, tensor: &str) {
        let candidate = &pair.candidate;
        let Some(own) = candidate.producer(tensor) else {
            return;
        };
        let mut node = own.clone();
        node.name = Some(format!("{ALONE}{}", own.label()));
        for input in &mut node.input {
            if candidate.is_constant(input) {
                continue;
            }
            let root = candidate.root(input);
            if !pair.has(root) {
                return;
            }
            *input = reference_name(pair, root);
        }
        for output in &mut node.output {
            *output = format!("{ALONE}{output}");
        }
        self.looks
            .push((number, Look::Node, format!("{ALONE}{tensor}")));
        // A node with several outputs is added once.
        if !self.nodes.iter().any(|n| n.name() == node.name()) {
            self.nodes.push(node);
        }
    }
}
