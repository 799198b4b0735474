use super::*;

#[test]
fn tails_match_scipy() {
    // scipy.stats.binom.sf(least - 1, trials, rate), SciPy 1.17.
    let check = |trials, rate, least, expected: f64| {
        let found = at_least(trials, rate, least);
        assert!(
            (found - expected).abs() < 1e-9 + 1e-8 * expected,
            "{trials} {rate} {least}: {found}"
        );
    };
    check(10, 0.5, 8, 0.054_687_5);
    check(300, 0.01, 1, 0.950_959_105_928_714_2);
    check(50_000, 0.01, 540, 0.039_184_229_233_8);
    check(50_000, 0.01, 470, 0.915_838_409_549);
    check(5, 0.3, 0, 1.0);
    check(5, 0.3, 6, 0.0);
    check(5, 0.0, 1, 0.0);
    check(5, 1.0, 5, 1.0);
}

#[test]
fn updated_probabilities_match_sums() {
    let mut falling = Falling::new(400, 0.03, 5);
    for step in 0..60 {
        falling.raise(5 + step / 2);
        let expected = at_least(400 - step, 0.03, 5 + step / 2);
        assert!((falling.at_least() - expected).abs() < 1e-11, "{step}");
        falling.one_trial_less();
    }
    let mut walk = Walk::new(300, 0.9, 200);
    for successes in 200..=301 {
        let expected = at_least(300, 0.9, successes) - at_least(300, 0.9, successes + 1);
        assert!((walk.mass() - expected).abs() < 1e-11, "{successes}");
        walk.next();
    }
}

#[test]
fn intervals_match_clopper_and_pearson_in_scipy() {
    // scipy.stats.beta.ppf(0.025, k, n - k + 1) and ppf(0.975, k + 1, n - k), SciPy 1.17.
    let check = |trials, successes, low: f64, high: f64| {
        let found = interval(trials, successes, 0.05);
        assert!(
            (found.start() - low).abs() < 1e-8 && (found.end() - high).abs() < 1e-8,
            "{found:?}"
        );
    };
    check(20, 3, 0.032_070_937_6, 0.378_926_826_5);
    check(300, 0, 0.0, 0.012_220_974_7);
    check(7, 7, 0.590_383_602_8, 1.0);
    check(3000, 41, 0.009_824_808_1, 0.018_495_121_8);
}
