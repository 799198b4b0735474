//! Times training steps on a fixed synthetic batch, as `tests/judges/bench_train.py` does with PyTorch.
//!
//! Each call runs one block of steps and prints one JSON object on stdout; a comparison interleaves the calls.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::prelude::*;
use burn::tensor::activation::log_softmax;
use clap::Parser;
use rand::{RngExt, SeedableRng};
use tailfold_spec::Architecture;
use tailfold_train::{Network, layer_times};

/// Times training steps of a residual network on 3x32x32 images.
///
/// Example: bench-train --depth 20 --batch 128 --threads 2 --warmup 3 --steps 20
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Number of weighted layers of the network: 20 or 32.
    #[arg(long, default_value_t = 20)]
    depth: usize,
    /// Number of images per batch.
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// Number of threads.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Number of warm-up steps.
    #[arg(long, default_value_t = 3)]
    warmup: usize,
    /// Number of timed steps.
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// Also time each layer separately, with the fused operation and with burn's operations.
    #[arg(long)]
    layers: bool,
}

/// User and system time of this process, in seconds; `None` if the system is not Linux.
fn cpu_seconds() -> Option<f64> {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is in brackets and may contain blanks; the other fields follow.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

fn architecture(args: &Args) -> Result<Architecture> {
    let architecture: Architecture = serde_json::from_value(serde_json::json!({
        "depth": args.depth, "input": [3, 32, 32], "classes": 10, "head": {"kind": "linear"},
    }))
    .context("architecture")?;
    architecture.validate()?;
    Ok(architecture)
}

struct Bench {
    network: Network,
    optimizer: ModuleOptimizer,
    images: Tensor<4>,
    labels: Tensor<2, Int>,
}

impl Bench {
    fn new(args: &Args) -> Result<Self> {
        let device = Device::flex().autodiff();
        device.seed(0);
        let architecture = architecture(args)?;
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
        let pixels: Vec<f32> = (0..args.batch * 3 * 32 * 32)
            .map(|_| rng.random_range(-1.0..1.0))
            .collect();
        let labels: Vec<i32> = (0..args.batch).map(|_| rng.random_range(0..10)).collect();
        let images = TensorData::new(pixels, [args.batch, 3, 32, 32]);
        Ok(Self {
            network: Network::new(&architecture, None, &device),
            optimizer: SgdConfig::new()
                .with_momentum(Some(
                    MomentumConfig::new()
                        .with_momentum(0.9)
                        .with_dampening(0.0)
                        .with_nesterov(true),
                ))
                .with_weight_decay(Some(WeightDecayConfig::new(5e-4)))
                .init(),
            images: Tensor::from_data(images, &device),
            labels: Tensor::<1, Int>::from_ints(labels.as_slice(), &device).unsqueeze_dim(1),
        })
    }

    /// Makes one step of gradient descent; returns the loss before the step.
    fn step(&mut self) -> Result<f32> {
        let scores = self.network.scores(self.images.clone());
        let loss = log_softmax(scores, 1).gather(1, self.labels.clone());
        let loss = loss.mean().neg();
        let value: Vec<f32> = loss.clone().without_autodiff().into_data().try_to_vec()?;
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        self.network = self.optimizer.step(0.1, self.network.clone(), gradients);
        value.first().copied().context("the loss has no value")
    }
}

#[expect(clippy::print_stdout, reason = "the figures are the result")]
fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.steps > 0, "--steps is 0, expected 1 or more");
    rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads)
        .build_global()?;
    let mut bench = Bench::new(&args)?;
    for _ in 0..args.warmup {
        bench.step()?;
    }
    let mut steps = Vec::new();
    let mut loss = f32::NAN;
    let (start, cpu) = (Instant::now(), cpu_seconds());
    for _ in 0..args.steps {
        let step = Instant::now();
        loss = bench.step()?;
        steps.push(step.elapsed().as_secs_f64());
    }
    let wall = start.elapsed().as_secs_f64() / args.steps as f64;
    let cpu = cpu_seconds().zip(cpu);
    ensure!(loss.is_finite(), "the loss of the last step is {loss}");
    steps.sort_by(f64::total_cmp);
    let layers = args
        .layers
        .then(|| Ok::<_, anyhow::Error>(layer_times(&architecture(&args)?, args.batch, args.steps)))
        .transpose()?;
    let report = serde_json::json!({
        "contender": "tailfold",
        "version": env!("CARGO_PKG_VERSION"),
        "depth": args.depth,
        "batch": args.batch,
        "threads": args.threads,
        "steps": args.steps,
        "format": "nhwc",
        "images_per_s": args.batch as f64 / wall,
        "wall_s_per_step": wall,
        "median_wall_s_per_step": steps[steps.len() / 2],
        "cpu_s_per_step": cpu.map(|(end, start)| (end - start) / args.steps as f64),
        "loss": loss,
        "layers": layers,
    });
    println!("{report}");
    Ok(())
}
