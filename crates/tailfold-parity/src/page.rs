//! The frame of HTML reports: one file that loads nothing, one style sheet for screens and paper, and names from data sets and
//! models escaped.

mod frame;
mod text;

pub use frame::{Page, scrolled};
pub use text::{Text, printable};
