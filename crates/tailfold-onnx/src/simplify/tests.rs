use super::*;
use crate::fixture::small::{model, node, shown};

/// Simplifies a graph of `nodes`; `values` are the shapes of its values other than the image.
fn simplified(nodes: Vec<NodeProto>, values: &[(&str, &[usize])]) -> Model {
    let mut model = model(13, &[2, 4, 6], nodes, &[2]);
    for (name, values) in [
        ("both", &[2_i64, 3][..]),
        ("back", &[-2, -1]),
        ("rows", &[2]),
        ("columns", &[-1]),
        ("channels", &[1]),
        ("flat", &[0, 0, -1]),
        ("row", &[0, -1]),
    ] {
        model.set_initializer(name, &[values.len()], values);
    }
    let mut shapes = Shapes::from([("image".to_owned(), vec![1, 2, 4, 6])]);
    shapes.extend(values.iter().map(|(n, s)| ((*n).to_owned(), s.to_vec())));
    simplify(&mut model, &shapes).unwrap();
    crate::check(&model).unwrap();
    model
}

fn becomes(nodes: Vec<NodeProto>, values: &[(&str, &[usize])], expect: &[&str]) {
    assert_eq!(shown(&simplified(nodes, values)), expect);
}

fn mean(inputs: &str, output: &str, keep: bool) -> NodeProto {
    node("ReduceMean", inputs, output).attr_int("keepdims", i64::from(keep))
}

const POOL: [&str; 1] = ["GlobalAveragePool(image)->scores"];
const POOL_AND_FLATTEN: [&str; 2] = [
    "GlobalAveragePool(image)->scores.pooled",
    "Flatten(scores.pooled)->scores",
];

#[test]
fn mean_over_image_becomes_global_average_pool() {
    let image: (&str, &[usize]) = ("scores", &[1, 2, 1, 1]);
    let row: (&str, &[usize]) = ("scores", &[1, 2]);
    for axes in ["both", "back"] {
        let inputs = format!("image {axes}");
        becomes(vec![mean(&inputs, "scores", true)], &[image], &POOL);
        becomes(
            vec![mean(&inputs, "scores", false)],
            &[row],
            &POOL_AND_FLATTEN,
        );
    }
    let attribute = mean("image", "scores", true).attr_ints("axes", &[3, 2]);
    becomes(vec![attribute], &[image], &POOL);
    let pool = node("AveragePool", "image", "scores").attr_ints("kernel_shape", &[4, 6]);
    becomes(vec![pool], &[image], &POOL);
}

#[test]
fn means_over_single_axes_become_one_pool() {
    let image: (&str, &[usize]) = ("scores", &[1, 2, 1, 1]);
    let row: (&str, &[usize]) = ("scores", &[1, 2]);
    let nodes = vec![
        mean("image columns", "m", true),
        mean("m rows", "scores", true),
    ];
    becomes(nodes, &[("m", &[1, 2, 4, 1]), image], &POOL);
    let nodes = vec![
        mean("image rows", "m", true),
        mean("m columns", "scores", true),
    ];
    becomes(nodes, &[("m", &[1, 2, 1, 6]), image], &POOL);
    let nodes = vec![
        mean("image columns", "m", false),
        mean("m columns", "scores", false),
    ];
    becomes(nodes, &[("m", &[1, 2, 4]), row], &POOL_AND_FLATTEN);
    let nodes = vec![
        node("Reshape", "image flat", "m"),
        mean("m columns", "scores", false),
    ];
    becomes(nodes, &[("m", &[1, 2, 24]), row], &POOL_AND_FLATTEN);
}

#[test]
fn third_mean_reads_value_that_still_exists() {
    let nodes = vec![
        mean("image rows", "a", true),
        mean("a columns", "b", true),
        mean("b rows", "scores", true),
    ];
    let values: [(&str, &[usize]); 3] = [
        ("a", &[1, 2, 1, 6]),
        ("b", &[1, 2, 1, 1]),
        ("scores", &[1, 2, 1, 1]),
    ];
    let expected = ["GlobalAveragePool(image)->b", "ReduceMean(b,rows)->scores"];
    becomes(nodes, &values, &expected);
}

#[test]
fn other_means_are_kept() {
    let stays = |nodes: Vec<NodeProto>, values: &[(&str, &[usize])]| {
        let ops: Vec<String> = nodes.iter().map(|n| n.op_type().to_owned()).collect();
        let model = simplified(nodes, values);
        let found: Vec<_> = model.nodes().iter().map(NodeProto::op_type).collect();
        assert_eq!(found, ops);
    };
    stays(
        vec![mean("image channels", "scores", true)],
        &[("scores", &[1, 1, 4, 6])],
    );
    stays(vec![mean("image both", "scores", true)], &[]);
    let pool = node("AveragePool", "image", "scores").attr_ints("kernel_shape", &[4, 6]);
    let padded = pool.clone().attr_ints("pads", &[1, 0, 0, 0]);
    stays(vec![padded], &[("scores", &[1, 2, 2, 1])]);
    let part = pool.attr_ints("kernel_shape", &[4, 5]);
    stays(vec![part], &[("scores", &[1, 2, 1, 2])]);
    // The mean of the columns has another reader.
    let nodes = vec![
        mean("image columns", "m", true),
        mean("m rows", "n", true),
        node("Add", "m n", "scores"),
    ];
    stays(nodes, &[("m", &[1, 2, 4, 1]), ("n", &[1, 2, 1, 1])]);
}

