//! Rust source as tokens: identifiers, `::` and single characters. Comments, attributes, literals and items for tests
//! are left out.

/// Returns the tokens of `source`, without comments, attributes, literals and items behind `#[cfg(test)]`.
pub(super) fn tokens(source: &str) -> Vec<String> {
    without_attributes(&scan(source))
}

fn scan(source: &str) -> Vec<String> {
    let text: Vec<char> = source.chars().collect();
    let at = |i: usize| text.get(i).copied().unwrap_or('\0');
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let (mut tokens, mut i) = (Vec::new(), 0);
    while i < text.len() {
        let c = text[i];
        if c == '/' && at(i + 1) == '/' {
            while i < text.len() && text[i] != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            i = end_of_block_comment(&text, i);
        } else if c == '"' {
            i = end_of_string(&text, i);
        } else if c == '\'' {
            i = end_of_quote(&text, i);
        } else if is_name(c) {
            let start = i;
            while is_name(at(i)) {
                i += 1;
            }
            let name: String = text[start..i].iter().collect();
            if matches!(name.as_str(), "r" | "br" | "cr") && matches!(at(i), '"' | '#') {
                i = end_of_raw_string(&text, i);
            } else {
                tokens.push(name);
            }
        } else if c == ':' && at(i + 1) == ':' {
            tokens.push("::".to_owned());
            i += 2;
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            i += 1;
        }
    }
    tokens
}

fn end_of_block_comment(text: &[char], mut i: usize) -> usize {
    let mut depth = 0;
    while i < text.len() {
        match text[i..] {
            ['/', '*', ..] => (depth, i) = (depth + 1, i + 2),
            ['*', '/', ..] => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn end_of_string(text: &[char], mut i: usize) -> usize {
    i += 1;
    while i < text.len() && text[i] != '"' {
        i += if text[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

fn end_of_raw_string(text: &[char], mut i: usize) -> usize {
    let hashes = text[i..].iter().take_while(|&&c| c == '#').count();
    if text.get(i + hashes) != Some(&'"') {
        return i + hashes; // This is a raw identifier such as `r#type`.
    }
    i += hashes + 1;
    while i < text.len() {
        let closing = text[i + 1..].iter().take_while(|&&c| c == '#').count();
        if text[i] == '"' && closing >= hashes {
            return i + 1 + hashes;
        }
        i += 1;
    }
    i
}

/// Returns the index after a character literal, or after the quote of a lifetime.
fn end_of_quote(text: &[char], i: usize) -> usize {
    match text[i + 1..] {
        ['\\', _, ..] => {
            let length = text[i + 3..].iter().position(|&c| c == '\'');
            length.map_or(text.len(), |length| i + 4 + length)
        }
        [_, '\'', ..] => i + 3,
        _ => i + 1,
    }
}

fn without_attributes(tokens: &[String]) -> Vec<String> {
    let (mut kept, mut i) = (Vec::new(), 0);
    while i < tokens.len() {
        let Some(end) = end_of_attribute(tokens, i) else {
            kept.push(tokens[i].clone());
            i += 1;
            continue;
        };
        let attribute = &tokens[i..end];
        let has = |name: &str| attribute.iter().any(|token| token == name);
        i = end;
        if has("cfg") && has("test") && !has("not") {
            while let Some(end) = end_of_attribute(tokens, i) {
                i = end;
            }
            i = end_of_item(tokens, i);
        }
    }
    kept
}

/// Returns the index after the attribute that begins at `i`.
fn end_of_attribute(tokens: &[String], i: usize) -> Option<usize> {
    let token = |i: usize| tokens.get(i).map(String::as_str);
    let open = match (token(i), token(i + 1), token(i + 2)) {
        (Some("#"), Some("["), _) => i + 1,
        (Some("#"), Some("!"), Some("[")) => i + 2,
        _ => return None,
    };
    Some(end_of_group(tokens, open))
}

/// Returns the index after the bracket that closes the one at `open`.
fn end_of_group(tokens: &[String], open: usize) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    tokens.len()
}

/// Returns the index after the item that begins at `i`: after its `;`, or after its body.
fn end_of_item(tokens: &[String], mut i: usize) -> usize {
    let is_use = tokens[i..].iter().take(6).any(|token| token == "use");
    while i < tokens.len() {
        match tokens[i].as_str() {
            ";" => return i + 1,
            "{" if !is_use => return end_of_group(tokens, i),
            "(" | "[" | "{" => i = end_of_group(tokens, i),
            _ => i += 1,
        }
    }
    i
}
