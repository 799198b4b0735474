//! Statistics of latencies, in constant memory.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::answers::Row;

/// Counts of images, and their latencies.
pub(super) struct Latency {
    /// Latencies in microseconds.
    spread: Histogram<u64>,
    failed: u64,
}

impl Default for Latency {
    fn default() -> Self {
        // From one microsecond to one hour, with three significant digits.
        let spread = Histogram::new_with_bounds(1, 3_600_000_000, 3);
        Self {
            spread: spread.expect("the constant bounds are valid"),
            failed: 0,
        }
    }
}

impl Latency {
    pub(super) fn add(&mut self, row: &Row) {
        match &row.answer {
            Ok(answer) => {
                let time = Duration::from_secs_f64(answer.latency_ms / 1e3);
                let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
                self.spread.saturating_record(time.max(1));
            }
            Err(_) => self.failed += 1,
        }
    }

    /// Number of images that were classified.
    pub(super) fn images(&self) -> u64 {
        self.spread.len()
    }

    /// Number of all images.
    pub(super) fn all(&self) -> u64 {
        self.images() + self.failed
    }

    /// Number of images that could not be classified.
    pub(super) fn failed(&self) -> u64 {
        self.failed
    }

    /// Returns a line of text with the counts, the rate over `time` and the latencies.
    pub(super) fn line(&self, time: Duration) -> String {
        let ms = |quantile| self.spread.value_at_quantile(quantile) as f64 / 1e3;
        let all = self.all();
        let seconds = time.as_secs_f64();
        format!(
            "{all} images in {seconds:.1} s ({:.0} per second), {} failed; preprocessing and network: median {:.2} ms, 95 % within {:.2} ms, all within {:.2} ms",
            all as f64 / seconds.max(1e-9),
            self.failed,
            ms(0.5),
            ms(0.95),
            ms(1.0)
        )
    }
}
