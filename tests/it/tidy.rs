//! The workspace's invariants: who may depend on whom, what sources look like, and that what ships is what it claims.

mod arrows;
mod face;
mod knots;
mod licences;
mod shipped;
mod sources;
mod wording;
