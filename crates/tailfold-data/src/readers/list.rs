//! List files of the long-tailed benchmarks: one `path label` per line.

use std::path::Path;

use crate::images::Images;
use crate::left_out::LeftOut;
use crate::loaded::Loaded;
use crate::readers::{MAX_CLASSES, class_or_category_names, names_for, split_file};
use crate::{DataError, DataErrorKind, Split, files};

/// Opens a list. The label is the last word of a line, so paths may contain spaces. Blank lines are skipped.
pub(crate) fn load(file: &Path, root: &Path, split: Option<Split>) -> Result<Loaded, DataError> {
    let path = split_file("list", file, split)?;
    let text = files::read_text(&path)?;
    let wrong = |line: u64, reason: String| {
        DataErrorKind::Damaged
            .error(reason)
            .at(format_args!("{}, line {line}", path.display()))
    };
    let (mut paths, mut labels, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for (line, text) in (1..).zip(text.lines()) {
        let text = text.trim();
        if text.is_empty() {
            continue;
        }
        let (image, label) = text
            .rsplit_once(char::is_whitespace)
            .ok_or_else(|| wrong(line, format!("`{text}` is not `path label`")))?;
        labels.push(parse_label(label).map_err(|reason| wrong(line, reason))?);
        paths.push(root.join(image.trim_end()));
        lines.push(line);
    }
    if paths.is_empty() {
        return Err(DataErrorKind::Empty.error(format!("{} holds no image", path.display())));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let classes = names_for(
        class_or_category_names(folder)?,
        &labels,
        |at, label, classes| wrong(lines[at], out_of_range(label, classes)),
    )?;
    Ok(Loaded {
        images: Images::Files(paths),
        classes,
        labels,
        chosen: None,
        left_out: LeftOut::default(),
    })
}

/// Parses a label; the error is the reason.
pub(super) fn parse_label(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(label) if label < MAX_CLASSES => Ok(label),
        Ok(label) => Err(out_of_range(label, MAX_CLASSES)),
        Err(_) => Err(format!("label `{text}` is not a whole number")),
    }
}

pub(super) fn out_of_range(label: usize, classes: usize) -> String {
    format!("label {label}, but there are {classes} classes")
}

#[cfg(test)]
mod tests;
