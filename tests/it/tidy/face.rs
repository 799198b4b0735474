//! Public libraries have a README, and the documentation of all others says that they are internal.

use std::fs;

use crate::programs::root;

use super::arrows::{members, metadata};

/// Libraries that follow semantic versioning.
const PUBLIC: [&str; 3] = ["tailfold", "tailfold-parity", "tailfold-sdot"];
/// End of the description of every other Rust library, and a line of its crate documentation.
const INTERNAL: &str = "Internal to tailfold, no stability promise.";

#[test]
fn internal_libraries_say_so_and_public_libraries_have_readme() {
    let metadata = metadata();
    let (mut public, mut internal) = (0, 0);
    for (name, package) in members(&metadata) {
        let Some(library) = package
            .targets
            .iter()
            .find(|target| target.is_lib() || target.is_rlib())
        else {
            continue;
        };
        let description = package.description.as_deref().unwrap_or_default();
        let source = fs::read_to_string(&library.src_path).unwrap();
        let docs: Vec<&str> = source
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .collect();
        let says_so = docs.contains(&format!("//! {INTERNAL}").as_str());
        if PUBLIC.contains(&name) {
            public += 1;
            assert!(!description.contains("Internal") && !says_so, "{name}");
            let folder = root().join("crates").join(name);
            assert!(
                folder.join("README.md").is_file(),
                "{name} has no README.md"
            );
            assert!(
                source.contains("include_str!(\"../README.md\")"),
                "{name} does not test README.md"
            );
            assert!(
                (1..=5).contains(&package.keywords.len()),
                "{name}: 1 to 5 keywords"
            );
            assert!(!package.categories.is_empty(), "{name} has no category");
        } else {
            internal += 1;
            assert!(
                description.ends_with(INTERNAL),
                "{name}: the description is `{description}`"
            );
            assert!(
                says_so,
                "{name}: the crate documentation does not say `{INTERNAL}`"
            );
        }
    }
    assert!(
        public == PUBLIC.len() && internal > 10,
        "{public} public, {internal} internal"
    );
}
