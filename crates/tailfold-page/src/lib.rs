//! What the HTML pages of all reports share: a frame that asks nobody for anything, one style sheet for screens and paper, and
//! text from outside made harmless.
//!
//! Internal to tailfold, no stability promise.

mod frame;
mod text;

pub use frame::{Page, scrolled};
pub use text::{Text, printable};
