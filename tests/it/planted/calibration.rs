//! Faults of calibration: ranges observed on a single class.

use super::trial::{Bench, Caught, FLOAT, Fault, Trial, Way};
use crate::fixture::embedded;
use crate::programs::run;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "calibration on one class only, our defaults",
        caught: Caught::Refused("calibration", "without an image of group"),
        plant: |bench, way| Some(calibrated(bench, way, &[])),
    },
    Fault {
        name: "calibration on one class only, plain minimum and maximum",
        caught: Caught::Refused("calibration", "without an image of group"),
        plant: |bench, way| Some(calibrated(bench, way, PLAIN)),
    },
];

/// Options for the usual method of other quantizers.
const PLAIN: &[&str] = &[
    "--observer",
    "minmax",
    "--rounding",
    "nearest",
    "--correct",
    "none",
];
/// The class of dresses, whose images are dark and narrow.
const CLASS: usize = 3;

/// The shipped float model, quantized on training images of all classes or, with the fault, of a single class.
fn calibrated(bench: &Bench, way: Way, how: &[&str]) -> Trial {
    let train = embedded("split=train");
    let of_class = |i: &usize| train.labels()[*i] == CLASS || way == Way::Sound;
    let images = (0..train.len()).filter(of_class);
    let images = images.map(|i| (train.image(i).unwrap(), train.labels()[i]));
    let data = bench.data(if way.is_faulty() { "one" } else { "all" }, images);
    let (data, out) = (format!("{data}?empty=allow"), bench.at("candidate.onnx"));
    let args = [
        "--model",
        FLOAT,
        "--calibration",
        &data,
        "--out",
        &out,
        "--allow-missing",
    ];
    run("tailfold quantize", &[&args[..], how].concat()).ended_with(0);
    Trial::of(out).alone(&["--allow-uncalibrated"])
}
