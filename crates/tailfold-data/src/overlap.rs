//! Images that occur in two sets, found by their keys: hashes of pixels ([`crate::Dataset::pixel_hashes`]) or file
//! names.

use std::collections::HashMap;

/// The images of one set that also occur in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Number of images of the first set that also occur in the second.
    pub shared: usize,
    /// Index of the first shared image in the first set, and of its first counterpart in the second set.
    pub first: Option<(usize, usize)>,
}

impl Overlap {
    /// Compares the `keys` of one set with the `others` of another.
    pub fn of<'a, 'b>(
        keys: impl IntoIterator<Item = &'a str>,
        others: impl IntoIterator<Item = &'b str>,
    ) -> Self {
        let mut by_key: HashMap<&str, usize> = HashMap::new();
        for (index, key) in others.into_iter().enumerate() {
            by_key.entry(key).or_insert(index);
        }
        let mut overlap = Self::default();
        for (index, key) in keys.into_iter().enumerate() {
            if let Some(&other) = by_key.get(key) {
                overlap.shared += 1;
                overlap.first.get_or_insert((index, other));
            }
        }
        overlap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_has_count_and_first_shared_image() {
        let found = Overlap::of(["a", "b", "c", "b"], ["x", "b", "c", "b"]);
        let expected = Overlap {
            shared: 3,
            first: Some((1, 1)),
        };
        assert_eq!(found, expected);
        assert_eq!(Overlap::of(["a"], ["b"]), Overlap::default());
        assert_eq!(Overlap::of([], ["b"]), Overlap::default());
    }
}
