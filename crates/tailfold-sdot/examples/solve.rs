//! Solves a problem from a file and prints the result and the time; the benchmark and the independent cross-check run
//! this program.
//!
//! `cargo run --release --package tailfold-sdot --example solve -- problem.safetensors --scale 16`

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use clap::Parser;
use clap::builder::PossibleValuesParser;
use cpu_time::ProcessTime;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use tailfold_sdot::{Masses, Method, Options, Problem, Scores, Solution, solve};

/// Solve the transport problem of a safetensors file: `features` [n, d] and `weights` [C, d], or `scores` [n, C], all
/// F32; `target` [C], and optionally `sample_weights` [n] and `warm_start` [C], all F64.
#[derive(Debug, Parser)]
struct Args {
    /// The problem file.
    file: PathBuf,
    /// Scale of the scores.
    #[arg(long, default_value_t = 1.0)]
    scale: f32,
    /// Chi-square to reach.
    #[arg(long, default_value_t = 1e-3)]
    chi_square: f64,
    /// Largest accepted relative error of a class's mass; `inf` leaves it to the chi-square.
    #[arg(long, default_value_t = 0.5)]
    largest_relative: f64,
    /// Method of the steps.
    #[arg(long, default_value = "auto", value_parser = PossibleValuesParser::new(METHODS.map(|(name, _)| name)))]
    method: String,
    /// Match the mean softmax at this temperature instead of hard cells.
    #[arg(long)]
    soft: Option<f64>,
    /// Number of threads; 0 means all cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Number of repetitions.
    #[arg(long, default_value_t = 1)]
    repeat: usize,
    /// File for the `offsets` and the `mass` [C], F64.
    #[arg(long)]
    out: Option<PathBuf>,
}

const METHODS: [(&str, Method); 4] = [
    ("auto", Method::Auto),
    ("newton", Method::Newton),
    ("newton-cg", Method::NewtonCg),
    ("averaged", Method::Averaged),
];

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    rayon::ThreadPoolBuilder::new()
        .num_threads(args.threads)
        .build_global()?;
    let bytes = fs::read(&args.file).with_context(|| args.file.display().to_string())?;
    let tensors = SafeTensors::deserialize(&bytes)?;
    let target = doubles(&tensors, "target")?.context("there is no tensor `target`")?;
    let (first, second) = match singles(&tensors, "scores")? {
        Some(scores) => (scores, None),
        None => {
            let get = |name| {
                singles(&tensors, name)?.with_context(|| format!("there is no tensor `{name}`"))
            };
            (get("features")?, Some(get("weights")?))
        }
    };
    let scores = match &second {
        Some(weights) => {
            let dim = tensors
                .tensor("features")?
                .shape()
                .last()
                .copied()
                .unwrap_or(0);
            Scores::product(&first, weights, dim, args.scale)?
        }
        None => Scores::matrix(&first, target.len())?,
    };
    let sample_weights = doubles(&tensors, "sample_weights")?;
    let mut options = Options::default();
    options.masses = args
        .soft
        .map_or(Masses::Hard, |epsilon| Masses::Soft { epsilon });
    options.chi_square = args.chi_square;
    options.largest_relative = args.largest_relative;
    options.method = METHODS
        .iter()
        .find(|(name, _)| *name == args.method)
        .map_or(Method::Auto, |(_, method)| *method);
    options.warm_start = doubles(&tensors, "warm_start")?;
    let mut problem = Problem::new(scores, &target);
    problem.sample_weights = sample_weights.as_deref();
    let (mut seconds, mut cpu_seconds, mut last) = (Vec::new(), Vec::new(), None);
    for _ in 0..args.repeat.max(1) {
        let (wall, processor) = (Instant::now(), ProcessTime::now());
        last = Some(solve(&problem, &options)?);
        seconds.push(wall.elapsed().as_secs_f64());
        cpu_seconds.push(processor.elapsed().as_secs_f64());
    }
    let solution = last.context("nothing was solved")?;
    if let Some(out) = &args.out {
        write(out, &solution)?;
    }
    let result = json(&solution, &seconds, &cpu_seconds)?;
    #[expect(clippy::print_stdout, reason = "the result of the program")]
    {
        println!("{result}");
    }
    Ok(())
}

/// Returns the solution without its offsets and masses, the wall and CPU seconds of each repetition, and the peak
/// memory.
fn json(solution: &Solution, seconds: &[f64], cpu_seconds: &[f64]) -> anyhow::Result<Value> {
    let method = METHODS
        .iter()
        .find(|(_, method)| *method == solution.method);
    let (method, _) = method.context("the method has no name")?;
    let trace = solution.trace.iter().map(|point| {
        json!({"rows": point.rows, "epsilon": point.epsilon, "chi_square": point.chi_square})
    });
    Ok(json!({
        "chi_square": solution.chi_square,
        "largest_relative_error": solution.largest_relative_error,
        "sample_floor": solution.sample_floor,
        "iterations": solution.iterations,
        "rows": solution.rows,
        "method": method,
        "epsilon": solution.epsilon,
        "trace": trace.collect::<Vec<_>>(),
        "stop": solution.stop.to_string().replace(' ', "-"),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "peak_rss_bytes": peak_rss_bytes(),
    }))
}

fn singles(tensors: &SafeTensors<'_>, name: &str) -> anyhow::Result<Option<Vec<f32>>> {
    let bytes = values(tensors, name, Dtype::F32)?;
    Ok(bytes.map(|bytes| {
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|v| f32::from_le_bytes(*v))
            .collect()
    }))
}

fn doubles(tensors: &SafeTensors<'_>, name: &str) -> anyhow::Result<Option<Vec<f64>>> {
    let bytes = values(tensors, name, Dtype::F64)?;
    Ok(bytes.map(|bytes| {
        bytes
            .as_chunks()
            .0
            .iter()
            .map(|v| f64::from_le_bytes(*v))
            .collect()
    }))
}

fn values<'a>(
    tensors: &SafeTensors<'a>,
    name: &str,
    dtype: Dtype,
) -> anyhow::Result<Option<&'a [u8]>> {
    if !tensors.names().contains(&name) {
        return Ok(None);
    }
    let tensor = tensors.tensor(name)?;
    if tensor.dtype() != dtype {
        bail!("`{name}` is {:?}, expected {dtype:?}", tensor.dtype());
    }
    Ok(Some(tensor.data()))
}

fn write(path: &Path, solution: &Solution) -> anyhow::Result<()> {
    let bytes = |values: &[f64]| {
        values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let (offsets, mass) = (bytes(&solution.offsets), bytes(&solution.mass));
    let shape = vec![solution.offsets.len()];
    let tensors = [
        (
            "offsets",
            TensorView::new(Dtype::F64, shape.clone(), &offsets)?,
        ),
        ("mass", TensorView::new(Dtype::F64, shape, &mass)?),
    ];
    safetensors::serialize_to_file(tensors, None, path)?;
    ensure!(path.exists(), "{} does not exist", path.display());
    Ok(())
}

/// Largest resident set size of this process so far; `None` where the system does not report it.
fn peak_rss_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
