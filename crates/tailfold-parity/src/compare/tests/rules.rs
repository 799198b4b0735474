//! Rules other than the margins, and warnings.

use super::*;

#[test]
fn non_finite_logit_fails_first() {
    let labels = labels(300);
    let good = deciding(&labels);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut values = good.values().to_vec();
        values[6 * 17 + 3] = bad;
        let bad = Logits::new(values, 6).unwrap();
        let report = run(&good, &bad, &labels, &Policy::default());
        assert_eq!(
            (report.verdict, report.decided_by.as_str()),
            (Verdict::Fail, "non_finite")
        );
        assert_eq!(
            report.reasons[0],
            "1 of 1800 images have a NaN or infinite logit in the candidate, the first is image 17"
        );
        assert_eq!(
            (report.non_finite.reference, report.non_finite.candidate),
            (0, 1)
        );
        assert_eq!(
            (report.flips, report.overall.lost, report.max_abs_logit_diff),
            (1, 1, None)
        );
        // NaN on both sides does not count as agreement.
        let report = run(&bad, &bad, &labels, &Policy::default());
        assert_eq!(
            (report.verdict, report.flips, report.reasons.len()),
            (Verdict::Fail, 1, 1)
        );
        let both = [" in the reference, ", " in the candidate, "];
        assert!(both.iter().all(|side| report.reasons[0].contains(side)));
    }
}

#[test]
fn ties_of_coarse_logits_fail() {
    let labels = labels(1000);
    let reference = deciding(&labels);
    // The logits are rounded to a step of 4 like a coarse INT8 output: 4.0 stays and 0.25 c becomes 0. Then 12 images
    // are saturated.
    let mut values: Vec<f32> = reference
        .values()
        .iter()
        .map(|v| (v / 4.0).round() * 4.0)
        .collect();
    values[..72].fill(4.0);
    let candidate = Logits::new(values, 6).unwrap();
    let report = run(&reference, &candidate, &labels, &Policy::default());
    assert_eq!(
        (report.verdict, report.decided_by.as_str()),
        (Verdict::Fail, "ties")
    );
    assert_eq!(
        report.reasons[0],
        "12 of 6000 images have a tie at the top of the candidate's logits (0.20 %, 0.10 % is accepted)"
    );
    // Class ids are sorted by frequency and the lowest index wins, so every flip goes to the most frequent class.
    assert_eq!(
        (
            report.ties.candidate,
            report.flips,
            report.flips_toward_frequent
        ),
        (12, 10, 10)
    );
    let tolerant = Policy {
        max_tie_rate: 0.01,
        ..Policy::default()
    };
    assert_eq!(
        run(&reference, &candidate, &labels, &tolerant).verdict,
        Verdict::Pass
    );
}

#[test]
fn retained_share_decides_when_margin_is_too_wide() {
    // The group few falls from 10 % to 9.5 %. A margin of one point would accept this loss of a twentieth of the
    // accuracy.
    let labels = labels(2000);
    let reference = deciding(&mistaken(&labels, [0, 0, 0, 0, 1800, 1800]));
    let candidate = deciding(&mistaken(&labels, [0, 0, 0, 0, 1810, 1810]));
    let report = run(&reference, &candidate, &labels, &Policy::default());
    let few = report.groups.few.as_ref().unwrap();
    assert!(few.lower_bound_pp > -1.0 && !few.keeps_min_retained);
    assert_eq!(
        report.reasons,
        [
            "few keeps 95.0 % of the reference's accuracy, 99 % is required: \
          9.5 % against 10.0 % (-0.50 pp, 95 % upper bound -0.33)"
        ]
    );
    assert_eq!(
        (report.verdict, report.overall.verdict),
        (Verdict::Fail, Verdict::Pass)
    );
    // With only two images at stake, the same share may be chance.
    let candidate = deciding(&mistaken(&labels, [0, 0, 0, 0, 1802, 1800]));
    let report = run(
        &deciding(&mistaken(&labels, [0, 0, 0, 0, 1998, 1800])),
        &candidate,
        &labels,
        &Policy::default(),
    );
    assert_eq!(report.groups.few.unwrap().verdict, Verdict::Pass);
    let few_losing = |lost: usize| {
        let before = deciding(&mistaken(&labels, [0, 0, 0, 0, 1990, 1990]));
        let after = deciding(&mistaken(&labels, [0, 0, 0, 0, 1990 + lost, 1990]));
        run(&before, &after, &labels, &Policy::default())
            .groups
            .few
            .unwrap()
    };
    let few = few_losing(1);
    assert_eq!(
        (few.verdict, few.keeps_min_retained),
        (Verdict::Inconclusive, false)
    );
    // z^2 = 2.7055 losses would be significant, so 2.7055 times as many images are needed.
    assert_eq!(few.images_needed, Some(10_823));
    assert_eq!(few_losing(3).verdict, Verdict::Fail);
}

