//! Checks that parts belong to the same run and that no shard is missing.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::{Part, PartError, PartErrorKind};

/// Largest number of missing shards that an error message names.
const NAMED: usize = 10;

/// Checks that `part` and `other` have the same kind, settings, number of images and number of shards.
pub(super) fn same_run(
    (path, part): &(PathBuf, Part),
    (other, expected): &(PathBuf, Part),
) -> Result<(), PartError> {
    if part.kind() != expected.kind() {
        return Err(PartErrorKind::OtherRun.error(format!(
            "{} is a part of `{found}`, but {} is a part of `{expected}`",
            path.display(),
            other.display(),
            found = part.kind(),
            expected = expected.kind()
        )));
    }
    let (mine, theirs) = (part.asked(), expected.asked());
    let differs = first_difference(mine.keys().chain(theirs.keys()), |key| {
        mine.get(key) == theirs.get(key)
    });
    let asked = |key: &str, found: String, expected: String| {
        Err(PartErrorKind::OtherRun.error(format!(
            "{} and {} are not of the same run: `{key}` is {found} in the one and {expected} in \
             the other",
            path.display(),
            other.display()
        )))
    };
    if let Some(key) = differs {
        return asked(key, text(mine.get(key)), text(theirs.get(key)));
    }
    if part.images() != expected.images() {
        let [mine, theirs] = [part, expected].map(|p| p.images().to_string());
        return asked("images", mine, theirs);
    }
    if part.shard().of() != expected.shard().of() {
        return Err(PartErrorKind::OtherRun.error(format!(
            "{} is shard {found}, but {} is shard {expected}: they split the images \
             differently",
            path.display(),
            other.display(),
            found = part.shard(),
            expected = expected.shard()
        )));
    }
    Ok(())
}

/// The first of `keys` for which `alike` is false. Hashes come last, because a difference in a hash explains less.
pub(super) fn first_difference<'a>(
    keys: impl Iterator<Item = &'a String>,
    alike: impl Fn(&String) -> bool,
) -> Option<&'a String> {
    keys.filter(|key| !alike(key))
        .min_by_key(|key| key.ends_with("sha256"))
}

pub(super) fn text(value: Option<&Value>) -> String {
    value.map_or_else(|| "absent".to_owned(), Value::to_string)
}

/// Checks that no shard is missing. `parts` must not contain a shard twice.
pub(super) fn check_complete(parts: &[(PathBuf, Part)]) -> Result<(), PartError> {
    let Some((_, first)) = parts.first() else {
        return Err(PartErrorKind::Missing.error("no parts were given"));
    };
    let of = first.shard().of();
    let lost = of - parts.len();
    if lost == 0 {
        return Ok(());
    }
    let there: BTreeSet<usize> = parts.iter().map(|(_, p)| p.shard().index()).collect();
    let missing = (0..of).filter(|index| !there.contains(index));
    let mut named: Vec<String> = missing
        .take(NAMED)
        .map(|index| format!("{index}/{of}"))
        .collect();
    if lost > NAMED {
        named.push("...".to_owned());
    }
    let given = parts.iter();
    let given = given.map(|(path, part)| format!("{} ({})", path.display(), part.shard()));
    Err(PartErrorKind::Missing.error(format!(
        "{lost} of {of} shards are missing ({named}): the files given are {given}",
        named = named.join(", "),
        given = given.collect::<Vec<_>>().join(", ")
    )))
}
