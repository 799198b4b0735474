//! The frame of a page: head, policy of its contents, style, body.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::Text;

/// Nothing is asked for, not even an icon: what a page shows is in the page.
const CONTENTS: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'unsafe-inline'";

/// Colours, type, tables, paper.
const STYLE: &str = include_str!("page.css");

/// A page in one file.
#[derive(Debug)]
pub struct Page<'a> {
    /// In the window's title.
    pub title: &'a str,
    /// Style of what this page alone has.
    pub style: &'a str,
    /// Comfort, which the page must not need; none where it is empty.
    pub script: &'a str,
    /// Before the main part, as navigation.
    pub header: Markup,
    /// The main part.
    pub main: Markup,
}

impl Page<'_> {
    /// The page as a file's text.
    pub fn into_string(self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(CONTENTS);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    // Without one, a browser asks a server for /favicon.ico.
                    link rel="icon" href="data:,";
                    title { (Text(self.title)) }
                    style { (PreEscaped(STYLE)) (PreEscaped(self.style)) }
                }
                body {
                    a.skip href="#main" { "Skip to the content" }
                    (self.header)
                    main #main tabindex="-1" { (self.main) }
                    @if !self.script.is_empty() {
                        script { (PreEscaped(self.script)) }
                    }
                }
            }
        };
        page.into_string()
    }
}

/// What is wider than a small screen, to be scrolled in its own frame with the keyboard too; `label` names it to those who do not
/// see it.
pub fn scrolled(label: &str, wide: Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(label) tabindex="0" { (wide) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_refers_to_nothing_outside() {
        let page = Page {
            title: "<b>",
            style: ".own{}",
            script: "",
            header: html! {},
            main: html! { p { "text" } },
        };
        let page = page.into_string();
        assert!(page.contains("<title>&lt;b&gt;</title>"), "{page}");
        assert!(
            page.contains(".own{}") && !page.contains("<script"),
            "{page}"
        );
        for outside in ["http://", "https://", "url(", "@import", "src="] {
            let outside = page.replace("-src ", "").contains(outside);
            assert!(!outside, "{page}");
        }
    }
}
