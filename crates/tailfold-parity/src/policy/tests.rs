use std::error::Error as _;

use super::*;

#[test]
fn empty_file_is_default_policy_and_missing_fields_keep_defaults() {
    let parse = |text: &str| toml::from_str::<Policy>(text);
    assert_eq!(parse("").unwrap(), Policy::default());
    let policy = parse("[group_margin_pp]\nfew = 2.0\n").unwrap();
    assert_eq!(
        policy.group_margin_pp,
        GroupMargins {
            few: 2.0,
            ..GroupMargins::default()
        }
    );
    assert_eq!(parse(&toml::to_string(&policy).unwrap()).unwrap(), policy);
    let error = parse("[group_margin_pp]\ntail = 2.0\n")
        .unwrap_err()
        .to_string();
    assert!(error.contains("unknown field `tail`"), "{error}");
    assert!(
        parse("margin = 2.0")
            .unwrap_err()
            .to_string()
            .contains("unknown field `margin`")
    );
}

#[test]
fn bad_values_are_named() {
    let check = |edit: &dyn Fn(&mut Policy), message: &str| {
        let mut bad = Policy::default();
        edit(&mut bad);
        assert_eq!(bad.validate().unwrap_err().to_string(), message);
    };
    let margin = "expected more than 0 and at most 100 percentage points";
    check(
        &|p| p.level = 0.5,
        "policy.level is 0.5, expected at least 0.001 and less than 0.5",
    );
    check(
        &|p| p.level = 1e-5,
        "policy.level is 0.00001, expected at least 0.001 and less than 0.5",
    );
    check(
        &|p| p.level = f64::NAN,
        "policy.level is NaN, expected at least 0.001 and less than 0.5",
    );
    check(
        &|p| p.overall_margin_pp = -0.5,
        &format!("policy.overall_margin_pp is -0.5, {margin}"),
    );
    check(
        &|p| p.group_margin_pp.few = 0.0,
        &format!("policy.group_margin_pp.few is 0, {margin}"),
    );
    check(
        &|p| p.min_retained = 99.0,
        "policy.min_retained is 99, expected 0 to 1",
    );
    check(
        &|p| p.max_tie_rate = f64::NAN,
        "policy.max_tie_rate is NaN, expected 0 to 1",
    );
    check(
        &|p| p.min_agreement = Some(1.5),
        "policy.min_agreement is 1.5, expected 0 to 1",
    );
    check(
        &|p| p.expected_images = Some(0),
        "policy.expected_images is 0, expected at least 1",
    );
    check(
        &|p| p.max_abs_logit_diff = Some(f64::INFINITY),
        "policy.max_abs_logit_diff is inf, expected a finite number, not negative",
    );
}

#[test]
fn bad_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("parity.toml");
    let check = |message: &str| {
        let error = Policy::read(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("{message}"));
        error
    };
    check(&format!("cannot read {}", path.display()));
    std::fs::write(&path, "level = \"high\"").unwrap();
    check(&format!("{} is not a parity policy", path.display()));
    std::fs::write(&path, "level = 0.7").unwrap();
    let error = check(&path.display().to_string());
    let cause = error.source().unwrap().to_string();
    assert_eq!(
        cause,
        "policy.level is 0.7, expected at least 0.001 and less than 0.5"
    );
    std::fs::write(&path, "level = 0.01").unwrap();
    assert_eq!(
        Policy::read(&path).unwrap(),
        Policy {
            level: 0.01,
            ..Policy::default()
        }
    );
}
