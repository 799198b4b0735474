use super::*;
use crate::canonical;
use crate::fixture::small::{model, node, shown};

#[test]
fn computed_weights_become_initializers() {
    let nodes = vec![
        node("ConstantOfShape", "shape", "zeros"),
        node("Add", "zeros one", "ones"),
        node("Reshape", "ones to", "w"),
        node("Conv", "image w", "scores"),
    ];
    let mut model = model(13, &[1, 2, 2], nodes, &[2, 2, 2]);
    model.set_initializer("shape", &[2], &[2_i64, 1]);
    model.set_initializer_f32("one", &[], &[1.0]);
    model.set_initializer("to", &[4], &[2_i64, 1, 1, 1]);
    canonical(&mut model, None).unwrap();
    assert_eq!(shown(&model), ["Conv(image,w)->scores"]);
    let weight = model.initializer_f32("w").unwrap();
    assert_eq!(weight, (vec![2, 1, 1, 1], vec![1.0, 1.0]));
    let names: Vec<_> = model
        .graph()
        .initializer
        .iter()
        .map(TensorProto::name)
        .collect();
    assert_eq!(names, ["w"], "unused initializers are removed");
}

#[test]
fn too_large_constant_is_error_with_node_name() {
    let nodes = vec![
        node("ConstantOfShape", "shape", "zeros"),
        node("Add", "image zeros", "scores"),
    ];
    let mut model = model(13, &[3], nodes, &[3]);
    model.set_initializer("shape", &[1], &[1_i64 << 40]);
    let error = canonical(&mut model, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "node `zeros`: ConstantOfShape makes more than 134217728 elements"
    );
}

#[test]
fn invalid_slice_and_quantized_constant_stay() {
    let nodes = vec![
        node("Slice", "a one one zero zero", "s"),
        node("DequantizeLinear", "q scale", "d"),
        node("Add", "s d", "t"),
        node("Add", "image t", "scores"),
    ];
    let mut model = model(13, &[3], nodes, &[3]);
    model.set_initializer_f32("a", &[3], &[1.0; 3]);
    model.set_initializer("one", &[1], &[1_i64]);
    model.set_initializer("zero", &[1], &[0_i64]);
    model.set_initializer("q", &[3], &[1_i8; 3]);
    model.set_initializer_f32("scale", &[], &[0.5]);
    let before = shown(&model);
    canonical(&mut model, None).unwrap();
    assert_eq!(
        shown(&model),
        before,
        "a step of 0, and a quantized constant"
    );
}

#[test]
fn total_size_of_folded_constants_is_limited() {
    let nodes = vec![
        node("ConstantOfShape", "shape", "a"),
        node("Concat", "a a", "b").attr_int("axis", 0),
        node("Concat", "b b", "c").attr_int("axis", 0),
        node("Add", "image c", "scores"),
    ];
    let mut model = model(13, &[400], nodes, &[400]);
    model.set_initializer("shape", &[1], &[100_i64]);
    let within = |model: &mut Model, elements| constants(model, &mut Budget::of_elements(elements));
    let error = within(&mut model.clone(), 600).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("node `c`: Concat of constants, and the nodes before it, need more"),
        "{error}"
    );
    within(&mut model, 1301).unwrap();
    assert_eq!(shown(&model), ["Add(image,c)->scores"]);
}

#[test]
fn folded_value_is_written_only_if_a_remaining_node_reads_it() {
    let nodes = vec![
        node("Add", "one one", "two"),
        node("Mul", "two two", "four"),
        node("Exp", "four", "big"),
        node("Add", "image two", "x"),
        node("Custom", "four", "unknown"),
        node("Add", "x unknown", "scores"),
    ];
    let mut model = model(13, &[3], nodes, &[3]);
    model.set_initializer_f32("one", &[1], &[1.0]);
    constants(&mut model, &mut Budget::of_elements(100)).unwrap();
    let expected = [
        "Add(image,two)->x",
        "Custom(four)->unknown",
        "Add(x,unknown)->scores",
    ];
    assert_eq!(shown(&model), expected);
    let names = model.graph().initializer.iter().map(TensorProto::name);
    assert_eq!(names.collect::<Vec<_>>(), ["one", "two", "four"]);
}
