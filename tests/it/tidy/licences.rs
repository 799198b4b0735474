//! Licences and sources of every dependency of this platform, by the rules of `deny.toml`. `cargo deny` checks all platforms,
//! where it is installed.

use std::collections::BTreeSet;
use std::fs;

use cargo_metadata::Package;
use serde::Deserialize;
use spdx::{Expression, LicenseReq, Licensee};

use crate::programs::root;

use super::arrows::metadata;

/// The only registry.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Packages with a licence file in place of an expression. The text of each file is Apache-2.0.
const LICENCE_FILES: [&str; 1] = ["cfg_block"];

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

impl Licenses {
    fn read() -> Self {
        let text = fs::read_to_string(root().join("deny.toml")).unwrap();
        let deny: Deny = toml::from_str(&text).unwrap();
        deny.licenses
    }

    fn licensees(&self) -> Vec<Licensee> {
        let parse = |name: &String| Licensee::parse(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        self.allow.iter().map(parse).collect()
    }
}

/// The fault of `package`, if it has one.
fn fault(package: &Package, allowed: &[Licensee]) -> Option<String> {
    let name = format!("{} {}", package.name, package.version);
    let Some(source) = &package.source else {
        // The package belongs to the workspace, or the workspace replaces it by a local one.
        return None;
    };
    if source.repr != REGISTRY {
        return Some(format!("{name} comes from {source}, not from {REGISTRY}"));
    }
    let Some(licence) = &package.license else {
        let is_read = LICENCE_FILES.contains(&package.name.as_str());
        return (!is_read).then(|| format!("{name} states no licence expression"));
    };
    licence_fault(licence, allowed).map(|fault| format!("{name}: {fault}"))
}

/// The fault of the licence expression `licence`, if it has one.
fn licence_fault(licence: &str, allowed: &[Licensee]) -> Option<String> {
    // Old packages write `MIT/Apache-2.0`.
    let expression = match Expression::parse(&licence.replace('/', " OR ")) {
        Ok(expression) => expression,
        Err(error) => return Some(format!("`{licence}` is not an SPDX expression: {error}")),
    };
    let is_allowed = |required: &LicenseReq| allowed.iter().any(|one| one.satisfies(required));
    (!expression.evaluate(is_allowed))
        .then(|| format!("licence `{licence}` is not in the list of deny.toml"))
}

#[test]
fn every_dependency_has_an_allowed_licence_and_source() {
    let metadata = metadata();
    let allowed = Licenses::read().licensees();
    let faults: Vec<String> = metadata
        .packages
        .iter()
        .filter_map(|package| fault(package, &allowed))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let sources = metadata.packages.iter().filter(|p| p.source.is_some());
    assert!(sources.count() > 300, "hardly any dependency was found");
}

#[test]
fn licence_outside_the_list_is_a_fault() {
    let allowed = Licenses::read().licensees();
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "(MIT AND ISC)",
    ] {
        assert_eq!(licence_fault(good, &allowed), None, "{good}");
    }
    let bad = [
        "GPL-3.0-only",
        "MIT AND GPL-2.0-only",
        "Apache-2.0 AND SSPL-1.0",
        "my own",
    ];
    let found: BTreeSet<&str> = bad
        .into_iter()
        .filter(|licence| licence_fault(licence, &allowed).is_some())
        .collect();
    assert_eq!(found, BTreeSet::from(bad));
}
