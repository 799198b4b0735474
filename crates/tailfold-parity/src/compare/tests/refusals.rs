//! Inputs that are refused, with the exact messages.

use super::*;

#[test]
fn incomparable_inputs_are_named() {
    let labels = labels(2);
    let logits = deciding(&labels);
    let narrow = Logits::new(vec![0.0; 60], 5).unwrap();
    let short = deciding(&labels[..11]);
    let none = Logits::new(Vec::new(), 6).unwrap();
    let check = |before: &Logits,
                 after: &Logits,
                 labels: &[usize],
                 edit: &dyn Fn(&mut ComparedModel),
                 message: &str| {
        let mut card = card();
        edit(&mut card);
        let policy = Policy {
            expected_images: Some(12),
            ..Policy::default()
        };
        let error = compare(before, after, labels, &card, &policy).unwrap_err();
        assert_eq!(error.to_string(), message);
    };
    let keep = &|_: &mut ComparedModel| {};
    check(
        &logits,
        &narrow,
        &labels,
        keep,
        "the reference has 6 classes but the candidate has 5",
    );
    check(
        &logits,
        &short,
        &labels,
        keep,
        "the reference scored 12 images but the candidate scored 11",
    );
    check(
        &logits,
        &logits,
        &labels[1..],
        keep,
        "12 images were scored but 11 labels were given",
    );
    check(&none, &none, &[], keep, "there are no images to compare");
    check(
        &short,
        &short,
        &labels[..11],
        keep,
        "the policy expects 12 images but 11 were scored",
    );
    let mut beyond = labels.clone();
    beyond[7] = 6;
    check(
        &logits,
        &logits,
        &beyond,
        keep,
        "image 7 has label 6 but the model has 6 classes",
    );
    let lacking: Vec<usize> = labels.iter().map(|label| label % 4).collect();
    check(
        &logits,
        &logits,
        &lacking,
        keep,
        "group few has 2 classes but no image",
    );
    check(
        &logits,
        &logits,
        &labels,
        &|c| drop(c.classes.pop()),
        "the logits have 6 classes but the model has 5 class names",
    );
    check(
        &logits,
        &logits,
        &labels,
        &|c| c.train_counts.push(1),
        "the logits have 6 classes but the model has 7 training counts",
    );
    let policy = Policy {
        level: 0.0,
        ..Policy::default()
    };
    let error = compare(&logits, &logits, &labels, &card(), &policy).unwrap_err();
    let unchecked = Unchecked::because(&error);
    assert_eq!(unchecked.verdict.exit_code(), 2);
    let expect =
        "the policy is unusable: policy.level is 0, expected at least 0.001 and less than 0.5";
    assert_eq!(unchecked.reasons, [expect]);
    assert!(unchecked.to_json().contains("\"verdict\": \"error\""));
}
