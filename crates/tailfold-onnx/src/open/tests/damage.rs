//! Files that decode to an invalid graph: nodes, attributes and constants are changed at random.

use super::*;

/// One change: its kind, the indices of the changed and of another element, and a number.
type Change = (u8, usize, usize, i64);

const OPERATORS: [&str; 24] = [
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Concat",
    "Constant",
    "Conv",
    "Dropout",
    "Expand",
    "Flatten",
    "Gather",
    "Gemm",
    "Identity",
    "If",
    "MatMul",
    "MaxPool",
    "Pad",
    "Relu",
    "Reshape",
    "Round",
    "Slice",
    "Softmax",
    "Sum",
    "Transpose",
];

fn change(model: &mut Model, (part, which, place, number): Change) {
    let graph = model.graph_mut();
    let (nodes, tensors) = (graph.node.len(), graph.initializer.len());
    let from = graph.node[place % nodes].output.first().cloned();
    let constant = graph.initializer[place % tensors].name().to_owned();
    let node = &mut graph.node[which % nodes];
    let attributes = node.attribute.len().max(1);
    match part {
        0 => node.op_type = Some(OPERATORS[place % OPERATORS.len()].to_owned()),
        1 => node.input.truncate(place % 3),
        2 => node.input.push(constant),
        3 => node.input.extend(from),
        4 => drop(node.attribute.pop()),
        5 => {
            if let Some(attribute) = node.attribute.get_mut(place % attributes) {
                attribute.ints.push(number);
                attribute.i = Some(number);
            }
        }
        6 => {
            let inputs = node.input.len().max(1);
            if let Some(input) = node.input.get_mut(place % inputs) {
                *input = constant;
            }
        }
        7 => {
            *node = node
                .clone()
                .attr_ints("axes", &[number])
                .attr_int("axis", number)
        }
        8 => graph.node.swap(which % nodes, place % nodes),
        9 => {
            let tensor = &mut graph.initializer[which % tensors];
            let values = tensor.values::<i64>().unwrap_or_default();
            let changed: Vec<i64> = values.iter().map(|_| number).collect();
            if !changed.is_empty() {
                *tensor = TensorProto::new(tensor.name(), &[changed.len()], &changed);
            }
        }
        10 => graph.initializer[which % tensors].dims.push(1),
        _ => {
            let name = graph.initializer[which % tensors].name().to_owned();
            model.set_initializer::<f32>(&name, &[0, 1 << 40, place % 3], &[]);
        }
    }
}

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        -5_i64..6,
        prop::sample::select(vec![i64::MIN, i64::MAX, 1 << 20, 1 << 40, -(1 << 40)]),
    ]
}

proptest! {
    #[test]
    fn invalid_graphs_are_opened_or_refused_without_panic(
        changes in prop::collection::vec((0_u8..12, 0_usize..40, 0_usize..40, number()), 1..6),
        opset in prop::sample::select(vec![7, 11, 13, 18]),
        layout in prop::sample::select(vec![Layout::Auto, Layout::ChannelsFirst]),
    ) {
        let mut model = rich(opset);
        for one in changes {
            change(&mut model, one);
        }
        let options = OpenOptions { output: None, layout };
        if let Ok(mut opened) = open(model, None, &options, &none) {
            let _ = crate::simplify(&mut opened.model, &shapes());
            opened.ports.restore(&mut opened.model);
        }
    }
}
