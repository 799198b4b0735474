//! Draws the figures of docs/sdot.md: `cargo run --package tailfold-plot --example laguerre -- docs/sdot`.

mod cells;
mod many;
mod toy;

use std::path::PathBuf;

use anyhow::Context as _;
use tailfold_plot::save_as;

use toy::Toy;

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.context("the folder for the pictures is missing")?;
    let toy = Toy::new()?;
    let priors = cells::priors(&toy)?;
    save_as(&folder.join("cells.svg"), &toy.picture(&priors))?;
    let temperatures = cells::temperatures(&toy)?;
    save_as(&folder.join("soft.svg"), &toy.picture(&temperatures))?;
    many::draw(&folder)
}
