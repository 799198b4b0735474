//! Shows third-party names, such as names in data sets and models, as text and never as markup.

use maud::{Escaper, Render};

/// Returns `text` with invisible characters replaced by U+FFFD. These are control characters, which control terminals
/// and are invalid in XML, and characters that change the writing direction, which can make one name look like
/// another.
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}')
    };
    text.chars()
        .map(|c| {
            if hidden(c) {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// Third-party text in a page: printable, and never markup.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a str);

impl Render for Text<'_> {
    fn render_to(&self, page: &mut String) {
        use std::fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = Escaper::new(page).write_str(&printable(self.0));
    }
}

#[cfg(test)]
mod tests {
    use maud::html;

    use super::*;

    #[test]
    fn names_are_neither_markup_nor_invisible() {
        let check = |text: &str, expect: &str| {
            let page = html! { p title=(Text(text)) { (Text(text)) } }.into_string();
            assert_eq!(page, format!("<p title=\"{expect}\">{expect}</p>"));
        };
        check("Ankle boot", "Ankle boot");
        check(
            "</p><script>alert(\"1\")</script>&",
            "&lt;/p&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;",
        );
        check("a\0b\u{1b}[2Jc\nd", "a\u{fffd}b\u{fffd}[2Jc\u{fffd}d");
        check("cat\u{202e}gnp", "cat\u{fffd}gnp");
        check("Ünï 猫 \u{1f408}", "Ünï 猫 \u{1f408}");
    }
}
