//! Dependencies: the arrows between our packages, who reaches the heavy ones, and how versions are asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use crate::programs::{finish, root};

/// Packages that need none of ours: other projects can take them alone.
const ALONE: [&str; 5] = [
    "tailfold-console",
    "tailfold-conv",
    "tailfold-kernels",
    "tailfold-sdot",
    "tailfold-spec",
];

/// Packages that may not reach other packages of ours, over any number of others.
const FORBIDDEN: [(&str, &[&str]); 7] = [
    // The gate needs logits and labels alone.
    (
        "tailfold-parity",
        &["tailfold-data", "tailfold-onnx", "tailfold"],
    ),
    (
        "tailfold-onnx",
        &["tailfold-data", "tailfold-kernels", "tailfold-tract"],
    ),
    (
        "tailfold",
        &["tailfold-quant", "tailfold-sdot", "tailfold-parity"],
    ),
    ("tailfold-export", &["tailfold-quant", "tailfold-parity"]),
    (
        "tailfold-train",
        &["tailfold-onnx", "tailfold", "tailfold-quant"],
    ),
    // It starts programs and draws.
    (
        "tailfold-lab",
        &["tailfold-onnx", "tailfold", "tailfold-train"],
    ),
    // It starts programs alone, so that it compiles quickly.
    (
        "xtask",
        &[
            "tailfold-data",
            "tailfold-lab",
            "tailfold-onnx",
            "tailfold-plot",
            "tailfold",
            "tailfold-sdot",
            "tailfold-train",
        ],
    ),
];

const TESTS: &str = "tailfold-tests";

/// What cargo says of the workspace and everything below it, for this machine's platform, without a network.
pub(super) fn metadata() -> Metadata {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let version = finish(Command::new(cargo).arg("-vV")).ended_with(0).stdout;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    // Without a platform cargo wants the packages of all of them, which a fresh machine has not fetched.
    let platform = format!("--filter-platform={}", host.expect("cargo names its host"));
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--offline".to_owned(), platform])
        .exec()
        .unwrap()
}

pub(super) fn members(metadata: &Metadata) -> BTreeMap<&str, &Package> {
    let packages = metadata.workspace_packages();
    packages.into_iter().map(|p| (p.name.as_str(), p)).collect()
}

/// Names of the packages that `start` reaches over normal and build dependencies, itself included.
fn reach<'a>(metadata: &'a Metadata, start: &'a PackageId) -> BTreeSet<&'a str> {
    let nodes = &metadata
        .resolve
        .as_ref()
        .expect("dependencies were resolved")
        .nodes;
    let nodes: BTreeMap<&PackageId, _> = nodes.iter().map(|n| (&n.id, n)).collect();
    let names: BTreeMap<&PackageId, &str> = metadata
        .packages
        .iter()
        .map(|p| (&p.id, p.name.as_str()))
        .collect();
    let (mut seen, mut open) = (BTreeSet::from([start]), vec![start]);
    while let Some(id) = open.pop() {
        for dependency in &nodes[id].deps {
            let shipped = |kind| matches!(kind, DependencyKind::Normal | DependencyKind::Build);
            if dependency.dep_kinds.iter().any(|k| shipped(k.kind)) && seen.insert(&dependency.pkg)
            {
                open.push(&dependency.pkg);
            }
        }
    }
    seen.into_iter().map(|id| names[id]).collect()
}

#[test]
fn packages_reach_only_what_they_may() {
    let metadata = metadata();
    let members = members(&metadata);
    let ours = |name: &str| -> BTreeSet<&str> {
        let reached = reach(&metadata, &members[name].id);
        let others = reached.into_iter().filter(|&other| other != name);
        others.filter(|other| members.contains_key(other)).collect()
    };
    // The walker finds what is there; otherwise the absences below would mean nothing.
    assert!(ours("tailfold-cli").contains("tailfold-kernels"));
    for name in ALONE {
        assert_eq!(ours(name), BTreeSet::new(), "what {name} reaches");
    }
    for (name, forbidden) in FORBIDDEN {
        let reached = ours(name);
        for other in forbidden {
            assert!(members.contains_key(other), "there is no package {other}");
            assert!(!reached.contains(other), "{name} reaches {other}");
        }
    }
}

