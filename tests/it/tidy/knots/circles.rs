//! Circles in a graph of files.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// An arrow from a file to another file from which it imports.
pub(super) type Arrow = (String, String);

/// The shortest circle through each arrow, as files, without duplicates.
pub(super) fn circles(arrows: &BTreeSet<Arrow>) -> BTreeSet<Vec<String>> {
    let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in arrows {
        next.entry(from).or_default().push(to);
    }
    let mut found = BTreeSet::new();
    for (from, to) in arrows {
        if let Some(mut way) = way(&next, to, from) {
            let first = (0..way.len()).min_by_key(|&i| way[i]).unwrap_or_default();
            way.rotate_left(first);
            found.insert(way.into_iter().map(str::to_owned).collect());
        }
    }
    found
}

/// The shortest path from `start` to `end`, both included.
fn way<'a>(
    next: &BTreeMap<&'a str, Vec<&'a str>>,
    start: &'a str,
    end: &'a str,
) -> Option<Vec<&'a str>> {
    let mut before = BTreeMap::from([(start, start)]);
    let mut open = VecDeque::from([start]);
    while let Some(file) = open.pop_front() {
        if file == end {
            let mut way = vec![end];
            while let Some(&file) = way.last().filter(|&&file| file != start) {
                way.push(before[file]);
            }
            way.reverse();
            return Some(way);
        }
        for &to in next.get(file).into_iter().flatten() {
            before.entry(to).or_insert_with(|| {
                open.push_back(to);
                file
            });
        }
    }
    None
}
