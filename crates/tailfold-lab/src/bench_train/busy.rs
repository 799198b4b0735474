//! Load of the machine by other programs than the measurement.

use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use tailfold_console::jobs;

const STAT: &str = "/proc/stat";

/// Measures for 300 ms how many cores other programs keep busy. No contender may run meanwhile.
pub(super) fn cores() -> anyhow::Result<f64> {
    let before = jiffies(&fs::read_to_string(STAT).context(STAT)?)?;
    thread::sleep(Duration::from_millis(300));
    let after = jiffies(&fs::read_to_string(STAT).context(STAT)?)?;
    let [total, idle] = [0, 1].map(|at| after[at].saturating_sub(before[at]) as f64);
    ensure!(total > 0.0, "{STAT} stands still");
    Ok(jobs::cores() as f64 * (1.0 - idle / total))
}

/// Total time and idle time of all cores since boot, from the first line of `/proc/stat`.
fn jiffies(stat: &str) -> anyhow::Result<[u64; 2]> {
    let line = stat
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("cpu "));
    let fields = line.with_context(|| format!("{STAT} does not begin with `cpu`"))?;
    let fields: Vec<u64> = fields
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .context(STAT)?;
    // User, nice, system, idle, I/O wait, two kinds of interrupts, stolen; user time includes the time of guests.
    ensure!(
        fields.len() >= 8,
        "{STAT} has {} fields, expected 8",
        fields.len()
    );
    Ok([fields[..8].iter().sum(), fields[3] + fields[4]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn io_wait_counts_as_idle() {
        let [total, idle] = jiffies("cpu  10 1 5 80 4 0 0 2 9 9\ncpu0 1 1 1 1\n").unwrap();
        assert_eq!((total, idle), (102, 84));
        for broken in [
            "",
            "cpu0 1 2 3 4 5 6 7 8",
            "cpu 1 2 3",
            "cpu 1 2 x 4 5 6 7 8",
        ] {
            assert!(jiffies(broken).is_err(), "{broken}");
        }
    }
}
