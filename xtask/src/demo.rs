//! `cargo xtask demo`: the whole chain on the data set that ships.

mod shipped;
mod stages;
mod table;
mod training;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use tailfold_console::process::must;
use tailfold_console::{print, say};
use tailfold_spec::artifact;

use crate::process::{lab_for, root};

use stages::{Classes, Seed, Tools};
use table::{GAIN, LOSS, Row, render};

/// Act 1: check the INT8 model that ships against its float model, per class group. Act 2: train with plain cross-entropy
/// and with the OT-dynamic softmax loss, export with folding, quantize, check parity, classify one image; print the
/// accuracy of the many, medium and few classes at each stage.
///
/// Example: cargo xtask demo --quick
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Seeds to train with.
    #[arg(long, default_value_t = SEEDS, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// Stop after the first act: the model that ships, without training.
    #[arg(long)]
    quick: bool,
    /// Use the trained runs of an earlier demo.
    #[arg(long)]
    keep: bool,
    /// Folder for models and reports.
    #[arg(long, default_value = OUT)]
    out: PathBuf,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            seeds: SEEDS,
            quick: false,
            keep: false,
            out: OUT.into(),
        }
    }
}

const SEEDS: u64 = 3;
const OUT: &str = "runs/demo";
/// Far below the measured gain, and far above the variation between seeds and processors.
const LEAST_GAIN_PP: f64 = 5.0;

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let root = root()?;
    let out = root.join(&args.out);
    let code = shipped::run(&root, &out)?;
    let seconds = started.elapsed().as_secs_f64();
    print(&format!("act 1 took {seconds:.0} s, its build included"));
    if args.quick || code != ExitCode::SUCCESS {
        return Ok(code);
    }
    say(
        "act 2 of 2: build the programs (minutes the first time), train, export, quantize, compare",
    );
    let tools = Tools::build(&root)?;
    say(&format!(
        "built after {:.0} s",
        started.elapsed().as_secs_f64()
    ));

    let training_started = Instant::now();
    let configs = ["ce", "sdot"];
    training::train_all(&tools, &configs, args.seeds, &out, args.keep)?;
    let training_seconds = training_started.elapsed().as_secs_f64();

    let seeds = (0..args.seeds)
        .map(|seed| Seed::measure(&tools, &out, seed))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let first = seeds.first().context("no seed was run")?;
    let classes = tools.class_names()?;
    let stem = out.join("recall");
    draw(first, &classes, &stem)?;

    let answer = tools.classify_one(&out, first, &classes)?;
    let rows = Row::of_seeds(&seeds);
    print(&render(&rows));
    for (seed, measured) in seeds.iter().enumerate() {
        print(&format!("seed {seed}: {}", measured.verdict_line()));
    }
    // A few hundred images leave the gate of one network inconclusive now and then. The demo holds if folding changes no
    // decision, the mean over seeds is within the margins of the policy, most gates do not fail, and the rare classes gain.
    let margins = tools.margins()?;
    let checks = [
        (
            "folding changed no decision",
            seeds.iter().all(Seed::folding_holds),
        ),
        (
            "INT8 is within the policy's margins on the mean of the seeds",
            Row::find(&rows, LOSS).is_some_and(|row| row.loses_at_most(margins)),
        ),
        (
            "most gates do not fail",
            2 * seeds.iter().filter(|s| s.gate_fails()).count() < seeds.len(),
        ),
        (
            "the few-shot classes gain at least 5 points",
            Row::find(&rows, GAIN).is_some_and(|row| row.few() >= LEAST_GAIN_PP),
        ),
    ];
    for (check, holds) in checks {
        print(&format!(
            "{}: {check}",
            if holds { "holds" } else { "DOES NOT HOLD" }
        ));
    }
    print(&answer);
    print(&format!(
        "picture: {}",
        stem.with_extension("svg").display()
    ));
    print(&format!("models and reports: {}", out.display()));
    print(&format!(
        "training {training_seconds:.0} s, everything {:.0} s",
        started.elapsed().as_secs_f64()
    ));
    Ok(ExitCode::from(u8::from(
        !checks.iter().all(|(_, holds)| *holds),
    )))
}

/// Draws the recall of each class at each stage of `seed` into `STEM.svg` and `STEM.png`, from `STEM.json`.
fn draw(seed: &Seed, classes: &Classes, stem: &Path) -> anyhow::Result<()> {
    let series = seed
        .recalls()
        .map(|(name, recall)| serde_json::json!({ "name": name, "recall": recall }));
    let chart = serde_json::json!({
        "title": "Fashion-MNIST, long-tailed 100 : 1 - recall by class, seed 0",
        "classes": classes.names,
        "counts": classes.counts,
        "series": series,
    });
    let file = stem.with_extension("json");
    artifact::write(&file, chart.to_string().as_bytes())?;
    must(
        lab_for("cpu")?
            .arg("recall")
            .arg("--from")
            .arg(&file)
            .arg("--out")
            .arg(stem),
    )
}
