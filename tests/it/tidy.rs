//! The workspace's invariants: dependencies between packages, form and wording of sources, hashes of shipped files.

mod arrows;
mod face;
mod knots;
mod licences;
mod plain_words;
mod shipped;
mod sources;
mod wording;
