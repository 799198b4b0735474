use super::Picture;
use crate::sample::{report, report_of, report_of_many, run};
use crate::{BackendPolicy, Policy, Unchecked, Verdict};

/// Text between `open` and the next `close`.
fn between<'a>(page: &'a str, open: &str, close: &str) -> &'a str {
    let (_, rest) = page.split_once(open).unwrap_or_else(|| panic!("no {open}"));
    rest.split_once(close).unwrap().0
}

#[test]
fn third_party_names_stay_text() {
    let names = [
        "<script>alert(1)</script>",
        "\" onload=\"alert(1)\u{1b}",
        "</title></style>\u{202e}&amp;",
    ];
    let mut policy = Policy::default();
    let own = BackendPolicy {
        reason: "<u>".to_owned(),
        ..BackendPolicy::default()
    };
    policy.backends.insert("<i>".to_owned(), own);
    let mut report = report_of(names, &policy);
    report.model = "<b>".to_owned();
    report.backends.candidate = "<s>".to_owned();
    let mut ran = run();
    ran.command = "</textarea><em>".to_owned();
    ran.data = "<q>".to_owned();
    report.run = Some(ran);
    report.warnings.push("<mark>".to_owned());
    let picture = Picture {
        image: report.worst_flips[0].image,
        name: "\"><kbd>".to_owned(),
        size: [28, 28],
        png: vec![0, 1, 2, 255],
    };
    let page = report.to_html(&[picture]);
    for tag in [
        "<script>alert",
        "<b>",
        "<i>",
        "<u>",
        "<s>",
        "<em>",
        "<q>",
        "<mark>",
        "<kbd>",
    ] {
        assert!(!page.contains(tag), "{tag}");
    }
    assert!(!page.contains("\" onload=\""));
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
    assert_eq!(
        page.matches("</title>").count(),
        page.matches("<title>").count()
    );
    assert_eq!(page.matches("</style>").count(), 1);
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("src=\"data:image/png;base64,AAEC/w==\""));
}

#[test]
fn page_has_reasons_and_run() {
    let mut report = report();
    report.run = Some(run());
    report.model_sha256.candidate = "ab".repeat(32);
    let page = report.to_html(&[]);
    for text in [
        "<title>fail: parity of the candidate</title>",
        "Content-Security-Policy",
        "The candidate does not meet the policy.",
        "few: 64.0 % against 70.0 % (-6.00 pp, 95 % upper bound -4.81, margin 1.00)",
        "Exit code 1",
        "<a class=\"skip\" href=\"#main\">",
        "1,000 bytes<span class=\"muted\"> (25.0 % of the reference)</span>",
        "conv 3x3: 9",
        "10,000 draws, ChaCha8, seed 0",
        "tailfold parity --data 'folder:a b'",
        "not measured",
        "no picture",
        &"ab".repeat(32),
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert_eq!(page.matches("class=\"card\"").count(), 24);
    // Every table has a caption, every header cell a scope, and every chart a label.
    assert_eq!(
        page.matches("<table").count(),
        page.matches("<caption>").count()
    );
    assert_eq!(
        page.matches("<th ").count(),
        page.matches("scope=\"").count()
    );
    let charts = page.matches("role=\"img\" aria-label=\"").count();
    assert!(charts >= 5, "{charts}");
    let svgs = page.matches("<svg").count();
    let hidden = page.matches("aria-hidden=\"true\"").count();
    assert!(svgs <= charts + hidden);
}

#[test]
fn every_verdict_has_its_words() {
    let mut report = report();
    for (verdict, words) in [
        (Verdict::Pass, "The candidate meets the policy"),
        (Verdict::Inconclusive, "These images are too few to decide"),
        (Verdict::Fail, "The candidate does not meet"),
    ] {
        report.verdict = verdict;
        let page = report.to_html(&[]);
        let banner = between(&page, "<div class=\"banner ", "</ul>");
        assert!(banner.starts_with(verdict.as_str()), "{banner}");
        assert!(banner.contains(words), "{banner}");
        assert!(page.contains(&format!("Exit code {}", verdict.exit_code())));
    }
    let error = std::io::Error::other("<no> model");
    let page = Unchecked::because(&error).to_html();
    assert!(page.contains("Nothing was compared") && page.contains("&lt;no&gt; model"));
    assert!(page.contains("Exit code 2") && !page.contains("<script"));
}

#[test]
fn few_classes_have_a_matrix_and_many_have_groups() {
    let page = report().to_html(&[]);
    let matrix = between(&page, "<table class=\"matrix\"", "</table>");
    assert_eq!(matrix.matches("<tr>").count(), 4, "{matrix}");
    let many = report_of_many(60, 0);
    let page = many.to_html(&[]);
    let matrix = between(&page, "<table class=\"matrix\"", "</table>");
    assert_eq!(matrix.matches("<tr>").count(), 4, "{matrix}");
    assert!(page.contains("Table of 60 classes") && page.contains("<details>"));
    let moved: usize = many.group_flips.iter().map(|flip| flip.images).sum();
    assert_eq!(moved, many.flips);
    assert!(!page.contains("Without "));
}

#[test]
fn page_without_flips_says_so() {
    let mut report = report();
    report.flips = 0;
    report.agreement = 1.0;
    report.worst_flips.clear();
    let page = report.to_html(&[]);
    assert!(page.contains(
        "<strong>0 flips</strong> among 3,000 images: both give the same class to 100.0 %"
    ));
    assert!(!page.contains("class=\"matrix\""));
}
