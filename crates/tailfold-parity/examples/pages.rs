//! Writes reports of made-up models with every verdict, to look at:
//! `cargo run -p tailfold-parity --example pages -- FOLDER [PICTURES]`.
//! The optional folder `PICTURES` holds images `NUMBER.png` of 28 by 28 pixels.

use std::error::Error;
use std::fs;
use std::path::Path;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tailfold_parity::{
    BackendPolicy, ComparedModel, Latency, Picture, Policy, Report, Run, RunSide, Sides, Unchecked,
    compare,
};
use tailfold_spec::Logits;

const NAMES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// Compares two classifiers of `classes` classes that differ by noise of size `noise`. The candidate's logits for the
/// rarest third of the classes are lowered by `shift`.
fn report(
    classes: usize,
    per_class: usize,
    noise: f32,
    shift: f32,
    policy: &Policy,
) -> Result<Report, Box<dyn Error>> {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let labels: Vec<usize> = (0..classes * per_class).map(|i| i % classes).collect();
    let (mut reference, mut candidate) = (Vec::new(), Vec::new());
    for &label in &labels {
        for class in 0..classes {
            let logit = random.random_range(0.0..4.0)
                + if class == label {
                    2.4 - 0.8 * class as f32 / classes as f32
                } else {
                    0.0
                };
            let back = if 3 * class >= 2 * classes { shift } else { 0.0 };
            reference.push(logit);
            candidate.push(logit - back + noise * random.random_range(-1.0..1.0));
        }
    }
    let counts =
        (0..classes).map(|c| 600.0 * (5.0 / 600.0_f64).powf(c as f64 / (classes - 1) as f64));
    let names = (0..classes).map(|class| {
        NAMES
            .get(class)
            .map_or_else(|| format!("species {class}"), |name| (*name).to_owned())
    });
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 600"
    )]
    let counts = counts.map(|count| count as u64).collect();
    let mut model = ComparedModel::new(names.collect(), counts);
    model.name = "fashion-lt".to_owned();
    let logits = [reference, candidate].map(|values| Logits::new(values, classes));
    let [reference, candidate] = logits;
    let mut report = compare(&reference?, &candidate?, &labels, &model, policy)?;
    let side = |file: &str, bytes, nodes: &[(&str, usize)], ms| {
        let mut side = RunSide::default();
        side.file = file.to_owned();
        side.bytes = bytes;
        side.nodes = nodes
            .iter()
            .map(|(name, number)| ((*name).to_owned(), *number))
            .collect();
        side.latency = Some(Latency::new(100, ms, 1.4 * ms));
        side
    };
    report.backends = Sides {
        reference: "tract".to_owned(),
        candidate: "tract".to_owned(),
    };
    report.model_sha256 = Sides {
        reference: "3f".repeat(32),
        candidate: "a9".repeat(32),
    };
    let mut run = Run::default();
    run.version = "tailfold 0.1.0".to_owned();
    run.command = "tailfold parity --reference models/fashion-lt/fashion-lt.onnx --candidate models/fashion-lt/fashion-lt.int8.onnx --data 'embedded?split=test' --policy models/fashion-lt/parity.toml".to_owned();
    run.data = "embedded?split=test".to_owned();
    run.machine = "x86_64 linux, avx512-vnni".to_owned();
    run.sides = Sides {
        reference: side(
            "models/fashion-lt/fashion-lt.onnx",
            305_461,
            &[("tract, float", 31)],
            0.61,
        ),
        candidate: side(
            "models/fashion-lt/fashion-lt.int8.onnx",
            96_689,
            &[
                ("conv 3x3 winograd", 9),
                ("conv 1x1", 4),
                ("tract, float", 2),
            ],
            0.213,
        ),
    };
    report.run = Some(run);
    Ok(report)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("give the folder to write to")?;
    let (folder, pictures) = (Path::new(&folder), arguments.next());
    fs::create_dir_all(folder)?;
    let mut loose = Policy::default();
    loose.overall_margin_pp = 2.0;
    loose.min_retained = 0.9;
    let mut own = loose.clone();
    let mut tract = BackendPolicy::default();
    tract.reason = "its kernels round halves away from zero".to_owned();
    tract.max_tie_rate = Some(0.01);
    own.backends.insert("tract".to_owned(), tract);
    let mut agreeing = loose.clone();
    agreeing.min_agreement = Some(0.97);
    for (name, report) in [
        ("pass", report(10, 600, 0.08, 0.0, &own)?),
        ("fail", report(10, 300, 0.3, 0.7, &agreeing)?),
        ("inconclusive", report(10, 40, 0.3, 0.0, &loose)?),
        ("many", report(1000, 5, 0.2, 0.2, &loose)?),
    ] {
        let shown: Vec<Picture> = report
            .worst_flips
            .iter()
            .filter_map(|flip| {
                let name = format!("{}.png", flip.image);
                let png = fs::read(Path::new(pictures.as_ref()?).join(&name)).ok()?;
                Some(Picture::new(flip.image, name, [28, 28], png))
            })
            .collect();
        for (ending, text) in [
            ("html", report.to_html(&shown)),
            ("md", report.to_markdown()),
            ("xml", report.to_junit()),
            ("json", report.to_json()),
        ] {
            fs::write(folder.join(format!("{name}.{ending}")), text)?;
        }
    }
    let error = Unchecked::because(&std::io::Error::other(
        "models/missing.onnx: cannot read it: no such file",
    ));
    for (ending, text) in [
        ("html", error.to_html()),
        ("md", error.to_markdown()),
        ("xml", error.to_junit()),
    ] {
        fs::write(folder.join(format!("error.{ending}")), text)?;
    }
    Ok(())
}
