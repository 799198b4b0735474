//! Chains of made-up steps.

use tailfold_spec::Logits;

use super::{Absent, Against, Checked, Closeness, Evidence, Outcome, Stage, StepLogits};
use crate::{ComparedModel, ParityError, ParityErrorKind, Policy, Verdict};

const IMAGES: usize = 2000;

fn labels() -> Vec<usize> {
    (0..IMAGES).map(|image| image % 2).collect()
}

/// Logits that are right, except for the images of the rare class for which `wrong` is true.
fn logits(wrong: impl Fn(usize) -> bool) -> Logits {
    let row = |image: usize| match (image % 2, wrong(image)) {
        (0, _) => [2.0, 1.0],
        (_, false) => [0.5, 3.0],
        (_, true) => [0.5, 0.0],
    };
    Logits::new((0..IMAGES).flat_map(row).collect(), 2).unwrap()
}

fn model() -> ComparedModel {
    ComparedModel {
        classes: vec!["cat".to_owned(), "lynx".to_owned()],
        train_counts: vec![500, 5],
        ..ComparedModel::default()
    }
}

type Made<'a> = (Stage, &'a str, &'a Logits);

fn judge(steps: &[Made<'_>], golden: Option<Against>) -> Result<Outcome, ParityError> {
    let (model, labels, policy) = (model(), labels(), Policy::default());
    let steps: Vec<StepLogits<'_>> = steps
        .iter()
        .map(|&(stage, backend, logits)| StepLogits {
            stage,
            backend,
            model: &model,
            logits,
        })
        .collect();
    let evidence = Evidence {
        steps: &steps,
        labels: &labels,
        policy: &policy,
        float_tolerance: 1e-4,
    };
    let checked = Checked {
        images: IMAGES,
        not_at_hand: [Stage::Fp16, Stage::Int8].map(absent).to_vec(),
        ..Checked::default()
    };
    Outcome::of(evidence.judge(golden)?, checked)
}

fn absent(stage: Stage) -> Absent {
    Absent {
        stage,
        backend: "cuda".to_owned(),
        why: "no\u{1b} driver".to_owned(),
    }
}

fn verdicts(outcome: &Outcome) -> Vec<Verdict> {
    outcome.steps.iter().map(|step| step.verdict).collect()
}

#[test]
fn equal_steps_hold() {
    let same = logits(|_| false);
    let steps = [
        (Stage::Float, "tract-stock", &same),
        (Stage::Float, "ort", &same),
        (Stage::Int8, "integer", &same),
    ];
    let outcome = judge(&steps, None).unwrap();
    assert_eq!(outcome.verdict, Verdict::Pass);
    assert_eq!(outcome.first_break, None);
    assert!(outcome.steps[0].against_first.is_none());
    let last = outcome.steps[2].against_previous.as_ref().unwrap();
    assert_eq!(
        (last.step, last.flips, last.few_delta_pp),
        (2, 0, Some(0.0))
    );
    let text = outcome.to_markdown();
    assert!(
        text.starts_with("PASS all 3 steps hold on 2000 images; 2 steps unavailable\n\n| step ")
    );
    // Each reason is listed once, and control characters are replaced.
    assert!(
        text.ends_with("- unavailable: cuda for FP16 and INT8: no\u{fffd} driver"),
        "{text}"
    );
}

#[test]
fn first_broken_step_is_named_and_next_step_passes() {
    let (good, bad) = (logits(|_| false), logits(|image| image % 3 == 0));
    let steps = [
        (Stage::Float, "tract-stock", &good),
        (Stage::Fp16, "ort", &bad),
        // This step differs from the broken step before, and equals the first step.
        (Stage::Int8, "integer", &good),
        (Stage::Int8, "ort", &bad),
    ];
    let outcome = judge(&steps, None).unwrap();
    let (pass, fail) = (Verdict::Pass, Verdict::Fail);
    assert_eq!(verdicts(&outcome), [pass, fail, pass, fail]);
    let found = outcome.first_break.as_ref().unwrap();
    assert_eq!((found.step, found.what.as_str()), (2, "FP16 on ort"));
    let text = outcome.to_markdown();
    assert!(text.starts_with("FAIL at step 2, FP16 on ort: against the first: few: "));
    let json: serde_json::Value = serde_json::from_str(&outcome.to_json()).unwrap();
    assert_eq!(json["schema"], "tailfold.parity-chain/1");
    assert_eq!(json["first_break"]["step"], 2);
    assert_eq!(json["steps"][3]["backend"], "ort");
    assert_eq!(json.get("bisect"), None);
}

#[test]
fn goldens_are_step_one_and_break_the_float_model() {
    let good = logits(|_| false);
    for (share, verdict) in [(1e-4, Verdict::Fail), (1.0, Verdict::Pass)] {
        let expected = Logits::new(vec![1.0, 2.0], 2).unwrap();
        let found = Logits::new(vec![1.0, 2.5], 2).unwrap();
        let near = Closeness::of(&expected, &found, share).unwrap();
        let golden = Against::golden("golden.safetensors", &near);
        let outcome = judge(&[(Stage::Float, "tract-stock", &good)], Some(golden)).unwrap();
        assert_eq!(verdicts(&outcome), [Verdict::Pass, verdict]);
        assert_eq!(outcome.steps[0].what(), "goldens of the training framework");
        let why = &outcome.steps[1].why;
        assert!(
            why.starts_with(
                "against the one before: golden.safetensors: a logit differs by 5.00e-1"
            ),
            "{why}"
        );
    }
}

#[test]
fn nan_never_passes() {
    let good = logits(|_| false);
    let mut values = good.values().to_vec();
    values[7] = f32::NAN;
    let bad = Logits::new(values, 2).unwrap();
    let (pass, fail) = (Verdict::Pass, Verdict::Fail);
    for (stage, backend) in [(Stage::Float, "ort"), (Stage::Int8, "integer")] {
        let steps = [(Stage::Float, "tract-stock", &good), (stage, backend, &bad)];
        let outcome = judge(&steps, None).unwrap();
        assert_eq!(verdicts(&outcome), [pass, fail]);
        let why = &outcome.steps[1].why;
        assert_eq!(why, "1 of 2000 images have a NaN or infinite logit");
    }
    // NaN also fails in the reference, which is compared with no other step, and in a comparison with itself.
    let steps = [
        (Stage::Float, "tract-stock", &bad),
        (Stage::Float, "ort", &bad),
    ];
    assert_eq!(verdicts(&judge(&steps, None).unwrap()), [fail, fail]);
}

#[test]
fn chain_without_step_is_error() {
    let errors = [
        judge(&[], None).unwrap_err(),
        Outcome::of(Vec::new(), Checked::default()).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ParityErrorKind::Empty);
        assert_eq!(error.to_string(), "the chain has no step");
    }
}

#[test]
fn other_shape_is_error() {
    let good = logits(|_| false);
    let short = Logits::new(vec![0.0; 4], 2).unwrap();
    let steps = [
        (Stage::Float, "tract-stock", &good),
        (Stage::Float, "ort", &short),
    ];
    let error = judge(&steps, None).unwrap_err();
    assert_eq!(error.kind(), ParityErrorKind::Mismatch);
    assert_eq!(
        error.to_string(),
        "the reference scored 2000 images but the candidate scored 2"
    );
    let unchecked = Outcome::unchecked(&judge(&steps, None).unwrap_err());
    assert_eq!(unchecked.schema, Outcome::SCHEMA);
    assert_eq!(unchecked.verdict, Verdict::Error);
}
