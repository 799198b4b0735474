//! The report of a benchmark.

use serde::Serialize;

use super::contender::{Ready, Turn};

/// `bench --json`, schema `tailfold.bench/1`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) schema: &'static str,
    pub(super) machine: String,
    /// Number of rounds; each contender has one turn per round.
    pub(super) rounds: usize,
    /// Number of images per turn of the first contender.
    pub(super) images: usize,
    /// One row per contender; ratios are relative to the first one.
    pub(super) rows: Vec<Row>,
}

/// One contender.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) kernel: String,
    pub(super) threads: usize,
    /// Wall time per image.
    pub(super) wall_ms: Spread,
    /// CPU time per image, as in [`Turn::cpu_ms`].
    pub(super) cpu_ms: Spread,
    /// Wall time relative to the first contender, median over the rounds.
    pub(super) ratio: f64,
    /// Smallest and largest ratio of the rounds.
    pub(super) ratio_range: [f64; 2],
    /// The same ratio of CPU time, which other load on the machine hardly changes. Under load, wall time favours
    /// contenders whose images end before the scheduler takes the core away.
    pub(super) cpu_ratio: f64,
    /// Smallest and largest ratio of the rounds.
    pub(super) cpu_ratio_range: [f64; 2],
    pub(super) cold_start_ms: f64,
    pub(super) peak_rss_bytes: Option<u64>,
    /// Size of the model file.
    pub(super) file_bytes: Option<u64>,
    /// Size of the program, or of the library of another runtime, with debug information.
    pub(super) binary_bytes: Option<u64>,
    /// Class of the first image: contenders that compute the same network should agree.
    pub(super) first_class: usize,
}

/// Minimum, median and 95th percentile of measured times.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) p95: f64,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |share: usize| {
            let index = (values.len() * share / 100).min(values.len().saturating_sub(1));
            values.get(index).copied().unwrap_or(f64::NAN)
        };
        Self {
            min: at(0),
            median: at(50),
            p95: at(95),
        }
    }
}

impl Row {
    /// Summarises the `turns` of a contender, with the ratios to the turns of the `first` contender in the same round.
    pub(super) fn of(name: &str, ready: &Ready, turns: &[Turn], first: &[Turn]) -> Self {
        let wall = |t: &Turn| Spread::of(t.wall_ms.iter().copied()).median;
        let cpu = |t: &Turn| Spread::of(t.cpu_ms.iter().copied()).median;
        let over = |of: &dyn Fn(&Turn) -> f64| -> Vec<f64> {
            turns
                .iter()
                .zip(first)
                .map(|(a, b)| of(a) / of(b))
                .collect()
        };
        let (ratios, cpu_ratios) = (over(&wall), over(&cpu));
        let range = |ratios: &[f64]| {
            [f64::min, f64::max].map(|f| ratios.iter().copied().reduce(f).unwrap_or(f64::NAN))
        };
        Self {
            name: name.to_owned(),
            kernel: ready.kernel.clone(),
            threads: ready.threads,
            wall_ms: Spread::of(turns.iter().flat_map(|t| t.wall_ms.iter().copied())),
            cpu_ms: Spread::of(turns.iter().flat_map(|t| t.cpu_ms.iter().copied())),
            ratio: Spread::of(ratios.iter().copied()).median,
            ratio_range: range(&ratios),
            cpu_ratio: Spread::of(cpu_ratios.iter().copied()).median,
            cpu_ratio_range: range(&cpu_ratios),
            cold_start_ms: ready.cold_start_ms,
            peak_rss_bytes: None,
            file_bytes: None,
            binary_bytes: ready.binary_bytes,
            first_class: ready.class,
        }
    }
}

impl Report {
    /// Returns the report as a Markdown table.
    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "{} interleaved rounds of {} images each, {}; ratios are to the first line, per round\n\n\
             | contender | kernel | wall ms: min | median | p95 | CPU ms: min | median | ratio | CPU ratio | cold start ms | peak MB | file kB | program kB |\n\
             | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
            self.rounds, self.images, self.machine
        );
        let size = |bytes: Option<u64>, unit: u64| {
            bytes.map_or_else(|| "-".to_owned(), |b| format!("{}", b.div_ceil(unit)))
        };
        for row in &self.rows {
            let [low, high] = row.ratio_range;
            text += &format!(
                "\n| {} | {} | {:.3} | {:.3} | {:.3} | {:.3} | {:.3} | {:.2} ({low:.2}-{high:.2}) | {:.2} | {:.1} | {} | {} | {} |",
                row.name,
                row.kernel,
                row.wall_ms.min,
                row.wall_ms.median,
                row.wall_ms.p95,
                row.cpu_ms.min,
                row.cpu_ms.median,
                row.ratio,
                row.cpu_ratio,
                row.cold_start_ms,
                size(row.peak_rss_bytes, 1_000_000),
                size(row.file_bytes, 1000),
                size(row.binary_bytes, 1000),
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_computed_per_round() {
        let turn = |ms: f64| Turn {
            wall_ms: vec![ms, ms * 2.0, ms * 3.0],
            cpu_ms: vec![ms; 3],
        };
        let ready = Ready {
            cold_start_ms: 1.0,
            kernel: String::new(),
            class: 0,
            threads: 1,
            binary_bytes: None,
        };
        // Both contenders are slow in the second round.
        let row = Row::of(
            "b",
            &ready,
            &[turn(2.0), turn(20.0), turn(3.0)],
            &[turn(1.0), turn(10.0), turn(1.0)],
        );
        assert!((row.ratio - 2.0).abs() < 1e-12, "{}", row.ratio);
        assert!((row.ratio_range[1] - 3.0).abs() < 1e-12);
        assert!((row.cpu_ratio_range[0] - 2.0).abs() < 1e-12);
        assert!((row.wall_ms.min - 2.0).abs() < 1e-12);
        let nothing = Spread::of([]);
        assert!(nothing.median.is_nan());
    }
}
