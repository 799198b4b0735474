//! How long images take, in memory that does not grow.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::answers::Row;

/// Counts of images, and how long they took.
pub(super) struct Latency {
    /// In units of a microsecond.
    spread: Histogram<u64>,
    failed: u64,
}

impl Default for Latency {
    fn default() -> Self {
        // From a microsecond to an hour, to a thousandth.
        let spread = Histogram::new_with_bounds(1, 3_600_000_000, 3);
        Self {
            spread: spread.expect("constant bounds that a histogram takes"),
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

    /// Images that were classified.
    pub(super) fn images(&self) -> u64 {
        self.spread.len()
    }

    /// Images, classified or not.
    pub(super) fn all(&self) -> u64 {
        self.images() + self.failed
    }

    /// Images that were not.
    pub(super) fn failed(&self) -> u64 {
        self.failed
    }

    /// How it went in `time`, for people.
    pub(super) fn line(&self, time: Duration) -> String {
        let ms = |quantile| self.spread.value_at_quantile(quantile) as f64 / 1e3;
        let all = self.all();
        let seconds = time.as_secs_f64();
        format!(
            "{all} images in {seconds:.1} s ({:.0} a second), {} failed; preparing and network: median {:.2} ms, 95 % within {:.2} ms, all within {:.2} ms",
            all as f64 / seconds.max(1e-9),
            self.failed,
            ms(0.5),
            ms(0.95),
            ms(1.0)
        )
    }
}
