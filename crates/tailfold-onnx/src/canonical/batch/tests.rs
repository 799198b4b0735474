use super::*;
use crate::fixture::small::{model, node};
use crate::proto::{DataType, NodeProto};

/// The target of the Reshape `last` of a model with a fixed batch of 8 images, and its attribute `allowzero`.
fn target(last: NodeProto, to: &[i64]) -> (Vec<i64>, Option<i64>) {
    let rows = node("Flatten", "image", "rows").attr_int("axis", 2);
    let mut model = model(14, &[49, 3, 1], vec![rows, last], &[147]);
    for port in &mut model.graph_mut().input {
        let lengths = [8, 49, 3, 1].map(Dimension::fixed);
        *port = ValueInfoProto::tensor("image", DataType::Float, lengths.to_vec());
    }
    let lengths = [392, 3].map(Dimension::fixed).to_vec();
    let rows = ValueInfoProto::tensor("rows", DataType::Float, lengths);
    model.graph_mut().value_info.push(rows);
    model.set_initializer("to", &[to.len()], to);
    open(&mut model);
    let batch = model.input().unwrap().shape().unwrap()[0];
    assert_eq!(batch, None);
    let last = model.nodes().last().unwrap();
    let target = model.initializer::<i64>(&last.input[1]).unwrap().1;
    (target, last.int("allowzero"))
}

#[test]
fn fixed_batch_size_in_reshape_becomes_open() {
    let image = node("Reshape", "image to", "scores");
    assert_eq!(target(image.clone(), &[8, -1]), (vec![0, -1], None));
    assert_eq!(target(image.clone(), &[8, 147]), (vec![-1, 147], None));
    assert_eq!(target(image.clone(), &[8, 0, 3]), (vec![-1, 0, 3], None));
    assert_eq!(target(image, &[4, -1]), (vec![4, -1], None));
}

#[test]
fn reshape_of_rows_of_all_images_infers_batch_size() {
    let rows = node("Reshape", "rows to", "scores");
    assert_eq!(target(rows.clone(), &[8, 49, 3]), (vec![-1, 49, 3], None));
    // Neither 0 nor a second -1 gives the batch size.
    assert_eq!(target(rows, &[8, -1]), (vec![8, -1], None));
}

#[test]
fn opened_reshape_has_no_allowzero() {
    let image = node("Reshape", "image to", "scores").attr_int("allowzero", 1);
    assert_eq!(target(image.clone(), &[8, -1]), (vec![0, -1], None));
    assert_eq!(target(image, &[8, 0, 3]), (vec![8, 0, 3], Some(1)));
}
