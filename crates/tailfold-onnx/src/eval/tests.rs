//! Golden values from onnx 1.23.2 (`ReferenceEvaluator`) and ONNX Runtime 1.32.0, which agree on each value.

mod limits;

use super::value::Data;
use super::*;
use crate::fixture::small::node;

pub(super) fn ints(shape: &[usize], values: &[i64]) -> Value {
    let mut value = Value::ints(values.to_vec());
    value.shape = shape.to_vec();
    value
}

pub(super) fn row(values: &[i64]) -> Value {
    Value::ints(values.to_vec())
}

pub(super) fn reals(shape: &[usize], values: &[f32]) -> Value {
    Value {
        element: DataType::Float,
        shape: shape.to_vec(),
        data: Data::Real(values.iter().map(|&v| f64::from(v)).collect()),
    }
}

/// A tensor with the elements 0, 1, 2, ...
pub(super) fn counted(shape: &[usize]) -> Value {
    let values: Vec<i64> = (0..).take(shape.iter().product()).collect();
    ints(shape, &values)
}

pub(super) fn apply(node: &NodeProto, inputs: &[&Value]) -> Folded {
    let inputs: Vec<Option<&Value>> = inputs.iter().map(|v| Some(*v)).collect();
    evaluate(node, &inputs)
}

pub(super) fn op(name: &str) -> NodeProto {
    node(name, "", "y")
}

fn gives(node: &NodeProto, inputs: &[&Value], shape: &[usize], values: &[i64]) {
    let expected = ints(shape, values);
    assert_eq!(apply(node, inputs), Ok(expected), "{}", node.op_type());
}

#[test]
fn shape_operators_match_onnx() {
    let a = counted(&[2, 3]);
    let six = [0, 1, 2, 3, 4, 5];
    gives(&op("Reshape"), &[&a, &row(&[3, -1])], &[3, 2], &six);
    gives(&op("Reshape"), &[&a, &row(&[0, 3, 1])], &[2, 3, 1], &six);
    gives(&op("Reshape"), &[&a, &row(&[-1, 0])], &[2, 3], &six);
    let empty = op("Reshape").attr_int("allowzero", 1);
    gives(&empty, &[&counted(&[0, 3]), &row(&[3, 0])], &[3, 0], &[]);
    let b = counted(&[2, 3, 4]);
    let flat: Vec<i64> = (0..24).collect();
    gives(&op("Flatten").attr_int("axis", -1), &[&b], &[6, 4], &flat);
    gives(&op("Unsqueeze"), &[&a, &row(&[0, -1])], &[1, 2, 3, 1], &six);
    let c = counted(&[1, 2, 1, 3]);
    gives(&op("Squeeze"), &[&c, &row(&[-2])], &[1, 2, 3], &six);
    gives(&op("Squeeze"), &[&c], &[2, 3], &six);
    gives(&op("Shape").attr_int("start", -2), &[&b], &[2], &[3, 4]);
    let middle = op("Shape").attr_int("start", 1).attr_int("end", -1);
    gives(&middle, &[&b], &[1], &[3]);
}

#[test]
fn transpose_follows_perm() {
    let order = op("Transpose").attr_ints("perm", &[2, 0, 1]);
    let turned = [
        0, 4, 8, 12, 16, 20, 1, 5, 9, 13, 17, 21, 2, 6, 10, 14, 18, 22, 3, 7, 11, 15, 19, 23,
    ];
    gives(&order, &[&counted(&[2, 3, 4])], &[4, 2, 3], &turned);
    let reversed = [0, 3, 1, 4, 2, 5];
    gives(&op("Transpose"), &[&counted(&[2, 3])], &[3, 2], &reversed);
}

