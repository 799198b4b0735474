use crate::sample::{report, report_of, report_of_many, run};
use crate::{Policy, Unchecked};

/// GitHub's limit for a comment, in characters.
const LIMIT: usize = 65_536;

#[test]
fn comment_has_mark_verdict_and_table() {
    let mut report = report();
    report.model = "pets".to_owned();
    report.run = Some(run());
    let text = report.to_markdown();
    let expect = "\
<!-- tailfold-parity -->
### ❌ FAIL: parity of pets

**few: 64.0 % against 70.0 % (-6.00 pp, 95 % upper bound -4.81, margin 1.00)**

- also: overall: 78.0 % against 80.0 % (-2.00 pp, 95 % upper bound -1.60, margin 0.50)

|  | images | reference | candidate | delta pp | lower | margin | verdict |
|:--|--:|--:|--:|--:|--:|--:|--:|
| few | 1000 | 70.00 % | 64.00 % | -6.00 | -7.39 | 1.00 | ❌ fail |
| medium | 1000 | 80.00 % | 79.90 % | -0.10 | -0.47 | 1.00 | ✅ pass |
| many | 1000 | 90.00 % | 90.10 % | +0.10 | -0.17 | 1.00 | ✅ pass |
| overall | 3000 | 80.00 % | 78.00 % | -2.00 | -2.47 | 0.50 | ❌ fail |

<details><summary>Worst classes</summary>
";
    assert!(text.starts_with(expect), "{text}");
    let end = "```sh\ntailfold parity --data 'folder:a b'\n```\n\n</details>\n\n";
    assert!(text.ends_with(end), "{text}");
    assert_eq!(text.matches("<details>").count(), 4);
    assert_eq!(text.matches("</details>").count(), 4);
}

#[test]
fn names_are_shown_literally() {
    let text = report().to_markdown();
    assert!(text.contains("| 2 raft\\|\\_ | few | 4 | 1000 |"), "{text}");
    assert!(text.contains("| 1 tug\u{fffd}\\[2J | medium |"), "{text}");
    let names = [
        "a",
        "</details><img src=x>",
        "@everyone fixes #1 &lt; $x$ ~~",
    ];
    let text = report_of(names, &Policy::default()).to_markdown();
    assert!(text.contains("1 \\</details\\>\\<img src=x\\> |"), "{text}");
    let mention = "2 @<!-- -->everyone fixes #<!-- -->1 \\&lt; \\$x\\$ \\~\\~ |";
    assert!(text.contains(mention), "{text}");
}

#[test]
fn fence_is_longer_than_backticks_in_code() {
    let mut report = report();
    let mut run = run();
    run.command = "tailfold parity --data '````'".to_owned();
    report.run = Some(run);
    let text = report.to_markdown();
    assert!(
        text.contains("`````sh\ntailfold parity --data '````'\n`````\n"),
        "{text}"
    );
}

#[test]
fn thousands_of_classes_fit_a_comment() {
    let mut report = report_of_many(1500, 40);
    assert!(report.warnings.len() > 1000, "{}", report.warnings.len());
    report.run = Some(run());
    let text = report.to_markdown();
    assert!(text.contains("- and "), "{text}");
    // Every third-party text is very long, and consists of the character with the longest escape.
    let long = "@".repeat(20_000);
    report.model.clone_from(&long);
    report.warnings.iter_mut().for_each(|w| w.clone_from(&long));
    report.reasons = vec![long.clone(); 9];
    for worst in &mut report.worst_classes {
        worst.name.clone_from(&long);
    }
    for side in [&mut report.backends, &mut report.model_sha256] {
        side.reference.clone_from(&long);
        side.candidate.clone_from(&long);
    }
    if let Some(run) = &mut report.run {
        run.command.clone_from(&long);
    }
    let characters = report.to_markdown().chars().count();
    assert!(characters <= LIMIT, "{characters}");
}

#[test]
fn error_is_shown() {
    let error = std::io::Error::other("no `model`");
    let text = Unchecked::because(&error).to_markdown();
    assert_eq!(
        text,
        "<!-- tailfold-parity -->\n### 🚫 ERROR: parity\n\nno \\`model\\`\n\n"
    );
}
