//! Verdicts by the margins, overall and per group.

use super::*;

#[test]
fn identical_logits_pass_without_a_flip() {
    let labels = labels(300);
    let logits = deciding(&mistaken(&labels, [10, 20, 30, 40, 50, 100]));
    let report = run(&logits, &logits, &labels, &Policy::default());
    assert_eq!(report.verdict, Verdict::Pass);
    assert_eq!(
        (
            report.flips,
            report.flips_toward_frequent,
            report.worst_classes.len()
        ),
        (0, 0, 0)
    );
    assert_eq!(
        (report.max_abs_logit_diff, report.agreement),
        (Some(0.0), 1.0)
    );
    let few = report.groups.few.as_ref().unwrap();
    assert_eq!(
        (few.images, few.classes, few.discordant, few.mcnemar_p),
        (600, 2, 0, 1.0)
    );
    assert_eq!(
        (few.reference_top1, few.candidate_top1, few.delta_pp),
        (0.75, 0.75, 0.0)
    );
    // The bound is (0.05 - 1e-4)^(1 / 600) - 1.
    assert!(
        (few.lower_bound_pp + 0.498_384).abs() < 1e-3,
        "{}",
        few.lower_bound_pp
    );
    assert_eq!(
        report.reasons,
        ["few: 75.0 % against 75.0 % (+0.00 pp, 95 % lower bound -0.50, margin 1.00)"]
    );
    assert_eq!(report.warnings, [""; 0]);
}

#[test]
fn permuted_classes_fail() {
    let labels = labels(100);
    let rolled: Vec<usize> = labels.iter().map(|label| (label + 1) % 6).collect();
    let report = run(
        &deciding(&labels),
        &deciding(&rolled),
        &labels,
        &Policy::default(),
    );
    assert_eq!(
        (report.verdict, report.decided_by.as_str()),
        (Verdict::Fail, "few")
    );
    assert_eq!(
        (
            report.flips,
            report.flips_toward_frequent,
            report.flips_toward_rare
        ),
        (600, 100, 500)
    );
    assert_eq!((report.overall.lost, report.overall.gained), (600, 0));
}

#[test]
fn worse_tail_fails_when_average_passes() {
    // The group few loses 5 %, and the group many gains as much.
    let labels = labels(1000);
    let reference = deciding(&mistaken(&labels, [100, 100, 100, 100, 200, 200]));
    let candidate = deciding(&mistaken(&labels, [50, 50, 100, 100, 250, 250]));
    let report = run(&reference, &candidate, &labels, &Policy::default());
    assert_eq!(
        (report.verdict, report.decided_by.as_str()),
        (Verdict::Fail, "few")
    );
    assert_eq!(report.overall.verdict, Verdict::Pass);
    let few = report.groups.few.as_ref().unwrap();
    assert!((few.delta_pp + 5.0).abs() < 1e-9 && few.upper_bound_pp < -1.0);
    assert_eq!(
        (few.lost, few.gained, few.discordant, few.images_needed),
        (100, 0, 100, None)
    );
    // Only 95 % of the 80 % is retained, which no margin can allow; the smallest margin is still reported.
    assert!(few.smallest_margin_pp > 4.0);
    // The losses of the group few go to more frequent classes, and so does half of the gain of the group many.
    assert_eq!(
        (report.flips_toward_frequent, report.flips_toward_rare),
        (150, 50)
    );
    let names: Vec<(&str, f64)> = report
        .worst_classes
        .iter()
        .map(|worst| (worst.name.as_str(), worst.delta_pp.round()))
        .collect();
    assert_eq!(names, [("lynx", -5.0), ("stoat", -5.0)]);
}

#[test]
fn too_few_images_are_inconclusive_with_needed_number() {
    let few_labels = labels(30);
    let logits = deciding(&few_labels);
    let report = run(&logits, &logits, &few_labels, &Policy::default());
    assert_eq!(
        (
            report.verdict,
            report.verdict.exit_code(),
            report.decided_by.as_str()
        ),
        (Verdict::Inconclusive, 3, "few")
    );
    assert_eq!(
        report.reasons[0],
        "few: 100.0 % against 100.0 % (+0.00 pp, 95 % lower bound -4.87, margin 1.00); \
         60 images are too few to decide, about 239 more are needed at these flip rates"
    );
    let needed = report.groups.few.unwrap().images_needed.unwrap();
    let enough = labels(needed.div_ceil(2));
    let logits = deciding(&enough);
    let report = run(&logits, &logits, &enough, &Policy::default());
    assert_eq!(report.groups.few.unwrap().verdict, Verdict::Pass);
}

#[test]
fn group_without_classes_is_absent() {
    let card = ComparedModel {
        train_counts: vec![900; 6],
        ..card()
    };
    let labels = labels(100);
    let logits = deciding(&labels);
    let report = compare(&logits, &logits, &labels, &card, &Policy::default()).unwrap();
    assert!(
        report.groups.many.is_some()
            && report.groups.medium.is_none()
            && report.groups.few.is_none()
    );
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert!(json["groups"].get("few").is_none());
}

#[test]
fn loss_beyond_margin_fails_when_share_is_retained() {
    // A loss of 0.8 points from 100 % retains 99.2 %: within the groups' margin of 1, beyond the overall margin of
    // 0.5.
    let labels = labels(5000);
    let candidate = deciding(&mistaken(&labels, [40; 6]));
    let report = run(&deciding(&labels), &candidate, &labels, &Policy::default());
    assert_eq!(
        (report.verdict, report.decided_by.as_str()),
        (Verdict::Fail, "overall")
    );
    assert!(report.overall.keeps_min_retained);
    assert_eq!(
        report.headline(),
        "FAIL overall: 99.2 % against 100.0 % (-0.80 pp, 95 % upper bound -0.72, margin 0.50); \
         few, medium and many pass"
    );
}