#[test]
fn slice_accepts_negative_indices_and_steps() {
    let a = counted(&[2, 3]);
    let slice = |x: &Value, parts: [&[i64]; 4], shape: &[usize], values: &[i64]| {
        let [starts, ends, axes, steps] = parts.map(row);
        gives(
            &op("Slice"),
            &[x, &starts, &ends, &axes, &steps],
            shape,
            values,
        );
    };
    slice(&a, [&[-1], &[-1000], &[1], &[-2]], &[2, 2], &[2, 0, 5, 3]);
    let b = counted(&[2, 3, 4]);
    let parts: [&[i64]; 4] = [&[5, -2], &[-9, 2_147_483_647], &[2, 1], &[-3, 1]];
    slice(&b, parts, &[2, 2, 2], &[7, 4, 11, 8, 19, 16, 23, 20]);
    slice(&a, [&[2], &[1], &[0], &[1]], &[0, 3], &[]);
    let last = i64::MAX;
    slice(&a, [&[1], &[last], &[1], &[last]], &[2, 1], &[1, 4]);
    let two = [&a, &row(&[0, 1]), &row(&[99, 2])];
    gives(&op("Slice"), &two, &[2, 1], &[1, 4]);
}

#[test]
fn gather_concat_expand_where_and_range_match_onnx() {
    let a = counted(&[2, 3]);
    let along = op("Gather").attr_int("axis", 1);
    let picked = ints(&[2, 2], &[2, -3, 0, 1]);
    let expected = [2, 0, 0, 1, 5, 3, 3, 4];
    gives(&along, &[&a, &picked], &[2, 2, 2], &expected);
    gives(
        &op("Gather"),
        &[&row(&[5, 6, 7]), &ints(&[], &[-1])],
        &[],
        &[7],
    );
    let join = op("Concat").attr_int("axis", -1);
    let column = ints(&[2, 1], &[0, 3]);
    gives(&join, &[&a, &column], &[2, 4], &[0, 1, 2, 0, 3, 4, 5, 3]);
    let spread = [&ints(&[2, 1], &[1, 2]), &row(&[3, 1, 2])];
    let expected = [1, 1, 2, 2, 1, 1, 2, 2, 1, 1, 2, 2];
    gives(&op("Expand"), &spread, &[3, 2, 2], &expected);
    gives(
        &op("Expand"),
        &[&a, &row(&[1, 1])],
        &[2, 3],
        &[0, 1, 2, 3, 4, 5],
    );
    let truths = Value::truths(vec![2, 1], vec![true, false]);
    let values = [&truths, &row(&[1, 2, 3]), &ints(&[2, 1], &[7, 8])];
    gives(&op("Where"), &values, &[2, 3], &[1, 2, 3, 8, 8, 8]);
    let limits = [5, -4, -3].map(|v| ints(&[], &[v]));
    let [start, limit, step] = &limits;
    gives(&op("Range"), &[start, limit, step], &[3], &[5, 2, -1]);
}

#[test]
fn reductions_read_axes_from_attribute_or_input() {
    let x = reals(&[2, 3], &[1.0, 2.5, -3.0, 0.1, 0.2, 0.7]);
    let mean = op("ReduceMean");
    let rows = mean
        .clone()
        .attr_ints("axes", &[-1])
        .attr_int("keepdims", 0);
    let expected = reals(&[2], &[0.166_666_67, 0.333_333_34]);
    assert_eq!(apply(&rows, &[&x]), Ok(expected));
    let expected = reals(&[1, 3], &[0.55, 1.35, -1.15]);
    assert_eq!(apply(&mean, &[&x, &row(&[0])]), Ok(expected));
    assert_eq!(apply(&mean, &[&x]), Ok(reals(&[1, 1], &[0.25])));
    let none = mean.attr_int("noop_with_empty_axes", 1);
    assert_eq!(apply(&none, &[&x, &row(&[])]), Ok(x));
    let a = counted(&[2, 3]);
    let product = op("ReduceProd").attr_ints("axes", &[1]);
    gives(&product, &[&a], &[2, 1], &[0, 60]);
    let sum = op("ReduceSum").attr_int("keepdims", 0);
    gives(&sum, &[&a, &row(&[0])], &[3], &[3, 5, 7]);
    let largest = op("ReduceMax").attr_int("keepdims", 0);
    gives(&largest.attr_ints("axes", &[0, 1]), &[&a], &[], &[5]);
}

