//! Cells of affine scores in a rectangle of the plane, as polygons.

/// A point in the plane.
pub(super) type Point = [f64; 2];

/// Scores `a x + b y + c` of all classes, `[C]`.
pub(super) type Heads = [[f64; 3]];

/// Number of directions in which the search looks for the edge of a level set.
const RAYS: u32 = 120;

/// Grid cells per side in the search for points of a level set.
const GRID: u32 = 64;

/// A rectangle given by its lower left and upper right corner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) low: Point,
    pub(super) high: Point,
}

impl Frame {
    fn corners(&self) -> [Point; 4] {
        let ([left, bottom], [right, top]) = (self.low, self.high);
        [[left, bottom], [right, bottom], [right, top], [left, top]]
    }

    /// Distance from `start`, a point inside the frame, to the edge of the frame in the direction `to`.
    fn reach(&self, start: Point, to: Point) -> f64 {
        (0..2).fold(f64::INFINITY, |reach, axis| {
            let edge = if to[axis] > 0.0 { self.high } else { self.low };
            let far = (edge[axis] - start[axis]) / to[axis];
            if far.is_finite() {
                reach.min(far)
            } else {
                reach
            }
        })
    }
}

fn score([a, b, c]: [f64; 3], [x, y]: Point) -> f64 {
    a * x + b * y + c
}

/// The part of `frame` where `class` has the largest score: a convex polygon, empty when the class has no cell.
pub(super) fn cell(heads: &Heads, class: usize, frame: &Frame) -> Vec<Point> {
    let mut polygon = frame.corners().to_vec();
    for other in heads {
        let ahead = |p: Point| score(heads[class], p) - score(*other, p);
        polygon = clipped(&polygon, ahead);
    }
    polygon
}

/// The part of a convex `polygon` where the affine function `ahead` is not negative (Sutherland and Hodgman).
fn clipped(polygon: &[Point], ahead: impl Fn(Point) -> f64) -> Vec<Point> {
    let mut kept = Vec::with_capacity(polygon.len() + 1);
    for (at, &p) in polygon.iter().enumerate() {
        let q = polygon[(at + 1) % polygon.len()];
        let (p_ahead, q_ahead) = (ahead(p), ahead(q));
        if p_ahead >= 0.0 {
            kept.push(p);
        }
        if p_ahead * q_ahead < 0.0 {
            let part = p_ahead / (p_ahead - q_ahead);
            kept.push([0, 1].map(|axis| p[axis] + part * (q[axis] - p[axis])));
        }
    }
    kept
}

/// The probability of `class` in `softmax(scores / temperature)` at `place`.
fn probability(heads: &Heads, class: usize, temperature: f64, place: Point) -> f64 {
    let own = score(heads[class], place);
    let others = heads
        .iter()
        .map(|head| ((score(*head, place) - own) / temperature).exp());
    1.0 / others.sum::<f64>()
}

/// The part of `frame` where `class` has at least the probability `least`; empty when no point of the grid is in it.
///
/// The part is convex: it is a sublevel set of a sum of exponentials of affine functions.
pub(super) fn level_set(
    heads: &Heads,
    class: usize,
    temperature: f64,
    least: f64,
    frame: &Frame,
) -> Vec<Point> {
    let at = |place| probability(heads, class, temperature, place);
    let along = |axis: usize, step: u32| {
        let part = f64::from(step) / f64::from(GRID);
        frame.low[axis] + part * (frame.high[axis] - frame.low[axis])
    };
    let inside: Vec<Point> = (0..=GRID * GRID + 2 * GRID)
        .map(|i| [along(0, i % (GRID + 1)), along(1, i / (GRID + 1))])
        .filter(|&place| at(place) >= least)
        .collect();
    if inside.is_empty() {
        return inside;
    }
    // A convex set contains the mean of its points.
    let middle =
        [0, 1].map(|axis| inside.iter().map(|p| p[axis]).sum::<f64>() / inside.len() as f64);
    let turns = (0..RAYS).map(|ray| std::f64::consts::TAU * f64::from(ray) / f64::from(RAYS));
    // A corner of the frame may be a corner of the set.
    let corners = frame.corners().map(|[x, y]| {
        (y - middle[1])
            .atan2(x - middle[0])
            .rem_euclid(std::f64::consts::TAU)
    });
    let mut turns: Vec<f64> = turns.chain(corners).collect();
    turns.sort_by(f64::total_cmp);
    let edge = |turn: f64| {
        let to = [turn.cos(), turn.sin()];
        let place = |far: f64| [0, 1].map(|axis| middle[axis] + far * to[axis]);
        let (mut near, mut far) = (0.0, frame.reach(middle, to).max(0.0));
        if at(place(far)) >= least {
            return place(far);
        }
        for _ in 0..40 {
            let half = f64::midpoint(near, far);
            *(if at(place(half)) >= least {
                &mut near
            } else {
                &mut far
            }) = half;
        }
        place(near)
    };
    turns.into_iter().map(edge).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame = Frame {
        low: [-1.0, -1.0],
        high: [3.0, 1.0],
    };

    fn area(polygon: &[Point]) -> f64 {
        let next = polygon.iter().cycle().skip(1);
        let twice: f64 = polygon
            .iter()
            .zip(next)
            .map(|(p, q)| p[0] * q[1] - p[1] * q[0])
            .sum();
        twice / 2.0
    }

    #[test]
    fn cells_tile_frame_and_move_with_offset() {
        let mut heads = [[2.0, 0.0, 0.0], [-1.0, 1.5, 0.2], [-1.0, -1.0, 0.1]];
        let areas = |heads: &Heads| [0, 1, 2].map(|class| area(&cell(heads, class, &FRAME)));
        let before = areas(&heads);
        assert!(
            (before.iter().sum::<f64>() - 8.0).abs() < 1e-9,
            "{before:?}"
        );
        heads[1][2] += 1.0;
        let after = areas(&heads);
        assert!((after.iter().sum::<f64>() - 8.0).abs() < 1e-9, "{after:?}");
        assert!(after[1] > before[1] && after[0] < before[0] && after[2] < before[2]);
        heads[2][2] = -100.0;
        assert!(cell(&heads, 2, &FRAME).is_empty());
    }

    #[test]
    fn straight_boundary_matches_closed_form() {
        // The cell is x >= 1, half of the frame.
        let heads = [[1.0, 0.0, -1.0], [0.0, 0.0, 0.0]];
        assert!((area(&cell(&heads, 0, &FRAME)) - 4.0).abs() < 1e-12);
        // p >= 3/4 of two classes means s / temperature >= ln 3.
        let set = level_set(&heads, 0, 0.5, 0.75, &FRAME);
        let expected = 2.0 * (2.0 - 0.5 * 3.0_f64.ln());
        assert!((area(&set) - expected).abs() < 1e-2, "{}", area(&set));
        assert!(set.iter().all(|p| p[0] >= 1.0 + 0.5 * 3.0_f64.ln() - 1e-9));
        assert!(level_set(&heads, 1, 10.0, 0.9, &FRAME).is_empty());
    }

    #[test]
    fn level_sets_fill_their_cells_as_temperature_falls() {
        let heads = [[2.0, 0.0, 0.0], [-1.0, 1.5, 0.2], [-1.0, -1.0, 0.1]];
        let hard = area(&cell(&heads, 1, &FRAME));
        let soft = |t| area(&level_set(&heads, 1, t, 0.9, &FRAME));
        assert!(soft(0.3) < soft(0.1) && soft(0.1) < hard);
        assert!((soft(0.001) - hard).abs() < 0.03, "{} {hard}", soft(0.001));
    }
}
