use crate::sample::report;
use crate::{Policy, Report, Verdict};

fn check(report: &Report, expect: &[(&str, Verdict)]) {
    let rules = report.rules();
    let found: Vec<(&str, Verdict)> = rules.iter().map(|rule| (rule.name, rule.verdict)).collect();
    assert_eq!(found, expect);
    let worst = found.iter().map(|(_, verdict)| *verdict).max();
    assert_eq!(worst, Some(report.verdict));
}

#[test]
fn passing_rules_are_listed_too() {
    use Verdict::{Fail, Pass};
    let mut report = report();
    let groups = [
        ("non_finite", Pass),
        ("few", Fail),
        ("medium", Pass),
        ("many", Pass),
        ("overall", Fail),
        ("ties", Pass),
    ];
    check(&report, &groups);
    // Only the rules that the policy sets are evaluated.
    report.policy = Policy {
        min_agreement: Some(0.99),
        ..Policy::default()
    };
    check(&report, &[&groups[..], &[("agreement", Fail)]].concat());
    for rule in report.rules().iter().filter(|rule| rule.verdict == Fail) {
        let said = report.reasons.contains(&rule.sentence);
        assert_eq!(said, rule.name != "agreement", "{}", rule.sentence);
    }
}
