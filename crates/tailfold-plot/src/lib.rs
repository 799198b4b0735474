//! What the pictures of all programs share: canvases of SVG and PNG, colours, and a font that comes along, so that no picture
//! depends on what is installed.

mod error;
mod picture;
mod scatter;

pub use error::PlotError;
pub use picture::{COLOURS, Canvas, Painted, Picture, save, save_as, svg};
pub use scatter::{Curve, Scatter, legend};
