//! The header of an .npy file: a Python dictionary with three keys.
//!
//! It is parsed here, because the existing crates use a general parser of Python literals, which needs a parser
//! generator at build time, and allocate memory by the unchecked size in the file's first bytes.

/// The three entries of a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Type of an element, such as `<f4`; `None` for a structured type.
    pub(super) descr: Option<String>,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<u64>,
}

/// Parses the text of a header. The error names the mismatch and its byte offset in the text.
pub(super) fn parse(text: &str) -> Result<Header, String> {
    let mut rest = Rest { text, at: 0 };
    let (mut descr, mut fortran_order, mut shape) = (None, None, None);
    rest.expect('{')?;
    while !rest.next_is('}') {
        let key = rest.string()?;
        rest.expect(':')?;
        let twice = match key {
            "descr" => descr.replace(rest.descr()?).is_some(),
            "fortran_order" => fortran_order.replace(rest.boolean()?).is_some(),
            "shape" => shape.replace(rest.tuple()?).is_some(),
            _ => return Err(format!("there is a key `{key}`")),
        };
        if twice {
            return Err(format!("the key `{key}` is there twice"));
        }
        if !rest.next_is(',') {
            rest.expect('}')?;
            break;
        }
    }
    if !rest.left().is_empty() {
        return Err(rest.unexpected("its end"));
    }
    let missing = |key: &str| format!("the key `{key}` is missing");
    Ok(Header {
        descr: descr.ok_or_else(|| missing("descr"))?,
        fortran_order: fortran_order.ok_or_else(|| missing("fortran_order"))?,
        shape: shape.ok_or_else(|| missing("shape"))?,
    })
}

/// The rest of the text, from byte `at` on.
struct Rest<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Rest<'a> {
    fn left(&mut self) -> &'a str {
        let left = self.text[self.at..].trim_start();
        self.at = self.text.len() - left.len();
        left
    }

    /// Skips `token` if it comes next, and returns whether it did.
    fn next_is(&mut self, token: char) -> bool {
        let found = self.left().starts_with(token);
        if found {
            self.at += token.len_utf8();
        }
        found
    }

    fn expect(&mut self, token: char) -> Result<(), String> {
        if self.next_is(token) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{token}`")))
        }
    }

    fn unexpected(&self, expected: &str) -> String {
        let left = &self.text[self.at..];
        let found: String = left.chars().take(20).collect();
        let (found, at) = (found.escape_debug(), self.at);
        format!("at byte {at} of it: `{found}`, expected {expected}")
    }

    /// Skips and returns the leading characters that satisfy the predicate.
    fn run(&mut self, holds: impl Fn(char) -> bool) -> &'a str {
        let left = self.left();
        let run = &left[..left.find(|c| !holds(c)).unwrap_or(left.len())];
        self.at += run.len();
        run
    }

    /// A string without escapes: neither the keys nor the type names need any.
    fn string(&mut self) -> Result<&'a str, String> {
        let quote = self.left().chars().next();
        let Some(quote @ ('\'' | '"')) = quote else {
            return Err(self.unexpected("a string"));
        };
        self.expect(quote)?;
        let string = self.run(|c| c != quote && c != '\\');
        self.expect(quote)?;
        Ok(string)
    }

    /// A type; `None` for a list of fields, which is skipped without parsing the fields.
    fn descr(&mut self) -> Result<Option<String>, String> {
        if !self.left().starts_with('[') {
            return self.string().map(|descr| Some(descr.to_owned()));
        }
        let mut depth = 0_usize;
        for (at, c) in self.left().char_indices() {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at += at + 1;
                return Ok(None);
            }
        }
        Err(self.unexpected("a list that ends"))
    }

    fn boolean(&mut self) -> Result<bool, String> {
        let at = self.at;
        match self.run(char::is_alphanumeric) {
            "True" => Ok(true),
            "False" => Ok(false),
            _ => {
                self.at = at;
                Err(self.unexpected("True or False"))
            }
        }
    }

    fn tuple(&mut self) -> Result<Vec<u64>, String> {
        let mut numbers = Vec::new();
        self.expect('(')?;
        while !self.next_is(')') {
            let digits = self.run(|c| c.is_ascii_digit());
            let number = digits.parse().map_err(|_| self.unexpected("a number"))?;
            numbers.push(number);
            // Python 2 wrote long integers with this suffix.
            self.next_is('L');
            if !self.next_is(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(numbers)
    }
}

#[cfg(test)]
mod tests;
