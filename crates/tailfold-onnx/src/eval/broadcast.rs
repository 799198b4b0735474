//! NumPy broadcasting of two shapes.

use super::Unfolded;
use super::value::count;

/// Shape of two tensors after broadcasting. Incompatible shapes are [`Unfolded::Unknown`].
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, Unfolded> {
    let rank = a.len().max(b.len());
    let at = |shape: &[usize], i: usize| {
        i.checked_sub(rank - shape.len())
            .map_or(1, |place| shape[place])
    };
    let shape: Result<Vec<usize>, Unfolded> = (0..rank)
        .map(|i| match (at(a, i), at(b, i)) {
            (1, n) | (n, 1) => Ok(n),
            (n, m) if n == m => Ok(n),
            _ => Err(Unfolded::Unknown),
        })
        .collect();
    let shape = shape?;
    count(&shape)?;
    Ok(shape)
}

/// For each element of a tensor of shape `shape`, the row-major index of the corresponding element of a tensor of shape
/// `other`, which broadcasts to `shape`: its lengths are the same or 1, and leading dimensions may be absent.
pub(super) fn places(shape: &[usize], other: &[usize]) -> Vec<usize> {
    let missing = shape.len() - other.len();
    let mut steps = vec![0; shape.len()];
    let mut step = 1;
    for (i, &length) in other.iter().enumerate().rev() {
        if length != 1 {
            steps[missing + i] = step;
        }
        step *= length;
    }
    let total: usize = shape.iter().product();
    let mut places = Vec::with_capacity(total);
    let mut at = vec![0_usize; shape.len()];
    let mut place = 0;
    for _ in 0..total {
        places.push(place);
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            place += steps[axis];
            if at[axis] < shape[axis] {
                break;
            }
            place -= steps[axis] * shape[axis];
            at[axis] = 0;
        }
    }
    places
}
