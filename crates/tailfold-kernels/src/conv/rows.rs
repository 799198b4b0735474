//! The inner loop of all products: neighbouring pixels times one block of sixteen filters.
#![expect(
    unsafe_code,
    reason = "tiles are read through pointers whose bounds are checked once per layer, not once per value"
)]

use crate::lanes::{Form, LANES, Lanes};

/// Multiplies `P` pixels by packed weights and adds the products to `first`.
///
/// Pixels begin at `x` and are `pixel` codes apart. Each pixel has one run per offset in `taps`, and a run is
/// `steps * DEPTH` codes that lie side by side. `weights` is `[taps, steps, 16 filters, DEPTH]`.
///
/// # Safety
/// For every tap, `(P - 1) * pixel + tap + DEPTH * steps` codes can be read from `x` on, and `weights` has its full
/// shape.
#[inline(always)]
pub(crate) unsafe fn tile<F: Form, L: Lanes, const P: usize>(
    first: L,
    x: *const F::Code,
    pixel: usize,
    taps: &[usize],
    steps: usize,
    weights: *const F::Code,
) -> [L; P] {
    let mut sums = [first; P];
    let mut weights = weights;
    for &tap in taps {
        // SAFETY: the caller's promise, here and below.
        let mut x = unsafe { x.add(tap) };
        for _ in 0..steps {
            // SAFETY: as above.
            unsafe {
                let w = F::load::<L>(weights);
                for (p, sum) in sums.iter_mut().enumerate() {
                    *sum = F::dot(*sum, w, F::splat::<L>(x.add(p * pixel)));
                }
                weights = weights.add(F::DEPTH * LANES);
                x = x.add(F::DEPTH);
            }
        }
    }
    sums
}

/// Work on tiles of neighbouring pixels.
pub(crate) trait Tiles {
    /// Computes the `P` pixels from `first` on.
    fn tile<L: Lanes, const P: usize>(&mut self, first: usize);
}

/// Splits `pixels` into tiles of nearly equal size that fit the registers.
#[inline(always)]
pub(crate) fn in_tiles<L: Lanes>(pixels: usize, work: &mut impl Tiles) {
    let mut tiles = pixels.div_ceil(L::TILE);
    let mut first = 0;
    while tiles > 0 {
        let size = (pixels - first).div_ceil(tiles);
        match size {
            1 => work.tile::<L, 1>(first),
            2 => work.tile::<L, 2>(first),
            3 => work.tile::<L, 3>(first),
            4 => work.tile::<L, 4>(first),
            5 if L::TILE > 4 => work.tile::<L, 5>(first),
            6 if L::TILE > 4 => work.tile::<L, 6>(first),
            7 if L::TILE > 6 => work.tile::<L, 7>(first),
            8 if L::TILE > 6 => work.tile::<L, 8>(first),
            9 if L::TILE > 6 => work.tile::<L, 9>(first),
            10 if L::TILE > 6 => work.tile::<L, 10>(first),
            11 if L::TILE > 6 => work.tile::<L, 11>(first),
            12 if L::TILE > 6 => work.tile::<L, 12>(first),
            _ => unreachable!("no tile has more than {} pixels", L::TILE),
        }
        first += size;
        tiles -= 1;
    }
}
