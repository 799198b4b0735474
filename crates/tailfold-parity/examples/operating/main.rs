//! Simulates the operating characteristics of the gate: how often it passes a candidate exactly at the margin, and a
//! candidate without a loss. The groups have 50 to 3,000 images, and the two classifiers disagree on 0.1 to 5 % of
//! them.
//!
//! `cargo run --release --package tailfold-parity --example operating -- docs/bench` writes `parity-operating.md`,
//! `parity-operating.json` and `parity-operating.svg` there.

#![expect(clippy::print_stdout, reason = "the summary goes to stdout")]

mod cells;
mod picture;
mod table;

use std::path::PathBuf;

use anyhow::Context as _;
use tailfold_spec::artifact;

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os()
        .nth(1)
        .context("give the folder to write to")?;
    let stem = PathBuf::from(folder).join("parity-operating");
    let found = cells::run();
    artifact::write(
        &stem.with_extension("json"),
        serde_json::to_string_pretty(&found)?.as_bytes(),
    )?;
    artifact::write(
        &stem.with_extension("md"),
        table::markdown(&found).as_bytes(),
    )?;
    tailfold_plot::save_as(&stem.with_extension("svg"), &picture::Power(&found))?;
    let worst = found
        .margin
        .iter()
        .map(|cell| cell.passes)
        .max()
        .unwrap_or(0);
    let highest = found
        .margin
        .iter()
        .map(|cell| cell.pass_probability)
        .fold(0.0, f64::max);
    println!(
        "at the margin at most {worst} of {} samples pass, and with a probability of at most {:.3} %",
        cells::REPLICATIONS,
        100.0 * highest
    );
    Ok(())
}
