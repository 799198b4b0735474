//! Re-balancing never lowers the agreement, and its shifts stay within the error of each logit.

use std::collections::BTreeSet;

use super::*;
use crate::logits::logits;
use crate::rebalance::LeftOut;

/// Number of calibration images.
const MANY: usize = 24;

/// Returns the root mean square error of each logit, `[classes]`, with the mean error of each image subtracted.
fn errors(float: &Logits, quantized: &Logits) -> Vec<f64> {
    let classes = float.num_classes();
    let mut squares = vec![0.0; classes];
    for (before, after) in float.rows().zip(quantized.rows()) {
        let row: Vec<f64> = before
            .iter()
            .zip(after)
            .map(|(b, a)| f64::from(a - b))
            .collect();
        let mean = row.iter().sum::<f64>() / classes as f64;
        for (square, error) in squares.iter_mut().zip(row) {
            *square += (error - mean).powi(2);
        }
    }
    squares
        .into_iter()
        .map(|s| (s / float.len() as f64).sqrt())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn shifts_stay_within_the_errors_and_agreement_never_falls(
        plan in plan(),
        bits in 4_u8..9,
        // Large confidences give logits of several hundred.
        confidence in prop_oneof![Just(1.0_f32), Just(10.0), Just(300.0)],
    ) {
        let mut model = plan.model();
        let weight = model.nodes().last().unwrap().input[1].clone();
        let (shape, values) = model.initializer_f32(&weight).unwrap();
        let sharper: Vec<f32> = values.iter().map(|w| w * confidence).collect();
        model.set_initializer_f32(&weight, &shape, &sharper);
        let float = FloatModel::from_bytes(&model.to_bytes(), "random").unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(plan.seed ^ 2);
        let values = MANY * plan.image.iter().product::<usize>();
        let images: Vec<u8> = (0..values)
            .flat_map(|_| rng.random_range(-1.0_f32..1.0).to_le_bytes())
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("images.f32");
        std::fs::write(&file, images).unwrap();
        let prepared = PreparedImages::open(&file, float.input_shape()).unwrap();
        let set = CalibrationSet::prepared(prepared);
        let options = Options { weight_bits: WeightBits::new(bits).unwrap(), ..Options::default() };
        let draft = match Draft::new(&float, &set, &options, &|| {}) {
            Ok(draft) => draft,
            Err(error) if error.kind() == crate::QuantErrorKind::AllZero => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        let none = BTreeSet::new();
        let of = |model: &Model| logits(model, "random", &set, &|| {}).unwrap();
        let (answers, plain) = (of(float.model()), of(&draft.model(&none).unwrap()));
        let done = draft.finish(&none, &set, true, &|| {}).unwrap();
        let after = Fit::of(&answers, &of(&done.model));
        prop_assert!(after.agreement >= Fit::of(&answers, &plain).agreement);
        match &done.rebalance {
            Rebalanced::Done(shifts) => {
                let limits = errors(&answers, &plain);
                for (shift, limit) in shifts.iter().zip(limits) {
                    // The limit was computed from float logits of another run, which sums in another order.
                    prop_assert!(shift.abs() <= limit * (1.0 + 1e-5), "{shift} {limit}");
                }
                prop_assert!(done.record.corrections.iter().any(|c| c == REBALANCE));
            }
            Rebalanced::LeftOut(LeftOut::Agreement { before, after, .. }) => {
                prop_assert!(after < before);
                prop_assert!(done.record.corrections.iter().all(|c| c != REBALANCE));
            }
            Rebalanced::LeftOut(LeftOut::Unbalanced { .. }) => {}
            other => prop_assert!(false, "{other:?}"),
        }
    }
}
