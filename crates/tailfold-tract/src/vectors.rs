//! Plain loops, compiled for the widest vector extension of the processor.

/// A loop that benefits from wide vectors.
pub trait Loop {
    /// Result of the loop.
    type Output;

    /// Runs the loop. This function and all that it calls must be `#[inline(always)]`: only inlined code is
    /// compiled for wide vectors.
    fn run(self) -> Self::Output;
}

/// Runs `work` compiled for AVX2 if the processor supports it, and for the baseline instruction set
/// otherwise. The compiler neither fuses products with sums nor reorders sums, so both give the same bits.
#[inline]
pub fn vectorized<L: Loop>(work: L) -> L::Output {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "vector instructions are chosen at run time")]
        // SAFETY: the processor supports AVX2.
        return unsafe { avx2(work) };
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<L: Loop>(work: L) -> L::Output {
    work.run()
}
