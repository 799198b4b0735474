//! The two inner loops: rows of pixels times packed weights, and pixels times pixels.
#![expect(
    unsafe_code,
    reason = "tiles are read and written through pointers whose bounds are checked once per row, not once per value"
)]

use crate::lanes::{LANES, Lanes, Task};

/// Number of vectors in the widest panel.
pub(crate) const PANEL: usize = 2;

/// A row of output pixels: `out[p, c] = (old +) sum over i < rows, t < run of x[i * row + p * pixel + t] * w[i, t, c]`.
pub(crate) struct DotRow<'a> {
    /// The input, from the first window's first value on.
    pub(crate) x: &'a [f32],
    /// Distance between the windows of neighbouring pixels.
    pub(crate) pixel: usize,
    pub(crate) rows: usize,
    /// Distance between the rows of one window.
    pub(crate) row: usize,
    pub(crate) run: usize,
    /// `[rows, run, vectors * 16]`.
    pub(crate) weights: &'a [f32],
    pub(crate) vectors: usize,
    /// The output, from the panel's first channel of the first pixel on.
    pub(crate) out: &'a mut [f32],
    pub(crate) out_pixel: usize,
    /// Number of channels, at most `vectors * 16`.
    pub(crate) channels: usize,
    pub(crate) pixels: usize,
    /// Whether to add to `out` instead of overwriting it.
    pub(crate) add: bool,
}

impl Task for DotRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self) {
        if self.pixels == 0 {
            return;
        }
        let last = self.pixels - 1;
        assert!(
            self.rows == 0
                || last * self.pixel + (self.rows - 1) * self.row + self.run <= self.x.len()
        );
        assert!(self.rows * self.run * self.vectors * LANES <= self.weights.len());
        assert!(last * self.out_pixel + self.channels <= self.out.len());
        assert!(self.channels <= self.vectors * LANES);
        // SAFETY: the assertions above check the bounds that `tile` requires.
        unsafe {
            if self.vectors == PANEL {
                self.distance::<L, PANEL>();
            } else {
                assert_eq!(self.vectors, 1, "a panel has one or two vectors");
                self.distance::<L, 1>();
            }
        }
    }
}

impl DotRow<'_> {
    /// # Safety
    /// `x`, `weights` and `out` hold every value that the `pixels` pixels access.
    #[inline(always)]
    unsafe fn distance<L: Lanes, const V: usize>(&mut self) {
        // SAFETY: the caller's promise; each constant equals the distance.
        unsafe {
            match self.pixel {
                16 => self.blocks::<L, V, 16>(),
                32 => self.blocks::<L, V, 32>(),
                64 => self.blocks::<L, V, 64>(),
                128 => self.blocks::<L, V, 128>(),
                256 => self.blocks::<L, V, 256>(),
                _ => self.blocks::<L, V, 0>(),
            }
        }
    }

    /// # Safety
    /// `x`, `weights` and `out` hold every value that the `pixels` pixels access.
    #[inline(always)]
    unsafe fn blocks<L: Lanes, const V: usize, const D: usize>(&mut self) {
        let mut p = 0;
        // SAFETY: every block lies within `pixels`.
        unsafe {
            if L::WIDE {
                if V == 1 {
                    while p + 16 <= self.pixels {
                        self.tile::<L, 16, V, D>(p);
                        p += 16;
                    }
                }
                while p + 8 <= self.pixels {
                    self.tile::<L, 8, V, D>(p);
                    p += 8;
                }
            } else if V == 1 {
                while p + 6 <= self.pixels {
                    self.tile::<L, 6, V, D>(p);
                    p += 6;
                }
            }
            while p + 3 <= self.pixels {
                self.tile::<L, 3, V, D>(p);
                p += 3;
            }
            while p < self.pixels {
                self.tile::<L, 1, V, D>(p);
                p += 1;
            }
        }
    }

    /// # Safety
    /// `x`, `weights` and `out` hold every value that the `P` pixels from `first` on access.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const P: usize, const V: usize, const D: usize>(
        &mut self,
        first: usize,
    ) {
        // The compiler encodes a constant distance in the instructions; a variable one costs registers.
        let pixel = if D == 0 { self.pixel } else { D };
        let mut sums = [[L::splat(0.0); V]; P];
        // SAFETY: the caller's promise; offsets stay below the bounds that `run` checks.
        unsafe {
            let mut w = self.weights.as_ptr();
            let corner = self.x.as_ptr().add(first * pixel);
            for i in 0..self.rows {
                let mut x = corner.add(i * self.row);
                for _ in 0..self.run {
                    let weight: [L; V] = std::array::from_fn(|v| L::load(w.add(v * LANES)));
                    w = w.add(V * LANES);
                    for (p, sums) in sums.iter_mut().enumerate() {
                        let value = L::splat(*x.add(p * pixel));
                        for (sum, weight) in sums.iter_mut().zip(weight) {
                            *sum = sum.fma(value, weight);
                        }
                    }
                    x = x.wrapping_add(1);
                }
            }
            let out = self.out.as_mut_ptr().add(first * self.out_pixel);
            // Loops without branches, so that the sums stay in registers.
            if self.channels == V * LANES {
                for (p, sums) in sums.iter().enumerate() {
                    for (v, sum) in sums.iter().enumerate() {
                        let out = out.add(p * self.out_pixel + v * LANES);
                        if self.add {
                            L::load(out).fma(*sum, L::splat(1.0)).store(out);
                        } else {
                            sum.store(out);
                        }
                    }
                }
            } else {
                let mut whole = [[[0.0f32; LANES]; V]; P];
                for (whole, sums) in whole.iter_mut().zip(&sums) {
                    for (whole, sum) in whole.iter_mut().zip(sums) {
                        sum.store(whole.as_mut_ptr());
                    }
                }
                for (p, whole) in whole.iter().enumerate() {
                    let there = whole.as_flattened().iter().take(self.channels);
                    for (c, value) in there.enumerate() {
                        let out = out.add(p * self.out_pixel + c);
                        *out = if self.add { *out + value } else { *value };
                    }
                }
            }
        }
    }
}

