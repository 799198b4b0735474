//! A page in Markdown: its anchors, links and blocks of code.

use std::collections::{BTreeMap, BTreeSet};

use markdown::ParseOptions;
use markdown::mdast::Node;

/// The anchors, links and blocks of a page.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Anchors of the headings, as GitHub makes them.
    pub(super) anchors: BTreeSet<String>,
    /// Links and images.
    pub(super) links: Vec<Link>,
    /// Fenced and indented blocks of code.
    pub(super) blocks: Vec<Block>,
}

/// A link or an image.
#[derive(Debug)]
pub(super) struct Link {
    /// Line of the page, from 1.
    pub(super) line: usize,
    /// Target, as written.
    pub(super) target: String,
}

/// A block of code.
#[derive(Debug)]
pub(super) struct Block {
    /// Line of the fence, from 1.
    pub(super) line: usize,
    /// Info string.
    pub(super) language: String,
    /// The code.
    pub(super) text: String,
    /// The reason in the comment `<!-- not run: REASON -->` before the block.
    pub(super) not_run: Option<String>,
    /// The script in the comment `<!-- run first: NAME -->` before the block.
    pub(super) first: Option<String>,
}

impl Page {
    /// Reads the page `text`.
    pub(super) fn read(text: &str) -> Self {
        let tree = markdown::to_mdast(text, &ParseOptions::gfm());
        let tree = tree.expect("Markdown has no syntax errors");
        let mut page = Self::default();
        page.add(&tree, &mut BTreeMap::new());
        page
    }

    /// Adds `node` and all nodes below it. `seen` counts the headings with each anchor.
    fn add(&mut self, node: &Node, seen: &mut BTreeMap<String, usize>) {
        let link = |target: &str| Link {
            line: line(node),
            target: target.to_owned(),
        };
        match node {
            Node::Heading(_) => {
                let slug = slug(&node.to_string());
                let count = seen.entry(slug.clone()).or_default();
                let anchor = match *count {
                    0 => slug,
                    repeated => format!("{slug}-{repeated}"),
                };
                *count += 1;
                self.anchors.insert(anchor);
            }
            Node::Link(inner) => self.links.push(link(&inner.url)),
            Node::Image(inner) => self.links.push(link(&inner.url)),
            Node::Definition(inner) => self.links.push(link(&inner.url)),
            _ => {}
        }
        let mut before: Option<&Node> = None;
        for child in node.children().into_iter().flatten() {
            if let Node::Code(code) = child {
                self.blocks.push(Block {
                    line: line(child),
                    language: code.lang.clone().unwrap_or_default(),
                    text: code.value.clone(),
                    not_run: before.and_then(|node| comment(node, "not run:")),
                    first: before.and_then(|node| comment(node, "run first:")),
                });
            }
            self.add(child, seen);
            before = Some(child);
        }
    }
}

fn line(node: &Node) -> usize {
    node.position().map_or(0, |position| position.start.line)
}

/// The text in the comment `<!-- KEY TEXT -->`.
fn comment(node: &Node, key: &str) -> Option<String> {
    let Node::Html(html) = node else {
        return None;
    };
    let comment = html
        .value
        .trim()
        .strip_prefix("<!--")?
        .strip_suffix("-->")?;
    let reason = comment.trim().strip_prefix(key)?.trim();
    Some(reason.to_owned())
}

/// The anchor of the heading `text`, without the number of a repeated heading.
fn slug(text: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let lower = text.to_lowercase();
    let kept = lower.chars().filter(kept);
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn anchors_follow_the_rule_of_github() {
    let page = Page::read(
        "# A `code` & more!\n\n## Same\n\n## Same\n\n### Über_all [link](x)\n\nSetext, 2.5x\n---\n\n```sh\n# no heading\n```\n",
    );
    let anchors: Vec<&str> = page.anchors.iter().map(String::as_str).collect();
    let expected = [
        "a-code--more",
        "same",
        "same-1",
        "setext-25x",
        "über_all-link",
    ];
    assert_eq!(anchors, expected);
}

#[test]
fn links_and_blocks_have_their_lines() {
    let text = "# A\n\n[one](a.md) and\n![two](b.png) `[no](c)`\n\n| [three](d.md#e) |\n|---|\n\n[four]: f.md\n\n```toml\n[no](g)\n```\n";
    let page = Page::read(text);
    let links: Vec<(usize, &str)> = page.links.iter().map(|l| (l.line, &*l.target)).collect();
    assert_eq!(
        links,
        [(3, "a.md"), (4, "b.png"), (6, "d.md#e"), (9, "f.md")]
    );
    let [block] = &page.blocks[..] else {
        panic!("{page:?}");
    };
    assert_eq!(
        (block.line, &*block.language, &*block.text),
        (11, "toml", "[no](g)")
    );
}

#[test]
fn reason_of_block_stands_before_it() {
    let text = "<!-- not run: needs a GPU -->\n```sh\na\n```\n\n<!-- not run: slow -->\n\n```sh\nb\n```\n\n<!-- a comment -->\n```sh\nc\n```\n\nText\n```sh\nd\n```\n";
    let blocks = Page::read(text).blocks;
    let reasons: Vec<Option<&str>> = blocks.iter().map(|b| b.not_run.as_deref()).collect();
    assert_eq!(reasons, [Some("needs a GPU"), Some("slow"), None, None]);
    let blocks = Page::read("<!-- run first: photos -->\n```sh\na\n```\n").blocks;
    assert_eq!(blocks[0].first.as_deref(), Some("photos"));
    assert_eq!(blocks[0].not_run, None);
}
