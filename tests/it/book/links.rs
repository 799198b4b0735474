//! Links: each leads to a file of the repository and to a heading in it, and `docs/SUMMARY.md` lists the pages.

use std::collections::{BTreeMap, BTreeSet};

use super::page::Page;

const SUMMARY: &str = "docs/SUMMARY.md";

/// The broken links of all pages. `pages` has each page of the repository by its name, `files` the names of all files.
pub(super) fn broken(pages: &BTreeMap<String, Page>, files: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, page) in pages {
        for link in &page.links {
            if let Err(why) = check(pages, files, name, &link.target) {
                faults.push(format!("{name}:{}: {}: {why}", link.line, link.target));
            }
        }
    }
    faults
}

/// Checks the link `target` of the page `name`.
fn check(
    pages: &BTreeMap<String, Page>,
    files: &BTreeSet<String>,
    name: &str,
    target: &str,
) -> Result<(), String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = if path.is_empty() {
        name.to_owned()
    } else {
        joined(name, path).ok_or("leads out of the repository")?
    };
    let folder = format!("{}/", file.trim_end_matches('/'));
    let is_folder = file.is_empty() || files.iter().any(|file| file.starts_with(&folder));
    if !files.contains(&file) && !is_folder {
        return Err(format!("there is no {file}"));
    }
    match pages.get(&file) {
        _ if anchor.is_empty() => Ok(()),
        Some(page) if page.anchors.contains(anchor) => Ok(()),
        Some(_) => Err(format!("{file} has no heading for #{anchor}")),
        None => Err(format!("{file} is not a page, so it has no headings")),
    }
}

/// The name of `path`, which is relative to the page `name`; `None` outside of the repository.
fn joined(name: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The faults of the summary: pages in `docs/` that it does not list or lists twice, and links to anything else.
pub(super) fn summary(pages: &BTreeMap<String, Page>) -> Vec<String> {
    let Some(summary) = pages.get(SUMMARY) else {
        return vec![format!("there is no {SUMMARY}")];
    };
    let in_docs = |name: &&String| name.starts_with("docs/") && *name != SUMMARY;
    let there: BTreeSet<String> = pages.keys().filter(in_docs).cloned().collect();
    let (mut listed, mut faults) = (BTreeSet::new(), Vec::new());
    for link in &summary.links {
        let page = joined(SUMMARY, &link.target).filter(|page| there.contains(page));
        match page {
            None => faults.push(format!(
                "{SUMMARY}:{}: {} is not a page in docs/",
                link.line, link.target
            )),
            Some(page) => {
                if !listed.insert(page) {
                    faults.push(format!(
                        "{SUMMARY}:{}: {} is listed twice",
                        link.line, link.target
                    ));
                }
            }
        }
    }
    let missing = there.difference(&listed);
    faults.extend(missing.map(|page| format!("{page} is not in {SUMMARY}")));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(texts: &[(&str, &str)]) -> BTreeMap<String, Page> {
        let page = |(name, text): &(&str, &str)| ((*name).to_owned(), Page::read(text));
        texts.iter().map(page).collect()
    }

    fn found(texts: &[(&str, &str)], others: &[&str]) -> Vec<String> {
        let names = texts
            .iter()
            .map(|(name, _)| *name)
            .chain(others.iter().copied());
        broken(&pages(texts), &names.map(str::to_owned).collect())
    }

    #[test]
    fn good_links_are_found() {
        let texts = [
            (
                "docs/a.md",
                "# A b\n[self](#a-b) [up](../README.md#top) [near](./b.md) [folder](../models) [file](c/x.png) \
                 [web](https://example.org/none#none) [root](..)",
            ),
            ("docs/b.md", "text"),
            ("README.md", "# Top\n[down](docs/a.md#a-b)"),
        ];
        assert_eq!(
            found(&texts, &["models/m.onnx", "docs/c/x.png"]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn broken_links_are_named_with_their_lines() {
        let text =
            "# A\n\n[x](b.md)\n[x](#b) ![x](c.png)\n[x](../../d.md)\n[x](e.png#f)\n[x](A.md)\n";
        let faults = found(&[("docs/a.md", text)], &["docs/e.png"]);
        let expected = [
            "docs/a.md:3: b.md: there is no docs/b.md",
            "docs/a.md:4: #b: docs/a.md has no heading for #b",
            "docs/a.md:4: c.png: there is no docs/c.png",
            "docs/a.md:5: ../../d.md: leads out of the repository",
            "docs/a.md:6: e.png#f: docs/e.png is not a page, so it has no headings",
            "docs/a.md:7: A.md: there is no docs/A.md",
        ];
        assert_eq!(faults, expected);
    }

    #[test]
    fn summary_lists_each_page_once() {
        let good = [
            ("docs/SUMMARY.md", "- [A](a.md)\n- [B](b/c.md)"),
            ("docs/a.md", ""),
            ("docs/b/c.md", ""),
            ("README.md", ""),
        ];
        assert_eq!(summary(&pages(&good)), Vec::<String>::new());
        let bad = [
            (
                "docs/SUMMARY.md",
                "- [A](a.md)\n- [A](a.md)\n- [D](d.md)\n- [R](../README.md)",
            ),
            ("docs/a.md", ""),
            ("docs/b/c.md", ""),
            ("README.md", ""),
        ];
        let expected = [
            "docs/SUMMARY.md:2: a.md is listed twice",
            "docs/SUMMARY.md:3: d.md is not a page in docs/",
            "docs/SUMMARY.md:4: ../README.md is not a page in docs/",
            "docs/b/c.md is not in docs/SUMMARY.md",
        ];
        assert_eq!(summary(&pages(&bad)), expected);
        assert_eq!(summary(&pages(&bad[1..])), ["there is no docs/SUMMARY.md"]);
    }
}
