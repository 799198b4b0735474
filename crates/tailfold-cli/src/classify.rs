//! `tailfold classify`: images in, names out.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use serde::Serialize;
use tailfold_data::{Pixels, decode, decode_file};
use tailfold_runtime::{Guess, ImageClassifier};
use walkdir::WalkDir;

use crate::model::Runtime;
use crate::output::{print, say};

/// Classify images: JPEG, PNG, BMP, WebP or PNM files, folders of them, or `-` for one image on stdin.
///
/// Preprocessing and class names come from the model. An unreadable image is reported, the others still run, and the
/// exit code is 1.
///
/// Example: tailfold classify --model model.int8.onnx --top 3 --json photos/
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Model file.
    #[arg(long)]
    model: PathBuf,
    /// Images, folders, or `-`.
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// How many classes to name.
    #[arg(long, default_value_t = 3)]
    top: usize,
    /// Bring images of any size to the network's, where the model itself says nothing of resizing.
    #[arg(long)]
    fit: bool,
    #[command(flatten)]
    runtime: Runtime,
    /// Most threads that share an image; no more than its layers are worth, and the answer is the same.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    threads: u16,
    /// Print one JSON object (schema `tailfold.classify/1`).
    #[arg(long)]
    json: bool,
}

/// `classify --json`, schema `tailfold.classify/1`.
#[derive(Serialize)]
struct Answer {
    schema: &'static str,
    model_sha256: String,
    backend: &'static str,
    images: Vec<Row>,
}

/// One image: `top` and `latency_ms`, or `error`.
#[derive(Serialize)]
struct Row {
    file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    top: Option<Vec<Guess>>,
    /// Preprocessing and network, without decoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    ensure!(args.top > 0, "--top is 0, expected at least 1");
    let options = args.runtime.options(args.threads);
    let mut model = ImageClassifier::open(&args.model, args.runtime.backend, &options)?;
    if args.fit {
        model = model.fitting();
    }
    let files = expand(&args.images)?;
    let mut rows = Vec::with_capacity(files.len());
    for file in &files {
        let row = match classify(&mut model, file, args.top) {
            Ok((top, latency_ms)) => Row {
                file: file.display().to_string(),
                top: Some(top),
                latency_ms: Some(latency_ms),
                error: None,
            },
            Err(error) => {
                let file = file.display().to_string();
                Row {
                    file,
                    top: None,
                    latency_ms: None,
                    error: Some(format!("{error:#}")),
                }
            }
        };
        if !args.json {
            show(&row);
        }
        rows.push(row);
    }
    let failed = rows.iter().filter(|r| r.error.is_some()).count();
    if args.json {
        let backend = model.model().classifier.name();
        let answer = Answer {
            schema: "tailfold.classify/1",
            model_sha256: model.model().sha256.clone(),
            backend,
            images: rows,
        };
        print(&serde_json::to_string(&answer)?);
    }
    if failed > 0 {
        say(&format!(
            "{failed} of {} images could not be classified",
            files.len()
        ));
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

fn classify(
    model: &mut ImageClassifier,
    file: &Path,
    top: usize,
) -> anyhow::Result<(Vec<Guess>, f64)> {
    let answer = model.classify_pixels(&read(file)?, top)?;
    Ok((answer.top, answer.latency_ms))
}

fn read(file: &Path) -> anyhow::Result<Pixels> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .context("cannot read stdin")?;
        return Ok(decode(&bytes, Path::new("stdin"))?);
    }
    Ok(decode_file(file)?)
}

fn show(row: &Row) {
    match (&row.top, &row.error) {
        (Some(top), _) => {
            let names: Vec<String> = top
                .iter()
                .map(|g| format!("{} {:.1} %", g.name, 100.0 * g.probability))
                .collect();
            let latency = row.latency_ms.unwrap_or_default();
            print(&format!(
                "{}: {} ({latency:.2} ms)",
                row.file,
                names.join(", ")
            ));
        }
        (None, error) => say(&format!(
            "{}: {}",
            row.file,
            error.as_deref().unwrap_or("failed")
        )),
    }
}

const EXTENSIONS: [&str; 9] = [
    "jpg", "jpeg", "png", "bmp", "webp", "pbm", "pgm", "ppm", "pnm",
];

/// Files as given; folders as the images below them, in order of their names.
fn expand(images: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for image in images {
        if !image.is_dir() {
            files.push(image.clone());
            continue;
        }
        let before = files.len();
        for entry in WalkDir::new(image).sort_by_file_name() {
            let path = entry
                .with_context(|| format!("cannot read {}", image.display()))?
                .into_path();
            let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
            if path.is_file() && extension.is_some_and(|e| EXTENSIONS.contains(&e.as_str())) {
                files.push(path);
            }
        }
        ensure!(
            files.len() > before,
            "{} holds no image ({})",
            image.display(),
            EXTENSIONS.join(", ")
        );
    }
    Ok(files)
}
