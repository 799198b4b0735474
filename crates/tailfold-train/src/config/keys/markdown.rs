//! The page in Markdown: one section per table, one row per key.

use std::fmt::Write as _;

use super::tables::{Key, Kind, Table};

const BEGINNING: &str = "# Training keys

A training configuration is a TOML file. This page lists its keys. [Training](training.md) shows how they work together.
`tailfold-train` prints this page from its own types, and a test compares the two. An unknown key is an error that names
the nearest known key.
";

/// The page about `tables`.
pub(super) fn page(tables: &[Table]) -> String {
    let mut page = BEGINNING.to_owned();
    for table in tables {
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "\n## {}\n\n{}\n\n| key | type | default | meaning |\n|---|---|---|---|\n",
            heading(table),
            line(&table.about)
        );
        for key in &table.keys {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} |",
                key.name,
                cell(&kind(tables, &key.kind)),
                cell(&default(key)),
                cell(&meaning(key))
            );
        }
    }
    page
}

fn heading(table: &Table) -> String {
    let names = table.names.iter().map(|name| match name.as_str() {
        "" => "Top of the file".to_owned(),
        name => format!("`[{name}]`"),
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The anchor of a heading, by the rule of GitHub.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading
        .to_lowercase()
        .chars()
        .filter(kept)
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn kind(tables: &[Table], kind: &Kind) -> String {
    match kind {
        Kind::Value(name) => name.clone(),
        Kind::Table(definition) => {
            let table = tables.iter().find(|table| table.definition == *definition);
            let anchor = table.map(|table| anchor(&heading(table)));
            format!("[table](#{})", anchor.unwrap_or_default())
        }
    }
}

fn default(key: &Key) -> String {
    match &key.default {
        Some(default) => format!("`{default}`"),
        None if key.required => "required".to_owned(),
        None => String::new(),
    }
}

fn meaning(key: &Key) -> String {
    let mut meaning = key.about.clone();
    for (value, about) in &key.values {
        let about = if about.is_empty() {
            ""
        } else {
            &format!(": {about}")
        };
        let _ = write!(meaning, "\n\n`{value}`{about}");
    }
    meaning
}

/// Joins the lines of each paragraph of `text` into one line.
fn line(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|one| one.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Formats `text` as the content of a table cell.
fn cell(text: &str) -> String {
    line(text).replace("\n\n", "<br>").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, kind: Kind) -> Key {
        Key {
            name: name.to_owned(),
            kind,
            default: None,
            required: false,
            about: "Does\nit.".to_owned(),
            values: Vec::new(),
        }
    }

    #[test]
    fn tables_become_sections_and_keys_rows() {
        let number = Kind::Value("number".to_owned());
        let top = Table {
            definition: String::new(),
            names: vec![String::new()],
            about: "All.".to_owned(),
            keys: vec![
                Key {
                    required: true,
                    ..key("inner", Kind::Table("Inner".to_owned()))
                },
                Key {
                    default: Some("0.5".to_owned()),
                    values: vec![("1".to_owned(), "a|b".to_owned())],
                    ..key("x", number)
                },
            ],
        };
        let inner = Table {
            definition: "Inner".to_owned(),
            names: vec!["inner".to_owned(), "other.inner".to_owned()],
            about: "In.".to_owned(),
            keys: Vec::new(),
        };
        let page = page(&[top, inner]);
        let expected = "
## Top of the file

All.

| key | type | default | meaning |
|---|---|---|---|
| `inner` | [table](#inner-otherinner) | required | Does it. |
| `x` | number | `0.5` | Does it.<br>`1`: a\\|b |

## `[inner]`, `[other.inner]`

In.

| key | type | default | meaning |
|---|---|---|---|
";
        assert_eq!(page.strip_prefix(BEGINNING), Some(expected));
    }
}