#[test]
fn there_is_no_circle() {
    let metadata = metadata();
    let members = members(&metadata);
    // Development dependencies too: cargo accepts a circle over them.
    let mut left: BTreeMap<&str, BTreeSet<&str>> = members
        .iter()
        .map(|(name, package)| {
            let ours = package.dependencies.iter().map(|d| d.name.as_str());
            (*name, ours.filter(|d| members.contains_key(d)).collect())
        })
        .collect();
    while !left.is_empty() {
        let before = left.len();
        let open: BTreeSet<&str> = left.keys().copied().collect();
        left.retain(|_, dependencies| dependencies.iter().any(|d| open.contains(d)));
        assert!(left.len() < before, "a circle among {:?}", left.keys());
    }
}

#[test]
fn only_training_reaches_burn() {
    let metadata = metadata();
    let members = members(&metadata);
    let reaches = |name: &str, prefix: &str| {
        reach(&metadata, &members[name].id)
            .iter()
            .any(|p| p.starts_with(prefix))
    };
    // The walker finds what is there; otherwise the absences below would mean nothing.
    assert!(
        reaches("tailfold-train", "burn"),
        "the walker does not find burn"
    );
    assert!(
        reaches("tailfold-cli", "tract"),
        "the walker does not find tract"
    );
    for name in members
        .keys()
        .filter(|n| !["tailfold-train", TESTS].contains(n))
    {
        assert!(!reaches(name, "burn"), "{name} reaches burn");
    }
    for name in ["xtask", "tailfold-lab", "tailfold-train"] {
        assert!(!reaches(name, "tract"), "{name} reaches tract");
    }
}

#[test]
fn packages_have_their_folders_name_and_a_description() {
    let metadata = metadata();
    for (name, package) in members(&metadata) {
        let folder = package
            .manifest_path
            .parent()
            .and_then(|f| f.strip_prefix(root()).ok());
        let expected = match name {
            TESTS => "tests".to_owned(),
            "xtask" => "xtask".to_owned(),
            _ if !name.starts_with("tailfold") => format!("examples/{name}"),
            _ => format!("crates/{name}"),
        };
        assert_eq!(
            folder.map(|f| f.as_str()),
            Some(expected.as_str()),
            "folder of {name}"
        );
        let description = package.description.as_deref().unwrap_or_default();
        assert!(!description.trim().is_empty(), "{name} has no description");
    }
}

#[test]
fn versions_are_named_and_the_heavy_ones_pinned() {
    let metadata = metadata();
    let mut pinned = BTreeSet::new();
    for (name, package) in members(&metadata) {
        for dependency in &package.dependencies {
            let (wanted, req) = (&dependency.name, dependency.req.to_string());
            if let Some(path) = &dependency.path {
                assert!(
                    path.starts_with(root()),
                    "{name}: {wanted} lies outside, in {path}"
                );
                continue;
            }
            let source = dependency.source.as_ref().map(|s| s.repr.as_str());
            assert!(
                source.is_some_and(|s| s.starts_with("registry+") || s.starts_with("sparse+")),
                "{name}: {wanted} comes from {source:?}, not from a registry"
            );
            assert_ne!(req, "*", "{name} takes any version of {wanted}");
            if ["burn", "tract", "ort"]
                .iter()
                .any(|p| wanted.starts_with(p))
            {
                assert!(
                    req.starts_with('='),
                    "{name} asks for {wanted} {req}, which is not pinned"
                );
                pinned.insert(wanted.as_str());
            }
        }
    }
    assert_eq!(
        pinned,
        BTreeSet::from(["burn", "burn-flex", "burn-onnx", "ort", "tract-onnx"])
    );
}