#[test]
fn reshape_to_feature_row_becomes_flatten() {
    for (op, inputs) in [("Reshape", "image row"), ("Squeeze", "image both")] {
        let nodes = vec![node(op, inputs, "scores")];
        becomes(nodes, &[("scores", &[1, 48])], &["Flatten(image)->scores"]);
    }
    let nodes = vec![node("Reshape", "image flat", "scores")];
    becomes(
        nodes,
        &[("scores", &[1, 2, 24])],
        &["Reshape(image,flat)->scores"],
    );
}

#[test]
fn lone_batch_norm_becomes_depthwise_conv() {
    let norm = node("BatchNormalization", "image gamma beta mean var", "scores");
    let mut model = model(
        13,
        &[2, 4, 6],
        vec![norm.attr_float("epsilon", 1.0)],
        &[2, 4, 6],
    );
    for (name, values) in [
        ("gamma", [2.0, 3.0]),
        ("beta", [1.0, -1.0]),
        ("mean", [4.0, 6.0]),
        ("var", [3.0, 8.0]),
    ] {
        model.set_initializer_f32(name, &[2], &values);
    }
    let before = model.clone();
    simplify(&mut model, &Shapes::new()).unwrap();
    assert_eq!(model, before, "the number of channels is unknown");
    let shapes = Shapes::from([("image".to_owned(), vec![1, 2, 4, 6])]);
    simplify(&mut model, &shapes).unwrap();
    let conv = &model.nodes()[0];
    assert_eq!(
        shown(&model),
        ["Conv(image,scores.weight,scores.bias)->scores"]
    );
    assert_eq!(conv.int("group"), Some(2));
    // gamma / sqrt(var + 1) is 1 and 1.
    let weight = model.initializer_f32("scores.weight").unwrap();
    assert_eq!(weight, (vec![2, 1, 1, 1], vec![1.0, 1.0]));
    let bias = model.initializer_f32("scores.bias").unwrap();
    assert_eq!(bias, (vec![2], vec![-3.0, -7.0]));
}

#[test]
fn reshape_of_sequence_first_features_is_kept() {
    // For one image, features [length, N, channels] of length 1 look like [N, 1, channels].
    let sequence = |last: NodeProto| vec![node("Reshape", "image any", "s"), last];
    let keeps = |last: NodeProto| {
        let expected = format!("{}({})->scores", last.op_type(), last.input.join(","));
        let mut model = model(13, &[2, 4, 6], sequence(last), &[48]);
        model.set_initializer("any", &[3], &[1_i64, -1, 48]);
        model.set_initializer("front", &[1], &[0_i64]);
        model.set_initializer("middle", &[1], &[1_i64]);
        model.set_initializer("open", &[2], &[-1_i64, 48]);
        model.set_initializer("copied", &[2], &[0_i64, -1]);
        let shapes = [
            ("image", vec![1, 2, 4, 6]),
            ("s", vec![1, 1, 48]),
            ("scores", vec![1, 48]),
        ];
        let shapes: Shapes = shapes.map(|(n, s)| (n.to_owned(), s)).into();
        simplify(&mut model, &shapes).unwrap();
        shown(&model)[1] == expected
    };
    assert!(keeps(node("Squeeze", "s front", "scores")));
    assert!(!keeps(node("Squeeze", "s middle", "scores")));
    assert!(keeps(node("Reshape", "s open", "scores")));
    assert!(!keeps(node("Reshape", "s copied", "scores")));
}

#[test]
fn transpose_that_moves_the_batch_is_kept() {
    let nodes = vec![
        node("Reshape", "image any", "s"),
        node("Transpose", "s", "t").attr_ints("perm", &[1, 0, 2]),
        node("Reshape", "t row", "scores"),
    ];
    let mut model = model(13, &[2, 4, 6], nodes, &[48]);
    model.set_initializer("any", &[3], &[1_i64, -1, 48]);
    model.set_initializer("row", &[2], &[0_i64, -1]);
    let one = |name: &str| (name.to_owned(), vec![1, 1, 48]);
    let mut shapes: Shapes = ["s", "t"].map(one).into();
    shapes.insert("scores".to_owned(), vec![1, 48]);
    simplify(&mut model, &shapes).unwrap();
    assert_eq!(
        shown(&model)[1..],
        ["Transpose(s)->t", "Flatten(t)->scores"]
    );
}
