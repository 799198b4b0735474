//! Charts for all programs, as SVG and PNG: canvases, colours and an embedded font, so that no picture depends on the
//! installed fonts.
//!
//! Internal to tailfold, no stability promise.

mod axis;
mod cells;
mod convergence;
mod error;
mod masses;
mod picture;
mod scatter;

pub use cells::{CLASS_COLOURS, CellPanel, Cells, ToyClass};
pub use convergence::{Convergence, Step, Walk};
pub use error::PlotError;
pub use masses::{MassSeries, MassesChart};
pub use picture::{COLOURS, Canvas, Painted, Picture, save, save_as, svg};
pub use scatter::{Curve, Scatter, legend};
