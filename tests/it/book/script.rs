//! The commands of a block: which lines belong together, the exit codes that they may have, and their words.

use super::page::Block;

/// One command of a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// Line of the page, from 1.
    pub(super) line: usize,
    /// The text. It has several lines after a backslash at the end of a line, or with a here-document.
    pub(super) text: String,
    /// The command in one line, without its here-document.
    pub(super) command: String,
    /// The accepted exit codes.
    pub(super) codes: Vec<i32>,
}

/// The commands of `block`. A block that ends inside a command is an error.
pub(super) fn lines(block: &Block) -> Result<Vec<Line>, String> {
    let mut found = Vec::new();
    let mut lines = (block.line + 1..).zip(block.text.lines());
    while let Some((line, first)) = lines.next() {
        if first.trim().is_empty() || first.trim_start().starts_with('#') {
            continue;
        }
        let cut_short = || format!("line {line}: the block ends inside the command `{first}`");
        let (mut text, mut command) = (first.to_owned(), first.trim().to_owned());
        while let Some(start) = command.strip_suffix('\\') {
            let (_, next) = lines.next().ok_or_else(cut_short)?;
            command = format!("{} {}", start.trim_end(), next.trim());
            text = format!("{text}\n{next}");
        }
        if let Some((tabs, end)) = document(&command) {
            loop {
                let (_, next) = lines.next().ok_or_else(cut_short)?;
                text = format!("{text}\n{next}");
                let next = if tabs {
                    next.trim_start_matches('\t')
                } else {
                    next
                };
                if next == end {
                    break;
                }
            }
        }
        let codes = codes(&command);
        found.push(Line {
            line,
            text,
            command,
            codes,
        });
    }
    Ok(found)
}

/// The here-document of `command`, if it has one: whether tabs before its end marker are ignored, and the end marker.
fn document(command: &str) -> Option<(bool, &str)> {
    let (_, after) = command.split_once("<<")?;
    let tabs = after.starts_with('-');
    let after = after.trim_start_matches('-').trim_start();
    let quote = |c: char| matches!(c, '\'' | '"');
    let after = after.trim_start_matches(quote);
    let end = after
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .next()?;
    (!end.is_empty()).then_some((tabs, end))
}

/// The exit codes in the comment at the end of `command`, `# exit 3` or `# exit 0 or 3`; 0 without one.
fn codes(command: &str) -> Vec<i32> {
    let stated = command.rsplit_once("# exit ").map(|(_, codes)| codes);
    let codes = stated.map(|codes| codes.split(" or ").map(|code| code.trim().parse()));
    let codes: Option<Vec<i32>> = codes.and_then(|codes| codes.collect::<Result<_, _>>().ok());
    codes.unwrap_or_else(|| vec![0])
}

/// The words of each simple command in `command`, that is, of the parts between `|`, `&`, `&&`, `||` and `;`.
///
/// Comments, and assignments of variables before a command, are left out. A quoted text becomes `_`.
pub(super) fn words(command: &str) -> Vec<Vec<String>> {
    let (mut commands, mut word) = (vec![Vec::new()], String::new());
    let mut characters = command.chars();
    while let Some(c) = characters.next() {
        // `2>&1` is one word.
        let joins = c == '&' && word.ends_with('>');
        let ends_word = !joins && (c.is_whitespace() || matches!(c, '|' | ';' | '&'));
        if c == '#' && word.is_empty() {
            break;
        }
        if matches!(c, '\'' | '"') {
            // The text does not matter, and neither do escaped quotes in it.
            characters.by_ref().find(|&end| end == c);
            word.push('_');
        } else if !ends_word {
            word.push(c);
        }
        if ends_word {
            push(&mut commands, std::mem::take(&mut word));
            if !c.is_whitespace() {
                commands.push(Vec::new());
            }
        }
    }
    push(&mut commands, word);
    commands.retain(|words| !words.is_empty());
    commands
}

/// Adds `word` to the last of `commands`, unless it is empty or sets a variable before a command.
fn push(commands: &mut [Vec<String>], word: String) {
    let name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let sets = word.split_once('=').is_some_and(|(before, _)| name(before));
    if let Some(last) = commands.last_mut()
        && !word.is_empty()
        && !(sets && last.is_empty())
    {
        last.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(text: &str) -> Block {
        Block {
            line: 10,
            language: "sh".to_owned(),
            text: text.to_owned(),
            not_run: None,
            first: None,
        }
    }

    #[test]
    fn lines_that_belong_together_are_one_command() {
        let text = "# a comment\na b\n\nc \\\n    d \\\n    e\ncat > f <<'EOF'\n# g\nh \\\n\nEOF\ni <<-E\n\tj\n\tE\n";
        let lines = lines(&block(text)).unwrap();
        let found: Vec<(usize, &str, &str)> = lines
            .iter()
            .map(|line| (line.line, &*line.text, &*line.command))
            .collect();
        let expected = [
            (12, "a b", "a b"),
            (14, "c \\\n    d \\\n    e", "c d e"),
            (17, "cat > f <<'EOF'\n# g\nh \\\n\nEOF", "cat > f <<'EOF'"),
            (22, "i <<-E\n\tj\n\tE", "i <<-E"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn block_that_ends_inside_a_command_is_an_error() {
        for text in ["a \\", "cat <<EOF\nb\n EOF"] {
            let error = lines(&block(text)).unwrap_err();
            assert!(error.starts_with("line 11: "), "{error}");
        }
    }

    #[test]
    fn exit_codes_are_read_from_the_end_of_a_command() {
        let codes = |text: &str| lines(&block(text)).unwrap()[0].codes.clone();
        assert_eq!(codes("a"), [0]);
        assert_eq!(codes("a   # exit 3"), [3]);
        assert_eq!(codes("a \\\n  b # exit 0 or 3"), [0, 3]);
        assert_eq!(codes("a # exit 2 if a layer runs in float"), [0]);
        assert_eq!(codes("a # says how"), [0]);
    }

    #[test]
    fn words_are_split_as_the_shell_does() {
        let command =
            "A=1 tailfold x --y 'a | --b' --c=\"d; e\" | sort && B=2 cat f#g > h 2>&1; # i --j";
        let words = words(command);
        let expected = [
            "tailfold x --y _ --c=_".split(' ').collect::<Vec<_>>(),
            vec!["sort"],
            "cat f#g > h 2>&1".split(' ').collect(),
        ];
        assert_eq!(words, expected);
    }
}
