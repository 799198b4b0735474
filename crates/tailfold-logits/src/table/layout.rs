//! Finds the columns of a table that hold the logits.

use parquet::basic::Repetition;

use super::{Inner, LogitFileError, codec, floats};

/// Name of a list column of logits.
const LIST: &str = "logits";

/// Prefix of the names of per-class columns, before the class number.
const PREFIX: &str = "logit_";

const EXPECTED: &str =
    "a list column `logits` of FLOAT, DOUBLE or FLOAT16, or such a column for each class";

/// The leaf columns of the schema that hold the logits.
pub(super) enum Layout {
    /// One list per row.
    List(usize),
    /// One column per class, in class order.
    Columns(Vec<usize>),
}

/// Finds the logits, and checks that their pages can be decompressed.
pub(super) fn find(inner: &Inner) -> Result<Layout, LogitFileError> {
    let layout = match inner.find(LIST) {
        Some(column) => list(inner, column)?,
        None => Layout::Columns(columns(inner)?),
    };
    let used = match &layout {
        Layout::List(column) => std::slice::from_ref(column),
        Layout::Columns(columns) => columns,
    };
    for &column in used {
        check_codec(inner, column)?;
    }
    Ok(layout)
}

/// Refuses a column if any of its pages use an unsupported compression.
pub(super) fn check_codec(inner: &Inner, column: usize) -> Result<(), LogitFileError> {
    let codecs = (0..inner.groups()).map(|group| inner.chunk(group, column).compression_codec());
    match codecs.into_iter().find(|&codec| !codec::supports(codec)) {
        None => Ok(()),
        Some(codec) => Err(inner.content(
            &format!("column `{}`", inner.name(column)),
            &format!("compressed by {codec:?}"),
            "Snappy, Zstandard, gzip, LZ4_RAW or nothing",
        )),
    }
}

fn list(inner: &Inner, column: usize) -> Result<Layout, LogitFileError> {
    let descr = inner.descr(column);
    let leaves = inner.metadata.file_metadata().schema_descr().columns();
    let name = |c: &parquet::schema::types::ColumnDescPtr| c.path().parts().first().cloned();
    let single = leaves.iter().filter(|c| name(c) == name(&descr)).count() == 1;
    // The leaf path of a list is list group, repeated group, element. Older writers use fewer groups, and no writer
    // uses more.
    let flat = descr.max_rep_level() == 1 && descr.path().parts().len() <= 3;
    if single && flat && floats::kind(&descr).is_some() {
        return Ok(Layout::List(column));
    }
    Err(inner.content("column `logits`", &inner.form(column), EXPECTED))
}

fn columns(inner: &Inner) -> Result<Vec<usize>, LogitFileError> {
    let leaves = inner.metadata.file_metadata().schema_descr().columns();
    let floats: Vec<usize> = (0..leaves.len())
        .filter(|&i| {
            let simple = leaves[i].path().parts().len() == 1 && leaves[i].max_rep_level() == 0;
            simple && floats::kind(&leaves[i]).is_some()
        })
        .collect();
    let named: Vec<usize> = floats
        .iter()
        .copied()
        .filter(|&i| numbered(leaves[i].name()).is_some_and(|(prefix, _)| prefix == PREFIX))
        .collect();
    if !named.is_empty() {
        let columns = by_number(inner, &named).unwrap_or(named);
        let numbers = columns
            .iter()
            .map(|&i| numbered(leaves[i].name()).map(|(_, n)| n));
        let gap = numbers
            .zip(0..)
            .find(|&(number, class)| number != Some(class));
        return match gap {
            None => Ok(columns),
            Some((_, class)) => Err(inner.content(
                &format!("column `{PREFIX}{class}`"),
                &format!("missing among {} columns `{PREFIX}...`", columns.len()),
                "a column FLOAT, DOUBLE or FLOAT16 for each class, from 0 on",
            )),
        };
    }
    if floats.is_empty() {
        let schema = inner.metadata.file_metadata().schema_descr();
        let all: Vec<String> = (0..schema.num_columns())
            .take(20)
            .map(|i| format!("`{}` ({})", inner.name(i), inner.form(i)))
            .collect();
        return Err(inner.content("the table", &format!("of {}", all.join(", ")), EXPECTED));
    }
    Ok(by_number(inner, &floats).unwrap_or(floats))
}

/// `columns` ordered by number, if their names are one common prefix and consecutive numbers; `None` otherwise.
///
/// Sorting class columns by name gives an order such as 0, 1, 10, 2, which this undoes.
fn by_number(inner: &Inner, columns: &[usize]) -> Option<Vec<usize>> {
    let mut sorted = Vec::new();
    let mut common = None;
    for &column in columns {
        let name = inner.name(column);
        let (prefix, number) = numbered(&name)?;
        let prefix = prefix.to_owned();
        if *common.get_or_insert_with(|| prefix.clone()) != prefix {
            return None;
        }
        sorted.push((number, column));
    }
    sorted.sort_unstable();
    let consecutive = sorted
        .windows(2)
        .all(|pair| pair[0].0.checked_add(1) == Some(pair[1].0));
    consecutive.then(|| sorted.into_iter().map(|(_, column)| column).collect())
}

/// Splits a name into its prefix and the number at its end.
fn numbered(name: &str) -> Option<(&str, u64)> {
    let prefix = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = name[prefix.len()..].parse().ok()?;
    Some((prefix, number))
}

/// Whether the column itself can be null, and whether its values can.
pub(super) fn nullable(inner: &Inner, column: usize) -> (bool, bool) {
    let descr = inner.descr(column);
    let optional = |t: &parquet::schema::types::Type| {
        let info = t.get_basic_info();
        info.has_repetition() && info.repetition() == Repetition::OPTIONAL
    };
    let schema = inner.metadata.file_metadata().schema_descr();
    let root = schema.get_column_root(column);
    (optional(root), optional(descr.self_type()))
}