/// One kernel row of an image's weight gradient:
/// `sums[t, c] += sum over y, x of a[y * a_row + x * a_pixel + t] * b[y * b_row + x * b_pixel + c]`.
pub(crate) struct OuterRow<'a> {
    /// The input, from the first window's first value in this kernel row on.
    pub(crate) a: &'a [f32],
    pub(crate) a_pixel: usize,
    pub(crate) a_row: usize,
    /// The output's gradient, from the panel's first channel of the first pixel on. Whole vectors are readable.
    pub(crate) b: &'a [f32],
    pub(crate) b_pixel: usize,
    pub(crate) b_row: usize,
    /// Height and width of the output.
    pub(crate) size: [usize; 2],
    pub(crate) run: usize,
    pub(crate) vectors: usize,
    /// `[run, stride]`, from the panel's first channel on.
    pub(crate) sums: &'a mut [f32],
    pub(crate) stride: usize,
}

impl Task for OuterRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self) {
        let [h, w] = self.size;
        assert!(h > 0 && w > 0 && self.run > 0);
        let reach = |row: usize, pixel: usize| (h - 1) * row + (w - 1) * pixel;
        assert!(reach(self.a_row, self.a_pixel) + self.run <= self.a.len());
        assert!(reach(self.b_row, self.b_pixel) + self.vectors * LANES <= self.b.len());
        assert!((self.run - 1) * self.stride + self.vectors * LANES <= self.sums.len());
        // SAFETY: the assertions above check the bounds that `tile` requires.
        unsafe {
            if self.vectors == PANEL {
                self.blocks::<L, PANEL>();
            } else {
                assert_eq!(self.vectors, 1, "a panel has one or two vectors");
                self.blocks::<L, 1>();
            }
        }
    }
}

impl OuterRow<'_> {
    /// # Safety
    /// `a`, `b` and `sums` hold every value that the whole `run` accesses.
    #[inline(always)]
    unsafe fn blocks<L: Lanes, const V: usize>(&mut self) {
        let mut t = 0;
        // SAFETY: every block lies within `run`.
        unsafe {
            if L::WIDE {
                if V == 1 {
                    while t + 24 <= self.run {
                        self.tile::<L, 24, V>(t);
                        t += 24;
                    }
                    while t + 16 <= self.run {
                        self.tile::<L, 16, V>(t);
                        t += 16;
                    }
                } else {
                    while t + 12 <= self.run {
                        self.tile::<L, 12, V>(t);
                        t += 12;
                    }
                }
                while t + 8 <= self.run {
                    self.tile::<L, 8, V>(t);
                    t += 8;
                }
            } else if V == 1 {
                while t + 6 <= self.run {
                    self.tile::<L, 6, V>(t);
                    t += 6;
                }
            }
            while t + 3 <= self.run {
                self.tile::<L, 3, V>(t);
                t += 3;
            }
            while t < self.run {
                self.tile::<L, 1, V>(t);
                t += 1;
            }
        }
    }

    /// # Safety
    /// `a`, `b` and `sums` hold every value that the `T` values of the run from `first` on access.
    #[inline(always)]
    unsafe fn tile<L: Lanes, const T: usize, const V: usize>(&mut self, first: usize) {
        let [height, width] = self.size;
        // SAFETY: the caller's promise; offsets stay below the bounds that `run` checks.
        unsafe {
            let out = self.sums.as_mut_ptr().add(first * self.stride);
            let mut sums = [[L::splat(0.0); V]; T];
            for (t, sums) in sums.iter_mut().enumerate() {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = L::load(out.add(t * self.stride + v * LANES));
                }
            }
            let corner = self.a.as_ptr().add(first);
            for y in 0..height {
                let mut a = corner.add(y * self.a_row);
                let mut b = self.b.as_ptr().add(y * self.b_row);
                for _ in 0..width {
                    let grads: [L; V] = std::array::from_fn(|v| L::load(b.add(v * LANES)));
                    for (t, sums) in sums.iter_mut().enumerate() {
                        let value = L::splat(*a.add(t));
                        for (sum, grad) in sums.iter_mut().zip(grads) {
                            *sum = sum.fma(value, grad);
                        }
                    }
                    // After the last pixel the pointers may lie behind the slices, but nothing reads them there.
                    a = a.wrapping_add(self.a_pixel);
                    b = b.wrapping_add(self.b_pixel);
                }
            }
            for (t, sums) in sums.iter().enumerate() {
                for (v, sum) in sums.iter().enumerate() {
                    sum.store(out.add(t * self.stride + v * LANES));
                }
            }
        }
    }
}
