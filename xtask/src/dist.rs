//! `cargo xtask dist`: programs and archives for machines without this repository.

mod archive;
mod fatbin;
mod gpu_pack;
mod help_files;
mod program;
mod runtime_pack;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

/// Build programs and archives for machines without this repository.
///
/// `--target` builds the stripped program `tailfold` for a board, with its completion scripts and manual pages. `--gpu-pack`
/// makes an archive that trains `models/cifar100-lt/gpu` on a GPU, resumes, and reports images per second.
/// `--gpu-runtime-pack` makes an archive that runs models on a GPU through ONNX Runtime, with parity and timings.
///
/// Example: cargo xtask dist --target aarch64-unknown-linux-gnu
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    product: Product,
    /// Training images of the GPU pack.
    #[arg(long, requires = "gpu_pack")]
    data: Option<String>,
    /// Test images of the GPU pack.
    #[arg(long, requires = "gpu_pack")]
    test: Option<String>,
    /// Archive to write (tar chooses the compression by its ending), or folder of the program. Default:
    /// `runs/gpu-pack.tar.xz`, `runs/gpu-runtime-pack.tar.xz` or `runs/dist/TARGET`.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Back end of the GPU pack's program: `cuda`, `vulkan`, or `cpu` to try the pack without a GPU.
    #[arg(long, default_value = "cuda", value_parser = ["cuda", "vulkan", "cpu"])]
    device: String,
    /// Training program to pack instead of building one.
    #[arg(long, requires = "gpu_pack")]
    binary: Option<PathBuf>,
    /// Features of the program, such as `tract`. Default: integer kernels only. A static program cannot load ONNX Runtime.
    #[arg(long, requires = "target", value_delimiter = ',')]
    features: Vec<String>,
    /// Compute capability of the GPU code in the runtime pack; 90 is an H100.
    #[arg(long, default_value_t = 90)]
    architecture: u32,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Product {
    /// The archive that trains on a GPU.
    #[arg(long, requires_all = ["data", "test"])]
    gpu_pack: bool,
    /// The archive that runs models on a GPU.
    #[arg(long)]
    gpu_runtime_pack: bool,
    /// The program for this machine: `aarch64-unknown-linux-gnu`, `armv7-unknown-linux-gnueabihf`,
    /// `x86_64-unknown-linux-gnu`.
    #[arg(long)]
    target: Option<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let out = |default: &str| args.out.clone().unwrap_or_else(|| PathBuf::from(default));
    if let Some(target) = &args.product.target {
        let folder = out(&format!("runs/dist/{target}"));
        return program::make(target, &args.features, &folder);
    }
    if args.product.gpu_runtime_pack {
        return runtime_pack::make(&out("runs/gpu-runtime-pack.tar.xz"), args.architecture);
    }
    if !args.product.gpu_pack {
        bail!("give --target, --gpu-pack or --gpu-runtime-pack");
    }
    let pack = gpu_pack::Pack {
        data: args.data.as_ref().context("give --data")?,
        test: args.test.as_ref().context("give --test")?,
        device: &args.device,
        binary: args.binary.as_deref(),
    };
    gpu_pack::make(&pack, &out("runs/gpu-pack.tar.xz"))
}
