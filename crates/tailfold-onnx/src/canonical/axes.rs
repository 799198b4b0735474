//! Axes of Squeeze counted from the front, ascending: tract takes no others as an input.

use super::branches::before;
use crate::proto::TensorProto;
use crate::wires::Fresh;
use crate::{Model, Shapes};

/// Rewrites the negative axes of each Squeeze, where `infer` tells the rank of its input.
pub(super) fn from_front(model: &mut Model, infer: &dyn Fn(&Model) -> Shapes) {
    for index in 0..model.nodes().len() {
        let node = &model.nodes()[index];
        let axes = node.input.get(1).filter(|_| node.is("Squeeze"));
        let axes = axes.and_then(|a| model.graph().find_initializer(a));
        let Some(axes) = axes.and_then(|a| a.values::<i64>().ok()) else {
            continue;
        };
        // tract takes them away one after the other.
        if axes.is_sorted() && axes.iter().all(|&a| a >= 0) {
            continue;
        }
        let shapes = infer(&before(model, index));
        let Some(rank) = shapes.get(&model.nodes()[index].input[0]).map(Vec::len) else {
            continue;
        };
        let rank = i64::try_from(rank).unwrap_or(i64::MAX);
        let mut axes: Vec<i64> = axes
            .into_iter()
            .map(|a| if a < 0 { a.saturating_add(rank) } else { a })
            .collect();
        axes.sort_unstable();
        let graph = model.graph_mut();
        let name = Fresh::of(graph).name(&format!("{}.axes", graph.node[index].label()));
        graph.node[index].input[1].clone_from(&name);
        graph
            .initializer
            .push(TensorProto::new(name, &[axes.len()], &axes));
    }
}
