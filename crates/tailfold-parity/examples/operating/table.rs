//! The results of the simulations as Markdown.

use std::fmt::Write as _;

use crate::cells::{Cell, DISCORDANCE, Found, IMAGES, REPLICATIONS};

pub(crate) fn markdown(found: &Found) -> String {
    let mut text = format!(
        "# Operating characteristics of the parity gate\n\n\
         Made by `cargo run --release --package tailfold-parity --example operating -- docs/bench`: {REPLICATIONS} samples\n\
         per cell, level 5 %, margin 1 percentage point. At 5 %, the rate of a cell has a standard error of 0.22, so chance explains\n\
         values up to 5.5. Columns: share of the images that exactly one of the two classifiers gets right.\n\n\
         ## At the margin: how often a candidate that loses exactly one point passes, %\n\n\
         The rate must not exceed 5 %. The first number is the share of the samples, the second the exact probability, summed over all\n\
         possible outcomes. In brackets: the share that would pass by Tango's score, the usual normal approximation.\n\n"
    );
    text += &grid(&found.margin, |cell| {
        format!(
            "{}, {:.2} ({})",
            percent(cell.passes),
            100.0 * cell.pass_probability,
            percent(cell.score_passes)
        )
    });
    text += "\n## Power: how often a candidate without loss passes, %\n\n";
    text += &grid(&found.equal, |cell| percent(cell.passes));
    text += "\n![power](parity-operating.svg)\n\n\
             Below 299 images a candidate passes only if it gains more than it loses: even if all of 298 images keep their class, a loss\n\
             of one in a hundred would stay unseen with a probability above 5 %. Those verdicts are inconclusive.\n\n\
             ## How often a candidate without loss fails, %\n\n";
    text += &grid(&found.equal, |cell| percent(cell.fails));
    text += "\n## How often a candidate that loses exactly one point fails, %\n\n";
    text += &grid(&found.margin, |cell| percent(cell.fails));
    text += "\n## Classes with unequal numbers of images\n\n\
             The accuracy of a group is the mean of the accuracies of its classes. If the classes have unequal numbers of images, there is\n\
             no exact test; the gate uses an effective number of images and adds a warning. Passes in %, for four classes with a mean\n\
             loss of exactly one point, and in addition a quarter of a percent of flips in each direction.\n\n\
             | images of the classes | all lose equally | the first loses all | the last loses all |\n|:--|--:|--:|--:|\n";
    for three in found.unequal.chunks(3) {
        let images: Vec<String> = three[0].images.iter().map(u64::to_string).collect();
        let rates: Vec<String> = three.iter().map(|cell| percent(cell.passes)).collect();
        let _ = writeln!(text, "| {} | {} |", images.join(", "), rates.join(" | "));
    }
    text
}

/// A table with one row per number of images and one column per discordance.
fn grid(cells: &[Cell], shown: impl Fn(&Cell) -> String) -> String {
    let columns: Vec<f64> = DISCORDANCE
        .into_iter()
        .filter(|d| cells.iter().any(|cell| same(cell.discordance, *d)))
        .collect();
    let heads: Vec<String> = columns
        .iter()
        .map(|d| format!("{:.1} %", 100.0 * d))
        .collect();
    let mut text = format!(
        "| images | {} |\n|--:|{}\n",
        heads.join(" | "),
        "--:|".repeat(columns.len())
    );
    for images in IMAGES {
        let row: Vec<String> = columns
            .iter()
            .filter_map(|d| {
                cells
                    .iter()
                    .find(|cell| cell.images == images && same(cell.discordance, *d))
                    .map(&shown)
            })
            .collect();
        let _ = writeln!(text, "| {images} | {} |", row.join(" | "));
    }
    text
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

fn percent(count: usize) -> String {
    format!("{:.1}", 100.0 * count as f64 / REPLICATIONS as f64)
}
