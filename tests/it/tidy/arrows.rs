//! Dependencies: between our packages, on heavy packages, and their versions.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use crate::programs::{finish, root};

/// Packages without a dependency on our other packages, so that other projects can use them alone.
const ALONE: [&str; 5] = [
    "tailfold-console",
    "tailfold-conv",
    "tailfold-kernels",
    "tailfold-sdot",
    "tailfold-spec",
];

/// Packages, each with packages that it must not depend on, directly or indirectly.
const FORBIDDEN: [(&str, &[&str]); 7] = [
    // The gate needs only logits and labels.
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
    // The package only starts programs and draws charts.
    (
        "tailfold-lab",
        &["tailfold-onnx", "tailfold", "tailfold-train"],
    ),
    // The package only starts programs, so that it compiles quickly.
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

/// Metadata of the workspace and its dependencies for this machine's platform, read without network.
pub(super) fn metadata() -> Metadata {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let version = finish(Command::new(cargo).arg("-vV")).ended_with(0).stdout;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    // Without a platform, cargo needs the packages of all platforms, which a fresh machine has not fetched.
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

/// Names of `start` and of all packages that it reaches over normal and build dependencies.
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
fn packages_have_only_allowed_dependencies() {
    let metadata = metadata();
    let members = members(&metadata);
    let ours = |name: &str| -> BTreeSet<&str> {
        let reached = reach(&metadata, &members[name].id);
        let others = reached.into_iter().filter(|&other| other != name);
        others.filter(|other| members.contains_key(other)).collect()
    };
    // Positive control: the search finds an existing dependency.
    assert!(ours("tailfold-cli").contains("tailfold-kernels"));
    for name in ALONE {
        assert_eq!(ours(name), BTreeSet::new(), "dependencies of {name}");
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
fn packages_have_no_cyclic_dependencies() {
    let metadata = metadata();
    let members = members(&metadata);
    // Development dependencies count too, because cargo accepts cycles over them.
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
    // Positive control: the search finds an existing dependency.
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
fn packages_have_name_of_folder_and_description() {
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
fn versions_are_given_and_heavy_packages_are_pinned() {
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
