//! Plain words: documents, help and messages have no pattern of a hard sentence, and their number in comments only
//! falls.
//!
//! `plain_words.toml` has the number of such patterns in the comments of each crate. The test fails when a number
//! rises, and also when a number falls but the table does not. With `TAILFOLD_RENEW=1` in the environment, the test
//! writes the table instead.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::sync::LazyLock;

use regex::Regex;

use crate::programs::root;

use super::sources::{files, is_tests_module, literals, rust_files, without_tests};

/// The table of counts, relative to the repository's root.
const TABLE: &str = "tests/it/tidy/plain_words.toml";

/// Words that the glossary replaces, one regular expression per line.
const GLOSSARY: &str = r"
takes? turns
in turns
took turns
errs
stranger
strangers
decided alike
decides? alike
decided as in
vector units?
tract as it is
as it is
shall
owns
talk
talks
told
judges? from outside
outside judges?
from outside
comes? about
came about
somebody
anybody
";

/// Counted nouns and numbers. An article after such a word, in place of `per`, makes a hard sentence.
const COUNTED: &str = r"
images? rows? numbers? bytes? pairs? values? points? offsets? lines? files? times? once one two three
seconds? minutes? ms masses folder score logits? entries entry bits? cell words? threads?
";

/// Nouns after such an article.
const UNITS: &str = r"
class second group row image channel core run seed line layer pixel minute hour batch step epoch node file
tensor round thread call cell byte model machine output weight
";

/// Words of comparisons, which may follow a negated verb.
const COMPARISONS: [&str; 10] = [
    "more", "less", "larger", "longer", "better", "smaller", "worse", "other", "faster", "slower",
];

/// The patterns, each with its name.
struct Patterns(Vec<(&'static str, Regex)>);

impl Patterns {
    fn new() -> Self {
        let glossary = GLOSSARY.trim().replace('\n', "|");
        let any = |list: &str| list.split_whitespace().collect::<Vec<_>>().join("|");
        let (counted, units) = (any(COUNTED), any(UNITS));
        let patterns = [
            ("demonstrative", r"\b(?:that|those) of\b".to_owned()),
            (
                "negation",
                r"\b(?:is|are|was|were|be) (?:no|none)\b".to_owned(),
            ),
            (
                "relative",
                r"\b[Ww]hat(?:ever)?\b|\b[Ww]hichever\b".to_owned(),
            ),
            ("article", format!(r"\b(?:{counted}) an? (?:{units})\b")),
            ("glossary", format!(r"\b(?:{glossary})\b")),
        ];
        Self(
            patterns
                .into_iter()
                .map(|(name, pattern)| (name, Regex::new(&pattern).unwrap()))
                .collect(),
        )
    }

    /// The hits in `prose`, ordered by pattern and then by place.
    fn hits(&self, prose: &Prose) -> Vec<Hit> {
        let text = prose.text.as_str();
        let mut found = Vec::new();
        for (pattern, regex) in &self.0 {
            for hit in regex.find_iter(text) {
                if *pattern != "negation" || !is_plain_negation(text, hit.start(), hit.end()) {
                    found.push(Hit {
                        line: prose.line(hit.start()),
                        pattern,
                        words: hit.as_str().to_owned(),
                    });
                }
            }
        }
        found
    }
}

/// Whether the negated verb at `start..end` has a comparison after it, or the word `there` before it.
fn is_plain_negation(text: &str, start: usize, end: usize) -> bool {
    let before = &text[..start];
    let compares = text[end..].strip_prefix(' ').is_some_and(|after| {
        COMPARISONS
            .iter()
            .any(|comparison| after.starts_with(comparison))
    });
    compares || before.ends_with("there ") || before.ends_with("There ")
}

/// A pattern at a place.
struct Hit {
    line: usize,
    pattern: &'static str,
    words: String,
}

impl Hit {
    fn in_file(&self, name: &str) -> String {
        format!("{name}:{}: {} `{}`", self.line, self.pattern, self.words)
    }
}

/// Text with single spaces between its words, so that patterns match across line breaks.
struct Prose {
    text: String,
    /// Offset and line of each word.
    words: Vec<(usize, usize)>,
}

impl Prose {
    /// Joins pieces of text, each with the line on which it begins.
    fn new<'a>(pieces: impl IntoIterator<Item = (usize, &'a str)>) -> Self {
        let (mut text, mut words) = (String::new(), Vec::new());
        for (first, piece) in pieces {
            for (line, piece) in (first..).zip(piece.split('\n')) {
                for word in piece.split_whitespace() {
                    words.push((text.len(), line));
                    text.push_str(word);
                    text.push(' ');
                }
            }
        }
        Self { text, words }
    }

    /// The line of the word at the offset `at`.
    fn line(&self, at: usize) -> usize {
        let after = self.words.partition_point(|(start, _)| *start <= at);
        self.words[after - 1].1
    }
}

