//! `cargo xtask wasm`: builds the classifier as a WebAssembly module, with a page that runs it.

mod answers;
mod browser;
mod server;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use tailfold_console::process::must;
use tailfold_console::{print, say};
use tailfold_spec::artifact;

use crate::debian::{self, Packages, Toolchain};
use crate::images;
use crate::process::{self, cargo};

/// Build the WebAssembly module, and put it with the page and a model into `target/wasm`.
///
/// The first run downloads a compiler, the sources of the standard library and a linker from Debian (230 MB) to
/// `target/cross`. It installs nothing.
///
/// Example: cargo xtask wasm --serve 8000
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Quantized model for the page.
    #[arg(long, default_value = "models/fashion-lt/fashion-lt.int8.onnx")]
    model: PathBuf,
    /// Check that the module, in Node and in Chromium, gives bit-identical logits to `tailfold` on this machine.
    #[arg(long)]
    check: bool,
    /// Compare with this `tailfold` instead of building one.
    #[arg(long, requires = "check")]
    binary: Option<PathBuf>,
    /// Serve the page on this port of this machine until interrupted.
    #[arg(long)]
    serve: Option<u16>,
}

const TARGET: &str = "wasm32-unknown-unknown";

const PACKAGES: Packages = Packages {
    whole: &["rustc-web", "rust-web-src", "lld-19"],
    alone: &[],
    megabytes: 230,
};

/// Flags of the compiler. `simd128` enables vectors of 16 bytes, which browsers have supported since 2023.
const FLAGS: &str = "-Clinker-flavor=wasm-ld -Ctarget-feature=+simd128";

/// Number of compared images.
const IMAGES: usize = 20;
/// Data spec of the compared images.
const DATA: &str = "embedded?split=test&limit=20";

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(why) = debian::missing() {
        say(&format!("skipped: wasm ({why})"));
        return Ok(ExitCode::from(2));
    }
    let root = process::root()?;
    let folder = root.join("target/wasm");
    let module = artifact::read(&build(&root)?)?;
    assemble(&root, &root.join(&args.model), &module, &folder)?;
    print(&format!(
        "{}: module {} bytes, {} by gzip",
        folder.display(),
        module.len(),
        gzip(&module)?
    ));
    if args.check && !answers::agree(args.binary.as_deref(), &folder)? {
        return Ok(ExitCode::from(1));
    }
    if let Some(port) = args.serve {
        let server = server::Server::new(port)?;
        say(&format!("http://{}/ until Ctrl-C", server.address()?));
        loop {
            server.answer(&folder)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the module with the profile `dist` in a separate target folder, and returns its path.
fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let folder = root.join("target/cross").join(TARGET);
    let toolchain = Toolchain::prepared(&folder.join("toolchain"), &PACKAGES, |_| Ok(()))?;
    let target = folder.join("build");
    let mut command = cargo();
    command
        .current_dir(root)
        .args(["build", "--quiet", "--profile", "dist"])
        .args(["--package", "tailfold-wasm", "--lib", "--target", TARGET])
        // For this target, Debian has the standard library only as sources.
        .args(["-Z", "build-std=std,panic_abort"])
        .env("RUSTC_BOOTSTRAP", "1")
        .arg("--target-dir")
        .arg(&target);
    toolchain.applied(TARGET, "usr/bin/wasm-ld-19", FLAGS, &mut command);
    say("building the module");
    must(&mut command)?;
    Ok(target.join(TARGET).join("dist/tailfold_wasm.wasm"))
}

/// Copies the page, the module, the model and images to `folder`.
fn assemble(root: &Path, model: &Path, module: &[u8], folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for file in [
        "index.html",
        "page.css",
        "page.js",
        "tailfold.js",
        "check.mjs",
    ] {
        artifact::write(
            &folder.join(file),
            &artifact::read(&root.join("web").join(file))?,
        )?;
    }
    artifact::write(&folder.join("tailfold.wasm"), module)?;
    artifact::write(&folder.join("model.onnx"), &artifact::read(model)?)?;
    let pictures = tempfile::tempdir().context("cannot create a folder for images")?;
    for (index, from) in images::write(process::lab_alone()?, DATA, pictures.path(), &[])?
        .iter()
        .enumerate()
    {
        let png = artifact::read(&from.file)?;
        artifact::write(&folder.join(image(index)), &png)?;
        if index == 0 {
            artifact::write(&folder.join("sample.png"), &png)?;
        }
    }
    Ok(())
}

/// File name of a compared image.
fn image(index: usize) -> String {
    format!("test-{index:02}.png")
}

/// Size of `bytes` after compression, as a web server sends them.
fn gzip(bytes: &[u8]) -> anyhow::Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}
