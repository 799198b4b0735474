use super::*;

use crate::casts::to_host;
use crate::config::TrainConfig;

const COUNTS: [u64; 3] = [60, 30, 10];

fn config(edit: &str) -> TrainConfig {
    let base = r#"
        name = "losses"
        data = "embedded"
        epochs = 10
        batch = 2
        loss = "ce"
        network = { depth = 8, head = { kind = "cosine", scale = 20.0 } }
        optimizer = { learning_rate = 0.1, weight_decay = 0.0 }
        views = { classifier = 1 }
        "#;
    let mut all: toml::Table = toml::from_str(base).unwrap();
    all.extend(toml::from_str::<toml::Table>(edit).unwrap());
    let config: TrainConfig = all.try_into().unwrap();
    config.validate().unwrap();
    config
}

fn loss(edit: &str) -> ClassifierLoss {
    let classes = ["a", "b", "c"].map(str::to_owned);
    ClassifierLoss::new(&config(edit), &COUNTS, &classes).unwrap()
}

/// Returns the loss of two samples, of classes 2 and 0.
fn value(loss: &ClassifierLoss, progress: f64) -> f64 {
    let device = Device::flex();
    let scores = Tensor::<2>::from_floats(SCORES, &device);
    let labels = Tensor::<1, Int>::from_ints([2, 0], &device);
    f64::from(to_host(loss.value(scores, labels, progress, None)).unwrap()[0])
}

const SCORES: [[f32; 3]; 2] = [[1.0, -2.0, 0.5], [3.0, 2.0, -1.0]];

/// Returns the cross-entropy of each sample, in f64, over the scores plus `shift`; `own` shifts only the sample's own
/// class.
fn costs(shift: [f64; 3], own: bool) -> [f64; 2] {
    [(0, 2_usize), (1, 0)].map(|(row, label)| {
        let moved = [0, 1, 2].map(|j| {
            let shift = if own && j != label { 0.0 } else { shift[j] };
            f64::from(SCORES[row][j]) + shift
        });
        moved.map(f64::exp).iter().sum::<f64>().ln() - moved[label]
    })
}

#[track_caller]
fn close(found: f64, expect: f64) {
    // The scores are a few logits, up to 12 with margins, so the tolerance is a few f32 steps.
    assert!((found - expect).abs() < 5e-6, "{found}, expected {expect}");
}

fn mean(costs: [f64; 2]) -> f64 {
    f64::midpoint(costs[0], costs[1])
}

#[test]
fn each_name_selects_its_loss() {
    let plain = costs([0.0; 3], false);
    close(value(&loss(""), 0.0), mean(plain));

    let won = plain.map(|cost| (1.0 - (-cost).exp()).powf(3.0) * cost);
    close(
        value(&loss("loss = 'focal'\nfocal.gamma = 3.0"), 0.0),
        mean(won),
    );

    let prior = [0.6_f64, 0.3, 0.1];
    let edit = "loss = 'logit-adjustment'\nlogit_adjustment.tau = 0.5";
    close(
        value(&loss(edit), 0.0),
        mean(costs(prior.map(|p| 0.5 * p.ln()), false)),
    );
}

#[test]
fn ldam_is_weighted_from_configured_epoch() {
    // Margins 0.2 (10 / n)^(1/4) in cosines, times the head's scale of 20.
    let margins = [60.0_f64, 30.0, 10.0].map(|n| -0.2 * (10.0 / n).powf(0.25) * 20.0);
    let [of_c, of_a] = costs(margins, true);
    let ldam = loss("loss = 'ldam'\nldam = { max_margin = 0.2, drw_from = 0.7, beta = 0.9 }");
    let weight = |n: f64| 1.0 / (1.0 - 0.9_f64.powf(n));
    let (c, a) = (weight(10.0), weight(60.0));
    for epoch in 0..10_u32 {
        let expect = if epoch < 7 {
            mean([of_c, of_a])
        } else {
            (c * of_c + a * of_a) / (c + a)
        };
        close(value(&ldam, f64::from(epoch) / 10.0), expect);
    }
    let never = loss("loss = 'ldam'\nldam = { max_margin = 0.2, drw_from = 1.0 }");
    close(value(&never, 0.9), mean([of_c, of_a]));
}

#[test]
fn class_without_images_is_named() {
    let classes = ["a", "b", "c"].map(str::to_owned);
    let refuse = |edit: &str| {
        let error = ClassifierLoss::new(&config(edit), &[3, 0, 1], &classes).unwrap_err();
        error.to_string()
    };
    for name in ["ldam", "logit-adjustment"] {
        assert_eq!(
            refuse(&format!("loss = '{name}'")),
            format!("class `b` has no training images, but loss `{name}` needs them")
        );
    }
    for name in ["ce", "focal"] {
        let config = config(&format!("loss = '{name}'"));
        assert!(ClassifierLoss::new(&config, &[3, 0, 1], &classes).is_ok());
    }
}
