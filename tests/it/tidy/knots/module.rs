//! Contents of one module: its modules, items and imports, and the paths in its code.

use std::collections::{BTreeMap, BTreeSet};

/// The segments of a path in the source: `["super", "b", "Item"]`.
pub(super) type Path = Vec<String>;

/// A module of a file, or an inline module.
#[derive(Default)]
pub(super) struct Module {
    /// Modules in other files.
    pub(super) files: Vec<String>,
    /// Inline modules by name.
    pub(super) inline: BTreeMap<String, Module>,
    /// Names that the module defines.
    pub(super) items: BTreeSet<String>,
    /// Imported paths by their name in this module.
    pub(super) imports: BTreeMap<String, Path>,
    /// Paths before a `*`.
    pub(super) globs: Vec<Path>,
    /// Every path of two segments or more, imports included.
    pub(super) paths: BTreeSet<Path>,
}

const ITEMS: [&str; 9] = [
    "fn",
    "struct",
    "enum",
    "trait",
    "const",
    "static",
    "type",
    "union",
    "macro_rules",
];

impl Module {
    /// Reads the tokens of a file.
    pub(super) fn new(tokens: &[String]) -> Self {
        let mut module = Self::default();
        module.read(tokens, 0);
        module
    }

    /// Reads tokens up to the bracket that closes the module; returns the index after it.
    fn read(&mut self, tokens: &[String], mut i: usize) -> usize {
        let token = |i: usize| tokens.get(i).map_or("", String::as_str);
        let mut depth = 0_i32;
        while i < tokens.len() {
            match token(i) {
                "{" => depth += 1,
                "}" if depth == 0 => return i + 1,
                "}" => depth -= 1,
                "mod" if token(i + 2) == ";" => {
                    self.files.push(token(i + 1).to_owned());
                    i += 2;
                }
                "mod" if token(i + 2) == "{" => {
                    let mut inline = Self::default();
                    let end = inline.read(tokens, i + 3);
                    self.inline.insert(token(i + 1).to_owned(), inline);
                    i = end;
                    continue;
                }
                "use" if is_name(token(i + 1)) || matches!(token(i + 1), "{" | "::") => {
                    i = self.import(tokens, i + 1, &Path::new());
                    continue;
                }
                "fn" | "struct" | "enum" | "trait" | "const" | "static" | "type" | "union"
                    if depth == 0 =>
                {
                    let named = i + 1 + usize::from(token(i + 1) == "mut");
                    if !ITEMS.contains(&token(named)) && is_name(token(named)) {
                        self.items.insert(token(named).to_owned());
                    }
                }
                "macro_rules" => {
                    self.items.insert(token(i + 2).to_owned());
                }
                name if is_name(name) && token(i + 1) == "::" && is_name(token(i + 2)) => {
                    let mut path = vec![name.to_owned()];
                    while token(i + 1) == "::" && is_name(token(i + 2)) {
                        path.push(token(i + 2).to_owned());
                        i += 2;
                    }
                    self.paths.insert(path);
                }
                _ => {}
            }
            i += 1;
        }
        i
    }

    /// Reads one tree of a `use` below `prefix`; returns the index after it.
    fn import(&mut self, tokens: &[String], mut i: usize, prefix: &Path) -> usize {
        let token = |i: usize| tokens.get(i).map_or("", String::as_str);
        let mut path = prefix.clone();
        loop {
            match token(i) {
                "::" => i += 1,
                "{" => {
                    i += 1;
                    while token(i) != "}" {
                        i = self.import(tokens, i, &path);
                        i += usize::from(token(i) == ",");
                    }
                    return i + 1;
                }
                "*" => {
                    self.paths.insert(path.clone());
                    self.globs.push(path);
                    return i + 1;
                }
                "as" => {
                    self.bind(token(i + 1), path);
                    return i + 2;
                }
                "self" if !path.is_empty() => i += 1,
                name if is_name(name) => {
                    path.push(name.to_owned());
                    i += 1;
                }
                _ => {
                    let name = path.last().cloned().unwrap_or_default();
                    self.bind(&name, path);
                    return i;
                }
            }
        }
    }

    fn bind(&mut self, name: &str, path: Path) {
        self.paths.insert(path.clone());
        self.imports.insert(name.to_owned(), path);
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_') && token != "as"
}
