//! Patterns of hard sentences.

use regex::Regex;

use super::prose::Prose;

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
pub(super) struct Patterns(Vec<(&'static str, Regex)>);

impl Patterns {
    pub(super) fn new() -> Self {
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
    pub(super) fn hits(&self, prose: &Prose) -> Vec<Hit> {
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
pub(super) struct Hit {
    pub(super) line: usize,
    pub(super) pattern: &'static str,
    words: String,
}

impl Hit {
    pub(super) fn in_file(&self, name: &str) -> String {
        format!("{name}:{}: {} `{}`", self.line, self.pattern, self.words)
    }
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
