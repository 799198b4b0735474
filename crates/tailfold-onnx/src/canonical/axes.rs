//! Axes of Squeeze, counted from the front and in ascending order: tract reads no other form from an input.

use super::branches::before;
use super::budget::Budget;
use crate::proto::TensorProto;
use crate::wires::Fresh;
use crate::{Model, Shapes};

/// Rewrites negative or unsorted axes of each Squeeze, if the file or `infer` gives the rank of its input.
/// Axes beyond `budget` are not changed.
pub(super) fn from_front(model: &mut Model, infer: &dyn Fn(&Model) -> Shapes, budget: &mut Budget) {
    if !model.nodes().iter().any(|n| n.is("Squeeze")) {
        return;
    }
    let mut names = Fresh::of(model.graph());
    let mut shapes = Shapes::new();
    for index in 0..model.nodes().len() {
        let node = &model.nodes()[index];
        let axes = node.input.get(1).filter(|_| node.is("Squeeze"));
        let axes = axes.and_then(|a| model.graph().find_initializer(a));
        let Some(axes) = axes.and_then(|a| a.values::<i64>().ok()) else {
            continue;
        };
        // tract removes the dimensions one after the other, so the order matters.
        if axes.is_sorted() && axes.iter().all(|&a| a >= 0) {
            continue;
        }
        let input = node.input[0].clone();
        let declared = model.graph().find_value(&input).and_then(|v| v.shape());
        let rank = declared.map(|shape| shape.len());
        let known = rank.is_some() || shapes.contains_key(&input);
        if !known && budget.inference(index).is_some() {
            shapes = infer(&before(model, index));
        }
        let Some(rank) = rank.or_else(|| shapes.get(&input).map(Vec::len)) else {
            continue;
        };
        let rank = i64::try_from(rank).unwrap_or(i64::MAX);
        let mut axes: Vec<i64> = axes
            .into_iter()
            .map(|a| if a < 0 { a.saturating_add(rank) } else { a })
            .collect();
        axes.sort_unstable();
        let graph = model.graph_mut();
        let name = names.name(&format!("{}.axes", graph.node[index].label()));
        graph.node[index].input[1].clone_from(&name);
        graph
            .initializer
            .push(TensorProto::new(name, &[axes.len()], &axes));
    }
}
