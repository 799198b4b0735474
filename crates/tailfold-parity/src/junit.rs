//! Renders a report as JUnit XML, which every CI system shows, with one test case per rule.
//!
//! maud writes the XML in the same way as the page: once control characters are replaced, XML only requires `&`, `<`,
//! `>` and quotes to be escaped.

use crate::page::Text;
use maud::{Markup, PreEscaped, html};

use crate::{Report, Rule, Unchecked, Verdict};

const PROLOGUE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const SUITE: &str = "tailfold parity";
const CLASS: &str = "tailfold.parity";

impl Report {
    /// Renders JUnit XML with one test case per rule. An inconclusive rule is a failure of type `inconclusive`, so
    /// that it never counts as a success.
    pub fn to_junit(&self) -> String {
        let rules = self.rules();
        let failures = rules.iter().filter(|rule| rule.verdict != Verdict::Pass);
        let numbers = Numbers {
            tests: rules.len(),
            failures: failures.count(),
            errors: 0,
        };
        let facts = [
            ("verdict", self.verdict.as_str()),
            ("decided_by", self.decided_by.as_str()),
            ("model", self.model.as_str()),
            ("reference_sha256", self.model_sha256.reference.as_str()),
            ("candidate_sha256", self.model_sha256.candidate.as_str()),
            ("reference_backend", self.backends.reference.as_str()),
            ("candidate_backend", self.backends.candidate.as_str()),
        ];
        numbers.suite(&html! {
            properties {
                @for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
                    "\n" property name=(name) value=(Text(value)) {}
                }
            }
            @for rule in &rules { "\n" (case(rule)) }
            "\n" system-out { @for line in self.to_table().lines() { (Text(line)) "\n" } }
        })
    }
}

fn case(rule: &Rule) -> Markup {
    let Rule {
        name,
        verdict,
        sentence,
    } = rule;
    html! {
        testcase name=(name) classname=(CLASS) time="0" {
            @if *verdict == Verdict::Pass {
                system-out { (Text(sentence)) }
            } @else {
                failure type=(verdict.as_str()) message=(Text(sentence)) { (Text(sentence)) }
            }
        }
    }
}

impl Unchecked {
    /// Renders JUnit XML for a comparison that could not be made: one test case, which is an error.
    pub fn to_junit(&self) -> String {
        let why = self.reasons.join("; ");
        let numbers = Numbers {
            tests: 1,
            failures: 0,
            errors: 1,
        };
        numbers.suite(&html! {
            testcase name="comparison" classname=(CLASS) time="0" {
                error type="error" message=(Text(&why)) { (Text(&why)) }
            }
        })
    }
}

struct Numbers {
    tests: usize,
    failures: usize,
    errors: usize,
}

impl Numbers {
    /// Wraps `inside` in the elements of a JUnit file.
    fn suite(&self, inside: &Markup) -> String {
        let Self {
            tests,
            failures,
            errors,
        } = self;
        let file = html! {
            (PreEscaped(PROLOGUE))
            testsuites name="tailfold" tests=(tests) failures=(failures) errors=(errors) time="0" {
                "\n" testsuite name=(SUITE) tests=(tests) failures=(failures) errors=(errors) skipped="0" time="0" {
                    "\n" (inside) "\n"
                }
                "\n"
            }
            "\n"
        };
        file.into_string()
    }
}

#[cfg(test)]
mod tests;
