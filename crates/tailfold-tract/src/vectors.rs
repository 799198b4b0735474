//! Plain loops on the widest vectors that the processor has.

/// A loop that is worth wide vectors.
pub trait Loop {
    /// What it finds.
    type Output;

    /// Runs it. This and all that it calls have to be `#[inline(always)]`: only what is inlined gets wide vectors.
    fn run(self) -> Self::Output;
}

/// Runs `work` compiled for AVX2 where the processor has it, and as it is elsewhere. The compiler fuses no product with a
/// sum and keeps the order of sums, so both give the same bits.
#[inline]
pub fn vectorized<L: Loop>(work: L) -> L::Output {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        #[expect(unsafe_code, reason = "vector instructions are chosen at run time")]
        // SAFETY: the processor has them.
        return unsafe { avx2(work) };
    }
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<L: Loop>(work: L) -> L::Output {
    work.run()
}
