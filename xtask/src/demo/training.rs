//! The training runs of the demo: one per core at a time, with one thread each.

use std::path::Path;
use std::process::Command;

use tailfold_console::{jobs as side_by_side, training};
use tailfold_spec::Manifest;

use super::stages::Tools;

/// Trains every configuration with every seed into `out/CONFIG-SEED`. With `keep`, finished runs are not repeated.
///
/// One thread per run uses the cores better than one run on all cores, and gives the same bits.
pub(super) fn train_all(
    tools: &Tools,
    configs: &[&str],
    seeds: u64,
    out: &Path,
    keep: bool,
) -> anyhow::Result<()> {
    let runs = (0..seeds).flat_map(|seed| configs.iter().map(move |config| (*config, seed)));
    let jobs: Vec<_> = runs
        .map(|(config, seed)| (config, seed, out.join(format!("{config}-{seed}"))))
        .filter(|(_, _, run)| !(keep && run.join(Manifest::FILE).exists()))
        .collect();
    let done = side_by_side::run(&jobs, side_by_side::cores(), |(config, seed, run)| {
        let mut command = Command::new(&tools.train);
        command
            .current_dir(&tools.root)
            .arg("--config")
            .arg(tools.root.join(format!("models/fashion-lt/{config}.toml")))
            .args(["--seed", &seed.to_string()])
            .arg("--out")
            .arg(run);
        training::run(&mut command, 1)
    });
    done.into_iter().collect()
}
