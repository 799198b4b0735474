//! How long something takes, where there is a clock.

/// What `work` returns, and the milliseconds that it took: not a number in WebAssembly, whose standard library has no clock
/// and panics when asked for one.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    cfg_select! {
        target_family = "wasm" => { (work(), f64::NAN) }
        _ => {
            let started = std::time::Instant::now();
            let done = work();
            (done, started.elapsed().as_secs_f64() * 1e3)
        }
    }
}