/// The comments of the Rust source `text`: the text after the slashes of each line.
fn comments(text: &str) -> Vec<(usize, &str)> {
    let comment = |line: &'_ str| -> Option<usize> {
        let indent = line.len() - line.trim_start().len();
        if line[indent..].starts_with("//") {
            let doc = line[indent + 2..].starts_with(['/', '!']);
            return Some(indent + 2 + usize::from(doc));
        }
        let mut slashes = line.match_indices("// ");
        let (at, _) = slashes.find(|(at, _)| line[..*at].ends_with(char::is_whitespace))?;
        Some(at + 3)
    };
    (1..)
        .zip(text.split('\n'))
        .filter_map(|(number, line)| Some((number, &line[comment(line)?..])))
        .collect()
}

/// The lines of the Markdown `text` outside code blocks.
fn without_code_blocks(text: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| {
            let fence = line.trim_start().starts_with("```");
            inside ^= fence;
            !inside && !fence
        })
        .collect()
}

/// The text of the string `literal` for its readers: without the names of values in braces, and with spaces for escaped
/// line breaks. A literal of one word is a key or a name and has no text.
fn message(literal: &str) -> Option<String> {
    if !literal.contains(char::is_whitespace) {
        return None;
    }
    static NAMES: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{[a-z_0-9]+").unwrap());
    let text = NAMES.replace_all(literal, "{");
    Some(text.replace("\\\n", " \n").replace("\\n", " "))
}

/// Whether the Rust source `name` belongs to a library or a program, but not to tests.
fn is_shipped(name: &str) -> bool {
    name.contains("/src/") && !name.starts_with("tests/") && !is_tests_module(name)
}

/// The package of the Rust source `name`, or its folder at the root.
fn package(name: &str) -> &str {
    let name = name.strip_prefix("crates/").unwrap_or(name);
    name.split('/').next().unwrap_or_default()
}

/// The table `text`: one line per crate, `name = count`.
fn parse(text: &str) -> BTreeMap<String, usize> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, count) = line.split_once(" = ").unwrap();
            (name.to_owned(), count.parse().unwrap())
        })
        .collect()
}

fn write(counts: &BTreeMap<String, usize>) -> String {
    let mut text = String::from(
        "# Hard sentences in the comments of each crate, as plain_words.rs counts them. The numbers only fall.\n\
         # TAILFOLD_RENEW=1 in the environment of the test writes this file anew.\n",
    );
    for (name, count) in counts {
        writeln!(text, "{name} = {count}").unwrap();
    }
    text
}

#[test]
fn documents_and_help_have_plain_words() {
    let patterns = Patterns::new();
    let (mut documents, mut helps, mut found) = (0, 0, Vec::new());
    for (name, text) in files() {
        let markdown = name == "README.md" || name.starts_with("docs/") && name.ends_with(".md");
        let help = name.ends_with(".snap") && name.contains("help");
        documents += usize::from(markdown);
        helps += usize::from(help);
        let prose = if markdown {
            Prose::new(without_code_blocks(&text))
        } else if help {
            Prose::new([(1, text.as_str())])
        } else {
            continue;
        };
        found.extend(patterns.hits(&prose).iter().map(|hit| hit.in_file(&name)));
    }
    assert!(
        documents > 5 && helps > 20,
        "only {documents} documents and {helps} help texts found"
    );
    assert!(found.is_empty(), "{} hits: {found:#?}", found.len());
}

#[test]
fn messages_have_plain_words() {
    let patterns = Patterns::new();
    let (mut messages, mut found) = (0, Vec::new());
    for (name, text) in rust_files() {
        if !is_shipped(&name) {
            continue;
        }
        for (line, literal) in literals(without_tests(&text)) {
            if let Some(message) = message(literal) {
                messages += 1;
                let prose = Prose::new([(line, message.as_str())]);
                found.extend(patterns.hits(&prose).iter().map(|hit| hit.in_file(&name)));
            }
        }
    }
    assert!(messages > 500, "only {messages} messages found");
    assert!(found.is_empty(), "{} hits: {found:#?}", found.len());
}

