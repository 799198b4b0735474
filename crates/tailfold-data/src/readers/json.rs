//! COCO's JSON with one category per image, as in iNaturalist's annotations.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;

use crate::images::Images;
use crate::left_out::LeftOut;
use crate::loaded::Loaded;
use crate::names::normalised;
use crate::readers::split_file;
use crate::{DataError, DataErrorKind, Split, files};

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    images: Vec<Image<'a>>,
    annotations: Vec<Annotation>,
    #[serde(default)]
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Image<'a> {
    id: u64,
    #[serde(borrow)]
    file_name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: u64,
    category_id: u64,
}

#[derive(Deserialize)]
struct Category {
    id: u64,
    name: String,
}

/// File with the category names, next to the annotations.
const CATEGORIES: &str = "categories.json";

/// Opens annotations. The classes are the categories in the order of their ids. Their names come from `categories.json`
/// next to the file if it exists, because iNaturalist 2018 hides the names in the annotations.
pub(crate) fn load(file: &Path, root: &Path, split: Option<Split>) -> Result<Loaded, DataError> {
    let path = split_file("json", file, split)?;
    let bytes = files::read_unmarked(&path)?;
    let document: Document<'_> = serde_json::from_slice(&bytes)
        .map_err(|error| wrong(&path, format!("no image annotations: {error}")))?;
    if document.images.is_empty() {
        return Err(DataErrorKind::Empty.error(format!("{} holds no image", path.display())));
    }
    let categories = named(&path, document.categories)?;
    let label_of: HashMap<u64, usize> = categories.keys().copied().zip(0..).collect();
    let mut places = HashMap::with_capacity(document.images.len());
    for (place, image) in document.images.iter().enumerate() {
        if places.insert(image.id, place).is_some() {
            return Err(wrong(&path, format!("image {} is listed twice", image.id)));
        }
    }
    let mut labels = vec![None; document.images.len()];
    for annotation in &document.annotations {
        let Annotation {
            image_id,
            category_id,
        } = annotation;
        let Some(&place) = places.get(image_id) else {
            let reason = format!("an annotation names image {image_id}, which is not listed");
            return Err(wrong(&path, reason));
        };
        let Some(&label) = label_of.get(category_id) else {
            let reason =
                format!("image {image_id} has category {category_id}, which is not listed");
            return Err(wrong(&path, reason));
        };
        match labels[place].replace(label) {
            Some(before) if before != label => {
                let reason = format!("image {image_id} has more than one category");
                return Err(wrong(&path, reason));
            }
            _ => {}
        }
    }
    let labels = labels.iter().zip(&document.images).map(|(label, image)| {
        let (id, name) = (image.id, &image.file_name);
        label.ok_or_else(|| wrong(&path, format!("image {id} (`{name}`) has no annotation")))
    });
    let labels = labels.collect::<Result<_, _>>()?;
    let paths = document.images.iter();
    Ok(Loaded {
        images: Images::Files(paths.map(|image| root.join(&*image.file_name)).collect()),
        classes: categories.into_values().collect(),
        labels,
        chosen: None,
        left_out: LeftOut::default(),
    })
}

/// Reads the names in `folder/categories.json` by id; `None` without such a file.
pub(super) fn categories(folder: &Path) -> Result<Option<BTreeMap<u64, String>>, DataError> {
    let path = folder.join(CATEGORIES);
    if !files::exists(&path) {
        return Ok(None);
    }
    let list: Vec<Category> = serde_json::from_slice(&files::read_unmarked(&path)?)
        .map_err(|error| wrong(&path, format!("no list of categories: {error}")))?;
    by_id(&path, list).map(Some)
}

/// Returns the categories of an annotation file by id, with the names of `categories.json`.
fn named(path: &Path, listed: Vec<Category>) -> Result<BTreeMap<u64, String>, DataError> {
    let names = categories(path.parent().unwrap_or(Path::new(".")))?;
    match names {
        Some(names) if listed.is_empty() => Ok(names),
        Some(mut names) => {
            let own = by_id(path, listed)?;
            let rename = |id: u64| match names.remove(&id) {
                Some(name) => Ok((id, name)),
                None => Err(wrong(path, format!("category {id} is not in {CATEGORIES}"))),
            };
            own.into_keys().map(rename).collect()
        }
        None if listed.is_empty() => {
            Err(DataErrorKind::Empty.error(format!("{} holds no category", path.display())))
        }
        None => by_id(path, listed),
    }
}

fn by_id(path: &Path, list: Vec<Category>) -> Result<BTreeMap<u64, String>, DataError> {
    let mut names = BTreeMap::new();
    for Category { id, name } in list {
        if names.insert(id, normalised(&name)).is_some() {
            return Err(wrong(path, format!("category {id} is listed twice")));
        }
    }
    Ok(names)
}

fn wrong(path: &Path, reason: String) -> DataError {
    DataErrorKind::Damaged.error(reason).at(path.display())
}

#[cfg(test)]
mod tests;
