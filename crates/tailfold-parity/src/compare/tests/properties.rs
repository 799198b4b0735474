//! Properties that hold for any decisions.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wider_margin_never_worsens_verdict(
        before in prop::array::uniform6(0_usize..40),
        after in prop::array::uniform6(0_usize..40),
        narrow in 0.1..5.0,
        wider in 0.0..20.0,
    ) {
        let labels = labels(100);
        let (before, after) = (deciding(&mistaken(&labels, before)), deciding(&mistaken(&labels, after)));
        let with = |margin: f64| {
            let group_margin_pp = crate::GroupMargins { many: margin, medium: margin, few: margin };
            let policy = Policy { overall_margin_pp: margin, group_margin_pp, ..Policy::default() };
            run(&before, &after, &labels, &policy)
        };
        let report = with(narrow);
        prop_assert!(with(narrow + wider).verdict <= report.verdict);
        // The reported smallest margin passes, and a smaller margin does not.
        let few = report.groups.few.as_ref().unwrap();
        let smallest = few.smallest_margin_pp;
        if few.keeps_min_retained && smallest > 0.01 {
            prop_assert_eq!(with(smallest + 1e-9).groups.few.unwrap().verdict, Verdict::Pass);
            prop_assert!(with(smallest - 2e-3).groups.few.unwrap().verdict != Verdict::Pass);
        }
    }

    #[test]
    fn accuracies_match_each_side_scored_alone(
        before in prop::collection::vec(0_usize..6, 60),
        after in prop::collection::vec(0_usize..6, 60),
        extra in 0_usize..6,
    ) {
        // The classes have unequal sizes: the first ten images all belong to the class `extra`.
        let labels: Vec<usize> = (0..60).map(|image| if image < 10 { extra } else { image % 6 }).collect();
        let (before, after) = (deciding(&before), deciding(&after));
        let report = run(&before, &after, &labels, &Policy::default());
        let alone = crate::Accuracy::of(&after, &labels, &TRAIN_COUNTS).unwrap();
        prop_assert!((report.overall.candidate_top1 - alone.overall).abs() < 1e-12);
        for group in Group::ALL {
            let part = report.groups.get(group).unwrap();
            prop_assert!((part.candidate_top1 - alone.group(group).unwrap()).abs() < 1e-12);
            prop_assert!((part.delta_pp - 100.0 * (part.candidate_top1 - part.reference_top1)).abs() < 1e-9);
            prop_assert!(part.effective_images <= part.images as f64 + 1e-9);
        }
        let mirrored = run(&after, &before, &labels, &Policy::default());
        prop_assert_eq!(mirrored.flips, report.flips);
        prop_assert_eq!(mirrored.flips_toward_rare, report.flips_toward_frequent);
        prop_assert!((mirrored.overall.lower_bound_pp + report.overall.upper_bound_pp).abs() < 2e-3);
    }
}
