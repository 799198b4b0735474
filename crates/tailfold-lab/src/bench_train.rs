//! `tailfold-lab bench-train`: training speed on the CPU compared with PyTorch, in interleaved runs.

mod busy;
mod profile;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use tailfold_console::{print, process, say};

use crate::machine;
use crate::statistics::median;

/// Time training steps of this library and of PyTorch in interleaved runs on this machine.
///
/// A ratio above 1 means that this library is faster. Each round gives the ratio of images per second (wall time) and
/// the ratio of processor seconds per step; results are medians over rounds.
///
/// Example: tailfold-lab bench-train --networks resnet20 --rounds 5
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Networks: `resnetN` with N = 6n + 2 layers.
    #[arg(long, value_delimiter = ',', default_value = "resnet20,resnet32")]
    networks: Vec<String>,
    /// Number of images per step.
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// Number of threads of each contender.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Number of rounds, each a pair of timed blocks.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Number of timed steps per block.
    #[arg(long, default_value_t = 10)]
    steps: usize,
    /// Python with PyTorch. Default: `runs/bench-venv/bin/python`, which `--install` makes.
    #[arg(long)]
    python: Option<PathBuf>,
    /// First make a virtual environment with the pinned PyTorch (some gigabytes).
    #[arg(long)]
    install: bool,
    /// Also profile each layer of this library, fused and with burn's own operations.
    #[arg(long)]
    layers: bool,
    /// Print one JSON object (schema `tailfold.bench-train/1`).
    #[arg(long)]
    json: bool,
}

/// The pinned version of PyTorch. Results of other versions are not comparable.
const TORCH: &str = "2.9.0";

/// Largest number of cores that other programs may keep busy: less than an idle desktop takes, and far less than a
/// build or a training run.
const QUIET_CORES: f64 = 0.25;

/// The output of `bench-train --json`.
#[derive(Debug, Serialize)]
struct Report {
    /// Always `tailfold.bench-train/1`.
    schema: &'static str,
    /// The smallest ratio of all networks by wall time.
    ratio: f64,
    /// The smallest ratio of all networks by processor time.
    cpu_ratio: f64,
    batch: usize,
    threads: usize,
    rounds: u32,
    steps: usize,
    torch: String,
    machine: String,
    /// The largest number of cores that other programs kept busy before a block.
    busy_cores: f64,
    /// Whether other programs kept few enough cores busy for valid ratios.
    quiet: bool,
    networks: Vec<NetworkReport>,
}

/// The results of one network. Ratios are this library's speed over PyTorch's speed.
#[derive(Debug, Serialize)]
struct NetworkReport {
    network: String,
    /// Median over rounds of the ratio of images per second.
    ratio: f64,
    /// Smallest and largest ratio of the rounds.
    ratio_range: [f64; 2],
    /// Median over rounds of the ratio of processor seconds per step.
    cpu_ratio: f64,
    cpu_ratio_range: [f64; 2],
    /// Median over rounds.
    tailfold_images_per_s: f64,
    /// Median over rounds.
    torch_images_per_s: f64,
    /// Memory format in which PyTorch was fastest, per round.
    torch_formats: Vec<String>,
    /// Profile per layer, with `--layers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<Vec<profile::Layer>>,
}

/// One timed block, as a contender prints it.
#[derive(Debug, Deserialize)]
struct Block {
    version: String,
    format: String,
    images_per_s: f64,
    cpu_s_per_step: f64,
    loss: f64,
    wall_s_per_step: f64,
    #[serde(default)]
    layers: Option<Vec<profile::Layer>>,
}

