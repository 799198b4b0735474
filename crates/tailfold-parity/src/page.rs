//! The frame of HTML reports: one file that loads no other file, with one style sheet for screen and print, and with
//! third-party names escaped.

mod frame;
mod text;

pub use frame::{Page, scrolled};
pub use text::{Text, printable};
