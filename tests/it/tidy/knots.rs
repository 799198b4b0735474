//! Files of a crate do not import each other in circles, except a module and its own modules.

mod circles;
mod module;
mod names;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use circles::circles;
use names::Crate;

use super::sources::rust_files;

/// Roots of crates among `names`: libraries, programs, and the test binary for the whole chain.
fn roots(names: &[&str]) -> Vec<String> {
    let is_root = |name: &str| {
        let (_, file) = name.rsplit_once('/').unwrap_or_default();
        let is_target = matches!(file, "lib.rs" | "main.rs");
        is_target || name.contains("/src/bin/")
    };
    let roots = names.iter().filter(|name| is_root(name));
    roots.map(|&name| name.to_owned()).collect()
}

/// Imports between the files of each crate, and the number of crates.
fn imports(files: &BTreeMap<String, String>) -> (BTreeMap<(String, String), String>, usize) {
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    let roots = roots(&names);
    let read = |name: &str| files.get(name).cloned();
    let imports = roots.iter().map(|root| Crate::new(root, &read).imports());
    (imports.flatten().collect(), roots.len())
}

#[test]
fn no_two_files_import_each_other() {
    let files: BTreeMap<String, String> = rust_files().into_iter().collect();
    let (imports, crates) = imports(&files);
    // Positive control: the reader finds crates and imports.
    assert!(crates > 20, "{crates} crates");
    assert!(imports.len() > 1000, "{} imports", imports.len());
    let arrow = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let arrows: BTreeSet<_> = imports.keys().cloned().collect();
    let found: Vec<String> = circles(&arrows)
        .into_iter()
        .map(|files| {
            let next = files.iter().cycle().skip(1);
            let steps = files.iter().zip(next).map(|(from, to)| {
                let path = &imports[&arrow(from, to)];
                format!("\n  {from} names {path} of {to}")
            });
            steps.collect()
        })
        .collect();
    assert!(
        found.is_empty(),
        "{} circles:{}",
        found.len(),
        found.join("\n")
    );
}

/// The circles among the given files of one crate.
fn circles_of<const N: usize>(files: [(&str, &str); N]) -> Vec<Vec<String>> {
    let files = files.map(|(name, text)| (format!("a/src/{name}.rs"), text.to_owned()));
    let arrows = imports(&files.into()).0.into_keys().collect();
    let short = |name: String| name["a/src/".len()..name.len() - ".rs".len()].to_owned();
    let found = circles(&arrows).into_iter();
    found
        .map(|files| files.into_iter().map(short).collect())
        .collect()
}

#[test]
fn circle_is_found_however_the_import_is_written() {
    let root = ("lib", "mod b;\npub(crate) mod c;\npub use b::Item;\n");
    let b = (
        "b",
        "use crate::c::{self, Other as O};\npub struct Item(O);",
    );
    for c in [
        "use crate::b::Item;",
        "use crate::Item;",
        "use super::b::*;",
        "use super::{b::Item as I, std};",
        "pub struct Other(crate::b::Item);",
        "fn f() { super::b::f::<u8>(); }",
        "use super::b;\nconst TEXT: &str = \"}\"; const QUOTE: char = '\"';",
        "mod inner { use super::super::b::Item; }",
    ] {
        assert_eq!(circles_of([root, b, ("c", c)]), [["b", "c"]], "{c}");
    }
    // Circles may pass a third file or re-exports of the parent.
    let files = [
        ("lib", "mod b; mod c; mod d;"),
        ("b", "use crate::c::f; pub fn h() {}"),
        ("c", "use super::d::g; pub fn f() {}"),
        ("d", "mod e; pub(super) use e::g;"),
        ("d/e", "use crate::b; pub fn g() { b::h() }"),
    ];
    assert_eq!(circles_of(files), [["b", "c", "d/e"]]);
}

#[test]
fn own_modules_tests_and_text_make_no_circle() {
    let root = ("lib", "mod b; mod c; #[cfg(test)] mod d;");
    let b = ("b", "mod e; use crate::c::C; pub struct B; use e::deep;");
    let child = (
        "b/e",
        "use super::B; use crate::b::B as Again; pub fn deep() {}",
    );
    let test = ("d", "use crate::b::B;");
    for c in [
        "pub struct C; // use crate::b::B;",
        "pub struct C; const T: &str = r#\"\" use crate::b::B;\"#; /* crate::b::f() */",
        "pub struct C<'a>(&'a str); #[cfg(test)] mod tests { use crate::b::B; }",
        "pub struct C; #[cfg(test)] use crate::b::{B, e}; fn f(b: u8) { b.f(); other::b::f(); }",
        "use std::b::B; pub struct C; fn b() { B::new() }",
    ] {
        let none: Vec<Vec<String>> = Vec::new();
        assert_eq!(circles_of([root, b, child, test, ("c", c)]), none, "{c}");
    }
}
