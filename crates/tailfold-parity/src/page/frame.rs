//! The frame of a page: head, content security policy, style sheet, body.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Text;

/// The content security policy: a page loads no file, not even an icon.
const CONTENTS: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'unsafe-inline'";

/// The style sheet of all pages.
const STYLE: &str = include_str!("page.css");

/// A self-contained page.
#[derive(Debug)]
pub struct Page<'a> {
    /// The window's title.
    pub title: &'a str,
    /// Additional style rules of this page.
    pub style: &'a str,
    /// An optional script, empty for none; the page must work without it.
    pub script: &'a str,
    /// The navigation before the main part.
    pub header: Markup,
    /// The main part.
    pub main: Markup,
}

impl Page<'_> {
    /// Returns the page as HTML.
    pub fn into_string(self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(CONTENTS);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    // Without this icon, a browser requests /favicon.ico from a server.
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

/// Returns `wide` in a frame that scrolls on small screens, also by keyboard; `label` names the frame for screen
/// readers.
pub fn scrolled(label: &str, wide: Markup) -> Markup {
    html! {
        div.scroll role="region" aria-label=(label) tabindex="0" { (wide) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_has_no_external_references() {
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
