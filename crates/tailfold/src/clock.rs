//! Time measurement, on platforms with a clock.

/// Runs `work` and returns its result and its time in milliseconds. The time is NaN in WebAssembly, whose standard
/// library has no clock and panics when asked for the time.
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
