//! The results of the simulations as Markdown.

use std::fmt::Write as _;

use crate::cells::{Cell, DISCORDANCE, Found, IMAGES, REPLICATIONS};

pub(crate) fn markdown(found: &Found) -> String {
    let mut text = format!(
        "# Operating characteristics of the parity gate\n\n\
         Made by `cargo run --release --package tailfold-parity --example operating -- docs/bench`: {REPLICATIONS} samples a\n\
         cell, level 5 %, margin 1 percentage point. A cell's rate has a standard error of 0.22 at 5 %, so up to 5.5 is what chance\n\
         does. Columns: share of the images that exactly one of the two classifiers gets right.\n\n\
         ## At the margin: how often a candidate passes that loses exactly one point, %\n\n\
         It must not be more often than 5 %. First of the samples; then, of all possible outcomes, the probability itself; in\n\
         brackets the samples that Tango's score would let pass, the usual normal approximation.\n\n"
    );
    text += &grid(&found.margin, |cell| {
        format!(
            "{}, {:.2} ({})",
            percent(cell.passes),
            100.0 * cell.pass_probability,
            percent(cell.score_passes)
        )
    });
    text += "\n## Power: how often a candidate passes that loses nothing, %\n\n";
    text += &grid(&found.equal, |cell| percent(cell.passes));
    text += "\n![power](parity-operating.svg)\n\n\
             Below 299 images a candidate passes only where it gains more than it loses: even if all of 298 are decided alike, a loss\n\
             of one in a hundred would have gone unseen with a probability above 5 %. Those verdicts are inconclusive.\n\n\
             ## How often a candidate fails that loses nothing, %\n\n";
    text += &grid(&found.equal, |cell| percent(cell.fails));
    text += "\n## How often a candidate fails that loses exactly one point, %\n\n";
    text += &grid(&found.margin, |cell| percent(cell.fails));
    text += "\n## Classes with unequal numbers of images\n\n\
             A group's accuracy is the mean of its classes' accuracies. Where they have unequally many images there is no exact test;\n\
             the gate counts them as an effective number of images and says so in a warning. Four classes, mean loss exactly one\n\
             point, beside it a quarter of a percent of flips each way: passes, %.\n\n\
             | images of the classes | all lose alike | the first loses all | the last loses all |\n|:--|--:|--:|--:|\n";
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
