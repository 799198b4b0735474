//! Results to stdout, talk to stderr.

use std::io::{self, Write as _};

/// Writes a line of the result.
pub(crate) fn print(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Writes a line of talk.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