pub(crate) fn run(args: &Args, root: &Path) -> anyhow::Result<ExitCode> {
    let depths: Vec<usize> = args
        .networks
        .iter()
        .map(|n| depth(n))
        .collect::<Result<_, _>>()?;
    let python = python(args, root)?;
    let ours = process::beside("bench-train");
    let mut versions = Vec::new();
    let mut networks = Vec::new();
    let mut profiles = Vec::new();
    let mut busy_cores: f64 = 0.0;
    for (network, depth) in args.networks.iter().zip(depths) {
        let mut pairs = Vec::new();
        for round in 0..args.rounds {
            let mut contenders = [Command::new(&ours), Command::new(&python)];
            contenders[1].arg(root.join("tests/judges/bench_train.py"));
            busy_cores = busy_cores.max(busy::cores()?);
            let a = block(&mut contenders[0], args, depth)?;
            busy_cores = busy_cores.max(busy::cores()?);
            let b = block(&mut contenders[1], args, depth)?;
            ensure!(
                b.version.starts_with(TORCH),
                "PyTorch has version {}, expected {TORCH}: install torch=={TORCH}",
                b.version
            );
            say(&format!(
                "{network} round {}: {:.0} against {:.0} images/s, {:.3} against {:.3} CPU s per step",
                round + 1,
                a.images_per_s,
                b.images_per_s,
                a.cpu_s_per_step,
                b.cpu_s_per_step
            ));
            pairs.push((a, b));
        }
        versions.extend(pairs.iter().map(|(_, torch)| torch.version.clone()));
        let mut report = NetworkReport::of(network, &pairs)?;
        if args.layers {
            busy_cores = busy_cores.max(busy::cores()?);
            let own = block(Command::new(&ours).arg("--layers"), args, depth)?;
            let layers = own.layers.context("bench-train printed no layers")?;
            profiles.push(profile::table(network, 1e3 * own.wall_s_per_step, &layers));
            report.layers = Some(layers);
        }
        networks.push(report);
    }
    let least =
        |of: fn(&NetworkReport) -> f64| networks.iter().map(of).fold(f64::INFINITY, f64::min);
    let report = Report {
        schema: "tailfold.bench-train/1",
        ratio: least(|n| n.ratio),
        cpu_ratio: least(|n| n.cpu_ratio),
        batch: args.batch,
        threads: args.threads,
        rounds: args.rounds,
        steps: args.steps,
        torch: versions.swap_remove(0),
        machine: machine::kind(),
        busy_cores,
        quiet: busy_cores <= QUIET_CORES,
        networks,
    };
    if args.json {
        print(&serde_json::to_string(&report)?);
    } else {
        profiles.insert(0, report.table());
        print(&profiles.join("\n\n"));
    }
    ensure!(
        report.quiet,
        "other programs kept {busy_cores:.2} cores busy, but valid ratios need at most {QUIET_CORES}"
    );
    Ok(ExitCode::SUCCESS)
}

/// Number of layers of `resnetN`.
fn depth(network: &str) -> anyhow::Result<usize> {
    let depth = network.strip_prefix("resnet").and_then(|n| n.parse().ok());
    depth
        .filter(|&n: &usize| n >= 8 && n % 6 == 2)
        .with_context(|| format!("network `{network}`: expected resnetN with N = 6n + 2"))
}

