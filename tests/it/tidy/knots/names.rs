//! The modules of one crate, and the lookup of the file that defines the item of a path.

use std::collections::BTreeMap;

use super::module::{Module, Path};
use super::tokens::tokens;

/// Largest number of imports that are followed for a path; more must be a circle of re-exports.
const STEPS: usize = 16;

/// The modules of one crate by their paths from the root; the root has the empty path.
pub(super) struct Crate {
    modules: BTreeMap<Path, (String, Module)>,
}

impl Crate {
    /// Reads the crate with the root file `root`, and the modules that it declares. `read` returns a file's text.
    pub(super) fn new(root: &str, read: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut found = Self {
            modules: BTreeMap::new(),
        };
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut open = vec![(Path::new(), root.to_owned())];
        while let Some((path, file)) = open.pop() {
            let Some(text) = read(&file) else { continue };
            let module = Module::new(&tokens(&text));
            let mut inline = vec![(path, module)];
            while let Some((path, mut module)) = inline.pop() {
                for name in &module.files {
                    let child = below(&path, name);
                    let file = format!("{folder}/{}.rs", child.join("/"));
                    open.push((child, file));
                }
                let inner = std::mem::take(&mut module.inline);
                inline.extend(inner.into_iter().map(|(name, m)| (below(&path, &name), m)));
                found.modules.insert(path, (file.clone(), module));
            }
        }
        found
    }

    /// Pairs of files where the first imports from the second, each with one such path. A file and the files of its own
    /// modules are not a pair.
    pub(super) fn imports(&self) -> BTreeMap<(String, String), String> {
        let mut pairs = BTreeMap::new();
        for (at, (file, module)) in &self.modules {
            for path in &module.paths {
                let Some(home) = self.home(at, path, STEPS) else {
                    continue;
                };
                let is_kin = at.starts_with(&home) || home.starts_with(at);
                let home = &self.modules[&home].0;
                if !is_kin && home != file {
                    pairs.insert((file.clone(), home.clone()), path.join("::"));
                }
            }
        }
        pairs
    }

    /// The module that defines the item with the path `path` in the module `at`; `None` for items of other crates.
    fn home(&self, at: &Path, path: &[String], steps: usize) -> Option<Path> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.descend(Path::new(), rest, steps),
            "self" => self.descend(at.clone(), rest, steps),
            "super" => {
                let (_, parent) = at.split_last()?;
                let mut rest = rest;
                let mut parent = parent.to_vec();
                while let Some((_, after)) = rest.split_first().filter(|(s, _)| *s == "super") {
                    parent.pop();
                    rest = after;
                }
                self.descend(parent, rest, steps)
            }
            _ => self.enter(at, first, rest, steps),
        }
    }

    /// As [`home`](Self::home), for the segments `rest` below the module `at`.
    fn descend(&self, at: Path, rest: &[String], steps: usize) -> Option<Path> {
        match rest.split_first() {
            None => Some(at),
            // An undeclared name comes from a macro of the module.
            Some((first, rest)) => self.enter(&at, first, rest, steps).or(Some(at)),
        }
    }

    /// The module that defines `name` in the module `at` and `rest` below it; `None` if the module does not have the
    /// name.
    fn enter(&self, at: &Path, name: &str, rest: &[String], steps: usize) -> Option<Path> {
        let steps = steps.checked_sub(1)?;
        let child = below(at, name);
        if self.modules.contains_key(&child) {
            return self.descend(child, rest, steps);
        }
        let (_, module) = self.modules.get(at)?;
        if module.items.contains(name) {
            return Some(at.clone());
        }
        if let Some(path) = module.imports.get(name) {
            // The name is another crate: `use name::...`.
            if path.first().is_some_and(|first| first == name) {
                return None;
            }
            return self.home(at, &[path.as_slice(), rest].concat(), steps);
        }
        let mut globs = module.globs.iter();
        globs.find_map(|path| {
            let from = self.home(at, path, steps).filter(|from| from != at)?;
            self.enter(&from, name, rest, steps)
        })
    }
}

fn below(path: &Path, name: &str) -> Path {
    let mut child = path.clone();
    child.push(name.to_owned());
    child
}
