use crate::sample::{report, report_of, undecided};
use crate::{Policy, Unchecked};

#[test]
fn xml_has_one_case_per_rule() {
    let policy = Policy {
        min_agreement: Some(0.5),
        max_abs_logit_diff: Some(0.5),
        ..Policy::default()
    };
    let xml = report_of(["ship", "tug", "raft"], &policy).to_junit();
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tailfold\" tests=\"8\" failures=\"3\" errors=\"0\""), "{xml}");
    let cases: Vec<&str> = xml
        .lines()
        .filter(|line| line.contains("<testcase"))
        .collect();
    let name = |case: &&str| case.split('"').nth(1).unwrap().to_owned();
    assert_eq!(
        cases.iter().map(name).collect::<Vec<_>>(),
        [
            "non_finite",
            "few",
            "medium",
            "many",
            "overall",
            "ties",
            "agreement",
            "max_abs_logit_diff"
        ]
    );
    let failed = cases
        .iter()
        .filter(|case| case.contains("<failure type=\"fail\""));
    assert_eq!(
        failed.map(name).collect::<Vec<_>>(),
        ["few", "overall", "max_abs_logit_diff"]
    );
    assert!(
        cases[1].contains("message=\"few: 64.0 % against 70.0 % ("),
        "{xml}"
    );
    assert!(xml.contains("<system-out>FAIL few: 64.0 %"), "{xml}");
}

#[test]
fn inconclusive_rule_is_failure() {
    let xml = undecided().to_junit();
    assert!(
        xml.contains("<failure type=\"inconclusive\" message=\"few: "),
        "{xml}"
    );
    assert!(!xml.contains("failures=\"0\""), "{xml}");
}

#[test]
fn third_party_names_are_valid_xml() {
    let xml = report().to_junit();
    assert!(
        xml.contains("tug\u{fffd}[2J") && !xml.contains('\u{1b}'),
        "{xml}"
    );
    let xml = report_of(["]]></system-out>", "\u{ffff}&", "\"<"], &Policy::default()).to_junit();
    assert!(
        xml.contains("0 ]]&gt;&lt;/system-out&gt;") || !xml.contains("]]>"),
        "{xml}"
    );
    assert_eq!(xml.matches("</system-out>").count(), 5, "{xml}");
    assert!(
        !xml.contains('\u{ffff}') && xml.contains("&quot;&lt;"),
        "{xml}"
    );
}

#[test]
fn unchecked_comparison_is_one_error() {
    let error = std::io::Error::other("no \"model\"");
    let xml = Unchecked::because(&error).to_junit();
    assert!(xml.contains("errors=\"1\""), "{xml}");
    assert!(
        xml.contains(
            "<error type=\"error\" message=\"no &quot;model&quot;\">no &quot;model&quot;</error>"
        ),
        "{xml}"
    );
}
