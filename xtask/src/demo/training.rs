//! The demo's training runs: as many at a time as there are cores, one thread each.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context as _, ensure};
use tailfold_spec::Manifest;

use super::stages::Tools;
use crate::output::say;
use crate::process::shown;

/// Trains every configuration with every seed into `out/CONFIG-SEED`, but what is finished already when `keep` is set.
///
/// One thread a run uses the cores better than one run on all of them, and changes no bit of the result.
pub(super) fn train_all(
    tools: &Tools,
    configs: &[&str],
    seeds: u64,
    out: &Path,
    keep: bool,
) -> anyhow::Result<()> {
    let jobs: Vec<(String, u64)> = (0..seeds)
        .flat_map(|seed| configs.iter().map(move |c| ((*c).to_owned(), seed)))
        .collect();
    let finished = |(config, seed): &(String, u64)| {
        out.join(format!("{config}-{seed}/{}", Manifest::FILE))
            .exists()
    };
    let jobs: Vec<_> = jobs
        .into_iter()
        .filter(|job| !(keep && finished(job)))
        .collect();
    if jobs.is_empty() {
        return Ok(());
    }
    let workers = thread::available_parallelism()
        .map_or(1, std::num::NonZero::get)
        .min(jobs.len());
    let queue = Mutex::new(jobs.into_iter());
    let next = || queue.lock().map_or(None, |mut jobs| jobs.next());
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers)
            .map(|_| {
                scope.spawn(|| {
                    while let Some((config, seed)) = next() {
                        train(tools, &config, seed, &out.join(format!("{config}-{seed}")))?;
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        for thread in threads {
            thread
                .join()
                .map_err(|_| anyhow::anyhow!("a training thread panicked"))??;
        }
        Ok(())
    })
}

fn train(tools: &Tools, config: &str, seed: u64, run: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(&tools.train);
    command
        .current_dir(&tools.root)
        .env("RAYON_NUM_THREADS", "1")
        .arg("--config")
        .arg(tools.root.join(format!("models/fashion-lt/{config}.toml")))
        .args(["--seed", &seed.to_string()])
        .arg("--out")
        .arg(run)
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", shown(&command)))?;
    if let Some(talk) = child.stderr.take() {
        let mut last = String::new();
        for line in BufReader::new(talk).lines().map_while(Result::ok) {
            // Six runs of some dozen epochs each: the last epoch tells enough, anything that is no epoch is a message.
            if !line.contains(" epoch ") {
                say(&line);
            }
            last = line;
        }
        say(&last);
    }
    let status = child
        .wait()
        .with_context(|| format!("cannot wait for {}", shown(&command)))?;
    ensure!(status.success(), "{} failed ({status})", shown(&command));
    Ok(())
}