#[test]
fn agreement_and_distance_are_rules_when_policy_sets_them() {
    let labels = labels(300);
    let reference = deciding(&labels);
    let shifted = Logits::new(reference.values().iter().map(|v| v + 0.5).collect(), 6).unwrap();
    let policy = Policy {
        max_abs_logit_diff: Some(0.25),
        ..Policy::default()
    };
    let report = run(&reference, &shifted, &labels, &policy);
    assert_eq!(
        (report.verdict, report.decided_by.as_str()),
        (Verdict::Fail, "max_abs_logit_diff")
    );
    assert_eq!(
        report.reasons,
        ["a logit differs by 5.000e-1, 2.500e-1 is accepted"]
    );
    let policy = Policy {
        min_agreement: Some(1.0),
        ..Policy::default()
    };
    let report = run(
        &reference,
        &deciding(&mistaken(&labels, [1, 0, 0, 0, 0, 0])),
        &labels,
        &policy,
    );
    assert_eq!(
        (report.verdict, report.decided_by.as_str()),
        (Verdict::Fail, "agreement")
    );
    assert_eq!(
        report.reasons,
        ["both give the same class to 99.94 % of the images, 100.00 % is required"]
    );
}

#[test]
fn conditions_without_a_rule_are_warnings() {
    let all = labels(300);
    let nothing = deciding(&mistaken(&all, [300; 6]));
    let report = run(&nothing, &nothing, &all, &Policy::default());
    let expect = [
        "the reference is right on 0.0 % of the images, no better than chance: check labels and preprocessing",
        "few: the reference gets no image right, so nothing can be lost",
        "medium: the reference gets no image right, so nothing can be lost",
        "many: the reference gets no image right, so nothing can be lost",
    ];
    assert_eq!(report.warnings, expect);
    let unseen: Vec<usize> = all.iter().map(|&label| label.min(4)).collect();
    let mut values = deciding(&unseen).values().to_vec();
    values[..6].fill(0.0);
    let logits = Logits::new(values, 6).unwrap();
    let report = run(&logits, &logits, &unseen, &Policy::default());
    let expect = [
        "few: 1 of 2 classes have no image and are left out",
        "1 of 1800 images have a tie at the top of the reference's logits",
    ];
    assert_eq!(report.warnings, expect);
    // The rarest class has a tenth of the images of the other class: K^2 / (1/30 + 1/300) = 109.09 of 330.
    let unequal: Vec<usize> = all
        .iter()
        .enumerate()
        .filter(|(row, label)| **label != 5 || *row < 180)
        .map(|(_, &label)| label)
        .collect();
    let logits = deciding(&unequal);
    let report = run(&logits, &logits, &unequal, &Policy::default());
    let expect = "few: its classes have unequal numbers of images, so 330 count as 109 and its bounds are approximate";
    assert_eq!(report.warnings, [expect]);
    assert_eq!(report.groups.few.unwrap().verdict, Verdict::Inconclusive);
}

#[test]
fn failure_outranks_inconclusive() {
    // 60 images per group are inconclusive, but one flip too many is certain.
    let labels = labels(30);
    let policy = Policy {
        min_agreement: Some(1.0),
        ..Policy::default()
    };
    let candidate = deciding(&mistaken(&labels, [1, 0, 0, 0, 0, 0]));
    let report = run(&deciding(&labels), &candidate, &labels, &policy);
    assert_eq!(
        (report.verdict, report.decided_by.as_str()),
        (Verdict::Fail, "agreement")
    );
    assert_eq!(
        report.groups.few.as_ref().unwrap().verdict,
        Verdict::Inconclusive
    );
    assert_eq!(report.reasons.len(), 5);
    assert!(
        report
            .headline()
            .ends_with("; few, medium, many and overall are inconclusive"),
        "{}",
        report.headline()
    );
}

#[test]
fn table_has_one_line_for_all_classes_that_candidate_never_gives() {
    let all = labels(100);
    let reference = deciding(&all);
    let candidate = deciding(&vec![0; all.len()]);
    let report = run(&reference, &candidate, &all, &Policy::default());
    let never = |warning: &&String| warning.contains("the candidate never gives this class");
    assert_eq!(report.warnings.iter().filter(never).count(), 5);
    let table = report.to_table();
    assert!(
        !table.contains("the candidate never gives this class"),
        "{table}"
    );
    let names = report.classes[1..].iter().map(|class| class.name.as_str());
    let expect = format!(
        "warning: 5 classes that the reference gives are never given by the candidate: {}\n",
        names.collect::<Vec<_>>().join(", ")
    );
    assert!(table.contains(&expect), "{table}");
}
