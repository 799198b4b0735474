//! CSV files with the columns `file` and `label`, and optionally `name` for numeric labels.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ::csv::{ReaderBuilder, StringRecord};

use crate::images::Images;
use crate::left_out::LeftOut;
use crate::loaded::Loaded;
use crate::names::normalised;
use crate::readers::list::{out_of_range, parse_label};
use crate::readers::{listed_names, names_for, split_file};
use crate::{DataError, DataErrorKind, Split, files};

struct Row {
    line: u64,
    file: String,
    label: String,
    name: Option<String>,
}

/// Opens a CSV file. If the first label is a number, all labels must be numbers; otherwise labels are class names,
/// ordered as in `classes.txt` next to the file or else sorted.
pub(crate) fn load(file: &Path, split: Option<Split>) -> Result<Loaded, DataError> {
    let path = split_file("csv", file, split)?;
    let rows = rows(&path)?;
    let Some(first) = rows.first() else {
        return Err(DataErrorKind::Empty.error(format!("{} holds no image", path.display())));
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let (labels, classes) = if first.label.parse::<usize>().is_ok() {
        numbered(&path, folder, &rows)?
    } else {
        named(&path, folder, &rows)?
    };
    let paths: Vec<PathBuf> = rows.iter().map(|row| folder.join(&row.file)).collect();
    Ok(Loaded {
        images: Images::Files(paths),
        classes,
        labels,
        chosen: None,
        left_out: LeftOut::default(),
    })
}

fn wrong(path: &Path, line: u64, reason: String) -> DataError {
    DataErrorKind::Damaged
        .error(reason)
        .at(format_args!("{}, line {line}", path.display()))
}

fn rows(path: &Path) -> Result<Vec<Row>, DataError> {
    let bytes = files::read_unmarked(path)?;
    let mut reader = ReaderBuilder::new().from_reader(bytes.as_slice());
    let failed = |error: ::csv::Error| {
        let line = error.position().map_or(1, ::csv::Position::line);
        wrong(path, line, error.to_string())
    };
    let header = reader.headers().map_err(failed)?.clone();
    let column = |name: &str| header.iter().position(|column| column.trim() == name);
    let required = |name: &str| {
        let found: Vec<&str> = header.iter().collect();
        column(name).ok_or_else(|| {
            wrong(
                path,
                1,
                format!("no column `{name}` in `{}`", found.join(",")),
            )
        })
    };
    let (file, label, name) = (required("file")?, required("label")?, column("name"));
    let row = |record: StringRecord| {
        let field = |column: usize| record.get(column).unwrap_or_default().trim().to_owned();
        let line = record.position().map_or(1, ::csv::Position::line);
        let row = Row {
            line,
            file: field(file),
            label: normalised(&field(label)),
            name: name.map(|name| normalised(&field(name))),
        };
        match (row.file.is_empty(), row.label.is_empty()) {
            (true, _) => Err(wrong(path, line, "no file".to_owned())),
            (_, true) => Err(wrong(path, line, "no label".to_owned())),
            _ => Ok(row),
        }
    };
    reader
        .records()
        .map(|record| record.map_err(failed).and_then(row))
        .collect()
}

fn numbered(
    path: &Path,
    folder: &Path,
    rows: &[Row],
) -> Result<(Vec<usize>, Vec<String>), DataError> {
    let label = |row: &Row| parse_label(&row.label).map_err(|reason| wrong(path, row.line, reason));
    let labels: Vec<usize> = rows.iter().map(label).collect::<Result<_, _>>()?;
    let given = listed_names(folder)?;
    let anonymous = given.is_none();
    let mut classes = names_for(given, &labels, |at, label, classes| {
        wrong(path, rows[at].line, out_of_range(label, classes))
    })?;
    if anonymous {
        let mut known = vec![None; classes.len()];
        for (row, &label) in rows.iter().zip(&labels) {
            let Some(name) = row.name.as_ref().filter(|name| !name.is_empty()) else {
                continue;
            };
            match &known[label] {
                Some(before) if before != name => {
                    let reason =
                        format!("label {label} is `{name}`, on a line before it is `{before}`");
                    return Err(wrong(path, row.line, reason));
                }
                _ => known[label] = Some(name.clone()),
            }
        }
        for (class, name) in classes.iter_mut().zip(known) {
            *class = name.unwrap_or_else(|| class.clone());
        }
    }
    Ok((labels, classes))
}

fn named(path: &Path, folder: &Path, rows: &[Row]) -> Result<(Vec<usize>, Vec<String>), DataError> {
    let classes = match listed_names(folder)? {
        Some(names) => names,
        None => rows
            .iter()
            .map(|row| row.label.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    };
    let order: std::collections::BTreeMap<&str, usize> = classes
        .iter()
        .enumerate()
        .map(|(class, name)| (name.as_str(), class))
        .collect();
    let label = |row: &Row| {
        let label = order.get(row.label.as_str()).copied();
        label.ok_or_else(|| {
            wrong(
                path,
                row.line,
                format!("label `{}` is not in classes.txt", row.label),
            )
        })
    };
    let labels = rows.iter().map(label).collect::<Result<_, _>>()?;
    Ok((labels, classes))
}

#[cfg(test)]
mod tests;
