//! Tests of the documentation: links lead somewhere, the summary lists every page, and the commands of a page run.
//!
//! A block with the info string `sh` is run from a copy of the repository. Each of its commands must end with 0, or with the code
//! in the comment at its end: `# exit 3`, `# exit 0 or 3`. The line `<!-- not run: REASON -->` before a block exempts it. The line
//! `<!-- run first: NAME -->` runs a script of `preparations.rs` before the block, which makes files that readers have of their
//! own.

mod commands;
mod links;
mod page;
mod preparations;
mod script;
#[cfg(unix)]
mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::programs::root;
use crate::repository;

use page::Page;

/// The pages of the repository by their names.
fn pages() -> BTreeMap<String, Page> {
    let names = repository::names().into_iter();
    let names = names.filter(|name| name.ends_with(".md"));
    let read = |name: String| {
        let text = fs::read_to_string(root().join(&name)).ok()?;
        Some((name, Page::read(&text)))
    };
    let pages: BTreeMap<String, Page> = names.filter_map(read).collect();
    assert!(pages.len() > 20, "only {} pages", pages.len());
    pages
}

fn checked(faults: Vec<String>) {
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

#[test]
fn links_lead_to_files_and_headings() {
    let files: BTreeSet<String> = repository::names().into_iter().collect();
    checked(links::broken(&pages(), &files));
}

#[test]
fn summary_lists_every_page() {
    checked(links::summary(&pages()));
}

#[test]
fn blocks_of_commands_name_known_programs_and_options() {
    let mut checks = commands::Checks::default();
    let pages = pages();
    checked(
        pages
            .iter()
            .flat_map(|(name, page)| checks.faults(name, page))
            .collect(),
    );
}

#[cfg(unix)]
#[test]
fn commands_of_pages_run() {
    let (mut run, mut not_run, mut faults) = (0, Vec::new(), Vec::new());
    let pages = pages();
    for (name, page) in &pages {
        let outcome = session::run(name, page);
        if ["README.md", "docs/tutorial.md"].contains(&name.as_str()) && outcome.run == 0 {
            faults.push(format!("{name}: no block of it is run"));
        }
        run += outcome.run;
        not_run.extend(outcome.not_run);
        faults.extend(outcome.fault);
    }
    println!(
        "{run} blocks of commands were run, {} were not",
        not_run.len()
    );
    not_run
        .iter()
        .for_each(|block| println!("not run: {block}"));
    if !pages.contains_key("docs/tutorial.md") {
        faults.push("there is no docs/tutorial.md".to_owned());
    }
    checked(faults);
}
