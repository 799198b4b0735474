//! Identical models never fail on samples of the test images.

use tailfold_parity::{ComparedModel, Policy, Verdict, compare};
use tailfold_spec::Logits;

use crate::fixture::{embedded, logits};
use crate::programs::root;

/// Number of samples, each drawn with replacement.
const SAMPLES: u64 = 1000;

/// Pseudorandom numbers from a seed, by SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % below as u64).unwrap()
    }
}

#[test]
fn identical_models_never_fail_on_thousand_samples_of_test_images() {
    let shipped = root().join("models/fashion-lt/fashion-lt.onnx");
    let model = tailfold_onnx::Model::read(&shipped).unwrap();
    let data = embedded("split=test");
    let all = logits(&model, &data);
    let rows: Vec<&[f32]> = all.rows().collect();
    let card = ComparedModel::from(&model.checked_card().unwrap());
    let mut passes = 0;
    for seed in 0..SAMPLES {
        let mut draw = random(seed);
        // A sample has from a tenth of the images to all of them, so that some samples are too small for a verdict.
        let images = 300 + draw(2701);
        let drawn: Vec<usize> = (0..images).map(|_| draw(rows.len())).collect();
        let values = drawn
            .iter()
            .flat_map(|&image| rows[image])
            .copied()
            .collect();
        let sample = Logits::new(values, all.num_classes()).unwrap();
        let labels: Vec<usize> = drawn.iter().map(|&image| data.labels()[image]).collect();
        let report = compare(&sample, &sample, &labels, &card, &Policy::default()).unwrap();
        assert_eq!((report.flips, report.agreement), (0, 1.0), "sample {seed}");
        assert!(
            matches!(report.verdict, Verdict::Pass | Verdict::Inconclusive),
            "sample {seed}: {}",
            report.headline()
        );
        // Without a flip, only the number of images decides.
        let enough = report.parts().all(|(_, part)| part.margin_p <= 0.05);
        assert_eq!(report.verdict == Verdict::Pass, enough, "sample {seed}");
        passes += usize::from(report.verdict == Verdict::Pass);
    }
    assert!(
        (100..900).contains(&passes),
        "{passes} of {SAMPLES} samples pass"
    );
}
