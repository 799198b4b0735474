//! Simulates how often the gate passes and fails candidates.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers of images, and parts of ten thousand"
)]

use std::collections::HashMap;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::Distribution as _;
use rayon::prelude::*;
use serde::Serialize;
use statrs::distribution::{Binomial, Discrete as _, DiscreteCDF as _};
use tailfold_parity::{ClassCounts, ExactTest};

/// Number of simulated samples per cell.
pub(crate) const REPLICATIONS: usize = 10_000;
/// Error level of the gate.
pub(crate) const LEVEL: f64 = 0.05;
/// Margin of the simulated group.
pub(crate) const MARGIN: f64 = 0.01;
/// Share of images that flip in each direction in addition to the loss, in groups with unequal classes.
pub(crate) const FLIPS: f64 = 0.0025;
/// Numbers of images in the group.
pub(crate) const IMAGES: [u64; 9] = [50, 100, 200, 300, 500, 1000, 1500, 2000, 3000];
/// Shares of images that exactly one of the two models gets right.
pub(crate) const DISCORDANCE: [f64; 6] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05];

/// Results for one kind of candidate and one number of images.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cell {
    pub(crate) images: u64,
    /// Share of images that exactly one of the two models gets right.
    pub(crate) discordance: f64,
    /// True difference of accuracy, candidate minus reference.
    pub(crate) difference: f64,
    /// Number of samples that pass: their lower bound is above the margin.
    pub(crate) passes: usize,
    /// Number of samples that fail: their upper bound is below the margin.
    pub(crate) fails: usize,
    /// Number of samples that would pass by Tango's score, a normal approximation.
    pub(crate) score_passes: usize,
    /// Exact probability to pass, summed over all outcomes; `passes` estimates it.
    pub(crate) pass_probability: f64,
}

/// A group whose classes have unequal numbers of images, and the number of its samples that pass.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Unequal {
    pub(crate) images: Vec<u64>,
    /// The class with all of the loss; `None` when all classes lose equally.
    pub(crate) losing: Option<usize>,
    pub(crate) passes: usize,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Found {
    pub(crate) replications: usize,
    pub(crate) level: f64,
    pub(crate) margin: Vec<Cell>,
    pub(crate) equal: Vec<Cell>,
    pub(crate) unequal: Vec<Unequal>,
}

pub(crate) fn run() -> Found {
    let cells = |difference: f64| -> Vec<Cell> {
        IMAGES
            .into_par_iter()
            .flat_map_iter(|images| {
                DISCORDANCE
                    .into_iter()
                    // The difference cannot exceed the share of images that differ.
                    .filter(move |discordance| *discordance >= f64::abs(difference))
                    .map(move |discordance| cell(images, discordance, difference))
            })
            .collect()
    };
    let unequal = [
        vec![150, 150, 150, 150],
        vec![50, 100, 150, 300],
        vec![100, 200, 300, 400],
        vec![100, 400, 1500, 4000],
        vec![400, 400, 400, 4000],
    ];
    let unequal = unequal
        .into_iter()
        .flat_map(|images| {
            [None, Some(0), Some(3)].map(|losing| Unequal {
                passes: passes_unequal(&images, losing),
                images: images.clone(),
                losing,
            })
        })
        .collect();
    Found {
        replications: REPLICATIONS,
        level: LEVEL,
        margin: cells(-MARGIN),
        equal: cells(0.0),
        unequal,
    }
}

/// Draws the numbers of gained and lost images from a trinomial distribution.
fn draw(images: u64, gained: f64, lost: f64, random: &mut ChaCha8Rng) -> (u64, u64) {
    let mut number = |trials: u64, rate: f64| {
        rand_distr::Binomial::new(trials, rate.clamp(0.0, 1.0))
            .map_or(0, |number| number.sample(random))
    };
    let l = number(images, lost);
    (number(images - l, gained / (1.0 - lost)), l)
}

fn cell(images: u64, discordance: f64, difference: f64) -> Cell {
    let (gained, lost) = (
        0.5 * (discordance + difference),
        0.5 * (discordance - difference),
    );
    // Each cell has its own seed, so that a cell can be run alone.
    let mut random =
        ChaCha8Rng::seed_from_u64(images * 100_000 + (discordance * 1e4).round() as u64);
    // The cache saves time, because the same counts recur often.
    let mut known: HashMap<(u64, u64), [bool; 3]> = HashMap::new();
    let mut cell = Cell {
        images,
        discordance,
        difference,
        passes: 0,
        fails: 0,
        score_passes: 0,
        pass_probability: pass_probability(images, gained, lost),
    };
    for _ in 0..REPLICATIONS {
        let (g, l) = draw(images, gained, lost, &mut random);
        let [pass, fail, score] = *known.entry((g, l)).or_insert_with(|| {
            let test = ExactTest::new(images, g, l);
            let mirrored = ExactTest::new(images, l, g);
            [
                test.p_above(-MARGIN) <= LEVEL,
                mirrored.p_above(MARGIN) <= LEVEL,
                test.score(-MARGIN) > 1.644_853_626_951_472_7,
            ]
        });
        cell.passes += usize::from(pass);
        cell.fails += usize::from(fail);
        cell.score_passes += usize::from(score);
    }
    cell
}

/// Exact probability to pass.
fn pass_probability(images: u64, gained: f64, lost: f64) -> f64 {
    let losing = Binomial::new(lost, images);
    let gaining =
        |lost_images: u64| Binomial::new((gained / (1.0 - lost)).min(1.0), images - lost_images);
    let passes = |g: u64, l: u64| ExactTest::new(images, g, l).p_above(-MARGIN) <= LEVEL;
    let mut sum = 0.0;
    let mut least = 0;
    for l in 0..=images {
        // Passing is monotone: more lost images need at least as many gained images.
        while least <= images - l && !passes(least, l) {
            least += 1;
        }
        let mass = losing.as_ref().map_or(0.0, |number| number.pmf(l));
        let mean = images as f64 * lost;
        if least > images - l || (l as f64 > mean && mass < 1e-12) {
            break;
        }
        let below = if least == 0 {
            0.0
        } else {
            gaining(l).map_or(0.0, |number| number.cdf(least - 1))
        };
        sum += mass * (1.0 - below);
    }
    sum
}

/// Number of samples that pass when the group's true loss is the margin. In a class without a loss, 0.5 % of the
/// images flip, half of them in each direction.
fn passes_unequal(images: &[u64], losing: Option<usize>) -> usize {
    let classes = images.len();
    let loss = |class: usize| match losing {
        None => MARGIN,
        Some(one) if one == class => MARGIN * classes as f64,
        Some(_) => 0.0,
    };
    let seed = images.iter().sum::<u64>() + losing.map_or(0, |class| 7 + class as u64);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..REPLICATIONS)
        .filter(|_| {
            let counts: Vec<ClassCounts> = images
                .iter()
                .enumerate()
                .map(|(class, &images)| {
                    let (g, l) = draw(images, FLIPS, FLIPS + loss(class), &mut random);
                    let [images, gained, lost] = [images, g, l].map(|count| count as usize);
                    ClassCounts {
                        images,
                        gained,
                        lost,
                    }
                })
                .collect();
            ExactTest::over_classes(&counts).is_some_and(|test| test.p_above(-MARGIN) <= LEVEL)
        })
        .count()
}
