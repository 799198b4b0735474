//! Class names that occur more than once.

use std::collections::HashMap;

/// Returns each class whose name occurred before, as a pair of the first class with this name and the later class.
pub fn repeated_names(names: &[String]) -> Vec<(usize, usize)> {
    let mut first_of: HashMap<&str, usize> = HashMap::new();
    let classes = names.iter().enumerate();
    let pairs = classes.filter_map(|(class, name)| {
        let first = *first_of.entry(name).or_insert(class);
        (first != class).then_some((first, class))
    });
    pairs.collect()
}