#[test]
fn integer_division_truncates_towards_zero() {
    let a = row(&[7, -7, 7, -7]);
    gives(
        &op("Div"),
        &[&a, &row(&[2, 2, -2, -2])],
        &[4],
        &[3, -3, -3, 3],
    );
    let b = row(&[3, 3, -3, -3]);
    gives(&op("Mod"), &[&a, &b], &[4], &[1, 2, -2, -1]);
    let of_c = op("Mod").attr_int("fmod", 1);
    assert_eq!(apply(&of_c, &[&a, &b]), Err(Unfolded::Unknown));
}

#[test]
fn casts_truncate_to_integers_and_round_floats() {
    let cast = |to: DataType| op("Cast").attr_int("to", i64::from(i32::from(to)));
    let x = reals(&[6], &[2.9, -2.9, 0.0, 65_519.0, 65_520.0, 1e-8]);
    let whole = [2, -2, 0, 65_519, 65_520, 0];
    gives(&cast(DataType::Int64), &[&x], &[6], &whole);
    let halves = apply(&cast(DataType::Float16), &[&x]).unwrap();
    let expected = [
        2.900_390_625,
        -2.900_390_625,
        0.0,
        65_504.0,
        f64::INFINITY,
        0.0,
    ];
    assert_eq!(halves.data, Data::Real(expected.to_vec()));
    let truths = apply(&cast(DataType::Bool), &[&x]).unwrap();
    assert_eq!(truths.data, Data::Int(vec![1, 1, 0, 1, 1, 1]));
    let tenth = Value {
        element: DataType::Double,
        data: Data::Real(vec![0.1]),
        shape: vec![1],
    };
    let single = apply(&cast(DataType::Float), &[&tenth]);
    assert_eq!(single, Ok(reals(&[1], &[0.1])));
    let squares = apply(&op("Pow"), &[&reals(&[2], &[2.5, -3.0]), &row(&[2])]);
    assert_eq!(squares, Ok(reals(&[2], &[6.25, 9.0])));
}

#[test]
fn nan_operand_makes_maximum_and_minimum_nan() {
    let x = reals(&[2], &[f32::NAN, 1.0]);
    let y = reals(&[2], &[1.0, f32::NAN]);
    let all_nan = |node: &NodeProto, inputs: &[&Value], count: usize| {
        let result = apply(node, inputs).unwrap();
        let Data::Real(values) = &result.data else {
            panic!("{}", node.op_type())
        };
        let found = values.iter().filter(|v| v.is_nan()).count();
        assert_eq!(found, count, "{}", node.op_type());
    };
    for name in ["Max", "Min"] {
        all_nan(&op(name), &[&x, &y], 2);
        all_nan(&op(&format!("Reduce{name}")), &[&x], 1);
        all_nan(&op(&format!("Reduce{name}")), &[&y], 1);
    }
    all_nan(&op("Relu"), &[&x], 1);
}

#[test]
fn batch_normalization_of_constants_matches_onnx() {
    let x: Vec<f32> = (0_u8..6).map(f32::from).collect();
    let x = reals(&[1, 2, 3], &x);
    let [scale, bias] = [[1.5, -2.0], [0.5, 1.0]].map(|v| reals(&[2], &v));
    let [mean, var] = [[1.0, 4.0], [0.25, 2.0]].map(|v| reals(&[2], &v));
    let node = op("BatchNormalization").attr_float("epsilon", 1e-3);
    let found = apply(&node, &[&x, &scale, &bias, &mean, &var]).unwrap();
    let expected = [-2.494_018, 0.5, 3.494_018, 2.413_860_3, 1.0, -0.413_860_2];
    assert_eq!(found.shape, [1, 2, 3]);
    let Data::Real(values) = found.data else {
        panic!("{found:?}")
    };
    for (value, expected) in values.iter().zip(expected) {
        assert!((value - expected).abs() < 1e-6, "{values:?}");
    }
    let short = reals(&[1], &[1.0]);
    let unequal = apply(&node, &[&x, &short, &bias, &mean, &var]);
    assert_eq!(unequal, Err(Unfolded::Unknown));
    let training = node.attr_int("training_mode", 1);
    let trained = apply(&training, &[&x, &scale, &bias, &mean, &var]);
    assert_eq!(trained, Err(Unfolded::Unknown));
}
