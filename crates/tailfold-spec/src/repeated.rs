//! Names that several classes have.

use std::collections::HashMap;

/// Returns the classes whose name an earlier class has, as pairs of the first class of this name and the later one.
pub fn repeated_names(names: &[String]) -> Vec<(usize, usize)> {
    let mut first_of: HashMap<&str, usize> = HashMap::new();
    let classes = names.iter().enumerate();
    let pairs = classes.filter_map(|(class, name)| {
        let first = *first_of.entry(name).or_insert(class);
        (first != class).then_some((first, class))
    });
    pairs.collect()
}