/// Finds, or installs on request, a Python that imports PyTorch.
fn python(args: &Args, root: &Path) -> anyhow::Result<PathBuf> {
    let venv = root.join("runs/bench-venv");
    let python = args
        .python
        .clone()
        .unwrap_or_else(|| venv.join("bin/python"));
    if args.install {
        ensure!(
            args.python.is_none(),
            "--install makes its own Python: leave --python out"
        );
        process::must(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
        let packages = [format!("torch=={TORCH}"), "numpy".to_owned()];
        process::must(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet"])
                .args(packages),
        )?;
    }
    let found = Command::new(&python)
        .args(["-c", "import torch; print(torch.__version__)"])
        .output();
    match found {
        Ok(output) if output.status.success() => Ok(python),
        _ => bail!(
            "PyTorch is missing: {} cannot import torch. Run with --install, or give --python a Python with \
             torch=={TORCH} (pip install torch=={TORCH})",
            python.display()
        ),
    }
}

/// Runs one timed block of a contender.
fn block(command: &mut Command, args: &Args, depth: usize) -> anyhow::Result<Block> {
    for (flag, value) in [
        ("--depth", depth),
        ("--batch", args.batch),
        ("--threads", args.threads),
        ("--steps", args.steps),
    ] {
        command.args([flag, &value.to_string()]);
    }
    let block: Block = serde_json::from_value(process::json(command, &[0])?)
        .with_context(|| format!("cannot read the answer of {}", process::shown(command)))?;
    ensure!(
        block.images_per_s > 0.0 && block.cpu_s_per_step > 0.0 && block.loss.is_finite(),
        "{} answered {block:?}",
        process::shown(command)
    );
    Ok(block)
}

impl NetworkReport {
    /// Summarises the pairs of all rounds: this library's block and PyTorch's block.
    fn of(network: &str, pairs: &[(Block, Block)]) -> anyhow::Result<Self> {
        let over =
            |of: &dyn Fn(&(Block, Block)) -> f64| -> Vec<f64> { pairs.iter().map(of).collect() };
        let middle = |values: &[f64]| median(values).context("no round was run");
        let range = |values: &[f64]| {
            values
                .iter()
                .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], &v| {
                    [low.min(v), high.max(v)]
                })
        };
        let wall = over(&|(a, b)| a.images_per_s / b.images_per_s);
        let cpu = over(&|(a, b)| b.cpu_s_per_step / a.cpu_s_per_step);
        Ok(Self {
            network: network.to_owned(),
            ratio: middle(&wall)?,
            ratio_range: range(&wall),
            cpu_ratio: middle(&cpu)?,
            cpu_ratio_range: range(&cpu),
            tailfold_images_per_s: middle(&over(&|(a, _)| a.images_per_s))?,
            torch_images_per_s: middle(&over(&|(_, b)| b.images_per_s))?,
            torch_formats: pairs.iter().map(|(_, b)| b.format.clone()).collect(),
            layers: None,
        })
    }
}

impl Report {
    fn table(&self) -> String {
        let mut text = format!(
            "training steps of {} images, {} threads, {} rounds of {} steps, PyTorch {}, {}\n{:<10}{:>22}{:>22}{:>14}{:>14}",
            self.batch,
            self.threads,
            self.rounds,
            self.steps,
            self.torch,
            self.machine,
            "",
            "images/s ratio",
            "CPU time ratio",
            "tailfold",
            "PyTorch"
        );
        let cell = |ratio: f64, [low, high]: [f64; 2]| format!("{ratio:.2} ({low:.2}-{high:.2})");
        for n in &self.networks {
            text += &format!(
                "\n{:<10}{:>22}{:>22}{:>14.0}{:>14.0}",
                n.network,
                cell(n.ratio, n.ratio_range),
                cell(n.cpu_ratio, n.cpu_ratio_range),
                n.tailfold_images_per_s,
                n.torch_images_per_s
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(images_per_s: f64, cpu_s_per_step: f64) -> Block {
        Block {
            version: String::new(),
            format: "nhwc".to_owned(),
            images_per_s,
            cpu_s_per_step,
            loss: 1.0,
            wall_s_per_step: 1.0,
            layers: None,
        }
    }

    #[test]
    fn ratios_are_medians_of_ratios_per_round() {
        // The library is twice as fast and takes half the processor time. In the second round, the machine is half as
        // fast, which does not change the ratios.
        let pairs = [
            (block(200.0, 0.5), block(100.0, 1.0)),
            (block(100.0, 1.0), block(50.0, 2.0)),
            (block(300.0, 0.5), block(100.0, 0.5)),
        ];
        let found = NetworkReport::of("resnet20", &pairs).unwrap();
        assert!((found.ratio - 2.0).abs() < 1e-12 && (found.cpu_ratio - 2.0).abs() < 1e-12);
        assert!((found.ratio_range[1] - 3.0).abs() < 1e-12);
        assert!((found.cpu_ratio_range[0] - 1.0).abs() < 1e-12);
        assert!((found.torch_images_per_s - 100.0).abs() < 1e-12);
    }

    #[test]
    fn unknown_network_is_error_that_names_it() {
        assert_eq!(depth("resnet32").unwrap(), 32);
        for network in ["resnet18", "vgg16", "resnet", "resnet2"] {
            let error = depth(network).unwrap_err().to_string();
            assert!(error.contains(network), "{error}");
        }
    }
}