#[test]
fn hard_sentences_in_comments_do_not_increase() {
    let patterns = Patterns::new();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, text) in rust_files() {
        let hits = patterns.hits(&Prose::new(comments(&text)));
        let hits = hits.iter().map(|hit| hit.in_file(&name));
        found
            .entry(package(&name).to_owned())
            .or_default()
            .extend(hits);
    }
    assert!(found.len() > 20, "only {} crates found", found.len());
    found.retain(|_, hits| !hits.is_empty());
    let counts = found
        .iter()
        .map(|(name, hits)| (name.clone(), hits.len()))
        .collect();
    let table = root().join(TABLE);
    if std::env::var_os("TAILFOLD_RENEW").is_some_and(|renew| renew == "1") {
        fs::write(&table, write(&counts)).unwrap();
        return;
    }
    let allowed = parse(&fs::read_to_string(&table).unwrap());
    let mut failures = Vec::new();
    for (name, hits) in &found {
        let most = allowed.get(name).copied().unwrap_or(0);
        if hits.len() > most {
            failures.push(format!(
                "{name}: {} hits, at most {most} allowed: {hits:#?}",
                hits.len()
            ));
        }
    }
    for (name, most) in &allowed {
        let count = counts.get(name).copied().unwrap_or(0);
        if count < *most {
            failures.push(format!(
                "{name}: {count} hits, lower the number {most} in {TABLE}"
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn hard_sentences_are_found() {
    // Each line has the name of a pattern and a sentence with it.
    let sentences = r"
demonstrative: The scale is that of the layer.
demonstrative: The scales are those of
 its inputs.
negation: A logit is no number.
negation: Two of the labels were none.
relative: What the exporter writes.
relative: It returns zero whatever the input.
relative: Whichever comes first.
article: The table has one row a class.
article: It decodes 30 images a second.
glossary: The programs take turns.
glossary: The vector units of this machine.
";
    let patterns = Patterns::new();
    for sentence in sentences.replace("\n ", " ").lines().skip(1) {
        let (expected, sentence) = sentence.split_once(": ").unwrap();
        let hits = patterns.hits(&Prose::new([(1, sentence)]));
        assert_eq!(hits.len(), 1, "{sentence}");
        assert_eq!(hits[0].pattern, expected, "{sentence}");
    }
}

#[test]
fn plain_sentences_pass() {
    let sentences = r"
The table has one row per class, and somewhat more than ten columns.
There is no silent fallback, and there are no other files.
The result is no larger than the input, and was no worse.
The exporter writes the model that the trainer made of the classes.
A logit is not a number. A marshalled shallow copy stalks the townsfolk.
";
    let patterns = Patterns::new();
    for sentence in sentences.lines().skip(1) {
        let hits = patterns.hits(&Prose::new([(1, sentence)]));
        let hits: Vec<_> = hits.iter().map(|hit| &hit.words).collect();
        assert!(hits.is_empty(), "{sentence} {hits:?}");
    }
}

#[test]
fn hits_name_their_line() {
    // `#` stands for two slashes, so that these lines are not comments of this file.
    let source = r"
#/ One comment that
#/ of course goes on.
fn f() {} # 30 images
    #! a second
let s = 'x'; #this is not read
let url = https:#what;
"
    .replace('#', "//");
    let patterns = Patterns::new();
    let comments = comments(&source);
    let lines: Vec<_> = comments.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
    let hits = patterns.hits(&Prose::new(comments));
    let places: Vec<_> = hits.iter().map(|hit| (hit.line, hit.pattern)).collect();
    assert_eq!(places, [(2, "demonstrative"), (4, "article")]);
    let markdown = "a\n```sh\nb\n```\nc\n";
    assert_eq!(without_code_blocks(markdown), [(1, "a"), (5, "c")]);
}

#[test]
fn message_leaves_out_names_of_values() {
    assert_eq!(message("first_break"), None);
    let text = message("the {name}\\nhas {} of {1:?}, \\\n   two").unwrap();
    assert_eq!(text, "the {} has {} of {:?},  \n   two");
    assert!(is_shipped("crates/a/src/b.rs") && is_shipped("xtask/src/main.rs"));
    for name in [
        "crates/a/tests/b.rs",
        "crates/a/src/b/tests.rs",
        "tests/judges/a/src/main.rs",
    ] {
        assert!(!is_shipped(name), "{name}");
    }
    assert_eq!(package("crates/a/src/b.rs"), "a");
    assert_eq!(package("xtask/src/main.rs"), "xtask");
}

#[test]
fn table_reads_its_own_output() {
    let counts = BTreeMap::from([("a-b".to_owned(), 3), ("c".to_owned(), 12)]);
    assert_eq!(parse(&write(&counts)), counts);
}
