#![expect(
    clippy::cast_possible_truncation,
    reason = "counts of a few images, made from small numbers"
)]

use proptest::prelude::*;

use super::*;

fn exact(gained: u64, lost: u64, images: u64) -> ExactTest {
    ExactTest::new(images, gained, lost)
}

#[test]
fn p_values_match_sums_over_all_outcomes() {
    // Python with SciPy 1.17: every outcome of the trinomial distribution whose score is at least the observed score,
    // summed at 4,000 rates of the 99.99 % interval (scipy.stats.beta); the largest sum plus 1e-4.
    let check = |gained, lost, images, delta, p: f64| {
        let found = exact(gained, lost, images).p_above(delta);
        assert!(
            (found - p).abs() < 2e-6 + 1e-4 * p,
            "{gained} {lost} {images} {delta}: {found}, expected {p}"
        );
    };
    check(0, 0, 299, -0.01, 0.049_636_256_637);
    check(0, 0, 300, -0.01, 0.049_140_894_071);
    check(0, 1, 300, -0.02, 0.016_713_152_614);
    check(3, 4, 150, -0.05, 0.022_538_559_692);
    check(5, 14, 400, -0.05, 0.013_631_295_073);
    check(40, 20, 160, 0.05, 0.060_910_508_571);
    check(2, 11, 40, -0.4, 0.024_947_172_807);
    check(0, 10, 10, -0.9, 1.0);
    check(7, 7, 60, -0.1, 0.064_831_302_208);
    check(1, 3, 250, -0.03, 0.027_387_277_293);
    check(12, 9, 300, -0.02, 0.030_117_603_073);
    check(0, 1, 44, -0.1, 0.057_208_897_420);
}

#[test]
fn without_flips_299_images_exclude_loss_of_one_point() {
    // 0.99^n <= 0.05 - 1e-4 holds from n = 299 on; by the score, 268 images would be enough.
    assert!(exact(0, 0, 298).p_above(-0.01) > 0.05);
    assert!(exact(0, 0, 299).p_above(-0.01) < 0.05);
}

#[test]
fn large_sets_agree_with_score() {
    // With hundreds of flips, the score's normal approximation is accurate.
    for (gained, lost, images) in [
        (400, 430, 50_000),
        (900, 1500, 100_000),
        (5000, 5100, 50_000),
    ] {
        let table = Table {
            images,
            gained,
            lost,
        };
        let lower = ExactTest::of(table).lower(0.05);
        let score = Paired::from(table).lower(crate::paired::quantile(0.05));
        assert!((lower - score).abs() < 5e-5, "{table:?}: {lower} {score}");
        assert!(lower <= table.difference());
    }
}

#[test]
fn impossible_difference_has_smallest_p_value() {
    assert!((exact(0, 0, 3000).p_above(-0.5) - LEFT_OUT).abs() < 1e-12);
    assert!((exact(0, 3000, 3000).p_above(0.5) - 1.0).abs() < 1e-12);
    // A difference beyond the observed one is not shown either.
    assert!((exact(0, 0, 3000).p_above(0.5) - 1.0).abs() < 1e-12);
    assert!((exact(1, 0, 3000).p_above(0.01) - 1.0).abs() < 1e-12);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bounds_contain_estimate_and_agree_with_p_values(images in 2_u64..600, a in 0.0..0.4, b in 0.0..0.4) {
        let count = |share: f64| (share * images as f64) as u64;
        let (gained, lost) = (count(a), count(b));
        let table = exact(gained, lost, images);
        let lower = table.lower_beside(0.05, Some(-0.03));
        let estimate = (gained as f64 - lost as f64) / images as f64;
        prop_assert!((-1.0..=estimate).contains(&lower), "{lower} {estimate}");
        // The p-value at the margin and the bound give the same verdict.
        if -0.03 < estimate {
            prop_assert_eq!(table.p_above(-0.03) <= 0.05, lower >= -0.03);
        }
        // One more gained image does not lower the bound, and one more lost image does not raise it.
        if gained + lost < images {
            prop_assert!(exact(gained + 1, lost, images).lower(0.05) >= lower - 2.0 * NEAR);
            prop_assert!(exact(gained, lost + 1, images).lower(0.05) <= lower + 2.0 * NEAR);
        }
    }

    #[test]
    fn candidate_at_margin_passes_at_most_as_often_as_level(
        images in 40_u64..220, margin in 0.02..0.08_f64, above in 0.0..0.1_f64,
    ) {
        // Sums the exact probability to pass over all outcomes. The level must hold for every nuisance rate, so any
        // rate can be tested.
        let lost = margin + above;
        let gained = above;
        let mut chance = 0.0;
        for l in 0..=images {
            let losing = crate::binomial::at_least(images, lost, l) - crate::binomial::at_least(images, lost, l + 1);
            if losing < 1e-9 {
                continue;
            }
            // The smallest number of gained images that passes; passing is monotone in it.
            let passes = |g: u64| exact(g, l, images).p_above(-margin) <= 0.05;
            let (mut no, mut yes) = (-1_i64, (images - l) as i64 + 1);
            while yes - no > 1 {
                let middle = (no + yes) / 2;
                if passes(middle as u64) { yes = middle } else { no = middle }
            }
            let rate = gained / (1.0 - lost);
            chance += losing * crate::binomial::at_least(images - l, rate, yes as u64);
        }
        prop_assert!(chance <= 0.05 + 1e-6, "{chance}");
    }
}
