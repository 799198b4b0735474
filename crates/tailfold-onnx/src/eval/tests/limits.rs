//! Inputs that violate an operator's specification, and results that are too large to allocate.

use super::*;

fn unknown(node: &NodeProto, inputs: &[&Value]) {
    let found = apply(node, inputs);
    assert_eq!(found, Err(Unfolded::Unknown), "{}", node.op_type());
}

fn too_large(node: &NodeProto, inputs: &[&Value]) {
    let found = apply(node, inputs);
    assert_eq!(found, Err(Unfolded::TooLarge), "{}", node.op_type());
}

#[test]
fn too_large_results_are_refused_before_allocation() {
    let large = row(&[1 << 40]);
    too_large(&op("Reshape"), &[&counted(&[4]), &large]);
    too_large(&op("Expand"), &[&counted(&[1]), &large]);
    too_large(&op("ConstantOfShape"), &[&large]);
    let [zero, one] = [0, 1].map(|v| ints(&[], &[v]));
    too_large(&op("Range"), &[&zero, &ints(&[], &[1 << 40]), &one]);
    let rows = ints(&[1 << 14, 1], &[1; 1 << 14]);
    let columns = ints(&[1, 1 << 14], &[1; 1 << 14]);
    too_large(&op("Add"), &[&rows, &columns]);
    let condition = Value::truths(vec![1], vec![true]);
    too_large(&op("Where"), &[&condition, &rows, &columns]);
}

#[test]
fn empty_tensors_with_huge_lengths_are_refused() {
    let hidden = row(&[1 << 40, 1 << 40, 0]);
    too_large(&op("ConstantOfShape"), &[&hidden]);
    too_large(&op("Expand"), &[&counted(&[1]), &hidden]);
    let keep = op("Reshape").attr_int("allowzero", 1);
    too_large(&keep, &[&counted(&[0]), &hidden]);
    let file = crate::proto::TensorProto::new("huge", &[0, 1 << 40, 1 << 40], &[0_i64; 0]);
    assert_eq!(Value::read(&file).unwrap(), None);
}

#[test]
fn empty_results_take_no_time() {
    let empty = counted(&[1 << 27, 0]);
    let join = op("Concat").attr_int("axis", 1);
    assert_eq!(apply(&join, &[&empty; 1000]), Ok(empty.clone()));
}

#[test]
fn ranks_above_the_limit_are_not_folded() {
    let ones = row(&vec![1; 10_000]);
    unknown(&op("Reshape"), &[&counted(&[1]), &ones]);
    unknown(&op("Unsqueeze"), &[&counted(&[1]), &ones]);
    unknown(&op("ConstantOfShape"), &[&ones]);
}

#[test]
fn invalid_slices_are_not_folded() {
    let a = counted(&[2, 3]);
    let slice = |x: &Value, axes: &[i64], step: i64| {
        let n = axes.len();
        let [starts, ends] = [2, -9].map(|v| row(&vec![v; n]));
        apply(
            &op("Slice"),
            &[x, &starts, &ends, &row(axes), &row(&vec![step; n])],
        )
    };
    assert_eq!(slice(&a, &[0], 0), Err(Unfolded::Unknown));
    assert_eq!(slice(&a, &[7], 1), Err(Unfolded::Unknown));
    assert_eq!(slice(&a, &[i64::MIN], 1), Err(Unfolded::Unknown));
    assert_eq!(slice(&a, &[1, -1], i64::MAX), Err(Unfolded::Unknown));
    assert_eq!(slice(&a, &[1], i64::MIN), Err(Unfolded::Unknown));
    let empty = counted(&[0, 3]);
    assert_eq!(slice(&empty, &[0], -1), Ok(empty.clone()));
}

#[test]
fn out_of_range_integers_are_not_folded() {
    let int32 = |values: &[i64]| row(values).cast(DataType::Int32).unwrap();
    let high = int32(&[i64::from(i32::MAX), 1]);
    unknown(&op("ReduceSum"), &[&high]);
    unknown(&op("Add"), &[&high, &high]);
    unknown(&op("Neg"), &[&int32(&[i64::from(i32::MIN)])]);
    unknown(&op("Div"), &[&row(&[1]), &row(&[0])]);
    unknown(&op("Mod"), &[&row(&[1]), &row(&[0])]);
    unknown(&op("Mul"), &[&row(&[i64::MAX]), &row(&[2])]);
    let cast = |to: DataType| op("Cast").attr_int("to", i64::from(i32::from(to)));
    unknown(&cast(DataType::Uint8), &[&row(&[256])]);
    for value in [f32::NAN, f32::INFINITY, 1e30] {
        unknown(&cast(DataType::Int64), &[&reals(&[1], &[value])]);
    }
    unknown(&cast(DataType::String), &[&row(&[1])]);
}

#[test]
fn invalid_shapes_and_indices_are_not_folded() {
    let a = counted(&[2, 3]);
    for to in [&[4, 2][..], &[-1, -1], &[-2], &[0, 0, 0, 0], &[-1, 0, 0, 0]] {
        unknown(&op("Reshape"), &[&a, &row(to)]);
    }
    unknown(&op("Transpose").attr_ints("perm", &[0, 0]), &[&a]);
    unknown(&op("Transpose").attr_ints("perm", &[0]), &[&a]);
    unknown(&op("Gather"), &[&a, &row(&[2])]);
    unknown(&op("Gather"), &[&a, &row(&[-3])]);
    unknown(&op("Squeeze"), &[&a, &row(&[0])]);
    unknown(&op("Flatten").attr_int("axis", 3), &[&a]);
    unknown(&op("Concat").attr_int("axis", 0), &[&a, &counted(&[2, 2])]);
    unknown(&op("Add"), &[&a, &counted(&[2])]);
    unknown(&op("Add"), &[&a, &reals(&[1], &[1.0])]);
    unknown(&op("ReduceSum"), &[&a, &row(&[2])]);
}

#[test]
fn operators_of_other_domains_are_not_folded() {
    let mut identity = op("Identity");
    assert!(apply(&identity, &[&row(&[1])]).is_ok());
    identity.domain = Some("com.example".to_owned());
    unknown(&identity, &[&row(&[1])]);
}
