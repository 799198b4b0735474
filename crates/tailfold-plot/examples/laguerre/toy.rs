//! Seven classes in the plane and a linear classifier of them. The most frequent class has a hundred times as many
//! training points as the rarest.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};
use tailfold_plot::{CellPanel, Cells, ToyClass};
use tailfold_sdot::{AffineHead, Masses, Options, SampledMeasure, Scores, Solution, cell_masses};

/// Name, number of training points and centre of each class.
const CLASSES: [(&str, u16, [f64; 2]); 7] = [
    ("A", 600, [0.3, 0.2]),
    ("B", 280, [-2.2, 1.3]),
    ("C", 130, [2.3, 1.5]),
    ("D", 60, [2.1, -1.4]),
    ("E", 28, [-0.5, -2.1]),
    ("F", 13, [-2.6, -1.0]),
    ("G", 6, [0.2, 2.3]),
];

/// Standard deviation of a class along each axis.
const SPREAD: f64 = 0.75;

const FRAME: [[f64; 2]; 2] = [[-4.2, -3.5], [4.2, 3.5]];

/// Number of training points per class that the figures show.
const SHOWN: usize = 70;

/// Number of points per class in the source measure.
const BALANCED: u16 = 4000;

/// The classes, the classifier trained on them, and the measure for which offsets are solved.
pub(crate) struct Toy {
    classes: Vec<ToyClass>,
    /// Coefficients of the scores `a x + b y + c`.
    heads: Vec<[f64; 3]>,
    /// Points not used in training, with the same share of every class.
    source: SampledMeasure,
}

impl Toy {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut draw = |centre: [f64; 2], n: u16| -> Vec<[f64; 2]> {
            let mut around = |middle| {
                let noise: f64 = StandardNormal.sample(&mut rng);
                middle + SPREAD * noise
            };
            (0..n).map(|_| centre.map(&mut around)).collect()
        };
        let training: Vec<_> = CLASSES.iter().map(|&(_, n, at)| draw(at, n)).collect();
        let unseen: Result<Vec<_>, _> = CLASSES
            .iter()
            .map(|&(_, _, at)| {
                let points = draw(at, BALANCED);
                let points = points.into_iter().flatten().map(narrow).collect();
                SampledMeasure::features(points, None, 2)
            })
            .collect();
        let unseen = unseen?;
        let parts: Vec<_> = unseen.iter().map(|class| (1.0, class)).collect();
        let shown = |(&(name, _, centre), points): (&(&str, u16, _), &Vec<_>)| ToyClass {
            name: name.to_owned(),
            centre,
            points: points.iter().take(SHOWN).copied().collect(),
        };
        Ok(Self {
            heads: learned(&training),
            classes: CLASSES.iter().zip(&training).map(shown).collect(),
            source: SampledMeasure::mixture(&parts)?,
        })
    }

    /// The share of each class in the training points.
    pub(crate) fn prior() -> Vec<f64> {
        let all: f64 = CLASSES.iter().map(|c| f64::from(c.1)).sum();
        CLASSES.iter().map(|c| f64::from(c.1) / all).collect()
    }

    /// Solves the offsets that give the cells, or the softmax at a temperature, the masses `target`.
    pub(crate) fn solve(&self, target: &[f64], masses: Masses) -> anyhow::Result<Solution> {
        let (weights, bias) = self.layer();
        let mut options = Options::default();
        options.masses = masses;
        options.chi_square = 1e-6;
        let head = AffineHead::new(&weights, &bias, 2)?;
        let source = &self.source;
        Ok(head.solve(source.points(), source.weights(), target, &options)?)
    }

    /// A panel with the cells under `offsets` and their masses; `target` may be empty.
    pub(crate) fn panel(
        &self,
        title: &str,
        offsets: &[f64],
        temperature: Option<f64>,
        target: &[f64],
    ) -> anyhow::Result<CellPanel> {
        let heads: Vec<[f64; 3]> = self
            .heads
            .iter()
            .zip(offsets)
            .map(|(&[a, b, c], h)| [a, b, c + h])
            .collect();
        let rows: Vec<f32> = heads.iter().flatten().copied().map(narrow).collect();
        let points = self.source.points().chunks_exact(2);
        let points: Vec<f32> = points.flat_map(|p| [p[0], p[1], 1.0]).collect();
        let scores = Scores::product(&points, &rows, 3, 1.0)?;
        Ok(CellPanel {
            title: title.to_owned(),
            mass: cell_masses(&scores, self.source.weights(), &vec![0.0; heads.len()])?,
            heads,
            temperature,
            target: target.to_vec(),
        })
    }

    pub(crate) fn picture<'a>(&'a self, panels: &'a [CellPanel]) -> Cells<'a> {
        Cells {
            classes: &self.classes,
            frame: FRAME,
            panels,
        }
    }

    /// Weights `[C, 2]` and bias `[C]`.
    fn layer(&self) -> (Vec<f32>, Vec<f32>) {
        let weights = self.heads.iter().flat_map(|&[a, b, _]| [a, b]);
        let bias = self.heads.iter().map(|head| head[2]);
        (weights.map(narrow).collect(), bias.map(narrow).collect())
    }
}

/// Trains softmax regression by gradient descent on the cross-entropy of `training`, `[C]` lists of points; every
/// point has the same weight.
fn learned(training: &[Vec<[f64; 2]>]) -> Vec<[f64; 3]> {
    let all: usize = training.iter().map(Vec::len).sum();
    let mut heads = vec![[0.0; 3]; training.len()];
    for _ in 0..4000 {
        let mut gradient = vec![[0.0; 3]; heads.len()];
        for (class, points) in training.iter().enumerate() {
            for &[x, y] in points {
                let scores: Vec<f64> = heads.iter().map(|h| h[0] * x + h[1] * y + h[2]).collect();
                let most = scores.iter().copied().fold(f64::MIN, f64::max);
                let sum: f64 = scores.iter().map(|s| (s - most).exp()).sum();
                for (other, (g, s)) in gradient.iter_mut().zip(&scores).enumerate() {
                    let wrong = (s - most).exp() / sum - f64::from(u8::from(other == class));
                    for (g, input) in g.iter_mut().zip([x, y, 1.0]) {
                        *g += wrong * input / all as f64;
                    }
                }
            }
        }
        for (w, g) in heads
            .as_flattened_mut()
            .iter_mut()
            .zip(gradient.as_flattened())
        {
            *w -= g;
        }
    }
    heads
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "points and weights of a few units"
)]
fn narrow(x: f64) -> f32 {
    x as f32
}
